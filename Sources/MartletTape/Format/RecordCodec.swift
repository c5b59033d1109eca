import Martlet
import MartletEngine

/// Text on a tape that is no input of an engine.
public struct TapeNote: Hashable, Sendable {
    public enum Topic: UInt8, Hashable, Sendable, CaseIterable {
        /// What the tape was made from.
        case source = 0
        /// Something that the recording did not say and the importer took to be so.
        case assumption = 1
        /// A connection of the recorder began or ended.
        case connection = 2
        /// Which form NO prices had in the recording, and other settings of it.
        case convention = 3
        case other = 4
    }
    public var topic: Topic
    public var text: String
    public init(_ topic: Topic, _ text: String) {
        self.topic = topic
        self.text = text
    }
}

// The bodies of all records that are not hot, each written and read beside the other.

extension Market {
    func encode(into body: inout BodyWriter) {
        for text in [ticker, event, series, title, subtitle, fees.type.wire, collateralReturn.wire] {
            body.string(text)
        }
        body.integer(UInt32(grid.bands.count))
        for band in grid.bands {
            for price in [band.start, band.end, band.step] { body.integer(price.micros) }
        }
        for time in [openTime, closeTime, fees.waivedUntil] { body.integer(time.nanoseconds) }
        body.integer(Int64(shard))
        body.integer(fees.multiplierMillionths)
        body.integer(settlementTimer.nanoseconds)
        body.integer(UInt8(isMutuallyExclusive ? 1 : 0))
        body.integer(UInt32(assumptions.count))
        for assumption in assumptions { body.string(assumption) }
    }

    init(from body: inout BodyReader) throws(BodyError) {
        let (ticker, event, series) = (try body.string(), try body.string(), try body.string())
        guard !ticker.isEmpty else { throw BodyError("a definition without a ticker") }
        let (title, subtitle) = (try body.string(), try body.string())
        let (feeType, collateral) = (try body.string(), try body.string())
        var bands: [PriceGrid.Band] = []
        for _ in 0..<(try body.count()) {
            bands.append(.init(start: try body.price(), end: try body.price(), step: try body.price()))
        }
        guard let grid = try? PriceGrid(bands: bands) else {
            throw BodyError("the price bands of \(ticker) are no grid")
        }
        let (open, close, waived) = (try body.time(), try body.time(), try body.time())
        let shard = Int(try body.integer(as: Int64.self))
        let multiplier = try body.integer(as: Int64.self)
        let timer = TimeSpan(nanoseconds: try body.integer(as: Int64.self))
        let exclusive = try body.integer(as: UInt8.self) != 0
        var assumptions: [String] = []
        for _ in 0..<(try body.count()) { assumptions.append(try body.string()) }
        self.init(
            ticker: ticker, event: event, series: series, title: title, subtitle: subtitle, grid: grid,
            openTime: open, closeTime: close, shard: shard,
            fees: FeeTerms(
                type: FeeType(wire: feeType), multiplierMillionths: multiplier, waivedUntil: waived),
            isMutuallyExclusive: exclusive, collateralReturn: CollateralReturn(wire: collateral),
            settlementTimer: timer, assumptions: assumptions)
    }
}

extension Ticker {
    func encode(into body: inout BodyWriter) {
        body.optionals([
            lastPrice.map { Int64($0.micros) }, bestBid.map { Int64($0.micros) },
            bestAsk.map { Int64($0.micros) }, bidSize?.hundredths, askSize?.hundredths, volume?.hundredths,
            openInterest?.hundredths,
        ])
    }

    init(from body: inout BodyReader, market: Market.ID, exchangeTime: Timestamp) throws(BodyError) {
        let values = try body.optionals(7)
        func price(_ index: Int) throws(BodyError) -> Price? {
            guard let value = values[index] else { return nil }
            guard let micros = Int32(exactly: value) else { throw BodyError("price \(value)") }
            return Price(micros: micros)
        }
        func quantity(_ index: Int) -> Quantity? { values[index].map { Quantity(hundredths: $0) } }
        self.init(
            market: market, lastPrice: try price(0), bestBid: try price(1), bestAsk: try price(2),
            bidSize: quantity(3), askSize: quantity(4), volume: quantity(5), openInterest: quantity(6),
            exchangeTime: exchangeTime)
    }
}

extension ReferenceValue {
    func encode(into body: inout BodyWriter) {
        body.string(index)
        body.optionals([value, settlementAverage])
    }

    init(from body: inout BodyReader, exchangeTime: Timestamp) throws(BodyError) {
        let index = try body.string()
        let values = try body.optionals(2)
        guard let value = values[0] else { throw BodyError("a reference value without a value") }
        self.init(index: index, value: value, settlementAverage: values[1], exchangeTime: exchangeTime)
    }
}

extension MarketResult {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .yes: body.integer(UInt32(1))
        case .no: body.integer(UInt32(2))
        case .scalar: body.integer(UInt32(3))
        }
        body.integer(yesValue.micros)
    }

    init(from body: inout BodyReader) throws(BodyError) {
        let (tag, value) = (try body.integer(as: UInt32.self), try body.price())
        switch tag {
        case 1: self = .yes
        case 2: self = .no
        case 3: self = .scalar(value)
        default: throw BodyError("result \(tag)")
        }
    }
}

extension BookFault {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .gap: body.optionals([0, nil, nil, nil])
        case .negativeSize(let side, let price, let size):
            body.optionals([1, Int64(side.rawValue), Int64(price.micros), size.hundredths])
        case .invalidPrice(let side, let price):
            body.optionals([2, Int64(side.rawValue), Int64(price.micros), nil])
        case .unknownMarket: body.optionals([3, nil, nil, nil])
        case .crossed: body.optionals([4, nil, nil, nil])
        case .noSnapshot: body.optionals([5, nil, nil, nil])
        }
    }

    init(from body: inout BodyReader) throws(BodyError) {
        let values = try body.optionals(4)
        let side = values[1].flatMap { UInt8(exactly: $0) }.flatMap { Side(rawValue: $0) }
        let price = values[2].flatMap { Int32(exactly: $0) }.map { Price(micros: $0) }
        switch (values[0], side, price, values[3]) {
        case (0, _, _, _): self = .gap
        case (1, let side?, let price?, let size?):
            self = .negativeSize(side: side, price: price, size: Quantity(hundredths: size))
        case (2, let side?, let price?, _): self = .invalidPrice(side: side, price: price)
        case (3, _, _, _): self = .unknownMarket
        case (4, _, _, _): self = .crossed
        case (5, _, _, _): self = .noSnapshot
        default: throw BodyError("book fault \(values)")
        }
    }
}
