import Martlet

/// Lengths of time in logarithmic buckets: quantiles of any number of them in 16 KB.
///
/// 32 buckets to each power of two, so a quantile is exact to 1/32 (about 3 %) of itself; count, least and
/// greatest are exact. After Gil Tene's HdrHistogram.
package struct SpanHistogram: Sendable {
    private static let subBits = 5
    private static let subCount = 1 << subBits

    private var counts: [UInt32] = []
    package private(set) var count = 0
    package private(set) var least: TimeSpan = .zero
    package private(set) var greatest: TimeSpan = .zero

    package init() {}

    /// Negative spans count as zero.
    package mutating func add(_ span: TimeSpan) {
        let span = max(span, .zero)
        let bucket = SpanHistogram.bucket(span.nanoseconds)
        if counts.isEmpty { counts = Array(repeating: 0, count: SpanHistogram.bucket(.max) + 1) }
        counts[bucket] &+= 1
        least = count == 0 ? span : min(least, span)
        greatest = count == 0 ? span : max(greatest, span)
        count += 1
    }

    package mutating func add(_ other: SpanHistogram) {
        guard other.count > 0 else { return }
        if counts.isEmpty { counts = Array(repeating: 0, count: other.counts.count) }
        for index in counts.indices { counts[index] &+= other.counts[index] }
        least = count == 0 ? other.least : min(least, other.least)
        greatest = count == 0 ? other.greatest : max(greatest, other.greatest)
        count += other.count
    }

    private static func bucket(_ value: Int64) -> Int {
        let value = UInt64(value)
        guard value >= UInt64(subCount) else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        let sub = Int(value >> UInt64(exponent - subBits)) & (subCount - 1)
        return (exponent - subBits + 1) << subBits | sub
    }
    /// The greatest value that falls into a bucket.
    private static func upperEdge(_ bucket: Int) -> Int64 {
        guard bucket >= subCount else { return Int64(bucket) }
        let exponent = UInt64(bucket >> subBits - 1)
        let sub = UInt64(bucket & (subCount - 1) | subCount)
        return Int64((sub + 1) << exponent - 1)
    }

    /// The nearest-rank quantile (the least value with at least `share` of all at or below it), or nil when
    /// there are none. `share` in 0...1.
    package func quantile(_ share: Double) -> TimeSpan? {
        guard count > 0 else { return nil }
        let rank = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for (bucket, number) in counts.enumerated() where number > 0 {
            seen += Int(number)
            if seen >= rank {
                let edge = TimeSpan(nanoseconds: SpanHistogram.upperEdge(bucket))
                return min(max(edge, least), greatest)
            }
        }
        return greatest
    }

    /// How many lie in each of the ranges that `edges` (ascending) cut: one more than there are edges.
    package func counts(between edges: [TimeSpan]) -> [Int] {
        var result = Array(repeating: 0, count: edges.count + 1)
        for (bucket, number) in counts.enumerated() where number > 0 {
            let value = SpanHistogram.upperEdge(bucket)
            result[edges.firstIndex { value < $0.nanoseconds } ?? edges.count] += Int(number)
        }
        return result
    }
}
