import Martlet

/// Cash by exchange shard: what is there, and what resting orders tie up.
package struct CashBook: Sendable {
    package struct Shard: Sendable {
        /// The exchange's number of the shard.
        package let number: Int
        /// Cash that no position ties up.
        package var cash: Money
        /// Tied up by orders that may still trade, estimated fees included.
        package var reserved: Money = .zero
        /// Collateral that mutually exclusive events give back.
        package var returned: Money = .zero
        package var available: Money { cash - reserved + returned }
    }
    package private(set) var shards: [Shard] = [Shard(number: 0, cash: .zero)]

    /// The index of a shard by its number. Linear: an exchange has a handful.
    mutating func index(of number: Int) -> Int {
        if let index = shards.firstIndex(where: { $0.number == number }) { return index }
        shards.append(Shard(number: number, cash: .zero))
        return shards.count - 1
    }
    func find(_ number: Int) -> Int? { shards.firstIndex { $0.number == number } }

    package subscript(index: Int) -> Shard {
        get { shards[index] }
        set { shards[index] = newValue }
    }
    @inline(__always)
    mutating func add(_ amount: Money, to index: Int) { shards[index].cash += amount }
    @inline(__always)
    mutating func reserve(_ amount: Money, on index: Int) { shards[index].reserved += amount }
    mutating func giveBack(_ change: Money, on index: Int) { shards[index].returned += change }

    package var total: Money { shards.reduce(.zero) { $0 + $1.cash } }
}
