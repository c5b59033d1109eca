import Martlet

/// What the hot path and its driver look at after each event.
@frozen
@usableFromInline
package struct EngineSignals {
    /// Intents, records or timers were added since the last settling.
    @usableFromInline package var hasWork = false
    @usableFromInline package var hasOutputs = false
    /// When the engine wants `.clock`.
    @usableFromInline package var nextWake = Timestamp.distantFuture
}

/// What all strategies of an engine share beside the markets and the trading core.
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
package final class EngineShared {
    package let markets: MarketTable
    package let trading: TradingCore
    @exclusivity(unchecked) package var timers = TimerQueue()
    @exclusivity(unchecked) package var generator = SeededGenerator(seed: 0)
    @exclusivity(unchecked) package var outputs = MoveQueue<EngineOutput>()
    /// Intents of the callbacks since the last drain.
    @exclusivity(unchecked) package var intents = MoveQueue<StrategyIntent>()
    /// At a fixed address, so that looking costs the hot path one load: something waits in `intents`, `outputs`
    /// or the trading core.
    @usableFromInline package let signals: UnsafeMutablePointer<EngineSignals>
    /// Without a reader none is written down.
    @exclusivity(unchecked) package var keepsRecords = true
    @exclusivity(unchecked) private var timerCounter: UInt64 = 0
    /// Timers set for at once since the clock was last looked at.
    @exclusivity(unchecked) var immediateTimers = 0
    private static let runawayPause = TimeSpan.milliseconds(1)

    init(markets: MarketTable, trading: TradingCore) {
        self.markets = markets
        self.trading = trading
        signals = .allocate(capacity: 1)
        signals.initialize(to: EngineSignals())
    }
    deinit { signals.deallocate() }

    func intend(_ intent: Intent, _ strategy: Int) {
        intents.append(StrategyIntent(strategy: strategy, intent: intent))
        signals.pointee.hasWork = true
    }
    func output(_ output: EngineOutput) {
        outputs.append(output)
        signals.pointee.hasWork = true
    }
    func record(_ record: @autoclosure () -> EngineRecord) {
        if keepsRecords { output(.record(record())) }
    }
    func newTimer(at time: Timestamp, strategy: Int) -> TimerID {
        timerCounter += 1
        let timer = TimerID(timerCounter)
        var time = time
        if time <= markets.now {
            // A timer that sets the next for at once would hold the clock still for ever.
            immediateTimers += 1
            if immediateTimers > Engine.maximumRounds { time = markets.now + EngineShared.runawayPause }
        }
        timers.set(.strategy(strategy, timer), at: time)
        signals.pointee.hasWork = true
        return timer
    }
}

/// One strategy's desk: its reads are answered from the shared tables, its intents are taken down.
final class Desk: StrategyDesk {
    private let shared: EngineShared
    private let index: Int
    private let name: String
    private let accepts: ((String) -> Bool)?
    /// By market index: what `accepts` said.
    private var isAccepted: [Bool] = []

    init(shared: EngineShared, index: Int, name: String, accepts: ((String) -> Bool)?) {
        self.shared = shared
        self.index = index
        self.name = name
        self.accepts = accepts
    }

    /// Whether a market is this strategy's business. A ticker never changes, so each is judged once.
    private func isOwn(_ market: Market.ID) -> Bool {
        guard let accepts else { return true }
        while isAccepted.count <= Int(market.index), isAccepted.count < shared.markets.count {
            isAccepted.append(accepts(shared.markets.definition(Market.ID(isAccepted.count)).ticker))
        }
        return Int(market.index) < isAccepted.count && isAccepted[Int(market.index)]
    }

    private var bit: UInt64 { 1 << UInt64(index) }

    func random() -> UInt64 { shared.generator.next() }
    func marketID(_ ticker: String) -> Market.ID? { shared.markets.id(of: ticker) }
    func markets(ofEvent event: String) -> [Market.ID] { shared.markets.markets(ofEvent: event) }
    func status(_ market: Market.ID) -> MarketStatus {
        isOwn(market) ? shared.markets.status(market) : .inactive
    }

    func subscribe(_ market: Market.ID, book: BookUpdates, trades: Bool) {
        guard shared.markets.isKnown(market), isOwn(market) else { return }
        let state = shared.markets.states + Int(market.index)
        let before = state.pointee.subscribers
        state.pointee.groupSubscribers &= ~bit
        state.pointee.changeSubscribers &= ~bit
        switch book {
        case .none: break
        case .groups: state.pointee.groupSubscribers |= bit
        case .everyChange: state.pointee.changeSubscribers |= bit
        }
        if trades { state.pointee.tradeSubscribers |= bit } else { state.pointee.tradeSubscribers &= ~bit }
        state.pointee.subscribers |= bit
        if before == 0 { shared.output(.subscribe(market)) }
    }

    func unsubscribe(_ market: Market.ID) {
        guard shared.markets.isKnown(market) else { return }
        let state = shared.markets.states + Int(market.index)
        guard state.pointee.subscribers & bit != 0 else { return }
        state.pointee.groupSubscribers &= ~bit
        state.pointee.changeSubscribers &= ~bit
        state.pointee.tradeSubscribers &= ~bit
        state.pointee.subscribers &= ~bit
        if state.pointee.subscribers == 0 { shared.output(.unsubscribe(market)) }
    }

    func isUsable(_ market: Market.ID) -> Bool {
        shared.markets.isKnown(market) && isOwn(market) && shared.markets.isUsable(market)
    }
    func ownResting(_ market: Market.ID, _ side: Side, _ price: Price) -> Quantity {
        shared.trading.ownResting(market, side, price)
    }

    func place(_ request: OrderRequest) -> OrderID {
        let id = shared.trading.nextOrderID()
        shared.intend(.place(id, request), index)
        return id
    }
    func amend(_ order: OrderID, price: Price, quantity: Quantity) {
        shared.intend(.amend(order, price: price, quantity: quantity), index)
    }
    func decrease(_ order: OrderID, to remaining: Quantity) {
        shared.intend(.decrease(order, to: remaining), index)
    }
    func cancel(_ order: OrderID) { shared.intend(.cancel(order), index) }
    func cancelAll(_ market: Market.ID?) { shared.intend(.cancelAll(market), index) }
    func quote(_ market: Market.ID, bid: Quote?, ask: Quote?) {
        shared.intend(.quote(market, bid: bid, ask: ask), index)
    }

    func position(_ market: Market.ID) -> Position { shared.trading.position(index, market) }
    func openOrders(_ market: Market.ID) -> [Order] { shared.trading.openOrders(index, market) }
    func order(_ id: OrderID) -> Order? { shared.trading.order(id) }
    func availableCash() -> Money { shared.trading.availableCash() }
    func riskState() -> RiskState { shared.trading.riskState(index) }

    func setTimer(at time: Timestamp) -> TimerID { shared.newTimer(at: time, strategy: index) }
    func cancelTimer(_ timer: TimerID) { shared.timers.cancel(timer) }
    func log(_ message: String) { shared.record(.log(.info, message, strategy: index)) }
    func record(_ series: String, _ value: Double) {
        shared.record(.series(series, value, strategy: index))
    }
}
