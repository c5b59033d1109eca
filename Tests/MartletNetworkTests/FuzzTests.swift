import Foundation
import Testing

@testable import MartletNetwork

/// Seeded fuzzers. `MARTLET_FUZZ` sets the number of inputs (10,000 without it); a failure prints its seed.
///
///     MARTLET_FUZZ=10000000 swift test -c release --filter MartletNetworkTests.FuzzTests
@Suite struct FuzzTests {
    static let inputs = ProcessInfo.processInfo.environment["MARTLET_FUZZ"].flatMap(UInt64.init) ?? 10_000

    /// A seed's message, changed in a few places: bytes replaced, dropped, doubled, pieces of others put in.
    static func mutate(_ seeds: [[UInt8]], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = seeds.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            guard !bytes.isEmpty else { break }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch random.next() % 6 {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8(random.next() % 8)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 8)))
            case 3:
                bytes.insert(
                    contentsOf: bytes[place..<min(bytes.count, place + Int(random.next() % 16))], at: place)
            case 4:
                let other = seeds.randomElement(using: &random) ?? []
                let cut = Int.random(in: 0...other.count, using: &random)
                bytes.insert(contentsOf: other[cut..<min(other.count, cut + 24)], at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }

    static func pieces(_ count: Int, _ random: inout SeededRandom) -> [Int] {
        var pieces: [Int] = []
        var left = count
        while left > 0 {
            let piece = Int.random(in: 1...max(1, min(left, 40)), using: &random)
            pieces.append(piece)
            left -= piece
        }
        return pieces
    }

    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nuntil close",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nDate: x\r\n\r\n",
    ].map(\.bytes)

    @Test func responseParserGivesOneAnswerHoweverBytesAreCut() {
        for seed in 0..<Self.inputs {
            var random = SeededRandom(seed)
            let bytes = Self.mutate(Self.responses, &random)
            let whole = ParsedResponse.of(bytes, pieces: [bytes.count])
            let cut = ParsedResponse.of(bytes, pieces: Self.pieces(bytes.count, &random))
            // With several faults, the cuts decide which is met first.
            guard (whole.error != nil && cut.error != nil) || cut == whole else {
                Issue.record(
                    "seed \(seed): \(whole) and \(cut) from \(String(decoding: bytes, as: UTF8.self).debugDescription)"
                )
                return
            }
        }
    }

    static let requests = [
        "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ].map(\.bytes)

    @Test func requestParserGivesOneAnswerHoweverBytesAreCut() {
        for seed in 0..<Self.inputs {
            var random = SeededRandom(seed)
            let text = String(decoding: Self.mutate(Self.requests, &random), as: UTF8.self)
            let whole = HTTPRequestParserTests.parse(text, piece: max(1, text.utf8.count))
            let cut = HTTPRequestParserTests.parse(text, piece: Int.random(in: 1...9, using: &random))
            guard cut == whole else {
                Issue.record("seed \(seed): \(whole) and \(cut) from \(text.debugDescription)")
                return
            }
        }
    }

    static let frames: [[UInt8]] = [
        Frames.raw(0x81, "héllo".bytes),
        Frames.raw(0x01, "a".bytes) + Frames.raw(0x89, []) + Frames.raw(0x80, "b".bytes),
        Frames.raw(0x82, [UInt8](repeating: 9, count: 130)), Frames.raw(0x88, [0x03, 0xe8] + "bye".bytes),
        Frames.raw(0x8a, "heartbeat".bytes),
        Frames.raw(0x82, [UInt8](repeating: 9, count: 300), mask: [1, 2, 3, 4]),
        [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0],
    ]

    @Test func frameParserGivesOneAnswerHoweverBytesAreCut() {
        for seed in 0..<Self.inputs {
            var random = SeededRandom(seed)
            let bytes = Self.mutate(Self.frames, &random) + Self.mutate(Self.frames, &random)
            let role: WebSocketParser.Role = random.next() % 2 == 0 ? .client : .server
            let whole = Frames.parse(bytes, pieces: max(1, bytes.count), role: role, limit: 500)
            let cut = Frames.parse(
                bytes, pieces: Int.random(in: 1...9, using: &random), role: role, limit: 500)
            guard cut == whole else {
                Issue.record("seed \(seed): \(whole) and \(cut) from \(bytes)")
                return
            }
        }
    }

    @Test func keyReaderRefusesOrReadsAndNeverCrashes() throws {
        let rsa = try PrivateKey.generate(.rsa)
        let seeds = [
            try rsa.pem(), rsa.traditionalPEM(), rsa.publicKey.pem(), try PrivateKey.generate(.ed25519).pem(),
            try PrivateKey.generate(.ed25519).pem(passphrase: "p"),
        ].map(\.bytes)
        for seed in 0..<Self.inputs / 10 {
            var random = SeededRandom(seed)
            let bytes = Self.mutate(seeds, &random)
            _ = try? PrivateKey(pem: bytes, passphrase: seed % 2 == 0 ? nil : "p")
            _ = try? PublicKey(pem: bytes)
        }
    }
}

extension Result where Success == [String], Failure == HTTPParseError {
    static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.success(let x), .success(let y)): x == y
        // With several faults, the cuts decide which is met first.
        case (.failure, .failure): true
        default: false
        }
    }
}
