import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletReport
import MartletWire

/// `martlet paper` and `martlet live`: a configuration against an exchange.
enum LiveCommand {
    static let market = ListFlag("market", .text("TICKER"), "trade this market; again for more")
    static let series = ListFlag(
        "series", .text("SERIES"), "trade all open markets of a series, and its new ones")
    static let strategy = ValueFlag(
        "strategy", .text("NAME"), "only this strategy, or this one with its defaults")
    static let set = ListFlag("set", .assignment("PATH=VALUE"), "set a key, such as strategy.size=5")
    static let seconds = ValueFlag("seconds", .whole("N", in: 1...100_000_000), "end after so long (never)")
    static let real = Switch("live", "send real orders: nothing is sent without it")
    static let yes = Switch("yes", "do not ask for confirmation")
    static let resume = Switch("resume", "trade although the session before was halted")

    static func paper(_ registry: StrategyRegistry) -> Command {
        var command = Command(
            name: "paper", summary: "run strategies on live data, with simulated orders")
        command.discussion = """
            The exchange's feed, the simulated exchange's fills: the same venue, queue, fees and latency as in a \
            backtest, in real time. Nothing is sent to the exchange but subscriptions. The exchange asks for an API \
            key even for public prices.

            \(shared)
            """
        command.operands = [.init("CONFIG", .one, "the configuration: 'martlet help configuration'")]
        command.flags = [market, series, strategy, set, seconds] + ExchangeFlags.all
        command.examples = [
            (
                "martlet paper Backtests/live.json5 --environment demo",
                "on the demo exchange, with a small market maker"
            )
        ]
        command.run = { invocation, terminal in
            try run(.paper, registry, invocation, terminal)
        }
        return command
    }

    static func live(_ registry: StrategyRegistry) -> Command {
        var command = Command(name: "live", summary: "trade with real orders")
        command.discussion = """
            Shows the account, the strategies and the limits, asks for confirmation on a terminal, and trades. \
            Orders are real as soon as the exchange is: try --environment demo, or 'martlet sandbox', first. The \
            exchange must be named, with --environment or MARTLET_ENVIRONMENT: production is no default here.

            \(shared)
            """
        command.operands = [.init("CONFIG", .one, "the configuration: 'martlet help configuration'")]
        command.flags = [real, yes, resume, market, series, strategy, set, seconds] + ExchangeFlags.all
        command.examples = [
            (
                "martlet live Backtests/live.json5 --environment demo --live",
                "real orders on the demo exchange"
            )
        ]
        command.run = { invocation, terminal in
            guard invocation[real] else {
                throw CommandError.usage(
                    "live trading sends real orders: add --live if that is what you want, or use 'martlet paper'"
                )
            }
            return try run(.live, registry, invocation, terminal)
        }
        return command
    }

    private static let shared = """
        The session keeps its journal, log and report in a folder of its own under 'live.folder' (Sessions, in \
        the current folder). \
        Ctrl-C and SIGTERM end it in order: no new orders, resting ones cancelled ('live.onStop'), answers awaited, \
        accounts compared, report written.
        """

    // MARK: - Running

    private static func run(
        _ mode: SessionSetup.Mode, _ registry: StrategyRegistry, _ invocation: Invocation,
        _ terminal: Terminal
    ) throws -> ExitCode {
        let plan = try BacktestLoader(registry: registry).load(
            invocation.operands[0], strategy: invocation[strategy], overrides: overrides(invocation))
        let access = try ExchangeAccess(invocation, asks: false)
        // A forgotten variable must not make a rehearsal real.
        if mode == .live, !access.isNamed {
            throw CommandError.usage(
                "which exchange? Real orders want it named: --environment production, demo or an address, or "
                    + "MARTLET_ENVIRONMENT")
        }
        let signer = try access.signer("the exchange's feed asks for a key")
        let now = Timestamp(nanoseconds: Clocks.wall())
        var setup = SessionSetup(
            mode: mode, plan: plan, environment: access.environment, signer: signer, tls: access.tls,
            folder: SessionSetup.folder(of: plan, at: now),
            files: .init(
                environment: access.given.environment, key: access.given.key ?? "",
                passphrase: access.given.passphrase, authority: access.given.authority))
        setup.resumes = mode == .live && invocation[resume]
        let run = try SessionRun(setup, terminal)
        try run.open()
        if !invocation.isJSON { terminal.note(SessionPreview(run).text) }
        if mode == .live { try confirm(invocation, terminal, access.environment) }
        try run.clearResting()
        let screen = SessionScreen(terminal, run.log, isJSON: invocation.isJSON)
        run.onStatus = { screen.show($0) }
        try run.start()
        try run.run(seconds: invocation[seconds])
        let outcome = try run.finish()
        if invocation.isJSON {
            try terminal.write(try outcome.result.json(timing: true, isPretty: false))
        } else {
            try terminal.write(SessionSummary.text(outcome, columns: terminal.outputColumns))
        }
        if mode == .live { try judge(outcome) }
        return Interrupt.exitCode ?? .success
    }

    /// What is not certain at the end is a failure, and says what to look at.
    private static func judge(_ outcome: SessionRun.Outcome) throws {
        var problems: [String] = []
        if !outcome.left.isEmpty {
            problems.append(
                "\(outcome.left.count) orders may still rest: \(outcome.left.prefix(5).joined(separator: ", "))"
            )
        }
        if outcome.unresolved > 0 { problems.append("\(outcome.unresolved) orders of unknown outcome") }
        if outcome.hasJournalFailed {
            problems.append("the journal had no room left, which ended the session")
        }
        switch outcome.accountsAgree {
        case true?: break
        case false?: problems.append("our account differs from the exchange's")
        case nil:
            problems.append(
                "the account could not be compared with the exchange's: "
                    + (outcome.obstacle ?? "no reading was due"))
        }
        guard !problems.isEmpty else { return }
        throw CommandError(
            problems.joined(separator: "; ")
                + ": look at the exchange; 'martlet halt SESSION' takes off what rests")
    }

