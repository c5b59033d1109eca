import Martlet
import MartletEngine

/// Who watches a run: recorders, reports, progress bars. Called on the run's own thread, off the hot path.
public protocol RunObserver: AnyObject {
    /// A market became known or changed its definition.
    func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp)
    /// Something happened in the engine.
    func recorded(_ record: EngineRecord, at time: Timestamp)
    /// A command left for the venue.
    func sent(_ command: VenueCommand, at time: Timestamp)
    /// The run's state at an even interval of the run's own time, and at its end.
    func sampled(_ sample: RunSample)
    /// Between two samples, as often as ``BacktestSettings/glanceInterval`` says and only while records flow.
    func glanced(_ glance: RunGlance)
    /// About ten times a second of real time at most; false asks the run to end here.
    func progressed(_ progress: RunProgress) -> Bool
}

extension RunObserver {
    public func glanced(_ glance: RunGlance) {}
}

/// How far a run has come.
public struct RunProgress: Sendable {
    /// Book events and trades replayed.
    public var records: Int
    /// 0…1 of the input.
    public var fraction: Double
    public var time: Timestamp
    public init(records: Int, fraction: Double, time: Timestamp) {
        self.records = records
        self.fraction = fraction
        self.time = time
    }
}

/// A run's money, budget and books at one time.
public struct RunSample: Sendable {
    /// One strategy's account.
    public struct Account: Hashable, Sendable {
        /// Profit of closed and settled positions before fees.
        public var realized: Money
        /// Profit of open positions at the last mids.
        public var unrealized: Money
        public var fees: Money
        public var net: Money { realized + unrealized - fees }
        public init(realized: Money, unrealized: Money, fees: Money) {
            self.realized = realized
            self.unrealized = unrealized
            self.fees = fees
        }
    }
    /// The top of a subscribed market's book; nil for an empty side or an unusable book.
    public struct Top: Hashable, Sendable {
        public var market: Market.ID
        public var bid: Price?
        public var ask: Price?
        public init(market: Market.ID, bid: Price?, ask: Price?) {
            self.market = market
            self.bid = bid
            self.ask = ask
        }
    }

    public var time: Timestamp
    /// By strategy index.
    public var accounts: [Account]
    public var tops: [Top]
    public var cash: Money
    /// Cash and positions at their marks.
    public var equity: Money
    /// Write tokens spent since the start, over all shards.
    public var tokensSpent: Int
    /// Write tokens at hand in the scarcest shard.
    public var tokensAvailable: Int
    /// Requests that wait for budget.
    public var queued: Int

    /// What an engine's state is at a time.
    package init(of engine: borrowing Engine, at time: Timestamp) {
        let trading = engine.shared.trading
        self.time = time
        accounts = engine.strategyNames.indices.map { index in
            Account(
                realized: trading.portfolios[index].realized,
                unrealized: trading.portfolios[index].unrealized, fees: trading.portfolios[index].fees)
        }
        let markets = engine.markets
        tops = (0..<markets.count).compactMap { index in
            markets.states[index].subscribers == 0 ? nil : RunSample.top(Market.ID(index), in: markets)
        }
        cash = trading.cash.total
        equity = trading.equity
        (tokensSpent, tokensAvailable, queued) = trading.writeBudget(at: time)
    }

    fileprivate static func top(_ market: Market.ID, in markets: MarketTable) -> Top {
        guard markets.isUsable(market) else { return Top(market: market, bid: nil, ask: nil) }
        let book = markets.book(market)
        return Top(market: market, bid: book.bestBid, ask: book.bestAsk)
    }
}

/// What changes fastest of a run: the subscribed books that did change, and the write budget. In a run of weeks
/// two samples lie many minutes apart, and a market may live for fifteen.
public struct RunGlance: Sendable {
    public var time: Timestamp
    public var tops: [RunSample.Top]
    public var tokensSpent: Int
    public var tokensAvailable: Int
    public var queued: Int

    /// `since`: when the run was looked at last.
    package init(of engine: borrowing Engine, at time: Timestamp, since: Timestamp) {
        self.time = time
        let markets = engine.markets
        tops = (0..<markets.count).compactMap { index in
            let state = markets.states[index]
            // With an order or a position, a book that was lost is worth knowing too.
            guard state.isWatched || state.subscribers != 0 && state.lastChange >= since else { return nil }
            return RunSample.top(Market.ID(index), in: markets)
        }
        (tokensSpent, tokensAvailable, queued) = engine.shared.trading.writeBudget(at: time)
    }
}

extension TradingCore {
    /// Write tokens spent since the start over all shards, at hand in the scarcest, and requests that wait.
    fileprivate func writeBudget(at time: Timestamp) -> (spent: Int, available: Int, queued: Int) {
        let budgets = budgets(now: time)
        return (
            budgets.reduce(0) { $0 + Int($1.spent) }, budgets.map { Int($0.available) }.min() ?? 0,
            budgets.reduce(0) { $0 + $1.waiting }
        )
    }
}
