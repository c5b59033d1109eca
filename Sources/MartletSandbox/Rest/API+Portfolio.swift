import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// Balance, positions, fills and settlements (API.md §8).
extension API {
    static var portfolioRoutes: [Route] {
        [
            route("GET", "portfolio/balance", .member, .read(10), API.balance),
            route("GET", "portfolio/positions", .member, .read(10), API.positions),
            route("GET", "portfolio/fills", .member, .read(10), API.fills),
            route("GET", "portfolio/settlements", .member, .read(10), API.settlements),
            route(
                "GET", "portfolio/summary/total_resting_order_value", .member, .read(10), API.restingValue),
            route("GET", "portfolio/deposits", .member, .read(10), API.deposits),
            route("GET", "portfolio/withdrawals", .member, .read(10), API.withdrawals),
        ]
    }

    func need(_ member: Member, _ subaccount: Int) throws(APIError) -> Int {
        guard let account = exchange.account(member, subaccount) else { throw .subaccountNotFound }
        return account
    }

    // MARK: Balance

    private func balance(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let account = try need(member, try request.subaccount() ?? 0)
        let shard = try request.shard().flatMap { $0 >= 0 ? $0 : nil }
        let shards = exchange.venue.shards(account)
        let breakdown = Exchange.shards.indices.map { index in
            (index, shards.first { $0.shard == index }?.cash ?? .zero)
        }
        let sum = breakdown.reduce(Money.zero) { shard == nil || shard == $1.0 ? $0 + $1.1 : $0 }
        return .ok(
            .of([
                "balance": .integer(sum.cents), "balance_dollars": .dollars(sum),
                "portfolio_value": .integer(value(account, shard).cents),
                "updated_ts": .integer(exchange.now.seconds),
                "balance_breakdown": .array(
                    breakdown.map {
                        .of(["exchange_index": .integer($0.0), "balance": .dollars($0.1)])
                    }),
            ]))
    }

    /// What positions would bring at the best price, the last one where there is none.
    private func value(_ account: Int, _ shard: Int?) -> Money {
        var sum = Money.zero
        for market in exchange.venue.markets(of: account) {
            let held = exchange.venue.position(account, market).quantity
            let record = exchange.record(market)
            guard !held.isZero, shard == nil || record.definition.shard == shard else { continue }
            let side: Side = held.isPositive ? .bid : .ask
            let mark = exchange.venue.best(market, side) ?? record.lastPrice ?? .zero
            sum += side.cost(mark) * held.magnitude
        }
        return sum
    }

    // MARK: Positions

    private func positions(_ request: APIRequest) throws(APIError) -> APIResponse {
        let status = request.text("settlement_status") ?? "unsettled"
        guard ["unsettled", "settled", "all"].contains(status) else {
            throw .badRequest(
                "settlement_status is '\(status.prefix(40))'; one of unsettled, settled, all")
        }
        return .ok(try positionList(request, status: status))
    }

    func positionList(_ request: APIRequest, status: String) throws(APIError) -> JSONValue {
        let member = try request.owner()
        let account = try need(member, try request.subaccount() ?? 0)
        let page = try Page(request)
        let counts = try request.list("count_filter") ?? []
        if let other = counts.first(where: { $0 != "position" && $0 != "total_traded" }) {
            throw .badRequest("count_filter is '\(other.prefix(40))'; of position, total_traded")
        }
        let (ticker, event) = (request.text("ticker"), request.text("event_ticker"))
        let shard = try request.shard().flatMap { $0 >= 0 ? $0 : nil }
        var rows: [JSONValue] = []
        var sums: [(event: String, sum: LedgerPosition)] = []
        var cursor = JSONValue.string("")
        let markets = exchange.venue.markets(of: account)
        for (place, market) in markets.enumerated().dropFirst(Int(min(page.after ?? 0, 1 << 40))) {
            let position = exchange.venue.position(account, market)
            let definition = exchange.record(market).definition
            let isSettled = exchange.venue.statuses[Int(market.index)] == .finalized
            guard position.volume.isPositive, ticker == nil || ticker == definition.ticker,
                event == nil || event == definition.event, shard == nil || shard == definition.shard,
                status == "all" || (status == "settled") == isSettled,
                !counts.contains("position") || !position.quantity.isZero,
                !counts.contains("total_traded") || position.volume.isPositive
            else { continue }
            if rows.count == page.limit {
                cursor = page.cursor(UInt64(place))
                break
            }
            rows.append(exchange.body(market, position, member))
            if let index = sums.firstIndex(where: { $0.event == definition.event }) {
                sums[index].sum.add(position)
            } else {
                sums.append((definition.event, position))
            }
        }
        let events = sums.map { event, sum -> JSONValue in
            .of([
                "event_ticker": .string(event), "total_cost_dollars": .cost(sum.traded),
                "total_cost_shares_fp": .count(sum.volume), "event_exposure_dollars": .cost(sum.cost),
                "realized_pnl_dollars": .cost(sum.realized), "fees_paid_dollars": .cost(sum.fees),
            ])
        }
        return .of([
            "cursor": cursor, "market_positions": .array(rows), "event_positions": .array(events),
        ])
    }

    // MARK: Fills

    private func fills(_ request: APIRequest) throws(APIError) -> APIResponse { .ok(try fillList(request)) }