    /// Asks on a terminal for the exchange's name; without a terminal `--live` was enough.
    private static func confirm(
        _ invocation: Invocation, _ terminal: Terminal, _ environment: ExchangeEnvironment
    ) throws {
        guard !invocation[yes], isatty(STDIN_FILENO) == 1 else { return }
        let word = environment.kind == .custom ? environment.endpoint.host : environment.kind.rawValue
        terminal.raw("Type '\(word)' to trade with real orders: ")
        var typed: [UInt8] = []
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while typed.last != UInt8(ascii: "\n") {
            // A signal ends it at once, whatever was typed.
            let count = poll(&entry, 1, 100)
            if let code = Interrupt.exitCode {
                throw CommandError("interrupted: nothing was sent", code: code)
            }
            guard count > 0 else { continue }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { break }
            typed.append(byte)
        }
        let answer = String(decoding: typed, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard answer == word else { throw CommandError.usage("not confirmed: nothing was sent") }
    }

    static func overrides(_ invocation: Invocation) -> [BacktestLoader.Override] {
        var overrides: [BacktestLoader.Override] = []
        func add(_ path: String, _ texts: [String], _ flag: String) {
            guard !texts.isEmpty else { return }
            let list = texts.map { ConfigurationNode(.string($0), .flag(flag)) }
            overrides.append(.init(path: path, node: ConfigurationNode(.array(list), .flag(flag))))
        }
        add("live.markets", invocation[market], "--market")
        add("live.series", invocation[series], "--series")
        return overrides + invocation[set].map { .init($0, flag: "set") }
    }
}

/// What a session is about to do, before it does it.
struct SessionPreview {
    let run: SessionRun
    init(_ run: SessionRun) { self.run = run }

    var text: String {
        let setup = run.setup
        var rows = [
            ("exchange", "\(setup.environment)"), ("key", setup.signer.credentials.keyID),
            ("orders", orders),
            ("strategies", setup.plan.strategies.map(\.name).joined(separator: ", ")),
            ("markets", markets), ("session", setup.folder.path),
        ]
        if let opening = run.opening {
            rows.append(("trading", opening.status.isTrading ? "open" : "paused"))
            let shards = opening.balance.shards.map { "shard \($0.index): \($0.balance.display)" }
            rows.append(
                (
                    "cash",
                    opening.balance.cash.display
                        + (shards.count > 1 ? " (\(shards.joined(separator: ", ")))" : "")
                ))
            rows.append(("positions", "\(opening.positions.count) markets"))
            rows.append(
                (
                    "resting orders",
                    run.resting.isEmpty
                        ? "none"
                        : "\(run.resting.count) of earlier runs, to be \(setup.settings.onStart == .cancel ? "cancelled" : "adopted")"
                ))
            rows.append(
                ("tier", "\(opening.limits.tier): \(opening.limits.write.refill) write tokens a second"))
            let offset = opening.clockOffset
            rows.append(
                (
                    "clock",
                    "the exchange's less ours: \(offset)" + (offset.correction == .zero ? ", right" : "")
                ))
        }
        if let hold = run.hold {
            rows.append(
                (
                    "HELD",
                    "the session before was halted: \(hold.reason). This one starts "
                        + "\(hold.state == .halted ? "halted" : "with reduce only"), until 'martlet halt --resume'"
                ))
        }
        let limits = setup.plan.configuration.trading.accountLimits
        rows.append(
            (
                "limits",
                "order \(limits.maxOrderSize), market \(limits.maxMarketPosition), daily loss \(limits.maxDailyLoss.display)"
            ))
        return HelpText.table(rows, indent: 0)
    }

    private var orders: String {
        guard run.setup.mode == .live else { return "simulated" }
        return run.setup.isDemo ? "sent to the exchange on this machine" : "REAL"
    }
    private var markets: String {
        let shown = run.markets.prefix(3).map(\.ticker).joined(separator: ", ")
        return run.markets.count > 3 ? "\(shown) and \(run.markets.count - 3) more" : shown
    }
}

/// A session's end for people: the report's own summary, and what only a session knows.
enum SessionSummary {
    static func text(_ outcome: SessionRun.Outcome, columns: Int?) -> String {
        var lines = SummaryText.text(outcome.result, columns: columns)
        var rows: [(String, String)] = []
        if let latency = outcome.snapshot.tickToOrder {
            rows.append(
                (
                    "tick to order",
                    "median \(SessionScreen.micros(latency.median)), p99 \(SessionScreen.micros(latency.p99))"
                ))
        }
        if let latency = outcome.snapshot.roundTrip {
            rows.append(
                (
                    "round trip",
                    "median \(SessionScreen.micros(latency.median)), p99 \(SessionScreen.micros(latency.p99))"
                ))
        }
        switch outcome.accountsAgree {
        case true?: rows.append(("account", "agrees with the exchange's"))
        case false?: rows.append(("account", "DIFFERS from the exchange's"))
        // Paper has no account to compare with.
        case nil where outcome.result.facts.mode == .paper: break
        case nil: rows.append(("account", "not compared"))
        }
        if let page = outcome.files.first { rows.append(("report", page)) }
        lines += HelpText.table(rows, indent: 0) + "\n"
        return lines
    }
}
