import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletTape

@Suite struct FormatTests {
    /// Vectors of the reference implementation (xxHash's own sanity checks and its documentation).
    @Test func checksumMeetsPublishedVectors() {
        #expect(XXH64.hash([]) == 0xEF46_DB37_51D8_E999)
        #expect(XXH64.hash(Array("a".utf8)) == 0xD24E_C4F1_A98C_6E5B)
        #expect(XXH64.hash(Array("abc".utf8)) == 0x44BC_2CF5_AD77_0999)
        #expect(
            XXH64.hash(Array("Nobody inspects the spammish repetition".utf8)) == 0xFBCE_A83C_8A37_8BF1)
        // XSUM_sanityCheck: bytes of a multiplicative generator, with and without a seed.
        var bytes: [UInt8] = []
        var generator: UInt64 = 2_654_435_761
        for _ in 0..<222 {
            bytes.append(UInt8(truncatingIfNeeded: generator >> 56))
            generator &*= 11_400_714_785_074_694_797
        }
        let prime: UInt64 = 2_654_435_761
        #expect(XXH64.hash([], seed: prime) == 0xAC75_FDA2_929B_17EF)
        #expect(XXH64.hash(Array(bytes.prefix(1))) == 0xE934_A84A_DB05_2768)
        #expect(XXH64.hash(Array(bytes.prefix(1)), seed: prime) == 0x5014_6076_43A9_B4C3)
        #expect(XXH64.hash(Array(bytes.prefix(4))) == 0x9136_A0DC_A574_57EE)
        #expect(XXH64.hash(Array(bytes.prefix(14))) == 0x8282_DCC4_994E_35C8)
        #expect(XXH64.hash(Array(bytes.prefix(14)), seed: prime) == 0xC3BD_6BF6_3DEB_6DF0)
        #expect(XXH64.hash(bytes) == 0xB641_AE8C_B691_C174)
        #expect(XXH64.hash(bytes, seed: prime) == 0x20CB_8AB7_AE10_C14A)
    }

    /// The cursor turns these bytes into enumerations without a switch.
    @Test func enumerationsLieInMemoryAsTheirRawValues() {
        for raw in UInt8(0)...4 {
            #expect(unsafeBitCast(raw, to: MarketEvent.Kind.self).rawValue == raw)
            #expect(MarketEvent.Kind(rawValue: raw) != nil)
        }
        #expect(MarketEvent.Kind(rawValue: 5) == nil)
        for raw in UInt8(0)...1 { #expect(unsafeBitCast(raw, to: Side.self).rawValue == raw) }
        #expect(MemoryLayout<MarketEvent.Kind>.size == 1 && MemoryLayout<Side>.size == 1)
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func whatIsWrittenIsRead(seed: UInt64) throws {
        let scratch = try Scratch()
        var random = RandomTape(seed: seed)
        let said = random.make(20_000)
        for blockBytes in [256, 4096, TapeFormat.defaultPayloadBytes] {
            let path = scratch.file("\(blockBytes).tape")
            try write(said, to: path, blockBytes: blockBytes)
            for verifies in [true, false] {
                let reading = read(path, verifies: verifies)
                #expect(reading.error == nil, "seed \(seed)")
                #expect(reading.said == said, "seed \(seed)")
            }
        }
        #expect(scratch.names == ["256.tape", "4096.tape", "65536.tape"])
    }

    @Test func sameRecordsGiveSameBytes() throws {
        let scratch = try Scratch()
        var random = RandomTape(seed: 7)
        let said = random.make(500)
        try write(said, to: scratch.file("a"))
        try write(said, to: scratch.file("b"))
        #expect(try scratch.read("a") == scratch.read("b"))
    }

    @Test func emptyTapeIsATape() throws {
        let scratch = try Scratch()
        try write([], to: scratch.file("a"))
        #expect(read(scratch.file("a")).said == [])
        #expect(read(scratch.file("a")).error == nil)
        #expect(try TapeReader(path: scratch.file("a")).totals?.first == .unknown)
    }
}