    func fillList(_ request: APIRequest) throws(APIError) -> JSONValue {
        let member = try request.owner()
        let page = try Page(request)
        let tickers = try request.list("ticker", most: 100)
        var order: UInt64?
        if let text = request.text("order_id") { order = exchange.orderIDs.number(text) ?? 0 }
        let (least, most) = (try request.whole("min_ts") ?? .min, try request.whole("max_ts") ?? .max)
        let subaccount = try request.subaccount()
        let shard = try request.shard().flatMap { $0 >= 0 ? $0 : nil }
        let (items, cursor) = self.page(
            member.fills, page, number: \.number,
            keep: { fill in
                let definition = exchange.record(fill.fill.market).definition
                let seconds = fill.fill.exchangeTime.seconds
                return tickers?.contains(definition.ticker) ?? true && (order == nil || order == fill.order)
                    && seconds >= least && seconds <= most
                    && (subaccount ?? fill.subaccount) == fill.subaccount
                    && (shard == nil || shard == definition.shard)
            }, body: { exchange.body($0) })
        return .of(["fills": .array(items), "cursor": cursor])
    }

    // MARK: Settlements

    private func settlements(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        let page = try Page(request)
        let (ticker, event) = (request.text("ticker"), request.text("event_ticker"))
        let (least, most) = (try request.whole("min_ts") ?? .min, try request.whole("max_ts") ?? .max)
        let subaccount = try request.subaccount()
        let (items, cursor) = self.page(
            member.settlements, page, number: \.number,
            keep: { entry in
                let definition = exchange.record(entry.record.market).definition
                let seconds = entry.record.time.seconds
                return (ticker == nil || ticker == definition.ticker)
                    && (event == nil || event == definition.event) && seconds >= least && seconds <= most
                    && (subaccount ?? entry.subaccount) == entry.subaccount
            }, body: { exchange.body($0.record) })
        return .ok(.of(["settlements": .array(items), "cursor": cursor]))
    }

    private func restingValue(_ request: APIRequest) throws(APIError) -> APIResponse {
        let member = try request.owner()
        var shards = [Money](repeating: .zero, count: Exchange.shards.count)
        for account in member.accounts {
            for order in exchange.venue.openOrders(account) {
                shards[exchange.record(order.market).definition.shard] +=
                    order.side.cost(order.price) * order.remaining
            }
        }
        return .ok(
            .of([
                "total_resting_order_value": .integer(shards.reduce(.zero, +).cents),
                "resting_order_value_breakdown": .array(
                    shards.enumerated().map {
                        .of([
                            "exchange_index": .integer($0.offset), "balance": .dollars($0.element),
                        ])
                    }),
            ]))
    }

    private func deposits(_ request: APIRequest) throws(APIError) -> APIResponse {
        _ = try Page(request, most: 500)
        return .ok(.of(["deposits": .array([]), "cursor": .string("")]))
    }
    private func withdrawals(_ request: APIRequest) throws(APIError) -> APIResponse {
        _ = try Page(request, most: 500)
        return .ok(.of(["withdrawals": .array([]), "cursor": .string("")]))
    }
}

extension LedgerPosition {
    /// Adds another market's holding, for an event's sums.
    fileprivate mutating func add(_ other: LedgerPosition) {
        quantity += other.quantity
        cost += other.cost
        realized += other.realized
        fees += other.fees
        volume += other.volume
        traded += other.traded
    }
}

extension Exchange {
    func body(_ market: Market.ID, _ position: LedgerPosition, _ member: Member) -> JSONValue {
        let definition = record(market).definition
        return .of([
            "ticker": .string(definition.ticker), "exchange_index": .integer(definition.shard),
            "total_traded_dollars": .cost(position.traded), "position_fp": .count(position.quantity),
            "market_exposure_dollars": .cost(position.cost), "realized_pnl_dollars": .cost(position.realized),
            "fees_paid_dollars": .cost(position.fees),
            "last_updated_ts": .time(member.touched[market] ?? now),
        ])
    }

    func body(_ fill: FillRecord) -> JSONValue {
        let definition = record(fill.fill.market).definition
        let id = tradeIDs.text(fill.number)
        let side = fill.fill.side
        return .of([
            "fill_id": .string(id), "trade_id": .string(id), "exchange_index": .integer(definition.shard),
            "order_id": .string(orderIDs.text(fill.order)), "ticker": .string(definition.ticker),
            "market_ticker": .string(definition.ticker), "side": .string(side.outcome),
            "action": .string("buy"), "outcome_side": .string(side.outcome),
            "book_side": .string(side.description), "count_fp": .count(fill.fill.quantity),
            "yes_price_dollars": .price(fill.fill.price),
            "no_price_dollars": .price(fill.fill.price.complement), "is_taker": .bool(fill.fill.isTaker),
            "created_time": .time(fill.fill.exchangeTime), "fee_cost": .cost(fill.fill.fee),
            "subaccount_number": .integer(fill.subaccount), "ts": .integer(fill.fill.exchangeTime.seconds),
        ])
    }

    func body(_ settlement: SettlementRecord) -> JSONValue {
        let definition = record(settlement.market).definition
        let isLong = settlement.position.isPositive
        let held = settlement.position.magnitude
        let value = Int64(settlement.result.yesValue.micros) / 10_000
        return .of([
            "ticker": .string(definition.ticker), "exchange_index": .integer(definition.shard),
            "event_ticker": .string(definition.event), "market_result": .string(wire(settlement.result)),
            "yes_count_fp": .count(isLong ? held : .zero),
            "yes_total_cost_dollars": .cost(isLong ? settlement.cost : .zero),
            "no_count_fp": .count(isLong ? .zero : held),
            "no_total_cost_dollars": .cost(isLong ? .zero : settlement.cost),
            "revenue": .integer(settlement.payout.cents), "settled_time": .time(settlement.time),
            "fee_cost": .cost(settlement.fees), "value": .integer(value),
        ])
    }
}
