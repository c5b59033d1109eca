/// Checks that no message of a subscription is missing.
///
/// `seq` counts per `sid` over all its markets, control replies (`ok`, `unsubscribed`, `error`) included, and starts
/// at 1. Channels without `seq` are not tracked. One tracker a connection: a new connection starts over.
public struct SequenceTracker: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case inOrder
        /// These messages did not arrive: every book of the subscription is suspect.
        case gap(missing: ClosedRange<Int64>)
        /// Seen before: drop it.
        case duplicate
        /// The message has no sequence number.
        case untracked
    }

    private struct Entry: Hashable, Sendable {
        var sid: Int64
        var last: Int64
    }
    /// A few a connection: searched from end to end.
    private var entries: [Entry] = []
    /// Where the last message's entry stands.
    private var hint = 0

    public init() {}

    /// Takes a message's number.
    public mutating func check(_ frame: WireFrame) -> Verdict {
        check(sid: frame.sid ?? -1, sequence: frame.seq ?? -1)
    }

    /// Takes the next number of a subscription; negative ones are none. After a gap the number counts as seen, and
    /// the first number of a subscription must be 1 (or 0) to be in order.
    @inline(__always)
    public mutating func check(sid: Int64, sequence: Int64) -> Verdict {
        if hint < entries.count, entries[hint].sid == sid, entries[hint].last &+ 1 == sequence {
            entries[hint].last = sequence
            return .inOrder
        }
        return checkSlowly(sid: sid, sequence: sequence)
    }

    @inline(never)
    private mutating func checkSlowly(sid: Int64, sequence: Int64) -> Verdict {
        guard sid >= 0, sequence >= 0 else { return .untracked }
        guard let index = entries.firstIndex(where: { $0.sid == sid }) else {
            hint = entries.count
            entries.append(Entry(sid: sid, last: sequence))
            return sequence <= 1 ? .inOrder : .gap(missing: 1...sequence - 1)
        }
        hint = index
        let last = entries[index].last
        if sequence <= last { return .duplicate }
        entries[index].last = sequence
        return sequence == last + 1 ? .inOrder : .gap(missing: last + 1...sequence - 1)
    }

    /// The last number seen of a subscription.
    public func last(sid: Int64) -> Int64? { entries.first { $0.sid == sid }?.last }
    /// The subscription has ended: its numbers may start over.
    public mutating func forget(sid: Int64) {
        entries.removeAll { $0.sid == sid }
        hint = 0
    }
}
