import CSystem
import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletReport
import MartletSimulation
import MartletTape

/// A paper or live session from its first question to its report. Runs on the calling thread.
final class SessionRun {
    /// What a session came to.
    struct Outcome {
        var result: RunResult
        var files: [String]
        var snapshot: StatusSnapshot
        var unresolved: Int
        /// Orders that may still rest at the exchange though they were to be cancelled.
        var left: [String]
        /// Why it ended early; nil when it was meant to end.
        var interruption: String?
        /// The last comparison with the exchange's account agreed; nil where there was none.
        var accountsAgree: Bool?
        /// The journal had no room left, which ended it.
        var hasJournalFailed: Bool
        /// Why the accounts could not be compared, where they were not.
        var obstacle: String?
        var statistics: TradingSession.Statistics
        var ledger: SessionLedger
    }

    private(set) var setup: SessionSetup
    let loop: EventLoop
    private let terminal: Terminal
    let client: KalshiClient
    private(set) var opening: AccountOpening?
    private(set) var earlier = EarlierRuns()
    private(set) var markets: [Market] = []
    private(set) var session: TradingSession?
    private(set) var driver: LiveDriver?
    private var rest: RestGateway?
    private var rehearsal: Rehearsal?
    /// From the first question to the end: no other session on this machine trades on the account.
    private var lock: AccountLock?
    private let recorder: RunRecorder
    private let watcher: RunWatcher
    let log: SessionLog
    private(set) var started = Timestamp.unknown
    private let nonce = UInt64.random(in: 1 ... .max)
    private var newMarkets: NewMarkets?
    /// How often the operator has asked for something.
    var commandsHeard = 0
    private(set) var support: SessionSupport?
    private var sampleDue = Timestamp.distantPast
    private var statesDue = Timestamp.distantPast
    private static let stateInterval = TimeSpan.seconds(5)
    /// Called about four times a second with the present state.
    var onStatus: (StatusSnapshot) -> Void = { _ in }

    init(_ setup: SessionSetup, _ terminal: Terminal) throws {
        self.setup = setup
        self.terminal = terminal
        csystem_keep_memory()
        loop = try EventLoop()
        loop.busyPolling = setup.settings.busyPolling.nanoseconds
        do {
            client = try KalshiClient(
                setup.environment, signer: setup.signer, tls: setup.tls, clock: setup.clock)
        } catch {
            throw CommandError("\(error)")
        }
        recorder = RunRecorder(strategies: setup.plan.strategies.map(\.name))
        watcher = RunWatcher(recorder: recorder) { _ in true }
        log = SessionLog(setup.folder)
    }

    // MARK: - Before

    /// Asks the exchange for all that a session must know. Nothing is sent that changes anything.
    func open() throws {
        let (client, settings) = (client, setup.settings)
        let isLive = setup.mode == .live
        if isLive {
            do {
                lock = try AccountLock(
                    environment: "\(setup.environment)", keyID: setup.signer.credentials.keyID,
                    session: setup.folder.path)
            } catch {
                throw CommandError("\(error)")
            }
        }
        do {
            let (environment, key) = (setup.files.environment, setup.signer.credentials.keyID)
            let folder = (setup.folder.path as NSString).deletingLastPathComponent
            earlier = try EarlierRuns(under: folder, name: setup.plan.name) {
                $0.mode == setup.mode.rawValue && $0.environment == environment && $0.keyID == key
            }
        } catch {
            throw CommandError("\(error)")
        }
        do {
            let found = try AsyncWork.run { try await SessionRun.ask(client, settings, isLive: isLive) }
            (opening, markets) = found
        } catch let error as RestError {
            throw CommandError("\(setup.environment): \(error)")
        }
        let missing = Set(settings.markets).subtracting(markets.map(\.ticker)).sorted()
        guard missing.isEmpty else {
            throw CommandError.usage(
                "the exchange knows no market \(missing.joined(separator: ", ")): 'martlet markets' lists those there are"
            )
        }
        for name in settings.series where !markets.contains(where: { $0.series == name }) {
            terminal.note("series \(name) has no open market now: its next ones are followed")
        }
        guard !markets.isEmpty || !settings.series.isEmpty else {
            throw CommandError(
                "no market to trade: name some in 'live.markets', 'live.series' or 'live.events', or with --market",
                code: .nothingUsable)
        }
    }

