/// Volume-weighted average price of trades, since the start or over the last `window` of time.
public struct VolumeWeightedPrice: Sendable {
    private var trades: TimedSums
    public init(window: TimeSpan? = nil) { trades = TimedSums(window: window) }
    /// In dollars; nil without volume in the window.
    public var value: Double? { trades.second == 0 ? nil : trades.first / trades.second / 1e6 }
    /// Contracts in the window.
    public var volume: Quantity { Quantity(hundredths: Int64(trades.second)) }
    @discardableResult
    public mutating func add(_ trade: Trade) -> Double? {
        add(price: trade.price, quantity: trade.quantity, at: trade.receiveTime)
    }
    @discardableResult
    public mutating func add(price: Price, quantity: Quantity, at time: Timestamp) -> Double? {
        let size = Double(quantity.hundredths)
        trades.add(Double(price.micros) * size, size, at: time)
        return value
    }
    /// Forgets what has left the window by `time`.
    public mutating func advance(to time: Timestamp) { trades.advance(to: time) }
}

/// (bought − sold) / (bought + sold) of takers over the last `window` of time: −1…1.
public struct TradeFlowImbalance: Sendable {
    private var trades: TimedSums
    public init(window: TimeSpan) { trades = TimedSums(window: window) }
    /// Nil without trades in the window.
    public var value: Double? { trades.second == 0 ? nil : trades.first / trades.second }
    @discardableResult
    public mutating func add(_ trade: Trade) -> Double? {
        let size = Double(trade.quantity.hundredths)
        trades.add(trade.takerSide == .bid ? size : -size, size, at: trade.receiveTime)
        return value
    }
    public mutating func advance(to time: Timestamp) { trades.advance(to: time) }
}

/// Order-flow imbalance at the best prices, in contracts over the last `window` of time.
///
/// Cont, Kukanov and Stoikov, "The price impact of order book events" (2014), eq. 4: for each change of the best
/// quotes, e = [Pᵇ ≥ Pᵇ′]·qᵇ − [Pᵇ ≤ Pᵇ′]·qᵇ′ − [Pᵃ ≤ Pᵃ′]·qᵃ + [Pᵃ ≥ Pᵃ′]·qᵃ′, primes for before. Positive is
/// buying pressure. A change while a side is empty starts afresh.
public struct OrderFlowImbalance: Sendable {
    private var changes: TimedSums
    private var last: (bid: Price, bidSize: Int64, ask: Price, askSize: Int64)?
    public init(window: TimeSpan) { changes = TimedSums(window: window) }
    public var value: Double { changes.first / 100 }

    /// Call at each change of the book, such as in `bookChanged`.
    @discardableResult
    public mutating func add(_ book: BookView, at time: Timestamp) -> Double {
        guard let bid = book.bestBid, let ask = book.bestAsk else {
            last = nil
            changes.advance(to: time)
            return value
        }
        return add(
            bid: bid, bidSize: book.bestSize(.bid), ask: ask, askSize: book.bestSize(.ask), at: time)
    }
    @discardableResult
    public mutating func add(
        bid: Price, bidSize: Quantity, ask: Price, askSize: Quantity, at time: Timestamp
    ) -> Double {
        let now = (bid: bid, bidSize: bidSize.hundredths, ask: ask, askSize: askSize.hundredths)
        if let last {
            var change: Int64 = 0
            if now.bid >= last.bid { change += now.bidSize }
            if now.bid <= last.bid { change -= last.bidSize }
            if now.ask <= last.ask { change -= now.askSize }
            if now.ask >= last.ask { change += last.askSize }
            changes.add(Double(change), 0, at: time)
        } else {
            changes.advance(to: time)
        }
        last = now
        return value
    }
}

/// Square root of the sum of squared price changes over the last `window` of time, in dollars.
///
/// Plain changes and not logarithms, for an event contract's price is a probability that ends at 0 or 1.
/// Sample at even intervals or at each change of the mid, as the use wants it.
public struct RealizedVolatility: Sendable {
    private var squares: TimedSums
    private var last: Double?
    public init(window: TimeSpan) { squares = TimedSums(window: window) }
    /// Over the window as it is; nil before the second value.
    public var value: Double? { squares.isEmpty ? nil : squares.first.squareRoot() }
    @discardableResult
    public mutating func add(_ price: Price, at time: Timestamp) -> Double? {
        let dollars = price.dollars
        if let last {
            squares.add((dollars - last) * (dollars - last), 0, at: time)
        }
        last = dollars
        return value
    }
}

/// Two sums over the values of the last stretch of time. Amortised O(1) a value; bounded by what the window
/// holds. The sums are rebuilt from the values each time the buffer turns, so that rounding cannot drift.
struct TimedSums: Sendable {
    private struct Item: Sendable {
        var time: Timestamp
        var first: Double
        var second: Double
    }
    private let window: TimeSpan?
    private var items: [Item] = []
    private var head = 0
    private(set) var first = 0.0
    private(set) var second = 0.0
    private(set) var isEmpty = true

    init(window: TimeSpan?) { self.window = window }

    mutating func add(_ a: Double, _ b: Double, at time: Timestamp) {
        first += a
        second += b
        isEmpty = false
        guard window != nil else { return }
        items.append(Item(time: time, first: a, second: b))
        advance(to: time)
    }

    /// Drops what is `window` old or older.
    mutating func advance(to time: Timestamp) {
        guard let window else { return }
        let limit = time - window
        while head < items.count, items[head].time <= limit {
            first -= items[head].first
            second -= items[head].second
            head += 1
        }
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
            (first, second, isEmpty) = (0, 0, true)
        } else if head > 1024, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
            (first, second) = items.reduce((0, 0)) { ($0.0 + $1.first, $0.1 + $1.second) }
        }
    }
}
