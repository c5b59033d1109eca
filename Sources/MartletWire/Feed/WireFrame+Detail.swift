import Martlet

// The messages that are not hot, read from the value that the general parser made.
extension WireFrame {
    /// What the frame says beyond its header. Throws when something is missing that the message cannot do without,
    /// or is impossible or contradictory; unknown words in open lists are kept.
    public func detail() throws(WireError) -> WireDetail {
        switch kind {
        case .delta, .snapshot, .trade, .ticker: return .none
        case .fill: return .fill(try FillMessage(try body()))
        case .userOrder: return .userOrder(try UserOrderMessage(try body()))
        case .marketPosition: return .marketPosition(try PositionMessage(try body()))
        case .marketLifecycle, .multivariateLifecycle:
            return .marketLifecycle(try MarketLifecycleMessage(try body()))
        case .eventLifecycle: return .eventLifecycle(try EventLifecycleMessage(try body()))
        case .eventFeeUpdate: return .eventFee(try EventFeeMessage(try body()))
        case .orderGroup: return .orderGroup(try OrderGroupMessage(try body()))
        case .reference: return .reference(try ReferenceValue(message: try body(), type: type))
        case .subscribed:
            let body = try body()
            return .subscribed(
                channel: try body.name("channel"), sid: try body.required(try body.int64("sid"), "sid"))
        case .unsubscribed: return .unsubscribed
        case .ok: return .ok(try OKMessage(general?["msg"]))
        case .error: return .error(try ErrorMessage(try body()))
        case .unknown(let type): return .unknown(type: type)
        }
    }

    private var type: String { general?["type"]?.string ?? "" }
    private func body() throws(WireError) -> FieldReader {
        guard let message = general?["msg"] else { throw .missing(field: "msg", message: type) }
        return try FieldReader(message, type)
    }
}

extension FillMessage {
    init(_ fields: FieldReader) throws(WireError) {
        tradeID = try fields.name("trade_id")
        orderID = try fields.name("order_id")
        clientOrderID = try fields.string("client_order_id")
        ticker = try fields.name("market_ticker")
        shard = try fields.int("exchange_index")
        isTaker = try fields.required(try fields.bool("is_taker"), "is_taker")
        side = try fields.side()
        price = try fields.yesPrice()
        quantity = try fields.required(try fields.quantity("count_fp"), "count_fp")
        fee = try fields.money("fee_cost")
        positionAfter = try fields.quantity("post_position_fp")
        exchangeTime = try fields.bestTime("ts_ms", "ts")
        subaccount = try fields.int("subaccount")
    }
}

extension UserOrderMessage {
    init(_ fields: FieldReader) throws(WireError) {
        orderID = try fields.name("order_id")
        clientOrderID = try fields.string("client_order_id")
        // Not `market_ticker`, as everywhere else.
        ticker = try fields.name("ticker")
        shard = try fields.int("exchange_index")
        status = WireOrderStatus(wire: try fields.name("status"))
        side = try fields.side()
        price = try fields.yesPrice()
        initial = try fields.quantity("initial_count_fp")
        filled = try fields.required(try fields.quantity("fill_count_fp"), "fill_count_fp")
        remaining = try fields.required(try fields.quantity("remaining_count_fp"), "remaining_count_fp")
        takerFees = try fields.money("taker_fees_dollars")
        makerFees = try fields.money("maker_fees_dollars")
        createdTime = try fields.bestTime("created_ts_ms", "created_time")
        updatedTime = try fields.bestTime("last_updated_ts_ms", "last_update_time")
        expirationTime = try fields.bestTime("expiration_ts_ms", "expiration_time")
        reason = try fields.string("last_update_reason")
        orderGroup = try fields.string("order_group_id")
        subaccount = try fields.int("subaccount_number")
    }
}

extension PositionMessage {
    init(_ fields: FieldReader) throws(WireError) {
        ticker = try fields.name("market_ticker")
        position = try fields.required(try fields.quantity("position_fp"), "position_fp")
        cost = try fields.money("position_cost_dollars")
        realized = try fields.money("realized_pnl_dollars")
        fees = try fields.money("fees_paid_dollars")
        volume = try fields.quantity("volume_fp")
        subaccount = try fields.int("subaccount")
    }
}

