import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// Limits and costs (API.md §3), keys (§2), subaccounts and cash between shards (§7, §8).
extension API {
    static var accountRoutes: [Route] {
        [
            route("GET", "account/limits", .member, .read(10), API.limits),
            route("GET", "account/endpoint_costs", .open, .read(10), API.costs),
            route("POST", "account/api_usage_level/upgrade", .member, .write(30), API.upgrade),
            route("GET", "account/api_usage_level/volume_progress", .member, .read(10), API.progress),
            route("POST", "portfolio/subaccounts", .member, .read(10), API.createSubaccount),
            route("GET", "portfolio/subaccounts/balances", .member, .read(10), API.subaccountBalances),
            route("POST", "portfolio/subaccounts/transfer", .member, .read(10), API.subaccountTransfer),
            route("GET", "portfolio/subaccounts/transfers", .member, .read(10), API.subaccountTransfers),
            route("GET", "portfolio/subaccounts/netting", .member, .read(10), API.netting),
            route("PUT", "portfolio/subaccounts/netting", .member, .read(10), API.setNetting),
            route(
                "POST", "portfolio/intra_exchange_instance_transfer", .member, .read(10), API.shardTransfer),
            route(
                "GET", "portfolio/intra_exchange_instance_transfers", .member, .read(10), API.shardTransfers),
            route(
                "GET", "portfolio/intra_exchange_instance_transfers/:id", .member, .read(10),
                API.oneTransfer),
            route("GET", "portfolio/target_balance_allocation", .member, .read(10), API.allocation),
            route("POST", "portfolio/target_balance_allocation", .member, .read(10), API.setAllocation),
        ]
    }

    /// Costs that are not the default of 10, as recorded in 2026.
    static let costTable: [(String, String, Int)] = [
        ("DELETE", "/trade-api/v2/portfolio/events/orders", 2),
        ("DELETE", "/trade-api/v2/portfolio/events/orders/:order_id", 2),
        ("DELETE", "/trade-api/v2/portfolio/events/orders/batched", 2),
        ("GET", "/trade-api/v2/portfolio/orders/:order_id", 2),
        ("POST", "/trade-api/v2/account/api_usage_level/upgrade", 30),
    ]

    private func limits(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        func bucket(_ bucket: RateLimits.Bucket) -> JSONValue {
            .of([
                "refill_rate": .integer(bucket.refill), "bucket_capacity": .integer(bucket.capacity),
            ])
        }
        let tier = member.limits.tier
        let grants =
            tier == "basic" || tier == "unlimited"
            ? []
            : [
                JSONValue.of([
                    "exchange_instance": .string("event_contract"), "level": .string(tier),
                    "source": .string("manual"),
                ])
            ]
        return .ok(
            .of([
                "usage_tier": .string(tier == "unlimited" ? "prestige" : tier),
                "read": bucket(member.limits.read), "write": bucket(member.limits.write),
                "grants": .array(grants),
            ]))
    }

    private func costs(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(
            .of([
                "default_cost": .integer(10),
                "endpoint_costs": .array(
                    API.costTable.map {
                        .of(["method": .string($0.0), "path": .string($0.1), "cost": .integer($0.2)])
                    }),
            ]))
    }

    /// From basic to advanced, for those with an order among their last hundred.
    private func upgrade(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        guard member.limits.tier == "basic", !member.sequence.isEmpty,
            let advanced = RateLimits.tier("advanced")
        else { throw .forbidden }
        member.limits = advanced
        member.buckets = VenueBuckets(advanced)
        return APIResponse(status: 201)
    }

    private func progress(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let volume = member.fills.reduce(Quantity.zero) { $0 + $1.fill.quantity }
        let goals = RateLimits.tiers.dropFirst(2).enumerated().map { index, tier -> JSONValue in
            let goal = Quantity(1_000_000 << index)
            return .of([
                "level": .string(tier.tier), "earn_volume_goal_fp": .count(goal),
                "keep_volume_goal_fp": .count(goal),
            ])
        }
        return .ok(
            .of([
                "volume_progress": .array([
                    .of([
                        "computed_ts": .integer(exchange.now.seconds),
                        "trailing_30d_volume_fp": .count(volume),
                        "exchange_instance": .string("event_contract"), "goals": .array(goals),
                    ])
                ])
            ]))
    }

    // MARK: Subaccounts

