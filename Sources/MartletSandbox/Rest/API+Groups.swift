import Martlet
import MartletSimulation
import MartletWire

// Order groups (API.md §6.11).
extension API {
    static var groupRoutes: [Route] {
        let base = "portfolio/order_groups"
        return [
            route("POST", base + "/create", .member, .byHandler, API.createGroup),
            route("GET", base, .member, .read(10), API.groups),
            route("GET", base + "/:id", .member, .read(10), API.group),
            route("PUT", base + "/:id/limit", .member, .byHandler, API.limitGroup),
            route("PUT", base + "/:id/reset", .member, .byHandler, API.resetGroup),
            route("PUT", base + "/:id/trigger", .member, .byHandler, API.triggerGroup),
            route("DELETE", base + "/:id", .member, .byHandler, API.deleteGroup),
        ]
    }

    /// `contracts_limit`, `contracts_limit_fp`, or both when they agree.
    private func limit(_ reader: BodyReader) throws(APIError) -> Quantity {
        let whole = try reader.whole("contracts_limit", in: 1...1_000_000)
        let exact = try reader.count("contracts_limit_fp")
        if let whole, let exact, exact != Quantity(Int(whole)) {
            throw .badRequest("contracts_limit and contracts_limit_fp differ")
        }
        guard let limit = exact ?? whole.map({ Quantity(Int($0)) }) else {
            throw .badRequest("contracts_limit is required")
        }
        guard limit.isPositive, limit <= Quantity(1_000_000) else {
            throw .badRequest("contracts_limit must be from 0.01 to 1000000")
        }
        return limit
    }

    private func createGroup(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let shard = max(try reader.shard() ?? 0, 0)
        try billWrite(member, 10, shard: shard, hasTicker: false)
        let limit = try limit(reader)
        let subaccount = try request.locked(try reader.subaccount()) ?? 0
        guard let account = exchange.account(member, subaccount) else { throw .subaccountNotFound }
        guard member.groups.count < 100_000 else {
            throw APIError(400, "too_many_order_groups", "too many order groups")
        }
        let index = exchange.venue.createGroup(account: account, shard: shard, limit: limit)
        member.groups.append(index)
        exchange.audience?.groupChanged(index, .created, of: member)
        exchange.audience?.momentEnded()
        return APIResponse(
            status: 201,
            body: .of([
                "order_group_id": .string(exchange.groupText(index)), "subaccount": .integer(subaccount),
                "exchange_index": .integer(shard),
            ]))
    }

    private func groups(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let subaccount = try request.subaccount()
        var items: [JSONValue] = []
        for index in member.groups {
            guard let group = exchange.group(index, member),
                subaccount == nil || exchange.owner(group.account)?.subaccount == subaccount
            else { continue }
            items.append(
                .of([
                    "id": .string(exchange.groupText(index)), "contracts_limit_fp": .count(group.limit),
                    "is_auto_cancel_enabled": .bool(true), "exchange_index": .integer(group.shard),
                ]))
        }
        return .ok(.of(["order_groups": .array(items)]))
    }

    private func find(_ request: APIRequest, _ member: Member, _ shard: Int?) throws(APIError) -> (
        index: Int, group: OrderGroup
    ) {
        let wanted = shard.flatMap { $0 >= 0 ? $0 : nil }
        guard let index = exchange.findGroup(request.parameters[0], member, wanted),
            let group = exchange.group(index, member)
        else { throw APIError(404, "order_group_not_found", "order group not found") }
        if let subaccount = try request.subaccount(), exchange.owner(group.account)?.subaccount != subaccount
        {
            throw APIError(404, "order_group_not_found", "order group not found")
        }
        return (index, group)
    }

    private func group(_ request: APIRequest) throws(APIError) -> APIResponse {
        let (index, group) = try find(request, try request.owner(), nil)
        let orders = exchange.venue.orders(inGroup: index).map {
            JSONValue.string(exchange.orderIDs.text($0.id.number))
        }
        return .ok(
            .of([
                "is_auto_cancel_enabled": .bool(true), "contracts_limit_fp": .count(group.limit),
                "orders": .array(orders), "exchange_index": .integer(group.shard),
            ]))
    }

    /// Bills, finds, changes and tells.
    private func change(
        _ request: APIRequest, _ change: GroupChange,
        _ carryOut: (_ index: Int, _ group: OrderGroup) throws(APIError) -> Bool
    ) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let shard = try request.shard()
        try billWrite(member, 10, shard: shard ?? 0, hasTicker: false)
        // As with orders: without an index it is the first shard's.
        let (index, group) = try find(request, member, shard ?? 0)
        guard try carryOut(index, group) else {
            throw APIError(404, "order_group_not_found", "order group not found")
        }
        if change != .triggered { exchange.audience?.groupChanged(index, change, of: member) }
        exchange.flush()
        return .empty
    }
    private func limitGroup(_ request: APIRequest) throws(APIError) -> APIResponse {
        let limit = try limit(BodyReader(try request.object()))
        return try change(request, .limitUpdated) { index, group in
            exchange.venue.setGroupLimit(index, account: group.account, to: limit, at: exchange.now)
        }
    }
    private func resetGroup(_ request: APIRequest) throws(APIError) -> APIResponse {
        try change(request, .reset) { index, group in
            exchange.venue.resetGroup(index, account: group.account)
        }
    }
    private func triggerGroup(_ request: APIRequest) throws(APIError) -> APIResponse {
        try change(request, .triggered) { index, group in
            exchange.venue.triggerGroup(index, account: group.account, at: exchange.now)
        }
    }
    private func deleteGroup(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let response = try change(request, .deleted) { index, group in
            exchange.venue.deleteGroup(index, account: group.account, at: exchange.now)
        }
        if let number = exchange.groupIDs.number(request.parameters[0]) {
            member.groups.removeAll { $0 + 1 == Int(number) }
        }
        return response
    }
}
