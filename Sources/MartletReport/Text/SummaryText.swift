import Martlet

/// The run at a glance for a terminal: fixed width, one screen.
package struct SummaryText {
    let result: RunResult
    let show = Show.terminal
    let decimals: Int
    private var lines: [String] = []

    static let width = 96

    /// Several lines, each ended.
    package static func text(_ result: RunResult) -> String {
        var summary = SummaryText(result)
        summary.write()
        return summary.lines.map { trimmed($0) + "\n" }.joined()
    }

    private init(_ result: RunResult) {
        self.result = result
        decimals = ReportPage.decimals(result)
    }

    private mutating func write() {
        head()
        figures()
        strategies()
        markets()
        reasons()
        foot()
    }

    // MARK: Parts

    private mutating func head() {
        let facts = result.facts
        let mode =
            switch facts.mode {
            case .backtest: "backtest"
            case .paper: "paper trading"
            case .live: "live trading"
            case .replay: "replay"
            }
        add("Martlet \(mode): " + facts.strategies.map(\.name).joined(separator: ", "))
        var parts = [facts.source]
        if let start = facts.start, let end = facts.end {
            parts.append("\(show.period(start, end)) (\(show.span(end - start)))")
        }
        if let seed = facts.seed { parts.append("seed \(seed)") }
        if let budget = facts.writeBudget { parts.append("tier \(budget.tier)") }
        add(parts.joined(separator: ", "))
        if !facts.isComplete {
            add("PARTIAL RESULT: ended before its input did" + (facts.interruption.map { " (\($0))" } ?? ""))
        }
        for note in result.notes { add("Note: " + note) }
        add("")
    }

    private mutating func figures() {
        let total = result.total
        let money = total.money
        let orders = result.orders
        let fills = total.fills
        let maker =
            fills.contracts.isPositive ? fills.makerContracts.contracts / fills.contracts.contracts : 0
        let left = [
            ("Net profit", amount(money.net)), ("Before fees", amount(money.beforeFees)),
            ("Fees, maker", amount(money.makerFees)), ("Fees, taker", amount(money.takerFees)),
            ("Unsettled at mid", result.unsettled.isEmpty ? "none" : amount(money.unsettled)),
            ("Greatest drawdown", total.drawdown.map { amount($0.amount) } ?? "none"),
            ("Ratio a day", total.sharpe.map { show.number($0.perDay, decimals: 2) } ?? "n/a"),
            ("Brier score", result.calibration.map { show.number($0.brier, decimals: 4) } ?? "n/a"),
        ]
        let middle = [
            ("Fills", show.count(fills.fills)), ("Contracts", show.contracts(fills.contracts)),
            ("Turnover", amount(fills.turnover)), ("Maker share", show.percent(maker, decimals: 0)),
            ("Fill ratio", orders.fillRatio.map { show.percent($0) } ?? "n/a"),
            ("Median wait, filled", orders.untilFill.map { show.span($0.median) } ?? "n/a"),
            ("Holdings won", total.winRate.map { show.percent($0, decimals: 0) } ?? "n/a"),
            ("of closed", show.count(total.closed)),
        ]
        let right = [
            ("Orders asked", show.count(orders.asked)), ("Filled", show.count(orders.filled)),
            ("Partly filled", show.count(orders.partlyFilled)), ("Cancelled", show.count(orders.cancelled)),
            ("Rejected", show.count(orders.rejected)), ("Refused", show.count(orders.refused)),
            ("Withdrawn", show.count(orders.withdrawn)),
            ("Open or unknown", show.count(orders.open + orders.unknown)),
        ]
        for index in left.indices {
            add(
                cell(left[index], 18, 12) + "    " + cell(middle[index], 19, 11) + "    "
                    + cell(right[index], 15, 9))
        }
        add("")
    }

    private mutating func strategies() {
        let widths = [26, 13, 11, 13, 12, 9, 12]
        row(["Strategy", "Before fees", "Fees", "Net", "Unsettled", "Fills", "Drawdown"], widths)
        for line in result.strategies {
            row(
                [
                    line.name, amount(line.money.beforeFees), amount(line.money.fees),
                    amount(line.money.net), amount(line.money.unsettled), show.count(line.fills.fills),
                    line.drawdown.map { amount($0.amount) } ?? "none",
                ], widths)
        }
        add("")
    }

    /// The three best and the three worst, or all when there are few.
    private mutating func markets() {
        let traded = result.markets.filter { $0.performance.fills.fills > 0 }
        guard !traded.isEmpty else { return }
        let ranked = traded.enumerated().sorted { a, b in
            (b.element.performance.money.net, a.offset) < (a.element.performance.money.net, b.offset)
        }.map(\.element)
        let widths = [40, 13, 11, 12, 12]
        let shown = ranked.count <= 6 ? ranked : Array(ranked.prefix(3)) + Array(ranked.suffix(3))
        let title = ranked.count <= 6 ? "Market" : "Best and worst of \(show.count(ranked.count)) markets"
        row([title, "Net", "Fees", "Contracts", "Result"], widths)
        for (index, line) in shown.enumerated() {
            if ranked.count > 6, index == 3 { add("...") }
            row(
                [
                    line.ticker, amount(line.performance.money.net), amount(line.performance.money.fees),
                    show.contracts(line.performance.fills.contracts), line.result ?? "none",
                ], widths)
        }
        add("")
    }

    private mutating func reasons() {
        if !result.refusals.isEmpty {
            let most = result.refusals.prefix(4).map { line in
                "\(line.rule.rawValue) \(show.count(line.orders + line.changes)) "
                    + "(first: \(line.value) against \(line.limit))"
            }
            named("Refused by rule", most, of: result.refusals.count)
        }
        if !result.orders.rejections.isEmpty {
            named(
                "Rejected with",
                result.orders.rejections.prefix(4).map { "\($0.name) \(show.count($0.count))" },
                of: result.orders.rejections.count)
        }
        let stops = result.risk.filter { $0.kind != .active }
        if !stops.isEmpty {
            named(
                "Risk gate", stops.prefix(3).map { "\(show.clock($0.time)) \($0.kind.label): \($0.text)" },
                of: stops.count)
        }
        if let use = result.budget {
            add(
                "Rate limit: \(show.count(use.spent)) tokens, at most "
                    + "\(show.number(use.greatestPerSecond, decimals: 0)) a second; least at hand "
                    + "\(show.count(use.leastAvailable)); longest queue \(show.count(use.longestQueue))")
        }
    }

    private mutating func foot() {
        let facts = result.facts
        if !facts.assumptions.isEmpty {
            named("Assumed", facts.assumptions.prefix(3), of: facts.assumptions.count)
        }
        if !facts.skipped.isEmpty {
            named(
                "Left out", facts.skipped.prefix(3).map { "\($0.name) (\($0.value))" },
                of: facts.skipped.count)
        }
        if result.logs.errors + result.logs.warnings > 0 {
            add(
                "Log: \(show.count(result.logs.errors, "error")), \(show.count(result.logs.warnings, "warning"))"
            )
        }
        if let timing = facts.timing {
            add(
                "\(show.count(facts.records)) records in \(show.number(timing.seconds, decimals: 2)) s, "
                    + "\(show.number(timing.recordsPerSecond, decimals: 0)) a second")
        } else {
            add("\(show.count(facts.records)) records")
        }
    }

    // MARK: Lines

    private func amount(_ money: Money) -> String { show.money(money, decimals: decimals) }

    private mutating func named(_ name: String, _ items: some Collection<String>, of count: Int) {
        let more = count > items.count ? "; \(show.count(count - items.count)) more" : ""
        add("\(name): " + items.joined(separator: "; ") + more)
    }

    private mutating func row(_ cells: [String], _ widths: [Int]) {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let width = widths[index]
            text += index == 0 ? left(clipped(cell, width), width) : right(cell, width)
        }
        add(text)
    }
    private func cell(_ pair: (String, String), _ name: Int, _ value: Int) -> String {
        left(pair.0, name) + right(pair.1, value)
    }
    private func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(text.isEmpty ? 0 : 1, width - text.count)) + text
    }

    /// Text from outside must not steer the terminal: control characters become question marks.
    private mutating func add(_ text: String) {
        let clean = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.value {
                    case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: "?"
                    default: scalar
                    }
                }))
        lines.append(clipped(clean, SummaryText.width))
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}
