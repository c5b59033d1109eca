import Foundation
import Martlet
import MartletEngine

/// `martlet backtest [CONFIG]`: recordings through the engine and the simulated exchange, and what came of it.
enum BacktestCommand {
    static let tape = ListFlag(
        "tape", short: "t", .file, "replay this tape (or 'demo') instead of the configured")
    static let market = ListFlag("market", .text("PATTERN"), "only markets that fit, such as 'KXBTC15M-*'")
    static let strategy = ValueFlag(
        "strategy", .text("NAME"), "only this strategy, or this one with its defaults")
    static let set = ListFlag("set", .assignment("PATH=VALUE"), "set a key, such as strategy.size=5")
    static let sweep = ListFlag(
        "sweep", .assignment("PATH=A,B,..."), "run once with each value, in parallel, and print a table")
    static let seed = ValueFlag("seed", .seed, "where all chance comes from")
    static let tier = ValueFlag(
        "tier", .choice("TIER", RateLimits.tiers.map(\.tier) + ["unlimited"]), "the rate limit tier")
    static let queue = ValueFlag(
        "queue", .text("MODEL"), "our place among recorded contracts: back, proportional, power:N")
    static let latency = ValueFlag("latency", .seconds, "seconds to the exchange and back, each way")
    static let cash = ValueFlag("cash", .money, "dollars at the start")
    static let out = ValueFlag("out", short: "o", .folder, "folder for the report")
    static let noReport = Switch("no-report", "write no files, only print the result")
    static let jobs = ValueFlag("jobs", short: "j", .whole("N", in: 1...256), "runs at once in a sweep")

    static func command(_ registry: StrategyRegistry) -> Command {
        var command = Command(
            name: "backtest", summary: "run strategies over recorded data and write a report")
        command.discussion = """
            Without CONFIG the sample market maker runs over a made-up exchange day. A \
            configuration is a JSON5 file: 'martlet help configuration'. Flags override its keys.

            Ctrl-C ends the run in order; the result until there is put out, marked as partial.
            """
        command.operands = [.init("CONFIG", .optional, "the configuration, or 'demo'")]
        command.flags = [
            tape, market, strategy, set, sweep, seed, tier, queue, latency, cash, out, noReport, jobs,
        ]
        command.examples = [
            ("martlet backtest", "the market maker on the demonstration day"),
            ("martlet backtest Backtests/longshot-bias.json5 --seed 2", "another day of chance"),
            ("martlet backtest -t day.tape --strategy longshot-bias", "a strategy's defaults on a recording"),
            ("martlet backtest --sweep strategy.size=5,10,20", "three runs, one table"),
        ]
        command.run = { invocation, terminal in
            let loader = BacktestLoader(registry: registry)
            let path = invocation.operands.first.flatMap { $0 == "demo" ? nil : $0 }
            let overrides = overrides(invocation)
            let sweep = try Sweep(invocation[Self.sweep])
            if sweep.axes.isEmpty {
                let plan = named(
                    try loader.load(path, strategy: invocation[strategy], overrides: overrides), invocation)
                return try BacktestRun(plan).run(invocation, terminal)
            }
            let plans = try sweep.combinations.map { combination in
                named(
                    try loader.load(
                        path, strategy: invocation[strategy],
                        overrides: overrides + combination.map { .init($0, flag: "sweep") }), invocation)
            }
            return try SweepRun(sweep: sweep, plans: plans).run(
                invocation, terminal, jobs: invocation[jobs] ?? ProcessInfo.processInfo.activeProcessorCount)
        }
        return command
    }

    /// Without a configuration the run has its tape's name: the demonstration's report stays what it is.
    private static func named(_ plan: BacktestPlan, _ invocation: Invocation) -> BacktestPlan {
        guard invocation.operands.isEmpty, let tape = invocation[tape].first, tape != "demo" else {
            return plan
        }
        var plan = plan
        plan.name = URL(fileURLWithPath: tape).deletingPathExtension().lastPathComponent
        return plan
    }

    /// Flags that stand for keys, in front of `--set`, which has the last word.
    private static func overrides(_ invocation: Invocation) -> [BacktestLoader.Override] {
        var overrides: [BacktestLoader.Override] = []
        func add(_ path: String, _ value: ConfigurationNode.Value, _ flag: String) {
            overrides.append(.init(path: path, node: ConfigurationNode(value, .flag(flag))))
        }
        func list(_ texts: [String], _ flag: String) -> ConfigurationNode.Value {
            .array(texts.map { ConfigurationNode(.string($0), .flag(flag)) })
        }
        let tapes = invocation[tape]
        if !tapes.isEmpty {
            // Relative to where the command was typed, not to the configuration.
            let absolute = tapes.map { $0 == "demo" ? $0 : URL(fileURLWithPath: $0).path }
            add("tapes", list(absolute, "--tape"), "--tape")
        }
        if !invocation[market].isEmpty { add("markets", list(invocation[market], "--market"), "--market") }
        if let seed = invocation[seed] { add("seed", .number(String(seed)), "--seed \(seed)") }
        if let tier = invocation[tier] { add("tier", .string(tier), "--tier \(tier)") }
        if let queue = invocation[queue] { add("queue", .string(queue), "--queue \(queue)") }
        if let latency = invocation[latency] {
            for key in ["latency.order", "latency.report"] {
                add(key, .number(latency), "--latency \(latency)")
            }
        }
        if let cash = invocation[cash] { add("trading.startingCash", .number(cash), "--cash \(cash)") }
        if let out = invocation[out] { add("out", .string(out), "--out \(out)") }
        if invocation[noReport] { add("report", .bool(false), "--no-report") }
        return overrides + invocation[set].map { .init($0, flag: "set") }
    }
}

extension ValueKind where Value == String {
    /// Seconds as decimal text, kept as it was written.
    fileprivate static var seconds: Self { decimal("SECONDS", decimals: 9) }
    fileprivate static var money: Self { decimal("DOLLARS", decimals: 8) }

    private static func decimal(_ placeholder: String, decimals: Int) -> Self {
        Self(placeholder) { text in
            do {
                guard try FixedPoint.parse(text.utf8, decimals: decimals) >= 0 else {
                    throw ValueProblem("is below 0")
                }
            } catch is FixedPoint.ParseError {
                throw ValueProblem("is not a plain decimal number")
            }
            return text
        }
    }
}
