import Martlet
import MartletWire

/// Which markets to list. What is empty or nil is not asked for.
public struct MarketFilter: Hashable, Sendable {
    public var event: String?
    public var series: String?
    public var tickers: [String] = []
    /// The filter's own words, not the status's: `unopened`, `open`, `paused`, `closed`, `settled`.
    public var status: String?
    /// `only` or `exclude` combos.
    public var combos: String?
    /// With status `closed` or none.
    public var minCloseTime: Timestamp?
    public var maxCloseTime: Timestamp?
    /// With status `settled` or none.
    public var minSettledTime: Timestamp?
    public var maxSettledTime: Timestamp?

    public static let statuses = ["unopened", "open", "paused", "closed", "settled"]

    public init(event: String? = nil, series: String? = nil, tickers: [String] = [], status: String? = nil) {
        self.event = event
        self.series = series
        self.tickers = tickers
        self.status = status
    }
}

/// Minutes that a candlestick covers: the exchange knows three.
public enum CandlePeriod: Int, Hashable, Sendable, CaseIterable {
    case minute = 1
    case hour = 60
    case day = 1440
}

extension Endpoints {
    public static func markets(_ filter: MarketFilter = MarketFilter()) -> PagedCall<ListedMarket> {
        markets("/markets", filter)
    }
    /// Markets that settled before the cutoff. The exchange takes one of event, series and tickers here.
    public static func historicalMarkets(_ filter: MarketFilter) -> PagedCall<ListedMarket> {
        var known = MarketFilter(event: filter.event, series: filter.series, tickers: filter.tickers)
        known.combos = filter.combos
        return markets("/historical/markets", known)
    }
    private static func markets(_ path: String, _ filter: MarketFilter) -> PagedCall<ListedMarket> {
        let request = RestRequest(.get, path).open().with("limit", pageLimit)
            .with("event_ticker", filter.event).with("series_ticker", filter.series)
            .with("tickers", list: filter.tickers).with("status", filter.status)
            .with("mve_filter", filter.combos).with("min_close_ts", seconds: filter.minCloseTime)
            .with("max_close_ts", seconds: filter.maxCloseTime)
            .with("min_settled_ts", seconds: filter.minSettledTime)
            .with("max_settled_ts", seconds: filter.maxSettledTime)
        return PagedCall(request, \.ticker) { (fields) throws(WireError) in try fields.asMarkets }
    }
    public static func market(_ ticker: String) -> RestCall<ListedMarket> {
        market(at: "/markets/\(segment(ticker))")
    }
    public static func historicalMarket(_ ticker: String) -> RestCall<ListedMarket> {
        market(at: "/historical/markets/\(segment(ticker))")
    }
    private static func market(at path: String) -> RestCall<ListedMarket> {
        RestCall(object: RestRequest(.get, path).open()) { (fields) throws(WireError) in
            try fields.entity("market") { (entry) throws(WireError) in try ListedMarket(entry.value) }
        }
    }

    // MARK: - Books

