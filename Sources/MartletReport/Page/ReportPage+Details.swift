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
        var table = Table([
            "Market", "Before fees", "Maker fees", "Taker fees", "Net", "Unsettled", "Position", "Result",
            "Fills", "Contracts", "Turnover", "Orders", "Refused",
        ])
        for line in result.markets.prefix(Self.tableRows) {
            let money = line.performance.money
            let fills = line.performance.fills
            table.row([
                "\(line.ticker)", plain(money.beforeFees), plain(money.makerFees), plain(money.takerFees),
                plain(money.net), plain(money.unsettled), "\(show.contracts(line.position))",
                "\(line.result ?? "none")", "\(show.count(fills.fills))",
                "\(show.contracts(fills.contracts))", plain(fills.turnover), "\(show.count(line.orders))",
                "\(show.count(line.refused))",
            ])
        }
        let total = result.total
        table.row(
            [
                "All", plain(total.money.beforeFees), plain(total.money.makerFees),
                plain(total.money.takerFees), plain(total.money.net), plain(total.money.unsettled), "", "",
                "\(show.count(total.fills.fills))", "\(show.contracts(total.fills.contracts))",
                plain(total.fills.turnover), "\(show.count(result.markets.reduce(0) { $0 + $1.orders }))",
                "\(show.count(result.markets.reduce(0) { $0 + $1.refused }))",
            ], isSum: true)
        let watched: HTML =
            #"<p class="note">\#(show.count(result.marketsWatched)) markets were known; those with orders are listed.</p>"#
        return "<h3>Markets</h3>" + table.html() + rest(result.markets.count) + watched
    }

    private var assumptions: [String] { result.facts.assumptions }

    private func list(_ title: String, _ lines: [String]) -> HTML {
        guard !lines.isEmpty else { return "" }
        let items = lines.prefix(Self.tableRows).map { line -> HTML in "<li>\(line)</li>" }
        return #"<h3>\#(title)</h3><ul class="plain">\#(items)</ul>"#
    }

    private func table(_ title: String, _ lines: [RunFacts.Named]) -> HTML {
        guard !lines.isEmpty else { return "" }
        var table = Table(["What", "Value"], words: 2, wraps: 1)
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

    private var skipped: HTML { table("Markets left out, and why", result.facts.skipped) }

    private var logs: HTML {
        let logs = result.logs
        guard logs.debug + logs.info + logs.warnings + logs.errors > 0 else { return "" }
        var text = ""
        for line in logs.lines {
            let strategy = line.strategy.map { " \($0):" } ?? ""
            text += "\(show.time(line.time)) \(line.level)\(strategy) \(line.text)\n"
        }
        return """
            <h3>Log</h3><p class="note">\(show.count(logs.errors)) errors, \(show.count(logs.warnings)) warnings, \
            \(show.count(logs.info)) notes, \(show.count(logs.debug)) debug lines.</p>
            <details><summary>\(show.count(logs.lines.count)) lines</summary><pre>\(text)</pre></details>

            """
    }

    private var configuration: HTML {
        guard let text = result.facts.configuration else { return "" }
        return """
            <h3>Configuration</h3><details><summary>As the run read it</summary><pre>\(clipped(text, 40_000))</pre></details>

            """
    }
}
