import Martlet
import MartletEngine

/// The real orders at one price, first in first out. Crowd contracts stand between them: each order knows how
/// many are ahead of it.
struct RealLevel: Sendable {
    var price: Price
    var head: Int32 = -1
    var tail: Int32 = -1
    /// Sum of the orders' open contracts.
    var quantity: Quantity = .zero
    /// Contracts that left the crowd in the open time-stamp group, by any cause.
    var removed: Quantity = .zero
    /// The crowd's size before the first of them left.
    var sizeBefore: Quantity = .zero
    /// Contracts that traded here and whose removal has not been seen yet.
    var traded: Quantity = .zero
    var tradedTime: Timestamp = .distantPast
    /// Contracts that left lately without a trade: theirs may be the next to be told of.
    var vanished: Quantity = .zero
    var vanishedTime: Timestamp = .distantPast

    /// How long a removal may be told before its trade.
    static let tradePatience = TimeSpan.milliseconds(250)

    init(price: Price) { self.price = price }

    func vanished(at now: Timestamp) -> Quantity {
        vanished.isPositive && now - vanishedTime <= RealLevel.tradePatience ? vanished : .zero
    }
}

/// The real levels of one side of a market, best last.
struct RealSide: ~Copyable {
    let side: Side
    var levels = Row<RealLevel>()

    init(_ side: Side) { self.side = side }

    @inline(__always) var isEmpty: Bool { levels.isEmpty }
    @inline(__always) var best: Price? {
        levels.isEmpty ? nil : levels[levels.count - 1].price
    }
    /// The level's index, or nil. From the best on: most of what happens, happens there.
    @inline(__always)
    func find(_ price: Price) -> Int? {
        var index = levels.count - 1
        while index >= 0, side.isBetter(levels[index].price, than: price) { index -= 1 }
        return index >= 0 && levels[index].price == price ? index : nil
    }
    mutating func findOrMake(_ price: Price) -> Int {
        var index = levels.count - 1
        while index >= 0, side.isBetter(levels[index].price, than: price) { index -= 1 }
        if index >= 0, levels[index].price == price { return index }
        levels.insert(RealLevel(price: price), at: index + 1)
        return index + 1
    }
}

/// Contracts that our orders took from a level that a recording goes on showing.
struct Taken: Sendable {
    var side: Side
    var price: Price
    var quantity: Quantity
}
