import Martlet
import MartletWire

/// An order as `GET /portfolio/orders` has it.
public struct RestOrder: Hashable, Sendable {
    public var orderID: String
    public var clientOrderID: String
    public var ticker: String
    public var shard: Int
    public var status: WireOrderStatus
    /// In YES terms.
    public var side: Side
    /// YES price.
    public var price: Price
    public var initial: Quantity
    public var filled: Quantity
    /// Zero for a cancelled order, even one that was partly filled.
    public var remaining: Quantity
    public var takerFees: Money
    public var makerFees: Money
    public var created: Timestamp
    public var updated: Timestamp
    public var expires: Timestamp
    /// `last_update_reason`, where told: an open list.
    public var reason: String?
    public var orderGroup: String?
    /// `taker_at_cross`, `maker`: an open list.
    public var selfTradePrevention: String?
    public var cancelsOnPause: Bool
    public var subaccount: Int?

    init(_ fields: FieldReader) throws(WireError) {
        orderID = try fields.name("order_id")
        clientOrderID = try fields.string("client_order_id") ?? ""
        ticker = try fields.name("ticker")
        shard = try fields.int("exchange_index") ?? 0
        status = WireOrderStatus(wire: try fields.name("status"))
        side = try fields.side()
        price = try fields.yesPrice()
        initial = try fields.needQuantity("initial_count_fp")
        filled = try fields.needQuantity("fill_count_fp")
        remaining = try fields.needQuantity("remaining_count_fp")
        takerFees = try fields.money("taker_fees_dollars") ?? .zero
        makerFees = try fields.money("maker_fees_dollars") ?? .zero
        created = try fields.optionalTime("created_time")
        updated = try fields.optionalTime("last_update_time")
        expires = try fields.optionalTime("expiration_time")
        reason = try fields.string("last_update_reason")
        orderGroup = try fields.string("order_group_id").flatMap { $0.isEmpty ? nil : $0 }
        selfTradePrevention = try fields.string("self_trade_prevention_type")
        cancelsOnPause = try fields.bool("cancel_order_on_pause") ?? false
        subaccount = try fields.int("subaccount_number")
    }
}

/// The answer to a create, amend, decrease or cancel: what is there of it depends on the request. An answer
/// without an order id is none (FIELD-NOTES 19).
public struct OrderAnswer: Hashable, Sendable {
    public var orderID: String
    public var clientOrderID: String?
    /// Filled by this request.
    public var filled: Quantity?
    public var remaining: Quantity?
    /// Taken off by a cancel; zero where it had filled.
    public var reducedBy: Quantity?
    public var averagePrice: Price?
    /// A contract.
    public var averageFee: Money?
    /// The matching engine's time.
    public var exchangeTime: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        orderID = try fields.name("order_id")
        clientOrderID = try fields.string("client_order_id")
        filled = try fields.quantity("fill_count")
        remaining = try fields.quantity("remaining_count")
        reducedBy = try fields.quantity("reduced_by")
        averagePrice = try fields.contractPrice("average_fill_price")
        averageFee = try fields.money("average_fee_paid")
        exchangeTime = try fields.milliseconds("ts_ms") ?? .unknown
    }
}

/// One order's part in the answer to a batch.
public struct BatchAnswer: Hashable, Sendable {
    public var orderID: String?
    public var clientOrderID: String?
    /// Partial success is normal: each order has its own answer or error.
    public var outcome: Outcome

    public enum Outcome: Hashable, Sendable {
        case taken(OrderAnswer)
        case refused(ExchangeError)
        /// Neither an order nor an error.
        case unreadable(String)
    }

    init(_ fields: FieldReader) throws(WireError) {
        orderID = try fields.string("order_id")
        clientOrderID = try fields.string("client_order_id")
        if fields.member("error") != nil {
            // Its status is not told, but follows from its code: a refusal is definite, an absence is none.
            var error = ExchangeError(status: 400, value: fields.value)
            switch error?.code {
            case .exchangeUnavailable: error?.status = 503
            case .notFound: error?.status = 404
            case .tooManyRequests: error?.status = 429
            default: break
            }
            outcome = error.map { .refused($0) } ?? .unreadable(JSONWriter.text(fields.value))
        } else {
            do throws(WireError) {
                outcome = .taken(try OrderAnswer(fields))
            } catch {
                outcome = .unreadable("\(error)")
            }
        }
    }
}

/// `GET /portfolio/orders/queue_positions`.
public struct QueuePosition: Hashable, Sendable {
    public var orderID: String
    public var ticker: String
    /// Contracts ahead; zero is the first.
    public var ahead: Quantity

    init(_ fields: FieldReader) throws(WireError) {
        orderID = try fields.name("order_id")
        ticker = try fields.string("market_ticker") ?? ""
        ahead = try fields.needQuantity("queue_position_fp")
    }
}

/// A group of orders that are cancelled together when more than a limit of contracts trades within 15 seconds.
public struct OrderGroup: Hashable, Sendable {
    public var id: String
    public var limit: Quantity?
    public var isAutoCancelEnabled: Bool
    public var shard: Int
    /// Order ids; told for a single group only.
    public var orders: [String]

    init(_ fields: FieldReader, id: String? = nil) throws(WireError) {
        let told = try fields.string(fields.either("id", "order_group_id"))
        self.id = try fields.required(id ?? told, "id")
        limit = try fields.quantity("contracts_limit_fp")
        isAutoCancelEnabled = try fields.bool("is_auto_cancel_enabled") ?? true
        shard = try fields.int("exchange_index") ?? 0
        orders = try fields.strings("orders") ?? []
    }
}
