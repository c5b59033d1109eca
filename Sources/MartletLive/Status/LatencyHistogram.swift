/// Counts spans of nanoseconds in buckets of about 6 % width, so that percentiles cost no memory that grows.
public struct LatencyHistogram: Hashable, Sendable {
    /// Sixteen buckets an octave, from 1 ns to beyond an hour.
    private static let perOctave = 16
    private static let octaves = 44
    private var counts = [UInt32](repeating: 0, count: octaves * perOctave)
    public private(set) var count = 0
    public private(set) var maximum: Int64 = 0

    public init() {}

    public mutating func record(_ nanoseconds: Int64) {
        let value = max(nanoseconds, 1)
        counts[LatencyHistogram.bucket(value)] &+= 1
        count += 1
        maximum = max(maximum, value)
    }

    private static func bucket(_ value: Int64) -> Int {
        let octave = 63 - value.leadingZeroBitCount
        let part = octave >= 4 ? Int(value >> Int64(octave - 4)) & 15 : Int(value << Int64(4 - octave)) & 15
        return min(octave * perOctave + part, octaves * perOctave - 1)
    }
    /// The upper edge of a bucket.
    private static func value(_ bucket: Int) -> Int64 {
        let (octave, part) = (bucket / perOctave, bucket % perOctave)
        return Int64((1 + Double(part + 1) / 16) * Double(1 << octave))
    }

    /// The span that so many of all do not exceed, `share` in 0…1; nil without any.
    public func percentile(_ share: Double) -> Int64? {
        guard count > 0 else { return nil }
        let wanted = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for (index, number) in counts.enumerated() {
            seen += Int(number)
            if seen >= wanted { return min(LatencyHistogram.value(index), maximum) }
        }
        return maximum
    }
}
