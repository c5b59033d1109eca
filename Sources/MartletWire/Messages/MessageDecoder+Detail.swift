import Martlet

// The private, life-cycle, reference and control messages.
extension MessageDecoder {
    mutating func readDetail(_ message: inout WireMessage, _ type: JSONToken) throws(WireError) -> WireDetail {
        switch message.kind {
        case .fill: return .fill(try readFill(&message))
        case .userOrder: return .userOrder(try readUserOrder(&message))
        case .marketPosition: return .marketPosition(try readPosition(&message))
        case .marketLifecycle: return .marketLifecycle(try readMarketLifecycle(&message))
        case .eventLifecycle: return .eventLifecycle(try readEventLifecycle())
        case .eventFee: return .eventFee(try readEventFee())
        case .orderGroup: return .orderGroup(try readOrderGroup(&message))
        case .reference:
            let source = envelope.text(type, is: "pyth_value") ? "pyth" : "cfbenchmarks"
            let value = try readReference(source: source)
            message.exchangeTime = value.exchangeTime
            return .reference(value)
        case .subscribed: return try readSubscribed()
        case .error: return .error(try readError())
        case .delta, .snapshot, .trade, .ticker, .unsubscribed, .ok, .unknown: return .none
        }
    }

    // MARK: Private

    private mutating func readFill(_ message: inout WireMessage) throws(WireError) -> FillMessage {
        findMarket("market_ticker", &message)
        guard let price = try fields.price("yes_price_dollars") else {
            throw fields.error(.missing, "yes_price_dollars")
        }
        guard let quantity = try fields.quantity("count_fp") else { throw fields.error(.missing, "count_fp") }
        guard let isTaker = try fields.bool("is_taker") else { throw fields.error(.missing, "is_taker") }
        message.exchangeTime = try fields.bestTime("ts_ms", "ts")
        let fill = FillMessage(
            tradeID: try fields.requiredString("trade_id"), orderID: try fields.requiredString("order_id"),
            clientOrderID: try fields.string("client_order_id"),
            ticker: try fields.requiredString("market_ticker"), shard: try fields.int("exchange_index"),
            isTaker: isTaker, side: try direction(bookSide: "book_side", outcomeSide: "outcome_side"),
            price: try inRange(price, "yes_price_dollars"), quantity: quantity,
            fee: try fields.money("fee_cost"), positionAfter: try fields.quantity("post_position_fp"),
            exchangeTime: message.exchangeTime, subaccount: try fields.int("subaccount"))
        message.side = fill.side
        message.price = fill.price
        message.quantity = fill.quantity
        return fill
    }

    private mutating func readUserOrder(_ message: inout WireMessage) throws(WireError) -> UserOrderMessage {
        findMarket("ticker", &message)
        guard let price = try fields.price("yes_price_dollars") else {
            throw fields.error(.missing, "yes_price_dollars")
        }
        guard let filled = try fields.quantity("fill_count_fp") else {
            throw fields.error(.missing, "fill_count_fp")
        }
        guard let remaining = try fields.quantity("remaining_count_fp") else {
            throw fields.error(.missing, "remaining_count_fp")
        }
        let created = try fields.bestTime("created_ts_ms", "created_time")
        let updated = try fields.bestTime("last_updated_ts_ms", "last_update_time")
        message.exchangeTime = updated.isKnown ? updated : created
        return UserOrderMessage(
            orderID: try fields.requiredString("order_id"), clientOrderID: try fields.string("client_order_id"),
            ticker: try fields.requiredString("ticker"), shard: try fields.int("exchange_index"),
            status: WireOrderStatus(wire: try fields.requiredString("status")),
            side: try direction(bookSide: "book_side", outcomeSide: "outcome_side"),
            price: try inRange(price, "yes_price_dollars"), initial: try fields.quantity("initial_count_fp"),
            filled: filled, remaining: remaining, takerFees: try fields.money("taker_fees_dollars"),
            makerFees: try fields.money("maker_fees_dollars"), createdTime: created, updatedTime: updated,
            expirationTime: try fields.bestTime("expiration_ts_ms", "expiration_time"),
            reason: try fields.string("last_update_reason"), orderGroup: try fields.string("order_group_id"),
            subaccount: try fields.int("subaccount_number"))
    }

