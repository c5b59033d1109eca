import Martlet
import MartletEngine
import MartletSimulation

// What members do with orders, after their requests have been read.
extension Exchange {
    struct PlaceInput {
        var ticker: String
        var side: Side
        var count: Quantity
        var price: Price
        var timeInForce: TimeInForce
        var prevention: SelfTradePrevention
        var clientID: String?
        var isPostOnly = false
        var cancelsOnPause = false
        var isReduceOnly = false
        var subaccount = 0
        var group: String?
        /// Nil or -1: found by the ticker.
        var shard: Int?
    }
    struct PlaceOutput {
        var orderID: String
        var clientID: String
        var filled: Quantity
        var remaining: Quantity
        var averagePrice: Price?
        var averageFee: Money?
        var time: Timestamp
    }

    func place(_ input: PlaceInput, _ member: Member) -> Result<PlaceOutput, APIError> {
        guard let market = market(input.ticker) else { return .failure(.marketNotFound) }
        let shard = venue.definitions[Int(market.index)].shard
        if let wanted = input.shard, wanted >= 0, wanted != shard { return .failure(.marketNotFound) }
        guard let account = account(member, input.subaccount) else { return .failure(.subaccountNotFound) }
        var group: Int?
        if let text = input.group {
            guard let found = findGroup(text, member, nil) else {
                return .failure(APIError(404, "order_group_not_found", "order group not found"))
            }
            group = found
        }
        let number = nextOrder()
        let clientID = input.clientID ?? ""
        if !clientID.isEmpty, member.hasUsed(clientID) { return .failure(.alreadyExists) }
        let request = OrderRequest(
            input.side, input.count, at: input.price, in: market, timeInForce: input.timeInForce,
            isPostOnly: input.isPostOnly, isReduceOnly: input.isReduceOnly,
            selfTradePrevention: input.prevention, cancelsOnPause: input.cancelsOnPause)
        let id = OrderID(number)
        let entry = OrderEntry(
            number: number, account: account, subaccount: input.subaccount, market: market,
            clientID: clientID, group: group, initial: input.count, reason: nil, created: now)
        member.remember(entry)
        venue.place(PlaceOrder(id: id, request: request), account: account, group: group, at: now)
        let answer = answer(to: id)
        defer {
            flush(
                Cause(
                    member: member.index, side: input.side, clientID: clientID, subaccount: input.subaccount))
        }
        guard case .accepted(let filled, let remaining, _) = answer,
            let order = venue.order(id, account: account)
        else {
            member.withdraw(number)
            guard case .rejected(let rejection) = answer else { return .failure(.unavailable) }
            // A killed order's client id stays used (API.md §6.3).
            if rejection.code == "fill_or_kill_insufficient_resting_volume" { member.burn(clientID, number) }
            return .failure(APIError(rejection))
        }
        member.forget {
            (self.venue.order(OrderID($0.number), account: $0.account)?.remaining ?? .zero).isZero
        }
        return .success(
            PlaceOutput(
                orderID: orderIDs.text(number), clientID: clientID, filled: filled, remaining: remaining,
                averagePrice: average(order.takerCost, filled, input.side),
                averageFee: averageFee(order.takerFees, filled), time: now))
    }

    /// What the venue answered an order's request with, of the reports since the last flush.
    private func answer(to id: OrderID) -> VenueReport.Body? {
        for index in venue.reports.indices where venue.reports[index].report.order == id {
            let body = venue.reports[index].report.body
            switch body {
            case .accepted, .rejected, .amended, .decreased, .cancelled, .changeRejected: return body
            case .ended, .filled, .unknown, .provenAbsent, .state, .rateLimited: continue
            }
        }
        return nil
    }

    /// The YES price of what cost `cost` on its own side, to the micro-dollar.
    func average(_ cost: Money, _ contracts: Quantity, _ side: Side) -> Price? {
        guard contracts.isPositive else { return nil }
        let own = Price(micros: Int32((cost.raw + contracts.hundredths / 2) / contracts.hundredths))
        return side.cost(own)
    }
    func averageFee(_ fee: Money, _ contracts: Quantity) -> Money? {
        guard contracts.isPositive else { return nil }
        return Money(micros: (fee.raw + contracts.hundredths / 2) / contracts.hundredths)
    }

    func account(_ member: Member, _ subaccount: Int) -> Int? {
        member.accounts.indices.contains(subaccount) ? member.accounts[subaccount] : nil
    }

    /// One of a member's orders by its id, whoever asks: another member's is not found.
    func entry(_ orderID: String, _ member: Member) -> OrderEntry? {
        orderIDs.number(orderID).flatMap { member.entries[$0] }
    }
    func order(_ entry: OrderEntry) -> VenueOrder? {
        venue.order(OrderID(entry.number), account: entry.account)
    }

    // MARK: Changes

    /// Which shard a change goes to: named, found by the market, or the first (API.md §6.6).
    struct Route {
        var shard: Int?
        var ticker: String?
        var subaccount: Int?
    }

    private func routed(_ orderID: String, _ member: Member, _ route: Route) -> Result<OrderEntry, APIError> {
        guard let entry = entry(orderID, member), entry.subaccount == route.subaccount ?? 0 else {
            return .failure(.notFound)
        }
        let shard = venue.definitions[Int(entry.market.index)].shard
        if let wanted = route.shard, wanted >= 0 {
            return wanted == shard ? .success(entry) : .failure(.notFound)
        }
        guard let ticker = route.ticker else { return shard == 0 ? .success(entry) : .failure(.notFound) }
        guard let market = market(ticker) else { return .failure(.marketNotFound) }
        guard market == entry.market else {
            return venue.definitions[Int(market.index)].shard == shard
                ? .failure(APIError(400, "order_ticker_mismatch", "order ticker mismatch"))
                : .failure(.notFound)
        }
        return .success(entry)
    }

