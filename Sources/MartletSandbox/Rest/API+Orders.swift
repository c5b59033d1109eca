import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// Orders (API.md §6).
extension API {
    static var orderRoutes: [Route] {
        [
            route("POST", "portfolio/events/orders", .member, .byHandler, API.create),
            route("DELETE", "portfolio/events/orders", .member, .write(2), API.cancelEverything),
            route("POST", "portfolio/events/orders/batched", .member, .byHandler, API.batchCreate),
            route("DELETE", "portfolio/events/orders/batched", .member, .byHandler, API.batchCancel),
            route("POST", "portfolio/events/orders/:id/amend", .member, .byHandler, API.amend),
            route("POST", "portfolio/events/orders/:id/decrease", .member, .byHandler, API.decrease),
            route("DELETE", "portfolio/events/orders/:id", .member, .byHandler, API.cancel),
            route("GET", "portfolio/orders", .member, .read(10), API.orders),
            route("GET", "portfolio/orders/queue_positions", .member, .read(10), API.queuePositions),
            route("GET", "portfolio/orders/:id", .member, .read(2), API.order),
            route("GET", "portfolio/orders/:id/queue_position", .member, .read(10), API.queuePosition),
        ]
    }
    /// The first version's writes, retired in June 2026.
    static var retiredRoutes: [Route] {
        [
            ("POST", "portfolio/orders"), ("POST", "portfolio/orders/batched"),
            ("DELETE", "portfolio/orders/batched"), ("DELETE", "portfolio/orders/:id"),
            ("POST", "portfolio/orders/:id/amend"), ("POST", "portfolio/orders/:id/decrease"),
        ].map { route($0.0, $0.1, .member, .write(100), API.retired) }
    }
    private func retired(_ request: APIRequest) throws(APIError) -> APIResponse {
        throw APIError(
            410, "deprecated_v1_order_endpoint", "Please switch to the V2 endpoints",
            details: "https://docs.kalshi.com/api-reference/orders/create-order-v2")
    }

    // MARK: Create

    private func placeInput(_ value: JSONValue, _ request: APIRequest) throws(APIError) -> Exchange.PlaceInput
    {
        let body = BodyReader(value)
        let ticker = try body.required("ticker")
        let side = try API.side(try body.required("side"))
        guard let count = try body.count("count") else { throw .badRequest("count is required") }
        guard let price = try body.price("price") else { throw .badRequest("price is required") }
        let expiration = try body.whole("expiration_time", in: 1...9_000_000_000)
        let timeInForce: TimeInForce
        switch try body.required("time_in_force") {
        case "good_till_canceled":
            timeInForce = expiration.map { .goodTill(Timestamp(seconds: $0)) } ?? .goodTillCancelled
        case "immediate_or_cancel":
            guard expiration == nil else {
                throw .invalidOrder("expiration_time cannot be used with immediate_or_cancel")
            }
            timeInForce = .immediateOrCancel
        case "fill_or_kill":
            guard expiration == nil else {
                throw .invalidOrder("expiration_time cannot be used with fill_or_kill")
            }
            timeInForce = .fillOrKill
        case let other: throw .badRequest("time_in_force is '\(other.prefix(40))'")
        }
        let prevention: SelfTradePrevention
        switch try body.required("self_trade_prevention_type") {
        case "taker_at_cross": prevention = .takerAtCross
        case "maker": prevention = .maker
        case let other: throw .badRequest("self_trade_prevention_type is '\(other.prefix(40))'")
        }
        let clientID = try body.text("client_order_id")
        guard (clientID ?? "").utf8.count <= 128 else {
            throw .badRequest("client_order_id is longer than 128 bytes")
        }
        return Exchange.PlaceInput(
            ticker: ticker, side: side, count: count, price: price, timeInForce: timeInForce,
            prevention: prevention, clientID: clientID, isPostOnly: try body.flag("post_only") ?? false,
            cancelsOnPause: try body.flag("cancel_order_on_pause") ?? false,
            isReduceOnly: try body.flag("reduce_only") ?? false,
            subaccount: try request.locked(try body.subaccount()) ?? 0,
            group: try body.text("order_group_id"), shard: try body.shard())
    }

    static func side(_ text: String) throws(APIError) -> Side {
        switch text {
        case "bid": .bid
        case "ask": .ask
        default: throw .badRequest("side is '\(text.prefix(40))'; one of bid, ask")
        }
    }

    private func body(_ output: Exchange.PlaceOutput) -> JSONValue {
        .of([
            "order_id": .string(output.orderID),
            "client_order_id": output.clientID.isEmpty ? nil : .string(output.clientID),
            "fill_count": .count(output.filled), "remaining_count": .count(output.remaining),
            "average_fill_price": output.averagePrice.map { .price($0) },
            "average_fee_paid": output.averageFee.map { .cost($0) },
            "ts_ms": .integer(output.time.milliseconds),
        ])
    }

