import Martlet
import MartletEngine
import MartletWire

/// One connection's worth of the exchange's feed, as a state machine: messages and time in, engine events and
/// commands out. It knows no socket and no clock, and outlives the connections it is used on: what is wanted
/// stays, what a connection had is forgotten when it closes.
///
///     var session = FeedSession()
///     session.register("KXHIGHNY-26NOV23-B54.5", as: Market.ID(0))
///     session.subscribe(.book, Market.ID(0))
///     session.opened(at: now)
///     for text in session.takeCommands(at: now) { socket.send(text: text) }
///     session.receive(bytes, at: now)
///     session.drained(at: now) { books[$0].isCrossed }
///     session.exchange(&batch)
///     batch.forEach(event: engine.handle, output: act)
///
/// What it promises: between a snapshot and the next `unusable`, a market's events are the exchange's, each once
/// and in order. A number missing from a subscription makes all its books unusable at once, and a snapshot is
/// asked for each; only a snapshot that came after the hole makes a book usable again. Unknown messages, fields
/// and errors are counted and told, and stop nothing.
public struct FeedSession {
    public let settings: FeedSettings
    public internal(set) var statistics = FeedStatistics()
    /// A connection stands.
    public internal(set) var isOpen = false

    var decoder: MessageDecoder
    var tracker = SequenceTracker()
    /// By the decoder's index of the ticker.
    var rows: [Row] = []
    /// The row of each of the engine's markets, -1 for none.
    private var rowOfMarket: [Int32] = []
    /// By channel.
    var channels = FeedChannel.allCases.map { ChannelState($0) }
    /// Live subscriptions of this connection, a handful.
    var subscriptions: [Subscription] = []
    /// Subscriptions of this connection that have ended: what still comes of them is dropped.
    var retired: [Int64] = []
    /// Numbers that have not come on subscriptions without books: they may come late.
    var holes: [Hole] = []
    var pending: [Pending] = []
    /// Books that wait to be asked for.
    var snapshotQueue: [SnapshotWant] = []
    var outbox: [String] = []
    var batch = FeedBatch()
    /// Rows with a group that had events since the socket was last drained.
    var openGroups: [Int] = []
    /// Rows whose group outlived that for being crossed.
    var crossedGroups: [Int] = []
    var lastID: Int64 = 0
    var lastMessage: Timestamp = .unknown
    var probeSent: Timestamp = .unknown
    var hasStalled = false
    /// Numbers seen before, in a row.
    var repeats = 0

    static let holesMax = 64
    static let retiredMax = 1024

    public init(_ settings: FeedSettings = FeedSettings()) {
        self.settings = settings
        decoder = MessageDecoder(usesYesPrice: settings.usesYesPrice)
    }

    // MARK: - What is wanted

    /// Names a market by the engine's integer, before it is subscribed to. Doing it again changes nothing.
    public mutating func register(_ ticker: String, as market: Market.ID) {
        let index = decoder.tickers.intern(ticker)
        extend(to: index)
        rows[index].market = Int32(market.index)
        while rowOfMarket.count <= Int(market.index) { rowOfMarket.append(-1) }
        rowOfMarket[Int(market.index)] = Int32(index)
    }

    /// Wants one market of a channel that takes markets. The market must have been registered.
    public mutating func subscribe(_ channel: FeedChannel, _ market: Market.ID) {
        precondition(channel.scope == .markets || channel.scope == .marketsOrAll)
        guard let row = row(market) else { preconditionFailure("\(market) was never registered") }
        guard rows[row].wants & channel.mask == 0 else { return }
        rows[row].wants |= channel.mask
        rows[row].attempts = 0
        channels[channel].wanted += 1
        channels[channel].fresh.append(row)
    }
    /// Wants all there is of a channel.
    public mutating func subscribe(_ channel: FeedChannel, indices: [String] = ["all"]) {
        precondition(channel.scope != .markets)
        channels[channel].wantsAll = true
        channels[channel].indices = indices
    }
    /// Wants a market no longer. Its book is not told as unusable: who asked for this knows.
    public mutating func unsubscribe(_ channel: FeedChannel, _ market: Market.ID) {
        guard let row = row(market), rows[row].wants & channel.mask != 0 else { return }
        rows[row].wants &= ~channel.mask
        channels[channel].wanted -= 1
        if channel == .book {
            rows[row].book = .none
            rows[row].isGroupOpen = false
        }
        if (rows[row].has | rows[row].asked) & channel.mask != 0 { channels[channel].leaving.append(row) }
    }
    /// The book of this market is not to be trusted, whatever the sequence says: it is asked for anew.
    public mutating func refresh(_ market: Market.ID, at time: Timestamp) {
        guard let row = row(market), rows[row].book == .live else { return }
        distrust(row, .gap)
        wantSnapshot(row, notBefore: time)
    }

    /// Whether the market's book is whole as far as the sequence tells.
    public func isLive(_ market: Market.ID) -> Bool { row(market).map { rows[$0].book == .live } ?? false }
    /// Markets wanted of a channel.
    public func wantedCount(_ channel: FeedChannel) -> Int { channels[channel].wanted }
    public var liveBooks: Int { rows.reduce(0) { $0 + ($1.book == .live ? 1 : 0) } }

    // MARK: - The connection

    /// A connection stands; everything wanted is subscribed anew.
    public mutating func opened(at time: Timestamp) {
        precondition(!isOpen)
        isOpen = true
        hasStalled = false
        lastMessage = time
        probeSent = .unknown
        lastID = 0
        for channel in FeedChannel.allCases { channels[channel].restart() }
        for row in rows.indices where rows[row].wants != 0 {
            for channel in FeedChannel.allCases where rows[row].wants & channel.mask != 0 {
                channels[channel].fresh.append(row)
            }
        }
    }

    /// The connection is gone: no book may be used, and all that was asked is forgotten.
    public mutating func closed(at time: Timestamp) {
        guard isOpen else { return }
        isOpen = false
        statistics.reconnects += 1
        for row in rows.indices {
            if rows[row].book == .live { distrust(row, .gap) }
            rows[row].book = .none
            rows[row].has = 0
            rows[row].asked = 0
            rows[row].sid = -1
            rows[row].attempts = 0
            rows[row].isQueued = false
            rows[row].isGroupOpen = false
            rows[row].isTouched = false
            rows[row].isCrossed = false
        }
        tracker = SequenceTracker()
        subscriptions.removeAll()
        retired.removeAll()
        holes.removeAll()
        pending.removeAll()
        snapshotQueue.removeAll()
        outbox.removeAll()
        openGroups.removeAll(keepingCapacity: true)
        crossedGroups.removeAll(keepingCapacity: true)
        repeats = 0
    }

    // MARK: - Outputs

    /// Gives the outputs since the last call for an empty batch, whose storage is used on.
    public mutating func exchange(_ other: inout FeedBatch) {
        other.clear()
        swap(&batch, &other)
    }
    public var hasOutputs: Bool { !batch.isEmpty }

    func row(_ market: Market.ID) -> Int? {
        guard Int(market.index) < rowOfMarket.count else { return nil }
        let row = Int(rowOfMarket[Int(market.index)])
        return row < 0 ? nil : row
    }
    mutating func extend(to index: Int) {
        while rows.count <= index { rows.append(Row()) }
    }
    mutating func tell(_ output: FeedOutput) {
        batch.cold.append(.init(position: batch.hot.count, output: output))
    }
    mutating func remark(_ text: String) { tell(.remark(text)) }
    func marketID(_ row: Int) -> Market.ID? {
        rows[row].market < 0 ? nil : Market.ID(Int(rows[row].market))
    }
}
