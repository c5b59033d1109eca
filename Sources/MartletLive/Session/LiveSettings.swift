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
    /// For this long the session's loop polls its sockets before it sleeps, for a core's price: an order follows its
    /// tick sooner on a processor that is awake.
    public var busyPolling: TimeSpan = .zero
    /// While the loop polls, the way of an order is practised when none has left for this long, so that the next finds
    /// it in the processor's caches. Zero: never.
    public var rehearsal: TimeSpan = .microseconds(500)
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
    public var groupLimit: Quantity = 10_000
    /// How long a stop waits for cancels to be answered.
    public var stopTimeout: TimeSpan = .seconds(10)
    /// When the journal is forced to the disk: `never`, `interval`, `everyOrder`. A killed process loses nothing
    /// under any of them; this is about power cuts.
    public var sync: SyncPolicy = .interval
    /// Bytes of one journal file.
    public var journalSegment: Int = 16 << 20
    /// A process of its own that cancels everything when this one dies or stops answering.
    public var guardProcess: Bool = true
    /// Without a heartbeat for this long the guard ends the session and cancels what rests.
    public var guardTimeout: TimeSpan = .seconds(1)
    /// The dashboard on 127.0.0.1, and with it the door of `martlet halt`.
    public var dashboard: Bool = true
    /// Its port; 0 for any free one.
    public var dashboardPort: Int = 0
    public var alerts: AlertSettings = AlertSettings()

    public init() {}

    /// Where alerts go, and which.
    public struct AlertSettings: Codable, Hashable, Sendable {
        /// An address that takes a JSON POST; empty for none.
        public var url: String = ""
        /// `json`, `slack` or `discord`.
        public var shape: AlertShape = .json
        /// At most so many within an hour; what is beyond is counted and told with the next.
        public var perHour: Int = 30
        /// A connection lost for longer than this is told.
        public var disconnected: TimeSpan = .seconds(30)
        /// A summary once a day, at this UTC hour, 0…23.
        public var dailySummary: Bool = true
        public var summaryHour: Int = 0
        public init() {}
    }
    public enum AlertShape: String, Codable, Hashable, Sendable, CaseIterable { case json, slack, discord }

    public enum StartPolicy: String, Codable, Hashable, Sendable, CaseIterable { case cancel, adopt }
    public enum StopPolicy: String, Codable, Hashable, Sendable, CaseIterable { case cancel, leave }
    public enum DifferencePolicy: String, Codable, Hashable, Sendable, CaseIterable {
        case adopt, reduceOnly, halt
    }
    public enum SyncPolicy: String, Codable, Hashable, Sendable, CaseIterable {
        case never, interval, everyOrder
    }
}
