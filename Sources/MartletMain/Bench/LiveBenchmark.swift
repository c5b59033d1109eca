import Foundation
import Martlet
import MartletEngine
import MartletLive
import MartletNetwork
import MartletReport
import MartletSimulation

/// A whole live session against the sandbox, for what it costs: receive time stamp to written order, with journal,
/// risk gate and router in place.
struct LiveBenchmark {
    struct Options {
        var seconds = 20
        var markets = 10
        var tier = "prestige"
        var pace = 200
        /// Book changes a second, on top of the world's own.
        var changes = 500.0
        var isBusy = false
        var seed: UInt64 = 1
        var key = KeyAlgorithm.ed25519
        /// Seconds for which both ends poll before they sleep.
        var busyPolling = 1
        /// After the last order until its way is practised.
        var rehearsal = LiveSettings().rehearsal
    }

    struct Figures {
        var outcome: SessionRun.Outcome
        /// From a frame's arrival to its order being with the kernel.
        var tickToOrder: StatusSnapshot.Latency?
        /// From asking for a cancel to its being with the kernel.
        var cancel: StatusSnapshot.Latency?
        /// Tokens of the write budget spent, and those that came in the same time, by shard that was used.
        var budgets: [(shard: Int, spent: Int, allowed: Double)]
        var check: DemoCheck
    }

    static func run(_ options: Options, _ terminal: Terminal) throws -> Figures {
        let exchange = try DemoExchange(
            seed: options.seed, tier: options.tier, markets: options.markets, key: options.key,
            busyPolling: Nanoseconds.seconds(Int64(options.busyPolling))
        ) { $0.world.changesPerSecond = options.changes }
        defer { exchange.close() }
        let folder = try TemporaryFolder.make("martlet-bench")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let registry = try StrategyRegistry([BenchResponder.self, BenchBusyMaker.self])
        let plan = try plan(options, exchange, registry, folder)
        let setup = SessionSetup(
            mode: .live, plan: plan, environment: exchange.environment, signer: exchange.signer,
            tls: exchange.tls,
            folder: SessionSetup.folder(of: plan, at: Timestamp(nanoseconds: Clocks.wall())),
            files: exchange.files, isDemo: true)
        let run = try SessionRun(setup, terminal)
        try run.open()
        try run.start()
        let tap = CancelTap(run.session?.observer)
        run.session?.observer = tap
        let progress = Progress(terminal)
        let began = Progress.monotonicSeconds()
        run.onStatus = { _ in
            progress.update(
                done: Int(Progress.monotonicSeconds() - began), total: options.seconds, unit: "s")
        }
        let before = run.snapshot().budgets
        try run.run(seconds: options.seconds)
        let elapsed = Progress.monotonicSeconds() - began
        // What follows is the halt, which cancels everything at once.
        let (after, cancels) = (run.snapshot(), tap.histogram)
        progress.finish()
        let outcome = try run.finish()
        let refill = Double(RateLimits.tier(options.tier)?.write.refill ?? 0)
        var budgets: [(shard: Int, spent: Int, allowed: Double)] = []
        for budget in after.budgets where budget.spent > 0 {
            let earlier = before.first { $0.shard == budget.shard }?.spent ?? 0
            budgets.append((budget.shard, budget.spent - earlier, refill * elapsed + Double(budget.capacity)))
        }
        return Figures(
            outcome: outcome, tickToOrder: after.tickToOrder, cancel: .init(cancels), budgets: budgets,
            check: try DemoCheck(outcome, run, exchange, registry))
    }

    private static func plan(
        _ options: Options, _ exchange: DemoExchange, _ registry: StrategyRegistry, _ folder: String
    ) throws -> BacktestPlan {
        func override(_ path: String, _ value: ConfigurationNode.Value) -> BacktestLoader.Override {
            .init(path: path, node: ConfigurationNode(value, .builtIn))
        }
        let tickers = exchange.markets.map { ConfigurationNode(.string($0), .builtIn) }
        var overrides = [
            override("live.folder", .string(folder)), override("live.markets", .array(tickers)),
            override("live.dashboard", .bool(false)),
            override("live.busyPolling", .number("\(options.busyPolling)")),
            override("live.rehearsal", .number("\(options.rehearsal.seconds)")),
        ]
        if !options.isBusy { overrides.append(override("strategy.pace", .number("\(options.pace)"))) }
        // The budget is what is measured, not the gate.
        for limits in ["strategyLimits", "accountLimits"] {
            overrides.append(override("trading.\(limits).priceCollar", .number("1")))
            overrides.append(override("trading.\(limits).maxOrdersPerSecond", .number("100000")))
        }
        let name = options.isBusy ? BenchBusyMaker.name : BenchResponder.name
        return try BacktestLoader(registry: registry).load(nil, strategy: name, overrides: overrides)
    }
}

/// Times cancels from the strategy's asking to the command's leaving; hands everything on.
private final class CancelTap: RunObserver {
    private let inner: (any RunObserver)?
    private(set) var histogram = LatencyHistogram()
    private var asked: [UInt64: Timestamp] = [:]

    init(_ inner: (any RunObserver)?) { self.inner = inner }

    func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {
        inner?.defined(market, definition, at: time)
    }
    func recorded(_ record: EngineRecord, at time: Timestamp) {
        if case .series(BenchBusyMaker.cancelSeries, let order, _) = record { asked[UInt64(order)] = time }
        inner?.recorded(record, at: time)
    }
    func sent(_ command: VenueCommand, at time: Timestamp) {
        if case .cancel(let order, _) = command, let since = asked.removeValue(forKey: order.number) {
            histogram.record(Clocks.wall() - since.nanoseconds)
        }
        inner?.sent(command, at: time)
    }
    func sampled(_ sample: RunSample) { inner?.sampled(sample) }
    func glanced(_ glance: RunGlance) { inner?.glanced(glance) }
    func progressed(_ progress: RunProgress) -> Bool { inner?.progressed(progress) ?? true }
}
