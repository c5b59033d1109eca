import Martlet
import MartletEngine
import MartletKalshi
import MartletWire

/// Candlesticks on disk, in the order of time, a line for each request's worth of them.
final class CandleSpool {
    private let lines: LineSpool
    private var places: [LineSpool.Place] = []
    private(set) var count = 0
    /// Everything before this time has been fetched.
    private(set) var fetchedUntil: Timestamp = .unknown

    init(path: String) throws {
        var found: [(JSONValue, LineSpool.Place)] = []
        lines = try LineSpool(path: path) { value, place in
            let head = JSONValue.fields([
                ("until", value["until"] ?? .null), ("count", .integer(value["candles"]?.array?.count ?? 0)),
            ])
            found.append((head, place))
        }
        for (head, place) in found { note(head, place) }
    }

    private func note(_ head: JSONValue, _ place: LineSpool.Place) {
        places.append(place)
        count += Int(head["count"]?.int64 ?? 0)
        if let until = head["until"]?.int64 { fetchedUntil = Timestamp(nanoseconds: until) }
    }

    func append(_ candles: [Candlestick], until: Timestamp) throws {
        let entries = candles.sorted { $0.end < $1.end }.map { candle in
            func price(_ price: Price?) -> JSONValue { price.map { .integer($0.micros) } ?? .null }
            return JSONValue.array([
                .integer(candle.end.nanoseconds), price(candle.price.close ?? candle.previousPrice),
                price(candle.bid.close), price(candle.ask.close), .integer(candle.openInterest.hundredths),
            ])
        }
        let place = try lines.append(
            .fields([("until", .integer(until.nanoseconds)), ("candles", .array(entries))]))
        note(
            .fields([("until", .integer(until.nanoseconds)), ("count", .integer(entries.count))]), place)
    }

    /// A candlestick as a tape holds it: the market's summary at the period's end.
    struct Reader {
        private let spool: CandleSpool
        private let market: Market.ID
        private var nextPlace = 0
        /// The earliest last.
        private var waiting: [Ticker] = []
        private var lastTime = Timestamp.unknown

        fileprivate init(_ spool: CandleSpool, _ market: Market.ID) {
            self.spool = spool
            self.market = market
        }

        mutating func next() throws -> Ticker? {
            while true {
                while waiting.isEmpty, nextPlace < spool.places.count {
                    let values = try spool.lines.read(spool.places[nextPlace])["candles"]?.array ?? []
                    waiting = values.compactMap { ticker($0) }.reversed()
                    nextPlace += 1
                }
                guard let ticker = waiting.popLast() else { return nil }
                // Requests meet at a period's end, and both bring it.
                guard !lastTime.isKnown || ticker.exchangeTime > lastTime else { continue }
                lastTime = ticker.exchangeTime
                return ticker
            }
        }

        private func ticker(_ value: JSONValue) -> Ticker? {
            guard let fields = value.array, fields.count == 5, let time = fields[0].int64 else { return nil }
            func price(_ value: JSONValue) -> Price? {
                let price = value.int64.flatMap { Int32(exactly: $0) }.map { Price(micros: $0) }
                return price.flatMap { $0.isTradable ? $0 : nil }
            }
            return Ticker(
                market: market, lastPrice: price(fields[1]), bestBid: price(fields[2]),
                bestAsk: price(fields[3]),
                openInterest: fields[4].int64.map { Quantity(hundredths: $0) },
                exchangeTime: Timestamp(nanoseconds: time))
        }
    }

    func reader(_ market: Market.ID) -> Reader { Reader(self, market) }
}
