import Martlet
import MartletKalshi
import MartletNetwork
import MartletWire

/// Follows series: markets that are made or opened while the session runs are taken in as the feed tells of them.
///
/// The exchange tells of a market when it is made, which is before it opens, and sends nothing at its opening: it is
/// defined at once, and the engine opens it by its own clock (FIELD-NOTES on market rotation).
package final class NewMarkets {
    private unowned let session: TradingSession
    private let client: KalshiClient
    private let series: Set<String>
    private var nextLook: Timestamp
    private var isAsking = false
    /// Told by the feed, their definitions wanted from this moment on.
    private var wanted: [String: Wish] = [:]
    private struct Wish {
        var due: Timestamp
        var attempts = 0
    }

    /// Without a word of the feed a series is looked through this often.
    private static let interval = TimeSpan.minutes(5)
    /// REST trails the feed: what it does not know yet is asked for again, at doubling distances.
    private static let firstRetry = TimeSpan.seconds(1)
    private static let mostDoublings = 8

    package init(_ session: TradingSession, _ client: KalshiClient, series: [String]) {
        self.session = session
        self.client = client
        self.series = Set(series)
        nextLook = session.now + NewMarkets.interval
        session.onLifecycle = { [weak self] message, time in self?.told(message, at: time) }
    }

    private func told(_ message: MarketLifecycleMessage, at time: Timestamp) {
        let event = message.eventTicker ?? message.ticker
        guard session.directory.id(of: message.ticker) == nil,
            series.contains(Market.seriesTicker(of: event))
        else { return }
        switch message.event {
        case .created, .activated: wanted[message.ticker] = Wish(due: time)
        case .determined, .settled: wanted[message.ticker] = nil
        case .deactivated, .closeDateUpdated, .priceGridUpdated, .metadataUpdated, .unknown: break
        }
    }

    func look(at now: Timestamp) {
        guard !isAsking, !series.isEmpty else { return }
        let tickers = wanted.filter { $0.value.due <= now }.keys.sorted()
        let isScan = now >= nextLook
        guard isScan || !tickers.isEmpty else { return }
        isAsking = true
        let (client, names, loop) = (client, isScan ? series.sorted() : [], session.loop)
        let handBack = LoopReturn { [weak self] (found: Result<[Market], any Error>) in
            self?.took(found, of: tickers, isScan: isScan)
        }
        Task {
            let loader = MarketLoader(client)
            let found: Result<[Market], any Error>
            do {
                found = .success(try await loader.markets(tickers) + loader.open(series: names))
            } catch {
                found = .failure(error)
            }
            loop.execute { handBack.body(found) }
        }
    }

    private func took(_ found: Result<[Market], any Error>, of tickers: [String], isScan: Bool) {
        isAsking = false
        let now = session.now
        switch found {
        case .success(let markets):
            if isScan { nextLook = now + NewMarkets.interval }
            for market in markets {
                wanted[market.ticker] = nil
                if session.directory.id(of: market.ticker) == nil { session.define(market) }
            }
        case .failure(let error):
            if isScan { nextLook = now + .seconds(15) }
            session.tell(.remark("cannot ask for new markets: \(error)"))
        }
        for ticker in tickers where wanted[ticker] != nil { askAgain(ticker, at: now) }
    }

    private func askAgain(_ ticker: String, at now: Timestamp) {
        guard var wish = wanted[ticker] else { return }
        wish.due = now + NewMarkets.firstRetry * (1 << min(wish.attempts, NewMarkets.mostDoublings))
        wish.attempts += 1
        wanted[ticker] = wish
    }
}
