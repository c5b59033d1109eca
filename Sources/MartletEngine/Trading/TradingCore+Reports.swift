import Martlet

// What the venue says.
extension TradingCore {
    package func handle(_ report: VenueReport, now: Timestamp) {
        synchronise()
        rollDay(now)
        guard let slot = store.slot(of: report.order) else {
            handleStranger(report, now)
            return
        }
        switch report.body {
        case .accepted(let filled, let remaining, let end):
            accepted(slot, filled, remaining, end, report, now)
        case .rejected(let rejection): apply(.rejected(rejection), to: slot, now)
        case .amended(let price, let quantity, let remaining):
            amended(slot, price, quantity, remaining, report, now)
        case .decreased(let remaining): decreased(slot, remaining, report, now)
        case .cancelled(let by): cancelled(slot, by, now)
        case .changeRejected(let request, let rejection): changeRejected(slot, request, rejection, now)
        case .ended(let reason): apply(.ended(reason), to: slot, now)
        case .filled(let fill): filled(slot, fill, now)
        case .unknown(let request):
            if request == .cancel { noteLostCancel(slot, now) }
            apply(.lost(request), to: slot, now)
        case .provenAbsent: apply(.provenAbsent, to: slot, now)
        case .state(let state): stated(slot, state, report, now)
        case .rateLimited(let request): rateLimited(slot, request, now)
        }
        serve(now)
    }

    // MARK: Answers

    /// Over, by the venue's count of contracts filled: the rest was cancelled for `reason`.
    private func rest(_ slot: Int, _ remaining: Quantity, _ reason: CancelReason?) -> OrderFact.Rest {
        if remaining.isPositive { return .rests }
        let order = store.records[slot].order
        let ending: OrderEnding =
            store.records[slot].venueFilled >= order.quantity && reason == nil
            ? .filled
            : .cancelled(reason ?? (order.request.timeInForce.rests ? .requested : .immediateRemainder))
        return .over(ending, awaitsFills: store.records[slot].venueFilled > order.filled)
    }

    private func raiseVenueFilled(_ slot: Int, _ filled: Quantity) {
        store.records[slot].venueFilled = max(store.records[slot].venueFilled, filled)
    }

    private func accepted(
        _ slot: Int, _ filled: Quantity, _ remaining: Quantity, _ end: CancelReason?, _ report: VenueReport,
        _ now: Timestamp
    ) {
        raiseVenueFilled(slot, filled)
        if remaining.isPositive, isNewer(slot, report), isPlaceOpen(slot) {
            // Reduce-only orders come back smaller than they were asked for.
            store.records[slot].order.quantity = max(filled + remaining, store.records[slot].order.filled)
            store.records[slot].order.restTime = now
        }
        apply(.accepted(rest(slot, remaining, end)), to: slot, now)
    }

    private func isPlaceOpen(_ slot: Int) -> Bool {
        switch store.records[slot].life {
        case .placing, .unknown(.place, _): true
        default: false
        }
    }

    private func amended(
        _ slot: Int, _ price: Price, _ quantity: Quantity, _ remaining: Quantity, _ report: VenueReport,
        _ now: Timestamp
    ) {
        guard !store.records[slot].life.isDone else { return }
        if isNewer(slot, report) {
            store.records[slot].order.price = price
            store.records[slot].order.quantity = max(quantity, store.records[slot].order.filled)
        }
        raiseVenueFilled(slot, quantity - remaining)
        apply(.changed(rest(slot, remaining, nil)), to: slot, now)
    }

    private func decreased(_ slot: Int, _ remaining: Quantity, _ report: VenueReport, _ now: Timestamp) {
        guard !store.records[slot].life.isDone else { return }
        if isNewer(slot, report) {
            let asked = store.records[slot].sentQuantity
            if remaining < asked {
                // Less was open than we asked to keep: it had filled, and the whole size stays.
                raiseVenueFilled(slot, store.records[slot].order.quantity - remaining)
            } else {
                store.records[slot].order.quantity = store.records[slot].order.filled + remaining
                store.records[slot].decreaseTime = report.exchangeTime
            }
        }
        apply(.changed(rest(slot, remaining, nil)), to: slot, now)
    }