    private mutating func readPosition(_ message: inout WireMessage) throws(WireError) -> PositionMessage {
        findMarket("market_ticker", &message)
        guard let position = try fields.quantity("position_fp") else {
            throw fields.error(.missing, "position_fp")
        }
        return PositionMessage(
            ticker: try fields.requiredString("market_ticker"), position: position,
            cost: try fields.money("position_cost_dollars"), realized: try fields.money("realized_pnl_dollars"),
            fees: try fields.money("fees_paid_dollars"), volume: try fields.quantity("volume_fp"),
            subaccount: try fields.int("subaccount"))
    }

    private mutating func readOrderGroup(_ message: inout WireMessage) throws(WireError) -> OrderGroupMessage {
        message.exchangeTime = try fields.milliseconds("ts_ms") ?? .unknown
        return OrderGroupMessage(
            group: try fields.requiredString("order_group_id"), event: try fields.requiredString("event_type"),
            limit: try fields.quantity("contracts_limit_fp"), exchangeTime: message.exchangeTime)
    }

    // MARK: Life cycle

    private mutating func readMarketLifecycle(
        _ message: inout WireMessage
    ) throws(WireError) -> MarketLifecycleMessage {
        findMarket("market_ticker", &message)
        var event = MarketLifecycleMessage(
            ticker: try fields.requiredString("market_ticker"),
            event: .init(wire: try fields.requiredString("event_type")), shard: try fields.int("exchange_index"))
        event.openTime = try fields.time("open_ts") ?? .unknown
        event.closeTime = try fields.time("close_ts") ?? .unknown
        event.determinationTime = try fields.time("determination_ts") ?? .unknown
        event.settledTime = try fields.time("settled_ts") ?? .unknown
        event.result = try fields.string("result")
        event.settlementValue = try fields.price("settlement_value")
        event.isDeactivated = try fields.bool("is_deactivated")
        event.priceLevelStructure = try fields.string("price_level_structure")
        if let token = try fields.find("price_ranges") {
            event.grid = try PriceGrid.read(try fields.value(token), field: "msg.price_ranges")
        }
        if let metadata = try fields.value("additional_metadata") {
            event.eventTicker = metadata["event_ticker"]?.string
            event.title = metadata["title"]?.string
            event.yesSubtitle = metadata["yes_sub_title"]?.string
            event.noSubtitle = metadata["no_sub_title"]?.string
        } else {
            event.yesSubtitle = try fields.string("yes_sub_title")
        }
        return event
    }

    private func readEventLifecycle() throws(WireError) -> EventLifecycleMessage {
        EventLifecycleMessage(
            eventTicker: try fields.requiredString("event_ticker"),
            seriesTicker: try fields.string("series_ticker"), title: try fields.string("title"),
            subtitle: try fields.string("subtitle"), shard: try fields.int("exchange_index"),
            collateralReturn: try fields.string("collateral_return_type").map { CollateralReturn(wire: $0) })
    }

    private func readEventFee() throws(WireError) -> EventFeeMessage {
        EventFeeMessage(
            eventTicker: try fields.requiredString("event_ticker"),
            type: try fields.string("fee_type_override").map { FeeType(wire: $0) },
            multiplierMillionths: try fields.decimal("fee_multiplier_override", 6))
    }

    // MARK: Reference values

    private func readReference(source: String) throws(WireError) -> ReferenceValue {
        let name: StaticString = source == "pyth" ? "underlying_ticker" : "index_id"
        let received = try fields.milliseconds("received_at") ?? .unknown
        var value = ReferenceValue(
            index: source + ":" + (try fields.requiredString(name)), value: 0,
            exchangeTime: try fields.milliseconds("source_ts_ms") ?? received)
        if let number = try fields.decimal("value_usd", 8) {
            value.value = number
        } else if let data = try fields.string("data") {
            try readIndexData(data, &value)
        } else {
            throw fields.error(.missing, "value_usd")
        }
        if let average = try fields.value("last_60s_windowed_average_15min"), !average.isNull {
            value.settlementAverage = try number(
                average["value"] ?? average, "last_60s_windowed_average_15min")
        }
        return value
    }

