import Martlet
import MartletEngine

// The recorded crowd: its changes, its trades, and what they mean for real orders.
extension Venue {
    @usableFromInline @inline(never)
    func broke(_ event: MarketEvent, _ fault: BookFault?) -> BookFault? {
        guard let fault else { return nil }
        setUnusable(event.market)
        return fault
    }

    /// The recording cannot be trusted until its next snapshot: the crowd counts as gone, real orders stay, and
    /// nothing fills against what cannot be seen.
    package func setUnusable(_ market: Market.ID) {
        let lane = lanes + Int(market.index)
        publishCrowdGone(market)
        lane.pointee.clearCrowd()
        lane.pointee.forgetTaken()
        lane.pointee.isBroken = true
        lane.pointee.isQuiet = false
        forEachLevel(lane) { level in
            level.removed = .zero
            level.traded = .zero
        }
    }

    @usableFromInline @inline(never)
    func applyCarefully(_ event: MarketEvent, _ change: BookChange) -> BookFault? {
        let lane = lanes + Int(event.market.index)
        if event.kind == .trade, lane.pointee.isQuiet, Lane.isFarTrade(event, lane) {
            lane.pointee.isInGroup = !event.flags.contains(.groupEnd)
            return nil
        }
        if event.exchangeTime != lane.pointee.groupTime || !event.exchangeTime.isKnown {
            finishGroup(event.market, lane, at: event.receiveTime)
            lane.pointee.groupTime = event.exchangeTime
        }
        lane.pointee.isQuiet = false
        var fault: BookFault?
        switch event.kind {
        case .delta: fault = lane.pointee.isBroken ? nil : crowdChanged(event, lane, change)
        case .trade: crowdTraded(event, lane)
        case .snapshotStart: snapshotStarted(event, lane, change)
        case .snapshotLevel: fault = snapshotLevel(event, lane, change)
        case .groupEnd: break
        }
        if event.flags.contains(.snapshotEnd) { snapshotEnded(event, lane) }
        lane.pointee.isInGroup = !event.flags.contains(.groupEnd) && event.kind != .groupEnd
        if !lane.pointee.isInGroup { finishGroup(event.market, lane, at: event.receiveTime) }
        if !tradedGroups.isEmpty { judgeGroups(event.receiveTime) }
        return fault
    }

    // MARK: Changes

    private func crowdChanged(
        _ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>, _ change: BookChange
    ) -> BookFault? {
        let side = event.side
        let shown = settings.publishes ? lane.pointee.crowdSize(side, event.price) : .zero
        let recorded = lane.pointee.crowd.size(side, at: event.price)
        let known = lane.pointee.crowdSize(side, event.price)
        if let fault = change(lane.pointee.book, event) { return broke(event, fault) }
        if !lane.pointee.taken.isEmpty { giveBack(event, recorded, lane) }
        if event.quantity.isPositive {
            if let best = lane.pointee[side.opposite].best, side.crosses(event.price, resting: best) {
                lane.pointee.mayCross = true
            }
        } else if let level = lane.pointee[side].find(event.price) {
            let gone = known - lane.pointee.crowdSize(side, event.price)
            if lane.pointee[side].levels[level].removed.isZero {
                lane.pointee[side].levels[level].sizeBefore = known
            }
            lane.pointee[side].levels[level].removed += gone
            lane.pointee.isDirty = true
        }
        if settings.publishes {
            let difference = lane.pointee.crowdSize(side, event.price) - shown
            publishChange(
                event.market, side, event.price, difference, at: event.receiveTime, event.exchangeTime)
        }
        return nil
    }

    /// What our orders took comes back as the recording shows changes (``TakenRule``).
    private func giveBack(_ event: MarketEvent, _ recorded: Quantity, _ lane: UnsafeMutablePointer<Lane>) {
        let taken = lane.pointee.taken(event.side, event.price)
        guard taken.isPositive else { return }
        let size = recorded + event.quantity
        let kept: Quantity =
            switch settings.taken {
            case .off, .untilChange: .zero
            case .untilRemoved: taken + min(event.quantity, .zero)
            case .untilEmpty: taken
            }
        lane.pointee.limitTaken(event.side, event.price, to: max(min(kept, size), .zero))
    }

    // MARK: Trades

