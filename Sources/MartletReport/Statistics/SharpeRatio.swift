import Martlet

/// Mean over standard deviation of the changes of profit from sample to sample.
///
/// Like Sharpe's ratio ("The Sharpe Ratio", 1994) but on dollars won, not on returns, and without a risk-free
/// rate. Short runs, few samples and settlements that come in lumps make it a poor guide: it is shown with its
/// number of samples and its interval, and scaled to a day by the square root of time as if changes were
/// independent, which they are not.
package struct SharpeRatio: Hashable, Sendable, Codable {
    /// Mean ÷ standard deviation of one sample's change.
    package var perSample: Double
    /// `perSample` × √(samples a day).
    package var perDay: Double
    package var samples: Int
    /// Mean time between samples.
    package var interval: TimeSpan
}

/// Welford's running mean and variance ("Note on a method for calculating corrected sums of squares", 1962) of
/// the changes between samples.
package struct ChangeStatistics: Sendable {
    private var first: Timestamp?
    private var last: (time: Timestamp, value: Money)?
    private var count = 0
    private var mean = 0.0
    private var squares = 0.0

    package init() {}

    /// A sample at the time of the one before replaces nothing and counts as a change of no length.
    package mutating func add(_ value: Money, at time: Timestamp) {
        if let last {
            count += 1
            let change = (value - last.value).dollars
            let distance = change - mean
            mean += distance / Double(count)
            squares += distance * (change - mean)
        } else {
            first = time
        }
        last = (time, value)
    }

    /// Nil with fewer than ten changes, in less than an hour, or when all were the same.
    package var sharpe: SharpeRatio? {
        guard count >= 10, let first, let last, last.time - first >= .hours(1),
            squares > 0
        else { return nil }
        let deviation = (squares / Double(count - 1)).squareRoot()
        guard deviation > 0 else { return nil }
        let interval = TimeSpan(nanoseconds: (last.time - first).nanoseconds / Int64(count))
        let ratio = mean / deviation
        return SharpeRatio(
            perSample: ratio, perDay: ratio * (86_400 / max(interval.seconds, 1e-9)).squareRoot(),
            samples: count, interval: interval)
    }
}