    private func createSubaccount(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        guard member.limits.tier != "basic" else { throw .forbidden }
        guard let number = exchange.addSubaccount(member) else {
            throw APIError(400, "too_many_subaccounts", "all 63 subaccounts are open")
        }
        return APIResponse(status: 201, body: .of(["subaccount_number": .integer(number)]))
    }
    private func subaccountBalances(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        var rows: [JSONValue] = []
        for (number, account) in member.accounts.enumerated() {
            for shard in exchange.venue.shards(account) {
                rows.append(
                    .of([
                        "subaccount_number": .integer(number), "exchange_index": .integer(shard.shard),
                        "balance": .dollars(shard.cash), "updated_ts": .integer(exchange.now.seconds),
                    ]))
            }
        }
        return .ok(.of(["subaccount_balances": .array(rows)]))
    }

    private func subaccountTransfer(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        let clientID = try reader.required("client_transfer_id")
        guard let cents = try reader.whole("amount_cents", in: 1...1_000_000_000_000),
            let from = try reader.subaccount("from_subaccount"),
            let to = try reader.subaccount("to_subaccount")
        else { throw .badRequest("from_subaccount, to_subaccount and amount_cents are required") }
        let shard = max(try reader.shard() ?? 0, 0)
        try move(member, amount: cents * 100, clientID, (from, shard), (to, shard))
        return .empty
    }

    private func subaccountTransfers(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        _ = try Page(request, most: 500)
        let rows = member.transfers.reversed().filter { $0.sourceSubaccount != $0.destinationSubaccount }.map
        {
            transfer -> JSONValue in
            .of([
                "transfer_id": .string(transfer.id), "from_subaccount": .integer(transfer.sourceSubaccount),
                "to_subaccount": .integer(transfer.destinationSubaccount),
                "amount_cents": .integer(transfer.amount / 100),
                "created_ts": .integer(transfer.created.seconds),
                "exchange_index": .integer(transfer.sourceShard),
            ])
        }
        return .ok(.of(["transfers": .array(rows), "cursor": .string("")]))
    }

    private func netting(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        var rows: [JSONValue] = []
        for number in member.accounts.indices {
            for shard in Exchange.shards.indices {
                rows.append(
                    .of([
                        "subaccount_number": .integer(number), "enabled": .bool(member.nets[number]),
                        "exchange_index": .integer(shard),
                    ]))
            }
        }
        return .ok(.of(["netting_configs": .array(rows)]))
    }
    private func setNetting(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        guard let number = try reader.subaccount("subaccount_number"),
            let enabled = try reader.flag("enabled")
        else { throw .badRequest("subaccount_number and enabled are required") }
        let account = try need(member, number)
        exchange.venue.setNetting(enabled, account: account)
        member.nets[number] = enabled
        return .empty
    }

    // MARK: Between shards

    /// `amount` in 10^-4 dollars; a place is a subaccount and a shard.
    private func move(
        _ member: Member, amount: Int64, _ clientID: String?, _ source: (Int, Int), _ destination: (Int, Int)
    ) throws(APIError) {
        let (from, to) = (try need(member, source.0), try need(member, destination.0))
        if let clientID, member.transferIDs.contains(clientID) {
            throw APIError(409, "transfer_already_exists", "transfer already exists")
        }
        let money = Money(micros: amount * 100)
        guard exchange.pauses[source.1] != .everything, exchange.pauses[destination.1] != .everything else {
            throw APIError(503, "exchange_unavailable", "the exchange is paused")
        }
        guard money.raw > 0, exchange.venue.available(from, shard: source.1) >= money else {
            throw APIError(400, "insufficient_balance", "insufficient balance")
        }
        exchange.venue.deposit(-money, shard: source.1, account: from)
        exchange.venue.deposit(money, shard: destination.1, account: to)
        let number = exchange.nextTransfer()
        if let clientID { member.transferIDs.insert(clientID) }
        member.transfers.append(
            TransferRecord(
                number: number, id: exchange.transferIDs.text(number), clientID: clientID, amount: amount,
                sourceShard: source.1, destinationShard: destination.1, sourceSubaccount: source.0,
                destinationSubaccount: destination.0, created: exchange.now))
    }

