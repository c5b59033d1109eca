import Martlet
import MartletEngine

// A market's life: opening, pauses, close, result, payment (API.md §10).
extension Venue {
    /// Does what the clock has brought: openings, closings, expiries, payments.
    package func advance(to now: Timestamp) {
        while let (time, entry) = timers.popDue(now) {
            switch entry {
            case .opens(let market): opens(market, time)
            case .closes(let market): closes(market, time)
            case .closeCancel(let market):
                if lanes[Int(market.index)].isClosed { cancelAll(in: market, .marketClosed, time) }
            case .settles(let market, let generation):
                if lanes[Int(market.index)].settlement == generation,
                    let result = results[Int(market.index)]
                {
                    settle(market, result, at: time)
                }
            case .expires(let slot, let number): expires(slot, number, time)
            }
        }
    }

    func setTimes(_ id: Market.ID, _ market: Market, isNew: Bool, at now: Timestamp) {
        let lane = lanes + Int(id.index)
        lane.pointee.openTime = market.openTime
        lane.pointee.closeTime = market.closeTime
        guard !lane.pointee.isSettled, results[Int(id.index)] == nil else { return }
        if market.closeTime.isKnown {
            if now >= market.closeTime {
                // What rests there dies as after any close; a new market has nothing.
                if isNew { changeStatus(id, .closed, now) } else { setStatus(id, .closed, at: now) }
                return
            }
            timers.set(.closes(id), at: market.closeTime)
        }
        if market.openTime.isKnown, now < market.openTime {
            changeStatus(id, .initialized, now)
            timers.set(.opens(id), at: market.openTime)
        }
    }

    private func opens(_ market: Market.ID, _ now: Timestamp) {
        guard statuses[Int(market.index)] == .initialized, lanes[Int(market.index)].openTime <= now else {
            return
        }
        setStatus(market, .active, at: now)
    }

    private func closes(_ market: Market.ID, _ now: Timestamp) {
        let lane = lanes + Int(market.index)
        guard lane.pointee.closeTime.isKnown, lane.pointee.closeTime <= now, !lane.pointee.isClosed else {
            return
        }
        setStatus(market, .closed, at: now)
    }

    private func expires(_ slot: Int32, _ number: UInt64, _ now: Timestamp) {
        guard Int(slot) < orders.count, orders[slot].number == number,
            case .goodTill(let time) = orders[slot].timeInForce, Timestamp(seconds: time.seconds) <= now,
            judgeMarket(orders[slot].market, cancels: true, now) != .marketInactive
        else { return }
        let market = orders[slot].market
        end(slot, .expiry, now)
        publishEnd(market, now)
    }

    // MARK: Status

    /// The exchange announces a market's state. A pause keeps resting orders but those that asked to go;
    /// reactivation after it cancels what still rests.
    package func setStatus(_ market: Market.ID, _ status: MarketStatus, at now: Timestamp) {
        let before = statuses[Int(market.index)]
        guard before != status, !lanes[Int(market.index)].isSettled else { return }
        changeStatus(market, status, now)
        announcements.append(.status(market, status, at: now))
        switch status {
        case .active:
            if before == .inactive { cancelAll(in: market, .halt, now) }
            rearm(market, now)
        case .inactive: cancelAll(in: market, .halt, now) { $0.cancelsOnPause }
        case .closed:
            timers.set(.closeCancel(market), at: now + settings.closeCancelDelay)
        case .determined, .finalized: cancelAll(in: market, .marketClosed, now)
        case .initialized, .disputed, .amended, .unknown: break
        }
    }

    private func changeStatus(_ market: Market.ID, _ status: MarketStatus, _ now: Timestamp) {
        let lane = lanes + Int(market.index)
        statuses[Int(market.index)] = status
        lane.pointee.isOpen = status.isTrading
        switch status {
        case .closed, .determined, .disputed, .amended, .finalized: lane.pointee.isClosed = true
        case .initialized, .active, .inactive, .unknown: lane.pointee.isClosed = false
        }
    }

