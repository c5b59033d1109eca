import Martlet
import MartletEngine
import MartletKalshi

/// The account and the exchange as a session finds them: asked before anything is subscribed or sent.
package struct AccountOpening: Sendable {
    package var status: ExchangeStatus
    package var limits: RateLimits
    package var balance: Balance
    /// Not flat.
    package var positions: [MarketPosition]
    package var resting: [RestOrder]
    /// Trades that the positions hold already.
    package var knownTrades: Set<String>
    /// The exchange's time before the first question: what happened since must be asked for again.
    package var began: Timestamp
    package var clockOffset: ClockOffset

    /// Fills this far back may still be told by the feed's first reconciliation.
    private static let overlap = TimeSpan.seconds(120)
    /// Readings are repeated until two of the fills around them agree, this often at most.
    private static let attempts = 5
    private static let pause = Duration.milliseconds(500)

    package static func read(_ client: KalshiClient) async throws -> AccountOpening {
        async let status = client.send(Endpoints.exchangeStatus())
        let limits = try await client.refreshLimits()
        let began = client.exchangeNow
        var filter = AccountFilter()
        filter.from = began - overlap
        var before = try await fills(client, filter)
        var attempt = 0
        while true {
            async let balance = client.send(Endpoints.balance())
            async let held = positions(client)
            let resting = try await restingOrders(client)
            let (cash, positions) = (try await balance, try await held)
            let after = try await fills(client, filter)
            attempt += 1
            // Something traded meanwhile: positions and fills may be of different moments.
            if after == before || attempt == AccountOpening.attempts {
                return AccountOpening(
                    status: try await status, limits: limits, balance: cash, positions: positions,
                    resting: resting, knownTrades: after, began: began, clockOffset: client.clockOffset)
            }
            before = after
        }
    }

    private static func positions(_ client: KalshiClient) async throws -> [MarketPosition] {
        var positions: [MarketPosition] = []
        for try await position in client.all(Endpoints.positions()) where !position.position.isZero {
            positions.append(position)
        }
        return positions
    }
    private static func restingOrders(_ client: KalshiClient) async throws -> [RestOrder] {
        var resting: [RestOrder] = []
        for try await order in client.all(Endpoints.orders(AccountFilter(status: "resting"))) {
            resting.append(order)
        }
        return resting
    }

    private static func fills(_ client: KalshiClient, _ filter: AccountFilter) async throws -> Set<String> {
        var ids: Set<String> = []
        for try await fill in client.all(Endpoints.fills(filter)) { ids.insert(fill.tradeID) }
        return ids
    }

    /// Takes orders off that rest from an earlier run, and waits until the exchange lists none of them any more.
    /// - Returns: those that could not be taken off.
    package static func cancel(_ orders: [RestOrder], _ client: KalshiClient) async throws -> [RestOrder] {
        var left = orders
        for attempt in 0..<attempts where !left.isEmpty {
            // Reads trail the engine, and a market that has just closed takes its orders off by itself.
            if attempt > 0 { try await Task.sleep(for: pause * attempt) }
            for order in left {
                do throws(RestError) {
                    let wanted = OrderToCancel(
                        orderID: order.orderID, shard: order.shard, subaccount: order.subaccount)
                    _ = try await client.send(Endpoints.cancelOrder(wanted))
                } catch {
                    // 404: it filled or ended meanwhile. 400, 409: its market takes nothing now, not even this.
                    guard case .refused(let refusal) = error, [400, 404, 409].contains(refusal.status) else {
                        throw error
                    }
                }
            }
            let wanted = Set(orders.map(\.orderID))
            left = []
            for try await order in client.all(Endpoints.orders(AccountFilter(status: "resting")))
            where wanted.contains(order.orderID) { left.append(order) }
        }
        return left
    }
}
