import Martlet

extension ReportPage {
    var orderSection: HTML {
        let orders = result.orders
        let words: HTML = """
            \(show.count(orders.asked)) orders asked for, \(show.count(orders.sent)) sent, \
            \(show.count(orders.rested)) came to rest. Each counts once, by its end.
            """
        guard orders.asked > 0 || !result.refusals.isEmpty else {
            return section("orders", "Orders", "No order was asked for.", "")
        }
        return section(
            "orders", "Orders", words,
            #"<div class="cols"><div><h3>What became of them</h3>"# + outcomes(orders) + "</div><div>"
                + reasons(orders) + "</div></div>" + byStrategy + refusalTable + queueTimes(orders))
    }

    private func outcomes(_ orders: OrderOutcomes) -> HTML {
        let parts: [(String, Int, String)] = [
            ("Filled", orders.filled, "c1"), ("Partly filled", orders.partlyFilled, "c3"),
            ("Cancelled unfilled", orders.cancelled, "cf"),
            ("Rejected by the exchange", orders.rejected, "c2"),
            ("Refused by the gate", orders.refused, "c5"), ("Withdrawn unsent", orders.withdrawn, "cf"),
            ("Unknown", orders.unknown, "c4"), ("Still open", orders.open, "cf"),
        ]
        return counts(parts.filter { $0.1 > 0 }, of: orders.asked)
    }

    private var byStrategy: HTML {
        guard result.strategies.count > 1 else { return "" }
        var table = Table([
            "Strategy", "Asked", "Sent", "Filled", "Partly", "Cancelled", "Rejected", "Refused", "Withdrawn",
            "Fill ratio", "Median wait",
        ])
        for line in result.strategies {
            guard let orders = line.orders else { continue }
            let figures = [
                orders.asked, orders.sent, orders.filled, orders.partlyFilled, orders.cancelled,
                orders.rejected,
                orders.refused, orders.withdrawn,
            ]
            table.row(
                ["\(line.name)"] + figures.map { "\(show.count($0))" } + [
                    "\(orders.fillRatio.map { show.percent($0) } ?? "n/a")",
                    "\(orders.untilFill.map { show.span($0.median) } ?? "n/a")",
                ])
        }
        return "<h3>By strategy</h3>" + table.html()
    }

    private func counts(_ parts: [(String, Int, String)], of whole: Int) -> HTML {
        Bars(
            rows: parts.map { name, count, kind in
                let share = whole > 0 ? show.percent(Double(count) / Double(whole)) : ""
                return Bars.Row(
                    name: name, segments: [.init(from: 0, to: Double(count), kind: kind, tip: share)],
                    figure: "\(show.count(count)) <small>\(share)</small>")
            }
        ).html()
    }

    private func reasons(_ orders: OrderOutcomes) -> HTML {
        var out: HTML = ""
        if !orders.cancelReasons.isEmpty {
            out += "<h3>Why orders left the book</h3>"
            let whole = orders.cancelReasons.reduce(0) { $0 + $1.count }
            out += counts(orders.cancelReasons.prefix(8).map { ($0.name, $0.count, "cf") }, of: whole)
        }
        if !orders.rejections.isEmpty {
            out += "<h3>Rejections, in the exchange's words</h3>"
            let whole = orders.rejections.reduce(0) { $0 + $1.count }
            out += counts(orders.rejections.prefix(8).map { ($0.name, $0.count, "c2") }, of: whole)
        }
        return out
    }

    private var refusalTable: HTML {
        guard !result.refusals.isEmpty else { return "" }
        var table = Table(["Rule", "Orders", "Changes", "First value", "Limit", "First at", "Last at"])
        for line in result.refusals {
            table.row([
                "\(line.rule.rawValue)", "\(show.count(line.orders))", "\(show.count(line.changes))",
                "\(line.value)", "\(line.limit)", "\(show.time(line.first))", "\(show.time(line.last))",
            ])
        }
        return "<h3>Refused by the risk gate, by rule</h3>" + table.html()
    }

    private func queueTimes(_ orders: OrderOutcomes) -> HTML {
        guard orders.untilFill != nil || orders.untilCancel != nil else { return "" }
        var table = Table(["From coming to rest", "Orders", "10 %", "Median", "90 %", "99 %", "Longest"])
        var charts: HTML = ""
        for (name, short, spans, kind) in [
            ("until the first fill", "Until the first fill", orders.untilFill, "c1"),
            ("until the end, unfilled", "Until cancelled unfilled", orders.untilCancel, "cf"),
        ] {
            guard let spans else { continue }
            table.row([
                "\(name)", "\(show.count(spans.count))", "\(show.span(spans.tenth))",
                "\(show.span(spans.median))", "\(show.span(spans.ninetieth))",
                "\(show.span(spans.ninetyNinth))", "\(show.span(spans.greatest))",
            ])
            charts += "<div><h3>\(short)</h3>\(histogram(spans, kind: kind))</div>"
        }
        return "<h3>Time in the queue</h3>" + table.html() + #"<div class="cols">\#(charts)</div>"#
    }

    private func histogram(_ spans: SpanSummary, kind: String) -> HTML {
        let edges = SpanSummary.edges
        let parts = spans.ranges.enumerated().map { index, count in
            let name =
                index == 0
                ? "under \(show.span(edges[0]))"
                : index < edges.count
                    ? "to \(show.span(edges[index]))" : "over \(show.span(edges[edges.count - 1]))"
            return (name, count, kind)
        }
        let last = parts.lastIndex { $0.1 > 0 } ?? 0
        return counts(Array(parts.prefix(last + 1)), of: spans.count)
    }

    // MARK: Rate limit

    var budgetSection: HTML {
        guard let use = result.budget, let charts = result.charts else { return "" }
        let limits = result.facts.writeBudget
        // An unlimited tier's figures would only flatten the line.
        let refill = limits.flatMap { $0.refill < 100_000_000 ? Double($0.refill) : nil }
        let axis = timeAxis(start, end)
        let top = max(range([charts.tokensPerSecond])?.high ?? 0, refill ?? 0, 1)
        var rate = Plot(x: axis, y: numberAxis(0, top * 1.08), height: 130, origin: start)
        let line = points(charts.tokensPerSecond, from: start)
        rate.area(line, base: 0, kind: "c1")
        rate.line(line, kind: "c1", name: "tokens a second")
        if let refill {
            rate.horizontal(refill, kind: "", words: "refill \(show.number(refill, decimals: 0)) a second")
        }
        var queue = Plot(
            x: axis, y: numberAxis(0, max(range([charts.queue])?.high ?? 0, 1), count: 3), height: 70,
            origin: start)
        let waiting = points(charts.queue, from: start)
        queue.area(waiting, base: 0, kind: "c4")
        queue.line(waiting, kind: "c4", name: "waiting")
        let tier = limits.map { " of the \($0.tier) tier" } ?? ""
        return section(
            "budget", "Rate limit",
            """
            Write tokens\(tier): \(show.count(use.spent)) spent, \(show.number(use.meanPerSecond, decimals: 1)) a second on \
            average, \(show.number(use.greatestPerSecond, decimals: 0)) at most in a second; least at hand \
            \(show.count(use.leastAvailable)); longest queue \(show.count(use.longestQueue)).
            """,
            rate.html(title: "Tokens used", unit: "a second")
                + queue.html(title: "Commands waiting", unit: "in the router"))
    }
}
