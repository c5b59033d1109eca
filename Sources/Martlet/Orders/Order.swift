/// An order's name for the life of one run: a counter, which with the run's nonce makes the client order id.
@frozen
public struct OrderID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64
    @inlinable public init(_ number: UInt64) { self.number = number }
    @inlinable public static func < (a: OrderID, b: OrderID) -> Bool { a.number < b.number }
    public var description: String { "order \(number)" }
}

public enum TimeInForce: Hashable, Sendable {
    /// Rests until filled or cancelled.
    case goodTillCancelled
    /// Rests until a time; the exchange takes whole seconds, rounded down.
    case goodTill(Timestamp)
    case immediateOrCancel
    case fillOrKill

    /// Whether an order of this kind can come to rest.
    public var rests: Bool {
        switch self {
        case .goodTillCancelled, .goodTill: true
        case .immediateOrCancel, .fillOrKill: false
        }
    }
}

/// What happens when an order would trade with one of the same user (API.md §6.2).
public enum SelfTradePrevention: Hashable, Sendable {
    /// The incoming order is cancelled.
    case takerAtCross
    /// The resting order is cancelled and matching goes on.
    case maker
}

/// What a strategy asks for. Quantities are whole orders, prices in YES terms.
public struct OrderRequest: Hashable, Sendable {
    public var market: Market.ID
    public var side: Side
    public var price: Price
    public var quantity: Quantity
    public var timeInForce: TimeInForce
    /// Cancelled by the exchange rather than taking liquidity.
    public var isPostOnly: Bool
    /// Capped to what closes the present position; the exchange takes it with immediate-or-cancel only.
    public var isReduceOnly: Bool
    public var selfTradePrevention: SelfTradePrevention
    /// Cancelled when the exchange pauses.
    public var cancelsOnPause: Bool

    public init(
        _ side: Side, _ quantity: Quantity, at price: Price, in market: Market.ID,
        timeInForce: TimeInForce = .goodTillCancelled, isPostOnly: Bool = false, isReduceOnly: Bool = false,
        selfTradePrevention: SelfTradePrevention = .takerAtCross, cancelsOnPause: Bool = false
    ) {
        self.market = market
        self.side = side
        self.price = price
        self.quantity = quantity
        self.timeInForce = timeInForce
        self.isPostOnly = isPostOnly
        self.isReduceOnly = isReduceOnly
        self.selfTradePrevention = selfTradePrevention
        self.cancelsOnPause = cancelsOnPause
    }
}

/// Where an order is in its life. What is rare and carries text stands behind a reference, so that an order is
/// copied as plain words.
public enum OrderStatus: Hashable, Sendable {
    /// Approved by the risk gate, waiting in the router for budget.
    case queued
    /// Sent; no answer yet.
    case inFlight
    case resting
    case filled
    case cancelled(CancelReason)
    /// The exchange said no.
    indirect case rejected(VenueRejection)
    /// The risk gate said no: it never left.
    indirect case refused(Refusal)
    /// Replaced or cancelled while still queued: it never left.
    case withdrawn
    /// Sent, and the answer was lost: it may rest, have filled, or not exist. Counts in risk at full size.
    case unknown

    /// No further change can come but late fills being reported.
    public var isFinal: Bool {
        switch self {
        case .queued, .inFlight, .resting, .unknown: false
        case .filled, .cancelled, .rejected, .refused, .withdrawn: true
        }
    }
}

/// Why an order left the book unfilled (`last_update_reason`, API.md §6.10).
public enum CancelReason: Hashable, Sendable {
    /// `Decrease`: cancelled or decreased to nothing by its owner.
    case requested
    /// The unfilled rest of an immediate-or-cancel order.
    case immediateRemainder
    case expiry
    case marketClosed
    /// The market was paused, or reactivated after a pause.
    case halt
    case selfTrade
    case postOnlyCross
    case reduceOnly
    case margin
    case orderGroup
    case settlementBounds
    indirect case unknown(String)

    public init(wire: String) {
        switch wire {
        case "Decrease": self = .requested
        case "ExpiryCancel": self = .expiry
        case "CloseCancel": self = .marketClosed
        case "HaltCancel": self = .halt
        case "SelfTradeCancel": self = .selfTrade
        case "PostOnlyCrossCancel": self = .postOnlyCross
        case "ReduceOnlyCancel": self = .reduceOnly
        case "MarginCancel": self = .margin
        case "SettlementBoundsCancel": self = .settlementBounds
        default: self = .unknown(wire)
        }
    }
    public var wire: String {
        switch self {
        case .requested, .immediateRemainder, .orderGroup: "Decrease"
        case .expiry: "ExpiryCancel"
        case .marketClosed: "CloseCancel"
        case .halt: "HaltCancel"
        case .selfTrade: "SelfTradeCancel"
        case .postOnlyCross: "PostOnlyCrossCancel"
        case .reduceOnly: "ReduceOnlyCancel"
        case .margin: "MarginCancel"
        case .settlementBounds: "SettlementBoundsCancel"
        case .unknown(let text): text
        }
    }
}