extension MarketLifecycleMessage {
    init(_ fields: FieldReader) throws(WireError) {
        ticker = try fields.name("market_ticker")
        event = Event(wire: try fields.name("event_type"))
        shard = try fields.int("exchange_index")
        openTime = try fields.time("open_ts") ?? .unknown
        closeTime = try fields.time("close_ts") ?? .unknown
        determinationTime = try fields.time("determination_ts") ?? .unknown
        settledTime = try fields.time("settled_ts") ?? .unknown
        settlementValue = try fields.contractPrice("settlement_value")
        result = try MarketDefinition.result(
            try fields.string("result"), value: fields.member("settlement_value")?.decimalText)
        isDeactivated = try fields.bool("is_deactivated")
        priceLevelStructure = try fields.string("price_level_structure")
        grid = try MarketDefinition.grid(fields.value)
        let metadata = fields.member("additional_metadata")
        eventTicker = metadata?["event_ticker"]?.string
        title = metadata?["title"]?.string
        let subtitle = try fields.string("yes_sub_title")
        yesSubtitle = metadata?["yes_sub_title"]?.string ?? subtitle
        noSubtitle = metadata?["no_sub_title"]?.string
    }
}

extension EventLifecycleMessage {
    init(_ fields: FieldReader) throws(WireError) {
        eventTicker = try fields.name("event_ticker")
        seriesTicker = try fields.string("series_ticker")
        title = try fields.string("title")
        subtitle = try fields.string("subtitle")
        shard = try fields.int("exchange_index")
        collateralReturn = try fields.string("collateral_return_type").map(CollateralReturn.init(wire:))
    }
}

extension EventFeeMessage {
    init(_ fields: FieldReader) throws(WireError) {
        eventTicker = try fields.name("event_ticker")
        type = try fields.string("fee_type_override").map(FeeType.init(wire:))
        multiplierMillionths = try fields.fixed("fee_multiplier_override", 6)
    }
}

extension OrderGroupMessage {
    init(_ fields: FieldReader) throws(WireError) {
        group = try fields.name("order_group_id")
        event = try fields.name("event_type")
        limit = try fields.quantity("contracts_limit_fp")
        exchangeTime = try fields.milliseconds("ts_ms") ?? .unknown
    }
}

extension OKMessage {
    init(_ body: JSONValue?) throws(WireError) {
        guard let body, !body.isNull else { return }
        if let list = body.array {
            var found: [Subscription] = []
            for element in list {
                let fields = try FieldReader(element, "ok")
                found.append(
                    Subscription(
                        channel: try fields.name("channel"),
                        sid: try fields.required(try fields.int64("sid"), "sid")))
            }
            subscriptions = found
        } else {
            let fields = try FieldReader(body, "ok")
            tickers = try fields.strings("market_tickers")
            marketIDs = try fields.strings("market_ids")
        }
    }
}

extension ErrorMessage {
    init(_ fields: FieldReader) throws(WireError) {
        code = try fields.required(try fields.int("code"), "code")
        message = try fields.string("msg") ?? ""
        let one = try fields.string("market_ticker").map { [$0] }
        tickers = try fields.strings("market_tickers") ?? one ?? []
    }
}

extension ReferenceValue {
    /// Of the three index channels. The once-a-second one of CF Benchmarks carries the provider's own message as JSON
    /// within a string.
    init(message fields: FieldReader, type: String) throws(WireError) {
        let isPyth = type.hasPrefix("pyth")
        let index =
            isPyth
            ? "pyth:" + (try fields.name("underlying_ticker"))
            : "cfbenchmarks:" + (try fields.name("index_id"))
        let received = try fields.milliseconds("received_at") ?? .unknown
        self.init(index: index, value: 0, exchangeTime: try fields.milliseconds("source_ts_ms") ?? received)
        if let value = try fields.fixed("value_usd", 8) {
            self.value = value
        } else {
            let text = try fields.required(try fields.string("data"), "value_usd")
            guard let parsed = try? JSONParser.parse(text) else {
                throw .invalid(field: "data", value: String(text.prefix(60)), problem: "not JSON")
            }
            let data = try FieldReader(parsed, "data")
            value = try data.required(try data.fixed("value", 8), "data.value")
            if let time = try data.milliseconds("time") { exchangeTime = time }
        }
        if let average = fields.member("last_60s_windowed_average_15min") {
            settlementAverage = try FieldReader.fixed(
                average["value"] ?? average, 8, "last_60s_windowed_average_15min")
        }
    }
}
