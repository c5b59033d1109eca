import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// Drives a session against an exchange: feed, reconciliation, look-ups, audits, and the regular looks at all of
/// them. With a ``PaperGateway`` only the feed is the exchange's.
package final class LiveDriver {
    package let session: TradingSession
    package let group: FeedGroup
    private let loop: EventLoop
    private let client: KalshiClient
    private let settings: LiveSettings
    private let rest: RestGateway?
    private let resolver: OrderResolver?
    package let auditorAgreements: () -> Int
    private let auditor: AccountAuditor?
    private let reconciler: SinceReconciler
    private var tick: MartletNetwork.TimerID?
    private var statusDue = Timestamp.distantPast
    private var statusAsked = Timestamp.distantPast
    private var pausedShards: Set<Int> = []
    private var knowsStanding = false
    private var standingDue = Timestamp.distantPast
    private var isSilent = false
    private var isClosed = false
    /// Called ten times a second: the loop is alive.
    package var onLook: () -> Void = {}
    /// Told of markets that a followed series opens.
    package var newMarkets: NewMarkets?

    private static let tickInterval = Nanoseconds.milliseconds(100)
    private static let statusInterval = TimeSpan.seconds(30)
    private static let statusPause = TimeSpan.seconds(5)
    private static let standingPause = TimeSpan.seconds(5)

    /// - Parameter began: what happened at the exchange since is asked for when the feed is connected.
    package init(
        _ session: TradingSession, environment: ExchangeEnvironment, signer: RequestSigner, tls: TLSContext?,
        client: KalshiClient, rest: RestGateway?, began: Timestamp, seed: UInt64
    ) {
        self.session = session
        self.client = client
        self.rest = rest
        loop = session.loop
        settings = session.settings
        let directory = session
        let inner = RestReconciler(client: client, loop: session.loop) { [unowned directory] in
            (0..<directory.directory.count).map { (directory.directory.ticker(Market.ID($0)), Market.ID($0)) }
        }
        reconciler = SinceReconciler(inner, from: began)
        var connection = FeedConnectionSettings()
        connection.seed = seed
        group = FeedGroup(
            session.loop, to: environment.feed, tls: tls, settings: connection, receiver: session,
            reconciler: reconciler, clock: session.clock
        ) {
            try signer.feedHeaders(milliseconds: ($0 + client.clockOffset.correction.nanoseconds) / 1_000_000)
        }
        session.group = group
        if let rest {
            resolver = OrderResolver(session, client, rest, settings: session.settings)
            let (asked, told) = (reconciler, session)
            let auditor = AccountAuditor(session, client, rest, settings: session.settings) { since in
                for channel in [FeedChannel.fills, .userOrders] {
                    asked.reconcile(channel, since: since) { [weak told] result in
                        guard let told, case .success(let found) = result else { return }
                        for output in found.outputs { told.takeIn(output, at: told.now) }
                    }
                }
            }
            self.auditor = auditor
            auditorAgreements = { auditor.agreements }
        } else {
            resolver = nil
            auditor = nil
            auditorAgreements = { 0 }
        }
        session.onRejection = { [weak self] in self?.askStatusSoon() }
    }

    package var unknownOrders: Int { resolver?.unknownCount ?? 0 }
    package var accountDifferences: Int { auditor?.differences ?? 0 }
    /// Why our account could not be compared with the exchange's the last time; nil where it was.
    package var comparisonObstacle: String? { auditor?.obstacle }

    /// Subscribes the account's channels and connects.
    package func start() {
        if rest != nil {
            for channel in [FeedChannel.fills, .userOrders, .positions, .orderGroups] {
                group.subscribe(channel)
            }
        }
        group.subscribe(.lifecycle)
        if !settings.indices.isEmpty { group.subscribe(.cfBenchmarks, indices: settings.indices) }
        group.start()
        rest?.start(connections: settings.connections)
        session.sign(session.now)
        schedule()
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        loop.cancel(tick)
        group.stop()
        rest?.close()
    }

    /// Compares accounts as soon as it is quiet.
    package func auditSoon() { auditor?.hurry() }

    // MARK: - Regular looks

    private func schedule() {
        tick = loop.schedule(after: LiveDriver.tickInterval) { [weak self] in
            guard let self, !isClosed else { return }
            look()
            schedule()
        }
    }

    private func look() {
        onLook()
        let now = session.now
        session.advance()
        session.claimFills()
        resolver?.look(at: now)
        auditor?.look(at: now)
        watchSilence(now)
        if now >= statusDue {
            // The end of a pause is waited for.
            statusDue = now + (pausedShards.isEmpty ? LiveDriver.statusInterval : LiveDriver.statusPause)
            statusAsked = now
            askStatus()
        }
        askStanding(now)
        newMarkets?.look(at: now)
    }

    /// How each market stands: asked once the feed tells of changes, for what was told before is told no more (a
    /// result between the opening and that, a pause); and as long as a settlement came without its result.
    private func askStanding(_ now: Timestamp) {
        let isWanted = !knowsStanding || session.directory.awaitsResults
        guard isWanted, session.hasLifecycles, now >= standingDue else { return }
        standingDue = now + LiveDriver.standingPause
        reconciler.reconcile(.lifecycle, since: now) { [weak self] answer in
            guard let self, !isClosed, case .success(let found) = answer else { return }
            knowsStanding = true
            for output in found.outputs { session.takeIn(output, at: session.now) }
            // A market's own status says nothing of its shard's pause.
            for shard in pausedShards.sorted() { change(shard, from: .active, to: .inactive) }
        }
    }

    /// The dead man's switch: a feed that says nothing, not even that it lives, is no basis for orders.
    private func watchSilence(_ now: Timestamp) {
        let isConnected = group.openConnections > 0
        if isConnected { session.sign(now) }
        let silence = now - session.lastSign
        if silence >= settings.silenceLimit, !isSilent {
            isSilent = true
            session.tell(.silent(silence))
            session.take(
                .command(.halt(reason: "the feed has been silent for \(Int(silence.seconds)) s")), at: now)
        } else if silence < settings.silenceLimit {
            isSilent = false
        }
    }

    /// An order was refused: a pause may be why.
    private func askStatusSoon() {
        statusDue = min(statusDue, max(session.now, statusAsked + LiveDriver.statusPause))
    }

    /// The exchange pauses a shard without a word on the feed.
    private func askStatus() {
        let client = client
        let loop = loop
        let handBack = LoopReturn { [weak self] (status: ExchangeStatus) in self?.took(status) }
        Task {
            guard let status = try? await client.send(Endpoints.exchangeStatus()) else { return }
            loop.execute { handBack.body(status) }
        }
    }

    private func took(_ status: ExchangeStatus) {
        guard !isClosed else { return }
        var shards: Set<Int> = []
        for index in 0..<session.directory.count {
            if let market = session.directory.market(Market.ID(index)) { shards.insert(market.shard) }
        }
        for shard in shards.sorted() {
            let isTrading = status.isTrading(shard: shard)
            if !isTrading, pausedShards.insert(shard).inserted {
                statusDue = min(statusDue, session.now + LiveDriver.statusPause)
                session.tell(.exchangePaused(shard: shard))
                change(shard, from: .active, to: .inactive)
            } else if isTrading, pausedShards.remove(shard) != nil {
                session.tell(.exchangeResumed(shard: shard))
                change(shard, from: .inactive, to: .active)
            }
        }
    }
    private func change(_ shard: Int, from: MarketStatus, to: MarketStatus) {
        let now = session.now
        for index in 0..<session.directory.count {
            let market = Market.ID(index)
            guard session.directory.market(market)?.shard == shard,
                session.engine.markets.status(market) == from
            else { continue }
            session.take(.status(market, to), at: now)
        }
    }
}

/// Asks only for what happened since the session's opening: what was before, the opening holds.
private final class SinceReconciler: FeedReconciler {
    private let inner: RestReconciler
    private let from: Timestamp
    init(_ inner: RestReconciler, from: Timestamp) {
        self.inner = inner
        self.from = from
    }
    func reconcile(
        _ channel: FeedChannel, since: Timestamp, done: @escaping (Result<Reconciliation, any Error>) -> Void
    ) {
        inner.reconcile(channel, since: since.isKnown ? max(since, from) : from, done: done)
    }
}
