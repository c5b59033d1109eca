import Martlet

/// What happened to a market in one period.
struct Candle {
    struct Range {
        var open: Price
        var low: Price
        var high: Price
        var close: Price
        init(_ price: Price) {
            open = price
            low = price
            high = price
            close = price
        }
        mutating func take(_ price: Price) {
            low = min(low, price)
            high = max(high, price)
            close = price
        }
    }
    /// Unix seconds, inclusive.
    var end: Int64
    var bid: Range
    var ask: Range
    var price: Range?
    /// The last trade before the period.
    var previous: Price?
    var volume: Quantity = .zero
    /// Price × contracts, for the mean.
    var traded: Money = .zero
    var openInterest: Quantity = .zero

    /// To the nearest 10⁻⁴ dollars.
    var mean: Price? {
        guard volume.isPositive else { return nil }
        let unit = 100 * volume.hundredths
        return Price(micros: Int32((traded.raw + unit / 2) / unit * 100))
    }
}

/// The candles of one market and one period, the latest so many. A period without change has no candle.
struct CandleSeries {
    let seconds: Int64
    private let kept: Int
    private(set) var candles: ContiguousArray<Candle> = []

    init(seconds: Int64, kept: Int) {
        self.seconds = seconds
        self.kept = kept
    }

    private mutating func open(_ now: Timestamp, _ bid: Price, _ ask: Price, _ last: Price?) -> Int {
        let end = (now.seconds + seconds) / seconds * seconds
        if let latest = candles.last, latest.end >= end { return candles.count - 1 }
        if candles.count >= kept + kept / 4 { candles.removeFirst(candles.count - kept) }
        let before = candles.last
        var candle = Candle(
            end: end, bid: .init(before?.bid.close ?? bid), ask: .init(before?.ask.close ?? ask))
        candle.previous = before.flatMap { $0.price?.close ?? $0.previous } ?? last
        candle.openInterest = before?.openInterest ?? .zero
        candles.append(candle)
        return candles.count - 1
    }
    mutating func quote(bid: Price, ask: Price, last: Price?, interest: Quantity, at now: Timestamp) {
        let index = open(now, bid, ask, last)
        candles[index].bid.take(bid)
        candles[index].ask.take(ask)
        candles[index].openInterest = interest
    }
    mutating func trade(
        _ price: Price, _ quantity: Quantity, bid: Price, ask: Price, last: Price?, at now: Timestamp
    ) {
        let index = open(now, bid, ask, last)
        if candles[index].price == nil {
            candles[index].price = .init(price)
        } else {
            candles[index].price?.take(price)
        }
        candles[index].volume += quantity
        candles[index].traded += price * quantity
    }
    /// Candles that end within the times, and the one before for `include_latest_before_start`.
    func within(_ start: Int64, _ end: Int64) -> (before: Candle?, inside: ArraySlice<Candle>) {
        let first = candles.firstIndex { $0.end >= start } ?? candles.count
        let last = candles.lastIndex { $0.end <= end }.map { $0 + 1 } ?? 0
        return (first > 0 ? candles[first - 1] : nil, first < last ? candles[first..<last] : [])
    }
}
