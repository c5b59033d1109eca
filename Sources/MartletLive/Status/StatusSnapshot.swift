import Martlet
import MartletEngine
import MartletSimulation

/// Everything about a running session that a person wants to see, at one moment: for the terminal, the dashboard,
/// `martlet halt --status` and logs. Money, prices and counts are exact decimal texts in JSON.
public struct StatusSnapshot: Codable, Hashable, Sendable {
    public struct MarketLine: Codable, Hashable, Sendable {
        public var ticker: String
        public var status: String
        /// Others' best prices, without our own orders; nil for an empty side.
        public var bid: Price?
        public var ask: Price?
        public var bidSize: Quantity
        public var askSize: Quantity
        /// Why the book cannot be used now; nil when it can.
        public var trouble: String?
        public var position: Quantity
        /// Realised and unrealised profit less fees.
        public var profit: Money
        /// Our resting orders: contracts and best price.
        public var ownBid: Quantity
        public var ownAsk: Quantity
        public var ownBidPrice: Price?
        public var ownAskPrice: Price?
    }
    public struct StrategyLine: Codable, Hashable, Sendable {
        public var name: String
        public var state: RiskState
        public var realized: Money
        public var unrealized: Money
        public var fees: Money
        public var net: Money { realized + unrealized - fees }
    }
    public struct OrderLine: Codable, Hashable, Sendable {
        public var order: UInt64
        public var strategy: String
        public var ticker: String
        public var side: String
        public var price: Price
        public var quantity: Quantity
        public var filled: Quantity
        public var status: String
    }
    public struct BudgetLine: Codable, Hashable, Sendable {
        public var shard: Int
        public var available: Int
        public var capacity: Int
        public var spent: Int
        public var waiting: Int
    }
    /// A rule of the risk gate and how often it refused: why nothing is traded.
    public struct RefusalLine: Codable, Hashable, Sendable {
        public var rule: String
        public var count: Int
    }
    /// Nanoseconds.
    public struct Latency: Codable, Hashable, Sendable {
        public var count: Int
        public var median: Int64
        public var p99: Int64
        public var maximum: Int64

        public init?(_ histogram: LatencyHistogram) {
            guard let median = histogram.percentile(0.5), let p99 = histogram.percentile(0.99) else {
                return nil
            }
            count = histogram.count
            self.median = median
            self.p99 = p99
            maximum = histogram.maximum
        }
    }

    public var mode: String
    public var environment: String
    /// Nanoseconds since 1970.
    public var time: Int64
    public var started: Int64
    public var risk: RiskState
    /// Why the account is not active, and what else keeps it from trading; empty when nothing does.
    public var obstacles: [String]
    public var cash: Money
    public var equity: Money
    public var strategies: [StrategyLine]
    public var markets: [MarketLine]
    public var orders: [OrderLine]
    public var budgets: [BudgetLine]
    public var refusals: [RefusalLine]
    /// From a frame's arrival to its order being with the kernel.
    public var tickToOrder: Latency?
    /// From an order's leaving to its answer.
    public var roundTrip: Latency?
    public var connections: Int
    public var liveBooks: Int
    public var wantedBooks: Int
    public var events: Int
    public var commands: Int
    public var fills: Int
    public var rateLimited: Int
    public var unknownOrders: Int
    public var openOrders: Int
    /// The account's limits as they count now: tightening changes them.
    public var limits: RiskLimits
    /// The exchange's clock less ours, in milliseconds; nil while not known.
    public var clockOffset: Double?
}

extension TradingSession {
    /// The state at this moment. Looks at every market: a few times a second at most.
    package func snapshot(
        mode: String, environment: String, started: Timestamp, driver: LiveDriver?
    ) -> StatusSnapshot {
        let trading = engine.shared.trading
        let lines = marketLines(trading)
        let budgets = trading.budgets(now: now).map {
            StatusSnapshot.BudgetLine(
                shard: $0.shard, available: Int($0.available), capacity: Int($0.capacity),
                spent: Int($0.spent),
                waiting: $0.waiting)
        }
        return StatusSnapshot(
            mode: mode, environment: environment, time: now.nanoseconds, started: started.nanoseconds,
            risk: trading.accountRiskState, obstacles: obstacles(lines, driver), cash: trading.cash.total,
            equity: trading.equity, strategies: strategyLines(trading), markets: lines,
            orders: orderLines(trading), budgets: budgets,
            refusals: trading.refusalCounts.filter { $0.count > 0 }.map {
                .init(rule: $0.rule.rawValue, count: $0.count)
            },
            tickToOrder: .init(statistics.tickToOrder),
            roundTrip: rest.flatMap { .init($0.statistics.roundTrip) },
            connections: group?.openConnections ?? 0, liveBooks: group?.liveBooks ?? 0,
            wantedBooks: lines.count, events: statistics.events, commands: statistics.commands,
            fills: statistics.fills, rateLimited: statistics.rateLimited,
            unknownOrders: driver?.unknownOrders ?? 0, openOrders: trading.openOrderCount,
            limits: trading.accountLimits,
            clockOffset: rest?.clockOffset.estimate?.milliseconds)
    }