    private func cancelled(_ slot: Int, _ by: Quantity, _ now: Timestamp) {
        let record = store.records + slot
        // With an amend's outcome open, the whole size is not known, so nothing follows for what was filled.
        var isAmendOpen = false
        if case .unknown(.amend, _) = record.pointee.life { isAmendOpen = true }
        if !record.pointee.life.isDone, !isAmendOpen {
            raiseVenueFilled(slot, record.pointee.order.quantity - by)
        }
        let filled = record.pointee.venueFilled
        let ending: OrderEnding =
            filled >= record.pointee.order.quantity && !isAmendOpen ? .filled : .cancelled(.requested)
        apply(.cancelled(ending, awaitsFills: filled > record.pointee.order.filled), to: slot, now)
    }

    private func changeRejected(
        _ slot: Int, _ request: VenueReport.Request, _ rejection: VenueRejection, _ now: Timestamp
    ) {
        let order = store.records[slot].order
        if rejection.status != 404, !order.status.isFinal {
            log(
                .warning, "\(order.id): \(request) refused: \(rejection.status) \(rejection.code)",
                strategy: Int(store.records[slot].strategy))
        }
        apply(
            .changeRejected(
                request, isGone: rejection.status == 404, isWhole: order.filled >= order.quantity),
            to: slot, now)
    }

    private func stated(_ slot: Int, _ state: OrderState, _ report: VenueReport, _ now: Timestamp) {
        // The last word on what was filled, where the order is over.
        if state.status == .resting {
            raiseVenueFilled(slot, state.filled)
        } else {
            store.records[slot].venueFilled = max(state.filled, store.records[slot].order.filled)
        }
        let isOpenHere = !store.records[slot].life.isDone
        switch state.status {
        case .resting:
            // Older than what is known already, it settles nothing.
            guard isNewer(slot, report) else { return }
            if isOpenHere {
                store.records[slot].order.price = state.price
                store.records[slot].order.quantity = max(
                    state.filled + state.remaining, store.records[slot].order.filled)
                if !store.records[slot].order.restTime.isKnown { store.records[slot].order.restTime = now }
            }
            apply(.state(.rests), to: slot, now)
        case .executed:
            if isOpenHere {
                store.records[slot].order.quantity = max(state.filled, store.records[slot].order.filled)
            }
            apply(
                .state(.over(.filled, awaitsFills: state.filled > store.records[slot].order.filled)),
                to: slot, now)
        case .cancelled:
            let reason = state.reason ?? .requested
            apply(
                .state(
                    .over(.cancelled(reason), awaitsFills: state.filled > store.records[slot].order.filled)),
                to: slot,
                now)
        case .unknown(let text):
            log(.warning, "\(report.order): the venue calls its state '\(text)', which we do not know")
        }
    }

    /// Whether a report's price and size are not older than what is known. Marks them as known.
    private func isNewer(_ slot: Int, _ report: VenueReport) -> Bool {
        guard report.exchangeTime.isKnown else { return true }
        let known = store.records[slot].venueTime
        if known.isKnown, report.exchangeTime < known { return false }
        store.records[slot].venueTime = report.exchangeTime
        return true
    }

    private func rateLimited(_ slot: Int, _ request: VenueReport.Request, _ now: Timestamp) {
        router.statistics.rateLimited += 1
        let lane = shardIndex(Int(store.records[slot].order.market.index))
        router.lanes[lane].bucket.wasRefused(settings.router, chance: router.generator.next(), now: now)
        router.isDirty = true
        apply(.rateLimited(request), to: slot, now)
    }

    // MARK: Fills

