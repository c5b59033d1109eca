import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// Markets, events and series as the exchange shows them (API.md §9).
extension Exchange {
    func body(_ market: MarketRecord) -> JSONValue {
        let definition = market.definition
        let status = venue.statuses[Int(market.id.index)]
        let result = venue.results[Int(market.id.index)]
        let isQuoted = venue.isOpen(market.id)
        let (bid, ask) = isQuoted ? quotes(market.id) : (.zero, .one)
        let bidSize = bid > .zero ? venue.size(market.id, .bid, at: bid) : .zero
        let askSize = ask < .one ? venue.size(market.id, .ask, at: ask) : .zero
        let last = market.lastPrice ?? .zero
        let description = market.description
        let before = market.days.candles.dropLast().last
        let isDetermined = status == .determined || status == .finalized
        return .of([
            "ticker": .string(definition.ticker), "event_ticker": .string(definition.event),
            "market_type": .string("binary"), "title": .string(definition.title),
            "yes_sub_title": .string(definition.subtitle), "no_sub_title": .string(description.noSubtitle),
            "created_time": .time(market.created), "updated_time": .time(market.updated),
            "open_time": .time(known(definition.openTime, market.created)),
            "close_time": .time(known(definition.closeTime, market.created + .hours(24 * 365))),
            "expected_expiration_time": .time(
                known(definition.closeTime, market.created) + definition.settlementTimer),
            "latest_expiration_time": .time(known(definition.closeTime, market.created) + .hours(24 * 7)),
            "settlement_timer_seconds": .integer(Int64(definition.settlementTimer.seconds)),
            "status": .string(status.wire),
            "yes_bid_dollars": .price(bid), "yes_bid_size_fp": .count(bidSize),
            "yes_ask_dollars": .price(ask), "yes_ask_size_fp": .count(askSize),
            "no_bid_dollars": .price(ask.complement), "no_ask_dollars": .price(bid.complement),
            "last_price_dollars": .price(last), "volume_fp": .count(market.volume),
            "volume_24h_fp": .count(dayVolume(market)), "result": .string(isDetermined ? wire(result) : ""),
            "can_close_early": .bool(description.canCloseEarly),
            "open_interest_fp": .count(market.openInterest), "notional_value_dollars": .price(.one),
            "previous_yes_bid_dollars": .price(before?.bid.close ?? .zero),
            "previous_yes_ask_dollars": .price(before?.ask.close ?? .zero),
            "previous_price_dollars": .price(before?.price?.close ?? .zero),
            "liquidity_dollars": settings.rules.keepsRemovedFields ? .price(.zero) : nil,
            "settlement_value_dollars": isDetermined ? result.map { .price($0.yesValue) } : nil,
            "settlement_ts": .optionalTime(market.settled),
            "settlement_bounds_type": .string("default"), "expiration_value": .string(market.expirationValue),
            "strike_type": .text(description.strikeType),
            "floor_strike": description.floorStrike.map { .number($0) },
            "cap_strike": description.capStrike.map { .number($0) },
            "rules_primary": .string(description.rules), "rules_secondary": .string(""),
            "price_level_structure": .string(description.structure),
            "price_ranges": ranges(definition.grid), "exchange_index": .integer(definition.shard),
        ])
    }

    private func known(_ time: Timestamp, _ other: Timestamp) -> Timestamp { time.isKnown ? time : other }

    private func dayVolume(_ market: MarketRecord) -> Quantity {
        let start = now.seconds - 86_400
        return market.hours.candles.reversed().prefix { $0.end > start }.reduce(.zero) { $0 + $1.volume }
    }

    func wire(_ result: MarketResult?) -> String {
        switch result {
        case nil: ""
        case .yes: "yes"
        case .no: "no"
        case .scalar: "scalar"
        }
    }

    func ranges(_ grid: PriceGrid) -> JSONValue {
        .array(
            grid.bands.map {
                .of(["start": .price($0.start), "end": .price($0.end), "step": .price($0.step)])
            })
    }

    func body(_ event: EventRecord, withMarkets: Bool) -> JSONValue {
        .of([
            "event_ticker": .string(event.ticker), "series_ticker": .string(event.series),
            "sub_title": .string(event.subtitle), "title": .string(event.title),
            "collateral_return_type": .string(event.collateralReturn.wire),
            "mutually_exclusive": .bool(event.isMutuallyExclusive), "category": .string(event.category),
            "strike_date": .optionalTime(event.strikeDate), "settlement_sources": Exchange.sources,
            "last_updated_ts": .time(event.updated), "exchange_index": .integer(event.shard),
            "markets": withMarkets ? .array(event.markets.map { body(record($0)) }) : nil,
        ])
    }