    private func marketLines(_ trading: TradingCore) -> [StatusSnapshot.MarketLine] {
        (0..<engine.markets.count).compactMap { index in
            let market = Market.ID(index)
            let position = trading.accountPosition(market)
            guard engine.markets.states[index].subscribers != 0 || !position.quantity.isZero else {
                return nil
            }
            let book = bookTop(market)
            let resting = trading.restingOrders(in: market)
            func own(_ side: Side) -> (Quantity, Price?) {
                let orders = resting.filter { $0.side == side }
                let best = side == .bid ? orders.map(\.price).max() : orders.map(\.price).min()
                return (orders.reduce(.zero) { $0 + $1.remaining }, best)
            }
            let (bid, ask) = (own(.bid), own(.ask))
            let mark = trading.mark(market)
            let unrealized =
                mark.map { position.quantity.isZero ? .zero : position.unrealized(at: $0) } ?? .zero
            return StatusSnapshot.MarketLine(
                ticker: directory.ticker(market), status: engine.markets.status(market).wire, bid: book.bid,
                ask: book.ask, bidSize: book.bidSize, askSize: book.askSize,
                trouble: engine.markets.fault(market).map { "\($0)" }, position: position.quantity,
                profit: position.realized + unrealized - position.fees, ownBid: bid.0, ownAsk: ask.0,
                ownBidPrice: bid.1, ownAskPrice: ask.1)
        }
    }

    private func bookTop(_ market: Market.ID) -> (
        bid: Price?, ask: Price?, bidSize: Quantity, askSize: Quantity
    ) {
        let book = engine.markets.books + Int(market.index)
        return (
            book.pointee.bestBid, book.pointee.bestAsk, book.pointee.bestSize(.bid),
            book.pointee.bestSize(.ask)
        )
    }

    private func strategyLines(_ trading: TradingCore) -> [StatusSnapshot.StrategyLine] {
        engine.strategyNames.enumerated().map { index, name in
            StatusSnapshot.StrategyLine(
                name: name, state: trading.riskState(index), realized: trading.portfolios[index].realized,
                unrealized: trading.portfolios[index].unrealized, fees: trading.portfolios[index].fees)
        }
    }

    private func orderLines(_ trading: TradingCore) -> [StatusSnapshot.OrderLine] {
        trading.openOrders().map { order in
            let strategy = trading.strategy(of: order.id).map { engine.strategyNames[$0] } ?? "unassigned"
            return StatusSnapshot.OrderLine(
                order: order.id.number, strategy: strategy, ticker: directory.ticker(order.market),
                side: order.side == .bid ? "bid" : "ask", price: order.price, quantity: order.quantity,
                filled: order.filled, status: "\(order.status)")
        }
    }

    /// "Why is it not trading?"
    private func obstacles(_ lines: [StatusSnapshot.MarketLine], _ driver: LiveDriver?) -> [String] {
        var found: [String] = []
        if (group?.openConnections ?? 0) == 0 { found.append("no connection to the feed") }
        let unusable = lines.count { $0.trouble != nil }
        if unusable > 0 { found.append("\(unusable) of \(lines.count) books cannot be used") }
        let closed = lines.count { $0.status != MarketStatus.active.wire }
        if closed > 0 { found.append("\(closed) of \(lines.count) markets are not open") }
        if lines.isEmpty { found.append("no strategy follows a market") }
        if let unknown = driver?.unknownOrders, unknown > 0 {
            found.append("\(unknown) orders of unknown outcome hold back their markets")
        }
        if hasJournalFailed { found.append("the journal has no room") }
        let waiting = engine.shared.trading.budgets(now: now).filter { $0.waiting > 0 && $0.available < 10 }
        if !waiting.isEmpty {
            found.append("the write budget is spent: \(waiting.reduce(0) { $0 + $1.waiting }) requests wait")
        }
        return obstacles.lines(at: now) + found
    }

    /// The engine's state for the recorder.
    package func sample() -> RunSample { RunSample(of: engine, at: now) }
    package var openOrderCount: Int { engine.shared.trading.openOrderCount }
    package var unresolvedOrders: Int { engine.shared.trading.ordersToLookUp().count }
    package var engineStatistics: EngineStatistics { engine.statistics }
    package var strangerFills: Int { account.strangers }
    /// Orders that may still trade, a line each.
    package var openOrderLines: [String] {
        engine.shared.trading.openOrders().map { order in
            let id = rest?.orders.venueID(order.id).map { " (\($0))" } ?? ""
            return "\(directory.ticker(order.market)) \(order.side) \(order.remaining) at \(order.price)\(id)"
        }
    }
}
