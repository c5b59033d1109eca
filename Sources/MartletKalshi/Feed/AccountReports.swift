import Martlet
import MartletEngine
import MartletWire

/// The names an order has: the engine's number, the client order id that was sent, the exchange's own id.
///
/// Fills name the order by the exchange's id alone (their `client_order_id` is optional), and may come before the
/// answer to the request that placed it: whoever keeps this learns a name from whatever tells it first.
public struct OrderNames: Sendable {
    private var byClientID: [String: OrderID] = [:]
    private var byVenueID: [String: OrderID] = [:]

    public init() {}

    public mutating func sent(_ order: OrderID, clientOrderID: String) { byClientID[clientOrderID] = order }
    public mutating func learn(_ order: OrderID, venueOrderID: String) { byVenueID[venueOrderID] = order }

    /// The order that a message is about, nil for one that this run did not send.
    public mutating func order(venueOrderID: String, clientOrderID: String?) -> OrderID? {
        if let known = byVenueID[venueOrderID] { return known }
        guard let clientOrderID, let order = byClientID[clientOrderID] else { return nil }
        byVenueID[venueOrderID] = order
        return order
    }
    /// An order whose end is settled needs no names any more.
    public mutating func forget(venueOrderID: String, clientOrderID: String?) {
        byVenueID[venueOrderID] = nil
        if let clientOrderID { byClientID[clientOrderID] = nil }
    }
}

extension VenueReport {
    /// A fill of the feed, or of REST, as the engine is told of it.
    /// - Parameter untoldFee: what the fee model gives, for a message without a fee.
    public init(_ fill: FillMessage, order: OrderID, market: Market.ID, untoldFee: Money) {
        self.init(
            .filled(
                Fill(
                    tradeID: fill.tradeID, order: order, market: market, side: fill.side, price: fill.price,
                    quantity: fill.quantity, isTaker: fill.isTaker, fee: fill.fee ?? untoldFee,
                    exchangeTime: fill.exchangeTime)),
            order: order, market: market, exchangeTime: fill.exchangeTime, venueOrderID: fill.orderID)
    }

    /// An order as the private channel has it.
    public init(_ message: UserOrderMessage, order: OrderID, market: Market.ID) {
        let status: OrderState.Status =
            switch message.status {
            case .resting: .resting
            case .executed: .executed
            case .canceled: .cancelled
            case .unknown(let text): .unknown(text)
            }
        self.init(
            .state(
                OrderState(
                    status: status, price: message.price, filled: message.filled,
                    remaining: message.remaining,
                    reason: status == .cancelled ? message.reason.map(CancelReason.init(wire:)) : nil)),
            order: order, market: market,
            exchangeTime: message.updatedTime.isKnown ? message.updatedTime : message.createdTime,
            venueOrderID: message.orderID)
    }
}
