import Martlet
import MartletEngine

// What accounts ask for.
extension Venue {
    /// Carries out a command of an account. Every order named in it is answered in ``reports``, in order; fills
    /// of other accounts' resting orders are reported to them.
    package func execute(_ command: VenueCommand, account: Int, at now: Timestamp) {
        switch command {
        case .place(let place): self.place(place, account: account, at: now)
        case .amend(let amend): self.amend(amend, account: account, at: now)
        case .decrease(let order, let market, let remaining):
            decrease(order, market: market, to: remaining, account: account, at: now)
        case .cancel(let order, let market): cancel(order, market: market, account: account, at: now)
        case .placeBatch(let places): for place in places { self.place(place, account: account, at: now) }
        case .cancelBatch(let references):
            for reference in references {
                cancel(reference.order, market: reference.market, account: account, at: now)
            }
        case .cancelEverything: cancelEverything(account: account, at: now)
        }
    }

    // MARK: Place

    /// Places an order, in an order group if one is named.
    package func place(_ place: PlaceOrder, account: Int, group: Int? = nil, at now: Timestamp) {
        if let rejection = judge(place, account: account, group: group, at: now) {
            report(.rejected(rejection), place.id, place.request.market, account, now)
            return
        }
        orderNumber += 1
        var order = VenueOrder(
            place, number: orderNumber, account: account, group: group ?? -1, at: now)
        if order.isReduceOnly { capToPosition(&order) }
        let entry = accounts[account].makeEntry(order.market)
        if let end = endBeforeMatching(order, now) {
            order.remaining = .zero
            order.reason = end
            accounts[account].memory.remember(order)
            report(
                .accepted(filled: .zero, remaining: .zero, end: end), order.id, order.market, account, now,
                order.venueOrderID)
            return
        }
        if settings.checksBalance, !isCovered(order, account, entry) {
            report(.rejected(.insufficientBalance), order.id, order.market, account, now)
            return
        }
        let slot = orders.insert(order)
        accounts[account].live[order.id] = slot
        let answer = reports.count
        report(.accepted(filled: .zero, remaining: .zero, end: nil), order.id, order.market, account, now)
        let end = match(slot, now)
        let done = orders[slot]
        if case .immediateOrCancel = done.timeInForce, done.filled.isZero, settings.rejectsEmptyImmediate,
            end == .immediateRemainder
        {
            reports[answer].report.body = .rejected(.immediateOrCancel)
        } else {
            let remaining = end == nil ? done.remaining : .zero
            reports[answer].report.body = .accepted(
                filled: done.filled, remaining: remaining, end: end)
            reports[answer].report.venueOrderID = done.venueOrderID
        }
        if let end {
            finish(slot, end, now)
        } else if done.remaining.isZero {
            finish(slot, nil, now)
        } else {
            rest(slot, now)
            if case .goodTill = done.timeInForce { setExpiry(slot) }
        }
        publishEnd(done.market, now)
        judgeGroups(now)
    }

    /// Everything that can be wrong with an order but its cover.
    private func judge(_ place: PlaceOrder, account: Int, group: Int?, at now: Timestamp)
        -> VenueRejection?
    {
        let request = place.request
        guard isKnown(request.market) else { return .marketNotFound }
        if let rejection = judgeMarket(request.market, cancels: false, now) { return rejection }
        guard request.quantity.isPositive, request.quantity <= settings.largestOrder else {
            return .invalidSize
        }
        guard definitions[Int(request.market.index)].grid.contains(request.price) else {
            return .invalidPrice
        }
        if request.isReduceOnly, request.timeInForce != .immediateOrCancel {
            return .invalidOrder("reduce_only needs immediate_or_cancel")
        }
        if request.isPostOnly, !request.timeInForce.rests {
            return .invalidOrder("post_only needs an order that can rest")
        }
        if case .goodTill(let time) = request.timeInForce, time.seconds <= now.seconds {
            return .invalidOrder("Expiration timestamp must be in the future")
        }
        let known = accounts[account].live[place.id] != nil || accounts[account].memory.contains(place.id)
        if known { return .alreadyExists }
        if request.timeInForce.rests, let entry = accounts[account].entry(request.market),
            accounts[account].markets[entry].openCount >= settings.openOrdersMax
        {
            return .tooManyOrders
        }
        if let group, let rejection = judgeGroupEntry(group, account, request.market) { return rejection }
        if request.timeInForce == .fillOrKill, available(request, account) < request.quantity {
            burn(place, account, now)
            return .fillOrKill
        }
        if request.isPostOnly, settings.rejectsPostOnlyCross, wouldCross(request) { return .postOnlyCross }
        return nil
    }

