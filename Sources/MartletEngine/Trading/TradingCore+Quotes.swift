import Martlet

/// What a strategy wants resting in a market, and the orders that serve it: at most one a side.
struct QuotePair {
    let strategy: Int
    let market: Int
    /// Rounded to the grid; a fill takes its contracts off, so that nothing is bought twice unasked.
    var target = BySide<Quote?>(nil)
    /// The slot of the live order, or -1.
    var order = BySide<Int32>(-1)
    /// The target that the gate refused last, so that it is not told at each change of the book.
    var refused = BySide<Quote?>(nil)
    /// From when on it is judged again: cash comes free, a position is brought back, a second passes.
    var retry = BySide<Timestamp>(.distantPast)

    static let refusalMemory = TimeSpan.seconds(5)
}

// Desired quotes: the cheapest requests that get from what rests to what is wanted.
extension TradingCore {
    func quote(_ strategy: Int, _ market: Market.ID, _ bid: Quote?, _ ask: Quote?, _ now: Timestamp) {
        guard Int(market.index) < desks.count else {
            log(.error, "a quote for \(market), which is not defined", strategy: strategy)
            return
        }
        let pair = quotePair(strategy, Int(market.index))
        // The side that moves away goes first, so that the other does not meet it.
        let rising = (bid?.price ?? .zero) > (quotes[pair].target.bid?.price ?? .zero)
        for side in rising ? [Side.ask, .bid] : [.bid, .ask] {
            setTarget(pair, side, side == .bid ? bid : ask)
            reconcile(pair, side, now)
        }
    }

    private func quotePair(_ strategy: Int, _ market: Int) -> Int {
        let key = market * strategyNames.count + strategy
        if quoteIndex[key] >= 0 { return Int(quoteIndex[key]) }
        quoteIndex[key] = Int32(quotes.count)
        quotes.append(QuotePair(strategy: strategy, market: market))
        return quotes.count - 1
    }

    private func setTarget(_ pair: Int, _ side: Side, _ wanted: Quote?) {
        var target: Quote?
        if let wanted, wanted.size.isPositive,
            let price = desks[quotes[pair].market].grid.roundedPassively(wanted.price, side)
        {
            let (strategy, market) = (quotes[pair].strategy, quotes[pair].market)
            let slot = Int(quotes[pair].order[side])
            target = Quote(price, cut(wanted.size, strategy, market, side, except: slot))
        }
        if target != quotes[pair].refused[side] { quotes[pair].refused[side] = nil }
        quotes[pair].target[side] = target
    }

    // MARK: From what rests to what is wanted

    func reconcile(_ pair: Int, _ side: Side, _ now: Timestamp) {
        let slot = Int(quotes[pair].order[side])
        guard let target = quotes[pair].target[side] else {
            if slot >= 0 { cancel(slot, now) }
            return
        }
        if target == quotes[pair].refused[side], now < quotes[pair].retry[side] { return }
        guard slot >= 0 else {
            if !meetsOwnQuote(pair, side, target) { placeQuote(pair, side, target, now) }
            return
        }
        switch store.records[slot].life {
        case .queued: requote(pair, side, slot, target, now)
        case .resting: requote(pair, side, slot, target, now)
        // The answer decides what is cheapest; it comes back here.
        case .placing:
            store.records[slot].wantsCancel = false
        case .changing, .unknown, .missing, .finishing, .done: break
        }
    }

    private func requote(_ pair: Int, _ side: Side, _ slot: Int, _ target: Quote, _ now: Timestamp) {
        if store.records[slot].pending?.work == .cancel { dropPending(slot) }
        let order = store.records[slot].order
        let open = order.quantity - order.filled
        let moved = max(order.price, target.price) - min(order.price, target.price)
        let grown = (target.size - open).magnitude
        let isUnsent = store.records[slot].life == .queued
        if moved <= (isUnsent ? .zero : settings.router.priceTolerance),
            grown <= (isUnsent ? .zero : settings.router.sizeTolerance)
        {
            if store.records[slot].pending?.request == .amend { dropPending(slot) }
            return
        }
        let total = order.filled + target.size
        if store.records[slot].pending?.work == .amend(target.price, total) { return }
        if meetsOwnQuote(pair, side, target) { return }
        if store.records[slot].life != .queued, isReplacingCheaper {
            replacePending(slot, gate.approveCancel())
            refreshHeld(slot)
            return
        }
        guard let refusal = change(slot, to: target.price, total: total, now) else { return }
        // What rests is not what its strategy wants any more, and what it wants may not be: pull it.
        quotes[pair].refused[side] = target
        quotes[pair].retry[side] = now + QuotePair.refusalMemory
        hasOutput = true
        records.append(.refused(order.id, refusal, strategy: quotes[pair].strategy))
        cancel(slot, now)
    }

