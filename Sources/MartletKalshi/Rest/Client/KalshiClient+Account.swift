import Martlet
import MartletEngine

extension KalshiClient {
    /// Fetches the limits and the cost table and keeps to them from now on; call it again to take over changes.
    /// Without a key only the costs are known, and the lowest tier stays assumed.
    @discardableResult
    public func refreshLimits() async throws(RestError) -> RateLimits {
        let costs = try await send(Endpoints.endpointCosts())
        let limits =
            signer == nil ? self.limits : try await send(Endpoints.accountLimits()).rateLimits(costs)
        let now = now
        state.withLock { $0.budget.set(limits, costs: costs, now: now) }
        return limits
    }

    /// A market, from the exchange the first time, kept from then on.
    public func market(_ ticker: String) async throws(RestError) -> ListedMarket {
        if let kept = state.withLock({ $0.markets[ticker] }) { return kept }
        let found = try await send(Endpoints.market(ticker))
        remember([found])
        return found
    }

    /// Keeps markets that a list has brought, so that orders know their shards without asking. Bounded: beyond
    /// the limit all are forgotten and asked for again.
    public func remember(_ markets: [ListedMarket]) {
        state.withLock { state in
            if state.markets.count + markets.count > KalshiClient.marketsMax {
                state.markets.removeAll(keepingCapacity: true)
            }
            for market in markets.prefix(KalshiClient.marketsMax) { state.markets[market.ticker] = market }
        }
    }

    /// Markets kept at most; a listing of the whole exchange has some tens of thousands.
    static let marketsMax = 200_000

    /// Places an order on its market's shard.
    public func place(
        _ request: OrderRequest, ticker: String, clientOrderID: String, group: String? = nil
    ) async throws(RestError) -> OrderAnswer {
        let market = try await market(ticker)
        var order = NewOrder(
            ticker: ticker, shard: market.market.shard, request: request, clientOrderID: clientOrderID)
        order.orderGroup = group
        return try await send(Endpoints.createOrder(order))
    }

    /// Cancels an order on its market's shard.
    public func cancel(_ orderID: String, ticker: String) async throws(RestError) -> OrderAnswer {
        let market = try await market(ticker)
        return try await send(
            Endpoints.cancelOrder(OrderToCancel(orderID: orderID, shard: market.market.shard)))
    }
}
