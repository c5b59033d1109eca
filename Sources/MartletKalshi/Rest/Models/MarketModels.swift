import Martlet
import MartletWire

/// A market with its quotes, as `GET /markets` has it.
public struct ListedMarket: Hashable, Sendable {
    /// What the engine needs to know of it.
    public var definition: MarketDefinition
    /// `result` as it stood; empty while undecided. Words that the engine does not know are kept here.
    public var resultText: String
    /// `binary`, `scalar`: an open list.
    public var type: String
    /// Nil where that side is empty.
    public var bid: Price?
    public var ask: Price?
    public var bidSize: Quantity?
    public var askSize: Quantity?
    public var lastPrice: Price?
    public var volume: Quantity?
    public var volume24Hours: Quantity?
    public var openInterest: Quantity?
    public var created: Timestamp
    public var updated: Timestamp
    public var expectedExpiration: Timestamp

    public var market: Market { definition.market }
    public var ticker: String { market.ticker }
    public var status: MarketStatus { definition.status ?? .unknown("") }

    public init(_ value: JSONValue) throws(WireError) { try self.init(try FieldReader(value, "market")) }

    init(_ fields: FieldReader) throws(WireError) {
        definition = try ListedMarket.definition(fields.value)
        resultText = try fields.string("result") ?? ""
        type = try fields.string("market_type") ?? ""
        // An empty side is quoted at 0 or 1 (FIELD-NOTES 23).
        bid = try fields.contractPrice("yes_bid_dollars").flatMap { $0.isTradable ? $0 : nil }
        ask = try fields.contractPrice("yes_ask_dollars").flatMap { $0.isTradable ? $0 : nil }
        bidSize = try fields.quantity("yes_bid_size_fp")
        askSize = try fields.quantity("yes_ask_size_fp")
        lastPrice = try fields.contractPrice("last_price_dollars").flatMap { $0.isTradable ? $0 : nil }
        volume = try fields.quantity("volume_fp")
        volume24Hours = try fields.quantity("volume_24h_fp")
        openInterest = try fields.quantity("open_interest_fp")
        created = try fields.optionalTime("created_time")
        updated = try fields.optionalTime("updated_time")
        expectedExpiration = try fields.optionalTime("expected_expiration_time")
    }

    /// The whole definition: with the fees and exclusiveness that stand in its event and its series.
    public func market(event: ListedEvent, series: ListedSeries?) -> Market {
        var market = market
        market.series = event.series
        market.isMutuallyExclusive = event.isMutuallyExclusive
        market.collateralReturn = event.collateralReturn
        if let type = event.value["fee_type_override"]?.string {
            market.fees.type = FeeType(wire: type)
        } else if let series, market.assumptions.contains("fees") {
            market.fees.type = series.feeType
        } else {
            return market
        }
        let override = event.value["fee_multiplier_override"]?.decimalText
        market.fees.multiplierMillionths =
            override.flatMap { try? FixedPoint.parse($0.utf8, decimals: 6) } ?? series?.feeMultiplier
            ?? market.fees.multiplierMillionths
        market.assumptions.removeAll { $0 == "fees" }
        return market
    }

    /// A result that is not known to us must not cost the whole list (FIELD-NOTES 7).
    private static func definition(_ value: JSONValue) throws(WireError) -> MarketDefinition {
        do {
            return try MarketDefinition(market: value)
        } catch {
            guard let members = value.object else { throw error }
            let undecided = members.filter { $0.key != "result" && $0.key != "_result" }
            return try MarketDefinition(market: .object(undecided))
        }
    }
}

/// An event with its markets, where they were asked for.
public struct ListedEvent: Hashable, Sendable {
    public var ticker: String
    public var series: String
    public var title: String
    public var subtitle: String
    public var category: String
    public var isMutuallyExclusive: Bool
    public var collateralReturn: CollateralReturn
    public var strikeDate: Timestamp
    public var updated: Timestamp
    public var shard: Int
    public var markets: [ListedMarket]
    /// What it says of its markets' definitions, as it came.
    public var value: JSONValue

