import Martlet
import MartletEngine
import MartletSimulation
import MartletWire

// Public market data (API.md §9).
extension API {
    static var marketRoutes: [Route] {
        [
            route("GET", "markets", .open, .read(10), API.markets),
            route("GET", "markets/trades", .open, .read(10), API.trades),
            route("GET", "markets/orderbooks", .open, .read(10), API.orderbooks),
            route("GET", "markets/candlesticks", .open, .read(10), API.batchCandles),
            route("GET", "markets/:ticker", .open, .read(10), API.market),
            route("GET", "markets/:ticker/orderbook", .open, .read(10), API.orderbook),
            route("GET", "series", .open, .read(10), API.seriesList),
            route("GET", "series/:ticker", .open, .read(10), API.series),
            route("GET", "series/:series/markets/:ticker/candlesticks", .open, .read(10), API.candles),
            route("GET", "series/:series/events/:ticker/candlesticks", .open, .read(10), API.eventCandles),
            route("GET", "events", .open, .read(10), API.events),
            route("GET", "events/multivariate", .open, .read(10), API.multivariateEvents),
            route("GET", "events/:ticker", .open, .read(10), API.event),
            route("GET", "events/:ticker/metadata", .open, .read(10), API.eventMetadata),
        ]
    }

    func find(_ ticker: String) throws(APIError) -> MarketRecord {
        guard let id = exchange.market(ticker) else { throw .notFound }
        return exchange.record(id)
    }

    // MARK: Markets

    /// The filter's word for a status.
    private static func filter(_ status: MarketStatus) -> String {
        switch status {
        case .initialized: "unopened"
        case .active: "open"
        case .inactive: "paused"
        case .closed, .determined, .disputed, .amended: "closed"
        case .finalized: "settled"
        case .unknown: ""
        }
    }

