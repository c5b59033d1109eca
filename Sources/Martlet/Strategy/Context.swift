/// A strategy's view of the world and its only way to act, lent to it for the length of a callback.
///
/// Reads are answered from the engine's own state. Intents (`place`, `quote`, `cancel` …) are taken down and
/// judged by the risk gate, in order, when the callback returns; their fate comes back as `orderChanged`.
/// It cannot be copied or kept: outside a callback there is nothing to ask.
public struct Context: ~Copyable {
    /// Sound because the engine owns both for longer than any callback, and a context cannot outlive one.
    @usableFromInline let state: UnsafePointer<ContextState>
    let desk: any StrategyDesk

    package init(state: UnsafePointer<ContextState>, desk: any StrategyDesk) {
        self.state = state
        self.desk = desk
    }

    // MARK: Time and chance

    /// The engine's time: the receive time of the input being handled.
    @inlinable public var now: Timestamp { state.pointee.now }
    /// Seeded by the run; the only source of chance that a replay can repeat. Uniform over all 64-bit values.
    public func random() -> UInt64 { desk.random() }
    /// Uniform in 0..<1.
    public func randomUnit() -> Double { Double(desk.random() >> 11) * 0x1p-53 }

    // MARK: Markets

    /// All markets known so far, in order of appearance.
    public var markets: [Market.ID] { (0..<Int(state.pointee.marketCount)).map { Market.ID($0) } }
    /// The market's present definition.
    /// Traps on a market never defined. A look at one of its properties copies no more than that.
    @inlinable @inline(__always)
    public func market(_ id: Market.ID) -> Market {
        precondition(id.index < state.pointee.marketCount)
        return state.pointee.definitions[Int(id.index)]
    }
    public func market(named ticker: String) -> Market.ID? { desk.marketID(ticker) }
    /// The markets of an event, in order of appearance.
    public func markets(ofEvent event: String) -> [Market.ID] { desk.markets(ofEvent: event) }
    public func status(_ market: Market.ID) -> MarketStatus { desk.status(market) }

    /// Sends this market's events to the strategy from now on.
    public func subscribe(to market: Market.ID, book: BookUpdates = .groups, trades: Bool = true) {
        desk.subscribe(market, book: book, trades: trades)
    }
    public func unsubscribe(from market: Market.ID) { desk.unsubscribe(market) }

    // MARK: Books

    /// The book without this account's own resting orders. Traps on a market never defined.
    @inlinable @inline(__always)
    public func book(_ market: Market.ID) -> BookView {
        precondition(market.index < state.pointee.marketCount)
        return BookView(state.pointee.books + Int(market.index))
    }
    /// The contracts at a price as the exchange shows them: ``book(_:)`` and our own resting orders.
    public func exchangeSize(_ market: Market.ID, _ side: Side, at price: Price) -> Quantity {
        book(market).size(side, at: price) + desk.ownResting(market, side, price)
    }
    /// Whether the book is complete and fresh enough to trade on.
    public func isUsable(_ market: Market.ID) -> Bool { desk.isUsable(market) }

    // MARK: Intents

    /// Asks for a single order. The id is good at once, for `cancel` too.
    @discardableResult
    public func place(_ request: OrderRequest) -> OrderID { desk.place(request) }
    /// Asks for a new price and whole size (filled and open) of an order. Loses its queue position unless only
    /// the size goes down.
    public func amend(_ order: OrderID, price: Price, quantity: Quantity) {
        desk.amend(order, price: price, quantity: quantity)
    }
    /// Asks to bring an order's open contracts down to `remaining`; keeps its queue position.
    public func decrease(_ order: OrderID, to remaining: Quantity) { desk.decrease(order, to: remaining) }
    public func cancel(_ order: OrderID) { desk.cancel(order) }
    /// Cancels all orders of this strategy, in one market or everywhere; withdraws its quotes.
    public func cancelAll(in market: Market.ID? = nil) { desk.cancelAll(market) }
    /// Says what should rest in a market: the router finds the cheapest commands that get there. Nil for no
    /// order on a side. A bid is rounded down to the grid, an ask up; both are post-only.
    public func quote(_ market: Market.ID, bid: Quote?, ask: Quote?) {
        desk.quote(market, bid: bid, ask: ask)
    }

