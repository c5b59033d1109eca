import Martlet

// What strategies ask for.
extension TradingCore {
    /// Takes an intent of a strategy. Its fate comes back as events, and for amends that the gate refuses as a
    /// record.
    package func submit(_ intent: Intent, strategy: Int, now: Timestamp) {
        synchronise()
        rollDay(now)
        switch intent {
        case .place(let id, let request): place(id, request, strategy, now)
        case .amend(let id, let price, let quantity): amend(id, price, quantity, strategy, now)
        case .decrease(let id, let remaining): decrease(id, to: remaining, strategy, now)
        case .cancel(let id):
            if let slot = owned(id, strategy) {
                dropQuote(of: slot)
                cancel(slot, now)
            }
        case .cancelAll(let market): cancelAll(strategy: strategy, market: market, now)
        case .quote(let market, let bid, let ask): quote(strategy, market, bid, ask, now)
        }
        serve(now)
    }

    private func owned(_ id: OrderID, _ strategy: Int) -> Int? {
        guard let slot = store.slot(of: id), Int(store.records[slot].strategy) == strategy else { return nil }
        return slot
    }

    // MARK: Places

    private func place(_ id: OrderID, _ request: OrderRequest, _ strategy: Int, _ now: Timestamp) {
        var order = Order(id: id, request: request, status: .queued, requestTime: now)
        guard Int(request.market.index) < desks.count else {
            refuse(
                order, strategy, Refusal(.invalidOrder, value: "market \(request.market)", limit: "defined"))
            return
        }
        order.request.quantity = cut(request.quantity, strategy, Int(request.market.index), request.side)
        order.quantity = order.request.quantity
        switch open(order, strategy, quote: -1, now) {
        case .success(let slot):
            serve(now)
            if store.records[slot].life == .queued { announce(slot) }
        case .failure(let refusal): refuse(order, strategy, refusal)
        }
    }

    /// Judges a new order and queues it.
    func open(_ order: Order, _ strategy: Int, quote: Int32, _ now: Timestamp) -> Result<Int, Refusal> {
        let market = Int(order.market.index)
        if let refusal = RiskGate.invalidity(price: order.price, size: order.quantity) {
            gate.count(refusal.rule)
            return .failure(refusal)
        }
        let fee = estimatedFee(market, order.request, order.price, order.quantity, now)
        let held = OrderRecord.Held(
            quantity: order.quantity, cost: order.side.cost(order.price) * order.quantity, fee: fee)
        let proposal = Proposal(
            strategy: strategy, market: market, side: order.side, price: order.price, size: order.quantity,
            added: held, request: order.request, slot: -1)
        switch gate.approve(proposal, as: .place, now: now, in: self) {
        case .failure(let refusal): return .failure(refusal)
        case .success(let approved):
            let slot = store.insert(
                OrderRecord(
                    order: order, life: .queued, strategy: Int32(strategy), pending: approved,
                    sentPrice: order.price, sentQuantity: order.quantity, quote: quote))
            portfolios[strategy].openOrders += 1
            portfolios[account].openOrders += 1
            setHeld(slot, held)
            enqueue(slot)
            return .success(slot)
        }
    }

    func refuse(_ order: Order, _ strategy: Int, _ refusal: Refusal) {
        var order = order
        order.status = .refused(refusal)
        let slot = store.insert(
            OrderRecord(
                order: order, life: .done(.refused(refusal)), strategy: Int32(strategy), pending: nil,
                sentPrice: order.price, sentQuantity: order.quantity))
        announce(slot)
    }

    /// The dearest fee that the order could pay at once, rounded up as the exchange rounds.
    func estimatedFee(
        _ market: Int, _ request: OrderRequest, _ price: Price, _ quantity: Quantity, _ now: Timestamp
    ) -> Money {
        let opposite = markets.book(id(market)).best(request.side.opposite)
        var isTaker = false
        var worst = price
        if let opposite, request.side.crosses(price, resting: opposite), !request.isPostOnly {
            isTaker = true
            // P·(1 − P) is largest at the price nearest to one half that it may trade at.
            let half = Price(cents: 50)
            worst = min(max(half, min(price, opposite)), max(price, opposite))
        }
        let fee = desks[market].fees.tradeFee(price: worst, quantity: quantity, isTaker: isTaker, at: now)
        return fee == .zero ? .zero : fee.roundedUp(to: settings.balancePrecision.unit)
    }

    // MARK: Changes

    private func amend(
        _ id: OrderID, _ price: Price, _ quantity: Quantity, _ strategy: Int, _ now: Timestamp
    ) {
        guard let slot = owned(id, strategy), canChange(slot) else {
            refuseChange(
                id, Refusal(.unknownOrder, value: "amend", limit: "an open order of known state"), strategy)
            return
        }
        let order = store.records[slot].order
        let open = quantity - order.filled
        if order.price == price, order.quantity == quantity, store.records[slot].pending == nil { return }
        if quantity.isPositive, quantity <= order.filled {
            cancel(slot, now)
            return
        }
        dropQuote(of: slot)
        if let refusal = RiskGate.invalidity(price: price, size: open) {
            gate.count(refusal.rule)
            refuseChange(id, refusal, strategy)
            return
        }
        if let refusal = change(slot, to: price, total: quantity, now) { refuseChange(id, refusal, strategy) }
    }

