import Martlet
import MartletEngine

/// A little exchange day from a seed: an event of six mutually exclusive brackets, a pair of candidates, a football
/// game with a pause, twelve mention markets whose long shots are dear, and a coin's market of fifteen minutes
/// that rotates eight times. Makers, noise takers, informed traders and enthusiasts trade on the venue's own core.
///
/// What is in it for a strategy: a maker earns the spread from noise and loses to news; bids in the brackets add
/// up to more than a dollar for moments; long shots are overpriced. The same seed gives the same inputs on every
/// machine.
package final class DemoWorld {
    /// Where inputs go, with their receive time.
    package typealias Sink = (EngineInput, Timestamp) throws -> Void

    private enum Moment {
        case agent(Int)
        case listed(Int)
        case pause(Int)
        case resume(Int)
        case determined(Int)
        case tickers
        case reference
    }

    let venue: Venue
    let truth: DemoTruth
    var markets: [DemoMarket]
    var agents: [DemoAgent] = []
    var generator: SeededGenerator
    var orderCount: UInt64 = 0
    private(set) var now: Timestamp
    private var moments = DueQueue<Moment>()
    private var feed: DemoFeed
    private let sink: Sink
    private var isLive = false

    /// Generates the whole day.
    package static func generate(seed: UInt64, into sink: @escaping Sink) throws {
        let world = DemoWorld(seed: seed, sink: sink)
        try world.run()
    }

    /// Seconds since the day's start.
    var second: Int { Int((now - DemoMarket.start).nanoseconds / 1_000_000_000) }

    private init(seed: UInt64, sink: @escaping Sink) {
        var settings = VenueSettings()
        settings.publishes = true
        settings.rememberedOrders = 256
        venue = Venue(settings: settings)
        truth = DemoTruth(seed: seed)
        markets = DemoMarket.all(truth)
        generator = SeededGenerator(seed: seed)
        now = DemoMarket.time(-120)
        feed = DemoFeed(seed: seed)
        self.sink = sink
        for index in markets.indices {
            moments.insert(.listed(index), at: DemoMarket.time(markets[index].listed))
            if let closes = markets[index].closes {
                moments.insert(.determined(index), at: DemoMarket.time(closes + 5) + .milliseconds(40))
            }
            switch markets[index].subject {
            case .home, .visitors:
                moments.insert(.pause(index), at: DemoMarket.time(8400) + .milliseconds(100))
                moments.insert(.resume(index), at: DemoMarket.time(8640) + .milliseconds(100))
            case .bracket, .candidate, .coin, .mention: break
            }
        }
        moments.insert(.tickers, at: DemoMarket.time(30))
        moments.insert(.reference, at: DemoMarket.time(7080))
    }

    private func run() throws {
        let end = DemoMarket.time(DemoTruth.seconds + 60)
        while true {
            let next = min(moments.next, venue.nextTimer)
            guard next <= end else { break }
            if !isLive, next >= DemoMarket.start { try goLive() }
            // No two things happen in one millisecond: each is a time-stamp group of its own.
            now = max(next.roundedUpToMillisecond, now + .milliseconds(1))
            if venue.nextTimer <= next {
                venue.advance(to: now)
            } else if let (_, moment) = moments.removeFirst() {
                try happen(moment)
            }
            try flush()
        }
        if !isLive { try goLive() }
    }

    private func happen(_ moment: Moment) throws {
        switch moment {
        case .agent(let index):
            if venue.isOpen(markets[agents[index].market].id) {
                let wait = act(index)
                moments.insert(.agent(index), at: now + .milliseconds(Int64(wait * 1000) + 1))
            } else if let closes = markets[agents[index].market].closes, second < closes {
                moments.insert(.agent(index), at: now + .milliseconds(1500))
            }
        case .listed(let index): try list(index)
        case .pause(let index): venue.setStatus(markets[index].id, .inactive, at: now)
        case .resume(let index): venue.setStatus(markets[index].id, .active, at: now)
        case .determined(let index):
            if let result = markets[index].result(truth) {
                venue.setResult(markets[index].id, result, at: now)
            }
        case .tickers:
            try emitTickers()
            moments.insert(.tickers, at: now + .seconds(120))
        case .reference:
            try emitReference()
            moments.insert(.reference, at: now + .seconds(10))
        }
    }

    // MARK: Markets and agents

    private func list(_ index: Int) throws {
        let id = venue.define(markets[index].definition, at: now)
        markets[index].id = id
        feed.grow(to: venue.marketCount)
        let shard = markets[index].definition.shard
        let opens = DemoMarket.time(max(markets[index].opens, markets[index].listed))
        let busy = markets[index].activity
        let width = markets[index].halfSpread
        func join(_ kind: DemoAgent.Kind, every interval: Double, after wait: Double) {
            let account = venue.addAccount([(shard, Money(dollars: 1_000_000))])
            agents.append(
                DemoAgent(kind: kind, account: account, market: index, interval: interval / busy))
            let start = opens + .milliseconds(Int64(wait * 1000) + Int64(generator.below(2000)))
            moments.insert(.agent(agents.count - 1), at: start)
        }
        join(.maker(levels: 3, size: 60, lag: 2, width: width, step: width * 0.9), every: 30, after: 1)
        join(.maker(levels: 4, size: 220, lag: 5, width: width * 1.7, step: width * 1.6), every: 80, after: 2)
        join(.maker(levels: 4, size: 900, lag: 20, width: width * 4, step: width * 3), every: 300, after: 0)
        join(.noise, every: 60, after: 9)
        join(.noise, every: 110, after: 12)
        if case .mention = markets[index].subject {
        } else {
            join(.informed(edge: width * 1.2), every: 12, after: 10)
        }
        if case .bracket = markets[index].subject { join(.enthusiast, every: 120, after: 100) }
        if isLive {
            try emit(.defined(markets[index].definition), at: now)
            try emitSnapshot(id)
        }
    }

    /// The recording begins: what is listed is defined and its book shown.
    private func goLive() throws {
        isLive = true
        venue.published.removeAll()
        venue.announcements.removeAll()
        for id in 0..<venue.marketCount { try emit(.defined(venue.definitions[id]), at: now) }
        for id in 0..<venue.marketCount { try emitSnapshot(Market.ID(id)) }
    }

    // MARK: The recording

    private func emit(_ input: EngineInput, at time: Timestamp) throws {
        try sink(input, feed.receive(time))
    }

    private func emitSnapshot(_ market: Market.ID) throws {
        let received = feed.receive(now)
        for var event in venue.snapshot(market, at: now) {
            event.receiveTime = received
            try sink(.market(event), received)
        }
    }

    /// Hands on what the last moment did: one group a market, announcements behind it.
    private func flush() throws {
        venue.reports.removeAll()
        venue.settlements.removeAll(keepingCapacity: true)
        defer {
            venue.published.removeAll(keepingCapacity: true)
            venue.announcements.removeAll(keepingCapacity: true)
        }
        feed.count(venue.published)
        guard isLive else { return }
        var closed: [Market.ID] = []
        for announcement in venue.announcements {
            if case .status(let market, .closed, _) = announcement { closed.append(market) }
        }
        let received = feed.receive(now)
        for index in venue.published.indices {
            var event = venue.published[index]
            if venue.isClosed(event.market) {
                if !closed.contains(event.market) { closed.append(event.market) }
                continue
            }
            let isLast = !venue.published[(index + 1)...].contains { $0.market == event.market }
            event.flags = isLast ? .groupEnd : []
            event.exchangeTime = now
            event.receiveTime = received
            try sink(.market(event), received)
        }
        // The exchange clears the book of a market that closed with an empty snapshot.
        for market in closed where feed.clears(market) {
            try sink(
                .market(
                    MarketEvent(
                        .snapshotStart, market: market, flags: [.snapshotEnd, .groupEnd], exchangeTime: now,
                        receiveTime: received)), received)
        }
        for announcement in venue.announcements { try emit(announcement, received) }
    }

    private func emit(_ announcement: VenueAnnouncement, _ received: Timestamp) throws {
        switch announcement {
        case .status(let market, let status, _):
            // Opening and closing by the clock are announced by nobody.
            if status == .inactive || (status == .active && feed.wasPaused(market)) {
                try sink(.status(market, status), received)
            }
            feed.note(market, status)
        case .result(let market, let result, _): try sink(.result(market, result), received)
        case .settled(let market, let result, _): try sink(.settled(market, result), received)
        case .groupTriggered: break
        }
    }

    private func emitTickers() throws {
        guard isLive else { return }
        for index in 0..<venue.marketCount {
            let market = Market.ID(index)
            guard venue.isOpen(market), feed.isStale(market) else { continue }
            let bid = venue.best(market, .bid)
            let ask = venue.best(market, .ask)
            let open = (1..<venue.accountCount).reduce(Quantity.zero) {
                $0 + max(venue.position($1, market).quantity, .zero)
            }
            try emit(
                .ticker(
                    Ticker(
                        market: market, lastPrice: feed.lastPrice[index], bestBid: bid, bestAsk: ask,
                        bidSize: bid.map { venue.size(market, .bid, at: $0) },
                        askSize: ask.map { venue.size(market, .ask, at: $0) }, volume: feed.volume[index],
                        openInterest: open, exchangeTime: now)), at: now)
        }
    }

    private func emitReference() throws {
        guard isLive else { return }
        let value = Int64(truth.coinPrice(at: second) * 100) * 1_000_000
        try emit(
            .reference(ReferenceValue(index: "cfbenchmarks:BRTI", value: value, exchangeTime: now)), at: now)
    }
}

