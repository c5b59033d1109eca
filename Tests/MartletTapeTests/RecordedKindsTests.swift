import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

/// Every other kind of recording, against what its PROVENANCE.md says it holds.
@Suite(.enabled(if: RecordedData.isThere, "the recorded data of MARTLET_DATA is missing"))
struct RecordedKindsTests {
    private func imported(
        _ name: String, _ scratch: Scratch, _ options: ImportOptions = ImportOptions()
    ) throws -> ImportReport {
        let tape = scratch.file("day.tape")
        let report = try Importer(options: options).run([RecordedData.path(name)], to: tape)
        let verification = try TapeVerification(try TapeReader(path: tape))
        #expect(verification.isSound, "\(verification.firstProblem ?? "")")
        #expect(scratch.names == ["day.tape"])
        return report
    }

    /// FIELD-NOTES: control frames use up sequence numbers of the book's channel.
    @Test func demoSessionHasNoGap() throws {
        let scratch = try Scratch()
        let report = try imported("demo-session/session.jsonl.gz", scratch)
        #expect(report.lines == 2898)
        #expect(report.deltas == 2885 && report.snapshots == 5)
        #expect(report.controls == 6 && report.privateMessages == 2)
        #expect(report.gaps == 0 && report.duplicates == 0 && report.reordered == 0)
        #expect(report.skipped.isEmpty && report.bookFaults == 0)
        #expect(report.markets.count == 5)
        let replayed = Replayed()
        try replayed.replay(scratch.file("day.tape"))
        #expect(replayed.gaps == 0 && replayed.faults == 0 && replayed.crossedAtGroupEnd == 0)
    }

    @Test func callsBesideTheDemoSessionStandBeforeIt() throws {
        let scratch = try Scratch()
        let report = try imported("demo-session", scratch)
        #expect(report.snapshots == 10 && report.privateMessages == 3)
        #expect(report.first >= Timestamp(rfc3339: "2026-07-01T02:31:45Z") ?? .distantFuture)
        #expect(
            report.assumptions.contains { $0.hasPrefix("recordings without any time: placed at 2026-07-01") })
        #expect(report.filesLeftOut.map { ($0.path as NSString).lastPathComponent } == ["PROVENANCE.md"])
    }

    @Test func framesInAnEnvelope() throws {
        let report = try imported("ws-frames-2026-04/kalshi_ws_frames.jsonl", try Scratch())
        #expect(report.lines == 74)
        #expect(report.snapshots == 8 && report.deltas == 61 && report.controls == 5)
        #expect(report.gaps == 0 && report.skipped.isEmpty && report.markets.count == 8)
    }

    @Test func tradesOfTheTransition() throws {
        let scratch = try Scratch()
        let report = try imported("ws-frames-2026-02/kalshi_trade.jsonl", scratch)
        #expect(report.lines == 10 && report.trades == 10 && report.skipped.isEmpty)
        let trades = read(scratch.file("day.tape")).events.filter { $0.kind == .trade }
        #expect(trades.first?.price == 0.77)
    }

    @Test func tradesNewestFirstAreTurnedRound() throws {
        let scratch = try Scratch()
        let report = try imported("trades-2025-11", scratch)
        #expect(report.trades == 14_374 && report.lines == 14_374 && report.skipped.isEmpty)
        #expect(report.markets.count == 6 && report.timesBackwards == 0)
    }

    @Test func wholeBooksByREST() throws {
        let scratch = try Scratch()
        let depth = try imported("rest-books-2026-07/orderbook_depth_2026-07-23.jsonl.gz", scratch)
        #expect(depth.snapshots == 3938 && depth.skipped.isEmpty && depth.deltas == 0)
        #expect(depth.markets.count == 2086)
        let weather = try imported("rest-books-2026-07/weather_books_2026-07-23.jsonl.gz", scratch)
        #expect(weather.snapshots == 533 && weather.skipped.isEmpty)
    }

    @Test func strikesAndCloseTimesDefineMarkets() throws {
        let report = try imported("rest-books-2026-07/weather_meta_2026-07-23.jsonl.gz", try Scratch())
        #expect(report.definitions == report.lines && report.skipped.isEmpty)
    }

    @Test func settledMarkets() throws {
        let scratch = try Scratch()
        let report = try imported("settlements-2026-07", scratch)
        #expect(report.results == report.lines && report.lines == 5605)
        #expect(report.repeatedResults == 0 && report.conflictingResults == 0)
        let settled = read(scratch.file("day.tape")).inputs.filter {
            if case .settled = $0 { true } else { false }
        }
        #expect(settled.count == 5605)
    }

    @Test func integerCentEraByREST() throws {
        let scratch = try Scratch()
        let report = try imported("rest-2024-07", scratch)
        // 100 events and their 291 markets.
        #expect(report.definitions == 391)
        #expect(report.snapshots == 100 && report.tickers == 1965)
        #expect(report.skipped.isEmpty)
        #expect(report.first == Timestamp(rfc3339: "2024-07-12T14:00:02Z"))
    }

    /// One session as its recorder left it: a file for each type of message.
    @Test func sessionInParts() throws {
        let scratch = try Scratch()
        let report = try imported("btc15m-ws/verbatim", scratch)
        #expect(report.formats == [.parts])
        #expect(report.deltas == 3146 && report.snapshots == 1 && report.tickers == 29)
        #expect(report.gaps == 0 && report.duplicates == 0 && report.skipped.isEmpty)
        #expect(report.crossedGroups == 0 && report.bookFaults == 0)
    }

    /// The same session twice would apply each change twice.
    @Test func secondRecordingOfTheSameBooksIsLeftOut() throws {
        let scratch = try Scratch()
        let session = RecordedData.path("btc15m-ws/verbatim")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.file("again"), withDestinationPath: session)
        let tape = scratch.file("day.tape")
        let report = try Importer().run([session, scratch.file("again")], to: tape)
        #expect(report.deltas == 3146)
        #expect(report.filesLeftOut.map(\.reason).first?.contains("second recording") == true)
        #expect(try TapeVerification(TapeReader(path: tape)).isSound)
    }
}