    private func markets(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try marketList(request, historical: false))
    }

    func marketList(_ request: APIRequest, historical: Bool) throws(APIError) -> JSONValue {
        let page = try Page(request)
        let tickers = try request.list("tickers").map { Set($0) }
        let status = request.text("status")
        if let status, !["unopened", "open", "paused", "closed", "settled"].contains(status) {
            throw .badRequest(
                "status is '\(status.prefix(40))'; one of unopened, open, paused, closed, settled")
        }
        let multivariate = request.text("mve_filter")
        if let multivariate, multivariate != "only", multivariate != "exclude" {
            throw .badRequest("mve_filter is '\(multivariate.prefix(40))'; one of only, exclude")
        }
        let (event, series) = (request.text("event_ticker"), request.text("series_ticker"))
        let times = try TimeFilters(request)
        var items: [JSONValue] = []
        var cursor = JSONValue.string("")
        for market in exchange.markets[Int(min(page.after ?? 0, UInt64(exchange.markets.count)))...] {
            let definition = market.definition
            let isSettled = exchange.venue.statuses[Int(market.id.index)] == .finalized
            guard !historical || isSettled, tickers?.contains(market.ticker) ?? true,
                event == nil || event == definition.event, series == nil || series == definition.series,
                status == nil || status == API.filter(exchange.venue.statuses[Int(market.id.index)]),
                multivariate == nil || (multivariate == "only") == definition.series.hasPrefix("KXMVE"),
                times.take(market)
            else { continue }
            if items.count == page.limit {
                cursor = page.cursor(UInt64(market.id.index))
                break
            }
            items.append(exchange.body(market))
        }
        return .of(["markets": .array(items), "cursor": cursor])
    }

    private struct TimeFilters {
        private let created, closes, settled, updated: (Int64?, Int64?)
        init(_ request: APIRequest) throws(APIError) {
            created = (try request.whole("min_created_ts"), try request.whole("max_created_ts"))
            closes = (try request.whole("min_close_ts"), try request.whole("max_close_ts"))
            settled = (try request.whole("min_settled_ts"), try request.whole("max_settled_ts"))
            updated = (try request.whole("min_updated_ts"), nil)
        }
        func take(_ market: MarketRecord) -> Bool {
            func fits(_ bounds: (Int64?, Int64?), _ time: Timestamp) -> Bool {
                if bounds.0 == nil, bounds.1 == nil { return true }
                guard time.isKnown else { return false }
                return time.seconds >= bounds.0 ?? .min && time.seconds <= bounds.1 ?? .max
            }
            return fits(created, market.created) && fits(closes, market.definition.closeTime)
                && fits(settled, market.settled) && fits(updated, market.updated)
        }
    }

    private func market(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(.of(["market": exchange.body(try find(request.parameters[0]))]))
    }
    private func orderbook(_ request: APIRequest) throws(APIError) -> APIResponse {
        let depth = try request.whole("depth", in: 0...100) ?? 0
        let market = try find(request.parameters[0])
        return .ok(.of(["orderbook_fp": exchange.bookBody(market.id, depth: Int(depth))]))
    }
    private func orderbooks(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let tickers = try request.list("tickers", most: 100) else {
            throw .badRequest("tickers is required")
        }
        var books: [JSONValue] = []
        for ticker in tickers {
            let market = try find(ticker)
            books.append(
                .of(["ticker": .string(ticker), "orderbook_fp": exchange.bookBody(market.id, depth: 0)]))
        }
        return .ok(.of(["orderbooks": .array(books)]))
    }

    private func trades(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(try tradeList(request))
    }
    func tradeList(_ request: APIRequest) throws(APIError) -> JSONValue {
        let page = try Page(request)
        let least = try request.whole("min_ts") ?? .min
        let most = try request.whole("max_ts") ?? .max
        let blocks = request.text("is_block_trade") == nil ? nil : try request.flag("is_block_trade")
        var market: Market.ID?
        if let ticker = request.text("ticker") { market = try find(ticker).id }
        let (items, cursor) = self.page(
            exchange.trades.trades, page, number: \.number,
            keep: {
                (market == nil || $0.market == market) && $0.time.seconds >= least && $0.time.seconds <= most
                    && (blocks == nil || blocks == $0.isBlock)
            }, body: { exchange.body($0) })
        return .of(["trades": .array(items), "cursor": cursor])
    }

    // MARK: Candles

    struct CandleSpan {
        var start: Int64
        var end: Int64
        var interval: Int
        var includesLatest: Bool
    }
    func candleSpan(_ request: APIRequest) throws(APIError) -> CandleSpan {
        func need(_ name: String) throws(APIError) -> Int64 {
            guard let value = try request.whole(name) else { throw .missing(name) }
            return value
        }
        let span = CandleSpan(
            start: try need("start_ts"), end: try need("end_ts"), interval: Int(try need("period_interval")),
            includesLatest: try request.flag("include_latest_before_start"))
        guard [1, 60, 1440].contains(span.interval) else {
            throw .badRequest("period_interval is \(span.interval); one of 1, 60, 1440")
        }
        guard span.start <= span.end else { throw .badRequest("start_ts is after end_ts") }
        return span
    }
    func candleBodies(_ market: MarketRecord, _ span: CandleSpan, historical: Bool = false) -> [JSONValue] {
        guard let series = market.candles(span.interval) else { return [] }
        let (before, inside) = series.within(span.start, span.end)
        var bodies: [JSONValue] = []
        if span.includesLatest, var candle = before {
            // A made-up first candle: nothing but what was last paid before.
            candle.previous = candle.price?.close ?? candle.previous
            candle.price = nil
            candle.volume = .zero
            bodies.append(exchange.body(candle, historical: historical))
        }
        return bodies + inside.map { exchange.body($0, historical: historical) }
    }
    private func candles(_ request: APIRequest) throws(APIError) -> APIResponse {
        let market = try find(request.parameters[1])
        guard market.definition.series == request.parameters[0] else { throw .notFound }
        let span = try candleSpan(request)
        return .ok(
            .of([
                "ticker": .string(market.ticker), "candlesticks": .array(candleBodies(market, span)),
            ]))
    }
    private func batchCandles(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let tickers = try request.list("market_tickers", most: 100) else {
            throw .badRequest("market_tickers is required")
        }
        let span = try candleSpan(request)
        var left = 10_000
        var items: [JSONValue] = []
        for ticker in tickers {
            let bodies = candleBodies(try find(ticker), span)
            left -= bodies.count
            guard left >= 0 else { throw .badRequest("more than 10000 candlesticks") }
            items.append(.of(["market_ticker": .string(ticker), "candlesticks": .array(bodies)]))
        }
        return .ok(.of(["markets": .array(items)]))
    }
    private func eventCandles(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let index = exchange.eventIndex(request.parameters[1]) else { throw .notFound }
        let span = try candleSpan(request)
        let markets = exchange.events[index].markets.map { exchange.record($0) }
        return .ok(
            .of([
                "market_tickers": .array(markets.map { .string($0.ticker) }),
                "market_candlesticks": .array(markets.map { .array(candleBodies($0, span)) }),
                "adjusted_end_ts": .integer(span.end),
            ]))
    }

    // MARK: Events and series

    private func matches(_ event: EventRecord, _ status: String?) -> Bool {
        guard let status else { return true }
        return event.markets.contains { API.filter(exchange.venue.statuses[Int($0.index)]) == status }
    }

    private func eventList(_ request: APIRequest, multivariate: Bool) throws(APIError) -> APIResponse {
        let page = try Page(request, usual: multivariate ? 100 : 200, most: 200)
        let nested = try request.flag("with_nested_markets")
        let tickers = try request.list("tickers").map { Set($0) }
        let series = request.text("series_ticker")
        if multivariate, series != nil, request.text("collection_ticker") != nil {
            throw .badRequest("series_ticker and collection_ticker exclude each other")
        }
        let milestones = try request.flag("with_milestones")
        let status = request.text("status")
        if let status, !["unopened", "open", "closed", "settled"].contains(status) {
            throw .badRequest("status is '\(status.prefix(40))'; one of unopened, open, closed, settled")
        }
        let closes = try request.whole("min_close_ts")
        let updated = try request.whole("min_updated_ts")
        var items: [JSONValue] = []
        var cursor = JSONValue.string("")
        for index in exchange.events.indices.dropFirst(Int(min(page.after ?? 0, 1 << 40))) {
            let event = exchange.events[index]
            guard event.series.hasPrefix("KXMVE") == multivariate, tickers?.contains(event.ticker) ?? true,
                series == nil || series == event.series, matches(event, status),
                closes == nil || event.strikeDate.seconds >= closes ?? 0,
                updated == nil || event.updated.seconds >= updated ?? 0
            else { continue }
            if items.count == page.limit {
                cursor = page.cursor(UInt64(index))
                break
            }
            items.append(exchange.body(event, withMarkets: nested))
        }
        return .ok(
            .of([
                "events": .array(items), "milestones": milestones && !multivariate ? .array([]) : nil,
                "cursor": cursor,
            ]))
    }
    private func events(_ request: APIRequest) throws(APIError) -> APIResponse {
        try eventList(request, multivariate: false)
    }
    private func multivariateEvents(_ request: APIRequest) throws(APIError) -> APIResponse {
        try eventList(request, multivariate: true)
    }
    private func event(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let index = exchange.eventIndex(request.parameters[0]) else { throw .notFound }
        let event = exchange.events[index]
        let nested = try request.flag("with_nested_markets")
        return .ok(
            .of([
                "event": exchange.body(event, withMarkets: nested),
                "markets": .array(nested ? [] : event.markets.map { exchange.body(exchange.record($0)) }),
            ]))
    }
    private func eventMetadata(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let index = exchange.eventIndex(request.parameters[0]) else { throw .notFound }
        let details = exchange.events[index].markets.map { id -> JSONValue in
            .of([
                "market_ticker": .string(exchange.record(id).ticker),
                "image_url": .string("https://sandbox.invalid/market.png"), "color_code": .string("#336699"),
            ])
        }
        return .ok(
            .of([
                "image_url": .string("https://sandbox.invalid/event.png"),
                "settlement_sources": Exchange.sources, "market_details": .array(details),
            ]))
    }
    private func seriesList(_ request: APIRequest) throws(APIError) -> APIResponse {
        let category = request.text("category")
        let tags = try request.list("tags")
        let volume = try request.flag("include_volume")
        let updated = try request.whole("min_updated_ts") ?? .min
        let found = exchange.series.filter { series in
            (category == nil || series.category == category) && series.created.seconds >= updated
                && tags?.contains { series.tags.contains($0) } ?? true
        }
        return .ok(.of(["series": .array(found.map { exchange.body($0, withVolume: volume) })]))
    }
    private func series(_ request: APIRequest) throws(APIError) -> APIResponse {
        guard let index = exchange.seriesIndex(request.parameters[0]) else { throw .notFound }
        let volume = try request.flag("include_volume")
        return .ok(.of(["series": exchange.body(exchange.series[index], withVolume: volume)]))
    }
}

extension APIError {
    /// Answered in a form of its own (API.md §4): `{"msg": "start_ts is required"}`.
    static func missing(_ parameter: String) -> APIError {
        APIError(400, "missing_parameters", "\(parameter) is required")
    }
}
