/// A side of the YES book. A bid buys YES; an ask sells YES, which is to buy NO at one minus its price.
@frozen
public enum Side: UInt8, Hashable, Sendable, CaseIterable {
    case bid = 0
    case ask = 1

    @inlinable public var opposite: Side { self == .bid ? .ask : .bid }
    /// +1 for a bid, -1 for an ask: the sign of the position that a fill adds.
    @inlinable public var sign: Int64 { self == .bid ? 1 : -1 }
    /// Micro-dollars from the side's worst price: the price of a bid, one minus it of an ask. Without a branch.
    @inlinable @inline(__always)
    package func distance(_ price: Price) -> Int32 {
        let mask = -Int32(truncatingIfNeeded: rawValue)
        return (price.micros ^ mask) &- mask &+ (1_000_000 & mask)
    }
    /// Whether `a` is more aggressive than `b` on this side: a higher bid, a lower ask.
    @inlinable public func isBetter(_ a: Price, than b: Price) -> Bool { self == .bid ? a > b : a < b }
    /// Whether an order of this side at `price` meets an opposite order resting at `resting`.
    @inlinable public func crosses(_ price: Price, resting: Price) -> Bool {
        self == .bid ? price >= resting : price <= resting
    }
    /// The price less aggressive by `distance`.
    @inlinable public func away(_ price: Price, by distance: Price) -> Price {
        self == .bid ? price - distance : price + distance
    }
    /// What one contract costs a taker of this side: the YES price for a bid, the NO price for an ask.
    @inlinable public func cost(_ price: Price) -> Price { self == .bid ? price : price.complement }
}

extension Side: CustomStringConvertible {
    /// Kalshi's `book_side`.
    public var description: String { self == .bid ? "bid" : "ask" }
}
