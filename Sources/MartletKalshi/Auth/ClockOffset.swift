import Martlet

/// Estimates the exchange's clock less ours from what its answers say of its time.
///
/// An answer that names a time T to a resolution q, to a request sent at s and answered at r (our clock), proves
/// that the offset lies in [T − r, T + q − s]: the exchange said it after s and before r. The proofs intersect,
/// and soon leave a narrow interval even from `Date` headers with their whole seconds. What was proven widens
/// slowly again, for clocks drift. Where the intersection is empty a clock was set, and the last proof counts.
public struct ClockOffset: Hashable, Sendable {
    /// The drift allowed for: 100 parts in a million, what a poor crystal does.
    static let driftPerMillion: Int64 = 100

    private var low: Int64 = .min
    private var high: Int64 = .max
    private var updated: Timestamp = .unknown
    /// Proofs taken in.
    public private(set) var samples = 0
    /// How often a proof contradicted all before it.
    public private(set) var steps = 0

    public init() {}

    /// Takes an answer that names the exchange's time.
    /// - Parameters:
    ///   - named: the time, the beginning of an interval of length `resolution` in which it was said.
    ///   - sent: our time before the request left; nil for a message that answers nothing (the feed's).
    ///   - received: our time when the answer was here.
    public mutating func observe(
        named: Timestamp, resolution: TimeSpan, sent: Timestamp?, received: Timestamp
    ) {
        guard named.isKnown, received.isKnown else { return }
        widen(to: received)
        let least = named.nanoseconds - received.nanoseconds
        let most = sent.map { named.nanoseconds + resolution.nanoseconds - $0.nanoseconds } ?? .max
        guard least <= most else { return }
        samples += 1
        if max(low, least) <= min(high, most) {
            low = max(low, least)
            high = min(high, most)
        } else {
            steps += 1
            low = least
            high = most
        }
    }

    private mutating func widen(to now: Timestamp) {
        defer { if !updated.isKnown || now > updated { updated = now } }
        guard updated.isKnown, now > updated, low != .min || high != .max else { return }
        let drift = (now - updated).nanoseconds / 1_000_000 * Self.driftPerMillion
        if low != .min { low -= drift }
        if high != .max { high += drift }
    }

    /// The middle of what is proven; nil before both bounds are.
    public var estimate: TimeSpan? {
        guard low != .min, high != .max else { return nil }
        return TimeSpan(nanoseconds: low + (high - low) / 2)
    }
    /// Half the width of what is proven.
    public var uncertainty: TimeSpan? {
        guard low != .min, high != .max else { return nil }
        return TimeSpan(nanoseconds: (high - low + 1) / 2)
    }
    /// What signatures are corrected by: as little as the proofs allow, for our clock counts as right until it is
    /// proven wrong.
    public var correction: TimeSpan {
        if low != .min, low > 0 { return TimeSpan(nanoseconds: low) }
        if high != .max, high < 0 { return TimeSpan(nanoseconds: high) }
        return .zero
    }
}

extension ClockOffset: CustomStringConvertible {
    public var description: String {
        guard let estimate, let uncertainty else { return "unknown" }
        return FixedPoint.format(estimate.nanoseconds / 1_000_000, decimals: 3, minimum: 3) + " s ± "
            + FixedPoint.format(uncertainty.nanoseconds / 1_000_000, decimals: 3, minimum: 3) + " s"
    }
}

/// Reads `Date: Sun, 06 Nov 1994 08:49:37 GMT`, the one form that HTTP servers may send.
package enum HTTPDate {
    static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    package static func parse(_ text: String) -> Timestamp? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let month = months.firstIndex(of: String(parts[2])), parts[1].utf8.count == 2,
            parts[3].utf8.count == 4
        else { return nil }
        let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        return Timestamp(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