    // MARK: Own state

    /// This strategy's position in a market.
    public func position(_ market: Market.ID) -> Position { desk.position(market) }
    /// This strategy's orders in a market that may still trade, oldest first.
    public func openOrders(_ market: Market.ID) -> [Order] { desk.openOrders(market) }
    public func order(_ id: OrderID) -> Order? { desk.order(id) }
    /// Cash of the account that no position or resting order ties up.
    public var availableCash: Money { desk.availableCash() }
    public var riskState: RiskState { desk.riskState() }

    // MARK: Timers and records

    /// Calls `timerFired` once at a time, or at once when it has passed. Timers that keep setting the next for at once
    /// are put off by a millisecond after some hundreds, and counted as runaway callbacks.
    @discardableResult
    public func setTimer(at time: Timestamp) -> TimerID { desk.setTimer(at: time) }
    @discardableResult
    public func setTimer(after span: TimeSpan) -> TimerID { desk.setTimer(at: now + span) }
    public func cancelTimer(_ timer: TimerID) { desk.cancelTimer(timer) }
    /// A line in the run's log, with the time and the strategy's name.
    public func log(_ message: @autoclosure () -> String) { desk.log(message()) }
    /// A point of a named series, drawn in the report.
    public func record(_ series: String, _ value: Double) { desk.record(series, value) }
}

/// How often a strategy is told of a book.
public enum BookUpdates: Hashable, Sendable {
    case none
    /// Once for each exchange time-stamp group: the book is never seen half changed.
    case groups
    /// On each change, inside groups too: the book may be crossed for moments.
    case everyChange
}

/// What contexts read without a call. Kept by the engine at a fixed address.
@frozen
@usableFromInline
package struct ContextState {
    @usableFromInline package var now: Timestamp
    @usableFromInline package var books: UnsafeMutablePointer<OrderBook>
    @usableFromInline package var marketCount: UInt32
    @usableFromInline package var definitions: UnsafeMutablePointer<Market>

    @inlinable
    package init(
        now: Timestamp, books: UnsafeMutablePointer<OrderBook>, marketCount: UInt32,
        definitions: UnsafeMutablePointer<Market>
    ) {
        self.now = now
        self.books = books
        self.marketCount = marketCount
        self.definitions = definitions
    }
}

/// The engine's side of a context, one for each strategy.
package protocol StrategyDesk: AnyObject {
    func random() -> UInt64
    func marketID(_ ticker: String) -> Market.ID?
    func markets(ofEvent event: String) -> [Market.ID]
    func status(_ market: Market.ID) -> MarketStatus
    func subscribe(_ market: Market.ID, book: BookUpdates, trades: Bool)
    func unsubscribe(_ market: Market.ID)
    func isUsable(_ market: Market.ID) -> Bool
    func ownResting(_ market: Market.ID, _ side: Side, _ price: Price) -> Quantity
    func place(_ request: OrderRequest) -> OrderID
    func amend(_ order: OrderID, price: Price, quantity: Quantity)
    func decrease(_ order: OrderID, to remaining: Quantity)
    func cancel(_ order: OrderID)
    func cancelAll(_ market: Market.ID?)
    func quote(_ market: Market.ID, bid: Quote?, ask: Quote?)
    func position(_ market: Market.ID) -> Position
    func openOrders(_ market: Market.ID) -> [Order]
    func order(_ id: OrderID) -> Order?
    func availableCash() -> Money
    func riskState() -> RiskState
    func setTimer(at time: Timestamp) -> TimerID
    func cancelTimer(_ timer: TimerID)
    func log(_ message: String)
    func record(_ series: String, _ value: Double)
}
