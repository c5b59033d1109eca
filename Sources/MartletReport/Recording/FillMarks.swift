import Martlet

/// A market's fills for its chart, in bounded memory: of each kind (side, maker or taker), neighbours merge in
/// pairs when the marks grow too many, and from then on twice as many fills make a mark.
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
    /// Fills in a full mark of each kind.
    private var sizes = [1, 1, 1, 1]

    init(capacity: Int) {
        precondition(capacity >= 2)
        self.capacity = capacity
    }

    mutating func add(_ fill: Fill, at time: Timestamp) {
        let kind = (fill.side == .bid ? 0 : 1) + (fill.isTaker ? 2 : 0)
        let mark = Mark(
            time: time, notional: fill.price * fill.quantity, quantity: fill.quantity, fills: 1)
        if let last = kinds[kind].last, last.fills < sizes[kind] {
            kinds[kind][kinds[kind].count - 1] = FillMarks.merged(last, mark)
        } else {
            kinds[kind].append(mark)
            if kinds[kind].count > capacity { halve(kind) }
        }
    }

    private mutating func halve(_ kind: Int) {
        let marks = kinds[kind]
        kinds[kind] = stride(from: 0, to: marks.count, by: 2).map { index in
            guard index + 1 < marks.count else { return marks[index] }
            return FillMarks.merged(marks[index], marks[index + 1])
        }
        sizes[kind] *= 2
    }

    /// At the mean time of all its fills.
    private static func merged(_ a: Mark, _ b: Mark) -> Mark {
        var sum = a
        sum.fills += b.fills
        let distance = Int128(b.time.nanoseconds) - Int128(a.time.nanoseconds)
        sum.time.nanoseconds += Int64(distance * Int128(b.fills) / Int128(sum.fills))
        sum.notional += b.notional
        sum.quantity += b.quantity
        return sum
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