    private static func ask(
        _ client: KalshiClient, _ settings: LiveSettings, isLive: Bool
    ) async throws -> (AccountOpening?, [Market]) {
        var opening: AccountOpening?
        if isLive {
            try await AuthCommand.narrowClock(client)
            opening = try await AccountOpening.read(client)
        } else {
            try await client.refreshLimits()
        }
        let loader = MarketLoader(client)
        var markets = try await loader.markets(settings.markets)
        var seen = Set(markets.map(\.ticker))
        let others = try await loader.open(series: settings.series) + loader.open(events: settings.events)
        for market in others where seen.insert(market.ticker).inserted { markets.append(market) }
        // A series without an open market may have none now, or be misspelt.
        let found = Set(markets.map(\.series))
        for name in settings.series where !found.contains(name) { try await checkSeries(name, client) }
        return (opening, markets)
    }

    private static func checkSeries(_ name: String, _ client: KalshiClient) async throws {
        guard try await isSeries(name, client) else {
            throw CommandError.usage("the exchange knows no series \(name)")
        }
    }
    private static func isSeries(_ name: String, _ client: KalshiClient) async throws -> Bool {
        do {
            _ = try await client.send(Endpoints.series(name))
            return true
        } catch RestError.refused(let error) where error.status == 404 {
            return false
        }
    }

    /// Orders that rest from earlier runs of this configuration. Others' are left alone.
    var resting: [RestOrder] { opening?.resting.filter { earlier.isOurs($0) } ?? [] }
    var othersResting: Int { (opening?.resting.count ?? 0) - resting.count }

    /// Takes off what an earlier run left resting, as the configuration says.
    func clearResting() throws {
        guard setup.mode == .live, setup.settings.onStart == .cancel, !resting.isEmpty else { return }
        let (client, orders) = (client, resting)
        let (left, opening) = try AsyncWork.run {
            let left = try await AccountOpening.cancel(orders, client)
            return (left, try await AccountOpening.read(client))
        }
        guard left.isEmpty else {
            throw CommandError(
                "\(left.count) orders that rest from before could not be cancelled, such as \(left[0].orderID) in "
                    + "\(left[0].ticker): cancel them, or start with live.onStart: \"adopt\"")
        }
        self.opening = opening
        terminal.note("cancelled \(orders.count) orders that rested from earlier runs")
        log.note("cancelled \(orders.count) orders that rested from earlier runs")
    }

    // MARK: - Running

    /// Puts everything together and connects.
    func start() throws {
        started = Timestamp(nanoseconds: setup.clock())
        try log.begin()
        setup.folder = log.folder
        let trading = setup.trading(on: markets)
        let gateway: any OrderGateway
        switch setup.mode {
        case .live:
            let rest = RestGateway(
                loop, setup.environment, signer: setup.signer, tls: setup.tls, nonce: nonce,
                settings: setup.settings, offset: opening?.clockOffset ?? ClockOffset(),
                clock: setup.clock)
            self.rest = rest
            gateway = rest
        case .paper:
            gateway = PaperGateway(
                settings: try BacktestRun(setup.plan).exchangeSettings(), trading: trading, nonce: nonce)
        }
        let journal = try makeJournal(trading)
        let session = TradingSession(
            loop: loop, engine: Engine(seats: setup.plan.strategies.map(\.seat), settings: trading),
            gateway: gateway, journal: journal, settings: setup.settings, hidesOwn: setup.mode == .live,
            clock: setup.clock)
        (gateway as? RestGateway)?.owner = session
        (gateway as? PaperGateway)?.owner = session
        rest?.journalNames(to: journal)
        session.observer = watcher
        session.watcher = log
        self.session = session
        tellOpening(session)
        let driver = LiveDriver(
            session, environment: setup.environment, signer: setup.signer, tls: setup.tls, client: client,
            rest: rest, began: opening?.began ?? started, seed: nonce)
        self.driver = driver
        let newMarkets = NewMarkets(session, client, series: setup.settings.series)
        driver.newMarkets = newMarkets
        self.newMarkets = newMarkets
        try startSupport(session, driver, journal)
        driver.start()
        if rest != nil { try warm() }
        rehearse()
        do {
            try session.restore(earlier.states)
        } catch {
            log.note("a strategy does not take its earlier state: \(error)", level: .warning)
        }
        if setup.mode == .live, !setup.resumes { session.carry(earlier.states) }
        if let hold { inherit(hold, session) }
        session.take(.started(nonce: nonce), at: session.now)
    }

