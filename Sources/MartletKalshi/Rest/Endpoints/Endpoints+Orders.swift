import Martlet
import MartletWire

/// A new order as the tools send it; the engine's go through ``OrderRequestEncoder``.
public struct NewOrder: Hashable, Sendable {
    public var ticker: String
    /// The market's `exchange_index`: without it the exchange routes by ticker, slower, and bills every shard.
    public var shard: Int
    public var request: OrderRequest
    /// Fresh for each intent; the same only for a repetition of the same one.
    public var clientOrderID: String
    public var orderGroup: String?
    public var subaccount: Int?

    public init(ticker: String, shard: Int, request: OrderRequest, clientOrderID: String) {
        self.ticker = ticker
        self.shard = shard
        self.request = request
        self.clientOrderID = clientOrderID
    }

    func append(to bytes: inout [UInt8]) {
        OrderBody.create(
            OrderRoute(ticker: ticker, shard: shard, group: orderGroup), request, subaccount: subaccount,
            into: &bytes
        ) { bytes in bytes += clientOrderID.utf8.filter { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c } }
    }
}

/// An order to be taken off, with the shard it rests on.
public struct OrderToCancel: Hashable, Sendable {
    public var orderID: String
    public var shard: Int
    public var subaccount: Int?

    public init(orderID: String, shard: Int, subaccount: Int? = nil) {
        self.orderID = orderID
        self.shard = shard
        self.subaccount = subaccount
    }
}

extension Endpoints {
    static let ordersPath = "/portfolio/events/orders"
    static let batchPath = "/portfolio/events/orders/batched"
    static let groupsPath = "/portfolio/order_groups"

    private static func answer(_ request: RestRequest) -> RestCall<OrderAnswer> {
        RestCall(object: request) { (fields) throws(WireError) in try OrderAnswer(fields) }
    }

    public static func createOrder(_ order: NewOrder) -> RestCall<OrderAnswer> {
        var request = RestRequest(.post, ordersPath, scope: .write(shard: order.shard))
        var body: [UInt8] = []
        order.append(to: &body)
        request.body = body
        return answer(request)
    }

    /// `total` is the order's whole size: filled and wanted open (FIELD-NOTES 20).
    public static func amendOrder(
        _ id: String, ticker: String, shard: Int, side: Side, price: Price, total: Quantity,
        subaccount: Int? = nil
    ) -> RestCall<OrderAnswer> {
        let request = RestRequest(.post, "\(ordersPath)/\(segment(id))/amend", scope: .write(shard: shard))
            .with("subaccount", subaccount)
            .sending([
                ("ticker", .string(ticker)), ("side", .string(side == .bid ? "bid" : "ask")),
                ("price", .string("\(price)")), ("count", .string("\(total)")),
                ("exchange_index", .number(String(shard))),
            ])
        return answer(request)
    }

    public static func decreaseOrder(
        _ id: String, ticker: String, shard: Int, to remaining: Quantity, subaccount: Int? = nil
    ) -> RestCall<OrderAnswer> {
        let request = RestRequest(.post, "\(ordersPath)/\(segment(id))/decrease", scope: .write(shard: shard))
            .with("subaccount", subaccount)
            .sending([
                ("reduce_to", .string("\(remaining)")), ("exchange_index", .number(String(shard))),
            ])
        return answer(request)
    }

    public static func cancelOrder(_ order: OrderToCancel) -> RestCall<OrderAnswer> {
        answer(
            RestRequest(
                .delete, "\(ordersPath)/\(segment(order.orderID))", scope: .write(shard: order.shard)
            )
            .with("subaccount", order.subaccount).with("exchange_index", order.shard))
    }

