import Martlet

// What desks, reports and displays ask.
extension TradingCore {
    package func order(_ id: OrderID) -> Order? { store.slot(of: id).map { store.records[$0].order } }
    /// The strategy that placed an order; nil for an adopted or forgotten one.
    package func strategy(of id: OrderID) -> Int? {
        guard let slot = store.slot(of: id) else { return nil }
        let strategy = Int(store.records[slot].strategy)
        return strategy == unassigned ? nil : strategy
    }
    /// A strategy's orders in a market that may still trade, oldest first.
    package func openOrders(_ strategy: Int, _ market: Market.ID) -> [Order] {
        var orders: [Order] = []
        forEachOpen(in: market) { slot in
            if Int(store.records[slot].strategy) == strategy { orders.append(store.records[slot].order) }
        }
        return orders
    }
    /// All orders that may still trade, oldest first.
    package func openOrders() -> [Order] {
        var orders: [Order] = []
        var slot = store.all.first
        while slot >= 0 {
            orders.append(store.records[Int(slot)].order)
            slot = store.records[Int(slot)].links.all.next
        }
        return orders
    }
    /// Orders that only a look-up (or a report that is late) can settle: of unknown outcome, gone without a
    /// reason, or over with fills that were not reported. Oldest first.
    package func ordersToLookUp() -> [OrderReference] {
        openOrders().filter { order in
            guard let slot = store.slot(of: order.id) else { return false }
            if case .finishing = store.records[slot].life { return true }
            return store.records[slot].life.isUncertain
        }.map { OrderReference($0.id, market: $0.market) }
    }
    package var openOrderCount: Int { store.openCount }
    /// What a later session of this day is to know: the day's end, and what it has realised so far by portfolio, the
    /// account's last. Nil before the first day has begun.
    package var day: (end: Timestamp, realized: [Money])? {
        nextDay == .distantPast ? nil : (nextDay, portfolios.indices.map { portfolios[$0].realizedToday })
    }
    /// As they count now, after any tightening.
    package var accountLimits: RiskLimits { gate.accountLimits }

    @inline(__always)
    func forEachOpen(in market: Market.ID, _ body: (Int) -> Void) {
        synchronise()
        guard Int(market.index) < desks.count else { return }
        var slot = store.markets[Int(market.index)].first
        while slot >= 0 {
            let next = store.records[Int(slot)].links.market.next
            body(Int(slot))
            slot = next
        }
    }

    /// A strategy's position; index ``unassigned`` for that of adopted orders.
    package func position(_ strategy: Int, _ market: Market.ID) -> Position {
        synchronise()
        guard Int(market.index) < desks.count else { return Position() }
        return portfolios[strategy].holdings[Int(market.index)].position
    }
    package func accountPosition(_ market: Market.ID) -> Position { position(account, market) }
    /// The price at which positions are valued: the last mid, or a first fill's price.
    package func mark(_ market: Market.ID) -> Price? {
        Int(market.index) < desks.count ? desks[Int(market.index)].mark : nil
    }
    /// Realised and unrealised profit of a strategy, fees taken off.
    package func profit(_ strategy: Int) -> Money { portfolios[strategy].profit }
    /// In place: it is not copied. Sound because the core keeps its portfolios where they are.
    package var accountPortfolio: Portfolio {
        unsafeAddress { UnsafePointer(portfolios.baseAddress! + account) }
    }

    /// Cash that neither a position nor an order ties up: of one shard by the exchange's number, or of all.
    package func availableCash(_ shard: Int? = nil) -> Money {
        if let shard { return cash.find(shard).map { cash[$0].available } ?? .zero }
        return cash.shards.reduce(.zero) { $0 + $1.available }
    }
    /// Cash and positions at their marks.
    package var equity: Money { cash.total + portfolios[account].cost + portfolios[account].unrealized }

    /// The stricter of a strategy's state and the account's.
    package func riskState(_ strategy: Int) -> RiskState { gate.state(strategy) }
    package var accountRiskState: RiskState { gate.state(account) }
    /// How many intents each rule refused, in the order of `RiskRule.allCases`.
    package var refusalCounts: [(rule: RiskRule, count: Int)] {
        zip(RiskRule.allCases, gate.refusalCounts).map { ($0, $1) }
    }