    private func filled(_ slot: Int, _ fill: Fill, _ now: Timestamp) {
        guard trades.insert(fill.tradeID, of: fill.order) else { return }
        let strategy = Int(store.records[slot].strategy)
        let order = store.records[slot].order
        guard isSane(fill), fill.market == order.market else {
            log(
                .error, "\(fill.order): fill \(fill.tradeID) of \(fill.quantity) at \(fill.price) cannot be",
                strategy: strategy)
            return
        }
        if fill.side != order.side {
            // The money is what the venue says; only the direction of a fill tells which way it went.
            log(.error, "\(fill.order): \(order.side) order filled as \(fill.side)", strategy: strategy)
        }
        store.records[slot].order.filled += fill.quantity
        let filled = store.records[slot].order.filled
        // At one and the same millisecond either came first: the larger size is the safe guess, until a look-up.
        if store.records[slot].decreaseTime.isKnown, fill.exchangeTime.isKnown,
            fill.exchangeTime <= store.records[slot].decreaseTime, !store.records[slot].life.isDone
        {
            store.records[slot].order.quantity += fill.quantity
        }
        if filled > order.quantity, !store.records[slot].life.mayBeAmended {
            store.records[slot].order.quantity = filled
        }
        raiseVenueFilled(slot, filled)
        consumeQuote(slot, fill.quantity)
        book(fill, strategy: strategy, now)
        tellFill(fill, strategy)
        let whole =
            store.records[slot].life.mayBeAmended
            ? max(store.records[slot].order.quantity, store.records[slot].sentQuantity)
            : store.records[slot].order.quantity
        apply(
            .filled(isWhole: filled >= whole, isCovered: filled >= store.records[slot].venueFilled), to: slot,
            now,
            announcing: true)
        settleLate(fill.market, now)
    }

    private func isSane(_ fill: Fill) -> Bool {
        fill.quantity.isPositive && fill.quantity <= RiskGate.largestSize && fill.price >= .zero
            && fill.price <= .one
    }

    private func tellFill(_ fill: Fill, _ strategy: Int) {
        hasOutput = true
        let position = portfolios[strategy].holdings[Int(fill.market.index)].position
        if strategy == unassigned {
            records.append(.fill(fill, strategy: strategy, position: position))
        } else {
            events.append(.fill(fill, strategy: strategy, position: position))
        }
    }

    /// A report of an order that we do not know (any more): money is booked, the rest is logged.
    private func handleStranger(_ report: VenueReport, _ now: Timestamp) {
        guard case .filled(let fill) = report.body else {
            log(.warning, "a report of \(report.order), which is not known (any more), is left aside")
            return
        }
        guard trades.insert(fill.tradeID, of: fill.order), isSane(fill), Int(fill.market.index) < desks.count
        else { return }
        log(
            .error,
            "\(fill.order) filled \(fill.quantity) at \(fill.price) and is not known: booked as unassigned")
        book(fill, strategy: unassigned, now)
        tellFill(fill, unassigned)
        settleLate(fill.market, now)
    }

    // MARK: Consequences

    /// Moves an order through its life and draws every consequence: lists, risk, queues, quotes, news.
    func apply(_ fact: OrderFact, to slot: Int, _ now: Timestamp, announcing: Bool = false) {
        let wasDone = store.records[slot].life.isDone
        let wasUncertain = store.records[slot].life.isUncertain
        let couldBeAmended = store.records[slot].life.mayBeAmended
        let action = store.records[slot].life.apply(fact)
        if case .contradiction = action { contradiction(slot, fact) }
        let hasMoved = action != .keep
        if hasMoved { lifeChanged(slot, wasUncertain: wasUncertain, couldBeAmended: couldBeAmended) }
        if case .requeue(let request) = action { requeue(slot, request) }
        refreshHeld(slot)
        if action == .finish {
            close(slot)
        } else if wasDone, !store.records[slot].life.isDone {
            reopen(slot, now)
        }
        if !store.records[slot].life.isDone,
            store.records[slot].pending != nil || store.records[slot].wantsCancel
        {
            nextRequest(slot, now)
            // Withdrawn on the way, and told.
            if store.records[slot].life.isDone { return }
            refreshHeld(slot)
        }
        store.records[slot].order.isChanging = isChanging(slot)
        if hasMoved || announcing {
            if case .changeSent = fact {} else { announce(slot) }
            if store.records[slot].quote >= 0 { quoteOrderChanged(slot, now) }
        }
    }

