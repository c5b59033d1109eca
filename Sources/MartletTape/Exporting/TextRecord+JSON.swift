import Martlet
import MartletEngine
import MartletWire

// The values of records that are no market events, as JSON and back. Every field is written exactly.

extension JSONValue {
    static func fixed(_ value: Int64, _ decimals: Int) -> JSONValue {
        .string(FixedPoint.format(value, decimals: decimals))
    }
    func fixed(_ decimals: Int) -> Int64? {
        decimalText.flatMap { try? FixedPoint.parse($0.utf8, decimals: decimals) }
    }
    static func price(_ price: Price) -> JSONValue { .string(price.description) }
    static func time(_ time: Timestamp) -> JSONValue {
        time.isKnown ? .number(String(time.nanoseconds)) : .null
    }
    var timestamp: Timestamp { int64.map { Timestamp(nanoseconds: $0) } ?? .unknown }
    /// A price, differences and impossible ones included.
    var price: Price? { decimalText.flatMap { try? Price(parsing: $0) } }
}

extension JSONValue {
    /// For people: an object's members as `name value`.
    var plain: String {
        switch self {
        case .object(let members): members.map { "\($0.key) \($0.value.plain)" }.joined(separator: ", ")
        case .string(let text): text
        case let other: JSONWriter.text(other)
        }
    }
}

extension Market {
    var json: JSONValue {
        .object([
            .init("ticker", .string(ticker)), .init("event", .string(event)),
            .init("series", .string(series)), .init("title", .string(title)),
            .init("subtitle", .string(subtitle)),
            .init(
                "grid",
                .array(grid.bands.map { .array([.price($0.start), .price($0.end), .price($0.step)]) })),
            .init("open_ns", .time(openTime)), .init("close_ns", .time(closeTime)),
            .init("shard", .number(String(shard))), .init("fee_type", .string(fees.type.wire)),
            .init("fee_multiplier", .fixed(fees.multiplierMillionths, 6)),
            .init("fee_waived_until_ns", .time(fees.waivedUntil)),
            .init("mutually_exclusive", .bool(isMutuallyExclusive)),
            .init("collateral_return", .string(collateralReturn.wire)),
            .init("settlement_timer_ns", .number(String(settlementTimer.nanoseconds))),
            .init("assumptions", .array(assumptions.map { .string($0) })),
        ])
    }

    init(json: JSONValue) throws(TextRecord.Malformed) {
        guard let ticker = json["ticker"]?.string, !ticker.isEmpty else {
            throw .init("a definition without 'ticker'")
        }
        let bands = (json["grid"]?.array ?? []).compactMap { row -> PriceGrid.Band? in
            guard let row = row.array, row.count == 3, let start = row[0].price, let end = row[1].price,
                let step = row[2].price
            else { return nil }
            return PriceGrid.Band(start: start, end: end, step: step)
        }
        guard let grid = try? PriceGrid(bands: bands) else { throw .init("the grid of \(ticker)") }
        self.init(
            ticker: ticker, event: json["event"]?.string, series: json["series"]?.string,
            title: json["title"]?.string ?? "", subtitle: json["subtitle"]?.string ?? "", grid: grid,
            openTime: json["open_ns"]?.timestamp ?? .unknown,
            closeTime: json["close_ns"]?.timestamp ?? .unknown,
            shard: Int(json["shard"]?.int64 ?? 0),
            fees: FeeTerms(
                type: FeeType(wire: json["fee_type"]?.string ?? "quadratic"),
                multiplierMillionths: json["fee_multiplier"]?.fixed(6) ?? 1_000_000,
                waivedUntil: json["fee_waived_until_ns"]?.timestamp ?? .unknown),
            isMutuallyExclusive: json["mutually_exclusive"]?.bool ?? false,
            collateralReturn: CollateralReturn(wire: json["collateral_return"]?.string ?? ""),
            settlementTimer: TimeSpan(nanoseconds: json["settlement_timer_ns"]?.int64 ?? 0),
            assumptions: (json["assumptions"]?.array ?? []).compactMap(\.string))
    }
}

extension Ticker {
    private static let prices: [(String, any WritableKeyPath<Ticker, Price?> & Sendable)] = [
        ("last", \.lastPrice), ("bid", \.bestBid), ("ask", \.bestAsk),
    ]
    private static let quantities: [(String, any WritableKeyPath<Ticker, Quantity?> & Sendable)] = [
        ("bid_size", \.bidSize), ("ask_size", \.askSize), ("volume", \.volume),
        ("open_interest", \.openInterest),
    ]

    var json: JSONValue {
        var members: [JSONValue.Member] = []
        for (name, path) in Ticker.prices {
            if let price = self[keyPath: path] { members.append(.init(name, .price(price))) }
        }
        for (name, path) in Ticker.quantities {
            if let quantity = self[keyPath: path] {
                members.append(.init(name, .string(quantity.description)))
            }
        }
        return .object(members)
    }

    init(json: JSONValue, market: Market.ID, exchangeTime: Timestamp) {
        self.init(market: market, exchangeTime: exchangeTime)
        for (name, path) in Ticker.prices { self[keyPath: path] = json[name]?.price }
        for (name, path) in Ticker.quantities {
            self[keyPath: path] = json[name]?.fixed(2).map { Quantity(hundredths: $0) }
        }
    }
}

extension MarketResult {
    var json: JSONValue {
        switch self {
        case .yes: .object([.init("result", .string("yes"))])
        case .no: .object([.init("result", .string("no"))])
        case .scalar(let value):
            .object([.init("result", .string("scalar")), .init("value", .price(value))])
        }
    }

    init(json: JSONValue) throws(TextRecord.Malformed) {
        switch (json["result"]?.string, json["value"]?.price) {
        case ("yes", _): self = .yes
        case ("no", _): self = .no
        case ("scalar", let value?): self = .scalar(value)
        default: throw .init("a result that is neither yes, no nor scalar")
        }
    }
}

extension BookFault {
    var json: JSONValue {
        func members(_ name: String, _ more: [JSONValue.Member] = []) -> JSONValue {
            .object([.init("fault", .string(name))] + more)
        }
        switch self {
        case .gap: return members("gap")
        case .unknownMarket: return members("unknown_market")
        case .crossed: return members("crossed")
        case .noSnapshot: return members("no_snapshot")
        case .invalidPrice(let side, let price):
            return members(
                "invalid_price", [.init("side", .string(side.description)), .init("price", .price(price))])
        case .negativeSize(let side, let price, let size):
            return members(
                "negative_size",
                [
                    .init("side", .string(side.description)), .init("price", .price(price)),
                    .init("size", .string(size.description)),
                ])
        }
    }

    init(json: JSONValue) throws(TextRecord.Malformed) {
        let side = Side.allCases.first { $0.description == json["side"]?.string }
        let size = json["size"]?.fixed(2).map { Quantity(hundredths: $0) }
        switch (json["fault"]?.string, side, json["price"]?.price, size) {
        case ("gap", _, _, _): self = .gap
        case ("unknown_market", _, _, _): self = .unknownMarket
        case ("crossed", _, _, _): self = .crossed
        case ("no_snapshot", _, _, _): self = .noSnapshot
        case ("invalid_price", let side?, let price?, _): self = .invalidPrice(side: side, price: price)
        case ("negative_size", let side?, let price?, let size?):
            self = .negativeSize(side: side, price: price, size: size)
        default: throw .init("a fault that is not known")
        }
    }
}
