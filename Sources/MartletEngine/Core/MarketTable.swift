import Martlet

/// All markets of an engine: definitions, books and what is known of their state.
///
/// A class, since the engine, its trading core and every strategy's desk look at the same table. What is read
/// on each event stands in flat arrays behind fixed pointers; sound because the table alone allocates and
/// frees them, and grows them only between callbacks (``define(_:)``).
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
@usableFromInline
package final class MarketTable {
    /// What is kept of a market beside its book, 1 cache line.
    @usableFromInline
    @frozen
    package struct State {
        /// Strategies (bit = index) called at the end of a group, on each change, on each trade.
        @usableFromInline package var groupSubscribers: UInt64 = 0
        @usableFromInline package var changeSubscribers: UInt64 = 0
        @usableFromInline package var tradeSubscribers: UInt64 = 0
        /// Strategies with any subscription.
        @usableFromInline package var subscribers: UInt64 = 0
        /// The exchange time of the open group.
        @usableFromInline package var groupTime: Timestamp = .unknown
        /// Receive time of the last event of the book.
        @usableFromInline package var lastChange: Timestamp = .unknown
        /// A snapshot has come and nothing was missed since: deltas may be applied.
        @usableFromInline package var isWhole = false
        /// Whole, and not crossed at the end of its last group.
        @usableFromInline package var isUsable = false
        /// Between a snapshot's first and last event.
        @usableFromInline package var isInSnapshot = false
        /// Something changed since strategies were last told.
        @usableFromInline package var isDirty = false
        /// Sum of the best bid and the best ask in micro-dollars when the trading core was last told.
        @usableFromInline package var toldTouch: Int32 = 0
        /// The trading core wants `marketMoved` at the end of each group (a position, orders or quotes).
        @usableFromInline package var isWatched = false
    }

    @exclusivity(unchecked) package private(set) var statuses: [MarketStatus] = []
    @exclusivity(unchecked) package private(set) var results: [MarketResult?] = []
    @exclusivity(unchecked) package private(set) var faults: [BookFault?] = []
    /// Whose payout has been booked: a market settles once, whatever is announced.
    @exclusivity(unchecked) package private(set) var settled: [Bool] = []
    @exclusivity(unchecked) private var idOfTicker: [String: Market.ID] = [:]
    @exclusivity(unchecked) private var marketsOfEvent: [String: [Market.ID]] = [:]
    @exclusivity(unchecked) private var capacity: Int

    /// At a fixed address for the table's life: contexts read through it.
    @usableFromInline package let context: UnsafeMutablePointer<ContextState>
    /// The states' present address, itself at a fixed one: a class property would cost an exclusivity check a read.
    @usableFromInline package let rows: UnsafeMutablePointer<UnsafeMutablePointer<State>>
    @usableFromInline package var states: UnsafeMutablePointer<State> { rows.pointee }
    @usableFromInline package var books: UnsafeMutablePointer<OrderBook> { context.pointee.books }
    private var definitions: UnsafeMutablePointer<Market> { context.pointee.definitions }

    package init() {
        capacity = 16
        rows = .allocate(capacity: 1)
        rows.initialize(to: .allocate(capacity: capacity))
        context = .allocate(capacity: 1)
        context.initialize(
            to: ContextState(
                now: .distantPast, books: .allocate(capacity: capacity), marketCount: 0,
                definitions: .allocate(capacity: capacity)))
    }

    deinit {
        books.deinitialize(count: count)
        books.deallocate()
        definitions.deinitialize(count: count)
        definitions.deallocate()
        states.deallocate()
        rows.deallocate()
        context.deallocate()
    }

    package var count: Int { Int(context.pointee.marketCount) }
    package var now: Timestamp {
        get { context.pointee.now }
        set { context.pointee.now = newValue }
    }

    /// Adds a market, or takes over a changed definition of a known one. Amortised O(1).
    @discardableResult
    package func define(_ market: Market) -> (id: Market.ID, isNew: Bool) {
        if let id = idOfTicker[market.ticker] {
            definitions[Int(id.index)] = market
            return (id, false)
        }
        if count == capacity { grow() }
        let id = Market.ID(count)
        (books + count).initialize(to: OrderBook(unit: market.grid.unit))
        (states + count).initialize(to: State())
        (definitions + count).initialize(to: market)
        statuses.append(.active)
        results.append(nil)
        settled.append(false)
        faults.append(.noSnapshot)
        idOfTicker[market.ticker] = id
        marketsOfEvent[market.event, default: []].append(id)
        context.pointee.marketCount += 1
        return (id, true)
    }

    private func grow() {
        let wider = capacity * 2
        let movedBooks = UnsafeMutablePointer<OrderBook>.allocate(capacity: wider)
        movedBooks.moveInitialize(from: books, count: count)
        books.deallocate()
        context.pointee.books = movedBooks
        let movedDefinitions = UnsafeMutablePointer<Market>.allocate(capacity: wider)
        movedDefinitions.moveInitialize(from: definitions, count: count)
        definitions.deallocate()
        context.pointee.definitions = movedDefinitions
        let movedStates = UnsafeMutablePointer<State>.allocate(capacity: wider)
        movedStates.moveInitialize(from: states, count: count)
        states.deallocate()
        rows.pointee = movedStates
        capacity = wider
    }

    package func id(of ticker: String) -> Market.ID? { idOfTicker[ticker] }
    package func markets(ofEvent event: String) -> [Market.ID] { marketsOfEvent[event] ?? [] }
    package func isKnown(_ market: Market.ID) -> Bool { Int(market.index) < count }
    package func definition(_ market: Market.ID) -> Market {
        precondition(isKnown(market))
        return definitions[Int(market.index)]
    }
    package func status(_ market: Market.ID) -> MarketStatus { statuses[Int(market.index)] }
    package func setStatus(_ market: Market.ID, _ status: MarketStatus) {
        statuses[Int(market.index)] = status
    }
    package func result(_ market: Market.ID) -> MarketResult? { results[Int(market.index)] }
    package func setResult(_ market: Market.ID, _ result: MarketResult) {
        results[Int(market.index)] = result
    }
    /// False when it had settled before.
    package func markSettled(_ market: Market.ID) -> Bool {
        defer { settled[Int(market.index)] = true }
        return !settled[Int(market.index)]
    }
    /// Why the book is unusable, or nil when it is usable.
    package func fault(_ market: Market.ID) -> BookFault? { faults[Int(market.index)] }
    package func setFault(_ market: Market.ID, _ fault: BookFault?) {
        faults[Int(market.index)] = fault
        states[Int(market.index)].isUsable = fault == nil
        states[Int(market.index)].isWhole = fault == nil || fault == .crossed
    }
    package func book(_ market: Market.ID) -> BookView {
        precondition(isKnown(market))
        return BookView(books + Int(market.index))
    }
    package func isUsable(_ market: Market.ID) -> Bool { states[Int(market.index)].isUsable }
    /// Receive time of the book's last event.
    package func lastChange(_ market: Market.ID) -> Timestamp { states[Int(market.index)].lastChange }
}