    /// Contracts of our own that rest at a price, as far as the venue has told.
    package func ownResting(_ market: Market.ID, _ side: Side, _ price: Price) -> Quantity {
        var sum = Quantity.zero
        forEachOpen(in: market) { slot in
            let order = store.records[slot].order
            guard order.side == side, order.price == price else { return }
            switch store.records[slot].life {
            case .resting, .changing, .unknown(.amend, _), .unknown(.decrease, _), .unknown(.cancel, _):
                sum += order.remaining
            case .queued, .placing, .unknown, .missing, .finishing, .done: break
            }
        }
        return sum
    }
    /// Orders that the venue has said rest, oldest first.
    package func restingOrders(in market: Market.ID) -> [Order] {
        var orders: [Order] = []
        forEachOpen(in: market) { slot in
            switch store.records[slot].life {
            case .resting, .changing, .unknown(.amend, _), .unknown(.decrease, _), .unknown(.cancel, _):
                orders.append(store.records[slot].order)
            case .queued, .placing, .unknown, .missing, .finishing, .done: break
            }
        }
        return orders
    }
    /// Whether a request of the market's orders has not been answered, or its outcome is not known.
    package func hasOpenRequests(in market: Market.ID) -> Bool {
        var isOpen = false
        forEachOpen(in: market) { slot in
            switch store.records[slot].life {
            case .placing, .changing, .unknown, .missing, .finishing: isOpen = true
            case .queued, .resting, .done: break
            }
        }
        return isOpen
    }
    /// Whether an order of the market may have been placed without our knowing it.
    package func hasUnknownPlaces(in market: Market.ID) -> Bool {
        var isUnknown = false
        forEachOpen(in: market) { slot in
            if case .unknown(.place, _) = store.records[slot].life { isUnknown = true }
        }
        return isUnknown
    }
    /// The outcome of the order's place is not known: nobody has said that the venue ever had it.
    package func isPlaceUnknown(_ id: OrderID) -> Bool {
        guard let slot = store.slot(of: id), case .unknown(.place, _) = store.records[slot].life else {
            return false
        }
        return true
    }
    /// Contracts of a strategy's open orders on a side, whether acknowledged or not.
    package func openQuantity(_ strategy: Int, _ market: Market.ID, _ side: Side) -> Quantity {
        synchronise()
        guard Int(market.index) < desks.count else { return .zero }
        return portfolios[strategy].holdings[Int(market.index)].open[side].quantity
    }

    /// The write budgets by shard.
    package func budgets(now: Timestamp) -> [BudgetReading] {
        cash.shards.indices.map { index in
            var bucket = router.lanes[index].bucket
            bucket.refill(to: now)
            return BudgetReading(
                shard: cash[index].number, available: bucket.available, capacity: bucket.capacity,
                spent: bucket.spent, waiting: router.lanes[index].waiting)
        }
    }

    // MARK: For the gate

    /// Whether a proposal brings its strategy's position nearer to zero, with all that is open on its side.
    func isReducing(_ proposal: Proposal) -> Bool {
        let holding = portfolios[proposal.strategy].holdings[proposal.market]
        let open = holding.open[proposal.side].quantity + proposal.added.quantity
        return holding.position.quantity.hundredths * proposal.side.sign <= -open.hundredths
            && !holding.position.quantity.isZero
    }

    /// Under reduce-only a new order is cut to what closes the position, beside all else that is open on its side
    /// but `slot`; one that closes nothing stays as it is, for the gate to refuse.
    func cut(_ size: Quantity, _ strategy: Int, _ market: Int, _ side: Side, except slot: Int = -1)
        -> Quantity
    {
        guard gate.state(strategy) == .reduceOnly else { return size }
        let holding = portfolios[strategy].holdings[market]
        let replaced = slot < 0 ? .zero : store.records[slot].held.quantity
        let most =
            -holding.position.quantity.hundredths * side.sign
            - (holding.open[side].quantity - replaced).hundredths
        return most > 0 ? min(size, Quantity(hundredths: most)) : size
    }

    /// An own order on the other side that an order at `price` would meet.
    func crossingOrder(_ market: Int, _ side: Side, _ price: Price, except: Int) -> Order? {
        guard !portfolios[account].holdings[market].open[side.opposite].quantity.isZero else { return nil }
        var slot = store.markets[market].first
        while slot >= 0 {
            let index = Int(slot)
            if store.records[index].order.side != side, index != except, canBeMet(index, side, price) {
                return store.records[index].order
            }
            slot = store.records[index].links.market.next
        }
        return nil
    }
    private func canBeMet(_ slot: Int, _ side: Side, _ price: Price) -> Bool {
        if case .finishing = store.records[slot].life { return false }
        if side.crosses(price, resting: store.records[slot].order.price) { return true }
        if store.records[slot].life.mayBeAmended, side.crosses(price, resting: store.records[slot].sentPrice)
        {
            return true
        }
        guard case .amend(let other, _) = store.records[slot].pending?.work else { return false }
        return side.crosses(price, resting: other)
    }

    /// What a market's open orders tie up: the cost of what the account's position does not cover. With more
    /// open than is covered, the cheapest orders count as the covered ones, so that it is never too little.
    func collateral(
        _ market: Int, _ side: Side = .bid, adding added: OrderRecord.Held = .init(), at price: Price = .one
    ) -> Money {
        tiedUp(market, .bid, side == .bid ? added : .init(), price)
            + tiedUp(market, .ask, side == .ask ? added : .init(), price)
    }
    private func tiedUp(_ market: Int, _ side: Side, _ added: OrderRecord.Held, _ price: Price) -> Money {
        let open = portfolios[account].holdings[market].open[side].quantity + added.quantity
        let cost = portfolios[account].holdings[market].open[side].cost + added.cost
        let covered = -portfolios[account].holdings[market].position.quantity.hundredths * side.sign
        if covered <= 0 { return cost }
        if open.hundredths <= covered { return .zero }
        var cheapest = added.quantity.isPositive ? side.cost(price) : .one
        var slot = store.markets[market].first
        while slot >= 0 {
            let held = store.records[Int(slot)].held
            if store.records[Int(slot)].order.side == side, !held.quantity.isZero {
                cheapest = min(cheapest, Price(micros: Int(held.cost.raw / held.quantity.hundredths)))
            }
            slot = store.records[Int(slot)].links.market.next
        }
        return cost - cheapest * Quantity(hundredths: covered)
    }
}
