import MartletWire

/// What is kept of one connection of a recording: the sequence of each of its subscriptions.
struct FrameConnection {
    /// A message that came before its turn.
    struct Held {
        var frame: WireFrame
        var levels: [MessageDecoder.Level]
        var line: RecordedLine
        var sequence: Int64
    }
    struct Subscription {
        var sid: Int64
        /// The last sequence number handed on.
        var last: Int64
        /// Markets whose books come with it, by index.
        var markets: [Int] = []
        /// Ascending by sequence number.
        var early: [Held] = []
        /// `unsubscribed` has come. It stays where it is: whoever walks over subscriptions handles messages meanwhile.
        var isOver = false

        init(sid: Int64, last: Int64) {
            self.sid = sid
            self.last = last
        }

        func holds(_ sequence: Int64) -> Bool { early.contains { $0.sequence == sequence } }
        mutating func hold(_ held: Held) {
            let place = early.firstIndex { $0.sequence > held.sequence } ?? early.endIndex
            early.insert(held, at: place)
        }
        /// The held message that follows the last one.
        mutating func takeNext() -> Held? {
            guard let first = early.first, first.sequence == last &+ 1 else { return nil }
            last = first.sequence
            return early.removeFirst()
        }
        mutating func takeFirst() -> Held? { early.isEmpty ? nil : early.removeFirst() }
    }

    /// Numbers from 0: the last number handed on and the next one make a difference that cannot overflow.
    static let sequences: Range<Int64> = 0..<Int64.max

    var number: Int
    var subscriptions: [Subscription] = []
    /// Subscriptions for which `subscribed` has come: answers may follow their first messages.
    var announced: [Int64] = []
    /// Markets whose books come over it, by index.
    var markets: [Int] = []

    init(number: Int) { self.number = number }

    /// A few a connection.
    func subscription(_ sid: Int64) -> Int? { subscriptions.firstIndex { $0.sid == sid } }

    /// Notes that a market's book comes with a subscription.
    mutating func carries(_ market: Int, sid: Int64?) {
        if markets.last != market, !markets.contains(market) { markets.append(market) }
        guard let sid, let index = subscription(sid), subscriptions[index].markets.last != market,
            !subscriptions[index].markets.contains(market)
        else { return }
        subscriptions[index].markets.append(market)
    }
}