    /// A recorded taker met the crowd: the queue at the price moves up, and what is left of the taker's size when
    /// it reaches a real order fills it. Orders at better prices would have been met before.
    private func crowdTraded(_ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>) {
        if settings.publishes { publishTrade(event) }
        guard !event.flags.contains(.block), lane.pointee.isOpen, !lane.pointee.isBroken else { return }
        let side = event.side.opposite
        var left = event.quantity
        while left.isPositive, let best = lane.pointee[side].best, side.isBetter(best, than: event.price) {
            guard settings.crossing != .none else { break }
            let whole = settings.crossing == .whole
            let filled = fillLevel(
                event.market, side, upTo: whole ? .crowdLimit : left, at: event.receiveTime)
            left = max(left - filled, .zero)
            if lane.pointee[side].best == best { break }
        }
        guard let index = lane.pointee[side].find(event.price) else { return }
        let vanished = lane.pointee[side].levels[index].vanished(at: event.receiveTime)
        let told = min(vanished, event.quantity)
        lane.pointee[side].levels[index].vanished -= told
        lane.pointee[side].levels[index].traded += event.quantity - told
        lane.pointee[side].levels[index].tradedTime = event.receiveTime
        lane.pointee.isDirty = true
        // What left before its trade was told has been shared out as cancelled: that is taken back, and it leaves
        // from the front. Orders that came to rest since never had it ahead of them.
        let late = min(told, left)
        if late.isPositive {
            giveBackVanished(lane, side, index, told, of: vanished)
            advanceQueue(event.market, side, index, by: late, at: event.receiveTime, isLate: true)
            left -= late
        }
        guard left.isPositive, let index = lane.pointee[side].find(event.price) else { return }
        advanceQueue(event.market, side, index, by: left, at: event.receiveTime)
    }

    private func giveBackVanished(
        _ lane: UnsafeMutablePointer<Lane>, _ side: Side, _ index: Int, _ told: Quantity,
        of vanished: Quantity
    ) {
        var slot = lane.pointee[side].levels[index].head
        while slot >= 0, orders[slot].sawVanished {
            let product = Int128(orders[slot].vanishedAhead.hundredths) * Int128(told.hundredths)
            let whole = Int128(vanished.hundredths)
            // Rounded up: never optimistic.
            let share = Quantity(hundredths: Int64((product + whole - 1) / whole))
            orders[slot].crowdAhead += share
            orders[slot].vanishedAhead -= share
            slot = orders[slot].next
        }
    }

    /// Lets `quantity` contracts of a crowd taker eat into a level from the front: crowd, order, crowd, …
    ///
    /// `isLate`: the contracts have left the level already, before orders that did not see it came to rest.
    private func advanceQueue(
        _ market: Market.ID, _ side: Side, _ index: Int, by quantity: Quantity, at now: Timestamp,
        isLate: Bool = false
    ) {
        let lane = lanes + Int(market.index)
        let price = lane.pointee[side].levels[index].price
        var left = quantity
        var eaten = Quantity.zero
        var slot = lane.pointee[side].levels[index].head
        while slot >= 0, left.isPositive, !isLate || orders[slot].sawVanished {
            let next = orders[slot].next
            let before = min(max(orders[slot].crowdAhead - eaten, .zero), left)
            eaten += before
            left -= before
            if left.isPositive {
                let contracts = min(left, orders[slot].remaining)
                fillResting(slot, contracts, at: price, taker: nil, now)
                left -= contracts
            }
            slot = next
        }
        shiftQueue(lane, side, price, by: eaten, isLate: isLate)
        publishEnd(market, now)
    }

    /// Moves a level's orders up by crowd contracts that left its front.
    func shiftQueue(
        _ lane: UnsafeMutablePointer<Lane>, _ side: Side, _ price: Price, by eaten: Quantity,
        isLate: Bool = false
    ) {
        guard eaten.isPositive, let index = lane.pointee[side].find(price) else { return }
        var slot = lane.pointee[side].levels[index].head
        while slot >= 0, !isLate || orders[slot].sawVanished {
            orders[slot].crowdAhead = max(orders[slot].crowdAhead - eaten, .zero)
            slot = orders[slot].next
        }
    }

    /// Fills a side's best level against the crowd, in order, and returns how much.
    @discardableResult
    private func fillLevel(_ market: Market.ID, _ side: Side, upTo limit: Quantity, at now: Timestamp)
        -> Quantity
    {
        let lane = lanes + Int(market.index)
        guard !lane.pointee[side].isEmpty else { return .zero }
        let level = lane.pointee[side].levels[lane.pointee[side].levels.count - 1]
        var left = limit
        var slot = level.head
        while slot >= 0, left.isPositive {
            let next = orders[slot].next
            let contracts = min(left, orders[slot].remaining)
            fillResting(slot, contracts, at: level.price, taker: nil, now)
            left -= contracts
            slot = next
        }
        publishEnd(market, now)
        return limit - left
    }

    // MARK: The end of a group

    /// Judges what a whole group did: contracts that left without a trade, and a crowd that now stands at or
    /// through a real order's price.
    func finishGroup(_ market: Market.ID, _ lane: UnsafeMutablePointer<Lane>, at now: Timestamp) {
        if lane.pointee.isDirty {
            lane.pointee.isDirty = false
            for side in [Side.bid, .ask] {
                for index in lane.pointee[side].levels.indices { settleLevel(lane, side, index, now) }
            }
        }
        if lane.pointee.mayCross {
            lane.pointee.mayCross = false
            if lane.pointee.isOpen, settings.crossing != .none {
                for side in [Side.bid, .ask] { fillCrossed(market, side, at: now) }
            }
        }
        if settings.taken == .off, !lane.pointee.taken.isEmpty {
            publishTakenGone(market, now)
            lane.pointee.forgetTaken()
        }
        refreshQuiet(lane)
    }

