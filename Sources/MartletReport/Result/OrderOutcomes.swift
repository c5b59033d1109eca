import Martlet

/// A name with how often it occurred.
package struct Count: Hashable, Sendable, Codable {
    package var name: String
    package var count: Int
}

/// What became of the orders that strategies asked for. Each order counts once, by its end.
package struct OrderOutcomes: Hashable, Sendable, Codable {
    /// All orders: the sum of refused, withdrawn, filled, partlyFilled, cancelled, rejected, unknown and open.
    package var asked = 0
    /// By the risk gate; they never left.
    package var refused = 0
    /// Replaced or cancelled while still queued; they never left.
    package var withdrawn = 0
    package var filled = 0
    /// Cancelled or ended after some fills.
    package var partlyFilled = 0
    /// Cancelled or ended without a fill.
    package var cancelled = 0
    package var rejected = 0
    /// Sent, and their fate not known at the end of the run.
    package var unknown = 0
    /// Queued, in flight or resting at the end of the run.
    package var open = 0
    /// Came to rest at some time, whatever their end.
    package var rested = 0
    /// Why orders left the book, partly filled ones included.
    package var cancelReasons: [Count] = []
    /// The exchange's codes.
    package var rejections: [Count] = []
    /// Contracts of all orders that were sent, and those of them that filled.
    package var contractsSent: Quantity = .zero
    package var contractsFilled: Quantity = .zero
    /// From coming to rest to the first fill.
    package var untilFill: SpanSummary?
    /// From coming to rest to the end, of orders that never filled.
    package var untilCancel: SpanSummary?

    package init() {}

    mutating func add(_ other: OrderOutcomes) {
        asked += other.asked
        refused += other.refused
        withdrawn += other.withdrawn
        filled += other.filled
        partlyFilled += other.partlyFilled
        cancelled += other.cancelled
        rejected += other.rejected
        unknown += other.unknown
        open += other.open
        rested += other.rested
        contractsSent += other.contractsSent
        contractsFilled += other.contractsFilled
    }

    /// Orders that left for the exchange.
    package var sent: Int { asked - refused - withdrawn }
    /// Contracts filled ÷ contracts sent.
    package var fillRatio: Double? {
        contractsSent.isPositive ? contractsFilled.contracts / contractsSent.contracts : nil
    }
}

/// Quantiles of lengths of time.
package struct SpanSummary: Hashable, Sendable, Codable {
    package var count: Int
    package var tenth: TimeSpan
    package var median: TimeSpan
    package var ninetieth: TimeSpan
    package var ninetyNinth: TimeSpan
    package var greatest: TimeSpan
    /// How many were shorter than each of ``edges``, from the one before on; the last has no upper edge.
    package var ranges: [Int]

    package static let edges: [TimeSpan] = [
        .milliseconds(100), .seconds(1), .seconds(5), .seconds(30), .minutes(2), .minutes(10), .hours(1),
    ]

    init?(_ histogram: SpanHistogram) {
        guard let tenth = histogram.quantile(0.1), let median = histogram.quantile(0.5),
            let ninetieth = histogram.quantile(0.9), let ninetyNinth = histogram.quantile(0.99)
        else { return nil }
        count = histogram.count
        self.tenth = tenth
        self.median = median
        self.ninetieth = ninetieth
        self.ninetyNinth = ninetyNinth
        greatest = histogram.greatest
        ranges = histogram.counts(between: SpanSummary.edges)
    }
}

/// One rule's refusals.
package struct RefusalLine: Hashable, Sendable, Codable {
    package var rule: RiskRule
    /// Orders refused, and changes of orders.
    package var orders: Int
    package var changes: Int
    /// The first one: value against limit.
    package var value: String
    package var limit: String
    package var first: Timestamp
    package var last: Timestamp
}
