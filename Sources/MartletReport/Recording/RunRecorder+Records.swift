import Martlet
import MartletEngine

extension RunRecorder {
    /// One thing that happened in the engine.
    package func take(_ record: EngineRecord, at time: Timestamp) {
        saw(time)
        switch record {
        case .order(let order, let strategy): take(order, strategy: slot(strategy), at: time)
        case .fill(let fill, let strategy, let position):
            take(fill, strategy: slot(strategy), position: position, at: time)
        case .settlement(let settlement, let strategy):
            take(settlement, strategy: slot(strategy), at: time)
        case .status(let market, let status): take(status, of: market, at: time)
        case .result(let market, let result):
            state(market).result = result
            note(.determined, market, "result \(result)", at: time)
        case .bookUnusable(let market, let fault):
            if fault != .noSnapshot { note(.bookUnusable, market, "book unusable: \(fault)", at: time) }
        case .bookUsable(let market):
            let isBack = markets(market)?.events.last { $0.kind == .bookUnusable || $0.kind == .bookUsable }
            if isBack?.kind == .bookUnusable { note(.bookUsable, market, "book usable again", at: time) }
        case .risk(let state, let reason):
            let kind: RunEvent.Kind =
                switch state {
                case .active: .active
                case .reduceOnly: .reduceOnly
                case .halted: .halted
                }
            append(RunEvent(time: time, kind: kind, market: nil, text: reason), to: &riskEvents)
        case .refused(_, let refusal, _): refused(refusal, isChange: true, at: time)
        case .log(let level, let text, let strategy):
            logs.take(level, text, strategy.map(strategyName), at: time, limit: limits.logLines)
        case .series(let name, let value, let strategy): take(name, value, strategy: strategy, at: time)
        }
    }

    private func take(_ order: Order, strategy: Int, at time: Timestamp) {
        switch orders[strategy].take(order, at: time) {
        case .asked:
            follow(order.market)
            state(order.market).orders += 1
        case .refused(let refusal):
            state(order.market).refused += 1
            refused(refusal, isChange: false, at: time)
        case .other: break
        }
    }

    private func refused(_ refusal: Refusal, isChange: Bool, at time: Timestamp) {
        var line =
            refusals[refusal.rule]
            ?? RefusalLine(
                rule: refusal.rule, orders: 0, changes: 0, value: clipped(refusal.value, 80),
                limit: clipped(refusal.limit, 80), first: time, last: time)
        if isChange { line.changes += 1 } else { line.orders += 1 }
        line.last = time
        refusals[refusal.rule] = line
    }

    private func take(_ fill: Fill, strategy: Int, position: Position, at time: Timestamp) {
        orders[strategy].take(fill, at: time)
        follow(fill.market)
        let state = state(fill.market)
        state.hold(strategy) { $0.take(fill, position: position) }
        if state.purchases == nil { state.purchases = PurchaseTally() }
        state.purchases?.add(fill)
        if state.marks == nil { state.marks = FillMarks(capacity: limits.fillMarks) }
        state.marks?.add(fill, at: time)
        let held = state.position.contracts
        state.lines?.position.add(time, held)
    }

    private func take(_ settlement: Settlement, strategy: Int, at time: Timestamp) {
        let state = state(settlement.market)
        state.result = settlement.result
        // A subscribed market without a position is told of too.
        guard state.holdings.contains(where: { $0.strategy == strategy }) || !settlement.position.isZero
        else { return }
        state.hold(strategy) { $0.take(settlement) }
        let held = state.position.contracts
        state.lines?.position.add(time, held)
    }

    private func take(_ status: MarketStatus, of market: Market.ID, at time: Timestamp) {
        switch status {
        case .inactive: note(.paused, market, "paused", at: time)
        case .active:
            let last = markets(market)?.events.last?.kind
            if last == .paused { note(.resumed, market, "resumed", at: time) }
        case .closed: note(.closed, market, "closed", at: time)
        case .determined, .finalized, .initialized: break
        case .disputed: note(.other, market, "disputed", at: time)
        case .amended: note(.other, market, "result amended", at: time)
        case .unknown(let text): note(.other, market, "unknown status '\(clipped(text, 40))'", at: time)
        }
    }

    private static let eventsPerMarket = 40

    private func note(_ kind: RunEvent.Kind, _ market: Market.ID, _ text: String, at time: Timestamp) {
        // Every market ends; only the end of one that was traded is worth a mark.
        if kind == .closed || kind == .determined, markets(market)?.isActive != true { return }
        let event = RunEvent(time: time, kind: kind, market: ticker(market), text: text)
        let state = state(market)
        if state.events.count < RunRecorder.eventsPerMarket { state.events.append(event) }
        append(event, to: &marketEvents)
    }

    private func append(_ event: RunEvent, to events: inout [RunEvent]) {
        guard events.count < limits.events else {
            droppedEvents += 1
            return
        }
        events.append(
            RunEvent(
                time: event.time, kind: event.kind, market: event.market, text: clipped(event.text, 200)))
    }

    private func take(_ name: String, _ value: Double, strategy: Int, at time: Timestamp) {
        let full = strategies.count > 1 ? "\(strategyName(strategy)): \(name)" : name
        if let index = series.firstIndex(where: { $0.name == full }) {
            series[index].line.add(time, value)
        } else if series.count < limits.namedSeries {
            var line = ExtremeSeries(capacity: limits.marketBuckets)
            line.add(time, value)
            series.append((full, line))
        } else {
            droppedSeries += 1
        }
    }
}

/// At most `length` characters, an ellipsis where some were cut.
func clipped(_ text: String, _ length: Int) -> String {
    text.count <= length ? text : String(text.prefix(length - 1)) + "…"
}

/// Counts log lines and keeps the first warnings and errors, and the last lines of any kind.
struct LogTally {
    private var summary = LogSummary()
    private var important: [LogSummary.Line] = []
    private var latest: [LogSummary.Line] = []

    mutating func take(
        _ level: LogLevel, _ text: String, _ strategy: String?, at time: Timestamp, limit: Int
    ) {
        switch level {
        case .debug: summary.debug += 1
        case .info: summary.info += 1
        case .warning: summary.warnings += 1
        case .error: summary.errors += 1
        }
        let line = LogSummary.Line(
            time: time, level: level.rawValue, strategy: strategy, text: clipped(text, 400))
        if level >= .warning, important.count < limit / 2 {
            important.append(line)
        } else {
            latest.append(line)
            if latest.count > limit { latest.removeFirst(limit / 2) }
        }
    }

    func finished(limit: Int) -> LogSummary {
        var summary = summary
        let lines = important + latest.suffix(max(0, limit - important.count))
        summary.lines = lines.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return summary
    }
}
