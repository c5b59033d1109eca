import Martlet
import MartletEngine
import MartletKalshi

extension TradingSession {
    /// What the account held and had resting before, as the engine's inputs.
    package func adopt(_ opening: AccountOpening) {
        let now = now
        account.knownTrades = opening.knownTrades
        let shards = opening.balance.shards
        if shards.isEmpty { take(.balance(shard: 0, opening.balance.cash), at: now) }
        for shard in shards { take(.balance(shard: shard.index, shard.balance), at: now) }
        for position in opening.positions {
            guard let market = directory.id(of: position.ticker) else { continue }
            let held = Position(quantity: position.position, cost: position.exposure)
            take(.adoptedPosition(market, held, strategy: nil), at: now)
        }
        for order in opening.resting { adopt(order, strategy: nil, at: now) }
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
