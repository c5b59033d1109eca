/// What made a change to a book impossible. The book is unusable until its next snapshot.
public enum BookFault: Error, Hashable, Sendable {
    /// A delta would leave fewer than zero contracts at a price.
    case negativeSize(side: Side, price: Price, size: Quantity)
    /// At or beyond 0 or 1 dollar, or finer than $0.0001.
    case invalidPrice(side: Side, price: Price)
    /// The exchange's sequence numbers skipped, or the recording has a hole.
    case gap
    /// A change for a market that no definition or subscription named.
    case unknownMarket
    /// Still locked or crossed when its exchange time-stamp group had ended.
    case crossed
    /// No snapshot has come yet.
    case noSnapshot
}

extension BookFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .negativeSize(let side, let price, let size): "\(side) level \(price) would hold \(size)"
        case .invalidPrice(let side, let price): "\(side) price \(price) is not a price"
        case .gap: "messages are missing"
        case .unknownMarket: "unknown market"
        case .crossed: "crossed at the end of its group"
        case .noSnapshot: "no snapshot yet"
        }
    }
}

/// A market's resting orders by price, in YES terms.
///
/// Takes any multiple of $0.0001 strictly between 0 and 1; starts on the declared grid's unit and refines
/// itself when a finer price arrives. All reads are O(1) unless they say otherwise.
@frozen
public struct OrderBook: ~Copyable {
    @usableFromInline var bids: Ladder
    @usableFromInline var asks: Ladder
    /// Prices seen off the unit the book was made with: its definition wants refreshing.
    public private(set) var offGridCount: Int = 0

    public init(unit: Price = Price(cents: 1)) {
        bids = Ladder(unit: unit)
        asks = Ladder(unit: unit)
    }

    /// Adds a signed number of contracts to a level (an `orderbook_delta`). Nothing changes on a fault.
    @inlinable @inline(__always)
    public mutating func add(_ change: Quantity, side: Side, price: Price) -> BookFault? {
        // The side is as good as random, and a mispredicted branch costs as much as all the rest: index instead.
        // Sound: a frozen struct's properties lie in order of declaration, `bids` first and `asks` right behind.
        let fault = withUnsafeMutablePointer(to: &self) { book -> Int64 in
            let ladder =
                UnsafeMutableRawPointer(book).assumingMemoryBound(to: Ladder.self) + Int(side.rawValue)
            let slot = ladder.pointee.slot(of: side.distance(price))
            if slot < 0 { return .max }
            let size = ladder.pointee.size(atSlot: slot) &+ change.hundredths
            if size < 0 { return size }
            ladder.pointee.set(slot: slot, size: size)
            return 0
        }
        return fault == 0 ? nil : refused(change, side: side, price: price, size: fault)
    }

    @usableFromInline @inline(never)
    mutating func refused(_ change: Quantity, side: Side, price: Price, size: Int64) -> BookFault? {
        size == .max
            ? addOffUnit(change, side: side, price: price)
            : .negativeSize(side: side, price: price, size: Quantity(hundredths: size))
    }

    /// Makes the change to the book that an event means, if any.
    @inlinable @inline(__always)
    public mutating func change(_ event: MarketEvent) -> BookFault? {
        switch event.kind {
        case .delta: return add(event.quantity, side: event.side, price: event.price)
        case .snapshotStart: clear()
        case .snapshotLevel: return set(event.quantity, side: event.side, price: event.price)
        case .trade, .groupEnd: break
        }
        return nil
    }

    /// Sets a level to an absolute number of contracts (a snapshot's row). Nothing changes on a fault.
    public mutating func set(_ size: Quantity, side: Side, price: Price) -> BookFault? {
        guard size.hundredths >= 0 else { return .negativeSize(side: side, price: price, size: size) }
        return add(size - self.size(side, at: price), side: side, price: price)
    }

    /// Empties both sides.
    public mutating func clear() {
        bids.clear()
        asks.clear()
    }

    @usableFromInline @inline(never)
    mutating func addOffUnit(_ change: Quantity, side: Side, price: Price) -> BookFault? {
        guard price.isTradable, price.micros % Price.finestStep.micros == 0 else {
            return .invalidPrice(side: side, price: price)
        }
        let finer = gcd(bids.unit, price.micros)
        offGridCount += 1
        bids.refine(to: finer)
        asks.refine(to: finer)
        return add(change, side: side, price: price)
    }

    /// Contracts at a price; zero off the grid. Always inlined, as is `best`: called, it would be lent a copy of
    /// the book's words.
    @inlinable @inline(__always)
    public func size(_ side: Side, at price: Price) -> Quantity {
        switch side {
        case .bid:
            let slot = bids.slot(of: price.micros)
            return Quantity(hundredths: slot < 0 ? 0 : bids.size(atSlot: slot))
        case .ask:
            let slot = asks.slot(of: price.complement.micros)
            return Quantity(hundredths: slot < 0 ? 0 : asks.size(atSlot: slot))
        }
    }

    @inlinable @inline(__always)
    public var bestBid: Price? {
        bids.best < 0 ? nil : Price(micros: bids.best &* bids.unit)
    }
    @inlinable @inline(__always)
    public var bestAsk: Price? {
        asks.best < 0 ? nil : Price(micros: 1_000_000 &- asks.best &* asks.unit)
    }
    @inlinable @inline(__always)
    public func best(_ side: Side) -> Price? { side == .bid ? bestBid : bestAsk }

    /// Contracts at the best price, zero on an empty side.
    @inlinable
    public func bestSize(_ side: Side) -> Quantity {
        switch side {
        case .bid: Quantity(hundredths: bids.best < 0 ? 0 : bids.size(atSlot: bids.best))
        case .ask: Quantity(hundredths: asks.best < 0 ? 0 : asks.size(atSlot: asks.best))
        }
    }
    /// Best bid at or above best ask: seen only inside an exchange time-stamp group of a sound feed.
    @inlinable
    public var isCrossed: Bool {
        bids.best >= 0 && asks.best >= 0 && bids.best &* bids.unit &+ asks.best &* asks.unit >= 1_000_000
    }
    @inlinable
    public func levelCount(_ side: Side) -> Int { Int(side == .bid ? bids.occupied : asks.occupied) }
    /// All contracts of a side.
    @inlinable
    public func total(_ side: Side) -> Quantity { Quantity(hundredths: side == .bid ? bids.sum : asks.sum) }

    /// The next price behind `price` (less aggressive) that holds contracts. O(1) on dense books.
    @inlinable
    public func next(_ side: Side, behind price: Price) -> Price? {
        switch side {
        case .bid:
            let slot = bids.nextBest(below: (price.micros + bids.unit - 1) / bids.unit)
            return slot < 0 ? nil : Price(micros: slot * bids.unit)
        case .ask:
            let slot = asks.nextBest(below: (price.complement.micros + asks.unit - 1) / asks.unit)
            return slot < 0 ? nil : Price(micros: 1_000_000 - slot * asks.unit)
        }
    }

    package func checkInvariants() {
        bids.checkInvariants()
        asks.checkInvariants()
        precondition(bids.unit == asks.unit)
    }
}