    init(_ fields: FieldReader, markets others: [ListedMarket] = []) throws(WireError) {
        value = fields.value
        ticker = try fields.name("event_ticker")
        series = try fields.string("series_ticker") ?? Market.seriesTicker(of: ticker)
        title = try fields.string("title") ?? ""
        subtitle = try fields.string("sub_title") ?? ""
        category = try fields.string("category") ?? ""
        isMutuallyExclusive = try fields.bool("mutually_exclusive") ?? false
        collateralReturn = CollateralReturn(wire: try fields.string("collateral_return_type") ?? "")
        strikeDate = try fields.optionalTime("strike_date")
        updated = try fields.optionalTime("last_updated_ts")
        shard = try fields.int("exchange_index") ?? 0
        let nested = try fields.list("markets") { (value) throws(WireError) in try ListedMarket(value) }
        markets = nested.isEmpty ? others : nested
    }
}

public struct ListedSeries: Hashable, Sendable {
    public var ticker: String
    public var title: String
    public var category: String
    public var frequency: String
    public var tags: [String]
    public var feeType: FeeType
    /// Millionths.
    public var feeMultiplier: Int64
    public var shard: Int
    public var value: JSONValue

    init(_ fields: FieldReader) throws(WireError) {
        value = fields.value
        ticker = try fields.name("ticker")
        title = try fields.string("title") ?? ""
        category = try fields.string("category") ?? ""
        frequency = try fields.string("frequency") ?? ""
        tags = try fields.strings("tags") ?? []
        feeType = FeeType(wire: try fields.string("fee_type") ?? "")
        feeMultiplier = try fields.fixed("fee_multiplier", 6) ?? 1_000_000
        shard = try fields.int("exchange_index") ?? 0
    }
}

/// A book as REST shows it, in YES terms, best first whatever the wire's order was.
public struct ListedBook: Hashable, Sendable {
    public struct Level: Hashable, Sendable {
        public var price: Price
        public var quantity: Quantity
    }

    public var bids: [Level]
    public var asks: [Level]

    init(_ fields: FieldReader) throws(WireError) {
        bids = try ListedBook.ladder(fields, "yes_dollars").sorted { $0.price > $1.price }
        // A bid for NO at p is an offer of YES at 1 − p.
        asks = try ListedBook.ladder(fields, "no_dollars").map {
            Level(price: $0.price.complement, quantity: $0.quantity)
        }.sorted { $0.price < $1.price }
    }

    /// An absent, a null and an empty ladder are all an empty side.
    private static func ladder(_ fields: FieldReader, _ name: String) throws(WireError) -> [Level] {
        let levels = try fields.list(name) { (value) throws(WireError) in
            guard let pair = value.array, pair.count == 2 else {
                throw WireError.invalid(
                    field: name, value: String(JSONWriter.text(value).prefix(60)),
                    problem: "not a price and a count")
            }
            let micros = try FieldReader.fixed(pair[0], 6, name)
            let size = try FieldReader.fixed(pair[1], 2, name)
            guard micros > 0, micros < 1_000_000, size >= 0 else {
                throw WireError.invalid(field: name, value: "\(micros), \(size)", problem: "not a level")
            }
            return Level(price: Price(micros: Int(micros)), quantity: Quantity(hundredths: size))
        }
        return levels.filter { $0.quantity.isPositive }
    }
}

/// A public trade.
public struct ListedTrade: Hashable, Sendable {
    public var tradeID: String
    public var ticker: String
    /// YES price.
    public var price: Price
    public var quantity: Quantity
    /// In YES terms; nil where not told.
    public var takerSide: Side?
    public var created: Timestamp
    public var isBlock: Bool

    init(_ fields: FieldReader) throws(WireError) {
        tradeID = try fields.name("trade_id")
        ticker = try fields.name("ticker")
        price = try fields.yesPrice()
        quantity = try fields.needQuantity("count_fp")
        let told = fields.member("taker_book_side") != nil || fields.member("taker_outcome_side") != nil
        takerSide = told ? try fields.side("taker_book_side", "taker_outcome_side") : nil
        created = try fields.needTime("created_time")
        isBlock = try fields.bool("is_block_trade") ?? false
    }
}

/// A period's prices. The historical tier names the same members without their suffixes.
public struct Candlestick: Hashable, Sendable {
    public struct Range: Hashable, Sendable {
        public var open: Price?
        public var low: Price?
        public var high: Price?
        public var close: Price?
    }

