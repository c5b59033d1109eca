/// A look at a market's book, good for the callback in which it was got.
///
/// Reads the engine's own book in place, without a copy. Prices are in YES terms.
@frozen
public struct BookView {
    /// Sound for the length of a callback: the engine neither moves nor frees a book while a strategy runs.
    @usableFromInline let book: UnsafePointer<OrderBook>

    @inlinable package init(_ book: UnsafePointer<OrderBook>) { self.book = book }

    /// A price with the contracts that rest there.
    @frozen
    public struct Level: Hashable, Sendable {
        public var price: Price
        public var size: Quantity
        @inlinable public init(price: Price, size: Quantity) {
            self.price = price
            self.size = size
        }
    }

    @inlinable @inline(__always) public var bestBid: Price? { book.pointee.bestBid }
    @inlinable @inline(__always) public var bestAsk: Price? { book.pointee.bestAsk }
    @inlinable public func best(_ side: Side) -> Price? { book.pointee.best(side) }
    /// Contracts at the best price of a side, zero when it is empty.
    @inlinable public func bestSize(_ side: Side) -> Quantity { book.pointee.bestSize(side) }
    @inlinable public func size(_ side: Side, at price: Price) -> Quantity {
        book.pointee.size(side, at: price)
    }
    @inlinable public func levelCount(_ side: Side) -> Int { book.pointee.levelCount(side) }
    /// All contracts of a side.
    @inlinable public func total(_ side: Side) -> Quantity { book.pointee.total(side) }
    @inlinable public var isCrossed: Bool { book.pointee.isCrossed }
    @inlinable public var isTwoSided: Bool { bestBid != nil && bestAsk != nil }

    /// Best ask minus best bid, or nil with a side empty.
    @inlinable public var spread: Price? {
        guard let bid = bestBid, let ask = bestAsk else { return nil }
        return ask - bid
    }
    /// Halfway between the best prices, or nil with a side empty. Exact: grids are multiples of $0.0001.
    @inlinable public var mid: Price? {
        guard let bid = bestBid, let ask = bestAsk else { return nil }
        return Price(micros: (bid.micros + ask.micros) / 2)
    }
    /// The mid weighted by the opposite sides' best sizes, to the micro-dollar, or nil with a side empty.
    ///
    /// bid + spread · bidSize / (bidSize + askSize): more bids push it toward the ask (Stoikov, "The
    /// micro-price", 2018, first order).
    public var microprice: Price? {
        guard let bid = bestBid, let ask = bestAsk else { return nil }
        let bids = Int128(bestSize(.bid).hundredths)
        let asks = Int128(bestSize(.ask).hundredths)
        let shift = Int128(ask.micros - bid.micros) * bids / (bids + asks)
        return Price(micros: bid.micros + Int32(shift))
    }
    /// (bids − asks) / (bids + asks) over the best `depth` levels of each side: −1…1, or nil when both are empty.
    public func imbalance(depth: Int = 1) -> Double? {
        let bids = cumulativeSize(.bid, levels: depth).contracts
        let asks = cumulativeSize(.ask, levels: depth).contracts
        return bids + asks == 0 ? nil : (bids - asks) / (bids + asks)
    }

    /// The levels of a side from the best price on.
    public func levels(_ side: Side) -> Levels { Levels(book: self, side: side) }
    /// The best `count` levels of a side. Allocates; for tests, displays and recorders.
    public func depth(_ side: Side, _ count: Int) -> [Level] { Array(levels(side).prefix(count)) }

    /// Contracts within the best `levels` prices. O(levels).
    public func cumulativeSize(_ side: Side, levels count: Int) -> Quantity {
        var sum = Quantity.zero
        var left = count
        for level in levels(side) {
            guard left > 0 else { break }
            sum += level.size
            left -= 1
        }
        return sum
    }
    /// Contracts at `price` or better. O(levels).
    public func cumulativeSize(_ side: Side, through price: Price) -> Quantity {
        var sum = Quantity.zero
        for level in levels(side) {
            if side.isBetter(price, than: level.price) { break }
            sum += level.size
        }
        return sum
    }
    /// What taking `quantity` from a side would cost: the worst price reached and the exact total in YES terms,
    /// or nil when the side holds less. O(levels).
    public func priceForSize(_ side: Side, _ quantity: Quantity) -> (worst: Price, total: Money)? {
        var left = quantity
        var total = Money.zero
        for level in levels(side) {
            let taken = min(left, level.size)
            total += level.price * taken
            left -= taken
            if !left.isPositive { return (level.price, total) }
        }
        return nil
    }

    /// Best to worst.
    public struct Levels: Sequence, IteratorProtocol {
        let book: BookView
        let side: Side
        var last: Price?
        var isAtStart = true

        init(book: BookView, side: Side) {
            self.book = book
            self.side = side
        }

        public mutating func next() -> Level? {
            let price: Price?
            if isAtStart {
                price = book.best(side)
                isAtStart = false
            } else {
                price = last.flatMap { book.book.pointee.next(side, behind: $0) }
            }
            last = price
            return price.map { Level(price: $0, size: book.size(side, at: $0)) }
        }
    }
}
