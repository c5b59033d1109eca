import Martlet

extension Engine {
    /// Takes any input with the time at which it was received; time never runs backwards inside.
    public mutating func handle(_ input: EngineInput, at time: Timestamp) {
        if case .market(let event) = input {
            handle(event)
            return
        }
        if time > markets.now { markets.now = time }
        switch input {
        case .started(let nonce): start(nonce)
        case .defined(let market): define(market)
        case .market: break
        case .ticker(let ticker):
            guard markets.isKnown(ticker.market) else { return countUnknownMarket() }
            tellAll(subscribedTo: ticker.market) { $0.tickerChanged(ticker) }
        case .reference(let value):
            for index in 0..<strategyCount { host(index).referenceChanged(value) }
        case .status(let market, let status):
            guard markets.isKnown(market) else { return countUnknownMarket() }
            changeStatus(market, status)
        case .result(let market, let result):
            guard markets.isKnown(market) else { return countUnknownMarket() }
            markets.setResult(market, result)
            shared.record(.result(market, result))
            changeStatus(market, .determined)
        case .settled(let market, let result):
            guard markets.isKnown(market) else { return countUnknownMarket() }
            settle(market, result)
        case .unusable(let market, let fault): becomeUnusable(market, fault)
        case .report(let report): trading.handle(report, now: now)
        case .balance(let shard, let cash): trading.setBalance(shard: shard, cash, now: now)
        case .adoptedOrder(let order, let strategy):
            guard markets.isKnown(order.market) else { return countUnknownMarket() }
            _ = trading.adopt(order, strategy: strategy, now: now)
        case .adoptedPosition(let market, let position, let strategy):
            guard markets.isKnown(market) else { return countUnknownMarket() }
            trading.adopt(position, in: market, strategy: strategy, now: now)
        case .limits(let limits): trading.setLimits(limits, now: now)
        case .clock: break
        case .command(let command):
            trading.command(command, now: now)
            if command == .resume { remindOfBooks() }
        case .stopped: stop()
        }
        runClock()
        settleWork()
    }

    /// `.report` without the envelope: a simulated venue's reports are as many as its orders.
    public mutating func handle(_ report: VenueReport, at time: Timestamp) {
        if time > markets.now { markets.now = time }
        let now = now
        core._withUnsafeGuaranteedRef { $0.handle(report, now: now) }
        runClock()
        settleWork()
    }

    private func host(_ index: Int) -> StrategyHost { hosts[index].takeUnretainedValue() }

    private mutating func start(_ nonce: UInt64) {
        guard markStarted() else { return }
        shared.generator = SeededGenerator(seed: nonce)
        trading.seed(nonce)
        for index in 0..<strategyCount { host(index).started() }
    }

    private mutating func stop() {
        guard markStopped() else { return }
        for index in 0..<strategyCount { host(index).stopped() }
    }

    /// A halt has taken off what strategies wanted resting, and a quiet book would not ask them again for hours.
    private mutating func remindOfBooks() {
        settleWork()
        for index in 0..<markets.count {
            let state = markets.states + index
            guard state.pointee.isUsable, state.pointee.changeSubscribers != 0 else { continue }
            tellChange(Market.ID(index), state.pointee.changeSubscribers)
        }
    }

    private mutating func define(_ market: Market) {
        let (id, isNew) = markets.define(market)
        if isNew {
            if market.openTime.isKnown, market.openTime > now {
                markets.setStatus(id, .initialized)
                shared.timers.set(.opens(id), at: market.openTime)
            } else if market.closeTime.isKnown, market.closeTime <= now {
                markets.setStatus(id, .closed)
            }
        }
        if market.closeTime.isKnown, market.closeTime > now {
            shared.timers.set(.closes(id), at: market.closeTime)
        }
        trading.marketDefined(id)
        guard hasStarted else { return }
        for index in 0..<strategyCount { host(index).marketDefined(id) }
    }

