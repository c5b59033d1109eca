import Martlet

/// A line as times and values, for drawing: money in dollars, contracts, prices in dollars.
package struct ChartLine: Hashable, Sendable, Codable {
    /// Nanoseconds since 1970.
    package var times: [Int64]
    /// Nil: a gap begins.
    package var values: [Double?]

    package init(_ series: ExtremeSeries) {
        let points = series.points
        times = points.map { $0.time.nanoseconds }
        values = points.map(\.value)
    }
    package init(times: [Int64], values: [Double?]) {
        precondition(times.count == values.count)
        self.times = times
        self.values = values
    }
    package var isEmpty: Bool { times.isEmpty }
}

/// A fill, or several next to each other in time drawn as one, at their mean price.
package struct FillMark: Hashable, Sendable, Codable {
    package var time: Timestamp
    package var price: Double
    package var contracts: Double
    package var fills: Int
    package var isBuy: Bool
    package var isTaker: Bool
}

/// What the page draws.
package struct RunCharts: Hashable, Sendable, Codable {
    /// Realised and unrealised profit after fees, dollars; of all strategies, then of each.
    package var profit: ChartLine
    package var strategyProfits: [ChartLine]
    /// Dollars below the high so far.
    package var drawdown: ChartLine
    /// Write tokens a second, over a second or the time between two samples, and tokens at hand.
    package var tokensPerSecond: ChartLine
    package var tokensAvailable: ChartLine
    package var queue: ChartLine
    /// Those with the most contracts traded, by ticker.
    package var markets: [MarketChart]
    /// Markets with fills for which no chart was kept.
    package var marketsWithout: Int
    /// What strategies recorded by name.
    package var series: [NamedLine]

    package struct NamedLine: Hashable, Sendable, Codable {
        package var name: String
        package var line: ChartLine
    }
}

/// A market's price, our fills in it, and our position, summed over strategies.
package struct MarketChart: Hashable, Sendable, Codable {
    package var ticker: String
    package var title: String
    package var result: String?
    package var bid: ChartLine
    package var ask: ChartLine
    package var fills: [FillMark]
    package var position: ChartLine
    package var events: [RunEvent]
}
