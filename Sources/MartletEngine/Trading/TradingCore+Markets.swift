import Martlet

// What happens to markets, to the account as a whole, and to the state of the risk gate.
extension TradingCore {
    /// Called at the end of each group of a watched market. O(1) while the mid stands still.
    @inline(__always)
    package func marketMoved(_ market: Market.ID, now: Timestamp) {
        guard Int(market.index) < desks.count else { return }
        if now >= nextDay { rollDay(now) }
        guard markets.isUsable(market), let mid = markets.book(market).mid else { return }
        if desks[Int(market.index)].mark != mid { markMoved(Int(market.index), mid, now) }
    }
    @inline(never)
    private func markMoved(_ market: Int, _ mid: Price, _ now: Timestamp) {
        desks[market].mark = mid
        guard desks[market].holders > 0 else { return }
        markAll(market)
        for index in portfolios.indices { judgeLoss(index, now) }
        serve(now)
    }

    /// A market opened, paused or closed. What was not sent is dropped; what rests the exchange takes off itself
    /// (a pause: when it ends).
    package func marketStatusChanged(_ market: Market.ID, now: Timestamp) {
        synchronise()
        guard Int(market.index) < desks.count, !markets.status(market).isTrading else { return }
        clearQuotes(strategy: account, market: market)
        withdrawUnsent(market, now)
        serve(now)
    }

    /// Drops everything but cancels that waits to be sent.
    private func withdrawUnsent(_ market: Market.ID?, _ now: Timestamp) {
        forEachOpen(of: account, in: market) { slot in
            if store.records[slot].life == .queued {
                withdraw(slot, now)
            } else if let pending = store.records[slot].pending, pending.work != .cancel {
                dequeue(slot)
                store.records[slot].pending = nil
                store.records[slot].order.isChanging = false
                refreshHeld(slot)
            }
        }
    }

    /// A book can no longer be trusted: what was not sent is dropped, quotes are pulled or held.
    package func bookBecameUnusable(_ market: Market.ID, now: Timestamp) {
        synchronise()
        guard Int(market.index) < desks.count else { return }
        switch settings.quotesOnUnusableBook {
        case .pull:
            clearQuotes(strategy: account, market: market)
            forEachOpen(of: account, in: market) { slot in
                if store.records[slot].quote >= 0 { cancel(slot, now) }
            }
        case .hold: break
        }
        withdrawUnsent(market, now)
        serve(now)
    }
    /// The book is back: held quotes move to where they are wanted.
    package func bookBecameUsable(_ market: Market.ID, now: Timestamp) {
        synchronise()
        guard Int(market.index) < desks.count else { return }
        for pair in quotePairs(in: Int(market.index)) {
            for side in Side.allCases {
                quotes[pair].refused[side] = nil
                reconcile(pair, side, now)
            }
        }
        marketMoved(market, now: now)
        serve(now)
    }

    // MARK: Adoption

    /// Takes in an order that an earlier run, or another program, left resting. It belongs to `strategy`, or to
    /// no one. Returns the id that reports must name it by.
    package func adopt(_ order: Order, strategy: Int?, now: Timestamp) -> OrderID {
        synchronise()
        let owner = strategy ?? unassigned
        var adopted = Order(id: nextOrderID(), request: order.request, status: .resting, requestTime: now)
        adopted.price = order.price
        adopted.quantity = order.quantity
        adopted.filled = order.filled
        adopted.restTime = now
        let slot = store.insert(
            OrderRecord(
                order: adopted, life: .resting, strategy: Int32(owner), venueFilled: order.filled,
                pending: nil,
                sentPrice: order.price, sentQuantity: order.quantity))
        portfolios[owner].openOrders += 1
        portfolios[account].openOrders += 1
        refreshHeld(slot)
        announce(slot)
        return adopted.id
    }

    /// Takes in contracts that were there before the run, or that the venue knows of and we do not, at what they
    /// cost. Cash is as the venue has it.
    package func adopt(_ position: Position, in market: Market.ID, strategy: Int?, now: Timestamp) {
        synchronise()
        let index = Int(market.index)
        let owner = strategy ?? unassigned
        guard !position.quantity.isZero else { return }
        let before = (
            owner: portfolios[owner].holdings[index].position.quantity.isZero, holders: desks[index].holders
        )
        takeIn(owner, index, position)
        takeIn(account, index, position)
        let isFlat = portfolios[owner].holdings[index].position.quantity.isZero
        desks[index].holders = before.holders + (before.owner ? 1 : 0) - (isFlat ? 1 : 0)
        let unit = Price(micros: Int(position.cost.raw / position.quantity.magnitude.hundredths))
        if desks[index].mark == nil {
            desks[index].mark = position.quantity.isPositive ? unit : unit.complement
        }
        markAll(index)
        watch(index)
        refreshCollateral(index)
        refreshReturn(index)
    }

