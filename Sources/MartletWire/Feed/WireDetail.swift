import Martlet

/// What a frame says that is no delta, snapshot, trade or ticker: see ``WireFrame/detail()``.
public enum WireDetail: Hashable, Sendable {
    case fill(FillMessage)
    case userOrder(UserOrderMessage)
    case marketPosition(PositionMessage)
    case marketLifecycle(MarketLifecycleMessage)
    case eventLifecycle(EventLifecycleMessage)
    case eventFee(EventFeeMessage)
    case orderGroup(OrderGroupMessage)
    case reference(ReferenceValue)
    case subscribed(channel: String, sid: Int64)
    case unsubscribed
    case ok(OKMessage)
    case error(ErrorMessage)
    /// A type this version does not know or does not read.
    case unknown(type: String)
    /// The frame is complete without: a delta, snapshot, trade or ticker.
    case none
}

/// `order_group_updates`.
public struct OrderGroupMessage: Hashable, Sendable {
    public var group: String
    /// `created`, `triggered`, `reset`, `deleted`, `limit_updated`, or a new word.
    public var event: String
    public var limit: Quantity?
    public var exchangeTime: Timestamp

    public init(group: String, event: String, limit: Quantity?, exchangeTime: Timestamp) {
        self.group = group
        self.event = event
        self.limit = limit
        self.exchangeTime = exchangeTime
    }
}

/// `ok`: the answer to `update_subscription` or a merged `subscribe`, or to `list_subscriptions`.
public struct OKMessage: Hashable, Sendable {
    public struct Subscription: Hashable, Sendable {
        public var channel: String
        public var sid: Int64
    }
    /// All tickers of the subscription after the change; nil where left out.
    public var tickers: [String]?
    public var marketIDs: [String]?
    /// The list form; nil in the other.
    public var subscriptions: [Subscription]?
}

/// `error` (API.md §14.5).
public struct ErrorMessage: Hashable, Sendable {
    public var code: Int
    public var message: String
    public var tickers: [String]

    /// The subscription is dead and has to be made anew: channel error and buffer overflow.
    public var endsSubscription: Bool { code == 10 || code == 25 }
}
