import Foundation
import Martlet
import MartletEngine
import MartletLive
import MartletReport

/// A running session on a terminal: a block of lines that is drawn over itself. Without a terminal, log lines.
final class SessionScreen {
    private let terminal: Terminal
    private let log: SessionLog
    private var drawnLines = 0
    private let isScreen: Bool
    private var nextLine = Timestamp.distantPast

    private static let marketsShown = 10
    private static let remarksShown = 5
    private static let lineInterval = TimeSpan.seconds(10)

    init(_ terminal: Terminal, _ log: SessionLog, isJSON: Bool) {
        self.terminal = terminal
        self.log = log
        isScreen = terminal.isInteractive && !terminal.isQuiet && !isJSON
        guard !isScreen, !terminal.isQuiet else { return }
        log.onLine = { [terminal] _, line in
            terminal.note("\(line.time) \(line.level.rawValue): \(line.text)")
        }
    }

    func show(_ status: StatusSnapshot) {
        guard isScreen else { return showLine(status) }
        let rows = max(terminal.rows - 1, 1)
        let lines = SessionScreen.text(status, log.recent, rows: rows)
        // A terminal made smaller has pushed the first lines out of reach.
        let drawnLines = min(drawnLines, rows)
        var out = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
        for line in lines { out += "\r\u{1B}[2K" + String(line.prefix(max(terminal.columns - 1, 20))) + "\n" }
        for _ in lines.count..<max(lines.count, drawnLines) { out += "\r\u{1B}[2K\n" }
        let surplus = max(drawnLines - lines.count, 0)
        if surplus > 0 { out += "\u{1B}[\(surplus)A" }
        self.drawnLines = lines.count
        terminal.raw(out)
    }

    /// One line every ten seconds for logs.
    private func showLine(_ status: StatusSnapshot) {
        let time = Timestamp(nanoseconds: status.time)
        guard !terminal.isQuiet, time >= nextLine else { return }
        nextLine = time + SessionScreen.lineInterval
        terminal.note("\(time) \(SessionScreen.summary(status))")
    }

    /// `live active: net +1.20, 3 open orders, 5 fills, …`
    static func summary(_ status: StatusSnapshot) -> String {
        var parts = [
            "\(status.mode.uppercased()) \(status.risk.rawValue): equity \(status.equity.display)",
            "\(status.openOrders) open orders", "\(status.fills) fills", "\(status.commands) commands",
            "\(status.liveBooks)/\(status.wantedBooks) books",
        ]
        if status.unknownOrders > 0 { parts.append("\(status.unknownOrders) unknown") }
        if status.rateLimited > 0 { parts.append("\(status.rateLimited) rate limited") }
        return (parts + status.obstacles).joined(separator: ", ")
    }

    // MARK: - Lines

    /// What fits into so many rows. Of what does not, markets give way first, then budgets, then what was said.
    static func text(_ status: StatusSnapshot, _ remarks: [SessionLog.Line], rows: Int) -> [String] {
        let head = head(status)
        let machine = [machine(status)]
        var budgets = budgets(status)
        let obstacles = status.obstacles.map { "! \($0)" }
        var said = remarks.suffix(remarksShown).map {
            "\(String("\($0.time)".dropFirst(11).prefix(8))) \($0.text)"
        }
        // The table's heading, two lines of air, and "and 12 more".
        let fixed = head.count + machine.count + obstacles.count + 4
        budgets.removeLast(min(max(fixed + 1 + budgets.count + said.count - rows, 0), budgets.count))
        said.removeFirst(min(max(fixed + 1 + budgets.count + said.count - rows, 0), said.count))
        let room = rows - fixed - budgets.count - said.count
        let table = room > 0 ? [""] + markets(status.markets, shown: min(room, marketsShown)) + [""] : []
        return Array((head + table + machine + budgets + obstacles + said).prefix(rows))
    }

