import Martlet

/// How a session behaves. Times are spans of the receive clock.
public struct FeedSettings: Hashable, Sendable {
    /// What is asked of the exchange for NO levels; always said explicitly. True: they come with YES prices.
    public var usesYesPrice = true
    /// Markets named in one command.
    public var batchSize = 200
    /// Commands that may wait for their answers at once.
    public var commandsInFlightMax = 4
    /// Markets one connection carries; a group opens more connections beyond it.
    public var marketsPerConnection = 1_000
    /// An answer, or a snapshot, that has not come after this is asked for again.
    public var replyTimeout = TimeSpan.seconds(5)
    /// An exchange-time group that is still crossed ends this long after its last message.
    public var groupTimeout = TimeSpan.milliseconds(20)
    /// After this long without a message the exchange is asked whether it still listens. An answer is proof of
    /// life where quiet markets and pongs, which come from lower down, prove nothing.
    public var probeInterval = TimeSpan.seconds(15)
    /// Delay before a failed command is tried again: doubled each time, up to the maximum.
    public var retryDelay = TimeSpan.milliseconds(500)
    public var retryDelayMax = TimeSpan.seconds(60)
    /// So often a refused or lost command is tried before its markets are given up.
    public var attemptsMax = 5
    /// So many numbers seen before in a row, and the subscription counts as lost: its count started over.
    public var repeatsMax = 256

    public init() {}
}

/// What a session counted since it was made.
public struct FeedStatistics: Hashable, Sendable {
    public var messages = 0
    public var deltas = 0
    public var snapshots = 0
    public var trades = 0
    public var tickers = 0
    /// Deltas that came while their book waited for a snapshot, or for a subscription that had ended.
    public var droppedDeltas = 0
    public var gaps = 0
    /// Messages missing in those gaps.
    public var missing = 0
    public var duplicates = 0
    /// Messages that came after a later one.
    public var late = 0
    /// Messages that could not be read.
    public var malformed = 0
    /// Of markets that nobody had named.
    public var unknownMarkets = 0
    public var commands = 0
    /// Error messages of the exchange.
    public var errors = 0
    /// Answers that did not come in time.
    public var timeouts = 0
    public var resubscriptions = 0
    public var snapshotRequests = 0
    public var reconnects = 0
    /// Messages by their unknown type, at most ``unknownTypesMax`` types.
    public var unknownTypes: [String: Int] = [:]
    public static let unknownTypesMax = 64

    public init() {}

    mutating func countUnknown(_ type: String) {
        guard unknownTypes[type] != nil || unknownTypes.count < Self.unknownTypesMax else { return }
        unknownTypes[type, default: 0] += 1
    }
    /// For several connections together.
    public mutating func add(_ other: FeedStatistics) {
        messages += other.messages
        deltas += other.deltas
        snapshots += other.snapshots
        trades += other.trades
        tickers += other.tickers
        droppedDeltas += other.droppedDeltas
        gaps += other.gaps
        missing += other.missing
        duplicates += other.duplicates
        late += other.late
        malformed += other.malformed
        unknownMarkets += other.unknownMarkets
        commands += other.commands
        errors += other.errors
        timeouts += other.timeouts
        resubscriptions += other.resubscriptions
        snapshotRequests += other.snapshotRequests
        reconnects += other.reconnects
        for (type, count) in other.unknownTypes.sorted(by: { $0.key < $1.key }) {
            unknownTypes[type, default: 0] += count
        }
    }
}