    private func create(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let input: Exchange.PlaceInput
        do throws(APIError) {
            input = try placeInput(try request.object(), request)
        } catch {
            try billWrite(member, 10, shard: nil, hasTicker: false)
            throw error
        }
        try billWrite(member, 10, shard: input.shard, hasTicker: true)
        let output = try exchange.place(input, member).get()
        return APIResponse(status: 201, body: body(output))
    }

    private func items(_ request: APIRequest, _ cost: Int) throws(APIError) -> [JSONValue] {
        let member = try request.owner()
        guard let orders = try request.object()["orders"]?.array, !orders.isEmpty else {
            try billWrite(member, cost, shard: 0, hasTicker: false)
            throw .badRequest("orders must be a list of at least one")
        }
        // Batches are billed to the unscoped bucket, and admitted whole or not at all.
        try billWrite(member, cost * orders.count, shard: 0, hasTicker: false)
        return orders
    }

    private func batchCreate(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        var answers: [JSONValue] = []
        for item in try items(request, 10) {
            do throws(APIError) {
                answers.append(body(try exchange.place(try placeInput(item, request), member).get()))
            } catch {
                answers.append(
                    .of(["client_order_id": .text(item["client_order_id"]?.string), "error": error.inner]))
            }
        }
        return APIResponse(status: 201, body: .of(["orders": .array(answers)]))
    }

    // MARK: Cancel

    private func cancelBody(_ entry: OrderEntry, _ by: Quantity) -> JSONValue {
        .of([
            "order_id": .string(exchange.orderIDs.text(entry.number)),
            "client_order_id": entry.clientID.isEmpty ? nil : .string(entry.clientID),
            "reduced_by": .count(by), "ts_ms": .integer(exchange.now.milliseconds),
        ])
    }

    private func cancel(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let route = Exchange.Route(
            shard: try request.shard(), ticker: request.text("market_ticker"),
            subaccount: try request.subaccount())
        try billWrite(member, 2, shard: route.shard, hasTicker: route.ticker != nil)
        let (entry, by) = try exchange.cancel(request.parameters[0], member, route).get()
        return .ok(cancelBody(entry, by))
    }

    private func batchCancel(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        var answers: [JSONValue] = []
        for item in try items(request, 2) {
            let name = item["order_id"]?.string ?? ""
            do throws(APIError) {
                let reader = BodyReader(item)
                let route = Exchange.Route(
                    shard: try reader.shard(), ticker: try reader.text("market_ticker"),
                    subaccount: try request.locked(try reader.subaccount()))
                let (entry, by) = try exchange.cancel(try reader.required("order_id"), member, route).get()
                answers.append(cancelBody(entry, by))
            } catch {
                answers.append(
                    .of([
                        "order_id": .string(name), "reduced_by": .count(.zero), "error": error.inner,
                    ]))
            }
        }
        return .ok(.of(["orders": .array(answers)]))
    }

    private func cancelEverything(_ request: APIRequest) throws(APIError) -> APIResponse {
        try exchange.cancelEverything(try request.owner(), subaccount: try request.subaccount()).get()
        return APIResponse(status: 204)
    }

    // MARK: Change

    private func amend(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let shard = try reader.shard()
        try billWrite(member, 10, shard: shard, hasTicker: true)
        guard let price = try reader.price("price") else { throw .badRequest("price is required") }
        guard let count = try reader.count("count") else { throw .badRequest("count is required") }
        let input = Exchange.AmendInput(
            ticker: try reader.required("ticker"), side: try API.side(try reader.required("side")),
            price: price, count: count, clientID: try reader.text("client_order_id"),
            updatedClientID: try reader.text("updated_client_order_id"),
            expiration: try reader.whole("expiration_time", in: 0...9_000_000_000),
            subaccount: try request.subaccount() ?? 0, shard: shard)
        return .ok(body(try exchange.amend(request.parameters[0], input, member).get()))
    }

    private func decrease(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let route = Exchange.Route(
            shard: try reader.shard(), ticker: try reader.text("market_ticker"),
            subaccount: try request.subaccount())
        try billWrite(member, 10, shard: route.shard, hasTicker: route.ticker != nil)
        let (by, to) = (try reader.count("reduce_by"), try reader.count("reduce_to"))
        guard (by == nil) != (to == nil) else {
            throw .badRequest("exactly one of reduce_by and reduce_to is needed")
        }
        guard by?.isPositive ?? true, (to ?? .zero) >= .zero else {
            throw APIError(400, "invalid_order_size", "invalid order size")
        }
        let (entry, remaining) = try exchange.decrease(
            request.parameters[0], by: by, to: to, member, route
        ).get()
        return .ok(
            .of([
                "order_id": .string(request.parameters[0]),
                "client_order_id": entry.clientID.isEmpty ? nil : .string(entry.clientID),
                "remaining_count": .count(remaining), "ts_ms": .integer(exchange.now.milliseconds),
            ]))
    }