    /// `depth` levels of each side, 0 for all.
    public static func orderBook(_ ticker: String, depth: Int = 0) -> RestCall<ListedBook> {
        let request = RestRequest(.get, "/markets/\(segment(ticker))/orderbook").open().with("depth", depth)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entity("orderbook_fp") { (book) throws(WireError) in try ListedBook(book) }
        }
    }
    /// At most 100 markets at once.
    public static func orderBooks(_ tickers: [String]) -> RestCall<[(ticker: String, book: ListedBook)]> {
        precondition(tickers.count <= 100, "the exchange takes 100 tickers")
        var request = RestRequest(.get, "/markets/orderbooks").open()
        for ticker in tickers { request.query.append(("tickers", ticker)) }
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("orderbooks") { (entry) throws(WireError) in
                let book = try entry.entity("orderbook_fp") { (book) throws(WireError) in
                    try ListedBook(book)
                }
                return (try entry.name("ticker"), book)
            }
        }
    }

    // MARK: - Trades and candlesticks

    /// The newest first, as the exchange gives them; its order is not promised.
    public static func trades(
        _ ticker: String? = nil, from start: Timestamp? = nil, to end: Timestamp? = nil
    ) -> PagedCall<ListedTrade> {
        trades("/markets/trades", ticker, start, end)
    }
    public static func historicalTrades(
        _ ticker: String? = nil, from start: Timestamp? = nil, to end: Timestamp? = nil
    ) -> PagedCall<ListedTrade> {
        trades("/historical/trades", ticker, start, end)
    }
    private static func trades(
        _ path: String, _ ticker: String?, _ start: Timestamp?, _ end: Timestamp?
    ) -> PagedCall<ListedTrade> {
        let request = RestRequest(.get, path).open().with("limit", pageLimit).with("ticker", ticker)
            .with("min_ts", seconds: start).with("max_ts", seconds: end)
        return PagedCall(request, \.tradeID) { (fields) throws(WireError) in
            try fields.entities("trades") { (entry) throws(WireError) in try ListedTrade(entry) }
        }
    }

    public static func candlesticks(
        _ ticker: String, series: String, from start: Timestamp, to end: Timestamp, period: CandlePeriod,
        includesLatestBefore: Bool = false
    ) -> RestCall<[Candlestick]> {
        candlesticks(
            "/series/\(segment(series))/markets/\(segment(ticker))/candlesticks", start, end, period,
            includesLatestBefore)
    }
    public static func historicalCandlesticks(
        _ ticker: String, from start: Timestamp, to end: Timestamp, period: CandlePeriod
    ) -> RestCall<[Candlestick]> {
        candlesticks("/historical/markets/\(segment(ticker))/candlesticks", start, end, period, false)
    }
    private static func candlesticks(
        _ path: String, _ start: Timestamp, _ end: Timestamp, _ period: CandlePeriod, _ latest: Bool
    ) -> RestCall<[Candlestick]> {
        let request = RestRequest(.get, path).open().with("start_ts", seconds: start)
            .with("end_ts", seconds: end).with("period_interval", period.rawValue)
            .with("include_latest_before_start", latest ? true : nil)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("candlesticks") { (entry) throws(WireError) in try Candlestick(entry) }
        }
    }
    /// Of at most 100 markets, 10,000 candlesticks in all.
    public static func candlesticks(
        of tickers: [String], from start: Timestamp, to end: Timestamp, period: CandlePeriod,
        includesLatestBefore: Bool = false
    ) -> RestCall<[(ticker: String, candlesticks: [Candlestick])]> {
        let request = RestRequest(.get, "/markets/candlesticks").open().with("market_tickers", list: tickers)
            .with("start_ts", seconds: start).with("end_ts", seconds: end)
            .with("period_interval", period.rawValue)
            .with("include_latest_before_start", includesLatestBefore ? true : nil)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("markets") { (entry) throws(WireError) in
                let candles = try entry.entities("candlesticks") { (inner) throws(WireError) in
                    try Candlestick(inner)
                }
                return (try entry.name("market_ticker"), candles)
            }
        }
    }

    /// Of all markets of an event. The exchange may end earlier than asked: see ``EventCandlesticks/end``.
    public static func candlesticks(
        event: String, series: String, from start: Timestamp, to end: Timestamp, period: CandlePeriod
    ) -> RestCall<EventCandlesticks> {
        let path = "/series/\(segment(series))/events/\(segment(event))/candlesticks"
        let request = RestRequest(.get, path).open().with("start_ts", seconds: start)
            .with("end_ts", seconds: end).with("period_interval", period.rawValue)
        return RestCall(object: request) { (fields) throws(WireError) in try EventCandlesticks(fields) }
    }

    public static func historicalCutoff() -> RestCall<HistoricalCutoff> {
        RestCall(object: RestRequest(.get, "/historical/cutoff").open()) { (fields) throws(WireError) in
            try HistoricalCutoff(fields)
        }
    }
}
