import Martlet
import MartletEngine

// Price-time priority over crowd and real orders.
extension Venue {
    /// Trades an incoming order against the other side as far as its price goes. Returns why what is left may
    /// not rest, nil when it may or nothing is left.
    func match(_ slot: Int32, _ now: Timestamp) -> CancelReason? {
        let side = orders[slot].side
        let market = orders[slot].market
        let lane = lanes + Int(market.index)
        while orders[slot].remaining.isPositive, let best = lane.pointee.best(side.opposite),
            side.crosses(orders[slot].price, resting: best)
        {
            if takeLevel(slot, best, now) == .stopped { return .selfTrade }
        }
        guard orders[slot].remaining.isPositive, !orders[slot].timeInForce.rests else { return nil }
        return .immediateRemainder
    }

    private enum Progress { case moved, stopped }

    /// Takes from one price, front to back: crowd, order, crowd, …
    private func takeLevel(_ slot: Int32, _ price: Price, _ now: Timestamp) -> Progress {
        let market = orders[slot].market
        let side = orders[slot].side.opposite
        let lane = lanes + Int(market.index)
        var crowdTaken = Quantity.zero
        var progress = Progress.moved
        if let index = lane.pointee[side].find(price) {
            var resting = lane.pointee[side].levels[index].head
            while resting >= 0, orders[slot].remaining.isPositive {
                let next = orders[resting].next
                let before = min(
                    max(orders[resting].crowdAhead - crowdTaken, .zero), orders[slot].remaining)
                if before.isPositive {
                    fillAgainstCrowd(slot, before, at: price, now)
                    crowdTaken += before
                }
                guard orders[slot].remaining.isPositive else { break }
                if orders[resting].account == orders[slot].account {
                    if orders[slot].selfTradePrevention == .takerAtCross {
                        progress = .stopped
                        break
                    }
                    end(resting, .selfTrade, now)
                } else {
                    let contracts = min(orders[slot].remaining, orders[resting].remaining)
                    fillResting(resting, contracts, at: price, taker: slot, now)
                }
                resting = next
            }
        }
        if progress == .moved {
            let rest = min(lane.pointee.crowdSize(side, price) - crowdTaken, orders[slot].remaining)
            if rest.isPositive {
                fillAgainstCrowd(slot, rest, at: price, now)
                crowdTaken += rest
            }
        }
        takeFromCrowd(market, side, price, crowdTaken, at: now)
        shiftQueue(lane, side, price, by: crowdTaken)
        return progress
    }

    func takeFromCrowd(
        _ market: Market.ID, _ side: Side, _ price: Price, _ quantity: Quantity, at now: Timestamp
    ) {
        guard quantity.isPositive else { return }
        lanes[Int(market.index)].take(quantity, side, price)
        publishChange(market, side, price, -quantity, at: now)
    }

    /// What a fill-or-kill order could trade: all that its price reaches, up to its own account's first order.
    func available(_ request: OrderRequest, _ account: Int) -> Quantity {
        let lane = lanes + Int(request.market.index)
        let side = request.side.opposite
        var sum = Quantity.zero
        var crowd = lane.pointee.bestCrowd(side)
        while let price = crowd, request.side.crosses(request.price, resting: price) {
            sum += lane.pointee.crowdSize(side, price)
            if sum >= request.quantity { break }
            crowd = lane.pointee.nextCrowd(side, behind: price)
        }
        for level in lane.pointee[side].levels.all.reversed() {
            guard request.side.crosses(request.price, resting: level.price) else { break }
            var slot = level.head
            while slot >= 0 {
                if orders[slot].account == Int32(account) {
                    if request.selfTradePrevention == .takerAtCross {
                        return reachable(request, account)
                    }
                } else {
                    sum += orders[slot].remaining
                }
                slot = orders[slot].next
            }
        }
        return sum
    }

