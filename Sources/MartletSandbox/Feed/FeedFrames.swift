import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

/// The bodies of messages that are not written in the hundreds of thousands (API.md §14.4).
enum FeedFrames {
    static func error(
        _ code: Int, _ message: String, id: Int64? = nil, sid: Int? = nil, sequence: Int? = nil,
        ticker: String? = nil, at time: Int64
    ) -> [UInt8] {
        let value = JSONValue.of([
            "type": .string("error"), "id": id.map { .integer($0) }, "sid": sid.map { .integer($0) },
            "seq": sequence.map { .integer($0) },
            "msg": .of([
                "code": .integer(code), "msg": .string(message), "market_ticker": .text(ticker),
            ]), "sending_ts_ms": .integer(time),
        ])
        return Array(JSONWriter.text(value).utf8)
    }

    static func ticker(_ exchange: Exchange, _ market: Market.ID) -> JSONValue {
        let record = exchange.record(market)
        let isOpen = exchange.venue.isOpen(market)
        let (bid, ask) = isOpen ? exchange.quotes(market) : (.zero, .one)
        let mark = record.lastPrice ?? .zero
        return .of([
            "market_id": .string(record.uuid), "market_ticker": .string(record.ticker),
            "price_dollars": .price(mark), "yes_bid_dollars": .price(bid), "yes_ask_dollars": .price(ask),
            "volume_fp": .count(record.volume), "open_interest_fp": .count(record.openInterest),
            "dollar_volume": .integer(record.dollarVolume.cents / 100),
            "dollar_open_interest": .integer((mark * record.openInterest).cents / 100),
            "yes_bid_size_fp": .count(bid > .zero ? exchange.venue.size(market, .bid, at: bid) : .zero),
            "yes_ask_size_fp": .count(ask < .one ? exchange.venue.size(market, .ask, at: ask) : .zero),
            "last_trade_size_fp": .count(record.lastSize), "ts": .integer(exchange.now.seconds),
            "ts_ms": .integer(exchange.now.milliseconds), "time": .time(exchange.now),
        ])
    }

    static func fill(_ exchange: Exchange, _ record: FillRecord) -> JSONValue {
        let definition = exchange.record(record.fill.market).definition
        let side = record.fill.side
        return .of([
            "trade_id": .string(exchange.tradeIDs.text(record.number)),
            "order_id": .string(exchange.orderIDs.text(record.order)),
            "client_order_id": record.clientID.isEmpty ? nil : .string(record.clientID),
            "market_ticker": .string(definition.ticker), "exchange_index": .integer(definition.shard),
            "is_taker": .bool(record.fill.isTaker), "side": .string(side.outcome),
            "yes_price_dollars": .price(record.fill.price), "count_fp": .count(record.fill.quantity),
            "fee_cost": .cost(record.fill.fee), "action": .string("buy"),
            "ts": .integer(record.fill.exchangeTime.seconds),
            "ts_ms": .integer(record.fill.exchangeTime.milliseconds),
            "post_position_fp": .count(record.position), "purchased_side": .string(side.outcome),
            "outcome_side": .string(side.outcome), "book_side": .string(side.description),
            "subaccount": .integer(record.subaccount),
        ])
    }

    static func order(_ exchange: Exchange, _ entry: OrderEntry, _ order: VenueOrder, _ member: Member)
        -> JSONValue
    {
        let definition = exchange.record(entry.market).definition
        var expiry: Timestamp?
        if case .goodTill(let time) = order.timeInForce { expiry = time }
        let isNew = entry.reason == nil
        return .of([
            "order_id": .string(exchange.orderIDs.text(entry.number)), "user_id": .string(member.userID),
            "ticker": .string(definition.ticker), "exchange_index": .integer(definition.shard),
            "status": .string(Exchange.status(order)), "side": .string(order.side.outcome),
            "is_yes": .bool(order.side == .bid), "outcome_side": .string(order.side.outcome),
            "book_side": .string(order.side.description), "yes_price_dollars": .price(order.price),
            "fill_count_fp": .count(order.filled), "remaining_count_fp": .count(order.remaining),
            "initial_count_fp": .count(entry.initial), "taker_fill_cost_dollars": .cost(order.takerCost),
            "maker_fill_cost_dollars": .cost(order.makerCost), "taker_fees_dollars": .cost(order.takerFees),
            "maker_fees_dollars": .cost(order.makerFees), "client_order_id": .string(entry.clientID),
            "order_group_id": entry.group.map { .string(exchange.groupText($0)) },
            "self_trade_prevention_type": .string(order.selfTradePrevention.wire),
            "created_time": .time(order.created), "created_ts_ms": .integer(order.created.milliseconds),
            "expiration_time": expiry.map { .time($0) },
            "expiration_ts_ms": expiry.map { .integer($0.milliseconds) },
            "subaccount_number": .integer(entry.subaccount),
            "last_update_time": isNew ? nil : .time(order.updated),
            "last_updated_ts_ms": isNew ? nil : .integer(order.updated.milliseconds),
            "last_update_reason": .text(entry.reason),
        ])
    }

    static func position(_ exchange: Exchange, _ market: Market.ID, _ subaccount: Int, _ member: Member)
        -> JSONValue
    {
        let account = exchange.account(member, subaccount) ?? member.accounts[0]
        let position = exchange.venue.position(account, market)
        return .of([
            "user_id": .string(member.userID), "market_ticker": .string(exchange.record(market).ticker),
            "position_fp": .count(position.quantity), "position_cost_dollars": .dollars(position.cost),
            "realized_pnl_dollars": .dollars(position.realized), "fees_paid_dollars": .dollars(position.fees),
            "position_fee_cost_dollars": .dollars(position.fees), "volume_fp": .count(position.volume),
            "subaccount": .integer(subaccount),
        ])
    }