    /// What it closes was paid for at its own price; that is no profit or loss of this day.
    private func takeIn(_ portfolio: Int, _ market: Int, _ position: Position) {
        let held = portfolios[portfolio].holdings[market].position
        if held.quantity.isZero || held.quantity.isPositive == position.quantity.isPositive {
            portfolios[portfolio].adopt(market, position.quantity, cost: position.cost)
            return
        }
        let side: Side = position.quantity.isPositive ? .bid : .ask
        let size = position.quantity.magnitude
        let unit = Price(micros: Int(position.cost.raw / size.hundredths))
        let before = portfolios[portfolio].profit
        let realized = portfolios[portfolio].realized - portfolios[portfolio].fees
        _ = portfolios[portfolio].trade(
            market, side, size, at: side == .bid ? unit : unit.complement, fee: .zero)
        portfolios[portfolio].leaveOut(since: before, realized)
    }

    // MARK: Settlement

    /// A market paid out. Saying it twice changes nothing.
    package func settle(_ market: Market.ID, _ result: MarketResult, now: Timestamp) {
        synchronise()
        rollDay(now)
        let index = Int(market.index)
        guard index < desks.count else { return }
        if let before = desks[index].result, before != result {
            log(
                .error,
                "\(markets.definition(market).ticker) settles \(result) after it had settled \(before)")
        }
        desks[index].result = result
        clearQuotes(strategy: account, market: market)
        withdrawUnsent(market, now)
        payOut(market, result, now)
        serve(now)
    }

    /// A fill that was reported after its market had paid out is paid out at once.
    func settleLate(_ market: Market.ID, _ now: Timestamp) {
        guard let result = desks[Int(market.index)].result else { return }
        log(.warning, "a fill came after \(markets.definition(market).ticker) had settled")
        payOut(market, result, now)
    }

    /// The account is paid by the exchange's rounding; what rounding takes is the first holder's.
    private func payOut(_ market: Market.ID, _ result: MarketResult, _ now: Timestamp) {
        let index = Int(market.index)
        guard desks[index].holders > 0 else { return }
        let net = portfolios[account].holdings[index].position.quantity
        let payout = settings.payoutRounding(result.payout(of: net))
        // Strategies that hold opposite sides hold a dollar a pair that the exchange has already paid.
        var exact = Money.zero
        for strategy in 0...unassigned {
            exact += result.payout(of: portfolios[strategy].holdings[index].position.quantity)
        }
        var correction = payout - (exact - Price.one * pairs(index))
        for strategy in 0...unassigned {
            let held = portfolios[strategy].holdings[index].position.quantity
            guard !held.isZero else { continue }
            let share = result.payout(of: held) + correction
            correction = .zero
            let profit = portfolios[strategy].settle(index, payout: share)
            let settlement = Settlement(
                market: market, result: result, position: held, payout: share, profit: profit, time: now)
            hasOutput = true
            if strategy == unassigned {
                records.append(.settlement(settlement, strategy: strategy))
            } else {
                events.append(.settlement(settlement, strategy: strategy))
            }
        }
        _ = portfolios[account].settle(index, payout: payout)
        cash.add(payout, to: shardIndex(index))
        desks[index].holders = 0
        watch(index)
        refreshCollateral(index)
        refreshReturn(index)
        for portfolio in portfolios.indices { judgeLoss(portfolio, now) }
    }

    /// Contracts that strategies hold on opposite sides, for which the exchange holds nothing.
    func pairs(_ market: Int) -> Quantity {
        var gross = Quantity.zero
        for strategy in 0...unassigned {
            gross += portfolios[strategy].holdings[market].position.quantity.magnitude
        }
        let net = portfolios[account].holdings[market].position.quantity.magnitude
        return Quantity(hundredths: (gross - net).hundredths / 2)
    }

