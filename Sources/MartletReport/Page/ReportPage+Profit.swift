import Martlet

extension ReportPage {
    // MARK: Overview

    var overview: HTML {
        guard let charts = result.charts, let range = range([charts.profit] + charts.strategyProfits) else {
            return section("overview", "Profit over time", "No samples were taken.", "")
        }
        let axis = timeAxis(start, end)
        var profit = Plot(
            x: axis, y: moneyAxis(min(0, range.low), max(0, range.high)), height: 230, origin: start,
            format: .money)
        shadeRisk(&profit)
        let several = charts.strategyProfits.count > 1
        let all = points(charts.profit, from: start)
        profit.area(all, base: 0, kind: "c1")
        if several {
            profit.explain("line", kind: "c1", "all")
            for (index, line) in charts.strategyProfits.prefix(4).enumerated() {
                let kind = "c\(index + 2) thin"
                let name = result.strategies[index].name
                profit.line(points(line, from: start), kind: kind, name: name)
                profit.explain("line", kind: "c\(index + 2)", name)
            }
        }
        profit.line(all, kind: "c1 main", name: several ? "all" : "profit")
        var fall = Plot(
            x: axis, y: moneyAxis(self.range([charts.drawdown])?.low ?? -1, 0, count: 3), height: 90,
            origin: start, format: .money)
        let drawdown = points(charts.drawdown, from: start)
        fall.area(drawdown, base: 0, kind: "c2")
        fall.line(drawdown, kind: "c2", name: "below the high")
        var fallNote = ""
        if let greatest = result.total.drawdown {
            fallNote =
                "Greatest: \(amount(greatest.amount)), from \(show.time(greatest.from)) to "
                + "\(show.time(greatest.to))."
        }
        return section(
            "overview", "Profit over time",
            "Realised and unrealised profit after fees, open positions at their mids.",
            profit.html(title: "Profit", unit: "US dollars")
                + fall.html(title: "Drawdown", unit: "US dollars below the high so far", note: fallNote)
                + strategyTable)
    }

    /// The times when the gate was not active.
    func shadeRisk(_ plot: inout Plot) {
        for (index, event) in result.risk.enumerated() where event.kind != .active {
            let until = index + 1 < result.risk.count ? result.risk[index + 1].time : end
            plot.shade(
                from: (event.time - start).seconds, to: (until - start).seconds,
                kind: event.kind == .halted ? "bad" : "mild",
                tip: "\(event.kind.label): \(event.text)")
        }
    }

    private var strategyTable: HTML {
        var table = Table([
            "Strategy", "Before fees", "Fees", "Net", "Unsettled", "Fills", "Contracts", "Drawdown", "Won",
            "Ratio a day",
        ])
        for line in result.strategies + (result.strategies.count > 1 ? [result.total] : []) {
            table.row(
                [
                    "\(line.name)", plain(line.money.beforeFees), plain(line.money.fees),
                    plain(line.money.net), plain(line.money.unsettled), "\(show.count(line.fills.fills))",
                    "\(show.contracts(line.fills.contracts))",
                    "\(line.drawdown.map { amount($0.amount) } ?? "none")",
                    "\(line.winRate.map { show.percent($0, decimals: 0) } ?? "n/a")",
                    "\(line.sharpe.map { show.number($0.perDay, decimals: 2) } ?? "n/a")",
                ], isSum: line == result.total)
        }
        var note: HTML = ""
        if let sharpe = result.total.sharpe {
            note = """
                <p class="note">Ratio: mean over standard deviation of the change of profit from sample to sample \
                (\(show.count(sharpe.samples)) samples, every \(show.span(sharpe.interval)); \
                \(show.number(sharpe.perSample, decimals: 4)) a sample), times the square root of the samples in a \
                day. Changes are taken as independent, which they are not: over a short run it means little.</p>

                """
        }
        return table.html() + note
    }

    // MARK: Profit by event and market

    var profitSection: HTML {
        guard !result.markets.isEmpty else {
            return section("profit", "Profit by event and market", "Nothing was ordered in any market.", "")
        }
        let keys: HTML = """
            The bar is profit before fees, the grey part what fees took, the upright tick what is left. \
            Unsettled positions are not in it.
            """
        var body: HTML = "<h3>By event</h3>"
        body += bars(result.events)
        body += "<h3>By market</h3>"
        body += bars(
            result.markets.map(\.performance),
            titles: result.markets.map { line in
                line.title.isEmpty ? line.ticker : "\(line.ticker): \(line.title)"
            })
        return section("profit", "Profit by event and market", keys, body)
    }

    /// The largest by what they won or lost, then the sum of the others.
    private func bars(_ lines: [Performance], titles: [String] = []) -> HTML {
        let traded = lines.enumerated().filter { $0.element.fills.fills > 0 }
        guard !traded.isEmpty else { return #"<p class="note">No fills.</p>"# }
        let ranked = traded.sorted { a, b in
            (b.element.money.net.magnitude, a.offset) < (a.element.money.net.magnitude, b.offset)
        }
        let limit = ranked.count > Self.barRows + 1 ? Self.barRows : ranked.count
        let shown = ranked.prefix(limit).sorted { a, b in
            (b.element.money.net, a.offset) < (a.element.money.net, b.offset)
        }
        var rows = shown.map { index, line in
            row(line, tip: titles.indices.contains(index) ? titles[index] : "")
        }
        if ranked.count > limit {
            var rest = Performance(name: "\(show.count(ranked.count - limit)) others")
            for (_, line) in ranked.dropFirst(limit) { rest.money.add(line.money) }
            rows.append(row(rest, tip: "the sum of all others"))
        }
        return Bars(rows: rows).html()
    }

    private func row(_ line: Performance, tip: String) -> Bars.Row {
        let before = line.money.beforeFees.dollars
        let net = line.money.net.dollars
        return Bars.Row(
            name: line.name, tip: tip,
            segments: [
                .init(
                    from: 0, to: before, kind: before < 0 ? "lossbar" : "gainbar",
                    tip: "before fees \(amount(line.money.beforeFees))"),
                .init(from: before, to: net, kind: "fee", tip: "fees \(amount(line.money.fees))"),
            ],
            mark: net,
            figure: "\(signed(line.money.net)) <small>fees \(amount(line.money.fees))</small>")
    }
}
