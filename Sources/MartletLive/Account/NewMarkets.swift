import Martlet
import MartletKalshi
import MartletNetwork
import MartletWire

/// Whom new markets are told to: a trading session, or the recorder. Used on its loop's thread alone.
package protocol MarketFollower: AnyObject {
    var loop: EventLoop { get }
    var now: Timestamp { get }
    /// The market is followed, or was, and is not wanted again.
    func isKnown(_ ticker: String) -> Bool
    /// Tickers that a look through a series need not ask about.
    var followed: Set<String> { get }
    func follow(_ market: Market)
    func remark(_ text: String)
}

/// Follows series: markets that are made or opened while the session runs are taken in as the feed tells of them.
///
/// The exchange tells of a market when it is made, which is before it opens, and sends nothing at its opening: it is
/// defined at once, and the engine opens it by its own clock (FIELD-NOTES on market rotation).
package final class NewMarkets {
    private unowned let follower: any MarketFollower
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

    /// - Parameter follower: not held.
    package init(_ follower: any MarketFollower, _ client: KalshiClient, series: [String]) {
        self.follower = follower
        self.client = client
        self.series = Set(series)
        nextLook = follower.now + NewMarkets.interval
    }

    package convenience init(_ session: TradingSession, _ client: KalshiClient, series: [String]) {
        self.init(session as any MarketFollower, client, series: series)
        session.onLifecycle = { [weak self] message, time in self?.told(message, at: time) }
    }

    package func told(_ message: MarketLifecycleMessage, at time: Timestamp) {
        let event = message.eventTicker ?? message.ticker
        guard !follower.isKnown(message.ticker),
            series.contains(Market.seriesTicker(of: event))
        else { return }
        switch message.event {
        case .created, .activated: wanted[message.ticker] = Wish(due: time)
        case .determined, .settled: wanted[message.ticker] = nil
        case .deactivated, .closeDateUpdated, .priceGridUpdated, .metadataUpdated, .unknown: break
        }
    }

    /// Asks for what is due. To be called now and then.
    package func look(at now: Timestamp) {
        guard !isAsking, !series.isEmpty else { return }
        let tickers = wanted.filter { $0.value.due <= now }.keys.sorted()
        let isScan = now >= nextLook
        guard isScan || !tickers.isEmpty else { return }
        isAsking = true
        let (client, names, loop) = (client, isScan ? series.sorted() : [], follower.loop)
        let known = isScan ? follower.followed : []
        let handBack = LoopReturn { [weak self] (found: Result<[Market], any Error>) in
            self?.took(found, of: tickers, isScan: isScan)
        }
        Task {
            let loader = MarketLoader(client)
            let found: Result<[Market], any Error>
            do {
                found = .success(
                    try await loader.markets(tickers) + loader.open(series: names, except: known))
            } catch {
                found = .failure(error)
            }
            loop.execute { handBack.body(found) }
        }
    }

    private func took(_ found: Result<[Market], any Error>, of tickers: [String], isScan: Bool) {
        isAsking = false
        let now = follower.now
        switch found {
        case .success(let markets):
            if isScan { nextLook = now + NewMarkets.interval }
            for market in markets {
                wanted[market.ticker] = nil
                if !follower.isKnown(market.ticker) { follower.follow(market) }
            }
        case .failure(let error):
            if isScan { nextLook = now + .seconds(15) }
            follower.remark("cannot ask for new markets: \(error)")
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

extension TradingSession: MarketFollower {
    package func isKnown(_ ticker: String) -> Bool { directory.id(of: ticker) != nil }
    /// None are named: the look is rare, and the session's thread has better to do.
    package var followed: Set<String> { [] }
    package func follow(_ market: Market) { define(market) }
    package func remark(_ text: String) { tell(.remark(text)) }
}
