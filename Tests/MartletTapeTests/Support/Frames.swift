import Foundation
import Martlet
import MartletEngine
import MartletTape

/// Kalshi's messages as text, for recordings made by hand.
enum Frames {
    static let ticker = "KXTEST-1-A"

    static func snapshot(
        _ seq: Int, yes: [(String, String)] = [("0.4000", "10.00")],
        no: [(String, String)] = [("0.5500", "5.00")], ticker: String = Frames.ticker
    ) -> String {
        func rows(_ levels: [(String, String)]) -> String {
            levels.map { "[\"\($0.0)\",\"\($0.1)\"]" }.joined(separator: ",")
        }
        return
            "{\"type\":\"orderbook_snapshot\",\"sid\":1,\"seq\":\(seq),\"msg\":{\"market_ticker\":\"\(ticker)\","
            + "\"yes_dollars_fp\":[\(rows(yes))],\"no_dollars_fp\":[\(rows(no))]}}"
    }
    static func delta(
        _ seq: Int, _ side: String = "yes", price: String = "0.4000", _ change: String = "1.00",
        at second: Int = 0, ticker: String = Frames.ticker
    ) -> String {
        "{\"type\":\"orderbook_delta\",\"sid\":1,\"seq\":\(seq),\"msg\":{\"market_ticker\":\"\(ticker)\","
            + "\"price_dollars\":\"\(price)\",\"delta_fp\":\"\(change)\",\"side\":\"\(side)\","
            + "\"ts\":\"2026-07-01T02:31:\(second < 10 ? "0" : "")\(second).5Z\"}}"
    }
    static func trade(price: String = "0.4500", count: String = "3.00", at second: Int = 1_782_873_105)
        -> String
    {
        "{\"type\":\"trade\",\"sid\":2,\"msg\":{\"trade_id\":\"f851595a-6d92-424e-09f8-0d2669de70ae\","
            + "\"market_ticker\":\"\(ticker)\",\"yes_price_dollars\":\"\(price)\",\"count_fp\":\"\(count)\","
            + "\"taker_side\":\"yes\",\"ts\":\(second)}}"
    }
    static func lifecycle(_ event: String, _ more: String) -> String {
        "{\"type\":\"market_lifecycle_v2\",\"sid\":3,\"msg\":{\"market_ticker\":\"\(ticker)\","
            + "\"event_type\":\"\(event)\",\(more)}}"
    }
}

/// What came of an import.
struct Imported {
    var report = ImportReport()
    var reading = Reading()
    var remarks: [ImportRemark] = []
    var error: ImportError?

    /// The market's book at the tape's end.
    func book() -> OrderBook {
        var book = OrderBook()
        for event in reading.events {
            switch event.kind {
            case .delta: _ = book.add(event.quantity, side: event.side, price: event.price)
            case .snapshotStart: book.clear()
            case .snapshotLevel: _ = book.set(event.quantity, side: event.side, price: event.price)
            case .trade, .groupEnd: break
            }
        }
        return book
    }
    var gaps: Int {
        reading.inputs.count { if case .unusable = $0 { true } else { false } }
    }
    var settlements: [MarketResult] {
        reading.inputs.compactMap { if case .settled(_, let result) = $0 { result } else { nil } }
    }
}

extension Scratch {
    func imported(_ lines: [String], _ options: ImportOptions = ImportOptions()) throws -> Imported {
        try imported(bytes: Array((lines.joined(separator: "\n") + "\n").utf8), options)
    }

    func imported(bytes: [UInt8], _ options: ImportOptions = ImportOptions()) throws -> Imported {
        let path = try write("recording", bytes)
        var imported = Imported()
        var observer = ImportObserver()
        var remarks: [ImportRemark] = []
        observer.onRemark = { remarks.append($0) }
        let tape = file("day.tape")
        try? FileManager.default.removeItem(atPath: tape)
        do throws(ImportError) {
            imported.report = try Importer(options: options).run([path], to: tape, observer: observer)
        } catch {
            imported.error = error
        }
        imported.remarks = remarks
        if FileManager.default.fileExists(atPath: tape) { imported.reading = MartletTapeTests.read(tape) }
        return imported
    }
}
