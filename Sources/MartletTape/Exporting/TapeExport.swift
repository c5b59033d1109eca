import Foundation
import Martlet
import MartletEngine

/// Writes a tape as text: JSON lines and CSV, which can be imported again to the same bytes, or lines for people.
public struct TapeExport: Sendable {
    public enum Form: String, CaseIterable, Hashable, Sendable {
        case jsonLines = "jsonl"
        case csv
        /// For people; cannot be imported.
        case plain
    }

    public var form: Form
    /// Nil for all; definitions of other markets are left out too.
    public var wants: (@Sendable (_ ticker: String) -> Bool)?
    /// Record names (``TapeExport/recordNames``); empty for all.
    public var records: Set<String> = []
    /// Records received at or after it.
    public var from: Timestamp?
    /// Records received before it.
    public var to: Timestamp?

    public init(_ form: Form) { self.form = form }

    /// What records are called in text, in the order of their codes.
    public static let recordNames = TapeFormat.Kind.allCases.filter { $0 != .tradeID }.map(\.textName)

    /// Calls `line` with each line, the CSV's header included, without line ends, until it says false. Memory: each
    /// market's ticker. `goesOn` is asked now and then, with the bytes read; false ends with `interrupted`.
    public func lines(
        of tape: TapeReader, goesOn: (Int) -> Bool = { _ in true },
        _ line: (String) throws -> Bool
    ) throws {
        var cursor = tape.cursor()
        var tickers = TickerTable()
        var isWanted: [Bool] = []
        var count = 0
        if form == .csv, try !line(TextRecord.csvHeader) { return }
        while let record = try cursor.nextRecord() {
            count += 1
            if count & 0xFFF == 0, !goesOn(cursor.byteOffset) {
                throw TapeError(.interrupted, file: tape.path)
            }
            if case .input(.defined(let market), _) = record, tickers.add(market.ticker) {
                isWanted.append(wants?(market.ticker) ?? true)
            }
            if let to, record.time >= to { return }
            if let from, record.time < from { continue }
            guard records.isEmpty || records.contains(record.kind.textName) else { continue }
            if let index = record.market(in: tickers), !isWanted[index] { continue }
            guard try line(text(record, tickers)) else { return }
        }
        if form == .plain, let torn = cursor.tornAt { _ = try line("the tape is cut off at byte \(torn)") }
    }

    private func text(_ record: TapeRecord, _ tickers: TickerTable) -> String {
        func ticker(_ market: Market.ID) -> String { tickers.tickers[Int(market.index)] }
        switch form {
        case .jsonLines: return TextRecord(record, ticker: ticker).json
        case .csv: return TextRecord(record, ticker: ticker).csv
        case .plain: return TapeText.describe(record, ticker: ticker)
        }
    }

    /// Writes a tape's text to a file, which appears when it is whole. Returns the number of lines.
    @discardableResult
    public func write(
        _ tape: TapeReader, to path: String, goesOn: (Int) -> Bool = { _ in true }
    ) throws -> Int {
        let file = try OutputFile(path: path, mode: .whenWhole)
        var buffer: [UInt8] = []
        var count = 0
        func flush() throws(TapeError) {
            try file.write(buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        try lines(of: tape, goesOn: goesOn) { line in
            count += 1
            buffer.append(contentsOf: line.utf8)
            buffer.append(0x0A)
            if buffer.count > 1 << 16 { try flush() }
            return true
        }
        try flush()
        try file.finish(sync: false)
        return count
    }
}

/// The tickers of a tape by their index.
struct TickerTable {
    private(set) var tickers: [String] = []
    private var indexOfTicker: [String: Int] = [:]

    /// Returns whether the ticker is new.
    mutating func add(_ ticker: String) -> Bool {
        guard indexOfTicker[ticker] == nil else { return false }
        indexOfTicker[ticker] = tickers.count
        tickers.append(ticker)
        return true
    }
    subscript(ticker: String) -> Int? { indexOfTicker[ticker] }
}

extension TapeRecord {
    /// The kind of record that it is on the tape.
    var kind: TapeFormat.Kind {
        switch self {
        case .event(let event, _): TapeFormat.Kind(rawValue: event.kind.rawValue) ?? .delta
        case .note: .note
        case .input(let input, _): input.tapeKind ?? .note
        }
    }
    /// The index of the market that it is about.
    fileprivate func market(in tickers: TickerTable) -> Int? {
        switch self {
        case .event(let event, _): Int(event.market.index)
        case .input(.defined(let market), _): tickers[market.ticker]
        case .input(let input, _): input.marketIndex.map { Int($0.index) }
        case .note: nil
        }
    }
}

extension EngineInput {
    /// Nil for what a tape does not hold.
    var tapeKind: TapeFormat.Kind? {
        switch self {
        case .market(let event): TapeFormat.Kind(rawValue: event.kind.rawValue)
        case .defined: .definition
        case .ticker: .ticker
        case .reference: .reference
        case .status: .status
        case .result: .result
        case .settled: .settlement
        case .unusable: .gap
        case .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock, .command,
            .stopped:
            nil
        }
    }
}

extension TapeFormat.Kind {
    /// Its name in exports and in `martlet tape cat --kind`.
    public var textName: String {
        switch self {
        case .delta: "delta"
        case .trade: "trade"
        case .snapshotStart: "snapshot_start"
        case .snapshotLevel: "snapshot_level"
        case .groupEnd: "group_end"
        case .definition: "definition"
        case .ticker: "ticker"
        case .reference: "reference"
        case .status: "status"
        case .result: "result"
        case .settlement: "settlement"
        case .gap: "gap"
        case .note: "note"
        case .tradeID: "trade_id"
        }
    }
}
