import Martlet

/// A trade of one's own (`fill`). Told apart by `tradeID`.
public struct FillMessage: Hashable, Sendable {
    public var tradeID: String
    public var orderID: String
    public var clientOrderID: String?
    public var ticker: String
    public var shard: Int?
    public var isTaker: Bool
    /// The order's side in YES terms, from `book_side` or `outcome_side`.
    public var side: Side
    /// YES price.
    public var price: Price
    public var quantity: Quantity
    /// Net fee; nil where not told.
    public var fee: Money?
    /// The signed YES position after it.
    public var positionAfter: Quantity?
    public var exchangeTime: Timestamp
    public var subaccount: Int?

    /// A fill that was told elsewhere, over REST for instance.
    public init(
        tradeID: String, orderID: String, ticker: String, side: Side, price: Price, quantity: Quantity,
        isTaker: Bool, fee: Money?, exchangeTime: Timestamp
    ) {
        self.tradeID = tradeID
        self.orderID = orderID
        self.ticker = ticker
        self.side = side
        self.price = price
        self.quantity = quantity
        self.isTaker = isTaker
        self.fee = fee
        self.exchangeTime = exchangeTime
    }
}

/// A change of an order of one's own (`user_order`).
public struct UserOrderMessage: Hashable, Sendable {
    public var orderID: String
    public var clientOrderID: String?
    public var ticker: String
    public var shard: Int?
    public var status: WireOrderStatus
    public var side: Side
    /// YES price.
    public var price: Price
    public var initial: Quantity?
    public var filled: Quantity
    public var remaining: Quantity
    public var takerFees: Money?
    public var makerFees: Money?
    public var createdTime: Timestamp
    public var updatedTime: Timestamp
    public var expirationTime: Timestamp
    /// `last_update_reason` as it stands: an open list.
    public var reason: String?
    public var orderGroup: String?
    public var subaccount: Int?

    /// An order as it was told elsewhere, over REST for instance.
    public init(
        orderID: String, ticker: String, status: WireOrderStatus, side: Side, price: Price, filled: Quantity,
        remaining: Quantity, createdTime: Timestamp, updatedTime: Timestamp
    ) {
        self.orderID = orderID
        self.ticker = ticker
        self.status = status
        self.side = side
        self.price = price
        self.filled = filled
        self.remaining = remaining
        self.createdTime = createdTime
        self.updatedTime = updatedTime
        expirationTime = .unknown
    }
}

/// An order's `status`: an open list.
public enum WireOrderStatus: Hashable, Sendable {
    case resting, canceled, executed
    case unknown(String)

    public init(wire: String) {
        switch wire {
        case "resting": self = .resting
        case "canceled": self = .canceled
        case "executed": self = .executed
        default: self = .unknown(wire)
        }
    }
}

/// `market_position`.
public struct PositionMessage: Hashable, Sendable {
    public var ticker: String
    /// Signed, YES positive.
    public var position: Quantity
    public var cost: Money?
    public var realized: Money?
    public var fees: Money?
    public var volume: Quantity?
    public var subaccount: Int?

    /// A position as it was told elsewhere, over REST for instance.
    public init(ticker: String, position: Quantity) {
        self.ticker = ticker
        self.position = position
    }
}
