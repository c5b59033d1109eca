import Foundation
import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletKalshi

enum FeedData {
    static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["MARTLET_DATA"].map { URL(fileURLWithPath: $0) }
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder = named ?? package.appendingPathComponent("../shared/data").standardizedFileURL
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    static func lines(_ path: String) throws -> [[UInt8]] {
        guard let folder else { return [] }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", folder.appendingPathComponent(path).path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(data).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }
}

@Suite("Feed on the recorded demo session")
struct RecordedFeedTests {
    @Test(
        "field note 5: the whole session without a gap, a resubscription or a dropped delta",
        .enabled(if: FeedData.folder != nil, "no recorded data: set MARTLET_DATA"))
    func demoSession() throws {
        let tickers = [
            "KXNEXTTEAMNBA-26LJAM-GSW", "KXNEXTTEAMNBA-26LJAM-MIA", "KXNEXTTEAMNBA-26LJAM-CLE",
            "KXBTCD-26JUL0317-T60499.99", "KXBTCD-26JUL0317-T60999.99",
        ]
        let bench = FeedBench(tickers)
        // No model stands behind a recording.
        let keeper = BookKeeper(tickers)
        var settings = FeedSettings()
        settings.usesYesPrice = false
        bench.session = FeedSession(settings)
        for (index, ticker) in tickers.enumerated() {
            bench.session.register(ticker, as: Market.ID(index))
            bench.session.subscribe(.book, Market.ID(index))
        }
        bench.session.subscribe(.fills)
        bench.session.opened(at: bench.now)
        _ = bench.session.takeCommands(at: bench.now)
        var batch = FeedBatch()
        let lines = try FeedData.lines("kalshi/demo-session/session.jsonl.gz")
        try #require(lines.count > 2_800)
        for line in lines {
            line.withUnsafeBufferPointer { bench.session.receive($0, at: bench.now) }
            bench.session.exchange(&batch)
            batch.forEach(event: { keeper.take($0) }, output: { keeper.take($0) })
        }
        let statistics = bench.session.statistics
        #expect(statistics.gaps == 0 && statistics.duplicates == 0 && statistics.resubscriptions == 0)
        #expect(statistics.deltas == 2885 && statistics.snapshots == 5 && statistics.droppedDeltas == 0)
        #expect(statistics.malformed == 0 && statistics.unknownMarkets == 0)
        #expect(bench.session.takeCommands(at: bench.now).allSatisfy { !$0.contains("get_snapshot") })
        #expect(keeper.deltas == 2885 && keeper.isUsable.allSatisfy { $0 })
        #expect(keeper.faults.isEmpty, "\(keeper.faults.prefix(3))")
        let fills = keeper.outputs.compactMap { output -> FillMessage? in
            if case .fill(let fill) = output { fill } else { nil }
        }
        // Field note 17: the side says "no", the price is the YES price, positions net.
        #expect(fills.map(\.positionAfter) == [Quantity(hundredths: 552), Quantity(hundredths: 436)])
        #expect(fills.map(\.side) == [.bid, .ask])
    }
}