    // MARK: Reads

    private func orders(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try orderList(request, onlyOver: false))
    }

    func orderList(_ request: APIRequest, onlyOver: Bool) throws(APIError) -> JSONValue {
        let member = try request.owner()
        let page = try Page(request)
        let status = request.text("status")
        if let status, !["resting", "canceled", "executed"].contains(status) {
            throw .badRequest("status is '\(status.prefix(40))'; one of resting, canceled, executed")
        }
        let ticker = request.text("ticker")
        let events = try request.list("event_ticker", most: 10)
        let (least, most) = (try request.whole("min_ts") ?? .min, try request.whole("max_ts") ?? .max)
        let (subaccount, shard) = (try request.subaccount(), try request.shard())
        let (items, cursor) = self.page(
            member.sequence, page, number: { $0 },
            keep: { number in
                guard let entry = member.entries[number] else { return false }
                let definition = exchange.record(entry.market).definition
                return (ticker == nil || ticker == definition.ticker)
                    && events?.contains(definition.event) ?? true && entry.created.seconds >= least
                    && entry.created.seconds <= most && (subaccount ?? entry.subaccount) == entry.subaccount
                    && (shard == nil || shard == -1 || shard == definition.shard)
            },
            body: { number in
                guard let entry = member.entries[number], let order = exchange.order(entry) else {
                    return nil
                }
                if let status, status != Exchange.status(order) { return nil }
                if onlyOver, order.remaining.isPositive { return nil }
                return exchange.body(entry, order, member)
            })
        return .of(["orders": .array(items), "cursor": cursor])
    }

    private func order(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        guard let entry = exchange.entry(request.parameters[0], member), let order = exchange.order(entry),
            request.key?.sees(entry.subaccount) ?? true
        else { throw .notFound }
        return .ok(.of(["order": exchange.body(entry, order, member)]))
    }

    private func queuePosition(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        guard let entry = exchange.entry(request.parameters[0], member),
            request.key?.sees(entry.subaccount) ?? true,
            let ahead = exchange.venue.queuePosition(OrderID(entry.number), account: entry.account)
        else { throw .notFound }
        return .ok(.of(["queue_position_fp": .count(ahead)]))
    }

    private func queuePositions(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let tickers = try request.list("market_tickers")
        let event = request.text("event_ticker")
        let subaccount = try request.subaccount() ?? 0
        guard let account = exchange.account(member, subaccount) else { throw .subaccountNotFound }
        var items: [JSONValue] = []
        for order in exchange.venue.openOrders(account) {
            let definition = exchange.record(order.market).definition
            guard tickers?.contains(definition.ticker) ?? true, event == nil || event == definition.event,
                let ahead = exchange.venue.queuePosition(order.id, account: account)
            else { continue }
            items.append(
                .of([
                    "order_id": .string(exchange.orderIDs.text(order.id.number)),
                    "market_ticker": .string(definition.ticker), "queue_position_fp": .count(ahead),
                ]))
        }
        return .ok(.of(["queue_positions": .array(items)]))
    }
}

extension Exchange {
    static func status(_ order: VenueOrder) -> String {
        if order.remaining.isPositive { return "resting" }
        return order.reason == nil && order.filled.isPositive ? "executed" : "canceled"
    }

    func body(_ entry: OrderEntry, _ order: VenueOrder, _ member: Member) -> JSONValue {
        let definition = record(entry.market).definition
        var expiration = JSONValue.null
        if case .goodTill(let time) = order.timeInForce { expiration = .time(time) }
        return .of([
            "order_id": .string(orderIDs.text(entry.number)), "user_id": .string(member.userID),
            "client_order_id": .string(entry.clientID), "ticker": .string(definition.ticker),
            "side": .string(order.side.outcome), "action": .string("buy"),
            "outcome_side": .string(order.side.outcome), "book_side": .string(order.side.description),
            "type": .string("limit"), "status": .string(Exchange.status(order)),
            "yes_price_dollars": .price(order.price), "no_price_dollars": .price(order.price.complement),
            "fill_count_fp": .count(order.filled), "remaining_count_fp": .count(order.remaining),
            "initial_count_fp": .count(entry.initial), "taker_fill_cost_dollars": .cost(order.takerCost),
            "maker_fill_cost_dollars": .cost(order.makerCost), "taker_fees_dollars": .cost(order.takerFees),
            "maker_fees_dollars": .cost(order.makerFees), "expiration_time": expiration,
            "created_time": .time(order.created), "last_update_time": .time(order.updated),
            "self_trade_prevention_type": .string(order.selfTradePrevention.wire),
            "order_group_id": entry.group.map { .string(groupText($0)) },
            "cancel_order_on_pause": .bool(order.cancelsOnPause),
            "subaccount_number": .integer(entry.subaccount), "exchange_index": .integer(definition.shard),
        ])
    }
}
