import Martlet

/// What an import took, left out and assumed.
public struct ImportReport: Sendable {
    public var files: [String] = []
    public var formats: [RecordingFormat] = []
    /// Lines (or elements of a document) that were read; empty ones are not counted.
    public var lines = 0
    public var deltas = 0
    public var snapshots = 0
    /// Snapshots without a level: the book was cleared.
    public var emptySnapshots = 0
    public var trades = 0
    public var inferredTrades = 0
    public var tickers = 0
    public var references = 0
    public var statuses = 0
    public var results = 0
    /// Markets, events and series that were defined by lines of their own.
    public var definitions = 0
    /// Control messages (`subscribed`, `ok`, `unsubscribed`, `error`) and recorder events.
    public var controls = 0
    /// Messages about an account (`fill`, `user_order`, …), which a tape does not hold.
    public var privateMessages = 0
    public var connections = 0
    /// Holes in the sequence numbers, and the messages that are missing in them.
    public var gaps = 0
    public var missingMessages = 0
    public var duplicates = 0
    /// Messages that came late and were put back into their order.
    public var reordered = 0
    /// Lines whose receive time lay before one already seen; they were given that one.
    public var timesBackwards = 0
    /// Receive times that lie before the exchange's own: the clocks differ.
    public var receivedBeforeExchange = 0
    /// Median of receive time minus exchange time: the recorder's clock and the way, together. Nil without either,
    /// and for several recordings.
    public var medianDelay: TimeSpan?
    var hasDelay = false
    public var deltasWithoutSnapshot = 0
    /// Changes that a book could not take: below zero contracts.
    public var bookFaults = 0
    /// Prices off the declared grid.
    public var offGridPrices = 0
    /// Groups that ended, and how many of them with a crossed book or by time-out.
    public var groups = 0
    public var crossedGroups = 0
    public var timedOutGroups = 0
    /// A market's result that came again: the same, or another one.
    public var repeatedResults = 0
    public var conflictingResults = 0
    public var unknownMessages = 0
    /// Whole files left out of an import of several, and why.
    public var filesLeftOut: [(path: String, reason: String)] = []
    /// Lines left out, by reason, in the order in which the reasons came up.
    public var skipped: [(reason: String, count: Int)] = []
    /// The recording has no time of its own; all of it stands at one moment.
    public var isTimeAssumed = false
    /// What the recording did not say and was taken to be so.
    public var assumptions: [String] = []
    /// Markets in the order of their index.
    public var markets: [MarketSummary] = []
    public var first: Timestamp = .unknown
    public var last: Timestamp = .unknown
    public var records = 0
    public init() {}

    public struct MarketSummary: Hashable, Sendable {
        public var ticker: String
        public var events = 0
        public var result: MarketResult?
        public var inferredVolume: Quantity = .zero
        /// Contracts by which the tickers' volume rose while recorded; nil without two tickers.
        public var tickerVolume: Quantity?
        /// Inferred contracts beyond what the tickers around them allow.
        public var contradictedVolume: Quantity = .zero
        /// When its book was first and last heard of.
        public var bookSpan: ClosedRange<Timestamp>?
    }

    /// Something of use is on the tape.
    public var isUsable: Bool {
        deltas + snapshots + trades + tickers + references + statuses + results + definitions > 0
    }
    /// Some market's price grid was not recorded.
    public internal(set) var isGridAssumed = false
    public var skippedLines: Int { skipped.reduce(0) { $0 + $1.count } }
    public var inferredVolume: Quantity { markets.reduce(.zero) { $0 + $1.inferredVolume } }
    public var contradictedVolume: Quantity { markets.reduce(.zero) { $0 + $1.contradictedVolume } }
    public var tickerVolume: Quantity { markets.reduce(.zero) { $0 + ($1.tickerVolume ?? .zero) } }

    mutating func skip(_ reason: String) {
        if let index = skipped.firstIndex(where: { $0.reason == reason }) {
            skipped[index].count += 1
        } else if skipped.count < ImportReport.reasonsMax {
            skipped.append((reason, 1))
        } else {
            skipped[skipped.count - 1].count += 1
        }
    }
    /// Beyond these, reasons are counted with the last one.
    static let reasonsMax = 100

    mutating func assume(_ text: String) {
        if !assumptions.contains(text) { assumptions.append(text) }
    }
}
