import CSystem
import Foundation
import Martlet
import MartletEngine
import MartletReport
import MartletSimulation

/// One plan, run: engine, simulated exchange and driver put together as the configuration says.
struct BacktestRun {
    let plan: BacktestPlan
    init(_ plan: BacktestPlan) { self.plan = plan }

    /// The command: with progress, output and exit code.
    func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        csystem_keep_memory()
        let input = try RunInput(plan)
        for remark in input.remarks { terminal.note("note: \(remark)") }
        let progress = Progress(terminal)
        defer { progress.finish() }
        var fills: FillLog?
        let run = try execute(input, fills: { fills = $0 }) { state in
            let total = state.fraction > 0 ? Int(Double(state.records) / state.fraction) : nil
            progress.update(done: state.records, total: total, unit: "records")
            return !Interrupt.isRequested
        }
        progress.finish()
        guard run.facts.records > 0 || !run.facts.isComplete else {
            throw CommandError(
                "nothing to replay: \(input.names.joined(separator: ", ")) "
                    + "\(input.names.count == 1 ? "holds" : "hold") no book change or trade of the "
                    + "markets chosen; 'martlet tape info' shows what they hold", code: .nothingUsable)
        }
        var result = run
        if result.orders.asked == 0, let reason = input.whyNothingWasQuoted() {
            result.notes.append(reason)
        }
        let output = RunOutput(plan: plan, result: result, fills: fills)
        let files = try output.writeFiles()
        try output.print(invocation, terminal, files: files)
        return result.facts.isComplete ? .success : Interrupt.exitCode ?? .failure
    }

    /// Runs to the tapes' end, or until `isWanted` says no: then the result is marked as partial.
    func execute(
        _ input: RunInput, fills: ((FillLog) -> Void)? = nil, isWanted: @escaping (RunProgress) -> Bool
    ) throws -> RunResult {
        let configuration = plan.configuration
        let recorder = RunRecorder(strategies: plan.strategies.map(\.name))
        let watcher = RunWatcher(recorder: recorder, isWanted: isWanted)
        var driver = BacktestDriver(
            engine: Engine(seats: plan.strategies.map(\.seat), settings: configuration.trading),
            exchange: SimulatedExchange(
                settings: try exchangeSettings(),
                cash: [(0, configuration.trading.startingCash)]
                    + configuration.trading.startingCashOnShards.map { ($0.shard, $0.cash) },
                precision: configuration.trading.balancePrecision,
                nets: configuration.trading.returnsCollateral),
            settings: runSettings(input), observer: watcher)

        let began = Progress.monotonicSeconds()
        let summary: RunSummary
        do {
            summary = try BacktestRun.replay(&driver, input, configuration)
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError("\(error)")
        }
        let seconds = Progress.monotonicSeconds() - began
        fills?(watcher.fills)
        return recorder.finish(facts(summary, driver.engine.statistics, input, watcher, seconds))
    }

    /// One tape as it is takes the short way; a choice or several tapes go through a source that renumbers.
    private static func replay(
        _ driver: inout BacktestDriver, _ input: RunInput, _ configuration: BacktestConfiguration
    ) throws -> RunSummary {
        let fees: FeeTerms? =
            configuration.exchange.fees == "recorded"
            ? nil : FeeTerms(type: FeeType(wire: configuration.exchange.fees))
        if input.tapes.count == 1, configuration.markets.isEmpty, fees == nil {
            return try driver.replay(input.tapes[0])
        }
        var source = SelectedSource(input.tapes, filter: TickerFilter(configuration.markets), fees: fees)
        return try driver.run(&source)
    }

    // MARK: Settings

    private var limits: RateLimits { RateLimits.tier(plan.configuration.tier) ?? .basic }

    private func runSettings(_ input: RunInput) -> BacktestSettings {
        var settings = BacktestSettings()
        settings.seed = plan.configuration.seed
        settings.limits = limits
        settings.sampleInterval = plan.configuration.sampling
        if settings.sampleInterval == .zero {
            // About two thousand points: more than a screen is wide, and little work however long the tape.
            let length = input.span.map { $0.last - $0.first } ?? .hours(1)
            let interval = TimeSpan(nanoseconds: length.nanoseconds / 2000)
            settings.sampleInterval = min(max(interval, .milliseconds(100)), .hours(1))
        }
        return settings
    }

    /// The simulated exchange as the configuration wants it; for paper sessions too.
    func exchangeSettings() throws(CommandError) -> SimulatedExchange.Settings {
        let configuration = plan.configuration
        var settings = SimulatedExchange.Settings()
        settings.seed = configuration.seed
        settings.limits = limits
        settings.venue.payoutRounding = configuration.trading.payoutRounding
        settings.venue.queue = QueueModel(name: configuration.queue) ?? .tradesOnly
        settings.venue.taken = TakenRule(rawValue: configuration.exchange.taken) ?? .untilRemoved
        settings.venue.crossing = CrossingRule(rawValue: configuration.exchange.crossing) ?? .quantity
        settings.venue.rejectsPostOnlyCross = configuration.exchange.rejectsPostOnlyCross
        settings.venue.rejectsEmptyImmediate = configuration.exchange.rejectsEmptyImmediate
        settings.venue.confirmsLateCancels = configuration.exchange.confirmsLateCancels
        (settings.entryLatency, settings.reportLatency) = try latencies(configuration.latency)
        return settings
    }

    private func latencies(
        _ latency: LatencyConfiguration
    ) throws(CommandError) -> (entry: LatencyModel, report: LatencyModel) {
        switch latency.model {
        case "log-normal":
            return (
                .logNormal(median: latency.order, sigma: latency.sigma),
                .logNormal(median: latency.report, sigma: latency.sigma)
            )
        case "recorded":
            do {
                let samples = try LatencySamples(contentsOfFile: plan.resolve(latency.file))
                return (.samples(samples), .samples(samples))
            } catch {
                throw .usage("\(error)")
            }
        default: return (.constant(latency.order), .constant(latency.report))
        }
    }

    // MARK: Facts

    private func facts(
        _ summary: RunSummary, _ statistics: EngineStatistics, _ input: RunInput, _ watcher: RunWatcher,
        _ seconds: Double
    ) -> RunFacts {
        let configuration = plan.configuration
        let interruption: String? =
            summary.isComplete ? nil : Interrupt.exitCode == .terminated ? "SIGTERM" : "Ctrl-C"
        var facts = RunFacts(
            mode: .backtest, strategies: plan.strategies.map(\.facts),
            source: input.names.joined(separator: ", "), seed: configuration.seed)
        facts.start = summary.firstTime.isKnown ? summary.firstTime : nil
        facts.end = summary.lastTime.isKnown ? summary.lastTime : nil
        facts.records = summary.records
        facts.isComplete = summary.isComplete
        facts.interruption = interruption
        facts.startingCash = configuration.trading.startingCashOnShards.reduce(
            configuration.trading.startingCash
        ) { $0 + $1.cash }
        facts.writeBudget = .init(limits)
        facts.settings = [
            .init("latency", configuration.latency.summary), .init("queue", configuration.queue),
            .init("fees", configuration.exchange.fees),
            .init("taken liquidity", configuration.exchange.taken),
        ]
        facts.assumptions =
            input.remarks + watcher.assumptions.map { "\($0.text): assumed for \($0.markets) markets" }
        let counters = [
            ("changes before a snapshot", statistics.droppedDeltas), ("book faults", statistics.bookFaults),
            ("events of unknown markets", statistics.unknownMarketEvents),
            ("runaway callbacks", statistics.runawayCallbacks),
            ("records the venue's book refused", summary.venueFaults),
        ]
        facts.counters = counters.filter { $0.1 > 0 }.map { .init($0.0, String($0.1)) }
        facts.configuration = plan.text
        facts.timing = .init(
            seconds: seconds, recordsPerSecond: seconds > 0 ? Double(summary.records) / seconds : 0)
        return facts
    }
}

extension ConfiguredStrategy {
    /// The strategy's place in an engine.
    var seat: StrategySeat {
        func make<S: Strategy>(_ strategy: S) -> StrategySeat {
            let filter = markets
            return StrategySeat(
                strategy, name: name, accepts: filter.isEmpty ? nil : { filter.accepts($0) })
        }
        return make(strategy)
    }
    var facts: RunFacts.StrategyFacts {
        RunFacts.StrategyFacts(name, parameters: parameters.map { .init($0.name, $0.value) })
    }
}

extension LatencyConfiguration {
    /// `log-normal, 30 ms out, 30 ms back, sigma 0.4`
    var summary: String {
        func milliseconds(_ span: TimeSpan) -> String {
            FixedPoint.format(span.nanoseconds, decimals: 6) + " ms"
        }
        switch model {
        case "recorded": return "recorded in \(file)"
        case "log-normal":
            return
                "log-normal, medians \(milliseconds(order)) out and \(milliseconds(report)) back, sigma \(sigma)"
        default: return "\(milliseconds(order)) out, \(milliseconds(report)) back"
        }
    }
}
