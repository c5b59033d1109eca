import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletReport
import MartletWire

/// `martlet demo`: an exchange and a trader on one machine, no account needed.
enum DemoCommand {
    static let seconds = ValueFlag("seconds", .whole("N", in: 1...86_400), "how long to trade (30)")
    static let seed = ValueFlag("seed", .seed, "where the made-up exchange's chance comes from (1)")
    static let strategy = ValueFlag("strategy", .text("NAME"), "the strategy that trades (spread-maker)")
    static let set = ListFlag("set", .assignment("PATH=VALUE"), "set a key, such as strategy.size=5")
    static let tier = ValueFlag(
        "tier", .choice("TIER", RateLimits.tiers.map(\.tier)), "the rate limit tier (advanced)")
    static let out = ValueFlag("out", short: "o", .folder, "where the session's folder goes (Sessions)")

    static func command(_ registry: StrategyRegistry) -> Command {
        var command = Command(
            name: "demo", summary: "trade against an exchange of its own, no account needed"
        )
        command.discussion = """
            Starts the sandbox exchange with a made-up world of markets, and a market maker that trades against it \
            over real TLS and WebSocket with signed orders: everything that 'martlet live' does, on one machine. \
            It ends with the report, with a comparison of the exchange's ledger with ours, and with a replay of the \
            session's journal.

            With --json it ends with one object: orders_sent, fills, rate_limited, unknown_at_end, ledger_matches, \
            replay_matches and more. The exit code is 1 when something does not match.
            """
        command.flags = [seconds, seed, strategy, set, tier, out]
        command.examples = [
            ("martlet demo", "half a minute of market making"),
            ("martlet demo --seconds 5 --json", "for scripts"),
        ]
        command.run = { try run(registry, $0, $1) }
        return command
    }

    private static func run(
        _ registry: StrategyRegistry, _ invocation: Invocation, _ terminal: Terminal
    ) throws -> ExitCode {
        let exchange = try DemoExchange(
            seed: invocation[seed] ?? 1, tier: invocation[tier] ?? "advanced", markets: 12)
        defer { exchange.close() }
        let plan = try plan(registry, invocation, exchange)
        let now = Timestamp(nanoseconds: Clocks.wall())
        let setup = SessionSetup(
            mode: .live, plan: plan, environment: exchange.environment, signer: exchange.signer,
            tls: exchange.tls,
            folder: SessionSetup.folder(of: plan, at: now), files: exchange.files,
            isDemo: true)
        let run = try SessionRun(setup, terminal)
        try run.open()
        if !invocation.isJSON { terminal.note(SessionPreview(run).text) }
        let screen = SessionScreen(terminal, run.log, isJSON: invocation.isJSON)
        run.onStatus = { screen.show($0) }
        try run.start()
        try run.run(seconds: invocation[seconds] ?? 30)
        let outcome = try run.finish()
        let check = try DemoCheck(outcome, run, exchange, registry)
        if invocation.isJSON {
            try terminal.line(check.object.text)
        } else {
            try terminal.write(SessionSummary.text(outcome, columns: terminal.outputColumns))
            try terminal.write(check.text)
        }
        if check.isGood { return Interrupt.exitCode ?? .success }
        terminal.fail("the session does not match the exchange: \(check.problems.joined(separator: "; "))")
        return .failure
    }

    private static func plan(
        _ registry: StrategyRegistry, _ invocation: Invocation, _ exchange: DemoExchange
    ) throws -> BacktestPlan {
        var overrides: [BacktestLoader.Override] = []
        if let folder = invocation[out] {
            overrides.append(
                .init(path: "live.folder", node: ConfigurationNode(.string(folder), .flag("--out \(folder)")))
            )
        }
        let tickers = exchange.markets.map { ConfigurationNode(.string($0), .builtIn) }
        overrides.append(.init(path: "live.markets", node: ConfigurationNode(.array(tickers), .builtIn)))
        // Exchange and trader are one process: on a machine that is busy with other things neither need be ended.
        overrides.append(
            .init(path: "live.guardTimeout", node: ConfigurationNode(.number("15"), .builtIn)))
        overrides += invocation[set].map { .init($0, flag: "set") }
        return try BacktestLoader(registry: registry).load(
            nil, strategy: invocation[strategy], overrides: overrides)
    }
}

/// What a demonstration proves: the exchange's ledger and ours are one, and the journal replays.
struct DemoCheck {
    let outcome: SessionRun.Outcome
    private(set) var problems: [String] = []
    let ledgerMatches: Bool
    let replay: JournalReplay.Summary
    /// To the last input, with the same decisions.
    let replayMatches: Bool

    init(
        _ outcome: SessionRun.Outcome, _ run: SessionRun, _ exchange: DemoExchange,
        _ registry: StrategyRegistry
    )
        throws
    {
        self.outcome = outcome
        let differences = try LedgerComparison.differences(outcome.ledger, exchange.ledger())
        ledgerMatches = differences.isEmpty
        if !ledgerMatches {
            problems.append("the ledgers differ: \(differences.joined(separator: ", "))")
        }
        if outcome.accountsAgree == false { problems.append("the account over REST differs") }
        replay = try ReplayCommand.verify(run.setup.folder.path, registry)
        replayMatches = replay.isIdentical && replay.isWhole && replay.ending == .clean
        if !replayMatches { problems.append("the journal's replay decides otherwise, or is not whole") }
        if !outcome.left.isEmpty { problems.append("\(outcome.left.count) orders were not cancelled") }
        if outcome.unresolved > 0 { problems.append("\(outcome.unresolved) orders of unknown outcome") }
    }

    var isGood: Bool { problems.isEmpty }

    var object: JSONValue {
        JSONValue.fields([
            ("orders_sent", .integer(outcome.statistics.places)),
            ("commands", .integer(outcome.statistics.commands)),
            ("fills", .integer(outcome.statistics.fills)),
            ("rate_limited", .integer(outcome.statistics.rateLimited)),
            ("unknown_at_end", .integer(outcome.unresolved)), ("ledger_matches", .bool(ledgerMatches)),
            ("replay_matches", .bool(replayMatches)), ("journal_inputs", .integer(replay.inputs)),
            ("hash", .string(String(replay.hash, radix: 16))),
            ("interrupted", outcome.interruption.map { .string($0) } ?? .null),
            ("report", outcome.files.first.map { .string($0) } ?? .null),
        ])
    }

    var text: String {
        HelpText.table(
            [
                ("exchange's ledger", ledgerMatches ? "is ours, to the last unit" : "DIFFERS from ours"),
                ("orders of unknown outcome", "\(outcome.unresolved)"),
                (
                    "replay of the journal",
                    replayMatches
                        ? "identical: \(replay.inputs) inputs, \(replay.commands) commands" : "DIFFERS"
                ),
            ], indent: 0) + "\n"
    }
}
