import Martlet

/// Everything a run came to, as plain values: what `--json` prints and the summary and the page are made of.
package struct RunResult: Hashable, Sendable, Codable {
    /// Raised when a key changes its meaning or goes.
    package var format: Int
    package var facts: RunFacts
    package var total: Performance
    /// In the order of the strategies' index; then `unassigned`, where orders or fills belonged to none of them.
    package var strategies: [Performance]
    /// Those with orders, fills or a position, by ticker; see ``marketsWatched``.
    package var markets: [MarketResultLine]
    /// Their sums by event, by ticker.
    package var events: [Performance]
    /// All markets that were defined.
    package var marketsWatched: Int
    package var orders: OrderOutcomes
    /// What the gate refused, most frequent first: why a strategy is not trading.
    package var refusals: [RefusalLine]
    package var calibration: Calibration?
    /// Open at the end, marked to the last mid, outside realised profit.
    package var unsettled: [OpenPosition]
    package var budget: BudgetUse?
    package var risk: [RunEvent]
    /// Markets paused, closed or determined, books lost and found.
    package var marketEvents: [RunEvent]
    /// Events beyond what is kept.
    package var droppedEvents: Int
    package var logs: LogSummary
    /// Anything that does not add up or that limits what the figures mean, one sentence each.
    package var notes: [String]
    /// Lines to draw. Nil where they were left out.
    package var charts: RunCharts?

    /// The whole as JSON: stable keys, exact decimals. The lines to draw and the real time that the run took are
    /// left out unless asked for; without them, the same run gives the same bytes.
    package func json(charts: Bool = false, timing: Bool = false, isPretty: Bool = true) throws -> String {
        var copy = self
        if !charts { copy.charts = nil }
        if !timing { copy.facts.timing = nil }
        return try ExactJSON.text(copy, isPretty: isPretty) + "\n"
    }
}

/// Money won and lost, by a strategy, in an event, or in all.
package struct Performance: Hashable, Sendable, Codable {
    package var name: String
    package var money = ProfitLine()
    package var fills = FillCounts()
    /// Largest fall of net profit, unrealised included, over all samples.
    package var drawdown: Drawdown?
    package var sharpe: SharpeRatio?
    /// Of strategies alone.
    package var orders: OrderOutcomes?
    /// Holdings that were closed, reversed or settled, and those of them with a profit after fees.
    package var closed = 0
    package var won = 0

    package init(name: String) { self.name = name }
    package var winRate: Double? { closed == 0 ? nil : Double(won) / Double(closed) }
}

/// Exact sums of money.
package struct ProfitLine: Hashable, Sendable, Codable {
    /// Realised profit before fees.
    package var beforeFees: Money = .zero
    package var makerFees: Money = .zero
    package var takerFees: Money = .zero
    /// Before fees less fees.
    package var net: Money = .zero
    /// Profit of positions without a result at the last mid; not part of `net`.
    package var unsettled: Money = .zero

    package init() {}
    package var fees: Money { makerFees + takerFees }

    mutating func add(_ other: ProfitLine) {
        beforeFees += other.beforeFees
        makerFees += other.makerFees
        takerFees += other.takerFees
        net += other.net
        unsettled += other.unsettled
    }
}

package struct FillCounts: Hashable, Sendable, Codable {
    package var fills = 0
    package var makerFills = 0
    package var contracts: Quantity = .zero
    package var makerContracts: Quantity = .zero
    package var bought: Quantity = .zero
    package var sold: Quantity = .zero
    /// Dollars of price paid: YES price for a purchase of YES, NO price for its sale.
    package var turnover: Money = .zero

    package init() {}

    mutating func add(_ fill: Fill) {
        fills += 1
        contracts += fill.quantity
        if !fill.isTaker {
            makerFills += 1
            makerContracts += fill.quantity
        }
        if fill.side == .bid { bought += fill.quantity } else { sold += fill.quantity }
        turnover += fill.side.cost(fill.price) * fill.quantity
    }
    mutating func add(_ other: FillCounts) {
        fills += other.fills
        makerFills += other.makerFills
        contracts += other.contracts
        makerContracts += other.makerContracts
        bought += other.bought
        sold += other.sold
        turnover += other.turnover
    }
}

/// A market's line: its money over all strategies, and what became of it.
package struct MarketResultLine: Hashable, Sendable, Codable {
    package var ticker: String
    package var event: String
    package var title: String
    /// `yes`, `no` or `scalar 0.4200`; nil without a result.
    package var result: String?
    package var position: Quantity
    package var performance: Performance
    /// Orders that the gate let through, and those it refused.
    package var orders: Int
    package var refused: Int
}

/// A position that no result has closed.
package struct OpenPosition: Hashable, Sendable, Codable {
    package var ticker: String
    package var strategy: String
    /// Signed YES contracts.
    package var quantity: Quantity
    package var cost: Money
    /// The last mid, nil where none was seen: then it counts as neither won nor lost.
    package var mid: Price?
    package var unrealized: Money?
    package var fees: Money
}

/// How fast the write budget was used.
package struct BudgetUse: Hashable, Sendable, Codable {
    package var spent: Int
    package var leastAvailable: Int
    /// Over the busiest second, or the time between two samples where they lie further apart.
    package var greatestPerSecond: Double
    package var meanPerSecond: Double
    package var longestQueue: Int
}

/// Something worth a mark on the time line.
package struct RunEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case active, reduceOnly, halted
        case paused, resumed, closed, determined, bookUnusable, bookUsable, other
    }
    package var time: Timestamp
    package var kind: Kind
    /// Ticker, where it is about one market.
    package var market: String?
    package var text: String
}

package struct LogSummary: Hashable, Sendable, Codable {
    package struct Line: Hashable, Sendable, Codable {
        package var time: Timestamp
        package var level: String
        package var strategy: String?
        package var text: String
    }
    package var debug = 0
    package var info = 0
    package var warnings = 0
    package var errors = 0
    /// The first warnings and errors, then the last lines of all kinds, within a bound.
    package var lines: [Line] = []
    package init() {}
}