    /// How long a trade waits for the removal of its contracts.
    static let removalPatience = TimeSpan.seconds(2)

    private func settleLevel(
        _ lane: UnsafeMutablePointer<Lane>, _ side: Side, _ index: Int, _ now: Timestamp
    ) {
        let level = lane.pointee[side].levels[index]
        if level.removed.isPositive {
            let explained = min(level.removed, level.traded)
            lane.pointee[side].levels[index].traded -= explained
            lane.pointee[side].levels[index].removed = .zero
            let vanished = level.removed - explained
            if vanished.isPositive {
                let lately = level.vanished(at: now)
                lane.pointee[side].levels[index].vanished = lately + vanished
                lane.pointee[side].levels[index].vanishedTime = now
                let size = level.sizeBefore - explained
                var slot = level.head
                while slot >= 0 {
                    let before = orders[slot].crowdAhead
                    let after = settings.queue.ahead(after: vanished, ahead: before, level: size)
                    orders[slot].crowdAhead = after
                    if lately.isZero {
                        orders[slot].vanishedAhead = .zero
                        orders[slot].sawVanished = true
                    }
                    // One that came between two such removals counts as having seen neither.
                    if orders[slot].sawVanished { orders[slot].vanishedAhead += before - after }
                    slot = orders[slot].next
                }
            }
        }
        if level.traded.isPositive, now > level.tradedTime + Venue.removalPatience {
            lane.pointee[side].levels[index].traded = .zero
        }
        clampQueue(lane, side, index)
    }

    /// No more crowd can be ahead than is there.
    private func clampQueue(_ lane: UnsafeMutablePointer<Lane>, _ side: Side, _ index: Int) {
        let level = lane.pointee[side].levels[index]
        // The contracts of a trade that was told before its removal are still in the size.
        let size = max(lane.pointee.crowdSize(side, level.price) - level.traded, .zero)
        var slot = level.head
        while slot >= 0 {
            orders[slot].crowdAhead = min(orders[slot].crowdAhead, size)
            slot = orders[slot].next
        }
    }

    /// Real orders of `side` whose price the crowd's other side has reached must have traded with it.
    private func fillCrossed(_ market: Market.ID, _ side: Side, at now: Timestamp) {
        let lane = lanes + Int(market.index)
        while let best = lane.pointee[side].best, let crowd = lane.pointee.bestCrowd(side.opposite),
            side.crosses(best, resting: crowd)
        {
            let size = lane.pointee.crowdSize(side.opposite, crowd)
            let whole = settings.crossing == .whole
            let filled = fillLevel(market, side, upTo: whole ? .crowdLimit : size, at: now)
            takeFromCrowd(market, side.opposite, crowd, min(filled, size), at: now)
            if !filled.isPositive { break }
        }
    }

    /// Whether the feed may go the short way again.
    func refreshQuiet(_ lane: UnsafeMutablePointer<Lane>) {
        lane.pointee.isQuiet =
            !lane.pointee.isBroken && !settings.publishes && !lane.pointee.isInSnapshot
            && !lane.pointee.isDirty && !lane.pointee.mayCross
        if lane.pointee.isQuiet, lane.pointee.isWatchStale { Lane.refreshWatch(lane) }
    }

    // MARK: Snapshots

    private func snapshotStarted(
        _ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>, _ change: BookChange
    ) {
        publishCrowdGone(event.market)
        _ = change(lane.pointee.book, event)
        lane.pointee.isBroken = false
        lane.pointee.isInSnapshot = true
        lane.pointee.isQuiet = false
        if settings.taken != .untilRemoved, settings.taken != .untilEmpty {
            lane.pointee.forgetTaken()
        }
    }

    private func snapshotLevel(
        _ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>, _ change: BookChange
    ) -> BookFault? {
        guard lane.pointee.isInSnapshot, !lane.pointee.isBroken else { return nil }
        if let fault = change(lane.pointee.book, event) {
            lane.pointee.isInSnapshot = false
            return broke(event, fault)
        }
        return nil
    }

    private func snapshotEnded(_ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>) {
        lane.pointee.isInSnapshot = false
        for entry in lane.pointee.taken {
            lane.pointee.limitTaken(
                entry.side, entry.price, to: lane.pointee.crowd.size(entry.side, at: entry.price))
        }
        for side in [Side.bid, .ask] {
            for index in lane.pointee[side].levels.indices {
                lane.pointee[side].levels[index].removed = .zero
                lane.pointee[side].levels[index].traded = .zero
                clampQueue(lane, side, index)
            }
        }
        publishCrowd(event.market, at: event.receiveTime)
        lane.pointee.mayCross = lane.pointee.hasRealOrders
    }

    private func forEachLevel(_ lane: UnsafeMutablePointer<Lane>, _ change: (inout RealLevel) -> Void) {
        for side in [Side.bid, .ask] {
            for index in lane.pointee[side].levels.indices { change(&lane.pointee[side].levels[index]) }
        }
    }
}

extension Quantity {
    /// More than any order holds: no limit.
    static var crowdLimit: Quantity { Quantity(hundredths: 1 << 60) }
}