/// The line on which the demonstration day is recorded, and what tickers need to know.
struct DemoFeed {
    private var generator: SeededGenerator
    private var last: Timestamp = .distantPast
    private(set) var lastPrice: [Price?] = []
    private(set) var volume: [Quantity] = []
    private var hasChanged: [Bool] = []
    private var isPaused: [Bool] = []
    private var isCleared: [Bool] = []

    init(seed: UInt64) { generator = SeededGenerator(seed: seed ^ 0xFEED) }

    /// When something of an exchange time is received: some milliseconds later, never before what came before.
    mutating func receive(_ time: Timestamp) -> Timestamp {
        last = max(last, time + .microseconds(5200 + Int64(generator.below(2600))))
        return last
    }
    mutating func grow(to count: Int) {
        while volume.count < count {
            lastPrice.append(nil)
            volume.append(.zero)
            hasChanged.append(false)
            isPaused.append(false)
            isCleared.append(false)
        }
    }
    mutating func count(_ events: ContiguousArray<MarketEvent>) {
        for event in events {
            let index = Int(event.market.index)
            hasChanged[index] = true
            if event.kind == .trade {
                lastPrice[index] = event.price
                volume[index] += event.quantity
            }
        }
    }
    mutating func isStale(_ market: Market.ID) -> Bool {
        defer { hasChanged[Int(market.index)] = false }
        return hasChanged[Int(market.index)]
    }
    mutating func note(_ market: Market.ID, _ status: MarketStatus) {
        isPaused[Int(market.index)] = status == .inactive
    }
    func wasPaused(_ market: Market.ID) -> Bool { isPaused[Int(market.index)] }
    /// True once.
    mutating func clears(_ market: Market.ID) -> Bool {
        defer { isCleared[Int(market.index)] = true }
        return !isCleared[Int(market.index)]
    }
}

extension Timestamp {
    fileprivate var roundedUpToMillisecond: Timestamp {
        Timestamp(milliseconds: (self + .nanoseconds(999_999)).milliseconds)
    }
}
