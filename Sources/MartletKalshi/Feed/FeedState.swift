import Martlet
import MartletWire

// What a session remembers: of each market, each channel, each subscription, each command.

extension FeedSession {
    enum BookState: UInt8, Sendable {
        /// Not subscribed on this connection.
        case none
        /// A snapshot is awaited; deltas are dropped, for it will hold them.
        case awaiting
        /// Whole: deltas pass.
        case live
    }

    struct Row: Sendable {
        /// The engine's integer, -1 while nobody has named the ticker.
        var market: Int32 = -1
        var book = BookState.none
        var isGroupOpen = false
        var isTouched = false
        /// Its group waits for its time-out.
        var isCrossed = false
        /// It stands in `snapshotQueue`.
        var isQueued = false
        /// The ticker was told as unknown.
        var isTold = false
        /// Snapshots asked for in vain.
        var attempts: UInt8 = 0
        /// Channels: wanted by us, had by this connection, in a command under way.
        var wants: UInt16 = 0
        var has: UInt16 = 0
        var asked: UInt16 = 0
        /// Of the book's snapshot.
        var sid: Int64 = -1
        var groupTime: Timestamp = .unknown
        var lastReceive: Timestamp = .unknown
    }

    struct ChannelState: Sendable {
        let channel: FeedChannel
        var wantsAll = false
        var indices: [String] = []
        /// Markets wanted.
        var wanted = 0
        /// The subscription that commands go to.
        var sid: Int64?
        /// A `subscribe` is under way: a second would merge into the first.
        var isSubscribing = false
        /// An `unsubscribe` is under way: a `subscribe` before its answer would merge into what is to end.
        var isClosing = false
        /// Rows to be added and removed.
        var fresh: [Int] = []
        var leaving: [Int] = []
        /// Commands to be tried again.
        var batches: [Batch] = []
        /// Takes no more markets (error 26).
        var isFull = false
        /// Refused for good, on this connection.
        var isRefused = false
        /// Nothing is asked before.
        var retryAt: Timestamp = .distantPast
        var failures = 0
        /// Told as subscribed on this connection.
        var isAnnounced = false
        /// Receive time of the last message, over all connections.
        var lastReceived: Timestamp = .unknown
        /// It was subscribed on an earlier connection.
        var hadLife = false

        init(_ channel: FeedChannel) { self.channel = channel }

        mutating func restart() {
            sid = nil
            isSubscribing = false
            isClosing = false
            fresh.removeAll()
            leaving.removeAll()
            batches.removeAll()
            isFull = false
            isRefused = false
            retryAt = .distantPast
            isAnnounced = false
        }
    }

    struct Batch: Sendable {
        var rows: [Int]
        var attempts: Int
        var notBefore: Timestamp
    }

    struct Subscription: Sendable {
        var sid: Int64
        var channel: FeedChannel
    }

    struct Hole: Sendable {
        var sid: Int64
        var missing: ClosedRange<Int64>
    }

    struct SnapshotWant: Sendable {
        var row: Int
        var notBefore: Timestamp
    }

    /// A command whose answer is awaited.
    struct Pending: Sendable {
        enum Kind: Hashable, Sendable {
            case subscribe, add, remove, unsubscribe, snapshot, probe
            /// Answered; the snapshots that belong to it are awaited.
            case awaiting
        }
        var id: Int64
        var kind: Kind
        var channel: FeedChannel
        var rows: [Int]
        var sid: Int64 = -1
        var attempts = 0
        var deadline: Timestamp
    }
}

extension [FeedSession.ChannelState] {
    subscript(channel: FeedChannel) -> FeedSession.ChannelState {
        get { self[Int(channel.rawValue)] }
        _modify { yield &self[Int(channel.rawValue)] }
    }
}
