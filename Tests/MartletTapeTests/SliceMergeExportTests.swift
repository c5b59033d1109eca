import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

/// A tape cut into parts, put together again, turned into text and back.
@Suite struct SliceMergeExportTests {
    private let scratch: Scratch
    private let day: String

    /// A session with several markets, trades, a gap, results.
    init() throws {
        scratch = try Scratch()
        day = scratch.file("day.tape")
        var random = SeededGenerator(seed: 21)
        var lines: [String] = []
        var seq = 1
        var sizes: [String: Int] = [:]
        for market in ["KXT-1-A", "KXT-1-B", "KXT-2-A"] {
            lines.append(Frames.snapshot(seq, ticker: market))
            sizes[market] = 10
            seq += 1
        }
        for index in 0..<600 {
            let market = ["KXT-1-A", "KXT-1-B", "KXT-2-A"][Int.random(in: 0..<3, using: &random)]
            let size = sizes[market] ?? 0
            let change = Int.random(in: -size...10, using: &random)
            sizes[market] = size + change
            if index == 300 { seq += 1 }
            lines.append(
                Frames.delta(seq, "yes", price: "0.4000", "\(change).00", at: index / 10, ticker: market))
            seq += 1
            if index % 40 == 7 { lines.append(Frames.trade(at: 1_782_873_060 + index / 10)) }
        }
        lines.append(Frames.lifecycle("determined", "\"result\":\"yes\",\"determination_ts\":1782873166"))
        lines.append(Frames.lifecycle("settled", "\"settled_ts\":1782873167"))
        let recording = try scratch.write("recording", lines.joined(separator: "\n") + "\n")
        let report = try Importer().run([recording], to: day)
        try #require(report.gaps == 1 && report.trades == 15 && report.results > 0)
    }

    private var seconds: [Timestamp] {
        (0..<60).compactMap { Timestamp(rfc3339: "2026-07-01T02:31:\($0 < 10 ? "0" : "")\($0).5Z") }
    }

    private func slices(at cuts: [Timestamp]) throws -> [String] {
        var paths: [String] = []
        for index in 0...cuts.count {
            let path = scratch.file("part\(index)")
            let slice = TapeSlice(
                from: index > 0 ? cuts[index - 1] : nil, to: index < cuts.count ? cuts[index] : nil)
            try slice.write(day, to: path, sync: false)
            paths.append(path)
        }
        return paths
    }

