import Martlet

extension ReportPage {
    var detailSection: HTML {
        section(
            "details", "Details", "",
            unsettledTable + marketTable + list("Assumed", assumptions) + settings + skipped + logs
                + configuration)
    }

    private var unsettledTable: HTML {
        guard !result.unsettled.isEmpty else { return "" }
        var table = Table(
            ["Market", "Strategy", "Position", "Cost", "Last mid", "Profit at mid", "Fees paid"], words: 2)
        for position in result.unsettled.prefix(Self.tableRows) {
            table.row([
                "\(position.ticker)", "\(position.strategy)", "\(show.contracts(position.quantity))",
                plain(position.cost), "\(position.mid.map { "$" + show.price($0) } ?? "none seen")",
                position.unrealized.map(plain) ?? "n/a", plain(position.fees),
            ])
        }
        return "<h3>Unsettled positions</h3>" + table.html() + rest(result.unsettled.count)
    }

    private func rest(_ count: Int) -> HTML {
        count > Self.tableRows
            ? #"<p class="note">And \#(show.count(count - Self.tableRows)) more, in the JSON.</p>"# : ""
    }

    private var marketTable: HTML {
        guard !result.markets.isEmpty else { return "" }
        // Columns that say nothing in a run without open positions are left out.
        let hasOpen = !result.unsettled.isEmpty
        var table = Table(
            ["Market", "Before fees", "Maker fees", "Taker fees", "Net"]
                + (hasOpen ? ["Unsettled", "Position"] : [])
                + ["Fills", "Contracts", "Turnover", "Orders", "Refused", "Result"])
        for line in result.markets.prefix(Self.tableRows) {
            table.row(
                ["\(line.ticker)"] + money(line.performance.money)
                    + (hasOpen
                        ? [plain(line.performance.money.unsettled), "\(show.contracts(line.position))"] : [])
                    + fills(line.performance.fills)
                    + [
                        "\(show.count(line.orders))", "\(show.count(line.refused))",
                        "\(line.result ?? "none")",
                    ])
        }
        let orders = result.markets.reduce(0) { $0 + $1.orders }
        let refused = result.markets.reduce(0) { $0 + $1.refused }
        table.row(
            ["All"] + money(result.total.money)
                + (hasOpen ? [plain(result.total.money.unsettled), ""] : []) + fills(result.total.fills)
                + ["\(show.count(orders))", "\(show.count(refused))", ""], isSum: true)
        let watched: HTML =
            #"<p class="note">\#(show.count(result.marketsWatched)) markets were known; those with orders are listed.</p>"#
        return "<h3>Markets</h3>" + table.html() + rest(result.markets.count) + watched
    }

    private func money(_ money: ProfitLine) -> [HTML] {
        [plain(money.beforeFees), plain(money.makerFees), plain(money.takerFees), plain(money.net)]
    }
    private func fills(_ fills: FillCounts) -> [HTML] {
        ["\(show.count(fills.fills))", "\(show.contracts(fills.contracts))", plain(fills.turnover)]
    }

    private var assumptions: [String] { result.facts.assumptions }

    private func list(_ title: String, _ lines: [String]) -> HTML {
        guard !lines.isEmpty else { return "" }
        let items = lines.prefix(Self.tableRows).map { line -> HTML in "<li>\(line)</li>" }
        return #"<h3>\#(title)</h3><ul class="plain">\#(items)</ul>"#
    }

    private func table(
        _ title: String, _ lines: [RunFacts.Named], heads: [String] = ["What", "Value"]
    ) -> HTML {
        guard !lines.isEmpty else { return "" }
        var table = Table(heads, words: 2, wraps: 1)
        for line in lines.prefix(Self.tableRows) { table.row(["\(line.name)", "\(line.value)"]) }
        return "<h3>\(title)</h3>" + table.html() + rest(lines.count)
    }

    private var settings: HTML {
        var lines = result.facts.settings
        for strategy in result.facts.strategies where !strategy.parameters.isEmpty {
            let text = strategy.parameters.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            lines.append(RunFacts.Named(strategy.name, text))
        }
        if let cash = result.facts.startingCash { lines.append(.init("starting cash", amount(cash))) }
        return table("Settings", lines + result.facts.counters)
    }

    private var skipped: HTML {
        table("Markets left out", result.facts.skipped, heads: ["Market", "Why"])
    }

    private var logs: HTML {
        let logs = result.logs
        guard logs.debug + logs.info + logs.warnings + logs.errors > 0 else { return "" }
        var text = ""
        for line in logs.lines {
            let strategy = line.strategy.map { " \($0):" } ?? ""
            text += "\(show.time(line.time)) \(line.level)\(strategy) \(line.text)\n"
        }
        return """
            <h3>Log</h3><p class="note">\(show.count(logs.errors, "error")), \(show.count(logs.warnings, "warning")), \
            \(show.count(logs.info, "note")), \(show.count(logs.debug, "debug line")).</p>
            <details><summary>\(show.count(logs.lines.count, "line"))</summary><pre>\(text)</pre></details>

            """
    }

    private var configuration: HTML {
        guard let text = result.facts.configuration else { return "" }
        return """
            <h3>Configuration</h3><details><summary>As the run read it</summary><pre>\(clipped(text, 40_000))</pre></details>

            """
    }
}
