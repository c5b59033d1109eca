import Martlet

/// A decoded WebSocket frame. Hot messages are flat; of the others ``general`` holds the whole value.
public struct WireFrame: Sendable {
    public enum Kind: Hashable, Sendable {
        case delta, snapshot, trade, ticker
        case subscribed, unsubscribed, ok, error
        case fill, userOrder, marketPosition, marketLifecycle, multivariateLifecycle, eventLifecycle,
            eventFeeUpdate
        case orderGroup, reference
        /// A type this version does not know: counted and kept.
        case unknown(String)
    }

    public var kind: Kind
    /// Echo of a command's id.
    public var id: Int64?
    /// The subscription.
    public var sid: Int64?
    /// Counts each message of a subscription, across its markets; control replies too.
    public var seq: Int64?
    /// When the exchange queued the frame (`sending_ts_ms`).
    public var sendingTime = Timestamp.unknown
    /// The market's integer in the decoder's ``TickerTable``; -1 where the message names no market.
    public var market = -1
    /// Delta: the level's side. Trade: the taker's.
    public var side = Side.bid
    /// YES terms. Delta and trade only.
    public var price = Price.zero
    /// Delta: signed change. Trade: contracts.
    public var quantity = Quantity.zero
    /// `.unknown` where the message gave none.
    public var exchangeTime = Timestamp.unknown
    /// An order of this account caused the delta.
    public var isOwn = false
    public var isBlock = false
    /// A trade's id.
    public var tradeID: String?
    /// Filled for `.ticker`.
    public var summary: Ticker?
    /// The value of every frame that is no delta, snapshot, trade or ticker.
    public var general: JSONValue?

    init(kind: Kind) { self.kind = kind }
}
