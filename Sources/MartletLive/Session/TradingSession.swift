import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletSimulation
import MartletWire

/// A paper or live run: the engine between a feed and a gateway, everything journalled before it has an effect.
///
/// One thread, the loop's, owns all of it. Inputs enter through ``take(_:at:)`` and ``feed(_:)``; each is written
/// to the journal, handed to the engine, and followed by what the engine says: commands to the gateway,
/// subscriptions to the feed, records to the observers. What arrives while that goes on waits its turn.
package final class TradingSession {
    package let loop: EventLoop
    package let settings: LiveSettings
    var engine: Engine
    package internal(set) var directory = MarketDirectory()
    let gateway: any OrderGateway
    /// The gateway, where it leads to an exchange.
    let rest: RestGateway?
    private let journal: any SessionJournal
    package weak var observer: (any RunObserver)?
    package weak var watcher: (any SessionObserver)?
    /// Told of each life-cycle message after it was taken in.
    var onLifecycle: (MarketLifecycleMessage, Timestamp) -> Void = { _, _ in }
    /// The channel of life cycles has been subscribed: what it tells from then on is not missed.
    var hasLifecycles = false
    /// The feed that subscriptions go to; set before the start.
    package var group: FeedGroup?
    let clock: () -> Int64
    private var time: Timestamp

    private var scratch: [EngineOutput] = []
    /// Commands in `scratch`, by index, that did not leave: the journal had no room for them.
    private var withheld: [Int] = []
    private var waiting: [Waiting] = []
    /// What came while another was under way.
    private struct Waiting {
        var input: EngineInput
        var time: Timestamp
        /// The gateway says it: it has seen it already.
        var isOfGateway: Bool
    }
    private var isBusy = false
    private var isJournalFull = false
    private var keptStates: [String: [UInt8]] = [:]
    /// What keeps orders from leaving, or from being taken.
    var obstacles = OrderObstacles()
    /// The operator, or the session in their place, changes the risk state: it is no limit that was reached.
    private var isCommanded = false
    /// Told of an order that the exchange refused.
    var onRejection: () -> Void = {}
    package private(set) var isStopped = false
    /// It is to end: the last halt is no alarm.
    package var isEnding = false
    private var timer: MartletNetwork.TimerID?
    private var timerDue = Timestamp.distantFuture

    /// Connections to the feed that are lost, by number.
    var lost: [Int: Loss] = [:]
    struct Loss {
        var since: Timestamp
        var told: Timestamp
        var attempts = 1
    }

    var account: PrivateAccount
    var ownBook: OwnBook?
    /// What fills have changed in the shown books, on its way to the engine: before anything else of the feed.
    var corrections: [MarketEvent] = []
    private(set) var lastSign = Timestamp.distantPast
    package private(set) var statistics = Statistics()
    /// When the pass of the loop that is under way began, on the monotonic clock; zero between passes.
    private var passBegan: Int64 = 0

    package struct Statistics: Hashable, Sendable {
        package var events = 0
        package var commands = 0
        /// Orders sent, those of batches each.
        package var places = 0
        package var fills = 0
        package var reports = 0
        package var rateLimited = 0
        /// From a frame's arrival to its order's last byte being with the kernel.
        package var tickToOrder = LatencyHistogram()
    }

    /// - Parameter hidesOwn: takes our own orders out of the feed's book: live, where the exchange shows them.
    package init(
        loop: EventLoop, engine: consuming Engine, gateway: any OrderGateway, journal: any SessionJournal,
        settings: LiveSettings, hidesOwn: Bool, clock: @escaping () -> Int64 = { Clocks.wall() }
    ) {
        self.loop = loop
        self.engine = engine
        self.gateway = gateway
        rest = gateway as? RestGateway
        self.journal = journal
        self.settings = settings
        self.clock = clock
        ownBook = hidesOwn ? OwnBook() : nil
        account = PrivateAccount()
        time = Timestamp(nanoseconds: clock())
        self.engine.keepsRecords = true
    }

    /// Receive time: never runs backwards, whatever the clock does.
    package var now: Timestamp {
        time = max(time, Timestamp(nanoseconds: clock()))
        return time
    }

    // MARK: - Inputs

    /// Takes a market in, new or changed.
    @discardableResult
    package func define(_ market: Market) -> Market.ID {
        let id = directory.add(market)
        defined(market, id, at: now)
        return id
    }
    private func defined(_ market: Market, _ id: Market.ID, at time: Timestamp) {
        gateway.define(market, as: id, at: time)
        observer?.defined(id, market, at: time)
        process(.defined(market), at: time)
    }

    /// Takes an input. From the loop's thread; while another is under way it waits its turn.
    package func take(_ input: EngineInput, at time: Timestamp) {
        take(Waiting(input: input, time: time, isOfGateway: false))
    }
    private func take(_ next: Waiting) {
        if isBusy {
            waiting.append(next)
            return
        }
        dispatch(next)
        drainWaiting()
        rearm()
    }

    private func dispatch(_ next: Waiting) {
        let (input, time) = (next.input, next.time)
        if next.isOfGateway { return process(input, at: time) }
        if case .defined(let market) = input, let id = directory.id(of: market.ticker) {
            defined(market, id, at: time)
            return
        }
        guard let input = gateway.observe(input, at: time) else { return }
        process(input, at: time)
    }

    private func drainWaiting() {
        var index = 0
        while index < waiting.count {
            let next = waiting[index]
            index += 1
            dispatch(next)
        }
        waiting.removeAll(keepingCapacity: true)
    }

    private func process(_ input: EngineInput, at time: Timestamp) {
        guard mayWrite(input) else { return }
        isBusy = true
        defer { isBusy = false }
        let at = max(time, engine.now)
        journal.append(input, at: at)
        if case .report(let report) = input { count(report) }
        switch input {
        case .command(.halt), .command(.reduceOnly), .command(.resume): isCommanded = true
        default: break
        }
        engine.handle(input, at: at)
        if engine.hasOutputs { deliver(at: at) }
        isCommanded = false
        journal.endInput()
    }

    /// The hot path: a book event or a trade, already free of what is ours.
    func process(_ event: MarketEvent) {
        if isStopped || !journal.hasRoom { return journalFull() }
        var event = event
        if event.receiveTime < engine.now { event.receiveTime = engine.now }
        statistics.events += 1
        gateway.observe(event)
        if !waiting.isEmpty, !isBusy { drainWaiting() }
        isBusy = true
        journal.append(event)
        engine.handle(event)
        if engine.hasOutputs {
            deliver(at: event.receiveTime)
            journal.endInput()
        }
        isBusy = false
        if !waiting.isEmpty { drainWaiting() }
    }

    private func count(_ report: VenueReport) {
        statistics.reports += 1
        if case .rateLimited = report.body { statistics.rateLimited += 1 }
    }

    /// With the journal full nothing is taken any more but what a halt needs: its own reserve holds that.
    private func mayWrite(_ input: EngineInput) -> Bool {
        if isStopped { return false }
        if journal.hasRoom { return true }
        journalFull()
        switch input {
        case .report, .clock, .command, .stopped: return true
        case .started, .defined, .market, .ticker, .reference, .status, .result, .settled, .unusable,
            .balance,
            .adoptedOrder, .adoptedPosition, .limits:
            return false
        }
    }
    private func journalFull() {
        guard !isStopped, !isJournalFull else { return }
        isJournalFull = true
        let reason = journal.problem ?? "its last segment is full"
        tell(.journalFull(reason))
        take(.command(.halt(reason: "the journal has no room left: \(reason)")), at: now)
    }
    package var hasJournalFailed: Bool { isJournalFull }

    // MARK: - Outputs

    private func deliver(at time: Timestamp) {
        while engine.hasOutputs {
            scratch.removeAll(keepingCapacity: true)
            engine.drainOutputs { scratch.append($0) }
            // The gateway never answers from inside a call, so nothing is added while this is read. What leaves goes
            // first: books are kept of it, and of all else, while it is on its way.
            withheld.removeAll(keepingCapacity: true)
            for (index, output) in scratch.enumerated() {
                if case .command(let command) = output, !send(command, at: time) { withheld.append(index) }
            }
            for (index, output) in scratch.enumerated() {
                note(output, isWithheld: withheld.contains(index), at: time)
            }
        }
    }

    /// False when it does not leave.
    private func send(_ command: VenueCommand, at time: Timestamp) -> Bool {
        let isWritten = journal.append(command, at: time)
        // An order that is not written down does not leave. Cancels do.
        if !isWritten, command.isPlacing {
            refuse(command, at: time)
            return false
        }
        if engine.strategyCount > 1 { noteOwners(command, at: time) }
        gateway.submit(command, at: time)
        if passBegan != 0, let written = rest?.lastWrite, written > passBegan {
            statistics.tickToOrder.record(written - passBegan)
        }
        return true
    }

    private func note(_ output: EngineOutput, isWithheld: Bool, at time: Timestamp) {
        journal.fold(output)
        switch output {
        case .command(let command):
            statistics.commands += 1
            switch command {
            case .place: statistics.places += 1
            case .placeBatch(let orders): statistics.places += orders.count
            case .amend, .decrease, .cancel, .cancelBatch, .cancelEverything: break
            }
            if isWithheld { return }
            noteOwn(command, at: time)
            observer?.sent(command, at: time)
        case .subscribe(let market): follow(market)
        case .unsubscribe(let market): leave(market)
        case .record(let record):
            observe(record, at: time)
            observer?.recorded(record, at: time)
        }
    }

    private func refuse(_ command: VenueCommand, at time: Timestamp) {
        let reports = OrderResponseDecoder(nonce: 0).reports(
            to: command, mayHaveReachedExchange: false, reason: "the journal has no room for it")
        for report in reports {
            waiting.append(Waiting(input: .report(report), time: time, isOfGateway: true))
        }
    }

    /// With several strategies a restart must know whose order was whose.
    private func noteOwners(_ command: VenueCommand, at time: Timestamp) {
        func note(_ order: PlaceOrder) {
            guard let strategy = engine.shared.trading.strategy(of: order.id) else { return }
            journal.owned(order.id, by: strategy, at: time)
        }
        switch command {
        case .place(let order): note(order)
        case .placeBatch(let batch): for order in batch { note(order) }
        case .amend, .decrease, .cancel, .cancelBatch, .cancelEverything: break
        }
    }

    // MARK: - Strategies' states

    /// Before `.started`: what an earlier run's strategies wanted known.
    package func restore(_ states: [String: [UInt8]]) throws {
        for (name, state) in states.sorted(by: { $0.key < $1.key }) where engine.strategyNames.contains(name)
        {
            journal.keep(state, of: name, isRestored: true, at: now)
            try engine.restore(Data(state), strategy: name)
        }
    }
    /// Writes down what strategies want a later run to know, where it has changed.
    package func keepStates() {
        guard !isStopped, journal.hasRoom else { return }
        for (name, state) in engine.savedStates() {
            let bytes = [UInt8](state)
            guard keptStates[name] != bytes else { continue }
            keptStates[name] = bytes
            journal.keep(bytes, of: name, isRestored: false, at: now)
        }
        keepDay()
    }
    /// And what this day has realised so far: a crash is no new day.
    private func keepDay() {
        guard let day = engine.shared.trading.day else { return }
        let kept = DayResult(end: day.end, realized: day.realized, strategies: engine.strategyNames)
        guard let bytes = kept.bytes, keptStates[DayResult.name] != bytes else { return }
        keptStates[DayResult.name] = bytes
        journal.keep(bytes, of: DayResult.name, isRestored: false, at: now)
    }
    /// What earlier sessions of this day have realised counts in the day's loss.
    package func carry(_ states: [String: [UInt8]]) {
        guard let kept = states[DayResult.name], let day = DayResult(bytes: kept), day.end > now else {
            return
        }
        for (name, realized) in day.strategies.sorted(by: { $0.key < $1.key }) {
            guard let index = engine.strategyNames.firstIndex(of: name) else { continue }
            take(.command(.carry(realized, strategy: index)), at: now)
        }
        take(.command(.carry(day.account, strategy: nil)), at: now)
    }

    private func observe(_ record: EngineRecord, at time: Timestamp) {
        switch record {
        case .order(let order, _):
            if order.status.isFinal { finished(order) }
            if obstacles.note(order, at: time) { onRejection() }
        case .fill(let fill, _, _):
            statistics.fills += 1
            if !fill.isTaker { restingFilled(fill, at: time) }
        case .risk(let state, let reason):
            obstacles.riskChanged(state, reason)
            guard state == .halted else { break }
            if isEnding {
                tell(.remark("halted: \(reason)"))
            } else {
                if !isCommanded { tell(.limit(reason: reason)) }
                tell(.halted(reason: reason))
            }
        case .bookUnusable(let market, let fault):
            switch fault {
            // The book contradicts itself: it is asked for anew.
            case .negativeSize, .invalidPrice, .crossed:
                loop.defer { [weak self] in self?.group?.refresh(market) }
            // The feed knows, and asks by itself.
            case .gap, .unknownMarket, .noSnapshot: break
            }
        case .refused(_, let refusal, _): obstacles.note(refusal, at: time)
        case .settlement, .status, .result, .bookUsable, .log, .series: break
        }
    }

    func tell(_ event: SessionEvent) { watcher?.session(event, at: time) }

    // MARK: - Subscriptions

    /// What strategies are told of comes over these channels.
    static let channels: [FeedChannel] = [.book, .trades, .ticker]
    private func follow(_ market: Market.ID) {
        group?.subscribe(TradingSession.channels, market, directory.ticker(market))
    }
    private func leave(_ market: Market.ID) { group?.unsubscribe(TradingSession.channels, market) }

    // MARK: - Time

    /// Lets everything happen that is due, and sees to the next wake-up.
    package func advance() {
        let now = now
        if !isStopped {
            if gateway.nextDue <= now { gateway.advance(to: now) }
            if !isBusy { drainWaiting() }
            if engine.nextWake <= now { take(.clock, at: now) }
        }
        rearm()
    }

    func rearm() {
        guard !isStopped else { return }
        let due = min(engine.nextWake, gateway.nextDue)
        if timer != nil, timerDue <= due { return }
        loop.cancel(timer)
        timer = nil
        guard due < .distantFuture else { return }
        timerDue = due
        let wait = max((due - now).nanoseconds, 0)
        timer = loop.schedule(after: wait) { [weak self] in
            guard let self else { return }
            timer = nil
            advance()
        }
    }

    /// A message of the feed, whatever it says: the exchange lives.
    func sign(_ time: Timestamp) { lastSign = max(lastSign, time) }
    func beginPass() { passBegan = loop.readyAt }
    func endPass() { passBegan = 0 }

    /// Ends the run: strategies are told, nothing is taken any more.
    package func stop() {
        guard !isStopped else { return }
        take(.stopped, at: now)
        keepStates()
        isStopped = true
        loop.cancel(timer)
        timer = nil
        journal.close()
    }
}

extension TradingSession: GatewayOwner {
    package func gateway(_ input: EngineInput, at time: Timestamp) {
        take(Waiting(input: input, time: time, isOfGateway: true))
        if case .report(let report) = input { answered(report) }
    }
}