    /// Inclusive.
    public var end: Timestamp
    public var bid: Range
    public var ask: Range
    /// Of trades; empty without one.
    public var price: Range
    public var previousPrice: Price?
    public var volume: Quantity
    public var openInterest: Quantity

    init(_ fields: FieldReader) throws(WireError) {
        end = try fields.needTime("end_period_ts")
        bid = try Candlestick.range(fields, "yes_bid")
        ask = try Candlestick.range(fields, "yes_ask")
        price = try Candlestick.range(fields, "price")
        if let prices = fields.member("price") {
            let inner = try FieldReader(prices, "price")
            previousPrice = try inner.contractPrice(inner.either("previous_dollars", "previous"))
        }
        volume = try fields.required(try fields.quantity(fields.either("volume_fp", "volume")), "volume_fp")
        openInterest = try fields.quantity(fields.either("open_interest_fp", "open_interest")) ?? .zero
    }

    private static func range(_ fields: FieldReader, _ name: String) throws(WireError) -> Range {
        guard let found = fields.member(name) else { return Range() }
        let inner = try FieldReader(found, name)
        func price(_ key: String) throws(WireError) -> Price? {
            try inner.contractPrice(inner.either(key + "_dollars", key))
        }
        return Range(
            open: try price("open"), low: try price("low"), high: try price("high"),
            close: try price("close"))
    }
}

/// Candlesticks of an event's markets.
public struct EventCandlesticks: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var ticker: String
        public var candlesticks: [Candlestick]
    }

    public var markets: [Entry]
    /// Where the exchange stopped; `.unknown`: where it was asked to.
    public var end: Timestamp

    /// Two lists beside each other: names, and what belongs to each.
    init(_ fields: FieldReader) throws(WireError) {
        let tickers = try fields.strings("market_tickers") ?? []
        let lists = try fields.list("market_candlesticks") { (value) throws(WireError) in
            var candles: [Candlestick] = []
            for entry in value.array ?? [] {
                candles.append(try Candlestick(try FieldReader(entry, "candle")))
            }
            return candles
        }
        guard tickers.count == lists.count else {
            throw .invalid(
                field: "market_candlesticks", value: "\(lists.count) lists",
                problem: "not one for each market")
        }
        markets = zip(tickers, lists).map { Entry(ticker: $0, candlesticks: $1) }
        end = try fields.optionalTime("adjusted_end_ts")
    }
}

/// A fee that will change: of a series, or of one event.
public struct FeeChange: Hashable, Sendable {
    public var id: String
    public var series: String
    /// Nil where the whole series is meant.
    public var event: String?
    /// Nil: an event's override ends.
    public var feeType: FeeType?
    /// Millionths.
    public var multiplier: Int64?
    public var scheduled: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        id = try fields.name("id")
        event = try fields.string("event_ticker")
        series = try fields.string("series_ticker") ?? event.map(Market.seriesTicker(of:)) ?? ""
        let word = try fields.string(fields.either("fee_type", "fee_type_override"))
        feeType = word.map { FeeType(wire: $0) }
        multiplier = try fields.fixed(fields.either("fee_multiplier", "fee_multiplier_override"), 6)
        scheduled = try fields.needTime("scheduled_ts")
    }
}

/// A transfer between shards or instances.
public struct ShardTransfer: Hashable, Sendable {
    public var id: String
    /// `pending`, `complete`: an open list.
    public var status: String
    public var amount: Money
    public var sourceShard: Int
    public var destinationShard: Int

    init(_ fields: FieldReader) throws(WireError) {
        id = try fields.required(try fields.string(fields.either("transfer_id", "id")), "transfer_id")
        status = try fields.string("status") ?? ""
        amount = try fields.centicents("amount") ?? .zero
        sourceShard = try fields.int("source_exchange_shard") ?? 0
        destinationShard = try fields.int("destination_exchange_shard") ?? 0
    }
}

extension FieldReader {
    var asMarkets: [ListedMarket] {
        get throws(WireError) { try list("markets") { (value) throws(WireError) in try ListedMarket(value) } }
    }
}
