/// A moment as nanoseconds since 1970 UTC.
///
/// The engine never reads a clock: every timestamp comes with an input. Exchange time and receive time are
/// kept apart, and receive time may lie before exchange time, since the clocks differ.
@frozen
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    @inlinable public init(seconds: Int64) { nanoseconds = seconds * 1_000_000_000 }
    @inlinable public init(milliseconds: Int64) { nanoseconds = milliseconds * 1_000_000 }

    /// No time was given.
    @inlinable public static var unknown: Timestamp { Timestamp(nanoseconds: .min) }
    @inlinable public static var distantPast: Timestamp { Timestamp(nanoseconds: .min + 1) }
    @inlinable public static var distantFuture: Timestamp { Timestamp(nanoseconds: .max) }

    @inlinable public var isKnown: Bool { nanoseconds != .min }
    @inlinable public var milliseconds: Int64 { nanoseconds.flooredQuotient(1_000_000) }
    @inlinable public var seconds: Int64 { nanoseconds.flooredQuotient(1_000_000_000) }

    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: Timestamp, b: TimeSpan) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    @inlinable public static func - (a: Timestamp, b: TimeSpan) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    @inlinable public static func - (a: Timestamp, b: Timestamp) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
}

/// A length of time in nanoseconds.
@frozen
public struct TimeSpan: Hashable, Comparable, Sendable, AdditiveArithmetic {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    @inlinable public static func nanoseconds(_ n: Int64) -> TimeSpan { TimeSpan(nanoseconds: n) }
    @inlinable public static func microseconds(_ n: Int64) -> TimeSpan { TimeSpan(nanoseconds: n * 1_000) }
    @inlinable public static func milliseconds(_ n: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: n * 1_000_000)
    }
    @inlinable public static func seconds(_ n: Int64) -> TimeSpan { TimeSpan(nanoseconds: n * 1_000_000_000) }
    @inlinable public static func minutes(_ n: Int64) -> TimeSpan { .seconds(n * 60) }
    @inlinable public static func hours(_ n: Int64) -> TimeSpan { .seconds(n * 3600) }

    @inlinable public static var zero: TimeSpan { TimeSpan(nanoseconds: 0) }

    @inlinable public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
    @inlinable public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    @inlinable public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    @inlinable public static func * (a: TimeSpan, n: Int64) -> TimeSpan {
        TimeSpan(nanoseconds: a.nanoseconds * n)
    }
    /// Seconds, for statistics.
    @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }
    @inlinable public var milliseconds: Double { Double(nanoseconds) / 1e6 }
}

extension Int64 {
    @inlinable
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