    private mutating func changeStatus(_ market: Market.ID, _ status: MarketStatus) {
        guard markets.status(market) != status else { return }
        markets.setStatus(market, status)
        shared.record(.status(market, status))
        trading.marketStatusChanged(market, now: now)
        tellAll(subscribedTo: market) { $0.statusChanged(market, status) }
    }

    private mutating func settle(_ market: Market.ID, _ result: MarketResult) {
        guard markets.markSettled(market) else {
            shared.record(
                .log(.warning, "\(markets.definition(market).ticker) settled twice", strategy: nil))
            return
        }
        if markets.result(market) != result {
            markets.setResult(market, result)
            shared.record(.result(market, result))
        }
        trading.settle(market, result, now: now)
        changeStatus(market, .finalized)
    }

    /// Fires what is due by the clock: market hours first set, first fired.
    private mutating func runClock() {
        shared.immediateTimers = 0
        while let entry = shared.timers.popDue(now) {
            switch entry {
            case .strategy(let index, let timer): host(index).timerFired(timer)
            case .opens(let market):
                let definition = markets.definition(market)
                if markets.status(market) == .initialized, definition.openTime <= now {
                    changeStatus(market, .active)
                }
            case .closes(let market):
                // The close may have been moved since this timer was set.
                let status = markets.status(market)
                if markets.definition(market).closeTime <= now, status == .active || status == .inactive {
                    changeStatus(market, .closed)
                }
            }
            settleWork()
        }
        if shared.immediateTimers > Engine.maximumRounds { countRunaway() }
        let now = now
        core._withUnsafeGuaranteedRef { $0.advance(to: now) }
    }

    /// Brings callbacks' intents to the gate, the gate's answers to the callbacks, and commands to the outputs,
    /// until all is said.
    @usableFromInline @inline(never)
    mutating func settleWork() {
        signals.pointee.hasWork = false
        var rounds = 0
        while true {
            if !shared.intents.isEmpty {
                // The gate calls no strategy, so nothing is added meanwhile.
                while !shared.intents.isEmpty {
                    let next = shared.intents.removeFirst()
                    trading.submit(next.intent, strategy: next.strategy, now: now)
                }
                trading.advance(to: now)
            }
            guard trading.hasOutput || !shared.intents.isEmpty else { break }
            trading.hasOutput = false
            while !trading.records.isEmpty {
                let record = trading.records.removeFirst()
                if shared.keepsRecords { shared.outputs.append(.record(record)) }
            }
            while !trading.commands.isEmpty {
                shared.outputs.append(.command(trading.commands.removeFirst()))
            }
            // Strategies only note intents, so that nothing is added meanwhile.
            while !trading.events.isEmpty { tell(trading.events.removeFirst()) }
            rounds += 1
            if rounds > Engine.maximumRounds {
                countRunaway()
                break
            }
        }
        signals.pointee.hasWork = false
        signals.pointee.hasOutputs = !shared.outputs.isEmpty
        signals.pointee.nextWake = min(shared.timers.next, trading.nextWake ?? .distantFuture)
    }

    private mutating func tell(_ event: TradingEvent) {
        switch event {
        case .order(let order, let strategy):
            shared.record(.order(order, strategy: strategy))
            if strategy < strategyCount {
                hosts[strategy]._withUnsafeGuaranteedRef { $0.orderChanged(order) }
            }
        case .fill(let fill, let strategy, let position):
            shared.record(.fill(fill, strategy: strategy, position: position))
            if strategy < strategyCount { hosts[strategy]._withUnsafeGuaranteedRef { $0.filled(fill) } }
        case .settlement(let settlement, let strategy):
            shared.record(.settlement(settlement, strategy: strategy))
            if strategy < strategyCount { host(strategy).settled(settlement) }
        case .risk(let state, let reason, let strategy):
            shared.record(.risk(state, reason: reason))
            // Nobody is told anything before `started`.
            guard hasStarted else { return }
            for index in 0..<strategyCount where strategy == nil || strategy == index {
                host(index).riskChanged(state)
            }
        }
    }
}
