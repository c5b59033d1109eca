import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

@Suite struct DamageTests {
    private let said: [Said]
    private let scratch: Scratch
    private let whole: [UInt8]

    init() throws {
        var random = RandomTape(seed: 11)
        said = random.make(40)
        scratch = try Scratch()
        try write(said, to: scratch.file("whole"), blockBytes: 512)
        whole = try scratch.read("whole")
    }

    @Test func tornAtEveryByteIsReadUpToTheTear() throws {
        var longest = 0
        for length in 0..<whole.count {
            let path = try scratch.write("torn", Array(whole.prefix(length)))
            let strict = read(path)
            #expect(strict.said.isEmpty)
            #expect(strict.error != nil)
            guard length >= 64 else {
                #expect(strict.error?.problem == (length == 0 ? .empty : .torn), "\(length) bytes")
                continue
            }
            #expect(strict.error?.problem == .torn)
            let lenient = read(path, acceptsTorn: true)
            #expect(lenient.error == nil, "\(length) bytes")
            #expect(lenient.said == Array(said.prefix(lenient.said.count)), "\(length) bytes")
            #expect(lenient.said.count >= longest)
            #expect(lenient.tornAt.map { $0 <= length } == true)
            #expect(lenient.tornAt == strict.error?.offset)
            longest = lenient.said.count
        }
        #expect(longest == said.count)
    }

    @Test func everyFlippedBitIsFound() throws {
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            let path = try scratch.write("flipped", bytes)
            let reading = read(path)
            #expect(reading.error != nil, "byte \(index)")
            #expect(reading.error?.file == path)
            #expect(reading.said == Array(said.prefix(reading.said.count)), "byte \(index)")
            // Without checksums nothing must crash; most damage is found all the same.
            _ = read(path, acceptsTorn: true, verifies: false)
        }
    }

    @Test func unverifiedGarbageNeverCrashes() throws {
        var random = SeededGenerator(seed: 12)
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0..<8 {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            _ = read(try scratch.write("garbage", bytes), acceptsTorn: true, verifies: false)
        }
    }

    @Test func errorIsRepeatedByEveryFurtherCall() throws {
        var bytes = whole
        bytes[64 + 64 + 40] ^= 1
        let tape = try TapeReader(path: try scratch.write("flipped", bytes))
        var cursor = tape.cursor()
        for _ in 0..<3 {
            do throws(TapeError) {
                _ = try cursor.next()
                Issue.record("read a damaged block")
            } catch {
                #expect(error.problem == .checksumMismatch(block: 0))
                #expect(error.offset == 64)
            }
        }
    }

    @Test func otherFilesAreNamedForWhatTheyAre() throws {
        func problem(_ bytes: [UInt8]) throws -> TapeError.Problem? {
            read(try scratch.write("other", bytes)).error?.problem
        }
        #expect(try problem([]) == .empty)
        #expect(try problem([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0]) == .gzipped)
        #expect(try problem(Array("{\"type\":\"subscribed\"}\n".utf8)) == .notATape)
        #expect(try problem(Array("MARTLET".utf8)) == .torn)
        var header = Array(whole.prefix(64))
        header[8] = 2
        withUnsafeBytes(of: XXH64.hash(Array(header.prefix(56))).littleEndian) {
            header.replaceSubrange(56..., with: $0)
        }
        #expect(try problem(header + whole.dropFirst(64)) == .unsupportedVersion(2))
        // The checksum of a header that we cannot read may stand elsewhere: the version is told all the same.
        header[56] ^= 1
        #expect(try problem(header + whole.dropFirst(64)) == .corruptFileHeader(version: 2))
        #expect(TapeError.Problem.corruptFileHeader(version: 2).description.contains("version 2"))
        #expect(try problem(whole + [0, 0, 0, 0, 0, 0, 0, 0]) == .trailingBytes(8))
        let missing = read(scratch.file("missing")).error
        #expect(missing?.description.contains("No such file") == true)
        #expect(read(scratch.path).error != nil)
    }

    /// A file whose last pages were allocated but never written, as after a power cut.
    @Test func zerosAfterTheLastBlockAreATear() throws {
        let cut = whole.count - 128
        let path = try scratch.write("zeros", Array(whole.prefix(cut)) + [UInt8](repeating: 0, count: 4096))
        #expect(read(path).error?.problem == .torn)
        let lenient = read(path, acceptsTorn: true)
        #expect(lenient.said == said)
        #expect(lenient.tornAt == cut)
    }

    @Test func blocksTakenOutOrExchangedAreFound() throws {
        // All blocks are whole; only their numbers and the end's digest tell.
        let second = try blockStarts()[1]
        let third = try blockStarts()[2]
        let without = Array(whole[..<second] + whole[third...])
        #expect(read(try scratch.write("without", without)).error?.problem == .corruptBlockHeader)
    }

    private func blockStarts() throws -> [Int] {
        var starts: [Int] = []
        var offset = 64
        while offset < whole.count {
            starts.append(offset)
            let length = (0..<4).reduce(0) { $0 | Int(whole[offset + 4 + $1]) << ($1 * 8) }
            offset += 64 + length
        }
        return starts
    }
}
