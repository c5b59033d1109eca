import Martlet
import MartletWire

/// What the recordings of one import know of each other: events and series found in one file help to define the
/// markets of another.
final class ImportContext {
    private var events: [String: JSONValue] = [:]
    private var series: [String: JSONValue] = [:]

    func add(event: JSONValue) {
        if let ticker = ImportContext.text("event_ticker", in: event) { events[ticker] = event }
    }
    func add(series value: JSONValue) {
        if let ticker = ImportContext.text("series", in: value)
            ?? ImportContext.text("series_ticker", in: value)
        {
            series[ticker] = value
        }
    }
    func event(_ ticker: String?) -> JSONValue? { ticker.flatMap { events[$0] } }
    func series(_ ticker: String?) -> JSONValue? { ticker.flatMap { series[$0] } }

    /// A member's text, its key with or without the underscore of the 2024 client.
    static func text(_ name: String, in value: JSONValue) -> String? {
        (value[name] ?? value["_" + name])?.string
    }

    /// A REST market's definition with what is known of its event and series.
    func definition(_ market: JSONValue) throws(WireError) -> MarketDefinition {
        let event = event(ImportContext.text("event_ticker", in: market))
        let name =
            ImportContext.text("series_ticker", in: market) ?? ImportContext.text("series", in: market)
            ?? event.flatMap { ImportContext.text("series_ticker", in: $0) }
            ?? (ImportContext.text("ticker", in: market)).map(Market.seriesTicker)
        return try MarketDefinition(market: market, event: event, series: series(name))
    }
}