    /// A market that reopens after its close closes again by its new clock.
    private func rearm(_ market: Market.ID, _ now: Timestamp) {
        let lane = lanes + Int(market.index)
        if lane.pointee.closeTime.isKnown, now >= lane.pointee.closeTime {
            // Announced open past its recorded close: the exchange's word wins.
            lane.pointee.closeTime = .unknown
        } else if lane.pointee.closeTime.isKnown {
            timers.set(.closes(market), at: lane.pointee.closeTime)
        }
    }

    /// Pauses trading, or everything, on a shard; nil resumes. Orders that asked for it are cancelled.
    package func setPause(_ pause: ExchangePause?, shard: Int, at now: Timestamp) {
        pauses.removeAll { $0.shard == shard }
        guard let pause else { return }
        pauses.append((shard, pause))
        for index in 0..<marketCount where definitions[index].shard == shard {
            cancelAll(in: Market.ID(index), .halt, now) { $0.cancelsOnPause }
        }
    }

    /// Ends every resting order of a market that `condition` picks, in time priority.
    func cancelAll(
        in market: Market.ID, _ reason: CancelReason, _ now: Timestamp,
        where condition: (VenueOrder) -> Bool = { _ in true }
    ) {
        let lane = lanes + Int(market.index)
        var picked: [Int32] = []
        for side in [Side.bid, .ask] {
            for level in lane.pointee[side].levels.all {
                var slot = level.head
                while slot >= 0 {
                    if condition(orders[slot]) { picked.append(slot) }
                    slot = orders[slot].next
                }
            }
        }
        picked.sort { orders[$0].number < orders[$1].number }
        for slot in picked { end(slot, reason, now) }
        publishEnd(market, now)
    }

    // MARK: Result and payment

    /// The exchange determines a market. Payment follows by its timer, or when it is announced.
    package func setResult(_ market: Market.ID, _ result: MarketResult, at now: Timestamp) {
        let lane = lanes + Int(market.index)
        guard !lane.pointee.isSettled else {
            ignoredAnnouncements += 1
            return
        }
        setStatus(market, .determined, at: now)
        results[Int(market.index)] = result
        lane.pointee.settlement += 1
        announcements.append(.result(market, result, at: now))
        timers.set(
            .settles(market, generation: lane.pointee.settlement),
            at: now + definitions[Int(market.index)].settlementTimer)
    }

    /// Pays a market out, once: a dollar for each winning contract, or its value for a scalar.
    package func settle(_ market: Market.ID, _ result: MarketResult, at now: Timestamp) {
        let lane = lanes + Int(market.index)
        guard !lane.pointee.isSettled else {
            ignoredAnnouncements += 1
            return
        }
        results[Int(market.index)] = result
        setStatus(market, .finalized, at: now)
        lane.pointee.isSettled = true
        for account in accounts.indices { pay(account, market, result, now) }
        announcements.append(.settled(market, result, at: now))
    }

    private func pay(_ account: Int, _ market: Market.ID, _ result: MarketResult, _ now: Timestamp) {
        guard let entry = accounts[account].entry(market) else { return }
        let position = accounts[account].markets[entry].position
        guard !position.quantity.isZero else { return }
        let exact = result.payout(of: position.quantity)
        let payout = account == Venue.crowdAccount ? exact : settings.payoutRounding(exact)
        payoutRemainder += exact - payout
        accounts[account].markets[entry].position.quantity = .zero
        accounts[account].markets[entry].position.cost = .zero
        accounts[account].markets[entry].position.realized += payout - position.cost
        let shard = accounts[account].shard(definitions[Int(market.index)].shard)
        accounts[account].shards[shard].cash += payout
        refreshReserve(account, entry)
        settlements.append(
            SettlementRecord(
                account: account, market: market, result: result, position: position.quantity,
                cost: position.cost, payout: payout, fees: position.fees, time: now))
    }
}
