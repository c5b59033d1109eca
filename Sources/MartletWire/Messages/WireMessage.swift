import Martlet

/// One message of the exchange's WebSocket, flat and without references: the header of all, and all of the hot ones.
///
/// A delta or a trade is complete in here. A snapshot's levels are in the decoder's ``MessageDecoder/levels``,
/// everything else is in its ``MessageDecoder/detail``; both hold until the next message.
package struct WireMessage: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case delta, snapshot, trade, ticker
        case fill, userOrder, marketPosition
        case marketLifecycle, eventLifecycle, eventFee, orderGroup, reference
        case subscribed, unsubscribed, ok, error
        /// A type this version does not know or does not read (RFQs): counted, never fatal.
        case unknown
    }

    package var kind: Kind
    /// In YES terms: a `no` level is an ask; a trade's is the taker's.
    package var side: Side = .bid
    /// The delta came from an order of this account.
    package var isOwn = false
    package var isBlock = false
    /// The ticker was not known before this message and was given its ID now: define the market.
    package var isNewMarket = false
    /// ``noMarket`` where the message names none, or one that is not known and not to be interned.
    package var market = WireMessage.noMarket
    /// In YES terms.
    package var price: Price = .zero
    /// A delta's signed change, a trade's size.
    package var quantity: Quantity = .zero
    /// When it happened; `.unknown` where not told.
    package var exchangeTime: Timestamp = .unknown
    /// When the exchange queued the frame (`sending_ts_ms`); `.unknown` where not told.
    package var sendingTime: Timestamp = .unknown
    package var rawSID: Int64 = -1
    package var rawSequence: Int64 = -1
    package var rawID: Int64 = -1
    /// Where in the frame a delta's `client_order_id` or a trade's `trade_id` stands: the raw bytes between the
    /// quotes (no id of ours needs an escape). Empty where there is none.
    package var textStart: Int32 = 0
    package var textEnd: Int32 = 0

    package static let noMarket = Market.ID(index: .max)

    init(_ kind: Kind) { self.kind = kind }

    /// Subscription.
    package var sid: Int64? { rawSID < 0 ? nil : rawSID }
    /// Position in the subscription's sequence, which runs over all its markets and control replies.
    package var sequence: Int64? { rawSequence < 0 ? nil : rawSequence }
    /// Echo of the command that this answers; 0 and absent are nil.
    package var id: Int64? { rawID <= 0 ? nil : rawID }
    package var textRange: Range<Int> { Int(textStart)..<Int(textEnd) }

    /// The delta or trade as the engine takes it; nil for other kinds and without a known market.
    package func event(receiveTime: Timestamp) -> MarketEvent? {
        guard market != WireMessage.noMarket else { return nil }
        switch kind {
        case .delta:
            return MarketEvent(
                .delta, market: market, side: side, price: price, quantity: quantity,
                flags: isOwn ? .own : [], exchangeTime: exchangeTime, receiveTime: receiveTime)
        case .trade:
            return MarketEvent(
                .trade, market: market, side: side, price: price, quantity: quantity,
                flags: isBlock ? .block : [], exchangeTime: exchangeTime, receiveTime: receiveTime)
        default: return nil
        }
    }
}

/// A snapshot's row in YES terms.
package struct WireLevel: Hashable, Sendable {
    package var side: Side
    package var price: Price
    package var size: Quantity
    package init(side: Side, price: Price, size: Quantity) {
        self.side = side
        self.price = price
        self.size = size
    }
}

/// How a subscription's NO-side prices are written: the caller knows what it asked for (`use_yes_price`), a tape
/// what it recorded. The exchange has announced that its default will flip, so there is none here.
package enum PriceConvention: Hashable, Sendable {
    /// `use_yes_price: false`: a NO level's price is the NO price.
    case ownSide
    /// `use_yes_price: true`: every price is the YES price.
    case yes

    /// The one place where the wire's prices are turned into YES terms.
    @inline(__always)
    package func yesPrice(_ price: Price, _ side: Side) -> Price {
        side == .ask && self == .ownSide ? price.complement : price
    }
}