    /// Cash as the venue has it, of one shard by its number or (nil) of the account: then the difference is
    /// booked to shard 0. It is cash that no position ties up, before what resting orders tie up.
    package func setBalance(shard: Int?, _ amount: Money, now: Timestamp) {
        synchronise()
        if let shard {
            let index = lane(of: shard)
            cash[index].cash = amount
        } else {
            cash.add(amount - cash.total, to: 0)
        }
        serve(now)
    }

    // MARK: Risk state

    package func command(_ command: OperatorCommand, now: Timestamp) {
        synchronise()
        switch command {
        case .halt(let reason): setState(.halted, of: account, reason, now)
        case .reduceOnly(let reason):
            // A halt is stricter, and ends by a resume alone.
            if gate.states[account] == .halted {
                log(.warning, "stays halted, for that is stricter than reduce only (\(reason))")
            } else {
                setState(.reduceOnly, of: account, reason, now)
            }
        case .resume:
            for index in portfolios.indices {
                gate.set(.active, for: index)
                portfolios[index].startDay()
            }
            haltSweep = nil
            // What was refused for the halt alone may be asked for again.
            for pair in quotes.indices { quotes[pair].refused = BySide(nil) }
            tell(.risk(.active, reason: "resumed by the operator", strategy: nil))
        case .tighten(let account, let strategies):
            gate.tighten(account: account, strategies: strategies)
            log(.info, "limits tightened by the operator")
            for index in portfolios.indices { judgeLoss(index, now) }
            pullBeyondLimits(now)
        case .carry(let profit, let strategy):
            guard strategy.map({ $0 >= 0 && $0 <= unassigned }) ?? true else { break }
            let index = strategy ?? account
            portfolios[index].carry(profit)
            judgeLoss(index, now)
        }
        serve(now)
    }

    /// Moves a strategy's state, or the account's, and cancels what is open under it.
    func setState(_ state: RiskState, of portfolio: Int, _ reason: String, _ now: Timestamp) {
        guard gate.states[portfolio] != state else { return }
        gate.set(state, for: portfolio)
        clearQuotes(strategy: portfolio, market: nil)
        forEachOpen(of: portfolio, in: nil) { cancel($0, now) }
        if state == .halted { haltSweep = now + settings.router.haltRetry }
        if portfolio == unassigned {
            log(.error, "adopted orders are \(state.rawValue): \(reason)")
        } else {
            tell(.risk(state, reason: reason, strategy: portfolio == account ? nil : portfolio))
        }
    }

    /// Cancels again whatever is still open under a halt.
    func sweepHalted(_ now: Timestamp) {
        haltSweep = nil
        for portfolio in portfolios.indices where gate.states[portfolio] == .halted {
            var left = 0
            forEachOpen(of: portfolio, in: nil) { slot in
                cancel(slot, now)
                left += 1
            }
            if left > 0 { haltSweep = now + settings.router.haltRetry }
        }
    }

    /// Halts what has lost its day's limit.
    @inline(__always)
    func judgeLoss(_ portfolio: Int, _ now: Timestamp) {
        let loss = portfolios[portfolio].dailyLoss
        if loss.raw > 0, loss >= gate.dailyLossLimit(portfolio) { haltAtLoss(portfolio, loss, now) }
    }
    @inline(never)
    private func haltAtLoss(_ portfolio: Int, _ loss: Money, _ now: Timestamp) {
        guard gate.states[portfolio] != .halted else { return }
        let limit = gate.dailyLossLimit(portfolio)
        let name =
            portfolio < unassigned
            ? strategyNames[portfolio] : portfolio == account ? "the account" : "unassigned"
        setState(.halted, of: portfolio, "\(name) lost \(loss) today, limit \(limit)", now)
    }

    /// Begins a new day of the daily loss. A halt outlives it.
    @inline(__always)
    func rollDay(_ now: Timestamp) {
        if now >= nextDay { startDay(now) }
    }
    @inline(never)
    private func startDay(_ now: Timestamp) {
        let isFirst = nextDay == .distantPast
        let hour = Int64(min(max(settings.accountLimits.dayStartHour, 0), 23)) * 3600
        let day: Int64 = 86_400
        var passed = (now.seconds - hour) % day
        if passed < 0 { passed += day }
        nextDay = Timestamp(seconds: now.seconds - passed + day)
        guard !isFirst else { return }
        for index in portfolios.indices { portfolios[index].startDay() }
    }
}
