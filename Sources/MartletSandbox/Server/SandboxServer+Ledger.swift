import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// The exchange's own books, told whole and exactly: what a test compares a client's memory with. Nothing here is
// paged, rounded or billed, and no fault strikes it.
extension SandboxServer {
    /// The ledger of one account by its key id, nil for an unknown one; of all accounts without one. Amounts are
    /// text in dollars and contracts without rounding, prices are YES prices, times are nanoseconds since 1970 UTC.
    ///
    /// For the loop's thread; over HTTP it is `GET /sandbox/ledger?account=KEYID`.
    public func ledger(account keyID: String? = nil) -> JSONValue? {
        let members: [Member]
        if let keyID {
            guard let (member, _) = exchange.registration(keyID) else { return nil }
            members = [member]
        } else {
            members = exchange.members
        }
        return .of([
            "now_ns": .integer(exchange.now.nanoseconds),
            "user_data_ns": .integer(exchange.userDataTime.nanoseconds),
            // All cash, open pairs and fees of everybody together against all that was ever paid in.
            "balanced": .bool(exchange.venue.isBalanced),
            "accounts": .array(members.map(exchange.ledger)),
        ])
    }
}

extension Exchange {
    /// `as_of_time` of `user_data_timestamp`.
    var userDataTime: Timestamp { now - userDataLag }

    fileprivate func ledger(_ member: Member) -> JSONValue {
        let keys = keyIDs(of: member)
        return .of([
            "key_ids": .array(keys.map { .string($0) }), "user_id": .string(member.userID),
            "subaccounts": .array(member.accounts.indices.map { subaccountLedger($0, member) }),
            "orders": .array(
                member.sequence.compactMap { number in
                    guard let entry = member.entries[number], let order = order(entry) else { return nil }
                    return orderLedger(entry, order)
                }),
            "fills": .array(member.fills.map(fillLedger)),
            "settlements": .array(member.settlements.map(settlementLedger)),
        ])
    }

    private func subaccountLedger(_ number: Int, _ member: Member) -> JSONValue {
        let account = member.accounts[number]
        let shards = venue.shards(account).map { shard -> JSONValue in
            .of([
                "exchange_index": .integer(shard.shard), "cash": .exact(shard.cash),
                "reserved": .exact(shard.reserved), "returned": .exact(shard.returned),
                "available": .exact(shard.available),
            ])
        }
        let positions = venue.markets(of: account).compactMap { market -> JSONValue? in
            let position = venue.position(account, market)
            guard position.volume.isPositive else { return nil }
            return .of([
                "ticker": .string(record(market).ticker), "position": .count(position.quantity),
                "cost": .exact(position.cost), "realized": .exact(position.realized),
                "fees": .exact(position.fees), "volume": .count(position.volume),
            ])
        }
        return .of([
            "subaccount": .integer(number), "shards": .array(shards), "positions": .array(positions),
        ])
    }

    private func orderLedger(_ entry: OrderEntry, _ order: VenueOrder) -> JSONValue {
        .of([
            "order_id": .string(orderIDs.text(entry.number)), "client_order_id": .string(entry.clientID),
            "ticker": .string(record(entry.market).ticker), "subaccount": .integer(entry.subaccount),
            "side": .string(order.side.description), "price": .price(order.price),
            "status": .string(Exchange.status(order)), "reason": .text(order.reason?.wire),
            "initial": .count(entry.initial), "filled": .count(order.filled),
            "remaining": .count(order.remaining), "cost": .exact(order.takerCost + order.makerCost),
            "fees": .exact(order.takerFees + order.makerFees),
            "order_group_id": entry.group.map { .string(groupText($0)) },
            "created_ns": .integer(order.created.nanoseconds),
            "updated_ns": .integer(order.updated.nanoseconds),
        ])
    }

    private func fillLedger(_ fill: FillRecord) -> JSONValue {
        .of([
            "trade_id": .string(tradeIDs.text(fill.number)), "order_id": .string(orderIDs.text(fill.order)),
            "client_order_id": .string(fill.clientID), "ticker": .string(record(fill.fill.market).ticker),
            "subaccount": .integer(fill.subaccount), "side": .string(fill.fill.side.description),
            "price": .price(fill.fill.price), "count": .count(fill.fill.quantity),
            "fee": .exact(fill.fill.fee), "is_taker": .bool(fill.fill.isTaker),
            "post_position": .count(fill.position), "time_ns": .integer(fill.fill.exchangeTime.nanoseconds),
        ])
    }

    private func settlementLedger(_ entry: SettlementEntry) -> JSONValue {
        let record = entry.record
        return .of([
            "ticker": .string(self.record(record.market).ticker), "subaccount": .integer(entry.subaccount),
            "result": .string(wire(record.result)), "position": .count(record.position),
            "cost": .exact(record.cost), "payout": .exact(record.payout), "fees": .exact(record.fees),
            "time_ns": .integer(record.time.nanoseconds),
        ])
    }
}

extension JSONValue {
    /// Dollars with all eight decimals that there are.
    fileprivate static func exact(_ value: Money) -> JSONValue { .string(value.description) }
}