    private static func head(_ status: StatusSnapshot) -> [String] {
        let age = TimeSpan.nanoseconds(status.time - status.started)
        var lines = [
            "\(status.mode.uppercased())  \(status.environment)  \(SessionScreen.clock(age))  \(status.risk.rawValue.uppercased())",
            "equity \(status.equity.display)  cash \(status.cash.display)  fills \(status.fills)  open orders "
                + "\(status.openOrders)  commands \(status.commands)",
        ]
        for strategy in status.strategies {
            lines.append(
                "  \(strategy.name): net \(strategy.net.display) (realised \(strategy.realized.display), unrealised "
                    + "\(strategy.unrealized.display), fees \(strategy.fees.display)) \(strategy.state.rawValue)"
            )
        }
        return lines
    }

    private static func budgets(_ status: StatusSnapshot) -> [String] {
        var lines = status.budgets.filter { $0.spent > 0 }.map { budget in
            "budget of shard \(budget.shard): \(budget.available)/\(budget.capacity) tokens, \(budget.spent) spent, "
                + "\(budget.waiting) waiting"
        }
        if !status.refusals.isEmpty {
            let rules = status.refusals.map { "\($0.rule) \($0.count)" }.joined(separator: ", ")
            lines.insert("refused by the risk gate: \(rules)", at: 0)
        }
        return lines
    }

    private static func markets(_ all: [StatusSnapshot.MarketLine], shown: Int) -> [String] {
        let busy = all.sorted { a, b in
            let (x, y) = (a.isBusy, b.isBusy)
            return x == y ? a.ticker < b.ticker : x
        }
        let width = min(busy.prefix(shown).map(\.ticker.count).max() ?? 6, 40)
        func cell(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        let show = Show.terminal
        // Eighty columns hold it all where tickers are not longer than most.
        var lines = [
            cell("market", width) + "  " + cell("bid", 7) + cell("ask", 7) + cell("position", 9)
                + cell("own bid", 12) + cell("own ask", 12) + "profit"
        ]
        func own(_ quantity: Quantity, _ price: Price?) -> String {
            price.map { "\(show.contracts(quantity)) @ \(show.price($0))" } ?? ""
        }
        for market in busy.prefix(shown) {
            lines.append(
                cell(market.ticker, width) + "  " + cell(market.bid.map(show.price) ?? "-", 7)
                    + cell(market.ask.map(show.price) ?? "-", 7)
                    + cell(show.contracts(market.position), 9)
                    + cell(own(market.ownBid, market.ownBidPrice), 12)
                    + cell(own(market.ownAsk, market.ownAskPrice), 12) + market.profit.display
                    + (market.trouble.map { "  \($0)" } ?? ""))
        }
        if all.count > shown { lines.append("and \(all.count - shown) more") }
        return lines
    }

    private static func machine(_ status: StatusSnapshot) -> String {
        var parts = [
            "\(status.connections) connections", "\(status.liveBooks)/\(status.wantedBooks) books",
            "\(status.events) events",
        ]
        if let latency = status.tickToOrder {
            parts.append("tick to order \(micros(latency.median)), p99 \(micros(latency.p99))")
        }
        if let latency = status.roundTrip {
            parts.append("round trip \(micros(latency.median)), p99 \(micros(latency.p99))")
        }
        if status.rateLimited > 0 { parts.append("\(status.rateLimited) answers 429") }
        return parts.joined(separator: "  ")
    }
    static func micros(_ nanoseconds: Int64) -> String {
        nanoseconds >= 10_000_000 ? "\(nanoseconds / 1_000_000) ms" : "\(nanoseconds / 1000) µs"
    }
    static func clock(_ span: TimeSpan) -> String {
        let seconds = Int(span.seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}

extension StatusSnapshot.MarketLine {
    fileprivate var isBusy: Bool { !position.isZero || ownBidPrice != nil || ownAskPrice != nil }
}