    /// The same where an own order stands in the way: what comes before it in priority.
    private func reachable(_ request: OrderRequest, _ account: Int) -> Quantity {
        let lane = lanes + Int(request.market.index)
        let side = request.side.opposite
        var sum = Quantity.zero
        var price = lane.pointee.best(side)
        while let level = price, request.side.crosses(request.price, resting: level) {
            var ahead = Quantity.zero
            if let index = lane.pointee[side].find(level) {
                var slot = lane.pointee[side].levels[index].head
                while slot >= 0 {
                    if orders[slot].account == Int32(account) {
                        return sum + ahead + orders[slot].crowdAhead
                    }
                    ahead += orders[slot].remaining
                    slot = orders[slot].next
                }
            }
            sum += lane.pointee.size(side, level)
            price = nextBest(lane, side, behind: level)
        }
        return sum
    }

    private func nextBest(_ lane: UnsafeMutablePointer<Lane>, _ side: Side, behind price: Price) -> Price? {
        let crowd = lane.pointee.nextCrowd(side, behind: price)
        let real = lane.pointee[side].levels.all.last { side.isBetter(price, than: $0.price) }?.price
        guard let crowd, let real else { return crowd ?? real }
        return side.isBetter(crowd, than: real) ? crowd : real
    }

    // MARK: Trades

    /// A taker of ours meets the crowd.
    private func fillAgainstCrowd(_ slot: Int32, _ contracts: Quantity, at price: Price, _ now: Timestamp) {
        tradeNumber += 1
        let market = orders[slot].market
        publishTrade(market, taker: orders[slot].side, price, contracts, at: now)
        fill(slot, contracts, at: price, isTaker: true, now)
        bookCrowd(market, orders[slot].side.opposite, contracts, at: price)
    }

    /// A resting order fills: against an incoming order, or against a recorded taker when `taker` is nil. An order
    /// that is filled whole leaves its queue.
    func fillResting(
        _ slot: Int32, _ contracts: Quantity, at price: Price, taker: Int32?, _ now: Timestamp
    ) {
        tradeNumber += 1
        let market = orders[slot].market
        let side = orders[slot].side
        if let taker {
            publishTrade(market, taker: side.opposite, price, contracts, at: now)
            fill(taker, contracts, at: price, isTaker: true, now)
        } else {
            bookCrowd(market, side.opposite, contracts, at: price)
        }
        let lane = lanes + Int(market.index)
        if let index = lane.pointee[side].find(orders[slot].price) {
            lane.pointee[side].levels[index].quantity -= contracts
        }
        publishChange(market, side, orders[slot].price, -contracts, at: now)
        fill(slot, contracts, at: price, isTaker: false, now)
        if orders[slot].remaining.isZero {
            unlinkFromLevel(slot, now)
            unlinkFromAccount(slot)
            finish(slot, nil, now)
        }
    }

    /// Books one side of a trade: order, fee, cash, position, report.
    private func fill(
        _ slot: Int32, _ contracts: Quantity, at price: Price, isTaker: Bool, _ now: Timestamp
    ) {
        let market = orders[slot].market
        let side = orders[slot].side
        let account = Int(orders[slot].account)
        let cost = side.cost(price) * contracts
        let tradeFee = definitions[Int(market.index)].fees.tradeFee(
            price: price, quantity: contracts, isTaker: isTaker, at: now)
        let fee = orders[slot].fees.charge(
            tradeFee: tradeFee, revenue: -cost, precision: accounts[account].precision)
        orders[slot].remaining -= contracts
        orders[slot].filled += contracts
        orders[slot].updated = now
        if isTaker {
            orders[slot].takerCost += cost
            orders[slot].takerFees += fee
        } else {
            orders[slot].makerCost += cost
            orders[slot].makerFees += fee
        }
        bookFill(slot, contracts, at: price, fee: fee)
        countInGroup(Int(orders[slot].group), contracts, now)
        let fill = Fill(
            tradeID: String(letter: UInt8(ascii: "T"), number: tradeNumber), order: orders[slot].id,
            market: market, side: side, price: price,
            quantity: contracts, isTaker: isTaker, fee: fee, exchangeTime: now)
        report(.filled(fill), orders[slot].id, market, account, now, orders[slot].venueOrderID)
    }

    // MARK: Queues

