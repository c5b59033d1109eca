import Martlet
import MartletEngine
import MartletWire

/// Turns the exchange's answers to the engine's commands into reports, one for each order that a command names.
///
/// What proves that an order was not taken is a refusal; what proves nothing (a fault of the server, an answer that
/// says nothing of the order) is `unknown`, which the engine resolves by asking.
public struct OrderResponseDecoder: Sendable {
    public let nonce: UInt64

    public init(nonce: UInt64) { self.nonce = nonce }

    /// The reports of an answer. `venueID` finds a batch's parts by the exchange's ids.
    public func reports(
        to command: VenueCommand, status: Int, body: [UInt8], venueID: (OrderID) -> String? = { _ in nil }
    ) -> [VenueReport] {
        let orders = OrderResponseDecoder.orders(of: command)
        guard (200..<300).contains(status) else {
            let error = ExchangeError(status: status, body: body)
            return orders.map { report($0, error) }
        }
        guard let value = try? JSONParser.parse(body) else {
            return orders.map { $0.report(.unknown($0.request)) }
        }
        switch command {
        case .place, .amend, .decrease: return orders.map { report($0, value) }
        case .cancel:
            // Sent by id, or as a batch of one.
            guard value["orders"] != nil else { return orders.map { report($0, value) } }
            return cancelled(orders, value, venueID)
        case .placeBatch: return placed(orders, value)
        case .cancelBatch: return cancelled(orders, value, venueID)
        case .cancelEverything: return []
        }
    }

    /// The reports where no answer came.
    public func reports(to command: VenueCommand, mayHaveReachedExchange: Bool, reason: String)
        -> [VenueReport]
    {
        OrderResponseDecoder.orders(of: command).map { order in
            if mayHaveReachedExchange { return order.report(.unknown(order.request)) }
            return order.refused(VenueRejection(status: 0, code: "not_sent", message: reason))
        }
    }

    // MARK: - One order

    /// An order that a command names, and what of it.
    private struct Subject {
        var id: OrderID
        var market: Market.ID
        var request: VenueReport.Request
        var placed: OrderRequest?
        var amended: AmendOrder?

        func report(
            _ body: VenueReport.Body, at time: Timestamp = .unknown, venueOrderID: String? = nil
        ) -> VenueReport {
            VenueReport(body, order: id, market: market, exchangeTime: time, venueOrderID: venueOrderID)
        }
        func refused(_ rejection: VenueRejection) -> VenueReport {
            report(request == .place ? .rejected(rejection) : .changeRejected(request, rejection))
        }
    }

    private static func orders(of command: VenueCommand) -> [Subject] {
        func placed(_ order: PlaceOrder) -> Subject {
            Subject(id: order.id, market: order.request.market, request: .place, placed: order.request)
        }
        func cancelled(_ order: OrderID, _ market: Market.ID) -> Subject {
            Subject(id: order, market: market, request: .cancel)
        }
        switch command {
        case .place(let order): return [placed(order)]
        case .placeBatch(let orders): return orders.map(placed)
        case .amend(let order):
            return [Subject(id: order.id, market: order.market, request: .amend, amended: order)]
        case .decrease(let order, let market, _):
            return [Subject(id: order, market: market, request: .decrease)]
        case .cancel(let order, let market): return [cancelled(order, market)]
        case .cancelBatch(let orders): return orders.map { cancelled($0.order, $0.market) }
        case .cancelEverything: return []
        }
    }

    private func report(_ order: Subject, _ error: ExchangeError) -> VenueReport {
        if error.status == 429 { return order.report(.rateLimited(order.request)) }
        if error.leavesOutcomeUnknown { return order.report(.unknown(order.request)) }
        switch error.code {
        case .duplicateClientOrderID where order.request == .place:
            // Our ids are used once: an order of ours is there already, and is to be looked for.
            return order.report(.unknown(.place))
        case .immediateOrCancelUnfillable where order.request == .place:
            return order.report(.accepted(filled: .zero, remaining: .zero, end: .immediateRemainder))
        default: return order.refused(error.rejection)
        }
    }

    /// A 2xx answer. One that holds an error, or no order, proves nothing (FIELD-NOTES 19).
    private func report(_ order: Subject, _ value: JSONValue) -> VenueReport {
        guard let fields = try? FieldReader(value, "order"), fields.member("error") == nil,
            let answer = try? OrderAnswer(fields)
        else { return order.report(.unknown(order.request)) }
        return report(order, answer)
    }

    private func report(_ order: Subject, _ answer: OrderAnswer) -> VenueReport {
        var body: VenueReport.Body?
        switch order.request {
        case .place: body = accepted(order, answer)
        case .amend:
            if let amend = order.amended, let remaining = answer.remaining {
                body = .amended(price: amend.price, quantity: amend.quantity, remaining: remaining)
            }
        case .decrease: body = answer.remaining.map { .decreased(remaining: $0) }
        case .cancel: body = answer.reducedBy.map { .cancelled(by: $0) }
        }
        return order.report(
            body ?? .unknown(order.request), at: answer.exchangeTime, venueOrderID: answer.orderID)
    }

    /// A create's answer has no status: it is derived from what was filled and what remains (API.md §6.1).
    private func accepted(_ order: Subject, _ answer: OrderAnswer) -> VenueReport.Body? {
        guard let request = order.placed, let filled = answer.filled, let remaining = answer.remaining
        else { return nil }
        let isDone = remaining.isZero && filled < request.quantity
        return .accepted(filled: filled, remaining: remaining, end: isDone ? end(of: request) : nil)
    }

    /// Why an order that was taken does not rest, as far as it can be told: the private channel knows better.
    private func end(of request: OrderRequest) -> CancelReason {
        if request.isPostOnly { return .postOnlyCross }
        if request.isReduceOnly { return .reduceOnly }
        if !request.timeInForce.rests { return .immediateRemainder }
        return request.selfTradePrevention == .takerAtCross ? .selfTrade : .unknown("")
    }

    // MARK: - Batches

    /// Parts are found by id, for that they come in the request's order is not promised; one without any id by its
    /// place, where as many came as were sent.
    private func placed(_ orders: [Subject], _ value: JSONValue) -> [VenueReport] {
        let parts = self.parts(value)
        return orders.enumerated().map { index, order in
            let clientID = ClientOrderID.text(order.id, nonce: nonce)
            let named = parts.first { $0.clientOrderID == clientID }
            let inPlace =
                parts.count == orders.count && parts[index].clientOrderID == nil ? parts[index] : nil
            return report(order, named ?? inPlace)
        }
    }

    private func cancelled(
        _ orders: [Subject], _ value: JSONValue, _ venueID: (OrderID) -> String?
    ) -> [VenueReport] {
        let parts = self.parts(value)
        return orders.map { order in
            let id = venueID(order.id)
            return report(order, parts.first { $0.orderID != nil && $0.orderID == id })
        }
    }

    private func parts(_ value: JSONValue) -> [BatchAnswer] {
        (value["orders"]?.array ?? []).compactMap { entry in
            guard let fields = try? FieldReader(entry, "orders") else { return nil }
            return try? BatchAnswer(fields)
        }
    }

    private func report(_ order: Subject, _ part: BatchAnswer?) -> VenueReport {
        switch part?.outcome {
        case .taken(let answer): return report(order, answer)
        case .refused(let error): return report(order, error)
        case .unreadable, nil: return order.report(.unknown(order.request))
        }
    }
}
