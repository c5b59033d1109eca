import Martlet

/// One write budget of the exchange, kept locally. Exact: in nano-tokens, so that a refill of one token a second
/// is one nano-token a nanosecond. The clock is handed in; time running backwards refills nothing.
package struct TokenBucket: Sendable {
    static let nano: Int64 = 1_000_000_000
    /// Steps of the shrinking after a 429.
    static let fullScale: Int64 = 8
    static let smallestScale: Int64 = 2

    /// Tokens a second and at most, as the exchange allows them.
    package private(set) var limits: RateLimits.Bucket
    private var level: Int64
    private var updated: Timestamp
    /// Eighths of the exchange's figures that are used: less after a 429.
    private var scale = TokenBucket.fullScale
    private var scaleTime: Timestamp = .distantPast
    /// Nothing is sent before this time.
    private(set) var blockedUntil: Timestamp = .distantPast
    private var consecutiveLimits: Int64 = 0
    /// Tokens spent in all.
    package private(set) var spent: Int64 = 0

    /// By how much requests may differ in the time that they take to the exchange.
    private let margin: TimeSpan

    /// Starts full.
    package init(_ limits: RateLimits.Bucket, margin: TimeSpan = .zero, now: Timestamp) {
        self.limits = limits
        self.margin = margin
        level = 0
        updated = now
        level = capacityNano
    }

    /// Smaller than the exchange's by what refills within the margin. What left within a span can arrive within one
    /// shorter by the margin, with so much less refilled: so nothing that we may send can be refused.
    private var capacityNano: Int64 {
        let whole = Int64(limits.capacity) * TokenBucket.nano
        let (lost, overflows) = Int64(limits.refill).multipliedReportingOverflow(by: margin.nanoseconds)
        return max(whole - (overflows ? whole : lost), whole / 2) / Self.fullScale * scale
    }
    private var refillPerNano: Int64 { max(1, Int64(limits.refill) * scale / Self.fullScale) }

    /// Whole tokens at hand.
    package var available: Int64 { level / TokenBucket.nano }
    package var capacity: Int64 { capacityNano / TokenBucket.nano }

    package mutating func refill(to now: Timestamp) {
        guard now > updated else { return }
        if updated == .distantPast {
            updated = now
            return
        }
        let (gain, overflowed) = (now.nanoseconds - updated.nanoseconds)
            .multipliedReportingOverflow(by: refillPerNano)
        updated = now
        let (sum, carried) = level.addingReportingOverflow(gain)
        level = overflowed || carried ? capacityNano : min(sum, capacityNano)
    }

    /// What must be at hand so that `cost` can be spent and `reserve` tokens stay. Never more than the bucket
    /// holds, so that nothing waits for ever: a request dearer than the bucket leaves when it is full.
    private func needed(_ cost: Int, leaving reserve: Int64) -> Int64 {
        min((Int64(cost) + reserve) * TokenBucket.nano, capacityNano)
    }
    package func affords(_ cost: Int, leaving reserve: Int64, now: Timestamp) -> Bool {
        now >= blockedUntil && level >= needed(cost, leaving: reserve)
    }
    package mutating func spend(_ cost: Int) {
        level -= Int64(cost) * TokenBucket.nano
        spent += Int64(cost)
    }
    /// When ``affords(_:leaving:now:)`` will be true if nothing else is spent.
    package func time(for cost: Int, leaving reserve: Int64) -> Timestamp {
        let missing = needed(cost, leaving: reserve) - level
        guard missing > 0 else { return max(updated, blockedUntil) }
        let wait = (missing + refillPerNano - 1) / refillPerNano
        return max(updated + TimeSpan(nanoseconds: wait), blockedUntil)
    }

    /// New figures from the exchange. What has been spent stays spent.
    package mutating func set(_ limits: RateLimits.Bucket, now: Timestamp) {
        refill(to: now)
        let used = capacityNano - level
        self.limits = limits
        level = min(max(capacityNano - used, min(level, 0)), capacityNano)
    }

    /// The exchange said 429: the bucket is empty, smaller from now on, and rests for a while.
    package mutating func wasRefused(_ settings: RouterSettings, chance: UInt64, now: Timestamp) {
        refill(to: now)
        level = min(level, 0)
        // The others that were on their way when the first was refused say nothing new.
        guard now >= blockedUntil else { return }
        scale = max(Self.smallestScale, scale - 1)
        scaleTime = now
        let doublings = min(consecutiveLimits, 20)
        consecutiveLimits += 1
        let base = min(settings.backOff.nanoseconds << doublings, settings.maxBackOff.nanoseconds)
        let jitter = base > 1 ? Int64(chance % UInt64(base / 2 + 1)) : 0
        blockedUntil = max(blockedUntil, now + TimeSpan(nanoseconds: base + jitter))
    }
    /// Smaller than the exchange's figures, after a 429.
    var isShrunk: Bool { scale < Self.fullScale }
    /// Undoes the shrinking step by step; called when something is about to be sent.
    package mutating func recover(_ settings: RouterSettings, now: Timestamp) {
        guard scale < Self.fullScale, now >= scaleTime + settings.recovery else { return }
        scale += 1
        scaleTime = now
        consecutiveLimits = 0
    }
}
