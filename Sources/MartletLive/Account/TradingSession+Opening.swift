import Martlet
import MartletEngine
import MartletKalshi

extension TradingSession {
    /// What the account held and had resting before, as the engine's inputs.
    /// - Parameter earlier: what the journals of earlier runs say of whose position is whose.
    package func adopt(_ opening: AccountOpening, earlier: EarlierRuns) {
        let now = now
        account.knownTrades = opening.knownTrades
        let shards = opening.balance.shards
        if shards.isEmpty { take(.balance(shard: 0, opening.balance.cash), at: now) }
        for shard in shards { take(.balance(shard: shard.index, shard.balance), at: now) }
        for position in opening.positions {
            guard let market = directory.id(of: position.ticker) else { continue }
            for part in earlier.split(position, among: engine.strategyNames) {
                take(.adoptedPosition(market, part.position, strategy: part.strategy), at: now)
            }
        }
        for order in opening.resting where earlier.adopts(order) {
            adopt(order, strategy: earlier.owner(of: order, among: engine.strategyNames), at: now)
        }
    }

    /// Takes in an order that rests at the exchange.
    func adopt(_ order: RestOrder, strategy: Int?, at now: Timestamp) {
        guard let market = directory.id(of: order.ticker), let rest else { return }
        let request = OrderRequest(order.side, order.initial, at: order.price, in: market)
        let id = engine.nextOrderID
        var adopted = Order(id: id, request: request, status: .resting, requestTime: now)
        adopted.price = order.price
        adopted.quantity = order.filled + order.remaining
        adopted.filled = order.filled
        rest.learn(id, market, venueID: order.orderID, at: now)
        take(.adoptedOrder(adopted, strategy: strategy), at: now)
    }
}
