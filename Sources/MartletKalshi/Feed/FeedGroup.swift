import Martlet
import MartletEngine
import MartletNetwork

/// The whole feed of an account: as many connections as its markets need, told as one.
///
///     let feed = FeedGroup(loop, to: environment.feed, tls: tls, receiver: driver) { now in
///         try signer.feedHeaders(milliseconds: now / 1_000_000)
///     }
///     feed.subscribe(.fills)
///     feed.subscribe([.book, .trades], Market.ID(0), "KXHIGHNY-26NOV23-B54.5")
///     feed.start()
///
/// Channels without markets (the account's own, life cycles, indices) share one connection; each of the others
/// carries up to ``FeedSettings/marketsPerConnection`` markets. A hole in one connection's books leaves the others'
/// alone. Loop-thread only.
public final class FeedGroup {
    /// Connections a group opens at most; the markets beyond are told as refused.
    public static let connectionsMax = 64
    private static let retryDelay = Nanoseconds.seconds(1)
    private static let retryDelayMax = Nanoseconds.seconds(60)

    public private(set) var connections: [FeedConnection] = []
    private let loop: EventLoop
    private let url: HTTPURL
    private let tls: TLSContext?
    private let settings: FeedConnectionSettings
    private let headers: (Int64) throws -> HTTPHeaders
    private let clock: () -> Int64
    private weak var receiver: (any FeedReceiver)?
    private weak var reconciler: (any FeedReconciler)?
    private var isStarted = false
    /// The connection of the channels without markets.
    private var account: Int?

    /// The connection that carries a channel of a market, -1 for none; by channel, then by market.
    private var homes = [[Int16]](repeating: [], count: FeedChannel.allCases.count)
    private var tickers: [String] = []
    /// Markets a connection takes, lowered when the exchange says so.
    private var capacity: [Int] = []
    private var marketsOn: [Int] = []
    private var reconciliations: [Reconciling] = []
    private var fills = RecentIDs(capacity: 8_192)
    private var trades = RecentIDs(capacity: 65_536)
    private var dropsTrade = false

    private struct Reconciling {
        var channel: FeedChannel
        /// Asked for while another is under way; nil: nothing more.
        var more: Timestamp?
        var failures = 0
    }

    /// - Parameters:
    ///   - headers: makes the handshake's headers for a time (nanoseconds since 1970).
    ///   - reconciler: asked after every reconnect and hole for what carries no numbers; without one the receiver
    ///     is told only (``FeedOutput/reconcile(_:since:)``). Held weakly, as the receiver is.
    public init(
        _ loop: EventLoop, to url: HTTPURL, tls: TLSContext?,
        settings: FeedConnectionSettings = FeedConnectionSettings(), receiver: any FeedReceiver,
        reconciler: (any FeedReconciler)? = nil, clock: @escaping () -> Int64 = { Clocks.wall() },
        headers: @escaping (Int64) throws -> HTTPHeaders
    ) {
        self.loop = loop
        self.url = url
        self.tls = tls
        self.settings = settings
        self.receiver = receiver
        self.reconciler = reconciler
        self.clock = clock
        self.headers = headers
    }

    public func start() {
        isStarted = true
        for connection in connections { connection.start() }
    }
    public func stop() {
        isStarted = false
        for connection in connections { connection.stop() }
    }

    /// All connections' counts together.
    public var statistics: FeedStatistics {
        var sum = FeedStatistics()
        for connection in connections { sum.add(connection.session.statistics) }
        return sum
    }
    public var openConnections: Int { connections.count { $0.isOpen } }
    public var liveBooks: Int { connections.reduce(0) { $0 + $1.session.liveBooks } }

    // MARK: - What is wanted

    /// Wants all there is of a channel without markets.
    public func subscribe(_ channel: FeedChannel, indices: [String] = ["all"]) {
        let home = account ?? addConnection()
        account = home
        connections[home].update { $0.subscribe(channel, indices: indices) }
    }

    /// Wants channels of one market.
    public func subscribe(_ channels: [FeedChannel], _ market: Market.ID, _ ticker: String) {
        while tickers.count <= Int(market.index) { tickers.append("") }
        tickers[Int(market.index)] = ticker
        for channel in channels where home(channel, market) == nil { place(channel, market, except: nil) }
    }

    public func unsubscribe(_ channels: [FeedChannel], _ market: Market.ID) {
        for channel in channels {
            guard let home = home(channel, market) else { continue }
            leave(channel, market, home)
            connections[home].update { $0.unsubscribe(channel, market) }
        }
    }

    /// The book contradicts itself: it is fetched anew.
    public func refresh(_ market: Market.ID) {
        guard let home = home(.book, market) else { return }
        let now = Timestamp(nanoseconds: clock())
        connections[home].update { $0.refresh(market, at: now) }
    }

    // MARK: - Placing

    private func home(_ channel: FeedChannel, _ market: Market.ID) -> Int? {
        let known = homes[Int(channel.rawValue)]
        guard Int(market.index) < known.count, known[Int(market.index)] >= 0 else { return nil }
        return Int(known[Int(market.index)])
    }
    private func setHome(_ channel: FeedChannel, _ market: Market.ID, _ home: Int?) {
        let index = Int(channel.rawValue)
        while homes[index].count <= Int(market.index) { homes[index].append(-1) }
        homes[index][Int(market.index)] = Int16(home ?? -1)
    }

