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
}