    private func shardTransfer(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        for name in ["source", "destination"] where try reader.required(name) != "event_contract" {
            throw .badRequest("\(name) must be event_contract: the sandbox has no margined exchange")
        }
        guard let amount = try reader.whole("amount", in: 1...1_000_000_000_000) else {
            throw .badRequest("amount is required")
        }
        let source = max(try reader.shard("source_exchange_shard") ?? 0, 0)
        let destination = max(try reader.shard("destination_exchange_shard") ?? 0, 0)
        try move(
            member, amount: amount, try reader.text("client_transfer_id"),
            (try reader.subaccount("source_subaccount") ?? 0, source),
            (try reader.subaccount("destination_subaccount") ?? 0, destination))
        return .ok(.of(["transfer_id": .text(member.transfers.last?.id)]))
    }

    private func body(_ transfer: TransferRecord) -> JSONValue {
        .of([
            "transfer_id": .string(transfer.id), "status": .string("complete"),
            "source": .string("event_contract"), "destination": .string("event_contract"),
            "source_exchange_shard": .integer(transfer.sourceShard),
            "destination_exchange_shard": .integer(transfer.destinationShard),
            "source_subaccount": .integer(transfer.sourceSubaccount),
            "destination_subaccount": .integer(transfer.destinationSubaccount),
            "amount": .dollars(Money(micros: transfer.amount * 100)),
            "client_transfer_id": .text(transfer.clientID), "created_ts": .integer(transfer.created.seconds),
        ])
    }
    private func shardTransfers(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let page = try Page(request, most: 500)
        let (items, cursor) = self.page(
            ContiguousArray(member.transfers), page, number: \.number, keep: { _ in true },
            body: { body($0) })
        return .ok(.of(["transfers": .array(items), "cursor": cursor]))
    }
    private func oneTransfer(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        guard let found = member.transfers.first(where: { $0.id == request.parameters[0] }) else {
            throw .notFound
        }
        return .ok(.of(["transfer": body(found)]))
    }

    // MARK: Allocation

    private func allocation(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        return .ok(
            .of([
                "allocations": .array(
                    member.allocations.map {
                        .of(["exchange_index": .integer($0.shard), "percent": .integer($0.percent)])
                    }), "resting_margin_reservation": .string(member.resting),
            ]))
    }
    private func setAllocation(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let reader = BodyReader(try request.object())
        guard let items = reader.value["allocations"]?.array else {
            throw .badRequest("allocations is required")
        }
        var allocations: [(shard: Int, percent: Int)] = []
        for item in items {
            let entry = BodyReader(item)
            guard let shard = try entry.shard(), shard >= 0,
                let percent = try entry.whole("percent", in: 0...100)
            else { throw .badRequest("allocations need exchange_index and percent") }
            allocations.append((shard, Int(percent)))
        }
        let sum = allocations.reduce(0) { $0 + $1.percent }
        guard allocations.isEmpty || sum == 100 else { throw .badRequest("the percents add up to \(sum)") }
        let resting = try reader.text("resting_margin_reservation") ?? "none"
        guard ["none", "max", "sum"].contains(resting) else {
            throw .badRequest("resting_margin_reservation is '\(resting.prefix(40))'; one of none, max, sum")
        }
        member.allocations = allocations
        member.resting = resting
        exchange.rebalance()
        return try allocation(request)
    }
}

extension Exchange {
    /// How often cash moves towards the wanted shares (API.md §7).
    private static let rebalanceInterval = TimeSpan.seconds(10)

    /// For all who have set shares; again in ten seconds, as long as somebody has.
    func rebalance() {
        var isWanted = false
        for member in members where !member.allocations.isEmpty {
            isWanted = true
            rebalance(member)
        }
        nextRebalance = isWanted ? now + Exchange.rebalanceInterval : .distantFuture
    }

    /// Moves available cash towards the member's wanted shares, unless a shard stands still.
    private func rebalance(_ member: Member) {
        guard pauses.allSatisfy({ $0 != .everything }) else { return }
        guard !member.allocations.isEmpty, let account = member.accounts.first else { return }
        let total = Exchange.shards.indices.reduce(Money.zero) {
            $0 + max(venue.available(account, shard: $1), .zero)
        }
        func wanted(_ shard: Int) -> Money {
            let percent = member.allocations.first { $0.shard == shard }?.percent ?? 0
            return Money(raw: total.raw / 100 * Int64(percent)).roundedDown(to: Money(micros: 100))
        }
        for source in Exchange.shards.indices {
            for destination in Exchange.shards.indices where destination != source {
                let over = venue.available(account, shard: source) - wanted(source)
                let under = wanted(destination) - venue.available(account, shard: destination)
                let amount = min(over, under)
                guard amount.raw > 0 else { continue }
                _ = venue.transfer(amount, from: source, to: destination, account: account)
            }
        }
    }
}
