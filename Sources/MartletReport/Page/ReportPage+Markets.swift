import Martlet

extension ReportPage {
    var marketSection: HTML {
        guard let charts = result.charts, !charts.markets.isEmpty else { return "" }
        let blocks = charts.markets.map(block)
        let more: HTML =
            charts.marketsWithout > 0
            ? " The \(charts.markets.count) most traded are drawn; \(charts.marketsWithout) more are in the table of markets."
            : ""
        return section(
            "markets", "Fills on the book",
            "Best bid and ask, the spread between them shaded; fills at their price; below, our position.\(more)",
            "\(blocks)")
    }

    private func block(_ market: MarketChart) -> HTML {
        let times =
            [market.bid, market.ask, market.position].flatMap { [$0.times.first, $0.times.last] }
            .compactMap { $0 } + market.fills.map { $0.time.nanoseconds }
        guard let first = times.min(), let last = times.max() else { return "" }
        let from = Timestamp(nanoseconds: first)
        let to = Timestamp(nanoseconds: last)
        let axis = timeAxis(from, to)
        let line = result.markets.first { $0.ticker == market.ticker }
        var head: HTML = "<h3>\(market.ticker)"
        if !market.title.isEmpty { head += #" <span class="unit">\#(market.title)</span>"# }
        head += "</h3>"
        var facts: [HTML] = []
        if let line {
            facts.append("net \(signed(line.performance.money.net))")
            facts.append("\(show.count(line.performance.fills.fills, "fill"))")
            facts.append("\(show.contracts(line.performance.fills.contracts)) contracts")
        }
        if let outcome = market.result {
            facts.append("result \(outcome)")
        } else {
            facts.append("no result")
        }
        var words: HTML = ""
        for (index, fact) in facts.enumerated() { words += index == 0 ? fact : " · \(fact)" }
        return head + #"<p class="note">\#(words)</p>"#
            + prices(market, axis: axis, from: from, to: to)
            + positions(market, axis: axis, from: from, to: to)
    }

    private func prices(_ market: MarketChart, axis: Axis, from: Timestamp, to: Timestamp) -> HTML {
        let values =
            [market.bid, market.ask].flatMap { $0.values.compactMap { $0 } } + market.fills.map(\.price)
        let low = max(0, values.min() ?? 0)
        let high = min(1, values.max() ?? 1)
        let room = max((high - low) * 0.06, 0.002)
        let y = Axis.linear(max(0, low - room), min(1, high + room), count: 5) { value, places in
            "$" + show.number(value, decimals: max(2, places))
        }
        var plot = Plot(x: axis, y: y, height: 210, origin: from, format: .price)
        let end = (to - from).seconds
        plot.spread(points(market.bid, from: from), points(market.ask, from: from), until: end)
        plot.line(points(market.bid, from: from), kind: "c1 thin", name: "bid", isStep: true, until: end)
        plot.line(points(market.ask, from: from), kind: "c2 thin", name: "ask", isStep: true, until: end)
        plot.explain("line", kind: "c1", "bid")
        plot.explain("line", kind: "c2", "ask")
        for event in market.events where event.time >= from && event.time <= to {
            plot.vertical(
                (event.time - from).seconds, kind: event.kind.colour,
                tip: "\(show.clock(event.time)) \(event.text)")
        }
        for mark in market.fills {
            let tip =
                "\(show.clock(mark.time)) \(mark.isBuy ? "bought" : "sold") "
                + "\(show.number(mark.contracts, decimals: 2)) at $\(show.number(mark.price, decimals: 4)), "
                + "\(mark.isTaker ? "taker" : "maker")" + (mark.fills > 1 ? ", \(mark.fills) fills" : "")
            plot.mark(
                (mark.time - from).seconds, mark.price, symbol: mark.isBuy ? "up" : "down",
                kind: "\(mark.isBuy ? "buy" : "sell") \(mark.isTaker ? "taker" : "maker")", tip: tip)
        }
        for (isBuy, isTaker) in [(true, false), (false, false), (true, true), (false, true)]
        where market.fills.contains(where: { $0.isBuy == isBuy && $0.isTaker == isTaker }) {
            plot.explain(
                isBuy ? "up" : "down", kind: "\(isBuy ? "buy" : "sell") \(isTaker ? "taker" : "maker")",
                "\(isBuy ? "bought" : "sold"), \(isTaker ? "taker" : "maker")")
        }
        let merged = market.fills.map(\.fills).max() ?? 1
        return plot.html(
            title: "Price", unit: "US dollars for a yes",
            note: merged > 1
                ? "A mark stands for up to \(merged) neighbouring fills, at their mean price." : "")
    }

    private func positions(_ market: MarketChart, axis: Axis, from: Timestamp, to: Timestamp) -> HTML {
        let range = range([market.position]) ?? (0, 0)
        var plot = Plot(
            x: axis, y: numberAxis(min(0, range.low), max(0, range.high), count: 3), height: 84,
            origin: from)
        let line = [(x: 0.0, y: Optional(0.0))] + points(market.position, from: from)
        let end = (to - from).seconds
        plot.area(line, base: 0, kind: "c3", isStep: true, until: end)
        plot.line(line, kind: "c3", name: "position", isStep: true, until: end)
        return plot.html(title: "Position", unit: "contracts of yes; below zero, of no")
    }
}

extension Plot {
    /// The space between two step lines, where both have a value.
    mutating func spread(
        _ low: [(x: Double, y: Double?)], _ high: [(x: Double, y: Double?)], until end: Double
    ) {
        // Both lines as of each time at which either changes.
        var steps: [(x: Double, low: Double?, high: Double?)] = []
        var (i, j) = (0, 0)
        var (a, b): (Double?, Double?) = (nil, nil)
        while i < low.count || j < high.count {
            let x = min(i < low.count ? low[i].x : .infinity, j < high.count ? high[j].x : .infinity)
            while i < low.count, low[i].x <= x {
                a = low[i].y
                i += 1
            }
            while j < high.count, high[j].x <= x {
                b = high[j].y
                j += 1
            }
            steps.append((x, a, b))
        }
        steps.append((end, nil, nil))
        band(steps)
    }
}

extension RunEvent.Kind {
    var label: String {
        switch self {
        case .active: "active"
        case .reduceOnly: "reduce only"
        case .halted: "halted"
        case .paused: "market paused"
        case .resumed: "market resumed"
        case .closed: "market closed"
        case .determined: "result"
        case .bookUnusable: "book unusable"
        case .bookUsable: "book usable"
        case .other: "other"
        }
    }
    /// The style of its mark.
    var colour: String {
        switch self {
        case .halted, .bookUnusable: "bad"
        case .reduceOnly, .paused: "mild"
        case .active, .resumed, .bookUsable: "good"
        case .closed, .determined, .other: "plain"
        }
    }
}