    private func refuseChange(_ id: OrderID, _ refusal: Refusal, _ strategy: Int) {
        hasOutput = true
        records.append(.refused(id, refusal, strategy: strategy))
    }

    /// Whether an amend or decrease makes sense: it rests, will rest, or was not sent.
    private func canChange(_ slot: Int) -> Bool {
        guard store.records[slot].order.request.timeInForce.rests, !store.records[slot].wantsCancel else {
            return false
        }
        if store.records[slot].pending?.work == .cancel { return false }
        switch store.records[slot].life {
        case .queued, .placing, .resting, .changing(.amend), .changing(.decrease): return true
        case .changing, .unknown, .missing, .finishing, .done: return false
        }
    }

    /// Judges a new price and whole size; the order bears them when the venue has taken them, or at once while
    /// it has not been sent. Nil when approved.
    func change(_ slot: Int, to price: Price, total: Quantity, _ now: Timestamp) -> Refusal? {
        let record = store.records[slot]
        let market = Int(record.order.market.index)
        let size = total - record.order.filled
        var held = worstHeld(slot, pendingPrice: price, pendingTotal: total)
        if record.life == .queued {
            held = .init(quantity: size, cost: record.order.side.cost(price) * size)
        }
        held.fee = max(record.held.fee, estimatedFee(market, record.order.request, price, size, now))
        let isReplacement = record.life == .queued || record.pending?.request == .amend
        let proposal = Proposal(
            strategy: Int(record.strategy), market: market, side: record.order.side, price: price, size: size,
            added: .init(
                quantity: held.quantity - record.held.quantity, cost: held.cost - record.held.cost,
                fee: held.fee - record.held.fee),
            request: record.order.request, slot: slot, isReplacement: isReplacement)
        let work: Approved.Work = record.life == .queued ? .place : .amend(price, total)
        switch gate.approve(proposal, as: work, now: now, in: self) {
        case .failure(let refusal): return refusal
        case .success(let approved):
            if record.life == .queued {
                store.records[slot].order.request.price = price
                store.records[slot].order.request.quantity = total
                store.records[slot].order.price = price
                store.records[slot].order.quantity = total
                store.records[slot].sentPrice = price
                store.records[slot].sentQuantity = total
            }
            setHeld(slot, held)
            replacePending(slot, approved)
            return nil
        }
    }

    private func decrease(_ id: OrderID, to remaining: Quantity, _ strategy: Int, _ now: Timestamp) {
        guard let slot = owned(id, strategy), canChange(slot) else {
            refuseChange(
                id, Refusal(.unknownOrder, value: "decrease", limit: "an open order of known state"), strategy
            )
            return
        }
        let order = store.records[slot].order
        guard remaining < order.remaining else { return }
        dropQuote(of: slot)
        if !remaining.isPositive { return cancel(slot, now) }
        if store.records[slot].life == .queued {
            _ = change(slot, to: order.price, total: order.filled + remaining, now)
        } else {
            replacePending(slot, gate.approveDecrease(to: remaining))
            refreshHeld(slot)
        }
    }

    // MARK: Cancels

    /// Cancels an order by the shortest way: one that was not sent never leaves. The gate always lets it pass.
    func cancel(_ slot: Int, _ now: Timestamp) {
        switch store.records[slot].life {
        case .queued: withdraw(slot, now)
        case .placing, .unknown(.place, _): store.records[slot].wantsCancel = true
        case .changing(.cancel), .unknown(_, isCancelling: true), .missing, .finishing, .done: return
        case .resting, .changing, .unknown:
            if store.records[slot].pending?.work == .cancel { return }
            if mustWaitToCancel(slot, now) {
                store.records[slot].wantsCancel = true
            } else {
                replacePending(slot, gate.approveCancel())
                refreshHeld(slot)
            }
        }
        store.records[slot].order.isChanging = !store.records[slot].life.isDone
    }

    /// Drops an order that was not sent.
    func withdraw(_ slot: Int, _ now: Timestamp) {
        dequeue(slot)
        router.statistics.withdrawn += 1
        apply(.withdrawn, to: slot, now)
    }

    func cancelAll(strategy: Int, market: Market.ID?, _ now: Timestamp) {
        if let market, Int(market.index) >= desks.count { return }
        clearQuotes(strategy: strategy, market: market)
        forEachOpen(of: strategy, in: market) { cancel($0, now) }
    }

    /// The open orders of a strategy (of all for the account's index), in one market or everywhere.
    /// They are listed before the first is touched: `body` may end any of them.
    func forEachOpen(of strategy: Int, in market: Market.ID?, _ body: (Int) -> Void) {
        var slots: [Int] = []
        var slot = market.map { store.markets[Int($0.index)].first } ?? store.all.first
        while slot >= 0 {
            let record = store.records[Int(slot)]
            if strategy == account || Int(record.strategy) == strategy { slots.append(Int(slot)) }
            slot = market == nil ? record.links.all.next : record.links.market.next
        }
        for slot in slots where store.records[slot].isOpen { body(slot) }
    }
}
