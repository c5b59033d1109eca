import Martlet

/// A market's fills for its chart, in bounded memory: of each kind (side, maker or taker) the marks next to each
/// other merge in pairs when they grow too many.
struct FillMarks: Sendable {
    private struct Mark {
        var time: Timestamp
        /// Price × contracts.
        var notional: Money
        var quantity: Quantity
        var fills: Int
    }
    private let capacity: Int
    /// Buys and sells of makers, then of takers.
    private var kinds: [[Mark]] = [[], [], [], []]

    init(capacity: Int) {
        precondition(capacity >= 2)
        self.capacity = capacity
    }

    mutating func add(_ fill: Fill, at time: Timestamp) {
        let kind = (fill.side == .bid ? 0 : 1) + (fill.isTaker ? 2 : 0)
        kinds[kind].append(
            Mark(time: time, notional: fill.price * fill.quantity, quantity: fill.quantity, fills: 1))
        if kinds[kind].count > capacity { halve(kind) }
    }

    private mutating func halve(_ kind: Int) {
        let marks = kinds[kind]
        kinds[kind] = stride(from: 0, to: marks.count, by: 2).map { index in
            guard index + 1 < marks.count else { return marks[index] }
            var sum = marks[index]
            let next = marks[index + 1]
            sum.time.nanoseconds += (next.time.nanoseconds - sum.time.nanoseconds) / 2
            sum.notional += next.notional
            sum.quantity += next.quantity
            sum.fills += next.fills
            return sum
        }
    }

    /// In the order of time.
    var marks: [FillMark] {
        let all = kinds.enumerated().flatMap { kind, marks in
            marks.map { mark in
                FillMark(
                    time: mark.time, price: mark.notional.dollars / max(mark.quantity.contracts, 0.01),
                    contracts: mark.quantity.contracts, fills: mark.fills, isBuy: kind % 2 == 0,
                    isTaker: kind >= 2)
            }
        }
        // Stable: marks of one time stay in the order of their kind.
        return all.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }
}
