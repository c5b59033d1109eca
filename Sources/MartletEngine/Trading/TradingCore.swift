import Martlet

/// All that an engine's strategies own and owe: orders, portfolios, risk gate and router.
///
/// Pure: every input carries its time, every consequence is appended to ``commands``, ``events`` and
/// ``records``, which the engine drains while ``hasOutput`` says so. Reports may come late, twice or in another
/// order than things happened.
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
package final class TradingCore {
    package let settings: TradingSettings
    package let strategyNames: [String]
    package let markets: MarketTable

    // MARK: Outputs, drained by the engine

    @exclusivity(unchecked) package var commands = MoveQueue<VenueCommand>()
    @exclusivity(unchecked) package var events = MoveQueue<TradingEvent>()
    @exclusivity(unchecked) package var records = MoveQueue<EngineRecord>()
    /// One of the three above is not empty.
    @exclusivity(unchecked) package var hasOutput = false

    // MARK: State

    @exclusivity(unchecked) var store: OrderStore
    /// By strategy, then that of adopted orders, then the account's.
    /// At a fixed address, so that none is copied to look at one sum; sound because the core alone allocates and
    /// frees them, and their number never changes.
    package let portfolios: UnsafeMutableBufferPointer<Portfolio>
    @exclusivity(unchecked) package internal(set) var cash = CashBook()
    @exclusivity(unchecked) var desks = Block<MarketDesk>()
    @exclusivity(unchecked) var gate: RiskGate
    @exclusivity(unchecked) package internal(set) var router: OrderRouter
    @exclusivity(unchecked) var quotes: ContiguousArray<QuotePair> = []
    /// Index into `quotes` by market × strategies + strategy, or -1.
    @exclusivity(unchecked) var quoteIndex: ContiguousArray<Int32> = []
    @exclusivity(unchecked) var eventNames: [String: Int32] = [:]
    /// Market indices by event.
    @exclusivity(unchecked) var eventMarkets: ContiguousArray<[Int32]> = []
    @exclusivity(unchecked) var trades: TradeMemory
    @exclusivity(unchecked) var nextDay: Timestamp = .distantPast
    @exclusivity(unchecked) var haltSweep: Timestamp?
    /// Cancels whose answers were lost, and when each may be sent again; few and short-lived.
    @exclusivity(unchecked) var lostCancels: [(order: OrderID, due: Timestamp)] = []
    @exclusivity(unchecked) var batch: [PlaceOrder] = []
    @exclusivity(unchecked) var cancelBatch: [OrderReference] = []
    /// Requests are leaving: what is queued meanwhile leaves in the same go.
    @exclusivity(unchecked) var isPumping = false
    @exclusivity(unchecked) private var lastOrder: UInt64 = 0

    /// The index of the portfolio of orders that no strategy placed; in records it stands for the strategy.
    package let unassigned: Int
    /// The index of the account's portfolio.
    let account: Int

    package init(settings: TradingSettings, strategyNames: [String], markets: MarketTable) {
        self.settings = settings
        self.strategyNames = strategyNames
        self.markets = markets
        unassigned = strategyNames.count
        account = strategyNames.count + 1
        store = OrderStore(finishedLimit: settings.finishedOrdersKept)
        portfolios = .allocate(capacity: strategyNames.count + 2)
        for index in portfolios.indices { portfolios.initializeElement(at: index, to: Portfolio()) }
        gate = RiskGate(settings, strategies: strategyNames.count)
        router = OrderRouter(settings: settings.router, limits: .basic)
        trades = TradeMemory(limit: settings.tradesRemembered)
        router.addLane(now: .distantPast)
        cash.add(settings.startingCash, to: 0)
        for shard in settings.startingCashOnShards { cash.add(shard.cash, to: lane(of: shard.shard)) }
    }

    deinit {
        portfolios.deinitialize()
        portfolios.deallocate()
    }

    /// Seeds the jitter of the router's waits; the run's nonce.
    package func seed(_ nonce: UInt64) {
        router.generator = SeededGenerator(seed: nonce ^ 0x6A09_E667_F3BC_C908)
    }

    package var upcomingOrderID: OrderID { OrderID(lastOrder + 1) }
    package func nextOrderID() -> OrderID {
        lastOrder += 1
        return OrderID(lastOrder)
    }

    // MARK: Markets

    func id(_ market: Int) -> Market.ID { Market.ID(market) }

    /// Takes in markets that were defined since the last call.
    @inline(__always)
    func synchronise() {
        if markets.count != desks.count { addMarkets() }
    }
    @inline(never)
    private func addMarkets() {
        while desks.count < markets.count {
            let market = desks.count
            desks.append(MarketDesk())
            store.addMarket()
            for _ in strategyNames { quoteIndex.append(-1) }
            let definition = markets.definition(Market.ID(market))
            let event = eventIndex(definition.event)
            desks[market].event = event
            eventMarkets[Int(event)].append(Int32(market))
            for index in portfolios.indices { portfolios[index].addMarket(event: event) }
            desks[market].lane = Int32(lane(of: definition.shard))
            takeOver(definition, market)
        }
    }
    /// A market became known or its definition changed (grid, times, fees, exclusiveness).
    package func marketDefined(_ market: Market.ID) {
        synchronise()
        takeOver(markets.definition(market), Int(market.index))
    }
    private func takeOver(_ definition: Market, _ market: Int) {
        desks[market].grid = definition.grid
        desks[market].fees = definition.fees
        desks[market].openTime = definition.openTime
        desks[market].closeTime = definition.closeTime
        let event = Int(desks[market].event)
        desks[market].returnsCollateral =
            settings.returnsCollateral && definition.collateralReturn == .mutuallyExclusive
        for index in portfolios.indices {
            portfolios[index].setExclusive(event, definition.isMutuallyExclusive)
        }
    }
    private func eventIndex(_ name: String) -> Int32 {
        if let known = eventNames[name] { return known }
        let index = Int32(eventNames.count)
        eventNames[name] = index
        eventMarkets.append([])
        for portfolio in portfolios.indices { portfolios[portfolio].addEvent() }
        return index
    }
    /// Shards have one index, for cash and for budget.
    func lane(of shard: Int) -> Int {
        let index = cash.index(of: shard)
        while router.lanes.count <= index { router.addLane(now: .distantPast) }
        return index
    }
    @inline(__always)
    func shardIndex(_ market: Int) -> Int { Int(desks[market].lane) }
    func times(_ market: Int) -> (open: Timestamp, close: Timestamp) {
        (desks[market].openTime, desks[market].closeTime)
    }
    func isOnGrid(_ market: Int, _ price: Price) -> Bool { desks[market].grid.contains(price) }
    func gridText(_ market: Int) -> String {
        desks[market].grid.bands.map { "\($0.start)-\($0.end) by \($0.step)" }.joined(separator: ", ")
    }

    // MARK: Telling

    func tell(_ event: TradingEvent) {
        hasOutput = true
        events.append(event)
    }
    /// Tells of an order; that of no strategy goes to the records alone.
    func announce(_ slot: Int) {
        hasOutput = true
        let strategy = Int(store.records[slot].strategy)
        if strategy == unassigned {
            records.append(.order(store.records[slot].order, strategy: strategy))
        } else {
            events.append(.order(store.records[slot].order, strategy: strategy))
        }
    }
    func log(_ level: LogLevel, _ text: String, strategy: Int? = nil) {
        hasOutput = true
        records.append(.log(level, text, strategy: strategy))
    }
}

/// What is kept of a market beside its lists and holdings.
struct MarketDesk {
    var event: Int32 = 0
    /// Index of its shard's cash and budget.
    var lane: Int32 = 0
    var grid: PriceGrid = .cent
    var fees: FeeTerms = .standard
    var openTime: Timestamp = .unknown
    var closeTime: Timestamp = .unknown
    var returnsCollateral = false
    /// The last mid of its book, or the first fill's price before there was one; nil before both.
    var mark: Price?
    /// Orders of unknown outcome.
    var uncertain: Int32 = 0
    /// Orders held back by them.
    var parked: Int32 = 0
    /// Portfolios with a position.
    var holders: Int32 = 0
    /// What its open orders tie up, without fees.
    var reserved: Money = .zero
    /// What its event's positions give back (kept at the event's first market).
    var returned: Money = .zero
    /// Once paid out.
    var result: MarketResult?
}
