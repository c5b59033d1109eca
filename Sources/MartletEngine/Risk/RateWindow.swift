import Martlet

/// Counts events within any one second, exactly: an event passes when the one `limit` before it is at least a
/// second old. O(1); memory is the limit.
struct RateWindow {
    /// A limit above this is no limit: the exchange's highest tier admits 960 orders a second.
    static let highestLimit = 65_536
    static let span = TimeSpan.seconds(1)

    private var times: [Timestamp]
    private var next = 0

    init(limit: Int) {
        times = limit > RateWindow.highestLimit ? [] : Array(repeating: .distantPast, count: max(limit, 0))
        isUnlimited = limit > RateWindow.highestLimit
    }
    private(set) var isUnlimited: Bool
    var limit: Int { times.count }

    /// Keeps the newest events and counts against a lower limit from now on; a higher one changes nothing.
    mutating func tighten(to limit: Int) {
        guard limit <= RateWindow.highestLimit, isUnlimited || limit < times.count else { return }
        let newest = (0..<times.count).map { times[(next + $0) % times.count] }.suffix(max(limit, 0))
        let missing = max(limit, 0) - newest.count
        times = Array(repeating: .distantPast, count: missing) + newest
        next = 0
        isUnlimited = false
    }

    func admits(at now: Timestamp) -> Bool {
        if isUnlimited { return true }
        guard !times.isEmpty else { return false }
        let oldest = times[next]
        return oldest == .distantPast || now >= oldest + RateWindow.span
    }
    mutating func count(at now: Timestamp) {
        guard !times.isEmpty else { return }
        times[next] = now
        next = next + 1 == times.count ? 0 : next + 1
    }
}
