import Martlet

/// The largest fall from a high so far: its amount, and when it began and bottomed.
package struct Drawdown: Hashable, Sendable, Codable {
    /// Zero or positive.
    package var amount: Money
    /// When the high was reached.
    package var from: Timestamp
    /// When the low was reached.
    package var to: Timestamp
}

/// Follows a line of money and keeps its largest fall. Exact; O(1) a value.
package struct DrawdownTracker: Sendable {
    private var high: (value: Money, time: Timestamp)?
    /// Nil until the line has fallen.
    package private(set) var greatest: Drawdown?
    /// How far the line is below its high now.
    package private(set) var current: Money = .zero

    package init() {}

    package mutating func add(_ value: Money, at time: Timestamp) {
        guard let top = high, value < top.value else {
            // A line that touches its high again starts a new fall there.
            high = (value, time)
            current = .zero
            return
        }
        current = top.value - value
        if current > greatest?.amount ?? .zero {
            greatest = Drawdown(amount: current, from: top.time, to: time)
        }
    }
}