    private func cause(_ entry: OrderEntry, _ member: Member) -> Cause? {
        order(entry).map {
            Cause(
                member: member.index, side: $0.side, clientID: entry.clientID, subaccount: entry.subaccount)
        }
    }

    func cancel(_ orderID: String, _ member: Member, _ route: Route) -> Result<
        (OrderEntry, Quantity), APIError
    > {
        routed(orderID, member, route).flatMap { entry in
            let cause = cause(entry, member)
            venue.cancel(OrderID(entry.number), market: entry.market, account: entry.account, at: now)
            defer { flush(cause) }
            return outcome(entry) { if case .cancelled(let by) = $0 { by } else { nil } }
        }
    }

    private func outcome<Value>(_ entry: OrderEntry, _ read: (VenueReport.Body) -> Value?)
        -> Result<(OrderEntry, Value), APIError>
    {
        guard let answer = answer(to: OrderID(entry.number)) else { return .failure(.notFound) }
        if let value = read(answer) { return .success((entry, value)) }
        if case .changeRejected(_, let rejection) = answer { return .failure(APIError(rejection)) }
        return .failure(.unavailable)
    }

    func decrease(
        _ orderID: String, by: Quantity?, to: Quantity?, _ member: Member, _ route: Route
    ) -> Result<(OrderEntry, Quantity), APIError> {
        routed(orderID, member, route).flatMap { entry in
            guard let order = order(entry), order.remaining.isPositive else { return .failure(.notFound) }
            let remaining = to ?? max(order.remaining - (by ?? .zero), .zero)
            guard remaining < order.remaining || to != nil else {
                return .failure(APIError(400, "invalid_order_size", "invalid order size"))
            }
            let cause = cause(entry, member)
            venue.decrease(
                OrderID(entry.number), market: entry.market, to: remaining, account: entry.account, at: now)
            defer { flush(cause) }
            return outcome(entry) { if case .decreased(let remaining) = $0 { remaining } else { nil } }
        }
    }

    struct AmendInput {
        var ticker: String
        var side: Side
        var price: Price
        var count: Quantity
        var clientID: String?
        var updatedClientID: String?
        /// Nil keeps it, zero clears it, else Unix seconds.
        var expiration: Int64?
        var subaccount = 0
        var shard: Int?
    }

    func amend(_ orderID: String, _ input: AmendInput, _ member: Member) -> Result<PlaceOutput, APIError> {
        let route = Route(shard: input.shard, ticker: input.ticker, subaccount: input.subaccount)
        return routed(orderID, member, route).flatMap { entry in
            if let clientID = input.clientID, clientID != entry.clientID {
                return .failure(
                    APIError(
                        400, "order_id_and_client_order_id_mismatch", "order id and client order id mismatch")
                )
            }
            if let updated = input.updatedClientID, updated != entry.clientID, member.hasUsed(updated) {
                return .failure(.alreadyExists)
            }
            guard let before = order(entry) else { return .failure(.notFound) }
            let expiry = input.expiration.map { $0 == 0 ? Timestamp.unknown : Timestamp(seconds: $0) }
            venue.amend(
                AmendOrder(
                    id: OrderID(entry.number), market: entry.market, side: input.side, price: input.price,
                    quantity: input.count), account: entry.account, expiry: expiry, at: now)
            let result = outcome(entry) { if case .amended(_, _, let left) = $0 { left } else { nil } }
            defer {
                flush(
                    Cause(
                        member: member.index, side: before.side,
                        clientID: input.updatedClientID ?? entry.clientID, subaccount: entry.subaccount))
            }
            return result.map { _, remaining in
                if let updated = input.updatedClientID { member.rename(entry.number, to: updated) }
                member.entries[entry.number]?.initial = input.count
                let after = order(entry) ?? before
                let filled = after.filled - before.filled
                return PlaceOutput(
                    orderID: orderID, clientID: input.updatedClientID ?? entry.clientID, filled: filled,
                    remaining: remaining,
                    averagePrice: average(after.takerCost - before.takerCost, filled, after.side),
                    averageFee: averageFee(after.takerFees - before.takerFees, filled), time: now)
            }
        }
    }

    /// Cancels everything on one subaccount, or all.
    func cancelEverything(_ member: Member, subaccount: Int?) -> Result<Void, APIError> {
        if let subaccount, account(member, subaccount) == nil { return .failure(.subaccountNotFound) }
        for (index, account) in member.accounts.enumerated() where subaccount == nil || subaccount == index {
            venue.cancelEverything(account: account, at: now)
            flush()
        }
        return .success(())
    }

    // MARK: Groups

    func findGroup(_ text: String, _ member: Member, _ shard: Int?) -> Int? {
        guard let number = groupIDs.number(text), number > 0, member.groups.contains(Int(number) - 1) else {
            return nil
        }
        let index = Int(number) - 1
        for account in member.accounts {
            if let group = venue.group(index, account: account), shard == nil || group.shard == shard {
                return index
            }
        }
        return nil
    }
    func group(_ index: Int, _ member: Member) -> OrderGroup? {
        for account in member.accounts {
            if let group = venue.group(index, account: account) { return group }
        }
        return nil
    }
    func groupText(_ index: Int) -> String { groupIDs.text(UInt64(index) + 1) }
}

extension APIError {
    static let subaccountNotFound = APIError(404, "subaccount_not_found", "subaccount not found")
    static let unavailable = APIError(500, "internal_server_error", "internal server error")
}

extension Member {
    /// Takes back an order that the venue did not take.
    func withdraw(_ number: UInt64) {
        guard let entry = entries[number] else { return }
        entries[number] = nil
        dropLast(number)
        release(entry.clientID, number)
    }
}
