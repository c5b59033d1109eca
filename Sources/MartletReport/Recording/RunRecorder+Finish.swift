import Martlet
import MartletEngine

extension RunRecorder {
    /// Sums up. The recorder can go on being used, for a live page.
    package func finish(_ facts: RunFacts) -> RunResult {
        var facts = facts
        facts.start = facts.start ?? first
        facts.end = facts.end ?? last
        let active = markets.compactMap { $0 }.filter { $0.isActive || $0.refused > 0 }
            .sorted { ticker(of: $0) < ticker(of: $1) }
        let lines = active.map(line)
        let unsettled = active.flatMap(openPositions)
        var sum = performance(named: "all", holdings: active.flatMap { $0.holdings }, state: total)
        sum.money.unsettled = unsettled.reduce(.zero) { $0 + ($1.unrealized ?? .zero) }
        let perStrategy = orders.indices.compactMap { index -> Performance? in
            let holdings = active.flatMap { $0.holdings }.filter { $0.strategy == index }
            let outcomes = orders[index].finished()
            let isStrategy = index < strategies.count
            guard isStrategy || !holdings.isEmpty || outcomes.asked > 0 else { return nil }
            var performance = performance(
                named: strategyName(index), holdings: holdings, state: isStrategy ? strategies[index] : nil)
            performance.orders = outcomes
            performance.money.unsettled = unsettled.filter { $0.strategy == strategyName(index) }
                .reduce(.zero) { $0 + ($1.unrealized ?? .zero) }
            return performance
        }
        return RunResult(
            format: 1, facts: facts, total: sum, strategies: perStrategy, markets: lines,
            events: RunRecorder.events(lines), marketsWatched: markets.count { $0?.definition != nil },
            orders: OrderTally.sum(orders).finished(), refusals: sortedRefusals,
            calibration: calibration(active),
            unsettled: unsettled, budget: budgetAtEnd, risk: riskEvents, marketEvents: marketEvents,
            droppedEvents: droppedEvents, logs: logs.finished(limit: limits.logLines),
            notes: notes(sum, unsettled), charts: charts(active))
    }

    private func ticker(of market: MarketState) -> String { market.definition?.ticker ?? "" }

    private func performance(
        named name: String, holdings: [Holding], state: StrategyState?
    ) -> Performance {
        var sum = Performance(name: name)
        for holding in holdings {
            sum.money.add(holding.money)
            sum.fills.add(holding.fills)
            sum.closed += holding.closed
            sum.won += holding.won
        }
        sum.drawdown = state?.fall.greatest
        sum.sharpe = state?.changes.sharpe
        return sum
    }

    private func line(_ market: MarketState) -> MarketResultLine {
        var sum = performance(named: ticker(of: market), holdings: market.holdings, state: nil)
        sum.money.unsettled = openPositions(market).reduce(.zero) { $0 + ($1.unrealized ?? .zero) }
        return MarketResultLine(
            ticker: ticker(of: market), event: market.definition?.event ?? "",
            title: RunRecorder.title(market.definition), result: market.result?.description,
            position: market.position, performance: sum, orders: market.orders, refused: market.refused)
    }

    static func title(_ definition: Market?) -> String {
        guard let definition else { return "" }
        let parts = [definition.title, definition.subtitle].filter { !$0.isEmpty }
        return clipped(parts.joined(separator: " · "), 160)
    }

    private func openPositions(_ market: MarketState) -> [OpenPosition] {
        market.holdings.filter { !$0.position.quantity.isZero }.map { holding in
            OpenPosition(
                ticker: ticker(of: market), strategy: strategyName(holding.strategy),
                quantity: holding.position.quantity, cost: holding.position.cost, mid: market.mid,
                unrealized: market.mid.map { holding.position.unrealized(at: $0) },
                fees: holding.money.fees)
        }
    }

    private static func events(_ lines: [MarketResultLine]) -> [Performance] {
        var sums: [Performance] = []
        for line in lines.sorted(by: { ($0.event, $0.ticker) < ($1.event, $1.ticker) }) {
            if sums.last?.name != line.event { sums.append(Performance(name: line.event)) }
            var sum = sums.removeLast()
            sum.money.add(line.performance.money)
            sum.fills.add(line.performance.fills)
            sum.closed += line.performance.closed
            sum.won += line.performance.won
            sums.append(sum)
        }
        return sums
    }

    private var sortedRefusals: [RefusalLine] {
        RiskRule.allCases.enumerated()
            .compactMap { index, rule in refusals[rule].map { (index, $0) } }
            .sorted { a, b in
                (b.1.orders + b.1.changes, a.0) < (a.1.orders + a.1.changes, b.0)
            }
            .map(\.1)
    }

    private func calibration(_ markets: [MarketState]) -> Calibration? {
        var sum = CalibrationSum()
        for market in markets {
            if let tally = market.purchases, let result = market.result { sum.add(tally, result: result) }
        }
        return sum.calibration
    }

    /// What does not add up, and what limits the figures.
    private func notes(_ sum: Performance, _ unsettled: [OpenPosition]) -> [String] {
        var notes: [String] = []
        if let accounts = lastSample?.accounts {
            let realized = accounts.reduce(Money.zero) { $0 + $1.realized }
            let fees = accounts.reduce(Money.zero) { $0 + $1.fees }
            if realized != sum.money.beforeFees {
                notes.append(
                    "The fills and settlements recorded add up to \(sum.money.beforeFees) before fees, "
                        + "the portfolios to \(realized).")
            }
            if fees != sum.money.fees {
                notes.append(
                    "The fees of the fills recorded add up to \(sum.money.fees), the portfolios' to \(fees).")
            }
        }
        let unmarked = unsettled.count { $0.mid == nil }
        if unmarked > 0 {
            notes.append(
                "\(unmarked) open position\(unmarked == 1 ? " has" : "s have") no last mid "
                    + "and count as neither won nor lost.")
        }
        if droppedSeries > 0 {
            notes.append("\(droppedSeries) points of further series were not kept.")
        }
        return notes
    }

    private func charts(_ active: [MarketState]) -> RunCharts {
        let traded = active.filter { !$0.holdings.isEmpty }
        let drawn = traded.filter { $0.lines != nil }
            .map { ($0, $0.holdings.reduce(Quantity.zero) { $0 + $1.fills.contracts }) }
            .enumerated()
            .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }
            .prefix(limits.drawnMarkets).sorted { $0.offset < $1.offset }.map(\.element.0)
        return RunCharts(
            profit: ChartLine(total.profit), strategyProfits: strategies.map { ChartLine($0.profit) },
            drawdown: ChartLine(total.drawdown), tokensPerSecond: ChartLine(tokensPerSecond),
            tokensAvailable: ChartLine(tokensAvailable), queue: ChartLine(queue),
            markets: drawn.compactMap(chart), marketsWithout: traded.count - drawn.count,
            series: series.map { .init(name: $0.name, line: ChartLine($0.line)) })
    }

    private func chart(_ market: MarketState) -> MarketChart? {
        guard let lines = market.lines else { return nil }
        return MarketChart(
            ticker: ticker(of: market), title: RunRecorder.title(market.definition),
            result: market.result?.description, bid: ChartLine(lines.bid), ask: ChartLine(lines.ask),
            fills: market.marks?.marks ?? [], position: ChartLine(lines.position), events: market.events)
    }
}
