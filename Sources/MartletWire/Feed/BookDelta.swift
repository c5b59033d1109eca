import Martlet

/// An `orderbook_delta`, flat and without references: the message of which there are millions.
public struct BookDelta: Hashable, Sendable {
    /// The ticker's integer in the decoder's ``TickerTable``.
    public var market = Market.ID(index: 0)
    /// In YES terms: a `no` level is an ask.
    public var side = Side.bid
    /// An order of this account caused it.
    public var isOwn = false
    /// In YES terms, strictly between 0 and 1.
    public var price = Price(micros: Int32(0))
    /// Signed change of the level.
    public var change = Quantity(hundredths: 0)
    /// `.unknown` where the message gave none.
    public var exchangeTime = Timestamp(nanoseconds: .min)
    /// When the exchange queued the frame; `.unknown` where it did not tell.
    public var sendingTime = Timestamp(nanoseconds: .min)
    /// -1 where absent.
    public var sid: Int64 = -1
    /// -1 where absent.
    public var sequence: Int64 = -1
    /// Where in the frame the bytes of `client_order_id` stand; empty where there is none.
    public var clientOrderIDStart: Int32 = 0
    public var clientOrderIDEnd: Int32 = 0

    public init() {}

    public func event(receiveTime: Timestamp) -> MarketEvent {
        MarketEvent(
            .delta, market: market, side: side, price: price, quantity: change, flags: isOwn ? .own : [],
            exchangeTime: exchangeTime, receiveTime: receiveTime)
    }
}

extension WireFrame {
    init(_ delta: BookDelta) {
        self.init(kind: .delta)
        sid = delta.sid < 0 ? nil : delta.sid
        seq = delta.sequence < 0 ? nil : delta.sequence
        sendingTime = delta.sendingTime
        market = Int(delta.market.index)
        side = delta.side
        price = delta.price
        quantity = delta.change
        exchangeTime = delta.exchangeTime
        isOwn = delta.isOwn
    }
}
