import Martlet
import MartletEngine
import MartletTape

/// Replays an input through an engine and a simulated exchange, on a virtual clock.
///
/// The clock is the recording's receive time, for venue and engine alike: a command sent at one record reaches
/// the venue after its latency and meets the book as of the records received until then. Between two records,
/// what is due runs in the order of its time: the venue first, then the engine's timers, then samples.
package struct BacktestDriver: ~Copyable {
    package var engine: Engine
    package let exchange: SimulatedExchange
    private let settings: BacktestSettings
    private let observer: (any RunObserver)?
    private var isStarted = false
    /// When the run wants to sample its state, or to glance at it. At first the start itself.
    private var due = Timestamp.distantPast
    private var sampleDue = Timestamp.distantFuture
    private var lookedAt = Timestamp.distantPast
    package private(set) var summary = RunSummary()

    /// Often enough for a smooth bar and a quick Ctrl-C, seldom enough to cost nothing.
    private static let recordsBetweenProgress = 1 << 16

    package init(
        engine: consuming Engine, exchange: SimulatedExchange, settings: BacktestSettings,
        observer: (any RunObserver)? = nil
    ) {
        self.engine = engine
        self.exchange = exchange
        self.settings = settings
        self.observer = observer
        self.engine.keepsRecords = observer != nil
    }

    /// Runs to the input's end, or until the observer asks to stop. Throws what the input throws; the run until
    /// there is in ``summary``, not marked complete.
    package mutating func run<Source: RunSource & ~Copyable>(_ source: inout Source) throws -> RunSummary {
        var left = BacktestDriver.recordsBetweenProgress
        reading: while true {
            let event: MarketEvent
            if let hot = source.nextHot() {
                event = hot
            } else {
                switch try source.next() {
                case .market: event = source.event
                case .input:
                    take(source.input, at: source.time)
                    continue reading
                case .end:
                    summary.isComplete = true
                    break reading
                }
            }
            if event.receiveTime >= min(exchange.nextDue, min(engine.nextWake, due)) {
                runDue(until: event.receiveTime)
            }
            if exchange.isIndifferent(to: event) {
                if !engine.handle(event) {
                    exchange.setUnusable(event.market)
                    summary.venueFaults += 1
                }
                if engine.hasOutputs { deliver() }
            } else {
                takeBoth(event)
                if engine.hasOutputs || exchange.nextDue <= event.receiveTime { deliver() }
            }
            left &-= 1
            if left == 0 {
                summary.records += BacktestDriver.recordsBetweenProgress
                left = BacktestDriver.recordsBetweenProgress
                guard report(source.fraction) else { break reading }
            }
        }
        summary.records += BacktestDriver.recordsBetweenProgress - left
        finish()
        return summary
    }

    /// The same for a tape: whoever calls the general form from another module pays for its being general.
    package mutating func replay(_ tape: TapeReader) throws -> RunSummary {
        var source = TapeSource(tape)
        return try run(&source)
    }

    /// Engine and venue look at one book. The venue first: what it fills is older than what the strategies make of
    /// the event.
    @inline(never)
    private mutating func takeBoth(_ event: MarketEvent) {
        var (isChanged, fault) = (false, BookFault?.none)
        let venueFault = exchange.apply(event) { _, event in
            isChanged = true
            fault = engine.change(event)
            return fault
        }
        if venueFault != nil { summary.venueFaults += 1 }
        if !isChanged { fault = engine.change(event) }
        engine.react(to: event, fault)
    }

    private func report(_ fraction: Double) -> Bool {
        guard let observer else { return true }
        return observer.progressed(
            RunProgress(records: summary.records, fraction: fraction, time: engine.now))
    }

    // MARK: Inputs that are no book events

    private mutating func take(_ input: EngineInput, at time: Timestamp) {
        if case .defined(let market) = input {
            if isStarted { runDue(until: time) }
            exchange.define(market, at: time)
            engine.handle(input, at: time)
            exchange.borrow(engine.markets)
            if let id = engine.markets.id(of: market.ticker) { observer?.defined(id, market, at: time) }
            if isStarted { deliver() }
            return
        }
        runDue(until: time)
        switch input {
        // What the exchange decides by itself it announces by itself, at once or after its timers.
        case .status(let market, let status): exchange.setStatus(market, status, at: time)
        case .result(let market, let result): exchange.setResult(market, result, at: time)
        case .settled(let market, let result): exchange.settle(market, result, at: time)
        case .unusable(let market, _):
            exchange.setUnusable(market)
            engine.handle(input, at: time)
        case .market, .defined, .ticker, .reference, .started, .report, .balance, .adoptedOrder,
            .adoptedPosition, .limits, .clock, .command, .stopped:
            engine.handle(input, at: time)
        }
        // What the venue says of it comes before what the strategies answer.
        announce()
        deliver()
    }

    private mutating func start(at time: Timestamp) {
        isStarted = true
        summary.firstTime = time
        engine.handle(.limits(settings.limits), at: time)
        engine.handle(.started(nonce: settings.seed), at: time)
        due = settings.sampleInterval > .zero && observer != nil ? time : .distantFuture
        sampleDue = due
        deliver()
    }

    // MARK: Time between inputs

    /// Runs all that is due until `time`, earliest first.
    @inline(never)
    private mutating func runDue(until time: Timestamp) {
        if !isStarted { start(at: time) }
        while true {
            let venue = exchange.nextDue
            let wake = engine.nextWake
            let next = min(venue, min(wake, due))
            guard next <= time else { return }
            if venue == next {
                runExchange(until: next)
            } else if wake == next {
                engine.handle(.clock, at: max(next, engine.now))
            } else {
                look(at: next, before: time)
            }
            if engine.hasOutputs { deliver() }
        }
    }

    /// Brings commands to the exchange and what it answers at once back, until neither has anything to say.
    @inline(never)
    private mutating func deliver() {
        repeat {
            let now = engine.now
            let (exchange, observer) = (exchange, observer)
            var commands = 0
            engine.drainOutputs { output in
                switch output {
                case .command(let command):
                    commands += 1
                    observer?.sent(command, at: now)
                    exchange.submit(command, at: now)
                case .record(let record): observer?.recorded(record, at: now)
                case .subscribe, .unsubscribe: break
                }
            }
            summary.commands += commands
            if exchange.nextDue <= now { runExchange(until: now) }
        } while engine.hasOutputs || exchange.nextDue <= engine.now
    }

    /// Lets the exchange act until `time`, and tells the engine what came of it.
    private mutating func runExchange(until time: Timestamp) {
        exchange.advance(to: time)
        announce()
        while let due = exchange.nextReport(at: time) {
            summary.reports += 1
            engine.handle(due.report, at: due.time)
            // An answer to this report may be overtaken by nothing that is due later.
            if engine.hasOutputs { return }
        }
    }

    /// Tells the engine what the venue did to its markets.
    private mutating func announce() {
        guard exchange.hasAnnouncements else { return }
        for announcement in exchange.takeAnnouncements() {
            switch announcement {
            case .status(let market, let status, let at): engine.handle(.status(market, status), at: at)
            case .result(let market, let result, let at): engine.handle(.result(market, result), at: at)
            case .settled(let market, let result, let at): engine.handle(.settled(market, result), at: at)
            case .groupTriggered: break
            }
        }
    }

    // MARK: The end

    private mutating func finish() {
        // Without a single input there is no time to say anything at.
        guard isStarted else { return }
        deliver()
        if settings.cancelsAtEnd { engine.handle(.command(.halt(reason: "end of the run")), at: engine.now) }
        deliver()
        summary.lastTime = engine.now
        sample(engine.now)
        engine.handle(.stopped, at: engine.now)
        deliver()
    }

    /// Samples, or glances: no more often than records flow, for between two of them no book changes.
    private mutating func look(at time: Timestamp, before record: Timestamp) {
        if time >= sampleDue {
            sample(time)
            sampleDue = time + settings.sampleInterval
        } else {
            observer?.glanced(RunGlance(of: engine, at: time, since: lookedAt))
        }
        lookedAt = time
        due = min(sampleDue, max(time + settings.glanceInterval, record))
    }

    private func sample(_ time: Timestamp) {
        guard let observer else { return }
        observer.sampled(RunSample(of: engine, at: time))
    }
}
