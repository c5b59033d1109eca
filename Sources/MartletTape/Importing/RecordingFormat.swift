import Martlet
import MartletWire

/// The kinds of recording that can be imported. Told apart by what they hold.
public enum RecordingFormat: String, CaseIterable, Hashable, Sendable {
    /// Kalshi's WebSocket messages a line each: bare, with a receive time before them, or in an envelope that has
    /// them as an object or as text beside a receive time.
    case frames
    /// The parts of one session by message type, each a file of `{"event_type","payload_json","local_recv_ns",…}`.
    case parts
    /// CSV of trades, newest or oldest first.
    case tradesCSV = "trades-csv"
    /// Whole books taken by REST, prices as numbers (`orderbook_depth.v1` and its kin).
    case books
    /// A log of REST calls with their bodies.
    case restLog = "rest-log"
    /// REST answers of 2024 in whole cents, keys with a leading underscore.
    case rest2024 = "rest-2024"
    /// Settled markets: results and times.
    case settlements
    /// Markets, events and series: definitions alone.
    case definitions
    /// What `martlet tape export` writes.
    case martletJSON = "martlet-json"
    case martletCSV = "martlet-csv"

    /// What a file's beginning looks like. `start` should be some kilobytes.
    static func detect(_ start: UnsafeRawBufferPointer) -> RecordingFormat? {
        let text = String(decoding: start.prefix(64 << 10), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).prefix(20).map {
            $0.drop(while: { $0 == " " || $0 == "\u{FEFF}" })
        }
        guard let first = lines.first(where: { !$0.isEmpty }) else { return nil }
        if first.hasPrefix(TextRecord.csvHeader.prefix(20)) { return .martletCSV }
        if let csv = TradesCSV.Columns(header: String(first)), csv.isComplete { return .tradesCSV }
        if first.hasPrefix("[") || first == "{" { return document(text) }
        for line in lines {
            if let format = json(line) { return format }
        }
        return nil
    }

    private static func document(_ text: String) -> RecordingFormat? {
        for key in [
            "\"_event_ticker\"", "\"_yes\"", "\"_no\"", "\"_yes_bid\"", "\"_yes_price\"", "\"_ticker\"",
        ]
        where text.contains(key) { return .rest2024 }
        for key in ["\"event_ticker\"", "\"market_ticker\"", "\"ticker\""] where text.contains(key) {
            return .definitions
        }
        return nil
    }

    /// From the keys of one line, without reading their values.
    private static func json(_ line: Substring) -> RecordingFormat? {
        func has(_ keys: String...) -> Bool { keys.allSatisfy { line.contains("\"\($0)\"") } }
        // A message, or a receive time before one.
        guard line.contains("{"), let start = line.first, start == "{" || start.isNumber else { return nil }
        if has("martlet") { return .martletJSON }
        if has("event_type", "payload_json") { return .parts }
        if has("response_body", "url") { return .restLog }
        if line.contains("settlement_ledger") { return .settlements }
        if has("yes_bids", "no_bids") { return .books }
        if line.contains("series_meta") { return .definitions }
        if has("type") || has("recv_ns") || has("raw") || has("frame") { return .frames }
        if has("ticker", "result"), has("close_time") || has("settlement_ts") || has("settlement_value") {
            return has("open_time") || has("yes_sub_title") || has("price_ranges")
                ? .definitions : .settlements
        }
        if has("ticker") || has("event_ticker") { return .definitions }
        return nil
    }
}
