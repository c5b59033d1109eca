import Martlet

/// What a REST market object (`GET /markets`, a recorder's copy of one) says, as far as it says it.
public struct MarketDefinition: Hashable, Sendable {
    public var market: Market
    public var status: MarketStatus?
    public var result: MarketResult?
    public var settlementTime: Timestamp = .unknown

    /// Reads a market, with its event and series where at hand. What is absent is assumed and named in
    /// `market.assumptions`. Keys may carry the leading underscore of the 2024 client.
    public init(market value: JSONValue, event: JSONValue? = nil, series: JSONValue? = nil) throws(WireError)
    {
        func member(_ name: String, in object: JSONValue?) -> JSONValue? {
            guard let found = object?[name] ?? object?["_" + name], !found.isNull else { return nil }
            return found
        }
        func text(_ name: String) -> String? { member(name, in: value)?.string }
        guard let ticker = text("ticker") ?? text("market_ticker"), !ticker.isEmpty else {
            throw .missing(field: "ticker", message: "market")
        }
        var assumptions: [String] = []
        var market = Market(
            ticker: ticker, event: text("event_ticker"),
            series: text("series_ticker") ?? member("series_ticker", in: event)?.string)
        market.title = text("title") ?? text("yes_sub_title") ?? ""
        market.subtitle = text("yes_sub_title") ?? text("subtitle") ?? ""
        if let grid = try MarketDefinition.grid(value) {
            market.grid = grid
        } else {
            assumptions.append("grid")
        }
        market.openTime = try MarketDefinition.time(text("open_time"), "open_time")
        market.closeTime = try MarketDefinition.time(text("close_time"), "close_time")
        market.shard = Int(
            (member("exchange_index", in: value) ?? member("exchange_index", in: event))?.int64 ?? 0)
        market.fees = try MarketDefinition.fees(
            type: (member("fee_type_override", in: event) ?? member("fee_type", in: value)
                ?? member("fee_type", in: series))?
                .string,
            multiplier: (member("fee_multiplier_override", in: event) ?? member("fee_multiplier", in: value)
                ?? member("fee_multiplier", in: series))?.decimalText,
            waiver: text("fee_waiver_expiration_time"), &assumptions)
        market.isMutuallyExclusive =
            (member("mutually_exclusive", in: event) ?? member("mutually_exclusive", in: value))?.bool
            ?? false
        market.collateralReturn = CollateralReturn(
            wire: (member("collateral_return_type", in: event) ?? member("collateral_return_type", in: value))?
                .string
                ?? "")
        let timer = member("settlement_timer_seconds", in: value)?.int64 ?? 0
        market.settlementTimer = .seconds(min(max(timer, 0), 1 << 32))
        market.assumptions = assumptions
        self.market = market
        status = text("status").map(MarketStatus.init(wire:))
        result = try MarketDefinition.result(
            text("result"), value: member("settlement_value_dollars", in: value)?.decimalText)
        settlementTime = try MarketDefinition.time(text("settlement_ts"), "settlement_ts")
    }

    /// `price_ranges` where given, else what the label stood for.
    static func grid(_ value: JSONValue) throws(WireError) -> PriceGrid? {
        if let ranges = (value["price_ranges"] ?? value["_price_ranges"])?.array, !ranges.isEmpty {
            var bands: [PriceGrid.Band] = []
            for range in ranges {
                bands.append(
                    PriceGrid.Band(
                        start: try price(range["start"], "price_ranges.start"),
                        end: try price(range["end"], "price_ranges.end"),
                        step: try price(range["step"], "price_ranges.step")))
            }
            bands.sort { $0.start < $1.start }
            do {
                return try PriceGrid(bands: bands)
            } catch {
                throw .invalid(field: "price_ranges", value: "\(bands.count) bands", problem: "\(error)")
            }
        }
        return value["price_level_structure"]?.string.flatMap(PriceGrid.labelled)
    }

    private static func price(_ value: JSONValue?, _ field: String) throws(WireError) -> Price {
        guard let text = value?.decimalText else { throw .missing(field: field, message: "market") }
        do {
            return try Price(parsing: text)
        } catch {
            throw .invalid(field: field, value: text, problem: "\(error)")
        }
    }

    private static func time(_ text: String?, _ field: String) throws(WireError) -> Timestamp {
        guard let text, !text.isEmpty else { return .unknown }
        guard let time = Timestamp(rfc3339: text) else {
            throw .invalid(field: field, value: text, problem: "not a time")
        }
        return time
    }

    private static func fees(
        type: String?, multiplier: String?, waiver: String?, _ assumptions: inout [String]
    )
        throws(WireError) -> FeeTerms
    {
        var terms = FeeTerms.standard
        if let type {
            terms.type = FeeType(wire: type)
        } else {
            assumptions.append("fees")
        }
        if let multiplier {
            do {
                terms.multiplierMillionths = try FixedPoint.parse(multiplier.utf8, decimals: 6)
            } catch {
                throw .invalid(field: "fee_multiplier", value: multiplier, problem: "\(error)")
            }
        }
        terms.waivedUntil = try time(waiver, "fee_waiver_expiration_time")
        return terms
    }

    /// `result` with the value of a scalar one; nil while undecided.
    static func result(_ result: String?, value: String?) throws(WireError) -> MarketResult? {
        switch result {
        case nil, "": return nil
        case "yes": return .yes
        case "no": return .no
        case "scalar":
            guard let value else {
                throw .missing(field: "settlement_value_dollars", message: "scalar result")
            }
            do {
                let price = try Price(parsing: value)
                guard price >= .zero, price <= .one else {
                    throw WireError.invalid(
                        field: "settlement_value_dollars", value: value, problem: "not 0 to 1")
                }
                return .scalar(price)
            } catch let error as WireError {
                throw error
            } catch {
                throw .invalid(field: "settlement_value_dollars", value: value, problem: "\(error)")
            }
        case .some(let other):
            throw .invalid(field: "result", value: other, problem: "neither yes, no nor scalar")
        }
    }
}