    /// A killed order's client id stays used.
    private func burn(_ place: PlaceOrder, _ account: Int, _ now: Timestamp) {
        var order = VenueOrder(place, number: 0, account: account, group: -1, at: now)
        order.remaining = .zero
        order.reason = .immediateRemainder
        accounts[account].memory.remember(order)
    }

    /// Whether a market takes requests at all.
    func judgeMarket(_ market: Market.ID, cancels: Bool, _ now: Timestamp) -> VenueRejection? {
        let lane = lanes + Int(market.index)
        if lane.pointee.isClosed || (lane.pointee.closeTime.isKnown && now >= lane.pointee.closeTime) {
            return .marketInactive
        }
        let shard = definitions[Int(market.index)].shard
        for entry in pauses where entry.shard == shard {
            switch entry.pause {
            case .trading: if !cancels { return .tradingPaused }
            case .everything: return .exchangePaused
            }
        }
        return lane.pointee.isOpen || cancels ? nil : .marketInactive
    }

    private func capToPosition(_ order: inout VenueOrder) {
        let account = Int(order.account)
        let held = accounts[account].entry(order.market).map {
            accounts[account].markets[$0].closable(order.side)
        }
        order.quantity = min(order.quantity, held ?? .zero)
        order.remaining = order.quantity
    }

    private func endBeforeMatching(_ order: VenueOrder, _ now: Timestamp) -> CancelReason? {
        if order.isReduceOnly, order.quantity.isZero { return .reduceOnly }
        if now < accounts[Int(order.account)].cancelsUntil { return .requested }
        if order.isPostOnly, crosses(order.market, order.side, order.price) { return .postOnlyCross }
        return nil
    }

    private func wouldCross(_ request: OrderRequest) -> Bool {
        crosses(request.market, request.side, request.price)
    }
    func crosses(_ market: Market.ID, _ side: Side, _ price: Price) -> Bool {
        guard let best = lanes[Int(market.index)].best(side.opposite) else { return false }
        return side.crosses(price, resting: best)
    }

    // MARK: Amend

    /// Changes price and whole size. The place in the queue is kept when the price stays and the size does not
    /// grow. `expiry`: nil keeps it, `.unknown` clears it.
    package func amend(_ amend: AmendOrder, account: Int, expiry: Timestamp? = nil, at now: Timestamp) {
        func refuse(_ rejection: VenueRejection) {
            report(.changeRejected(.amend, rejection), amend.id, amend.market, account, now)
        }
        guard isKnown(amend.market) else { return refuse(.marketNotFound) }
        if let rejection = judgeMarket(amend.market, cancels: false, now) { return refuse(rejection) }
        guard let slot = accounts[account].live[amend.id] else { return refuse(.notFound) }
        let before = orders[slot]
        guard before.market == amend.market else { return refuse(.tickerMismatch) }
        guard before.side == amend.side else { return refuse(.sideMismatch) }
        guard amend.quantity > before.filled, amend.quantity <= settings.largestOrder else {
            return refuse(.invalidSize)
        }
        guard definitions[Int(amend.market.index)].grid.contains(amend.price) else {
            return refuse(.invalidPrice)
        }
        if let expiry, expiry.isKnown, expiry.seconds <= now.seconds {
            return refuse(.invalidOrder("Expiration timestamp must be in the future"))
        }
        if before.isPostOnly, amend.price != before.price,
            crosses(amend.market, amend.side, amend.price)
        {
            return refuse(.postOnlyCross)
        }
        let keepsPlace = amend.price == before.price && amend.quantity <= before.quantity
        if keepsPlace {
            shrink(slot, to: amend.quantity - before.filled, now)
            orders[slot].quantity = amend.quantity
        } else {
            guard replace(slot, amend, now) else { return refuse(.insufficientBalance) }
        }
        if let expiry { changeExpiry(slot, expiry) }
        if !keepsPlace { requeue(slot, now) } else { reportAmended(slot, now) }
        publishEnd(amend.market, now)
        judgeGroups(now)
    }

    /// Takes an order off its queue and gives it its new price and size, if the account can cover them.
    private func replace(_ slot: Int32, _ amend: AmendOrder, _ now: Timestamp) -> Bool {
        let before = orders[slot]
        let account = Int(before.account)
        let entry = accounts[account].makeEntry(before.market)
        unlinkFromAccount(slot)
        refreshReserve(account, entry)
        var changed = before
        changed.price = amend.price
        changed.quantity = amend.quantity
        changed.remaining = amend.quantity - before.filled
        if settings.checksBalance, !isCovered(changed, account, entry) {
            linkToAccount(slot)
            refreshReserve(account, entry)
            return false
        }
        unlinkFromLevel(slot, now)
        orders[slot].price = changed.price
        orders[slot].quantity = changed.quantity
        orders[slot].remaining = changed.remaining
        orders[slot].updated = now
        return true
    }

