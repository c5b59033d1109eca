import Martlet

// What open orders count for in risk and collateral.
extension TradingCore {
    /// The most that an order may still come to: an amend that is not answered counts with both its prices and
    /// sizes.
    func worstHeld(_ slot: Int, pendingPrice: Price? = nil, pendingTotal: Quantity? = nil) -> OrderRecord.Held
    {
        var size = store.records[slot].outstanding
        guard size.isPositive || !store.records[slot].life.isDone else { return .init() }
        let side = store.records[slot].order.side
        let filled = store.records[slot].order.filled
        var unit = side.cost(store.records[slot].order.price)
        func widen(_ price: Price, _ total: Quantity) {
            size = max(size, total - filled)
            unit = max(unit, side.cost(price))
        }
        if store.records[slot].life.mayBeAmended {
            widen(store.records[slot].sentPrice, store.records[slot].sentQuantity)
        }
        if let pendingPrice, let pendingTotal {
            widen(pendingPrice, pendingTotal)
        } else if case .amend(let price, let total) = store.records[slot].pending?.work {
            widen(price, total)
        }
        return .init(
            quantity: size, cost: unit * size, fee: size.isPositive ? store.records[slot].held.fee : .zero)
    }

    func refreshHeld(_ slot: Int) { setHeld(slot, worstHeld(slot)) }

    func setHeld(_ slot: Int, _ held: OrderRecord.Held) {
        let before = store.records[slot].held
        guard held != before else { return }
        store.records[slot].held = held
        let market = Int(store.records[slot].order.market.index)
        let side = store.records[slot].order.side
        let quantity = held.quantity - before.quantity
        let cost = held.cost - before.cost
        if !quantity.isZero || cost != .zero {
            portfolios[Int(store.records[slot].strategy)].addOpen(market, side, quantity, cost)
            portfolios[account].addOpen(market, side, quantity, cost)
        }
        if held.fee != before.fee { cash.reserve(held.fee - before.fee, on: shardIndex(market)) }
        refreshCollateral(market)
    }

    func refreshCollateral(_ market: Int) {
        let needed = collateral(market)
        guard needed != desks[market].reserved else { return }
        cash.reserve(needed - desks[market].reserved, on: shardIndex(market))
        desks[market].reserved = needed
    }

    /// The collateral that an event's positions give back, after a position in it changed.
    func refreshReturn(_ market: Int) {
        guard desks[market].returnsCollateral else { return }
        let event = Int(desks[market].event)
        let first = Int(eventMarkets[event][0])
        let returned = portfolios[account].guaranteedPayout(event)
        cash.giveBack(returned - desks[first].returned, on: shardIndex(first))
        desks[first].returned = returned
    }

    // MARK: Positions

    /// Books a trade to its strategy, the account and the cash.
    func book(_ fill: Fill, strategy: Int, _ now: Timestamp) {
        let market = Int(fill.market.index)
        let wasHeld = !portfolios[strategy].holdings[market].position.quantity.isZero
        _ = portfolios[strategy].trade(market, fill.side, fill.quantity, at: fill.price, fee: fill.fee)
        let change = portfolios[account].trade(
            market, fill.side, fill.quantity, at: fill.price, fee: fill.fee)
        cash.add(change - fill.fee, to: shardIndex(market))
        let isHeld = !portfolios[strategy].holdings[market].position.quantity.isZero
        desks[market].holders += (isHeld ? 1 : 0) - (wasHeld ? 1 : 0)
        watch(market)
        let book = markets.book(fill.market)
        if markets.isUsable(fill.market), let mid = book.mid {
            desks[market].mark = mid
        } else if desks[market].mark == nil {
            desks[market].mark = fill.price
        }
        markAll(market)
        refreshCollateral(market)
        refreshReturn(market)
        judgeLoss(strategy, now)
        judgeLoss(account, now)
    }

    func watch(_ market: Int) {
        markets.states[market].isWatched = desks[market].holders > 0
        markets.states[market].toldTouch = 0
    }

    /// Values every portfolio's position in a market at its mark.
    func markAll(_ market: Int) {
        guard let mark = desks[market].mark else { return }
        for index in portfolios.indices {
            portfolios[index].mark(market, at: mark)
        }
    }
}
