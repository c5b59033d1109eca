import Martlet
import MartletEngine
import MartletKalshi
import MartletTape
import MartletWire

/// Brings one market into a tape of its own.
struct MarketFetch {
    let client: KalshiClient
    let request: FetchRequest
    let folder: FetchFolder
    let cutoff: HistoricalCutoff
    /// The time of the fetch: nothing later is asked for.
    let now: Timestamp

    struct Counts: Hashable, Sendable {
        var trades = 0
        var candles = 0
        var leftOut = 0
    }

    /// Candlesticks asked for at once.
    private static let candlesAtOnce: Int64 = 4_000

    /// Returns the finished part's path. `tell` hears of trades and candlesticks as they come.
    func run(
        _ listed: ListedMarket, definition: Market, _ tell: (_ trades: Int, _ candles: Int) -> Void
    ) async throws -> (path: String, counts: Counts) {
        let part = folder.file(definition.ticker, "tape")
        var counts = Counts()
        if folder.has(part) { return (part, counts) }
        let tradesFile = folder.file(definition.ticker, "trades")
        let candlesFile = folder.file(definition.ticker, "candles")
        let trades = request.wantsTrades ? try TradeSpool(path: tradesFile) : nil
        let candles = request.candles == nil ? nil : try CandleSpool(path: candlesFile)
        if let trades {
            tell(trades.count, 0)
            try await fetch(trades, listed) { tell($0, 0) }
            counts.trades = trades.count
            counts.leftOut = trades.leftOut
        }
        if let candles, let period = request.candles {
            tell(0, candles.count)
            try await fetch(candles, listed, period) { tell(0, $0) }
            counts.candles = candles.count
        }
        try PartWriter(listed: listed, definition: definition, trades: trades, candles: candles, now: now)
            .write(to: part)
        folder.remove(tradesFile)
        folder.remove(candlesFile)
        return (part, counts)
    }

    // MARK: - Trades

    /// The live tier, and what has moved to the historical one.
    private func sources(_ listed: ListedMarket) -> [PagedCall<ListedTrade>] {
        var sources: [PagedCall<ListedTrade>] = []
        let end = request.to ?? now
        let ticker = listed.ticker
        if end >= cutoff.tradesCreated {
            sources.append(Endpoints.trades(ticker, from: request.from, to: request.to))
        }
        let start = request.from ?? listed.market.openTime
        if !start.isKnown || start < cutoff.tradesCreated {
            sources.append(Endpoints.historicalTrades(ticker, from: request.from, to: request.to))
        }
        return sources
    }

    private func fetch(
        _ spool: TradeSpool, _ listed: ListedMarket, _ tell: (Int) -> Void
    ) async throws {
        let sources = sources(listed)
        while !spool.isComplete {
            try Task.checkCancellation()
            guard spool.source < sources.count else {
                try spool.append([], source: spool.source, next: nil, done: true)
                return
            }
            let source = spool.source
            let before = spool.cursor
            let page = try await client.send(sources[source].page(at: before))
            guard page.cursor == nil || page.cursor != before else {
                throw RestError.cursorLoop(request: "trades of \(listed.ticker)")
            }
            let isLast = page.cursor == nil && source == sources.count - 1
            try spool.append(page.elements, source: source, next: page.cursor, done: isLast)
            tell(page.elements.count)
        }
    }

    // MARK: - Candlesticks

    private func fetch(
        _ spool: CandleSpool, _ listed: ListedMarket, _ period: CandlePeriod, _ tell: (Int) -> Void
    ) async throws {
        let market = listed.market
        let opening = market.openTime.isKnown ? market.openTime : listed.created
        guard var start = [request.from, opening.isKnown ? opening : nil].compactMap({ $0 }).max() else {
            throw CommandError("\(market.ticker) tells no opening time: add --from")
        }
        let closing = market.closeTime.isKnown ? min(market.closeTime, now) : now
        let step = TimeSpan.minutes(Int64(period.rawValue))
        // The last period ends after the close.
        let end = min(request.to ?? .distantFuture, closing + step)
        if spool.fetchedUntil.isKnown { start = max(start, spool.fetchedUntil) }
        let isHistorical =
            listed.definition.settlementTime.isKnown
            && listed.definition.settlementTime < cutoff.marketsSettled
        while start < end {
            try Task.checkCancellation()
            let until = min(end, start + step * Self.candlesAtOnce)
            let call =
                isHistorical
                ? Endpoints.historicalCandlesticks(market.ticker, from: start, to: until, period: period)
                : Endpoints.candlesticks(
                    market.ticker, series: market.series, from: start, to: until, period: period)
            let page = try await client.send(call)
            try spool.append(page, until: until)
            tell(page.count)
            start = until
        }
    }
}
