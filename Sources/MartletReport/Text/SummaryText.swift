import Martlet

/// The run at a glance: laid out to a terminal's columns, one screen; nothing is ever cut from a line.
package struct SummaryText {
    let result: RunResult
    let show = Show.terminal
    let decimals: Int
    private var lines: [String] = []

    private let columns: Int?
    /// What tables are laid out to.
    private let width: Int

    /// Three blocks of figures beside each other; with fewer columns there are two, or one.
    static let wide = 96
    private static let two = 66

    /// Several lines, each ended.
    /// - Parameter columns: of the terminal that shows it; nil where there is none: then no line is broken.
    package static func text(_ result: RunResult, columns: Int? = nil) -> String {
        var summary = SummaryText(result, columns)
        summary.write()
        return summary.lines.map { trimmed($0) + "\n" }.joined()
    }

    private init(_ result: RunResult, _ columns: Int?) {
        self.result = result
        self.columns = columns.map { max($0, 40) }
        width = min(self.columns ?? SummaryText.wide, SummaryText.wide)
        decimals = ReportPage.decimals
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
        // A session's number only makes its order ids its own: no result depends on it.
        if let seed = facts.seed, facts.mode == .backtest { parts.append("seed \(seed)") }
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
        blocks([(left, 18, 12), (middle, 19, 11), (right, 15, 9)])
        add("")
    }

    /// Columns of figures, as many beside each other as there is room for.
    private mutating func blocks(_ all: [(rows: [(String, String)], name: Int, value: Int)]) {
        let beside = width >= SummaryText.wide ? 3 : width >= SummaryText.two ? 2 : 1
        for start in stride(from: 0, to: all.count, by: beside) {
            let group = all[start..<min(start + beside, all.count)]
            for index in 0..<(group.map(\.rows.count).max() ?? 0) {
                add(group.map { cell($0.rows[index], $0.name, $0.value) }.joined(separator: "    "))
            }
        }
    }

    private mutating func strategies() {
        let summary = self
        func amount(_ money: Money) -> String { summary.amount(money) }
        var table: [(title: String, width: Int, text: (Performance) -> String)] = [
            ("Net", 13, { amount($0.money.net) }), ("Fees", 11, { amount($0.money.fees) }),
            ("Before fees", 13, { amount($0.money.beforeFees) }),
            ("Unsettled", 12, { amount($0.money.unsettled) }),
            ("Fills", 9, { summary.show.count($0.fills.fills) }),
            ("Drawdown", 12, { $0.drawdown.map { amount($0.amount) } ?? "none" }),
        ]
        if width < SummaryText.wide { table.remove(at: 2) }
        if width < SummaryText.two { table.removeLast(3) }
        let name = max(width - table.reduce(0) { $0 + $1.width }, 12)
        let widths = [min(name, 40)] + table.map(\.width)
        row(["Strategy"] + table.map(\.title), widths)
        for line in result.strategies { row([line.name] + table.map { $0.text(line) }, widths) }
        add("")
    }

    /// The three best and the three worst, or all when there are few.
    private mutating func markets() {
        let traded = result.markets.filter { $0.performance.fills.fills > 0 }
        guard !traded.isEmpty else { return }
        let ranked = traded.enumerated().sorted { a, b in
            (b.element.performance.money.net, a.offset) < (a.element.performance.money.net, b.offset)
        }.map(\.element)
        let widths = [max(min(width - 42, 40), 12), 13, 9, 11, 9]
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
                    + "\(show.number(use.greatestPerSecond, decimals: 0)) a second; least left "
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
        if !facts.counters.isEmpty {
            named("Data", facts.counters.map { "\($0.name) \($0.value)" }, of: facts.counters.count)
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
            text +=
                index == 0 ? left(columns == nil ? cell : clipped(cell, width), width) : right(cell, width)
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
        lines += SummaryText.folded(clean, columns)
    }

    /// Broken between words where a terminal ends, the rest indented.
    static func folded(_ text: String, _ columns: Int?) -> [String] {
        guard let columns, text.count > columns else { return [text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.count + 1 + word.count > columns {
                lines.append(line)
                line = "  "
            } else if !(lines.isEmpty && line.isEmpty) {
                line += " "
            }
            line += word
            while line.count > columns {
                lines.append(String(line.prefix(columns)))
                line = "  " + line.dropFirst(columns)
            }
        }
        return lines + [line]
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }
}
