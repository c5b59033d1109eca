import Foundation
import Martlet
import MartletEngine

/// Writes a tape as text that can be imported again: JSON lines or CSV.
public enum TapeExport {
    public enum Form: String, CaseIterable, Hashable, Sendable {
        case jsonLines = "jsonl"
        case csv
    }

    /// Calls `line` with each line, the CSV's header included, without line ends. Memory: each market's ticker.
    public static func lines(
        _ tape: TapeReader, _ form: Form, _ line: (String) throws(TapeError) -> Void
    ) throws(TapeError) {
        var cursor = tape.cursor()
        var tickers: [String] = []
        if form == .csv { try line(TextRecord.csvHeader) }
        while let record = try cursor.nextRecord() {
            if case .input(.defined(let market), _) = record, !tickers.contains(market.ticker) {
                tickers.append(market.ticker)
            }
            let text = TextRecord(record) { tickers[Int($0.index)] }
            try line(form == .csv ? text.csv : text.json)
        }
    }

    /// Writes a tape's text to a file, which appears when it is whole.
    public static func write(_ tape: TapeReader, _ form: Form, to path: String) throws(TapeError) {
        let file = try OutputFile(path: path, mode: .whenWhole)
        var buffer: [UInt8] = []
        func flush() throws(TapeError) {
            try file.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        try lines(tape, form) { (line) throws(TapeError) in
            buffer.append(contentsOf: line.utf8)
            buffer.append(0x0A)
            if buffer.count > 1 << 16 { try flush() }
        }
        try flush()
        try file.finish(sync: false)
    }
}