    static let sources = JSONValue.array([
        .of(["name": .string("Sandbox"), "url": .string("https://sandbox.invalid/")])
    ])

    func body(_ series: SeriesRecord, withVolume: Bool) -> JSONValue {
        let volume = withVolume ? volume(ofSeries: series.ticker) : nil
        return .of([
            "ticker": .string(series.ticker), "frequency": .string(series.frequency),
            "title": .string(series.title), "category": .string(series.category),
            "categories": .array([.string(series.category)]), "tags": .array(series.tags.map { .string($0) }),
            "settlement_sources": Exchange.sources,
            "contract_url": .string("https://sandbox.invalid/\(series.ticker)"),
            "contract_terms_url": .string("https://sandbox.invalid/\(series.ticker)/terms"),
            "fee_type": .string(series.fees.type.wire),
            "fee_multiplier": .number(
                FixedPoint.format(series.fees.multiplierMillionths, decimals: 6)),
            "additional_prohibitions": .array([]), "volume_fp": volume.map { .count($0) },
            "last_updated_ts": .time(series.created), "exchange_index": .integer(series.shard),
        ])
    }

    private func volume(ofSeries ticker: String) -> Quantity {
        markets.reduce(.zero) { $1.definition.series == ticker ? $0 + $1.volume : $0 }
    }

    // MARK: Books

    /// Levels as REST and WebSocket list them: YES bids and NO bids, each price its own side's.
    func levels(_ market: Market.ID, _ side: Side, depth: Int, asYes: Bool = false) -> JSONValue {
        guard venue.isOpen(market) || !venue.isClosed(market) else { return .array([]) }
        var rows = venue.levels(market, side)
        if depth > 0 { rows = Array(rows.prefix(depth)) }
        if settings.rules.ascendingLevels { rows.reverse() }
        return .array(
            rows.map { row in
                let price = side == .ask && !asYes ? row.price.complement : row.price
                return .array([.price(price), .count(row.size)])
            })
    }
    func bookBody(_ market: Market.ID, depth: Int) -> JSONValue {
        .of([
            "yes_dollars": levels(market, .bid, depth: depth),
            "no_dollars": levels(market, .ask, depth: depth),
        ])
    }

    func body(_ trade: TradeRecord) -> JSONValue {
        .of([
            "trade_id": .string(trade.id), "ticker": .string(record(trade.market).ticker),
            "count_fp": .count(trade.quantity), "yes_price_dollars": .price(trade.price),
            "no_price_dollars": .price(trade.price.complement), "taker_side": .string(trade.taker.outcome),
            "taker_outcome_side": .string(trade.taker.outcome),
            "taker_book_side": .string(trade.taker.description), "created_time": .time(trade.time),
            "is_block_trade": .bool(trade.isBlock),
        ])
    }

    // MARK: Candles

    /// `suffix` is `_dollars`, and nothing in the historical tier (where counts drop `_fp` too).
    func body(_ candle: Candle, historical: Bool) -> JSONValue {
        let suffix = historical ? "" : "_dollars"
        func range(_ range: Candle.Range) -> JSONValue {
            .object([
                .init("open" + suffix, .price(range.open)), .init("low" + suffix, .price(range.low)),
                .init("high" + suffix, .price(range.high)), .init("close" + suffix, .price(range.close)),
            ])
        }
        var price: [JSONValue.Member] = []
        if let range = candle.price {
            price = [
                .init("open" + suffix, .price(range.open)), .init("low" + suffix, .price(range.low)),
                .init("high" + suffix, .price(range.high)), .init("close" + suffix, .price(range.close)),
            ]
            if let mean = candle.mean { price.append(.init("mean" + suffix, .price(mean))) }
        } else if historical {
            price = ["open", "low", "high", "close", "mean"].map { .init($0, .null) }
        }
        if let previous = candle.previous {
            price.append(.init("previous" + suffix, .price(previous)))
        } else if historical {
            price.append(.init("previous", .null))
        }
        return .object([
            .init("end_period_ts", .integer(candle.end)), .init("yes_bid", range(candle.bid)),
            .init("yes_ask", range(candle.ask)), .init("price", .object(price)),
            .init(historical ? "volume" : "volume_fp", .count(candle.volume)),
            .init(historical ? "open_interest" : "open_interest_fp", .count(candle.openInterest)),
        ])
    }
}
