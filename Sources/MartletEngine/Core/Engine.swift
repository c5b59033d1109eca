import Foundation
import Martlet

/// The engine: a state machine that is told what happened and says what to do.
///
/// Holds books, strategies, portfolios, order state, risk gate and router. No clock, socket, file or thread
/// inside: a driver hands in each input with its receive time (``handle(_:at:)``, or ``handle(_:)`` for book
/// events, the hot path) and then takes what stands in ``outputs``.
///
///     var engine = Engine(seats: [StrategySeat(MyStrategy(parameters: .init()))], settings: .init())
///     engine.handle(.started(nonce: 1), at: start)
///     engine.handle(.defined(market), at: start)
///     engine.handle(event)
///     for output in engine.takeOutputs() { … }
public struct Engine: ~Copyable {
    package let shared: EngineShared
    /// The shared one, without a reference count on the way to it.
    let trading: TradingCore
    /// For the hot path, where the struct's own reference would be counted at each call; `trading` keeps it alive.
    let core: Unmanaged<TradingCore>
    @usableFromInline package let markets: MarketTable
    /// The table's fixed addresses, so that the hot path does not go through it.
    @usableFromInline let context: UnsafeMutablePointer<ContextState>
    @usableFromInline let rows: UnsafeMutablePointer<UnsafeMutablePointer<MarketTable.State>>
    /// Hosts by strategy index, unretained: `owners` keeps them, and loading one must not count references.
    @usableFromInline let hosts: UnsafeMutablePointer<Unmanaged<StrategyHost>>
    private let owners: [StrategyHost]
    /// Fixed, so that the hot path looks with one load.
    @usableFromInline let signals: UnsafeMutablePointer<EngineSignals>
    package let strategyCount: Int
    public private(set) var statistics = EngineStatistics()
    private var isStarted = false
    private var isStopped = false

    /// A bit a strategy stands in each market's subscription masks.
    public static let maximumStrategies = 64
    /// Callbacks that answer callbacks within one input: beyond this a strategy is chasing its own tail, and
    /// what is left waits for the next input.
    static let maximumRounds = 256

    /// Traps on more than ``maximumStrategies`` seats or two of one name: the configuration checks both.
    public init(seats: [StrategySeat], settings: TradingSettings) {
        precondition(seats.count <= Engine.maximumStrategies)
        precondition(Set(seats.map(\.name)).count == seats.count)
        markets = MarketTable()
        let trading = TradingCore(settings: settings, strategyNames: seats.map(\.name), markets: markets)
        let shared = EngineShared(markets: markets, trading: trading)
        self.shared = shared
        self.trading = trading
        core = .passUnretained(trading)
        signals = shared.signals
        context = markets.context
        rows = markets.rows
        let table = markets
        owners = seats.enumerated().map { index, seat in
            seat.makeHost(
                Context(
                    state: UnsafePointer(table.context),
                    desk: Desk(shared: shared, index: index, name: seat.name, accepts: seat.accepts)))
        }
        strategyCount = owners.count
        hosts = .allocate(capacity: max(1, owners.count))
        for (index, owner) in owners.enumerated() { (hosts + index).initialize(to: .passUnretained(owner)) }
    }

    deinit { hosts.deallocate() }

    // MARK: What a driver asks

    /// When the engine wants `.clock` at the latest; `.distantFuture` for never.
    @inlinable public var nextWake: Timestamp { signals.pointee.nextWake }
    public var now: Timestamp { markets.now }
    public var strategyNames: [String] { owners.map(\.name) }
    /// The number that the next order gets, a strategy's or an adopted one.
    public var nextOrderID: OrderID { shared.trading.upcomingOrderID }
    @inlinable public var hasOutputs: Bool { signals.pointee.hasOutputs }

    /// Whether ``EngineOutput/record(_:)`` is written down; false where nobody reads them.
    public var keepsRecords: Bool {
        get { shared.keepsRecords }
        nonmutating set { shared.keepsRecords = newValue }
    }

    /// Takes all outputs since the last call.
    public mutating func takeOutputs() -> [EngineOutput] {
        let taken = shared.outputs.takeAll()
        signals.pointee.hasOutputs = false
        return taken
    }
    /// Hands all outputs since the last call to `body`, in order, without giving up their storage.
    public mutating func drainOutputs(_ body: (EngineOutput) -> Void) {
        while !shared.outputs.isEmpty { body(shared.outputs.removeFirst()) }
        signals.pointee.hasOutputs = false
    }

    /// What each strategy wants a later run to know, by name.
    public func savedStates() -> [(strategy: String, state: Data)] {
        owners.compactMap { host in host.savedState().map { (host.name, $0) } }
    }
    /// Before `.started`. Throws what the strategy throws; unknown names are left alone.
    public func restore(_ state: Data, strategy: String) throws {
        try owners.first { $0.name == strategy }?.restore(state)
    }

    // MARK: Book events

    /// Takes one book event: a few nanoseconds when no strategy acts on it. False when it made its market's book
    /// unusable.
    @discardableResult
    @inlinable @inline(__always)
    public mutating func handle(_ event: MarketEvent) -> Bool {
        guard event.kind == .delta, event.market.index < context.pointee.marketCount,
            rows.pointee[Int(event.market.index)].isWhole
        else { return react(to: event, event.kind == .trade ? nil : change(event)) }
        context.pointee.now = max(context.pointee.now, event.receiveTime)
        let index = Int(event.market.index)
        if let fault = context.pointee.books[index].add(
            event.quantity, side: event.side, price: event.price)
        {
            becomeUnusable(event.market, fault)
            return false
        }
        reactToDelta(event, rows.pointee + index)
        return true
    }