    public static func createOrders(_ orders: [NewOrder]) -> RestCall<[BatchAnswer]> {
        var request = RestRequest(.post, batchPath, scope: .write(shard: 0)).billing(orders.count)
        var body = Array("{\"orders\":[".utf8)
        for (index, order) in orders.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            order.append(to: &body)
        }
        body += "]}".utf8
        request.body = body
        return batch(request)
    }
    public static func cancelOrders(_ orders: [OrderToCancel]) -> RestCall<[BatchAnswer]> {
        let entries = orders.map { order in
            var members: [JSONValue.Member] = [
                .init("order_id", .string(order.orderID)),
                .init("exchange_index", .number(String(order.shard))),
            ]
            if let subaccount = order.subaccount {
                members.append(.init("subaccount", .number(String(subaccount))))
            }
            return JSONValue.object(members)
        }
        return batch(
            RestRequest(.delete, batchPath, scope: .write(shard: 0)).billing(orders.count)
                .sending([("orders", .array(entries))]))
    }
    private static func batch(_ request: RestRequest) -> RestCall<[BatchAnswer]> {
        RestCall(object: request) { (fields) throws(WireError) in
            guard fields.member("orders") != nil else {
                throw .missing(field: "orders", message: request.path)
            }
            return try fields.entities("orders") { (entry) throws(WireError) in
                try BatchAnswer(entry)
            }
        }
    }

    /// Everything on every shard, and what is placed in the next minute too: the operator's last resort.
    public static func cancelAllOrders(subaccount: Int? = nil) -> RestCall<Void> {
        RestCall(
            accepted: RestRequest(.delete, ordersPath, scope: .write(shard: 0)).with("subaccount", subaccount)
        )
    }

    // MARK: - Order groups

    /// A group lives on one shard; more than `limit` contracts within 15 seconds cancel all its orders.
    public static func createOrderGroup(
        limit: Quantity, shard: Int, subaccount: Int? = nil
    ) -> RestCall<String> {
        let request = RestRequest(.post, "\(groupsPath)/create", scope: .write(shard: shard)).sending([
            ("contracts_limit_fp", .string("\(limit)")),
            ("subaccount", subaccount.map { .number(String($0)) }),
            ("exchange_index", .number(String(shard))),
        ])
        return RestCall(object: request) { (fields) throws(WireError) in try fields.name("order_group_id") }
    }
    public static func orderGroups(subaccount: Int? = nil) -> RestCall<[OrderGroup]> {
        RestCall(object: RestRequest(.get, groupsPath).with("subaccount", subaccount)) {
            (fields) throws(WireError) in
            try fields.entities("order_groups") { (entry) throws(WireError) in try OrderGroup(entry) }
        }
    }
    public static func orderGroup(_ id: String, subaccount: Int? = nil) -> RestCall<OrderGroup> {
        RestCall(object: RestRequest(.get, "\(groupsPath)/\(segment(id))").with("subaccount", subaccount)) {
            (fields) throws(WireError) in try OrderGroup(fields, id: id)
        }
    }
    public static func setOrderGroupLimit(
        _ id: String, limit: Quantity, shard: Int, subaccount: Int? = nil
    ) -> RestCall<Void> {
        RestCall(
            accepted: group(.put, id, "/limit", shard, subaccount)
                .sending([("contracts_limit_fp", .string("\(limit)"))]))
    }
    public static func resetOrderGroup(_ id: String, shard: Int, subaccount: Int? = nil) -> RestCall<Void> {
        RestCall(accepted: group(.put, id, "/reset", shard, subaccount))
    }
    /// Cancels everything in the group, and refuses new orders until it is reset.
    public static func triggerOrderGroup(_ id: String, shard: Int, subaccount: Int? = nil) -> RestCall<Void> {
        RestCall(accepted: group(.put, id, "/trigger", shard, subaccount))
    }
    public static func deleteOrderGroup(_ id: String, shard: Int, subaccount: Int? = nil) -> RestCall<Void> {
        RestCall(accepted: group(.delete, id, "", shard, subaccount))
    }
    private static func group(
        _ method: RestRequest.Method, _ id: String, _ action: String, _ shard: Int, _ subaccount: Int?
    ) -> RestRequest {
        RestRequest(method, "\(groupsPath)/\(segment(id))\(action)", scope: .write(shard: shard))
            .with("subaccount", subaccount).with("exchange_index", shard)
    }
}
