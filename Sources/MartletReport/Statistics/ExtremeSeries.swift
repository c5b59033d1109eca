import Martlet

/// A line over time in bounded memory that never loses an extreme.
///
/// Time is cut into buckets of equal width; each keeps its first, lowest, highest and last value with their
/// times. When more buckets are in use than allowed, the width doubles and neighbours merge. So the lowest and
/// highest value of the whole line, and of every bucket, are always among its points. Values are `Double`,
/// for drawing alone. Amortised O(1) a value.
package struct ExtremeSeries: Sendable {
    package struct Point: Hashable, Sendable {
        package var time: Timestamp
        /// Nil: nothing to draw from here on (a side of a book is empty).
        package var value: Double?
        package init(_ time: Timestamp, _ value: Double?) {
            self.time = time
            self.value = value
        }
    }

    private struct Bucket {
        var index: Int64
        var first: Point
        /// Nil while the bucket holds gaps alone.
        var low: Point?
        var high: Point?
        var last: Point

        init(index: Int64, _ point: Point) {
            self.index = index
            first = point
            last = point
            low = point.value == nil ? nil : point
            high = low
        }
        mutating func absorb(_ point: Point) {
            last = point
            guard let value = point.value else { return }
            if value < low?.value ?? .infinity { low = point }
            if value > high?.value ?? -.infinity { high = point }
        }
    }

    private let capacity: Int
    private var width: Int64 = 1_000_000
    private var origin: Timestamp = .unknown
    private var buckets: [Bucket] = []

    /// `capacity` buckets at most, four points each.
    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    package var isEmpty: Bool { buckets.isEmpty }
    package var last: Point? { buckets.last?.last }

    /// Adds a value. A time before the last one counts as the last one. NaN and infinities count as nil.
    package mutating func add(_ time: Timestamp, _ value: Double?) {
        let value = value.flatMap { $0.isFinite ? $0 : nil }
        let end = buckets.count - 1
        guard end >= 0 else {
            origin = time
            buckets.append(Bucket(index: 0, Point(time, value)))
            return
        }
        let point = Point(max(time, buckets[end].last.time), value)
        let index = (point.time.nanoseconds - origin.nanoseconds) / width
        if index == buckets[end].index {
            buckets[end].absorb(point)
        } else {
            buckets.append(Bucket(index: index, point))
            while buckets.count > capacity { widen() }
        }
    }

    private mutating func widen() {
        width *= 2
        var merged: [Bucket] = []
        merged.reserveCapacity(capacity + 1)
        for var bucket in buckets {
            bucket.index /= 2
            if let before = merged.last, before.index == bucket.index {
                merged[merged.count - 1] = ExtremeSeries.merged(before, bucket)
            } else {
                merged.append(bucket)
            }
        }
        buckets = merged
    }

    private static func merged(_ a: Bucket, _ b: Bucket) -> Bucket {
        var sum = a
        if let low = b.low, low.value ?? 0 < a.low?.value ?? .infinity { sum.low = low }
        if let high = b.high, high.value ?? 0 > a.high?.value ?? -.infinity { sum.high = high }
        sum.last = b.last
        return sum
    }

    /// What was kept, in the order of time, without repetitions.
    package var points: [Point] {
        var points: [Point] = []
        for bucket in buckets {
            var kept = [bucket.first]
            if let low = bucket.low, let high = bucket.high {
                kept += low.time <= high.time ? [low, high] : [high, low]
            }
            kept.append(bucket.last)
            for point in kept where point != points.last { points.append(point) }
        }
        return points
    }
}
