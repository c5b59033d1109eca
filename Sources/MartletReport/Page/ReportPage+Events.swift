import Martlet

extension ReportPage {
    // MARK: Events on the time line

    var timelineSection: HTML {
        let lanes: [(name: String, events: [RunEvent])] = [
            ("Risk gate", result.risk),
            ("Books", result.marketEvents.filter { $0.kind == .bookUnusable || $0.kind == .bookUsable }),
            (
                "Markets",
                result.marketEvents.filter { $0.kind != .bookUnusable && $0.kind != .bookUsable }
            ),
        ].filter { !$0.1.isEmpty }
        guard !lanes.isEmpty else {
            return section(
                "events", "Events", "The gate stayed active; no market paused, no book was lost.", "")
        }
        let count = Double(lanes.count)
        let y = Axis(
            low: 0, high: count,
            ticks: lanes.enumerated().map { .init(value: count - 0.5 - Double($0), label: $1.name) })
        var plot = Plot(x: timeAxis(start, end), y: y, height: 30 * lanes.count, origin: start)
        shadeRisk(&plot)
        for (index, lane) in lanes.enumerated() {
            for event in lane.events {
                plot.dot(
                    (event.time - start).seconds, count - 0.5 - Double(index), radius: 4.5,
                    kind: "ev \(event.kind.colour)",
                    tip: "\(show.time(event.time)) \(event.market.map { $0 + ": " } ?? "")\(event.text)")
            }
        }
        return section(
            "events", "Events", "",
            plot.html(title: "Time line", unit: "point at a mark to read it")
                + eventTable)
    }

    private var eventTable: HTML {
        var table = Table(["Time (UTC)", "Event", "Market", "What"], words: 4, wraps: 3)
        let all = (result.risk + result.marketEvents).enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        for event in all.prefix(Self.tableRows) {
            table.row([
                "\(show.time(event.time))", "\(event.kind.label)", "\(event.market ?? "")", "\(event.text)",
            ])
        }
        let left = all.count + result.droppedEvents - min(all.count, Self.tableRows)
        let more: HTML = left > 0 ? #"<p class="note">And \#(show.count(left)) more.</p>"# : ""
        let body = table.html() + more
        return all.count > 12 ? "<details><summary>All events in words</summary>\(body)</details>" : body
    }

    // MARK: Calibration

    var calibrationSection: HTML {
        guard let calibration = result.calibration else {
            return section(
                "calibration", "Calibration",
                "No market with fills has a result yet, so prices paid cannot be held against outcomes.", "")
        }
        func axis(_ count: Int) -> Axis {
            .linear(0, 1, count: count) { value, _ in show.number(value * 100, decimals: 0) + " %" }
        }
        let price = Axis.linear(0, 1, count: 5) { value, _ in "$" + show.number(value, decimals: 2) }
        var plot = Plot(x: price, y: axis(5), height: 300, format: .percent)
        plot.line([(x: 0, y: 0), (x: 1, y: 1)], kind: "fair", name: "fair")
        let most = calibration.bins.map(\.contracts.contracts).max() ?? 1
        for bin in calibration.bins {
            let interval = wilsonInterval(share: bin.frequency, count: bin.markets)
            plot.whisker(bin.pricePaid, from: interval.low, to: interval.high, kind: "wh")
        }
        for bin in calibration.bins {
            plot.dot(
                bin.pricePaid, bin.frequency,
                radius: 3 + 7 * (bin.contracts.contracts / most).squareRoot(), kind: "pt",
                tip: "paid $\(show.number(bin.pricePaid, decimals: 3)), came true "
                    + "\(show.percent(bin.frequency)), \(show.contracts(bin.contracts)) contracts in "
                    + "\(bin.markets) markets")
        }
        plot.explain("dash", kind: "", "a fair price")
        var table = Table(["Price paid", "Mean", "Came true", "Contracts", "Fills", "Markets"])
        for bin in calibration.bins {
            table.row([
                "$\(show.price(bin.from)) to \(show.price(bin.to))",
                "$\(show.number(bin.pricePaid, decimals: 3))",
                "\(show.percent(bin.frequency))", "\(show.contracts(bin.contracts))",
                "\(show.count(bin.fills))", "\(show.count(bin.markets))",
            ])
        }
        return section(
            "calibration", "Calibration",
            """
            Brier score \(show.number(calibration.brier, decimals: 4)) over \(show.contracts(calibration.contracts)) \
            contracts in \(show.count(calibration.markets)) decided markets (0 is perfect; always paying 50 cents \
            scores 0.25). Above the diagonal, what was bought came true more often than it cost. Dots grow with \
            contracts; lines are 95 % intervals that count a market once, since its contracts share one outcome.
            """,
            #"<div class="cols"><div class="square">"#
                + plot.html(title: "Outcome against price paid", unit: "share that came true")
                + "</div><div>" + table.html() + "</div></div>")
    }

    // MARK: What strategies recorded

    var seriesSection: HTML {
        guard let charts = result.charts, !charts.series.isEmpty else { return "" }
        let blocks = charts.series.map { series -> HTML in
            guard let range = range([series.line]) else { return "" }
            var plot = Plot(
                x: timeAxis(start, end), y: numberAxis(range.low, range.high, count: 3), height: 110,
                origin: start)
            plot.line(points(series.line, from: start), kind: "c1", name: series.name, isStep: true)
            return plot.html(title: series.name, unit: "")
        }
        return section("series", "Recorded by the strategy", "", "\(blocks)")
    }
}