    /// Groups, guard and door stand before the first order.
    private func startSupport(_ session: TradingSession, _ driver: LiveDriver, _ journal: JournalWriter)
        throws
    {
        let support = try SessionSupport(setup, log, nonce: nonce, started: started)
        self.support = support
        var groups: [SessionIdentity.Group] = []
        let limit = setup.settings.groupLimit
        if let rest, limit.isPositive {
            let client = client
            let shards = Set(markets.map(\.shard)).sorted()
            groups = try AsyncWork.run {
                try await LiveDriver.makeGroups(client, limit: limit, shards: shards)
            }
            rest.join(groups)
            for group in groups { journal.append(.group(shard: group.shard, id: group.id), at: session.now) }
        }
        try GuardSettings(setup.settings).write(to: setup.folder)
        try support.start(loop, groups: groups) { [weak self] in self?.obey($0) }
        log.onEvent = { [weak support] in support?.heard($0, at: $1) }
        driver.onLook = { [weak support] in support?.pulse() }
        support.tellAddress(terminal)
    }

    /// Orders never wait for a handshake: the connections stand before the first strategy is told anything. Nor do
    /// they meet a budget that start-up has used: the router believes it full.
    private func warm() throws {
        // The exchange got them a little later than they were sent.
        let refilled = client.writesRefilled + .milliseconds(500)
        while Timestamp(nanoseconds: setup.clock()) < refilled, !Interrupt.isRequested {
            try loop.runOnce(timeout: Nanoseconds.milliseconds(50))
        }
        let deadline = Clocks.monotonic() + Nanoseconds.seconds(10)
        while rest?.warmConnections == 0, Clocks.monotonic() < deadline, !Interrupt.isRequested {
            try loop.runOnce(timeout: Nanoseconds.milliseconds(50))
        }
    }

    /// A loop that polls has time to practise.
    private func rehearse() {
        let interval = setup.settings.rehearsal.nanoseconds
        guard let rest, loop.busyPolling > 0, interval > 0 else { return }
        do {
            let rehearsal = try Rehearsal(every: interval) { [unowned rest] in rest.lastWrite }
            self.rehearsal = rehearsal
            loop.whilePolling = { [unowned self] now in
                if rehearsal.isOver {
                    log.note("orders are rehearsed no more: the rehearsal broke off", level: .warning)
                    loop.whilePolling = nil
                    return false
                }
                return rehearsal.step(at: now)
            }
        } catch {
            log.note("orders are not rehearsed: \(error)", level: .warning)
        }
    }

    private func makeJournal(_ trading: TradingSettings) throws -> JournalWriter {
        do {
            return try JournalWriter(
                folder: setup.folder.journal, header: try setup.journalHeader(trading, started),
                settings: JournalSettings(setup.settings))
        } catch {
            throw CommandError("\(error)")
        }
    }

    /// What was found, as the engine's first inputs.
    private func tellOpening(_ session: TradingSession) {
        let limits =
            setup.mode == .live
            ? opening?.limits ?? .basic : RateLimits.tier(setup.plan.configuration.tier) ?? .basic
        session.take(.limits(limits), at: session.now)
        for market in markets { session.define(market) }
        guard let opening else { return }
        session.adopt(opening, earlier: earlier)
    }

    /// Runs until the time is over or somebody asks for an end.
    func run(seconds: Int?) throws {
        let end = seconds.map { Clocks.monotonic() + Nanoseconds.seconds(Int64($0)) }
        while !Interrupt.isRequested {
            let now = Clocks.monotonic()
            if let end, now >= end { break }
            if session?.hasJournalFailed == true { break }
            try turn(Nanoseconds.milliseconds(250))
        }
    }

    private func turn(_ timeout: Int64) throws {
        try loop.runOnce(timeout: timeout)
        guard let session else { return }
        let now = session.now
        guard now >= sampleDue else { return }
        sampleDue = now + .milliseconds(250)
        watcher.sampled(session.sample())
        let status = snapshot()
        support?.publish(status)
        if now >= statesDue {
            statesDue = now + SessionRun.stateInterval
            session.keepStates()
        }
        // What only has not had the time yet is no news.
        let isOpening = !status.obstacles.isEmpty && now - started < .seconds(3)
        if !isOpening { onStatus(status) }
    }

    func snapshot() -> StatusSnapshot {
        guard let session else { preconditionFailure("a session that has not started has no state") }
        return session.snapshot(
            mode: setup.mode.rawValue, environment: "\(setup.environment)", started: started, driver: driver)
    }

    // MARK: - The end