    /// An amend costs more than a cancel and a new order.
    private var isReplacingCheaper: Bool {
        let costs = router.limits.costs
        return costs.amend > costs.cancel + costs.place
    }

    /// Takes back a change that was not sent and is not wanted any more.
    private func dropPending(_ slot: Int) {
        dequeue(slot)
        store.records[slot].pending = nil
        store.records[slot].order.isChanging = false
        router.statistics.superseded += 1
        refreshHeld(slot)
    }

    /// The strategy's own quote on the other side still stands where this one wants to go: wait until it moved.
    private func meetsOwnQuote(_ pair: Int, _ side: Side, _ target: Quote) -> Bool {
        let other = Int(quotes[pair].order[side.opposite])
        guard other >= 0 else { return false }
        // A pair that crosses itself is refused by the gate, and told.
        if let wanted = quotes[pair].target[side.opposite], side.crosses(target.price, resting: wanted.price)
        {
            return false
        }
        let record = store.records[other]
        return side.crosses(target.price, resting: record.order.price)
            || record.life.mayBeAmended && side.crosses(target.price, resting: record.sentPrice)
    }

    private func placeQuote(_ pair: Int, _ side: Side, _ target: Quote, _ now: Timestamp) {
        let market = id(quotes[pair].market)
        let strategy = quotes[pair].strategy
        let request = OrderRequest(side, target.size, at: target.price, in: market, isPostOnly: true)
        let order = Order(id: nextOrderID(), request: request, status: .queued, requestTime: now)
        let name = Int32(pair * 2 + Int(side.rawValue))
        switch open(order, strategy, quote: name, now) {
        case .success(let slot):
            quotes[pair].order[side] = Int32(slot)
            serve(now)
            if store.records[slot].life == .queued { announce(slot) }
        case .failure(let refusal):
            quotes[pair].refused[side] = target
            quotes[pair].retry[side] = now + QuotePair.refusalMemory
            refuse(order, strategy, refusal)
        }
    }

    // MARK: What happens to its orders

    /// A quote's order went through a change: ended, or ready for the next.
    func quoteOrderChanged(_ slot: Int, _ now: Timestamp) {
        let pair = Int(store.records[slot].quote / 2)
        let side: Side = store.records[slot].quote % 2 == 0 ? .bid : .ask
        guard Int(quotes[pair].order[side]) == slot else { return }
        if case .done(let ending) = store.records[slot].life {
            quotes[pair].order[side] = -1
            switch ending {
            // Our own doing, or the target was taken down by the fills.
            case .cancelled(.requested), .withdrawn, .filled: break
            // The venue did not want it: the strategy is told and may ask again.
            case .cancelled, .rejected, .refused: quotes[pair].target[side] = nil
            }
        }
        reconcile(pair, side, now)
        reconcile(pair, side.opposite, now)
    }

    /// A fill takes its contracts off the quote's target.
    func consumeQuote(_ slot: Int, _ quantity: Quantity) {
        guard store.records[slot].quote >= 0 else { return }
        let pair = Int(store.records[slot].quote / 2)
        let side: Side = store.records[slot].quote % 2 == 0 ? .bid : .ask
        guard let target = quotes[pair].target[side] else { return }
        let left = target.size - quantity
        quotes[pair].target[side] = left.isPositive ? Quote(target.price, left) : nil
    }

    /// The strategy handles a quote's order itself: the quote lets go of it.
    func dropQuote(of slot: Int) {
        guard store.records[slot].quote >= 0 else { return }
        let pair = Int(store.records[slot].quote / 2)
        let side: Side = store.records[slot].quote % 2 == 0 ? .bid : .ask
        if Int(quotes[pair].order[side]) == slot {
            quotes[pair].target[side] = nil
            quotes[pair].order[side] = -1
        }
        store.records[slot].quote = -1
    }

    /// Forgets what a strategy (all, for the account's index) wanted, in one market or everywhere.
    func clearQuotes(strategy: Int, market: Market.ID?) {
        if let market {
            for pair in quotePairs(in: Int(market.index)) { clearQuote(pair, strategy) }
        } else {
            for pair in quotes.indices { clearQuote(pair, strategy) }
        }
    }
    private func clearQuote(_ pair: Int, _ strategy: Int) {
        guard strategy == account || quotes[pair].strategy == strategy else { return }
        quotes[pair].target = BySide(nil)
        quotes[pair].refused = BySide(nil)
    }
    /// The quotes of all strategies in a market.
    func quotePairs(in market: Int) -> [Int] {
        strategyNames.indices.compactMap { strategy in
            let pair = quoteIndex[market * strategyNames.count + strategy]
            return pair < 0 ? nil : Int(pair)
        }
    }
}