    static func group(_ exchange: Exchange, _ index: Int, _ change: GroupChange, _ member: Member)
        -> JSONValue
    {
        let type: String
        var limit: Quantity?
        switch change {
        case .created:
            type = "created"
            limit = exchange.group(index, member)?.limit
        case .triggered: type = "triggered"
        case .reset: type = "reset"
        case .deleted: type = "deleted"
        case .limitUpdated:
            type = "limit_updated"
            limit = exchange.group(index, member)?.limit
        }
        return .of([
            "event_type": .string(type), "order_group_id": .string(exchange.groupText(index)),
            "contracts_limit_fp": limit.map { .count($0) }, "ts_ms": .integer(exchange.now.milliseconds),
        ])
    }

    // MARK: Life

    enum LifeType { case market, event }

    /// The series that it is about, the message's type and its body.
    static func life(_ exchange: Exchange, _ event: LifeEvent) -> (series: String, LifeType, JSONValue) {
        func told(_ market: Market.ID, _ type: String, _ more: [JSONValue.Member]) -> (
            String, LifeType, JSONValue
        ) {
            let record = exchange.record(market)
            let head: [JSONValue.Member] = [
                .init("market_ticker", .string(record.ticker)), .init("event_type", .string(type)),
            ]
            return (record.definition.series, .market, .object(head + more))
        }
        let now = JSONValue.integer(exchange.now.seconds)
        switch event {
        case .event(let index):
            let record = exchange.events[index]
            return (
                record.series, .event,
                .of([
                    "event_ticker": .string(record.ticker), "exchange_index": .integer(record.shard),
                    "title": .string(record.title), "subtitle": .string(record.subtitle),
                    "collateral_return_type": .string(record.collateralReturn.wire),
                    "series_ticker": .string(record.series),
                    "strike_date": record.strikeDate.isKnown ? .integer(record.strikeDate.seconds) : nil,
                ])
            )
        case .created(let market): return created(exchange, exchange.record(market))
        case .activated(let market): return told(market, "activated", [.init("is_deactivated", .bool(false))])
        case .deactivated(let market):
            return told(market, "deactivated", [.init("is_deactivated", .bool(true))])
        case .closeChanged(let market):
            let close = exchange.record(market).definition.closeTime
            return told(market, "close_date_updated", [.init("close_ts", .integer(close.seconds))])
        case .determined(let market, let result):
            return told(
                market, "determined",
                [
                    .init("determination_ts", now), .init("result", .string(exchange.wire(result))),
                    .init("settlement_value", .price(result.yesValue)),
                ])
        case .settled(let market): return told(market, "settled", [.init("settled_ts", now)])
        case .gridChanged(let market):
            let description = exchange.record(market).description
            return told(
                market, "price_level_structure_updated",
                [
                    .init("price_level_structure", .string(description.structure)),
                    .init("price_ranges", exchange.ranges(description.definition.grid)),
                ])
        }
    }

    private static func created(_ exchange: Exchange, _ record: MarketRecord) -> (String, LifeType, JSONValue)
    {
        let definition = record.definition
        let description = record.description
        func seconds(_ time: Timestamp) -> JSONValue {
            .integer(time.isKnown ? time.seconds : record.created.seconds)
        }
        let metadata = JSONValue.of([
            "name": .string("\(definition.title) \(definition.subtitle)"), "title": .string(definition.title),
            "yes_sub_title": .string(definition.subtitle), "no_sub_title": .string(description.noSubtitle),
            "rules_primary": .string(description.rules), "rules_secondary": .string(""),
            "can_close_early": .bool(description.canCloseEarly), "event_ticker": .string(definition.event),
            "expected_expiration_ts": seconds(definition.closeTime),
            "strike_type": .text(description.strikeType),
            "floor_strike": description.floorStrike.map { .number($0) },
            "cap_strike": description.capStrike.map { .number($0) },
        ])
        return (
            definition.series, .market,
            .of([
                "market_ticker": .string(record.ticker), "exchange_index": .integer(definition.shard),
                "open_ts": seconds(definition.openTime), "close_ts": seconds(definition.closeTime),
                "additional_metadata": metadata, "event_type": .string("created"),
                "price_level_structure": .string(description.structure),
                "price_ranges": exchange.ranges(definition.grid),
            ])
        )
    }

    /// A value of a reference index, in hundredths of a dollar, as a channel tells it.
    static func reference(_ channel: Channel, _ name: String, _ cents: Int64, _ now: Int64) -> JSONValue {
        let text = FixedPoint.format(cents, decimals: 2, minimum: 2)
        let exact = JSONValue.string(text + "000000")
        if channel == .prices {
            return .of([
                "underlying_ticker": .string(name), "value_usd": exact, "source_ts_ms": .integer(now),
                "received_at": .integer(now),
            ])
        }
        let data = JSONWriter.text(
            .of([
                "type": .string("value"), "id": .string(name), "time": .integer(now), "value": .string(text),
            ]))
        if channel == .fastIndexValues {
            return .of([
                "index_id": .string(name), "value_usd": exact, "source_ts_ms": .integer(now),
                "received_at": .integer(now), "data": .string(data),
            ])
        }
        return .of([
            "index_id": .string(name), "received_at": .integer(now), "data": .string(data),
            "avg_60s_data": .of([
                "value": exact, "window_size": .integer(60), "window_start_ts_ms": .integer(now - 60_000),
                "window_end_ts_exclusive": .integer(now),
            ]),
        ])
    }
}