/// The exchange's refusal in its own words.
public struct VenueRejection: Error, Hashable, Sendable {
    /// HTTP status.
    public var status: Int
    /// The exchange's `code`, such as `insufficient_balance`.
    public var code: String
    public var message: String

    public init(status: Int, code: String, message: String = "") {
        self.status = status
        self.code = code
        self.message = message
    }
}

/// The risk gate's refusal: which rule, what value, which limit.
public struct Refusal: Error, Hashable, Sendable {
    public var rule: RiskRule
    /// As text in the rule's own unit.
    public var value: String
    public var limit: String

    public init(_ rule: RiskRule, value: String, limit: String) {
        self.rule = rule
        self.value = value
        self.limit = limit
    }
}

/// The rules of the risk gate, in the order in which they are judged.
public enum RiskRule: String, Hashable, Sendable, CaseIterable, Codable {
    case halted
    case reduceOnly
    case invalidOrder
    case offGrid
    case marketNotOpen
    case nearClose
    case staleBook
    case crossedBook
    case orderSize
    case priceCollar
    case selfCross
    case openOrders
    case orderRate
    case marketPosition
    case eventPosition
    case totalPosition
    case marketLoss
    case eventLoss
    case totalLoss
    case balance
    case dailyLoss
    case unknownOrder
}

extension Refusal: CustomStringConvertible {
    public var description: String { "\(rule.rawValue): \(value) against \(limit)" }
}

/// An order as its strategy sees it.
public struct Order: Hashable, Sendable {
    public var id: OrderID
    public var request: OrderRequest
    public var status: OrderStatus
    /// Present price: the request's until amended.
    public var price: Price
    /// Whole size: filled and open.
    public var quantity: Quantity
    public var filled: Quantity
    /// An amend, decrease or cancel has been asked for and not been answered.
    public var isChanging: Bool
    /// When the strategy asked.
    public var requestTime: Timestamp
    /// When it came to rest, `.unknown` if it has not.
    public var restTime: Timestamp

    public init(id: OrderID, request: OrderRequest, status: OrderStatus, requestTime: Timestamp) {
        self.id = id
        self.request = request
        self.status = status
        price = request.price
        quantity = request.quantity
        filled = .zero
        isChanging = false
        self.requestTime = requestTime
        restTime = .unknown
    }

    public var market: Market.ID { request.market }
    public var side: Side { request.side }
    /// Contracts that may still trade.
    public var remaining: Quantity { status.isFinal ? .zero : quantity - filled }
}

/// A trade of one's own.
public struct Fill: Hashable, Sendable {
    /// The exchange's `trade_id`, by which fills are told apart.
    public var tradeID: String
    public var order: OrderID
    public var market: Market.ID
    /// The order's side: a bid bought YES.
    public var side: Side
    /// YES price.
    public var price: Price
    public var quantity: Quantity
    public var isTaker: Bool
    /// Net fee with rounding and rebate.
    public var fee: Money
    public var exchangeTime: Timestamp

    public init(
        tradeID: String, order: OrderID, market: Market.ID, side: Side, price: Price, quantity: Quantity,
        isTaker: Bool, fee: Money, exchangeTime: Timestamp
    ) {
        self.tradeID = tradeID
        self.order = order
        self.market = market
        self.side = side
        self.price = price
        self.quantity = quantity
        self.isTaker = isTaker
        self.fee = fee
        self.exchangeTime = exchangeTime
    }
}

/// A holding in one market. Long YES is positive; short YES, which is long NO, negative.
public struct Position: Hashable, Sendable {
    public var quantity: Quantity
    /// What the open contracts cost: YES price for a long, NO price for a short; fees apart.
    public var cost: Money
    /// Profit of what was closed or settled, before fees.
    public var realized: Money
    public var fees: Money

    public init(
        quantity: Quantity = .zero, cost: Money = .zero, realized: Money = .zero, fees: Money = .zero
    ) {
        self.quantity = quantity
        self.cost = cost
        self.realized = realized
        self.fees = fees
    }

    /// Average price in YES terms, to the micro-dollar and for display: accounting keeps `cost`.
    public var averagePrice: Price? {
        guard !quantity.isZero else { return nil }
        let held = quantity.magnitude.hundredths
        let perContract = Price(micros: Int32((cost.raw + held / 2) / held))
        return quantity.isPositive ? perContract : perContract.complement
    }
    /// What the position is worth if YES is worth `mark`.
    public func value(at mark: Price) -> Money {
        (quantity.isPositive ? mark : mark.complement) * quantity.magnitude
    }
    /// Profit not yet realised if YES is worth `mark`.
    public func unrealized(at mark: Price) -> Money { value(at: mark) - cost }
}

/// The state of the risk gate.
public enum RiskState: String, Hashable, Sendable, Codable {
    case active
    /// Only orders that bring a position nearer to zero, and cancels.
    case reduceOnly
    /// Cancels only; everything that rests was cancelled.
    case halted
}
