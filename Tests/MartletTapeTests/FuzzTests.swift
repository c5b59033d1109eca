import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

/// Seeded mutations of tapes and recordings: whatever comes, no crash, no endless loop, and never a tape that does
/// not read. `MARTLET_FUZZ` multiplies the number of mutations, `MARTLET_SEED` gives another seed.
@Suite struct FuzzTests {
    private let scale = Int(ProcessInfo.processInfo.environment["MARTLET_FUZZ"] ?? "") ?? 1
    private let seed = UInt64(ProcessInfo.processInfo.environment["MARTLET_SEED"] ?? "") ?? 41

    /// Flips, cuts, doubles and overwrites a few bytes; with words that parsers find hard.
    private func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        let words = [
            "NaN", "-0", "1e400", "99999999999999999999", "null", "\"\"", "[]", "{}", "\u{0}", "\\u0000", "-",
            ".",
            "0.0000", "1.0000", "{", "\"", "\n", "\r\n", "\u{FEFF}", "9223372036854775807",
            "-9223372036854775808",
            "true", "0.99999999999", "\\ud800",
        ]
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return bytes }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let length = min(Int.random(in: 1...16, using: &random), bytes.count - place)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.removeSubrange(place..<place + length)
            case 3: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
            case 4:
                let word = words[Int.random(in: 0..<words.count, using: &random)]
                bytes.replaceSubrange(place..<place + length, with: Array(word.utf8))
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    @Test func mutatedTapesNeverCrash() throws {
        let scratch = try Scratch()
        var tape = RandomTape(seed: seed)
        try write(tape.make(120), to: scratch.file("whole"), blockBytes: 1024)
        let whole = try scratch.read("whole")
        var random = SeededGenerator(seed: seed)
        for number in 0..<1_500 * scale {
            let path = try scratch.write("mutated", mutate(whole, &random))
            let reading = read(path)
            #expect(reading.error != nil || reading.said.count > 0, "seed \(seed), mutation \(number)")
            _ = read(path, acceptsTorn: true, verifies: false)
        }
    }

    /// One small recording of each kind.
    private static let recordings: [(name: String, text: String)] = [
        (
            "frames",
            [
                Frames.snapshot(1), Frames.delta(2), Frames.delta(3, "no", price: "0.6000", "-5.00", at: 1),
                Frames.trade(),
                Frames.lifecycle("determined", "\"result\":\"yes\",\"determination_ts\":1782873106"),
                Frames.lifecycle("settled", "\"settled_ts\":1782873107"), Frames.snapshot(4, yes: [], no: []),
            ].joined(separator: "\n") + "\n"
        ),
        (
            "envelope",
            "{\"recv_ns\":1782873105000000000,\"conn\":1,\"frame\":\(Frames.snapshot(1))}\n"
                + "{\"recv_ns\":1782873105000000000,\"conn\":1,\"event\":\"watch_market\",\"info\":{\"market_ticker\":"
                + "\"KXTEST-1-A\",\"close_time\":\"2026-07-01T03:00:00Z\"}}\n"
                + "{\"recv_ns\":1782873106000000000,\"conn\":1,\"frame\":\(Frames.delta(2))}\n"
        ),
        (
            "csv",
            "ticker,created_time,price,count,taker_side,trade_id\n"
                + "KXT-1-A,2025-11-09T15:59:59.206303Z,0.45,12,yes,f851595a-6d92-424e-09f8-0d2669de70ae\n"
                + "KXT-1-A,2025-11-09T15:59:58Z,0.44,3,no,odd-id\n"
        ),
        (
            "books",
            "{\"schema\":\"orderbook_depth.v1\",\"ticker\":\"KXT-1-A\",\"captured_at\":\"2026-07-23T00:56:00Z\","
                + "\"yes_bids\":[[0.4,10.0]],\"no_bids\":[[0.5,3.5]]}\n"
        ),
        (
            "settlements",
            "{\"schema\":\"settlement_ledger.v1\",\"ticker\":\"KXT-1-A\",\"result\":\"yes\",\"settlement_value\":1.0,"
                + "\"settlement_ts\":\"2026-07-17T00:00:00Z\",\"close_time\":\"2026-07-16T00:00:00Z\"}\n"
        ),
        (
            "rest2024",
            "[{\"KXT-24\":[{\"_ticker\":\"KXT-24-A\",\"_event_ticker\":\"KXT-24\",\"_close_time\":"
                + "\"2024-08-01T00:00:00Z\",\"_result\":\"\"}]},{\"KXT-24-A\":{\"_yes\":[[86,100]],\"_no\":null}}]"
        ),
        (
            "export",
            "{\"martlet\":1,\"record\":\"definition\",\"receive_ns\":1,\"ticker\":\"KXT-1-A\",\"detail\":{\"ticker\":"
                + "\"KXT-1-A\",\"grid\":[[\"0.0000\",\"1.0000\",\"0.0100\"]]}}\n"
                + "{\"martlet\":1,\"record\":\"delta\",\"ticker\":\"KXT-1-A\",\"receive_ns\":2,\"side\":\"bid\","
                + "\"price\":\"0.5600\",\"quantity\":\"-4.00\",\"flags\":\"groupEnd\"}\n"
        ),
    ]

    @Test(arguments: recordings.map(\.name))
    func unchangedRecordingIsTaken(name: String) throws {
        let text = try #require(FuzzTests.recordings.first { $0.name == name }).text
        let imported = try Scratch().imported(bytes: Array(text.utf8))
        #expect(imported.error == nil && imported.report.isUsable, "\(imported.report.skipped)")
        #expect(imported.report.skipped.isEmpty, "\(imported.report.skipped)")
    }

    @Test(arguments: recordings.map(\.name))
    func mutatedRecordingsGiveReadableTapesOrErrors(name: String) throws {
        let text = Array(try #require(FuzzTests.recordings.first { $0.name == name }).text.utf8)
        let scratch = try Scratch()
        var random = SeededGenerator(seed: seed)
        for number in 0..<500 * scale {
            let mutated = mutate(text, &random)
            let imported = try scratch.imported(bytes: mutated)
            let place = "\(name), seed \(seed), mutation \(number)"
            #expect(imported.reading.error == nil, "\(place): \(String(describing: imported.reading.error))")
            if case .tape(let error)? = imported.error?.problem { Issue.record("\(place): \(error)") }
            #expect(imported.settlements.count <= 2, "\(place)")
            #expect(scratch.names.count <= 2, "\(place)")
        }
    }
}
