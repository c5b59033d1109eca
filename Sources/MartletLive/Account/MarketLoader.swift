import Martlet
import MartletKalshi
import MartletWire

/// Whole definitions of markets, with the fees and exclusiveness that stand in their events and series.
package struct MarketLoader: Sendable {
    private let client: KalshiClient
    /// Tickers asked for at once: their list stands in the request's line.
    private static let tickersPerCall = 50
    private static let eventsAskedSingly = 4

    package init(_ client: KalshiClient) { self.client = client }

    /// The markets of these names, in that order; those that the exchange does not know are left out.
    package func markets(_ tickers: [String]) async throws -> [Market] {
        var found: [String: Market] = [:]
        for start in stride(from: 0, to: tickers.count, by: MarketLoader.tickersPerCall) {
            let part = Array(tickers[start..<min(start + MarketLoader.tickersPerCall, tickers.count)])
            for market in try await list(MarketFilter(tickers: part)) { found[market.ticker] = market }
        }
        return tickers.compactMap { found[$0] }
    }
    /// - Parameter known: tickers that are not asked about further, and left out.
    package func open(series: [String], except known: Set<String> = []) async throws -> [Market] {
        var markets: [Market] = []
        for name in series {
            markets += try await list(MarketFilter(series: name, status: "open"), except: known)
        }
        return markets
    }
    package func open(events: [String]) async throws -> [Market] {
        var markets: [Market] = []
        for name in events {
            markets += try await list(MarketFilter(event: name, status: "open"))
        }
        return markets
    }

    private func list(_ filter: MarketFilter, except known: Set<String> = []) async throws -> [Market] {
        var listed: [ListedMarket] = []
        for try await market in client.all(Endpoints.markets(filter)) where !known.contains(market.ticker) {
            listed.append(market)
        }
        client.remember(listed)
        let events = try await events(of: listed)
        var series: [String: ListedSeries] = [:]
        var markets: [Market] = []
        for entry in listed {
            guard let event = events[entry.market.event] else { continue }
            if series[event.series] == nil {
                series[event.series] = try await client.send(Endpoints.series(event.series))
            }
            markets.append(entry.market(event: event, series: series[event.series]))
        }
        return markets
    }

    /// Each market's event: many at once where there are many. The list leaves combos out, so what it does not
    /// bring is asked for by name.
    private func events(of listed: [ListedMarket]) async throws -> [String: ListedEvent] {
        var names: [String] = []
        var wanted: Set<String> = []
        for entry in listed where wanted.insert(entry.market.event).inserted {
            names.append(entry.market.event)
        }
        var found: [String: ListedEvent] = [:]
        if names.count > MarketLoader.eventsAskedSingly {
            for start in stride(from: 0, to: names.count, by: MarketLoader.tickersPerCall) {
                let part = Array(names[start..<min(start + MarketLoader.tickersPerCall, names.count)])
                for try await event in client.all(Endpoints.events(tickers: part)) {
                    found[event.ticker] = event
                }
            }
        }
        for name in names where found[name] == nil {
            found[name] = try await client.send(Endpoints.event(name, nestedMarkets: false))
        }
        return found
    }
}
