import Martlet

/// What the engine tells a venue to do. Each command is answered by one ``VenueReport`` per order named in it,
/// or by silence, which the driver turns into ``VenueReport/Body/unknown(_:)`` at its deadline.
public enum VenueCommand: Hashable, Sendable {
    case place(PlaceOrder)
    case amend(AmendOrder)
    case decrease(OrderID, market: Market.ID, to: Quantity)
    case cancel(OrderID, market: Market.ID)
    /// Several at once; the exchange bills each, and admits all or none.
    case placeBatch([PlaceOrder])
    case cancelBatch([OrderReference])
    /// Everything on the account, and what is placed in the next minute too: the operator's last resort.
    case cancelEverything
}

/// An order and its market, whose shard a cancel must name.
public struct OrderReference: Hashable, Sendable {
    public var order: OrderID
    public var market: Market.ID
    public init(_ order: OrderID, market: Market.ID) {
        self.order = order
        self.market = market
    }
}

/// A new order on its way to the venue.
public struct PlaceOrder: Hashable, Sendable {
    public var id: OrderID
    public var request: OrderRequest
    public init(id: OrderID, request: OrderRequest) {
        self.id = id
        self.request = request
    }
}

/// A change of price and whole size (filled and open) of an order that rests.
public struct AmendOrder: Hashable, Sendable {
    public var id: OrderID
    public var market: Market.ID
    public var side: Side
    public var price: Price
    public var quantity: Quantity
    public init(id: OrderID, market: Market.ID, side: Side, price: Price, quantity: Quantity) {
        self.id = id
        self.market = market
        self.side = side
        self.price = price
        self.quantity = quantity
    }
}

/// What a venue says of one order. May come late, twice, or in another order than things happened.
public struct VenueReport: Hashable, Sendable {
    /// Which request of ours a report answers, where it answers one.
    public enum Request: Hashable, Sendable { case place, amend, decrease, cancel }

    public enum Body: Hashable, Sendable {
        /// The order was taken. `filled` at once, `remaining` now resting (zero: done; then `end` says why).
        case accepted(filled: Quantity, remaining: Quantity, end: CancelReason?)
        /// Not taken: proof that it has no effect.
        indirect case rejected(VenueRejection)
        /// The amend was taken. `quantity` is the new whole size, `remaining` what rests after fills it caused.
        case amended(price: Price, quantity: Quantity, remaining: Quantity)
        case decreased(remaining: Quantity)
        /// Our cancel was taken: `by` contracts were taken off (zero: it had filled).
        case cancelled(by: Quantity)
        /// An amend, decrease or cancel was refused; the order is as it was, or gone (`404`).
        indirect case changeRejected(Request, VenueRejection)
        /// The venue took the order off without being asked.
        case ended(CancelReason)
        /// A trade. Its order may not have been acknowledged yet.
        case filled(Fill)
        /// The answer to a request was lost: the outcome is not known.
        case unknown(Request)
        /// An unknown order was looked for and is proven absent: it never had any effect.
        case provenAbsent
        /// The order as the venue has it now: the answer to a look-up, or of the private order channel.
        indirect case state(OrderState)
        /// Too many requests (429): the command had no effect.
        case rateLimited(Request)
    }

    public var order: OrderID
    public var market: Market.ID
    /// The venue's time, `.unknown` when it gave none.
    public var exchangeTime: Timestamp
    public var body: Body
    /// The venue's own order id, where this report names it.
    public var venueOrderID: String?

    public init(
        _ body: Body, order: OrderID, market: Market.ID, exchangeTime: Timestamp, venueOrderID: String? = nil
    ) {
        self.order = order
        self.market = market
        self.exchangeTime = exchangeTime
        self.body = body
        self.venueOrderID = venueOrderID
    }
}

/// An order as the venue has it.
public struct OrderState: Hashable, Sendable {
    public enum Status: Hashable, Sendable {
        case resting, executed, cancelled
        case unknown(String)
    }
    public var status: Status
    public var price: Price
    public var filled: Quantity
    public var remaining: Quantity
    public var reason: CancelReason?
    public init(
        status: Status, price: Price, filled: Quantity, remaining: Quantity, reason: CancelReason? = nil
    ) {
        self.status = status
        self.price = price
        self.filled = filled
        self.remaining = remaining
        self.reason = reason
    }
}
