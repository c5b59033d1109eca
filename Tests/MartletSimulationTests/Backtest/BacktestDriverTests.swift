import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct BacktestDriverTests {
    private struct Run {
        var diary: RandomStrategy.Diary
        var outputs: [String]
        var summary: RunSummary
        var trading: TradingCore
        var exchange: SimulatedExchange
    }

    private final class Recorder: RunObserver {
        var lines: [String] = []
        func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {}
        func recorded(_ record: EngineRecord, at time: Timestamp) { lines.append("\(time) \(record)") }
        func sent(_ command: VenueCommand, at time: Timestamp) { lines.append("\(time) \(command)") }
        func sampled(_ sample: RunSample) {
            lines.append("\(sample.time) \(sample.equity) \(sample.accounts)")
        }
        func progressed(_ progress: RunProgress) -> Bool { true }
    }

    private func run(
        _ inputs: [(time: Timestamp, input: EngineInput)], seed: UInt64 = 1, isActive: Bool = true,
        _ change: (inout SimulatedExchange.Settings) -> Void = { _ in }
    ) throws -> Run {
        let diary = RandomStrategy.Diary()
        let recorder = Recorder()
        var trading = TradingSettings()
        trading.strategyLimits = .unlimited
        trading.accountLimits = .unlimited
        var venue = SimulatedExchange.Settings()
        venue.limits = RateLimits.tier("prime") ?? .basic
        venue.seed = seed
        change(&venue)
        var settings = BacktestSettings()
        settings.seed = seed
        settings.limits = venue.limits
        settings.sampleInterval = .seconds(60)
        var driver = BacktestDriver(
            engine: Engine(
                seats: [StrategySeat(RandomStrategy(diary: diary, isActive: isActive))], settings: trading),
            exchange: SimulatedExchange(settings: venue, cash: [(0, trading.startingCash)]),
            settings: settings, observer: recorder)
        var source = ArraySource(inputs)
        let summary = try driver.run(&source)
        return Run(
            diary: diary, outputs: recorder.lines, summary: summary, trading: driver.engine.shared.trading,
            exchange: driver.exchange)
    }

    /// The money invariant: what the engine believes is what the venue's ledger says, to 10^-8 dollar.
    ///
    /// `inOrder`: fills were told in the order in which the venue booked them. Then cost and realised profit
    /// agree too. In another order a close meets another basis: buying at 0.40 and 0.60 and selling at 0.50
    /// realises ±0 or +0.10 with a basis of 0.50 or 0.60 left. Cash does not depend on the order (each
    /// contract bought pays its price, each sold brings it, and a short one ties up a dollar whichever way it came
    /// about), and realised − cost is the cash that trades brought; so that difference agrees always.
    private func reconcile(_ run: Run, _ label: String, inOrder: Bool = true) {
        let (trading, venue, account) = (run.trading, run.exchange.venue, run.exchange.account)
        #expect(trading.cash.total == venue.cash(account), "\(label): cash")
        var fees = Money.zero
        for index in 0..<venue.marketCount {
            let market = Market.ID(index)
            let ours = trading.accountPosition(market)
            let theirs = venue.position(account, market)
            #expect(ours.quantity == theirs.quantity, "\(label): position in \(market)")
            #expect(ours.fees == theirs.fees, "\(label): fees in \(market)")
            #expect(
                ours.realized - ours.cost == theirs.realized - theirs.cost,
                "\(label): cash from \(market)")
            if inOrder || theirs.quantity.isZero {
                #expect(ours.cost == theirs.cost, "\(label): cost in \(market)")
                #expect(ours.realized == theirs.realized, "\(label): realised in \(market)")
            }
            fees += theirs.fees
        }
        #expect(trading.portfolios[0].fees == fees, "\(label): fees")
        trading.checkInvariants()
        venue.checkInvariants()
    }

    @Test(arguments: 1...12)
    func accountsReconcileWithTheVenuesLedgerToTheLastUnit(_ seed: Int) throws {
        let day = RandomDay(seed: UInt64(seed))
        let run = try run(day.inputs, seed: UInt64(seed)) { venue in
            switch seed % 3 {
            case 0: break
            case 1:
                venue.entryLatency = .constant(.milliseconds(40))
                venue.reportLatency = .constant(.milliseconds(25))
            default:
                venue.entryLatency = .logNormal(median: .milliseconds(60), sigma: 0.8)
                venue.reportLatency = .logNormal(median: .milliseconds(60), sigma: 0.8)
            }
        }
        #expect(run.summary.isComplete)
        #expect(run.diary.fills > 20, "seed \(seed): the day had fills")
        reconcile(run, "seed \(seed)")
    }

    /// Engine and venue look at one book a market, and the books move when the table grows.
    @Test(arguments: 1...4)
    func accountsReconcileWhereMarketsOpenOneAfterAnother(_ seed: Int) throws {
        let day = RandomDay(seed: UInt64(seed) + 200, markets: 40, opensLate: true)
        let run = try run(day.inputs, seed: UInt64(seed))
        #expect(run.summary.isComplete)
        #expect(run.diary.fills > 10, "seed \(seed): the day had fills")
        for index in 0..<40 {
            #expect(run.exchange.venue.lanes[index].book == run.trading.markets.books + index)
        }
        reconcile(run, "seed \(seed), 40 markets")
    }

    /// Requests and answers lost, late, twice, out of order: in the end both sides still agree.
    @Test(arguments: 1...12)
    func accountsReconcileWithEveryFaultOnTheLine(_ seed: Int) throws {
        let day = RandomDay(seed: UInt64(seed) + 100)
        let run = try run(day.inputs, seed: UInt64(seed)) { venue in
            venue.entryLatency = .constant(.milliseconds(30))
            venue.reportLatency = .constant(.milliseconds(30))
            venue.faults.lostRequest = 0.02
            venue.faults.lostAnswer = 0.02
            venue.faults.serverError = 0.02
            venue.faults.spuriousLimit = 0.02
            venue.faults.duplicateReport = 0.05
            venue.faults.delayedReport = 0.05
            venue.faults.fillsFirst = 0.3
        }
        reconcile(run, "seed \(seed) with faults", inOrder: false)
    }

    @Test func theSameRunTwiceIsTheSameToTheByte() throws {
        let day = RandomDay(seed: 7)
        let first = try run(day.inputs)
        let second = try run(day.inputs)
        #expect(first.outputs == second.outputs)
        #expect(first.diary.lines == second.diary.lines)
        #expect(first.outputs.count > 500)
    }

    /// A strategy that only watches, on a recording cut anywhere, saw a prefix of what it saw on the whole; one
    /// that trades too, for its orders cannot know what comes after.
    @Test(arguments: [true, false])
    func nothingIsSeenFromTheFuture(_ isActive: Bool) throws {
        let day = RandomDay(seed: 3, events: 1_500)
        let whole = try run(day.inputs, isActive: isActive).diary.lines
        for cut in stride(from: 60, to: day.inputs.count, by: 97) {
            let part = try run(Array(day.inputs.prefix(cut)), isActive: isActive).diary.lines
            #expect(
                part.count <= whole.count && part.elementsEqual(whole.prefix(part.count)), "cut at \(cut)")
        }
    }

    /// Between samples that lie an hour apart, what strategies follow is looked at every second, while records flow.
    @Test func whatIsTradedIsGlancedAt() throws {
        final class Watcher: RunObserver {
            var glances: [Timestamp] = []
            var tops = 0
            var samples = 0
            func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {}
            func recorded(_ record: EngineRecord, at time: Timestamp) {}
            func sent(_ command: VenueCommand, at time: Timestamp) {}
            func sampled(_ sample: RunSample) { samples += 1 }
            func glanced(_ glance: RunGlance) {
                glances.append(glance.time)
                tops += glance.tops.count
            }
            func progressed(_ progress: RunProgress) -> Bool { true }
        }
        var inputs = RandomDay(seed: 5).inputs
        let last = inputs[inputs.count - 1].time
        // A week without a record, and one more.
        inputs.append((last + .hours(24 * 7), .clock))
        let watcher = Watcher()
        var settings = BacktestSettings()
        settings.sampleInterval = .hours(1)
        var driver = BacktestDriver(
            engine: Engine(
                seats: [StrategySeat(RandomStrategy(diary: .init(), isActive: true))],
                settings: TradingSettings()),
            exchange: SimulatedExchange(settings: .init(), cash: [(0, 10_000)]), settings: settings,
            observer: watcher)
        var source = ArraySource(inputs)
        _ = try driver.run(&source)
        let seconds = Int((last - inputs[0].time).seconds)
        let busy = watcher.glances.filter { $0 <= last }.count
        #expect(busy > seconds / 2 && busy <= seconds + 1)
        #expect(watcher.tops > busy / 2)
        #expect(watcher.samples >= 24 * 7 && watcher.glances.count - busy <= watcher.samples + 1)
    }

    @Test func anObserverEndsTheRunWhereItStands() throws {
        final class Stopper: RunObserver {
            func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {}
            func recorded(_ record: EngineRecord, at time: Timestamp) {}
            func sent(_ command: VenueCommand, at time: Timestamp) {}
            func sampled(_ sample: RunSample) {}
            func progressed(_ progress: RunProgress) -> Bool { false }
        }
        let day = RandomDay(seed: 1, events: 80_000)
        var driver = BacktestDriver(
            engine: Engine(
                seats: [StrategySeat(RandomStrategy(diary: .init(), isActive: false))],
                settings: TradingSettings()),
            exchange: SimulatedExchange(settings: .init(), cash: [(0, 1_000)]), settings: BacktestSettings(),
            observer: Stopper())
        var source = ArraySource(day.inputs)
        let summary = try driver.run(&source)
        #expect(!summary.isComplete)
        #expect(summary.records == 1 << 16)
        #expect(driver.summary == summary)
    }

    @Test func anEmptyInputIsAnEmptyRun() throws {
        let run = try run([])
        #expect(run.summary.isComplete && run.summary.records == 0)
    }
}
