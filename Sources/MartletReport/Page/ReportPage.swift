import Martlet

/// The report as one HTML file: no network, no library, readable without script, light and dark. The same
/// result gives the same bytes.
package struct ReportPage {
    let result: RunResult
    let show = Show.page
    let decimals = ReportPage.decimals
    let start: Timestamp
    let end: Timestamp

    /// Rows of tables and bars on the page; the JSON has all.
    static let tableRows = 100
    static let barRows = 20

    init(_ result: RunResult) {
        self.result = result
        // Samples may lie outside what the driver calls the run.
        let times = result.charts?.profit.times ?? []
        let first = times.first.map { Timestamp(nanoseconds: $0) }
        let last = times.last.map { Timestamp(nanoseconds: $0) }
        start = [result.facts.start, first].compactMap { $0 }.min() ?? Timestamp(seconds: 0)
        end = [result.facts.end, last, start].compactMap { $0 }.max() ?? start
    }

    /// The whole page.
    package static func html(_ result: RunResult) -> String { ReportPage(result).page.text }

    /// Of dollars, in every run alike: what is exact stands in the result's JSON.
    static let decimals = 2

    private var page: HTML {
        let names = result.facts.strategies.map(\.name).joined(separator: ", ")
        let sections = [
            overview, profitSection, marketSection, orderSection, budgetSection, timelineSection,
            calibrationSection, seriesSection, detailSection,
        ]
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>\(names) · \(result.facts.source) · Martlet</title>
            <style>
            \(PageAssets.style)</style></head>
            <body>\(PageAssets.symbols)<main>
            \(header)\(tiles)\(sections)<footer>Martlet. Money is exact to $0.00000001 and shown rounded; times are UTC. \
            Lines are thinned for drawing and keep the extremes of what was sampled.</footer></main>
            <script>
            \(PageAssets.script)</script></body></html>

            """
    }

    // MARK: Head

    private var modeName: String {
        switch result.facts.mode {
        case .backtest: "Backtest"
        case .paper: "Paper trading"
        case .live: "Live trading"
        case .replay: "Replay"
        }
    }

    private var header: HTML {
        let facts = result.facts
        let names = facts.strategies.map(\.name).joined(separator: ", ")
        var parts = [facts.source]
        if end > start { parts.append(show.period(start, end) + " (\(show.span(end - start)))") }
        parts.append("\(show.count(facts.records)) records")
        if let budget = facts.writeBudget { parts.append("tier \(budget.tier)") }
        if let seed = facts.seed, facts.mode == .backtest { parts.append("seed \(seed)") }
        let partial: HTML =
            facts.isComplete
            ? ""
            : """
            <div class="partial" role="status"><b>Partial result.</b> The run ended before its input did\
            \(facts.interruption.map { ": \($0)" } ?? ""). All figures cover only what ran.</div>

            """
        let notes: HTML =
            result.notes.isEmpty
            ? "" : #"<div class="partial">\#(result.notes.joined(separator: " "))</div>"#
        return """
            <header><div class="kind">\(modeName)</div><h1>\(names)</h1>
            <p class="facts">\(parts.joined(separator: " · "))</p>
            \(navigation)\(partial)\(notes)</header>

            """
    }

    private var navigation: HTML {
        var links: [(String, String)] = [("overview", "Overview"), ("profit", "Profit")]
        if result.charts?.markets.isEmpty == false { links.append(("markets", "Markets")) }
        links.append(("orders", "Orders"))
        if result.budget != nil { links.append(("budget", "Rate limit")) }
        links += [("events", "Events"), ("calibration", "Calibration")]
        if result.charts?.series.isEmpty == false { links.append(("series", "Series")) }
        links.append(("details", "Details"))
        let anchors = links.map { id, name -> HTML in "<a href=\"#\(id)\">\(name)</a>" }
        return "<nav>\(anchors)</nav>\n"
    }

    private var tiles: HTML {
        let total = result.total
        let money = total.money
        let orders = result.orders
        let fills = total.fills
        let drawdown = total.drawdown
        let makerShare =
            fills.contracts.isPositive ? fills.makerContracts.contracts / fills.contracts.contracts : 0
        var cells: [HTML] = []
        func tile(_ name: String, _ value: HTML, _ more: String) {
            cells.append(
                #"<div class="tile"><span>\#(name)</span><b>\#(value)</b><span>\#(more)</span></div>"#)
        }
        tile("Net profit", signed(money.net), "after fees, realised")
        tile("Before fees", signed(money.beforeFees), "turnover " + amount(fills.turnover))
        tile(
            "Fees", "\(amount(money.fees))",
            "maker \(amount(money.makerFees)), taker \(amount(money.takerFees))")
        tile(
            "Unsettled", result.unsettled.isEmpty ? "none" : signed(money.unsettled),
            result.unsettled.isEmpty ? "no position left open" : "at last mid, not in net profit")
        tile(
            "Greatest drawdown", "\(drawdown.map { amount($0.amount) } ?? "none")",
            drawdown.map { "over \(show.span($0.to - $0.from))" } ?? "profit never fell")
        tile(
            "Fills", "\(show.count(fills.fills))",
            "\(show.contracts(fills.contracts)) contracts, \(show.percent(makerShare, decimals: 0)) maker")
        tile(
            "Fill ratio", "\(orders.fillRatio.map { show.percent($0) } ?? "n/a")",
            "of \(show.contracts(orders.contractsSent)) contracts sent")
        tile(
            "Won", "\(total.winRate.map { show.percent($0, decimals: 0) } ?? "n/a")",
            "\(show.count(total.won)) of \(show.count(total.closed)) closed holdings")
        return #"<div class="tiles">\#(cells)</div>"# + "\n"
    }

    // MARK: Words for figures

    func amount(_ money: Money) -> String { show.money(money, decimals: decimals) }
    /// With its sign, coloured.
    func signed(_ money: Money) -> HTML {
        let text = show.money(money, decimals: decimals, plus: true)
        return money == .zero
            ? "\(text)" : #"<span class="\#(money > .zero ? "gain" : "loss")">\#(text)</span>"#
    }
    /// With its sign, for tables.
    func plain(_ money: Money) -> HTML { "\(show.money(money, decimals: decimals))" }

    // MARK: Axes

    func timeAxis(_ from: Timestamp, _ to: Timestamp) -> Axis { .time(from: from, to: to, count: 9) }

    func moneyAxis(_ low: Double, _ high: Double, count: Int = 5) -> Axis {
        .linear(low, high, count: count) { value, places in
            (value < 0 ? show.minus : "") + "$" + show.number(abs(value), decimals: places == 1 ? 2 : places)
        }
    }
    func numberAxis(_ low: Double, _ high: Double, count: Int = 4) -> Axis {
        .linear(low, high, count: count) { show.number($0, decimals: $1) }
    }

    /// A line's points in seconds since `origin`.
    func points(_ line: ChartLine, from origin: Timestamp) -> [(x: Double, y: Double?)] {
        zip(line.times, line.values).map { ((Timestamp(nanoseconds: $0) - origin).seconds, $1) }
    }
    /// Lowest and highest of several lines, or nil when all are empty.
    func range(_ lines: [ChartLine]) -> (low: Double, high: Double)? {
        let values = lines.flatMap { $0.values.compactMap { $0 } }
        guard let low = values.min(), let high = values.max() else { return nil }
        return (low, high)
    }

    func section(_ id: String, _ title: String, _ sub: HTML, _ body: HTML) -> HTML {
        let lead: HTML = sub.text.isEmpty ? "" : #"<p class="sub">\#(sub)</p>"#
        return """
            <section id="\(id)"><h2>\(title)</h2>
            \(lead)\(body)</section>

            """
    }
}
