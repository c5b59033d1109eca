import Martlet

/// How a paper or live session behaves. Encodes with all keys present, so that a configuration can be laid over
/// the encoded defaults.
public struct LiveSettings: Codable, Hashable, Sendable {
    /// Markets by ticker; together with `series` and `events`: what strategies get to see.
    public var markets: [String] = []
    /// All open markets of these series, and those that they open later.
    public var series: [String] = []
    /// All open markets of these events.
    public var events: [String] = []
    /// Settlement indices to be followed (`BRTI`, …), or `all`; none when empty.
    public var indices: [String] = []
    /// Where sessions keep their folders.
    public var folder: String = "Sessions"
    /// From an order's leaving to the moment at which its outcome counts as unknown.
    public var requestTimeout: TimeSpan = .seconds(5)
    /// Connections kept warm for orders; each carries one request at a time.
    public var connections: Int = 4
    /// What becomes of orders that rest from an earlier run: `cancel` or `adopt`.
    public var onStart: StartPolicy = .cancel
    /// What becomes of orders that rest at the end: `cancel` or `leave`.
    public var onStop: StopPolicy = .cancel
    /// What a difference between our account and the exchange's leads to, beside an alert: `adopt` the exchange's
    /// word, `reduceOnly`, or `halt`.
    public var onDifference: DifferencePolicy = .reduceOnly
    /// Between two comparisons of our account with the exchange's.
    public var auditInterval: TimeSpan = .seconds(30)
    /// After this long without a sign of life from the feed trading halts.
    public var silenceLimit: TimeSpan = .seconds(60)
    /// The exchange-side limit: so many contracts within 15 seconds cancel all orders of a shard. 0: no groups.
    public var groupLimit: Quantity = 0
    /// How long a stop waits for cancels to be answered.
    public var stopTimeout: TimeSpan = .seconds(10)
    /// When the journal is forced to the disk: `never`, `interval`, `everyOrder`. A killed process loses nothing
    /// under any of them; this is about power cuts.
    public var sync: SyncPolicy = .interval
    /// Bytes of one journal file.
    public var journalSegment: Int = 64 << 20
    /// Cash that a paper session starts with is `trading.startingCash`; this tells its latency both ways.
    public var paperLatency: TimeSpan = .milliseconds(50)

    public init() {}

    public enum StartPolicy: String, Codable, Hashable, Sendable, CaseIterable { case cancel, adopt }
    public enum StopPolicy: String, Codable, Hashable, Sendable, CaseIterable { case cancel, leave }
    public enum DifferencePolicy: String, Codable, Hashable, Sendable, CaseIterable {
        case adopt, reduceOnly, halt
    }
    public enum SyncPolicy: String, Codable, Hashable, Sendable, CaseIterable {
        case never, interval, everyOrder
    }
}
