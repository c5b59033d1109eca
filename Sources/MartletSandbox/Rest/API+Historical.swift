import Martlet
import MartletWire

// The historical tier (API.md §9): what has left the live endpoints at the real exchange. The sandbox keeps all of
// its short life in both.
extension API {
    static var historicalRoutes: [Route] {
        [
            route("GET", "historical/cutoff", .open, .read(10), API.cutoff),
            route("GET", "historical/markets", .open, .read(10), API.historicalMarkets),
            route("GET", "historical/markets/:ticker", .open, .read(10), API.historicalMarket),
            route("GET", "historical/markets/:ticker/candlesticks", .open, .read(10), API.historicalCandles),
            route("GET", "historical/trades", .open, .read(10), API.historicalTrades),
            route("GET", "historical/fills", .member, .read(10), API.historicalFills),
            route("GET", "historical/orders", .member, .read(10), API.historicalOrders),
            route("GET", "historical/positions", .member, .read(10), API.historicalPositions),
        ]
    }

    private func cutoff(_ request: APIRequest) throws(APIError) -> APIResponse {
        let quarter = exchange.now - .hours(24 * 92)
        return .ok(
            .of([
                "market_settled_ts": .time(quarter), "trades_created_ts": .time(quarter),
                "orders_updated_ts": .time(exchange.now - .hours(24 * 14)),
                "market_positions_last_updated_ts": .time(quarter),
            ]))
    }
    private func historicalMarkets(_ request: APIRequest) throws(APIError) -> APIResponse {
        let filters = ["tickers", "event_ticker", "series_ticker", "mve_filter"].filter {
            request.text($0) != nil
        }
        guard filters.count <= 1 else {
            throw .badRequest("\(filters.joined(separator: " and ")) exclude each other")
        }
        return .ok(try marketList(request, historical: true))
    }
    private func historicalMarket(_ request: APIRequest) throws(APIError) -> APIResponse {
        let market = try find(request.parameters[0])
        guard exchange.venue.statuses[Int(market.id.index)] == .finalized else { throw .notFound }
        return .ok(.of(["market": exchange.body(market)]))
    }
    private func historicalCandles(_ request: APIRequest) throws(APIError) -> APIResponse {
        let market = try find(request.parameters[0])
        let bodies = candleBodies(market, try candleSpan(request), historical: true)
        return .ok(.of(["ticker": .string(market.ticker), "candlesticks": .array(bodies)]))
    }
    private func historicalTrades(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try tradeList(request))
    }
    private func historicalFills(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try fillList(request))
    }
    private func historicalOrders(_ request: APIRequest) throws(APIError) -> APIResponse {
        // Resting orders never move here.
        .ok(try orderList(request, onlyOver: true))
    }
    private func historicalPositions(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try positionList(request, status: "settled"))
    }
}
