import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// `martlet book TICKER`: one market's book, live.
enum BookCommand {
    static let depth = ValueFlag("depth", .whole("N", in: 1...1000), "levels of each side (10)")
    static let once = Switch("once", "show the book once and end")
    static let timeout = ValueFlag(
        "timeout", .whole("SECONDS", in: 1...86_400), "with --once, give up after this (20)")

    static func command() -> Command {
        var command = Command(name: "book", summary: "watch a market's order book")
        command.discussion = """
            Shows the book as it changes, redrawn in place on a terminal, a line for each change of the best prices \
            otherwise. All prices are YES prices: an ask is a bid for NO at one dollar less. The exchange asks for an \
            API key even for public prices. With --json, a line for each change of the levels shown.
            """
        command.operands = [.init("TICKER", .one, "the market, such as KXHIGHNY-26NOV23-B54.5")]
        command.flags = [depth, once, timeout] + ExchangeFlags.all
        command.examples = [
            ("martlet book KXHIGHNY-26NOV23-B54.5", "the ten best levels of each side, live"),
            ("martlet book KXHIGHNY-26NOV23-B54.5 --once --json", "the book now, for a script"),
        ]
        command.run = { try BookCommand.run($0, $1) }
        return command
    }

    private static func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        let access = try ExchangeAccess(invocation)
        let signer = try access.signer("the exchange's feed asks for a key, for public prices too")
        let loop = try EventLoop()
        let lookup = try MarketLookup(access, signer)
        let market = try lookup.markets(invocation.operands)[0]
        let desk = FeedDesk(loop)
        desk.connect(access, signer, lookup.client)
        desk.follow(market, [.book])
        let watch = FeedWatch(desk, terminal, isOnce: invocation[once])
        let view = BookView(market, depth: invocation[depth] ?? 10)
        let onScreen = !invocation.isJSON && !invocation[once] && isatty(STDOUT_FILENO) == 1
        var isDirty = false
        var shown = ""
        desk.onEvent = { event, _ in
            if event.flags.contains(.groupEnd) || event.kind == .groupEnd { isDirty = true }
        }
        desk.onOutput = { output, _ in
            if case .unusable = output { isDirty = true }
            watch.take(output)
        }
        func show() throws {
            guard isDirty, watch.failure == nil else { return }
            isDirty = false
            let isUsable = desk.books.isUsable(Market.ID(0))
            if invocation[once], !isUsable { return }
            let text: String
            if invocation.isJSON {
                text = view.json(desk)
            } else if onScreen || invocation[once] {
                text = view.screen(
                    desk, columns: terminal.outputColumns ?? .max,
                    rows: onScreen ? terminal.outputRows ?? 24 : .max)
            } else {
                text = view.touch(desk)
            }
            if text != shown {
                shown = text
                let stamped =
                    invocation.isJSON || onScreen || invocation[once] ? text : "\(desk.now)  " + text
                try terminal.write(onScreen ? "\u{1B}[H\u{1B}[J" + stamped : stamped + "\n")
                try terminal.flush()
            }
            if invocation[once] { watch.isDone = true }
        }
        // A screen is redrawn ten times a second at most, and when it changes its size; machines get every change.
        var size = (terminal.outputColumns, terminal.outputRows)
        func tick() throws {
            guard onScreen else { return }
            let now = (terminal.outputColumns, terminal.outputRows)
            if now != size { isDirty = true }
            size = now
            try show()
        }
        desk.onDrained = { _ in if !onScreen { watch.attempt { try show() } } }
        try desk.run(
            seconds: invocation[once] ? invocation[timeout] ?? 20 : nil,
            tick: tick, until: { watch.isDone })
        return try watch.finish(market.ticker)
    }

    /// One market's book as text.
    struct BookView {
        let market: Market
        let depth: Int
        init(_ market: Market, depth: Int) {
            self.market = market
            self.depth = depth
        }

        func json(_ desk: FeedDesk) -> String {
            func side(_ side: Side) -> JSONValue {
                .array(
                    desk.books.levels(Market.ID(0), side, depth).map {
                        .array([.string("\($0.price)"), .string("\($0.size)")])
                    })
            }
            return JSONValue.fields([
                ("market", .string(market.ticker)), ("time", .string("\(desk.now)")),
                ("usable", .bool(desk.books.isUsable(Market.ID(0)))), ("bids", side(.bid)),
                ("asks", side(.ask)),
            ]).text
        }

        /// Lines that stand beside the levels: names, head, and what is wrong.
        private static let otherRows = 7
        /// Columns of the four figures and the space between the sides: with room, and without.
        private static let wide = (size: 14, price: 9, gap: 2)
        private static let narrow = (size: 10, price: 8, gap: 1)

        /// Fits a screen of this size: what would not is left out, not wrapped, for it is drawn in place.
        func screen(_ desk: FeedDesk, columns: Int, rows: Int) -> String {
            let shown = max(1, min(depth, rows == .max ? .max : rows - BookView.otherRows))
            let bids = desk.books.levels(Market.ID(0), .bid, shown)
            let asks = desk.books.levels(Market.ID(0), .ask, shown)
            let wide = BookView.wide
            let layout = columns > 2 * (wide.size + wide.price) + wide.gap ? wide : BookView.narrow
            func right(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            func row(_ cells: (String, String, String, String)) -> String {
                right(cells.0, layout.size) + right(cells.1, layout.price)
                    + String(repeating: " ", count: layout.gap)
                    + right(cells.2, layout.price - 2) + right(cells.3, layout.size)
            }
            var lines = [
                market.ticker, market.title + (market.subtitle.isEmpty ? "" : ": \(market.subtitle)"), "",
                row(("contracts", "bid", "ask", "contracts")),
            ]
            for index in 0..<max(bids.count, asks.count) {
                let bid = index < bids.count ? bids[index] : nil
                let ask = index < asks.count ? asks[index] : nil
                lines.append(
                    row(
                        (
                            bid.map { "\($0.size)" } ?? "", bid.map { "\($0.price)" } ?? "",
                            ask.map { "\($0.price)" } ?? "", ask.map { "\($0.size)" } ?? ""
                        )))
            }
            if bids.isEmpty, asks.isEmpty { lines.append("  the book is empty") }
            if !desk.books.isUsable(Market.ID(0)) {
                lines += ["", "out of date" + (desk.trouble.map { ": \($0)" } ?? "")]
            }
            return lines.map { String($0.prefix(columns)) }.joined(separator: "\n") + "\n"
        }

        func touch(_ desk: FeedDesk) -> String {
            guard desk.books.isUsable(Market.ID(0)) else { return "out of date" }
            func best(_ side: Side) -> String {
                desk.books.levels(Market.ID(0), side, 1).first.map { "\($0.price) x \($0.size)" } ?? "none"
            }
            return "bid \(best(.bid))  ask \(best(.ask))"
        }
    }
}