    /// A market's channels live together where there is room.
    private func place(_ channel: FeedChannel, _ market: Market.ID, except full: Int?) {
        let others = FeedChannel.allCases.lazy.compactMap { self.home($0, market) }
        var choice = others.first { $0 != full }
        if choice == nil {
            choice = connections.indices.first {
                $0 != account && $0 != full && marketsOn[$0] < capacity[$0]
            }
        }
        if choice == nil, connections.count < FeedGroup.connectionsMax {
            choice = addConnection()
        }
        let ticker = tickers[Int(market.index)]
        guard let choice else {
            receiver?.feed(
                .refused(channel, tickers: [ticker], code: 26, reason: "no connection has room for it"),
                at: Timestamp(nanoseconds: clock()))
            return
        }
        if !others.contains(choice) { marketsOn[choice] += 1 }
        setHome(channel, market, choice)
        connections[choice].update {
            $0.register(ticker, as: market)
            $0.subscribe(channel, market)
        }
    }

    private func leave(_ channel: FeedChannel, _ market: Market.ID, _ home: Int) {
        setHome(channel, market, nil)
        if !FeedChannel.allCases.contains(where: { self.home($0, market) == home }) { marketsOn[home] -= 1 }
    }

    private func addConnection() -> Int {
        let number = connections.count
        let connection = FeedConnection(
            loop, number: number, to: url, tls: tls, settings: settings, receiver: self, clock: clock,
            headers: headers)
        connections.append(connection)
        capacity.append(settings.session.marketsPerConnection)
        marketsOn.append(0)
        // What is wanted of it is said after this.
        if isStarted { loop.defer { [weak self] in if self?.isStarted == true { connection.start() } } }
        return number
    }

    private func move(_ channel: FeedChannel, _ markets: [Market.ID]) {
        for market in markets {
            guard let home = home(channel, market) else { continue }
            capacity[home] = min(capacity[home], max(1, connections[home].session.wantedCount(channel)))
            leave(channel, market, home)
            place(channel, market, except: home)
        }
    }

    // MARK: - Reconciliation

    private func reconcile(_ channel: FeedChannel, since: Timestamp) {
        guard reconciler != nil else { return }
        if let index = reconciliations.firstIndex(where: { $0.channel == channel }) {
            reconciliations[index].more = reconciliations[index].more.map { min($0, since) } ?? since
            return
        }
        reconciliations.append(Reconciling(channel: channel))
        ask(channel, since)
    }

    private func ask(_ channel: FeedChannel, _ since: Timestamp) {
        guard let reconciler else { return }
        reconciler.reconcile(channel, since: since) { [weak self] in self?.answered(channel, since, $0) }
    }

    private func answered(
        _ channel: FeedChannel, _ since: Timestamp, _ result: Result<Reconciliation, any Error>
    ) {
        guard let index = reconciliations.firstIndex(where: { $0.channel == channel }) else { return }
        let now = Timestamp(nanoseconds: clock())
        switch result {
        case .failure(let error):
            reconciliations[index].failures += 1
            let doublings = Int64(min(reconciliations[index].failures - 1, 6))
            let wait = min(FeedGroup.retryDelay << doublings, FeedGroup.retryDelayMax)
            receiver?.feed(.remark("cannot ask what \(channel.wire) missed: \(error)"), at: now)
            loop.schedule(after: wait) { [weak self] in
                guard let self, isStarted else { return }
                ask(channel, since)
            }
        case .success(let found):
            let more = reconciliations.remove(at: index).more
            for output in found.outputs { take(output, at: now) }
            for trade in found.trades where trades.insert(trade.id) {
                receiver?.feed(.tradeID(trade.id), at: now)
                receiver?.feed(trade.event)
            }
            if let more { reconcile(channel, since: more) }
        }
    }

    /// Hands an output on, unless REST or the feed told the same before.
    private func take(_ output: FeedOutput, at time: Timestamp) {
        switch output {
        case .fill(let message):
            guard fills.insert(message.tradeID) else { return }
        case .tradeID(let id):
            guard trades.insert(id) else {
                dropsTrade = true
                return
            }
        default: break
        }
        receiver?.feed(output, at: time)
    }
}

extension FeedGroup: FeedReceiver {
    public func feed(_ event: MarketEvent) {
        if dropsTrade, event.kind == .trade {
            dropsTrade = false
            return
        }
        receiver?.feed(event)
    }
    public func feed(_ output: FeedOutput, at time: Timestamp) {
        take(output, at: time)
        switch output {
        case .reconcile(let channel, let since): reconcile(channel, since: since)
        // After this delivery: the connection is in the middle of it.
        case .overLimit(let channel, let markets): loop.defer { [weak self] in self?.move(channel, markets) }
        default: break
        }
    }
    public func isCrossed(_ market: Market.ID) -> Bool { receiver?.isCrossed(market) ?? false }
    public func feedDrained(at time: Timestamp) { receiver?.feedDrained(at: time) }
    public func feed(_ change: FeedConnection.Change, connection: Int) {
        receiver?.feed(change, connection: connection)
    }
}
