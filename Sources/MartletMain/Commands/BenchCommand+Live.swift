import Martlet
import MartletEngine
import MartletLive
import MartletReport
import MartletWire

/// `martlet bench live`: a whole session against the sandbox, measured in its own loop.
extension BenchCommand {
    private static let liveSeconds = ValueFlag(
        "seconds", .whole("N", in: 1...86_400), "trade for so long (20)")
    private static let liveMarkets = ValueFlag("markets", .whole("N", in: 1...500), "markets (10; busy: 50)")
    private static let liveTier = ValueFlag(
        "tier", .choice("TIER", RateLimits.tiers.map(\.tier)), "the rate limit tier (prestige; busy: basic)")
    private static let livePace = ValueFlag(
        "pace", .whole("N", in: 1...5_000), "orders a second at most (200); not with --busy")
    private static let liveChanges = ValueFlag(
        "changes", .number("N", in: 0...100_000),
        "book changes a second, on top of the exchange's agents' (500)")
    private static let liveKey = ValueFlag(
        "key", .choice("KIND", ["ed25519", "rsa"]), "the kind of the account's key (ed25519)")
    private static let sleeping = Switch("sleep", "both ends sleep between messages; otherwise they poll")
    private static let rehearsal = ValueFlag(
        "rehearsal", .whole("MICROSECONDS", in: 0...1_000_000),
        "after the last order until an order's way is practised (500; 0: never)")
    private static let busy = Switch(
        "busy", "quotes all markets at each change: how much of the write budget is used")

    static func live() -> Command {
        var command = Command(
            name: "live", summary: "tick to order in a live session, and the use of its budget")
        command.discussion = """
            Starts the sandbox exchange in this process and a live session on it, over TLS, with journal, risk \
            gate, router, guard and reconciliation. A strategy answers changes of the book with orders that cannot \
            trade; each is timed from the arrival of its frame at the poller to the kernel's taking of the order's \
            last byte. Percentiles are upper edges of buckets of 6 % width. \
            Session and exchange poll instead of sleeping (live.busyPolling): on one machine, whoever writes to a \
            thread that sleeps also pays for waking it. While it polls the session practises an order's way, so \
            that the next order finds it in the caches (live.rehearsal); what a frame may have waited for that is \
            counted in.

            With --busy a maker quotes fifty markets on the lowest tier and moves its quotes with every change, \
            which is many times what the write budget allows; the figures are the share of the budget that was \
            used, answers of 429, and how soon a cancel left that was asked for meanwhile.

            Exit code 1 when the session's books are not the exchange's, or its journal replays otherwise.
            """
        command.flags = [
            liveSeconds, liveMarkets, liveTier, livePace, liveChanges, liveKey, rehearsal, sleeping, busy,
        ]
        command.examples = [
            ("martlet bench live", "tick to order"),
            ("martlet bench live --rehearsal 0", "with the caches as a quiet market leaves them"),
            ("martlet bench live --busy --seconds 600", "ten minutes at the limit"),
        ]
        command.run = { invocation, terminal in
            var options = LiveBenchmark.Options()
            options.isBusy = invocation[busy]
            if options.isBusy { (options.markets, options.tier) = (50, "basic") }
            if let value = invocation[liveSeconds] { options.seconds = value }
            if let value = invocation[liveMarkets] { options.markets = value }
            if let value = invocation[liveTier] { options.tier = value }
            if let value = invocation[livePace] { options.pace = value }
            if let value = invocation[liveChanges] { options.changes = value }
            if invocation[liveKey] == "rsa" { options.key = .rsa }
            if invocation[sleeping] { options.busyPolling = 0 }
            options.rehearsal = invocation[rehearsal].map { .microseconds(Int64($0)) } ?? options.rehearsal
            Interrupt.install()
            let figures = try LiveBenchmark.run(options, terminal)
            try print(figures, options, invocation, terminal)
            if figures.check.isGood { return Interrupt.exitCode ?? .success }
            terminal.fail(
                "the session does not match the exchange: \(figures.check.problems.joined(separator: "; "))")
            return .failure
        }
        return command
    }

    private static func print(
        _ figures: LiveBenchmark.Figures, _ options: LiveBenchmark.Options, _ invocation: Invocation,
        _ terminal: Terminal
    ) throws {
        let statistics = figures.outcome.statistics
        if invocation.isJSON { return try terminal.line(json(figures, options).text) }
        var rows = [
            ("machine", Machine.summary),
            ("session", "\(options.markets) markets, tier \(options.tier), \(options.seconds) s"),
            ("feed", "\(FormatNumber.grouped(statistics.events)) book changes and trades"),
            (
                "commands",
                "\(FormatNumber.grouped(statistics.commands)), \(statistics.fills) fills, "
                    + "\(statistics.rateLimited) answers of 429"
            ),
        ]
        if let latency = figures.tickToOrder { rows.append(("tick to order", text(latency))) }
        if let latency = figures.cancel { rows.append(("cancel asked to sent", text(latency))) }
        if let latency = figures.outcome.snapshot.roundTrip { rows.append(("round trip", text(latency))) }
        for budget in figures.budgets {
            let share = FormatNumber.decimals(100 * Double(budget.spent) / budget.allowed, 1)
            rows.append(
                (
                    "budget of shard \(budget.shard)",
                    "\(FormatNumber.grouped(budget.spent)) tokens spent, \(share) % of what came"
                ))
        }
        rows.append(("ledger", figures.check.ledgerMatches ? "the exchange's, to the last unit" : "DIFFERS"))
        rows.append(("journal", figures.check.replayMatches ? "replays identically" : "REPLAYS OTHERWISE"))
        try terminal.line(HelpText.table(rows, indent: 0))
    }

    private static func json(_ figures: LiveBenchmark.Figures, _ options: LiveBenchmark.Options) -> JSONValue
    {
        func latency(_ value: StatusSnapshot.Latency?) -> JSONValue {
            guard let value else { return .null }
            return .fields([
                ("count", .integer(value.count)), ("median_ns", .integer(Int(value.median))),
                ("p99_ns", .integer(Int(value.p99))), ("max_ns", .integer(Int(value.maximum))),
            ])
        }
        let statistics = figures.outcome.statistics
        return .fields([
            ("seconds", .integer(options.seconds)), ("markets", .integer(options.markets)),
            ("tier", .string(options.tier)), ("events", .integer(statistics.events)),
            ("commands", .integer(statistics.commands)), ("fills", .integer(statistics.fills)),
            ("rate_limited", .integer(statistics.rateLimited)),
            ("tick_to_order", latency(figures.tickToOrder)),
            ("cancel_asked_to_sent", latency(figures.cancel)),
            ("round_trip", latency(figures.outcome.snapshot.roundTrip)),
            (
                "budgets",
                .array(
                    figures.budgets.map {
                        .fields([
                            ("shard", .integer($0.shard)), ("spent", .integer($0.spent)),
                            ("share", .real(Double($0.spent) / $0.allowed)),
                        ])
                    })
            ),
            ("ledger_matches", .bool(figures.check.ledgerMatches)),
            ("replay_matches", .bool(figures.check.replayMatches)), ("machine", .string(Machine.summary)),
        ])
    }

    private static func text(_ latency: StatusSnapshot.Latency) -> String {
        func micros(_ nanoseconds: Int64) -> String {
            FormatNumber.decimals(Double(nanoseconds) / 1000, 1) + " µs"
        }
        return
            "median \(micros(latency.median)), p99 \(micros(latency.p99)), at most \(micros(latency.maximum)) "
            + "(\(FormatNumber.grouped(latency.count)))"
    }
}
