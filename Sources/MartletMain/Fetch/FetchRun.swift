import Martlet
import MartletEngine
import MartletKalshi
import MartletTape
import MartletWire
import Synchronization

/// A whole fetch: finds the markets, brings one after the other, and puts their tapes together.
struct FetchRun: Sendable {
    let client: KalshiClient
    let request: FetchRequest
    let folder: FetchFolder
    let output: String
    let now: Timestamp

    /// How far it has come, for the progress line.
    final class Watch: Sendable {
        struct State: Sendable {
            var markets = 0
            var marketsDone = 0
            var records = 0
            var ticker = ""
        }
        let state = Mutex(State())
    }

    struct Report: Sendable {
        var markets = 0
        var trades = 0
        var candles = 0
        var results = 0
        /// Trades that did not tell their taker.
        var leftOut = 0
        /// Of the whole tape; nil without a market.
        var totals: TapeWriter.Totals?
    }

    /// Tapes merged at once; each is an open file.
    private static let mergeWidth = 128

    func run(_ watch: Watch) async throws -> Report {
        // With a key the account's own tier counts, not the lowest.
        if client.signer != nil { try await client.refreshLimits() }
        let cutoff = try await client.send(Endpoints.historicalCutoff())
        let markets = try await find()
        watch.state.withLock { $0.markets = markets.count }
        var report = Report()
        var parts: [String] = []
        var context = DefinitionContext(client: client)
        let fetch = MarketFetch(client: client, request: request, folder: folder, cutoff: cutoff, now: now)
        for listed in markets {
            watch.state.withLock { $0.ticker = listed.ticker }
            let definition = try await context.definition(of: listed)
            let (part, counts) = try await fetch.run(listed, definition: definition) { trades, candles in
                watch.state.withLock { $0.records += trades + candles }
            }
            parts.append(part)
            report.trades += counts.trades
            report.candles += counts.candles
            report.leftOut += counts.leftOut
            if listed.definition.result != nil { report.results += 1 }
            watch.state.withLock { $0.marketsDone += 1 }
        }
        report.markets = markets.count
        guard !parts.isEmpty else { return report }
        report.totals = try merge(parts)
        folder.removeAll()
        return report
    }

    /// The markets asked for, each once, from both tiers.
    private func find() async throws -> [ListedMarket] {
        var found: [ListedMarket] = []
        var known: Set<String> = []
        func add(_ market: ListedMarket) {
            if known.insert(market.ticker).inserted { found.append(market) }
        }
        for ticker in request.tickers { add(try await market(ticker)) }
        guard request.series != nil || request.event != nil else { return found }
        let filter = MarketFilter(event: request.event, series: request.series, status: request.status)
        for try await market in client.all(Endpoints.markets(filter)) where isWanted(market) { add(market) }
        if request.status == nil || request.status == "settled" {
            for try await market in client.all(Endpoints.historicalMarkets(filter)) where isWanted(market) {
                add(market)
            }
        }
        return found
    }

    private func market(_ ticker: String) async throws -> ListedMarket {
        if let live = try await ask(Endpoints.market(ticker)) { return live }
        if let old = try await ask(Endpoints.historicalMarket(ticker)) { return old }
        throw FetchRun.unknown(ticker)
    }
    private static func unknown(_ ticker: String) -> CommandError {
        .usage("the exchange knows no market \(ticker): 'martlet markets' lists those there are")
    }
    /// Nil where the exchange does not know it.
    private func ask(_ call: RestCall<ListedMarket>) async throws -> ListedMarket? {
        do {
            return try await client.send(call)
        } catch RestError.refused(let error) where error.status == 404 {
            return nil
        }
    }

    /// Whether a market lived within the times asked for.
    private func isWanted(_ listed: ListedMarket) -> Bool {
        let market = listed.market
        if let from = request.from, market.closeTime.isKnown, market.closeTime < from { return false }
        if let to = request.to, market.openTime.isKnown, market.openTime > to { return false }
        return true
    }

    /// Puts the parts together, in rounds where there are many.
    private func merge(_ parts: [String]) throws -> TapeWriter.Totals {
        var round = parts
        var number = 0
        while round.count > Self.mergeWidth {
            var merged: [String] = []
            for start in stride(from: 0, to: round.count, by: Self.mergeWidth) {
                try Task.checkCancellation()
                let path = "\(folder.path)/merged.\(number)"
                number += 1
                try TapeMerger.merge(
                    Array(round[start..<min(start + Self.mergeWidth, round.count)]), to: path, sync: false)
                merged.append(path)
            }
            round = merged
        }
        return try TapeMerger.merge(round, to: output)
    }
}

/// Completes a market's definition by its event and series, each asked for once.
struct DefinitionContext {
    let client: KalshiClient
    private var events: [String: JSONValue] = [:]
    private var series: [String: JSONValue] = [:]

    private static let eventsMax = 1_000

    init(client: KalshiClient) { self.client = client }

    mutating func definition(of listed: ListedMarket) async throws -> Market {
        var market = listed.market
        let event = try await event(market.event)
        let seriesTicker = event["series_ticker"]?.string ?? market.series
        let series = try await series(seriesTicker)
        // Fees and the event's rules stand with event and series, not with the market.
        let stub = JSONValue.fields([
            ("ticker", .string(market.ticker)), ("event_ticker", .string(market.event)),
        ])
        let outer = try MarketDefinition(market: stub, event: event, series: series).market
        let waiver = market.fees.waivedUntil
        market.fees = outer.fees
        market.fees.waivedUntil = waiver
        market.series = outer.series
        market.isMutuallyExclusive = outer.isMutuallyExclusive
        market.collateralReturn = outer.collateralReturn
        market.assumptions =
            market.assumptions.filter { $0 != "fees" } + outer.assumptions.filter { $0 == "fees" }
        return market
    }

    /// An event or series that is not found leaves its part of the definition assumed, and named so.
    private mutating func event(_ ticker: String) async throws -> JSONValue {
        if let known = events[ticker] { return known }
        let found = try await orNull {
            let event = try await client.send(Endpoints.event(ticker, nestedMarkets: false)).value
            return .object((event.object ?? []).filter { $0.key != "markets" })
        }
        // Markets come event by event: the ones before are hardly asked for again.
        if events.count == Self.eventsMax { events.removeAll() }
        events[ticker] = found
        return found
    }
    private mutating func series(_ ticker: String) async throws -> JSONValue {
        if let known = series[ticker] { return known }
        let found = try await orNull { try await client.send(Endpoints.series(ticker)).value }
        series[ticker] = found
        return found
    }
    private func orNull(_ ask: () async throws -> JSONValue) async throws -> JSONValue {
        do {
            return try await ask()
        } catch RestError.refused(let error) where error.status == 404 {
            return .null
        }
    }
}