    /// Matches an order at its new price and lets what is left queue up at the end.
    private func requeue(_ slot: Int32, _ now: Timestamp) {
        let answer = reports.count
        reportAmended(slot, now)
        let end = match(slot, now)
        let done = orders[slot]
        reports[answer].report.body = .amended(
            price: done.price, quantity: done.quantity, remaining: done.remaining)
        if let end {
            report(.ended(end), done.id, done.market, Int(done.account), now, done.venueOrderID)
            finish(slot, end, now)
        } else if done.remaining.isZero {
            finish(slot, nil, now)
        } else {
            rest(slot, now)
        }
    }

    private func reportAmended(_ slot: Int32, _ now: Timestamp) {
        let order = orders[slot]
        report(
            .amended(price: order.price, quantity: order.quantity, remaining: order.remaining), order.id,
            order.market, Int(order.account), now, order.venueOrderID)
    }

    private func changeExpiry(_ slot: Int32, _ expiry: Timestamp) {
        orders[slot].timeInForce = expiry.isKnown ? .goodTill(expiry) : .goodTillCancelled
        if expiry.isKnown { setExpiry(slot) }
    }

    private func setExpiry(_ slot: Int32) {
        guard case .goodTill(let time) = orders[slot].timeInForce else { return }
        timers.set(
            .expires(slot: slot, number: orders[slot].number), at: Timestamp(seconds: time.seconds))
    }

    // MARK: Decrease and cancel

    /// Brings what is open down to `remaining`; keeps the place. Nothing left cancels the order.
    package func decrease(
        _ id: OrderID, market: Market.ID, to remaining: Quantity, account: Int, at now: Timestamp
    ) {
        func refuse(_ rejection: VenueRejection) {
            report(.changeRejected(.decrease, rejection), id, market, account, now)
        }
        guard isKnown(market) else { return refuse(.marketNotFound) }
        if let rejection = judgeMarket(market, cancels: true, now) { return refuse(rejection) }
        guard let slot = accounts[account].live[id] else { return refuse(.notFound) }
        guard orders[slot].market == market else { return refuse(.tickerMismatch) }
        guard remaining.hundredths >= 0 else { return refuse(.invalidSize) }
        let order = orders[slot]
        let left = min(remaining, order.remaining)
        if left.isPositive {
            shrink(slot, to: left, now)
            orders[slot].quantity = order.filled + left
        } else {
            unrest(slot, now)
            finish(slot, .requested, now)
        }
        report(.decreased(remaining: left), id, market, account, now, order.venueOrderID)
        publishEnd(market, now)
    }

    package func cancel(_ id: OrderID, market: Market.ID, account: Int, at now: Timestamp) {
        func refuse(_ rejection: VenueRejection) {
            report(.changeRejected(.cancel, rejection), id, market, account, now)
        }
        guard isKnown(market) else { return refuse(.marketNotFound) }
        if let rejection = judgeMarket(market, cancels: true, now) { return refuse(rejection) }
        guard let slot = accounts[account].live[id] else {
            if settings.confirmsLateCancels, let order = accounts[account].memory[id] {
                report(.cancelled(by: .zero), id, market, account, now, order.venueOrderID)
                return
            }
            return refuse(.notFound)
        }
        guard orders[slot].market == market else { return refuse(.tickerMismatch) }
        cancel(slot, now)
        publishEnd(market, now)
    }

    /// Takes an order off on its owner's request.
    private func cancel(_ slot: Int32, _ now: Timestamp) {
        let order = orders[slot]
        unrest(slot, now)
        finish(slot, .requested, now)
        report(
            .cancelled(by: order.remaining), order.id, order.market, Int(order.account), now,
            order.venueOrderID)
    }

    /// All orders of an account in markets that take cancels, and for a time those that come after.
    package func cancelEverything(account: Int, at now: Timestamp) {
        accounts[account].cancelsUntil = now + settings.cancelAllLingers
        for slot in liveOrders(of: account) {
            let market = orders[slot].market
            guard judgeMarket(market, cancels: true, now) == nil else { continue }
            cancel(slot, now)
            publishEnd(market, now)
        }
    }

    /// An account's live orders by time priority.
    func liveOrders(of account: Int) -> [Int32] {
        accounts[account].live.values.sorted { orders[$0].number < orders[$1].number }
    }

    // MARK: Reports

    func report(
        _ body: VenueReport.Body, _ order: OrderID, _ market: Market.ID, _ account: Int, _ now: Timestamp,
        _ venueOrderID: String? = nil
    ) {
        feed.pointee.hasNews = true
        reports.append(
            AccountReport(
                account: account,
                report: VenueReport(
                    body, order: order, market: market, exchangeTime: now, venueOrderID: venueOrderID)))
    }
}