    /// Ends in order: no new orders, what rests is taken off as the configuration says, answers are awaited.
    func finish() throws -> Outcome {
        guard let session, let driver else { throw CommandError("the session never started") }
        session.isEnding = true
        watcher.isEnding = true
        if setup.settings.onStop == .cancel {
            session.take(.command(.halt(reason: "the session ends")), at: session.now)
        }
        let deadline = session.now + setup.settings.stopTimeout
        while session.now < deadline, !isSettled(session) { try turn(Nanoseconds.milliseconds(20)) }
        let agrees = setup.mode == .live ? try compare(session, driver) : nil
        let obstacle = driver.comparisonObstacle
        let snapshot = snapshot()
        let unresolved = session.unresolvedOrders
        let left = setup.settings.onStop == .cancel ? session.openOrderLines : []
        watcher.sampled(session.sample())
        loop.whilePolling = nil
        rehearsal?.close()
        session.stop()
        driver.close()
        if let groups = support?.identity.groups, !groups.isEmpty {
            let client = client
            // The signal that ends the session is no reason to leave them there.
            try? AsyncWork.run(isInterruptible: false) { await LiveDriver.removeGroups(client, groups) }
        }
        support?.finish()
        release()
        let result = recorder.finish(facts(session))
        var files: [String] = []
        do {
            files = try SessionOutput(setup: setup, result: result, fills: watcher.fills).write()
        } catch {
            log.note("\(error)", level: .error)
            terminal.fail("\(error)")
        }
        return Outcome(
            result: result, files: files, snapshot: snapshot, unresolved: unresolved, left: left,
            interruption: interruption(session),
            accountsAgree: agrees, hasJournalFailed: session.hasJournalFailed,
            obstacle: agrees == nil ? obstacle : nil,
            statistics: session.statistics, ledger: session.ledger)
    }

    /// Lets others trade on the account. ``finish()`` does it too.
    func release() { lock = nil }

    private func isSettled(_ session: TradingSession) -> Bool {
        if session.unresolvedOrders > 0 { return false }
        return setup.settings.onStop == .leave || session.openOrderCount == 0
    }

    /// The last comparison: what the exchange says against what we hold.
    private func compare(_ session: TradingSession, _ driver: LiveDriver) throws -> Bool? {
        let before = (driver.auditorAgreements(), driver.accountDifferences)
        driver.auditSoon()
        let deadline = session.now + setup.settings.stopTimeout
        while session.now < deadline {
            try turn(Nanoseconds.milliseconds(50))
            if driver.auditorAgreements() > before.0 { return true }
            if driver.accountDifferences > before.1 { return false }
        }
        return nil
    }

    private func interruption(_ session: TradingSession) -> String? {
        if session.hasJournalFailed { return "the journal had no room left" }
        return Interrupt.exitCode.map { $0 == .terminated ? "SIGTERM" : "Ctrl-C" }
    }

    private func facts(_ session: TradingSession) -> RunFacts {
        let configuration = setup.plan.configuration
        var facts = RunFacts(
            mode: setup.mode.facts, strategies: setup.plan.strategies.map(\.facts),
            source: "\(setup.environment)", seed: nonce)
        facts.start = started
        facts.end = session.now
        facts.records = session.statistics.events
        facts.interruption = interruption(session)
        facts.startingCash =
            opening.map { $0.balance.cash }
            ?? configuration.trading.startingCashOnShards.reduce(configuration.trading.startingCash) {
                $0 + $1.cash
            }
        facts.writeBudget = .init(opening?.limits ?? RateLimits.tier(configuration.tier) ?? .basic)
        facts.settings = [
            .init("orders", setup.mode == .live ? "real" : "simulated"),
            .init("request timeout", "\(setup.settings.requestTimeout.seconds) s"),
        ]
        if setup.mode == .paper {
            facts.settings += [
                .init("latency", configuration.latency.summary), .init("queue", configuration.queue),
            ]
        }
        let statistics = session.engineStatistics
        var counters: [(String, Int)] = [
            ("commands sent", session.statistics.commands), ("429 answers", session.statistics.rateLimited),
            ("changes before a snapshot", statistics.droppedDeltas), ("book faults", statistics.bookFaults),
            ("events of unknown markets", statistics.unknownMarketEvents),
            ("runaway callbacks", statistics.runawayCallbacks),
            ("disconnects", log.count(of: "disconnected")),
            ("differences between accounts", log.count(of: "difference")),
            ("fills of orders that this run did not place", session.strangerFills),
        ]
        if let feed = session.group?.statistics {
            counters += [("gaps in the feed", feed.gaps), ("duplicates in the feed", feed.duplicates)]
        }
        facts.counters = counters.filter { $0.1 > 0 }.map { .init($0.0, String($0.1)) }
        facts.skipped = log.refusals.map { .init($0.tickers, $0.reason) }
        facts.configuration = setup.plan.text
        return facts
    }
}