    @Test(arguments: [[30], [5, 10, 31], [1], [59], [10, 20, 30, 40, 50]])
    func slicesMergeBackIntoTheSameTape(cuts: [Int]) throws {
        let paths = try slices(at: cuts.map { seconds[$0] })
        for path in paths { #expect(try TapeVerification(TapeReader(path: path)).isSound, "\(path)") }
        let merged = scratch.file("merged")
        try TapeMerger.merge(paths, to: merged, sync: false)
        #expect(read(merged).said == read(day).said)
        #expect(try scratch.read("merged") == scratch.read("day.tape"))
    }

    @Test func sliceStandsForItself() throws {
        let path = scratch.file("part")
        var slice = TapeSlice(from: seconds[20], to: seconds[25])
        slice.wants = { $0 == "KXT-1-B" }
        try slice.write(day, to: path, sync: false)
        let reading = read(path)
        #expect(reading.error == nil)
        // The book at the cut equals the whole tape's there.
        let whole = bookAtStart(of: seconds[20], "KXT-1-B")
        guard let start = reading.events.first, start.kind == .snapshotStart else {
            Issue.record("the slice does not begin with a book")
            return
        }
        let carried = reading.events.prefix { $0.receiveTime == seconds[20] && $0.kind != .delta }
        let bid = carried.filter { $0.kind == .snapshotLevel && $0.side == .bid }.map(\.quantity)
        #expect(bid.first ?? .zero == whole.bestSize(.bid))
        #expect(reading.events.allSatisfy { $0.receiveTime < seconds[25] && $0.market == Market.ID(0) })
    }

    private func bookAtStart(of time: Timestamp, _ ticker: String) -> OrderBook {
        var book = OrderBook()
        var index: Market.ID?
        var defined = 0
        for said in read(day).said {
            switch said {
            case .input(.defined(let market), _):
                if market.ticker == ticker { index = Market.ID(defined) }
                defined += 1
            case .event(let event, _) where event.market == index && event.receiveTime < time:
                switch event.kind {
                case .delta: _ = book.add(event.quantity, side: event.side, price: event.price)
                case .snapshotStart: book.clear()
                case .snapshotLevel: _ = book.set(event.quantity, side: event.side, price: event.price)
                case .trade, .groupEnd: break
                }
            default: break
            }
        }
        return book
    }

    @Test func impossibleSlicesAreRefusedAndLeaveNothing() throws {
        let before = scratch.names
        let empty = TapeSlice(from: seconds[20], to: seconds[20])
        #expect(throws: TapeError.self) { try empty.write(day, to: scratch.file("part")) }
        #expect(throws: TapeError.self) { try TapeSlice().write(day, to: day) }
        var none = TapeSlice()
        none.wants = { _ in false }
        #expect(throws: TapeError.self) { try none.write(day, to: scratch.file("part")) }
        #expect(throws: TapeError.self) { try TapeMerger.merge([day], to: day) }
        #expect(throws: TapeError.self) { try TapeMerger.merge([], to: scratch.file("part")) }
        #expect(scratch.names == before)
    }

    /// Two tapes that both know how a market ended.
    @Test func mergedMarketSettlesOnce() throws {
        try FileManager.default.copyItem(atPath: day, toPath: scratch.file("other"))
        let merged = scratch.file("merged")
        try TapeMerger.merge([day, scratch.file("other")], to: merged, sync: false)
        let settled = read(merged).inputs.filter { if case .settled = $0 { true } else { false } }
        #expect(settled.count == 1)
    }

    @Test(arguments: [TapeExport.Form.jsonLines, .csv])
    func exportedTapeImportsToTheSameBytes(form: TapeExport.Form) throws {
        let text = scratch.file("day.\(form.rawValue)")
        let lines = try TapeExport(form).write(try TapeReader(path: day), to: text)
        #expect(lines >= read(day).said.count)
        let again = scratch.file("again.tape")
        let report = try Importer().run([text], to: again)
        #expect(report.skipped.isEmpty && report.trades == 15 && report.deltas == 600)
        #expect(try scratch.read("again.tape") == scratch.read("day.tape"))
    }

    /// Every kind of record, with odd texts and numbers.
    @Test(arguments: [TapeExport.Form.jsonLines, .csv], [UInt64(31), 32, 33])
    func everyRecordSurvivesAsText(form: TapeExport.Form, seed: UInt64) throws {
        var random = RandomTape(seed: seed)
        // A tape's own notes and definitions come first, as an importer's would.
        try write(random.make(2_000), to: scratch.file("random"))
        let text = scratch.file("random.text")
        try TapeExport(form).write(try TapeReader(path: scratch.file("random")), to: text)
        let report = try Importer().run([text], to: scratch.file("again"))
        #expect(report.skipped.isEmpty, "seed \(seed): \(report.skipped)")
        #expect(read(scratch.file("again")).said == read(scratch.file("random")).said, "seed \(seed)")
    }

    @Test func chosenRecordsAlone() throws {
        var export = TapeExport(.plain)
        export.records = ["trade", "settlement"]
        export.wants = { $0.hasSuffix("-A") }
        export.from = seconds[10]
        var lines: [String] = []
        try export.lines(of: try TapeReader(path: day)) {
            lines.append($0)
            return true
        }
        #expect(!lines.isEmpty)
        #expect(lines.allSatisfy { $0.contains(" trade ") || $0.contains(" settlement ") })
        #expect(TapeExport.recordNames.contains("snapshot_level"))
    }

    @Test func infoCountsWhatIsThere() throws {
        let info = try TapeInfo(try TapeReader(path: day))
        let counts = Dictionary(uniqueKeysWithValues: info.counts.map { ($0.kind, $0.count) })
        #expect(counts[.delta] == 600 && counts[.trade] == 15 && counts[.settlement] == 1)
        #expect(info.isComplete && info.digest != nil)
        #expect(info.markets.map(\.gaps).reduce(0, +) == counts[.gap])
        #expect(info.markets.count == 4 && info.markets.contains { $0.isSettled && $0.result == .yes })
    }
}