    private func lifeChanged(_ slot: Int, wasUncertain: Bool, couldBeAmended: Bool) {
        if let status = store.records[slot].life.status { store.records[slot].order.status = status }
        if couldBeAmended, !store.records[slot].life.mayBeAmended {
            let filled = store.records[slot].order.filled
            store.records[slot].order.quantity = max(store.records[slot].order.quantity, filled)
        }
        let isUncertain = store.records[slot].life.isUncertain
        guard wasUncertain != isUncertain else { return }
        let market = Int(store.records[slot].order.market.index)
        desks[market].uncertain += isUncertain ? 1 : -1
        if desks[market].uncertain == 0 { unpark(market) }
    }

    private func isChanging(_ slot: Int) -> Bool {
        if case .changing = store.records[slot].life { return true }
        if store.records[slot].life.isDone { return false }
        if store.records[slot].wantsCancel { return true }
        guard let pending = store.records[slot].pending else { return false }
        return pending.request != .place
    }

    /// Puts a request back that the venue did not take for want of budget, unless something newer waits.
    private func requeue(_ slot: Int, _ request: VenueReport.Request) {
        guard store.records[slot].pending == nil else { return }
        switch request {
        case .place: store.records[slot].pending = store.records[slot].wantsCancel ? nil : gate.renewPlace()
        case .amend:
            store.records[slot].pending = gate.renewAmend(
                store.records[slot].sentPrice, store.records[slot].sentQuantity)
        case .decrease:
            store.records[slot].pending = gate.approveDecrease(to: store.records[slot].sentQuantity)
        case .cancel: store.records[slot].pending = gate.approveCancel()
        }
    }

    /// Lets leave what waited for the last answer.
    private func nextRequest(_ slot: Int, _ now: Timestamp) {
        if store.records[slot].wantsCancel {
            switch store.records[slot].life {
            case .queued:
                store.records[slot].wantsCancel = false
                store.records[slot].pending = nil
                withdraw(slot, now)
                return
            case .resting:
                store.records[slot].wantsCancel = false
                replacePending(slot, gate.approveCancel())
            case .placing, .changing, .unknown, .missing, .finishing, .done: break
            }
        }
        // A change that fills have overtaken asks for nothing that is left.
        if case .amend(_, let total) = store.records[slot].pending?.work,
            total <= store.records[slot].order.filled
        {
            replacePending(slot, gate.approveCancel())
        }
        if case .decrease(let remaining) = store.records[slot].pending?.work,
            remaining >= store.records[slot].order.quantity - store.records[slot].order.filled
        {
            dequeue(slot)
            store.records[slot].pending = nil
        }
        if case .finishing = store.records[slot].life {
            dequeue(slot)
            store.records[slot].pending = nil
        }
        enqueue(slot)
    }

    private func close(_ slot: Int) {
        dequeue(slot)
        store.records[slot].pending = nil
        store.records[slot].wantsCancel = false
        portfolios[Int(store.records[slot].strategy)].openOrders -= 1
        portfolios[account].openOrders -= 1
        store.close(slot)
    }

    private func reopen(_ slot: Int, _ now: Timestamp) {
        portfolios[Int(store.records[slot].strategy)].openOrders += 1
        portfolios[account].openOrders += 1
        store.reopen(slot)
        // Under a halt nothing may rest, whenever it is found.
        if gate.state(Int(store.records[slot].strategy)) == .halted { haltSweep = now }
    }

    private func contradiction(_ slot: Int, _ fact: OrderFact) {
        let record = store.records[slot]
        log(
            .error, "\(record.order.id) is \(record.life) and is told \(fact): a contradiction",
            strategy: Int(record.strategy))
    }
}