    /// The once-a-second channel carries the provider's own message as JSON within a string.
    private func readIndexData(_ text: String, _ value: inout ReferenceValue) throws(WireError) {
        guard let data = try? JSONParser.parse(text), let printed = data["value"] else {
            throw fields.error(.wrongKind(expected: "JSON with a value"), "data", try fields.find("data"))
        }
        value.value = try number(printed, "data")
        if let time = data["time"]?.int64, time.magnitude < 9_000_000_000_000 {
            value.exchangeTime = Timestamp(milliseconds: time)
        }
    }

    private func number(_ value: JSONValue, _ name: StaticString) throws(WireError) -> Int64 {
        do throws(FixedPoint.ParseError) {
            if let number = try value.fixedPoint(decimals: 8) { return number }
        } catch {
            throw fields.error(.badNumber(error), name, try fields.find(name))
        }
        throw fields.error(.wrongKind(expected: "a number"), name, try fields.find(name))
    }

    // MARK: Control

    private func readSubscribed() throws(WireError) -> WireDetail {
        guard let sid = try fields.integer("sid") else { throw fields.error(.missing, "sid") }
        return .subscribed(channel: try fields.requiredString("channel"), sid: sid)
    }

    func readOK(_ body: JSONToken?) throws(WireError) -> OKMessage {
        var ok = OKMessage()
        guard let body else { return ok }
        switch body.kind {
        case .object:
            ok.tickers = try fields.strings("market_tickers")
            ok.marketIDs = try fields.strings("market_ids")
        case .array:
            var list: [OKMessage.Subscription] = []
            for entry in try envelope.value(body).array ?? [] {
                guard let channel = entry["channel"]?.string, let sid = entry["sid"]?.int64 else {
                    throw envelope.error(.wrongKind(expected: "a list of channels and sids"), "msg", body)
                }
                list.append(.init(channel: channel, sid: sid))
            }
            ok.subscriptions = list
        default: throw envelope.error(.wrongKind(expected: "an object or a list"), "msg", body)
        }
        return ok
    }

    private func readError() throws(WireError) -> ErrorMessage {
        guard let code = try fields.int("code") else { throw fields.error(.missing, "code") }
        let one = try fields.string("market_ticker").map { [$0] }
        return ErrorMessage(
            code: code, message: try fields.string("msg") ?? "",
            tickers: try fields.strings("market_tickers") ?? one ?? [])
    }

    /// The market of a ticker that need not be known: these messages carry it as text too.
    private func findMarket(_ name: StaticString, _ message: inout WireMessage) {
        guard let token = try? fields.stringToken(name), !token.isEscaped else { return }
        let text = UnsafeBufferPointer(start: fields.base + Int(token.start), count: token.count)
        message.market = tickers.find(text) ?? WireMessage.noMarket
    }
}

extension PriceGrid {
    /// From `price_ranges`: `[{start, end, step}]` in dollars.
    static func read(_ value: JSONValue, field: String) throws(WireError) -> PriceGrid {
        let shown = String(JSONWriter.text(value).prefix(60))
        guard let ranges = value.array else {
            throw WireError(.wrongKind(expected: "a list of price ranges"), field: field, value: shown)
        }
        var bands: [Band] = []
        for range in ranges {
            do {
                bands.append(
                    Band(
                        start: try edge(range["start"]), end: try edge(range["end"]), step: try edge(range["step"])))
            } catch {
                throw WireError(
                    .wrongKind(expected: "a list of price ranges with start, end and step"), field: field,
                    value: shown)
            }
        }
        do throws(DefinitionError) {
            return try PriceGrid(bands: bands)
        } catch {
            throw WireError(.impossible("is no price grid (\(error))"), field: field, value: shown)
        }
    }

    private static func edge(_ value: JSONValue?) throws -> Price {
        guard let micros = try value?.fixedPoint(decimals: 6), let small = Int32(exactly: micros) else {
            throw WireError(.missing, field: "start, end or step")
        }
        return Price(micros: small)
    }
}