/// What ends a watching command early: a refusal, or a reader that is gone.
final class FeedWatch {
    var isDone = false
    private(set) var failure: (any Error)?
    private let terminal: Terminal
    private let isOnce: Bool
    private let desk: FeedDesk
    /// Failures to connect before a command that is to answer once gives up.
    private static let triesOnce = 3
    private var tries = 0
    private var hasOpened = false

    init(_ desk: FeedDesk, _ terminal: Terminal, isOnce: Bool) {
        self.terminal = terminal
        self.isOnce = isOnce
        self.desk = desk
        desk.onChange = { [unowned self] change, _ in take(change) }
    }

    private func take(_ change: FeedConnection.Change) {
        switch change {
        case .connecting: return
        case .open: hasOpened = true
        case .refused(let status, let reason, _):
            // A key that worked once is tried again: a long recording must outlive a bad hour of the exchange.
            // A date that is refused is no wrong key: the next one is by the exchange's clock.
            let isDate = reason.contains("header_timestamp_expired")
            if status == 401 || status == 403, !hasOpened, !isDate {
                fail(CommandError("\(reason): check --key-id, --key and --environment", code: .usage))
            } else {
                lost(reason)
            }
        case .lost(let reason, _): lost(reason)
        }
    }
    private func lost(_ reason: String) {
        tries += 1
        if isOnce, tries >= FeedWatch.triesOnce { return fail(CommandError(reason)) }
        terminal.note("connection lost: \(reason); trying again")
    }
    func take(_ output: FeedOutput) {
        guard case .refused(_, let tickers, let code, let reason) = output else { return }
        let what = tickers.isEmpty ? "the subscription" : tickers.joined(separator: ", ")
        fail(CommandError("the exchange refuses \(what): \(reason) (\(code))"))
    }
    func fail(_ error: any Error) {
        if failure == nil { failure = error }
        isDone = true
    }
    func attempt(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            fail(error)
        }
    }

    /// The command's end: what went wrong, or how it was ended.
    func finish(_ what: String) throws -> ExitCode {
        if let failure { throw failure }
        if isDone { return .success }
        if let code = Interrupt.exitCode { return code }
        let trouble = desk.trouble.map { ": \($0)" } ?? ""
        throw CommandError("nothing came of \(what) in time\(trouble)", code: .failure)
    }
}