    /// Puts what is left of an order at the end of its price's queue.
    func rest(_ slot: Int32, _ now: Timestamp) {
        let order = orders[slot]
        let lane = lanes + Int(order.market.index)
        let index = lane.pointee[order.side].findOrMake(order.price)
        let tail = lane.pointee[order.side].levels[index].tail
        orders[slot].previous = tail
        orders[slot].next = -1
        if tail >= 0 {
            orders[tail].next = slot
        } else {
            lane.pointee[order.side].levels[index].head = slot
        }
        lane.pointee[order.side].levels[index].tail = slot
        lane.pointee[order.side].levels[index].quantity += order.remaining
        orders[slot].crowdAhead = lane.pointee.crowdSize(order.side, order.price)
        orders[slot].sawVanished = false
        orders[slot].vanishedAhead = .zero
        orders[slot].isResting = true
        lane.pointee.isWatchStale = true
        if lane.pointee.isQuiet || !lane.pointee.isDirty { refreshQuiet(lane) }
        linkToAccount(slot)
        refreshReserve(Int(order.account), accounts[Int(order.account)].makeEntry(order.market))
        publishChange(order.market, order.side, order.price, order.remaining, at: now)
    }

    /// Takes an order off its queue and its account's list.
    func unrest(_ slot: Int32, _ now: Timestamp) {
        let order = orders[slot]
        guard order.isResting else { return }
        publishChange(order.market, order.side, order.price, -order.remaining, at: now)
        let lane = lanes + Int(order.market.index)
        if let index = lane.pointee[order.side].find(order.price) {
            lane.pointee[order.side].levels[index].quantity -= order.remaining
        }
        unlink(slot)
        unlinkFromAccount(slot)
        refreshReserve(Int(order.account), accounts[Int(order.account)].makeEntry(order.market))
    }

    func unlinkFromLevel(_ slot: Int32, _ now: Timestamp) {
        let order = orders[slot]
        guard order.isResting else { return }
        publishChange(order.market, order.side, order.price, -order.remaining, at: now)
        let lane = lanes + Int(order.market.index)
        if let index = lane.pointee[order.side].find(order.price) {
            lane.pointee[order.side].levels[index].quantity -= order.remaining
        }
        unlink(slot)
    }

    private func unlink(_ slot: Int32) {
        let order = orders[slot]
        orders[slot].isResting = false
        let lane = lanes + Int(order.market.index)
        guard let index = lane.pointee[order.side].find(order.price) else { return }
        if order.previous >= 0 {
            orders[order.previous].next = order.next
        } else {
            lane.pointee[order.side].levels[index].head = order.next
        }
        if order.next >= 0 {
            orders[order.next].previous = order.previous
        } else {
            lane.pointee[order.side].levels[index].tail = order.previous
        }
        orders[slot].next = -1
        orders[slot].previous = -1
        if lane.pointee[order.side].levels[index].head < 0 {
            lane.pointee[order.side].levels.remove(at: index)
            lane.pointee.isWatchStale = true
            refreshQuiet(lane)
        }
    }

    /// Makes a resting order smaller in its place.
    func shrink(_ slot: Int32, to remaining: Quantity, _ now: Timestamp) {
        let order = orders[slot]
        let less = order.remaining - remaining
        orders[slot].updated = now
        guard less.isPositive else { return }
        let lane = lanes + Int(order.market.index)
        if let index = lane.pointee[order.side].find(order.price) {
            lane.pointee[order.side].levels[index].quantity -= less
        }
        orders[slot].remaining = remaining
        let account = Int(order.account)
        let entry = accounts[account].makeEntry(order.market)
        accounts[account].markets[entry][open: order.side] -= less
        refreshReserve(account, entry)
        publishChange(order.market, order.side, order.price, -less, at: now)
    }

    /// The venue takes a resting order off.
    func end(_ slot: Int32, _ reason: CancelReason, _ now: Timestamp) {
        let order = orders[slot]
        unrest(slot, now)
        finish(slot, reason, now)
        report(.ended(reason), order.id, order.market, Int(order.account), now, order.venueOrderID)
    }

    /// An order is over: it leaves the live ones and is remembered for a while.
    func finish(_ slot: Int32, _ reason: CancelReason?, _ now: Timestamp) {
        var order = orders[slot]
        order.remaining = .zero
        order.reason = reason
        order.updated = now
        accounts[Int(order.account)].live[order.id] = nil
        accounts[Int(order.account)].memory.remember(order)
        orders.remove(slot)
    }
}
