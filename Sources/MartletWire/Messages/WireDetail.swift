import Martlet

/// What the less frequent messages say.
package enum WireDetail: Hashable, Sendable {
    /// The message is complete without.
    case none
    case ticker(Ticker)
    case fill(FillMessage)
    case userOrder(UserOrderMessage)
    case marketPosition(PositionMessage)
    case marketLifecycle(MarketLifecycleMessage)
    case eventLifecycle(EventLifecycleMessage)
    case eventFee(EventFeeMessage)
    case orderGroup(OrderGroupMessage)
    case reference(ReferenceValue)
    case subscribed(channel: String, sid: Int64)
    case ok(OKMessage)
    case error(ErrorMessage)
    /// The unknown type's name.
    case unknown(type: String)
}

/// A trade of one's own (`fill`). Told apart by `tradeID`.
package struct FillMessage: Hashable, Sendable {
    package var tradeID: String
    package var orderID: String
    package var clientOrderID: String?
    package var ticker: String
    package var shard: Int?
    package var isTaker: Bool
    /// The order's side in YES terms, from `book_side` or `outcome_side`.
    package var side: Side
    /// YES price.
    package var price: Price
    package var quantity: Quantity
    /// Net fee; nil where not told.
    package var fee: Money?
    /// The signed YES position after it.
    package var positionAfter: Quantity?
    package var exchangeTime: Timestamp
    package var subaccount: Int?
}

/// A change of an order of one's own (`user_order`).
package struct UserOrderMessage: Hashable, Sendable {
    package var orderID: String
    package var clientOrderID: String?
    package var ticker: String
    package var shard: Int?
    package var status: WireOrderStatus
    package var side: Side
    /// YES price.
    package var price: Price
    package var initial: Quantity?
    package var filled: Quantity
    package var remaining: Quantity
    package var takerFees: Money?
    package var makerFees: Money?
    package var createdTime: Timestamp
    package var updatedTime: Timestamp
    package var expirationTime: Timestamp
    /// `last_update_reason` as it stands: an open list.
    package var reason: String?
    package var orderGroup: String?
    package var subaccount: Int?
}

/// An order's `status`: an open list.
package enum WireOrderStatus: Hashable, Sendable {
    case resting, canceled, executed
    case unknown(String)

    package init(wire: String) {
        switch wire {
        case "resting": self = .resting
        case "canceled": self = .canceled
        case "executed": self = .executed
        default: self = .unknown(wire)
        }
    }
}

/// `market_position`.
package struct PositionMessage: Hashable, Sendable {
    package var ticker: String
    /// Signed, YES positive.
    package var position: Quantity
    package var cost: Money?
    package var realized: Money?
    package var fees: Money?
    package var volume: Quantity?
    package var subaccount: Int?
}

/// `market_lifecycle_v2` and `multivariate_market_lifecycle`.
package struct MarketLifecycleMessage: Hashable, Sendable {
    package enum Event: Hashable, Sendable {
        case created, activated, deactivated, closeDateUpdated, determined, settled
        case priceGridUpdated, metadataUpdated
        case unknown(String)

        package init(wire: String) {
            switch wire {
            case "created": self = .created
            case "activated": self = .activated
            case "deactivated": self = .deactivated
            case "close_date_updated": self = .closeDateUpdated
            case "determined": self = .determined
            case "settled": self = .settled
            case "price_level_structure_updated": self = .priceGridUpdated
            case "metadata_updated": self = .metadataUpdated
            default: self = .unknown(wire)
            }
        }
    }
    package var ticker: String
    package var event: Event
    package var shard: Int?
    package var openTime: Timestamp = .unknown
    package var closeTime: Timestamp = .unknown
    package var determinationTime: Timestamp = .unknown
    package var settledTime: Timestamp = .unknown
    /// `result` as it stands (`yes`, `no`, `scalar`, …).
    package var result: String?
    package var settlementValue: Price?
    package var isDeactivated: Bool?
    package var priceLevelStructure: String?
    /// From `price_ranges`; nil where not told.
    package var grid: PriceGrid?
    /// `additional_metadata`.
    package var eventTicker: String?
    package var title: String?
    package var yesSubtitle: String?
    package var noSubtitle: String?

    /// What `result` and `settlement_value` together say; nil when they do not say enough.
    package var marketResult: MarketResult? { MarketResult(wire: result, settlementValue: settlementValue) }
}

extension MarketResult {
    /// From a `result` word and, for scalar markets, the value of a YES contract. Nil for an empty or unknown word
    /// and for a scalar result without its value: neither is to be guessed from the other.
    package init?(wire result: String?, settlementValue: Price?) {
        switch result {
        case "yes": self = .yes
        case "no": self = .no
        case "scalar":
            guard let settlementValue else { return nil }
            self = .scalar(settlementValue)
        default: return nil
        }
    }
}

/// `event_lifecycle`.
package struct EventLifecycleMessage: Hashable, Sendable {
    package var eventTicker: String
    package var seriesTicker: String?
    package var title: String?
    package var subtitle: String?
    package var shard: Int?
    package var collateralReturn: CollateralReturn?
}

/// `event_fee_update`: both nil when the event's override ends and its series' terms count again.
package struct EventFeeMessage: Hashable, Sendable {
    package var eventTicker: String
    package var type: FeeType?
    package var multiplierMillionths: Int64?
}

/// `order_group_updates`.
package struct OrderGroupMessage: Hashable, Sendable {
    package var group: String
    /// `created`, `triggered`, `reset`, `deleted`, `limit_updated`, or a new word.
    package var event: String
    package var limit: Quantity?
    package var exchangeTime: Timestamp
}

/// `ok`: the answer to `update_subscription` or a merged `subscribe`, or to `list_subscriptions`.
package struct OKMessage: Hashable, Sendable {
    package struct Subscription: Hashable, Sendable {
        package var channel: String
        package var sid: Int64
    }
    /// All tickers of the subscription after the change; nil where left out.
    package var tickers: [String]?
    package var marketIDs: [String]?
    /// The list form; nil in the other.
    package var subscriptions: [Subscription]?
}

/// `error` (API.md §14.5).
package struct ErrorMessage: Hashable, Sendable {
    package var code: Int
    package var message: String
    package var tickers: [String]

    /// The subscription is dead and has to be made anew: channel error and buffer overflow.
    package var endsSubscription: Bool { code == 10 || code == 25 }
}