    /// The first half of ``handle(_:)``: the change to the market's book, where one is to be made. For drivers
    /// whose venue looks at the same book and has its say before the strategies; ``react(to:_:)`` follows with
    /// what this returned, and is called for every event.
    @usableFromInline
    package mutating func change(_ event: MarketEvent) -> BookFault? {
        guard markets.isKnown(event.market) else { return nil }
        let index = Int(event.market.index)
        switch event.kind {
        case .delta: if !markets.states[index].isWhole { return nil }
        // A level without a start belongs to a snapshot already given up.
        case .snapshotLevel: if !markets.states[index].isInSnapshot { return nil }
        case .snapshotStart, .trade, .groupEnd: break
        }
        return markets.books[index].change(event)
    }

    /// The second half of ``handle(_:)``.
    @discardableResult
    @usableFromInline
    package mutating func react(to event: MarketEvent, _ fault: BookFault?) -> Bool {
        context.pointee.now = max(context.pointee.now, event.receiveTime)
        guard event.market.index < context.pointee.marketCount else {
            unknownMarket(event)
            return true
        }
        let state = rows.pointee + Int(event.market.index)
        switch event.kind {
        case .delta:
            guard state.pointee.isWhole else {
                droppedDelta()
                return true
            }
            if let fault {
                becomeUnusable(event.market, fault)
                return false
            }
            reactToDelta(event, state)
            return true
        case .trade:
            if state.pointee.tradeSubscribers != 0 { tellTrade(event, state.pointee.tradeSubscribers) }
        case .snapshotStart, .snapshotLevel, .groupEnd:
            guard takeSnapshot(event, fault) else { return false }
        }
        endEvent(event, state)
        return true
    }

    @inlinable @inline(__always)
    mutating func reactToDelta(_ event: MarketEvent, _ state: UnsafeMutablePointer<MarketTable.State>) {
        state.pointee.lastChange = event.receiveTime
        state.pointee.isDirty = true
        if state.pointee.changeSubscribers != 0 { tellChange(event.market, state.pointee.changeSubscribers) }
        endEvent(event, state)
    }

    @inlinable @inline(__always)
    mutating func endEvent(_ event: MarketEvent, _ state: UnsafeMutablePointer<MarketTable.State>) {
        if event.flags.rawValue
            & (MarketEvent.Flags.groupEnd.rawValue | MarketEvent.Flags.snapshotEnd.rawValue) != 0
        {
            endGroup(event, state)
        }
        if signals.pointee.hasWork { settleWork() }
    }

    @inlinable @inline(__always)
    mutating func tellChange(_ market: Market.ID, _ subscribers: UInt64) {
        var left = subscribers
        while left != 0 {
            let index = left.trailingZeroBitCount
            left &= left &- 1
            hosts[index]._withUnsafeGuaranteedRef { $0.bookChanged(market) }
        }
    }

    @inlinable @inline(never)
    mutating func tellTrade(_ event: MarketEvent, _ subscribers: UInt64) {
        var left = subscribers
        let trade = Trade(event)
        while left != 0 {
            let index = left.trailingZeroBitCount
            left &= left &- 1
            hosts[index]._withUnsafeGuaranteedRef { $0.traded(trade) }
        }
    }

    @inlinable @inline(__always)
    mutating func endGroup(_ event: MarketEvent, _ state: UnsafeMutablePointer<MarketTable.State>) {
        if event.flags.contains(.snapshotEnd) { completeSnapshot(event.market) }
        guard state.pointee.isDirty, !state.pointee.isInSnapshot else { return }
        state.pointee.isDirty = false
        let book = context.pointee.books + Int(event.market.index)
        let (bid, ask) = (book.pointee.bestBid, book.pointee.bestAsk)
        var isCrossed = false
        var touch = state.pointee.toldTouch
        if let bid, let ask {
            isCrossed = bid >= ask
            touch = bid.micros &+ ask.micros
        }
        if isCrossed || !state.pointee.isUsable { judgeCrossing(event.market, isCrossed) }
        if state.pointee.groupSubscribers != 0, state.pointee.isUsable {
            tellChange(event.market, state.pointee.groupSubscribers)
        }
        // Marks follow the mid, so that nothing need be looked at while its double stands still.
        if state.pointee.isWatched, touch != state.pointee.toldTouch {
            state.pointee.toldTouch = touch
            watchedMarketMoved(event.market)
        }
    }

    @usableFromInline @inline(never)
    mutating func watchedMarketMoved(_ market: Market.ID) {
        let now = now
        let hasOutput = core._withUnsafeGuaranteedRef { trading in
            trading.marketMoved(market, now: now)
            return trading.hasOutput
        }
        if hasOutput { signals.pointee.hasWork = true }
    }

    // MARK: Counters and phases

    @usableFromInline
    mutating func droppedDelta() { statistics.droppedDeltas += 1 }
    @usableFromInline
    mutating func countUnknownMarket() { statistics.unknownMarketEvents += 1 }
    mutating func countFault() { statistics.bookFaults += 1 }
    mutating func countRunaway() { statistics.runawayCallbacks += 1 }
    var hasStarted: Bool { isStarted }
    /// False when it had started before.
    mutating func markStarted() -> Bool {
        defer { isStarted = true }
        return !isStarted
    }
    /// False when it had stopped before or never started.
    mutating func markStopped() -> Bool {
        defer { isStopped = true }
        return isStarted && !isStopped
    }
}

/// What an engine counted beside its orders.
public struct EngineStatistics: Hashable, Sendable {
    /// Events for a market that no definition named.
    public var unknownMarketEvents = 0
    /// Deltas that came while their book was unusable.
    public var droppedDeltas = 0
    public var bookFaults = 0
    /// Inputs whose callbacks answered each other beyond the bound.
    public var runawayCallbacks = 0
    public init() {}
}
