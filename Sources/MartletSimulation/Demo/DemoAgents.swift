import Martlet
import MartletEngine

/// Who trades in the demonstration world.
struct DemoAgent {
    enum Kind {
        /// Quotes both sides around what was true `lag` seconds ago.
        case maker(levels: Int, size: Int, lag: Int, width: Double, step: Double)
        /// Trades for reasons of its own.
        case noise
        /// Knows the truth and takes what is wrong by more than its edge.
        case informed(edge: Double)
        /// Bids far too much for a while, then thinks better of it.
        case enthusiast
    }
    var kind: Kind
    var account: Int
    var market: Int
    /// Mean seconds between actions.
    var interval: Double
    var orders: [(id: OrderID, side: Side, price: Price)] = []
    /// What it last quoted around, and how far its opinion is off.
    var quoted = -1.0
    var bias = 0.0
}

extension DemoWorld {
    /// Lets an agent act, and returns after how many seconds it acts again.
    func act(_ index: Int) -> Double {
        let kind = agents[index].kind
        let market = markets[agents[index].market]
        let chance = market.opinion(truth, at: second)
        switch kind {
        case .maker(let levels, let size, let lag, let width, let step):
            quote(index, levels, size, market.opinion(truth, at: second - lag), width, step)
        case .noise: takeAtRandom(index)
        case .informed(let edge):
            take(index, truth: chance, edge: edge)
        case .enthusiast: bidTooMuch(index, chance)
        }
        return agents[index].interval * 2 * (0.05 + 0.95 * generator.unit())
    }

    // MARK: Makers

    private func quote(
        _ index: Int, _ levels: Int, _ size: Int, _ belief: Double, _ width: Double, _ step: Double
    ) {
        let market = markets[agents[index].market]
        agents[index].bias = 0.9 * agents[index].bias + 0.001 * PlainMath.normal(&generator)
        let held = venue.position(agents[index].account, market.id).quantity.contracts
        let fair = min(max(belief + agents[index].bias - held * 0.000004, 0.004), 0.996)
        let account = agents[index].account
        agents[index].orders.removeAll { order in
            (venue.order(order.id, account: account)?.remaining ?? .zero).isZero
        }
        let isNervous = market.isNervous(at: second)
        let moved = abs(fair - agents[index].quoted)
        let isFull = agents[index].orders.count >= 2 * levels - 1
        if moved < width * 0.35, isFull, !isNervous, !generator.chance(0.06) { return }
        agents[index].quoted = fair
        // Far prices are worth a narrower spread: there is less to lose.
        let room = min(1, 0.25 + 6 * fair * (1 - fair))
        let half = width * room * (isNervous ? 3 : 1)
        var wanted: [(side: Side, price: Price)] = []
        for level in 0..<levels {
            let distance = half + Double(level) * step * room
            for side in [Side.bid, .ask] {
                let raw = side == .bid ? fair - distance : fair + distance
                if let price = Price(rounding: min(max(raw, 0), 1)).flatMap({
                    market.definition.grid.roundedPassively($0, side)
                }), !wanted.contains(where: { $0.side == side && $0.price == price }) {
                    wanted.append((side, price))
                }
            }
        }
        for order in agents[index].orders
        where !wanted.contains(where: { $0.side == order.side && $0.price == order.price }) {
            cancel(index, order.id)
        }
        for want in wanted
        where !agents[index].orders.contains(where: { $0.side == want.side && $0.price == want.price }) {
            let contracts = size * (50 + generator.below(101)) / 100
            let fraction = generator.chance(0.08) ? Int64(generator.below(100)) : 0
            place(
                index, want.side, Quantity(contracts) + Quantity(hundredths: fraction), at: want.price,
                .goodTillCancelled, postOnly: true)
        }
    }

    // MARK: Takers

    private func takeAtRandom(_ index: Int) {
        let market = markets[agents[index].market]
        var buys = generator.chance(0.5)
        // Long shots are fun to buy.
        if case .mention = market.subject, generator.chance(0.4) { buys = true }
        let side: Side = buys ? .bid : .ask
        guard let touch = venue.best(market.id, side.opposite) else { return }
        let sizes = [1, 2, 5, 5, 10, 10, 20, 25, 50, 100, 250]
        var size = Quantity(sizes[generator.below(sizes.count)])
        if generator.chance(0.15) { size += Quantity(hundredths: Int64(generator.below(100))) }
        let reach = generator.chance(0.25) ? 0.02 : 0
        let limit = side == .bid ? touch.dollars + reach : touch.dollars - reach
        guard
            let price = Price(rounding: min(max(limit, 0), 1)).flatMap({
                market.definition.grid.roundedPassively($0, side)
            })
        else { return }
        place(index, side, size, at: price, .immediateOrCancel)
    }

    private func take(_ index: Int, truth: Double, edge: Double) {
        let market = markets[agents[index].market]
        for side in [Side.bid, .ask] {
            guard let touch = venue.best(market.id, side.opposite) else { continue }
            let gain = side == .bid ? truth - touch.dollars : touch.dollars - truth
            guard gain > edge else { continue }
            let limit = side == .bid ? truth - edge / 2 : truth + edge / 2
            guard
                let price = Price(rounding: limit).flatMap({
                    market.definition.grid.roundedPassively($0, side)
                })
            else { continue }
            place(index, side, Quantity(20 + generator.below(120)), at: price, .immediateOrCancel)
        }
    }

    private func bidTooMuch(_ index: Int, _ chance: Double) {
        let market = markets[agents[index].market]
        for order in agents[index].orders { cancel(index, order.id) }
        guard agents[index].orders.isEmpty else {
            agents[index].orders.removeAll()
            return
        }
        let raw = chance + 0.08 + 0.05 * generator.unit()
        guard raw < 0.95, let price = Price(rounding: raw).flatMap(market.definition.grid.roundedDown) else {
            return
        }
        place(index, .bid, Quantity(30 + generator.below(60)), at: price, .goodTillCancelled)
    }

    // MARK: Orders

    private func place(
        _ index: Int, _ side: Side, _ size: Quantity, at price: Price, _ timeInForce: TimeInForce,
        postOnly: Bool = false
    ) {
        orderCount += 1
        let id = OrderID(orderCount)
        venue.place(
            PlaceOrder(
                id: id,
                request: OrderRequest(
                    side, size, at: price, in: markets[agents[index].market].id, timeInForce: timeInForce,
                    isPostOnly: postOnly)),
            account: agents[index].account, at: now)
        if timeInForce.rests { agents[index].orders.append((id, side, price)) }
    }

    private func cancel(_ index: Int, _ id: OrderID) {
        venue.cancel(
            id, market: markets[agents[index].market].id, account: agents[index].account, at: now)
        agents[index].orders.removeAll { $0.id == id }
    }
}
