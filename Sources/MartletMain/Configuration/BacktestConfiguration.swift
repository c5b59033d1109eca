import Martlet
import MartletEngine
import MartletLive

/// What a backtest is: which recordings, which strategies, under which limits, against which exchange.
///
/// Encodes with every key present: the encoded defaults are the list of known keys. `strategies` stands apart,
/// for its elements carry parameters of a type that only the strategy knows (``ConfiguredStrategy``).
package struct BacktestConfiguration: Codable, Hashable, Sendable {
    /// Tapes, folders of tapes, or `demo`.
    package var tapes: [String] = ["demo"]
    /// Only markets whose ticker fits one of these.
    package var markets: [String] = []
    package var tier: String = "basic"
    package var latency = LatencyConfiguration()
    /// Where an order of ours stands among the recorded contracts of its level.
    package var queue: String = "back"
    package var exchange = ExchangeConfiguration()
    package var trading = TradingSettings()
    package var seed: UInt64 = 1
    package var out: String = ""
    package var report: Bool = true
    package var sampling: TimeSpan = .zero
    /// Of paper and live sessions alone.
    package var live = LiveSettings()

    package init() {}
}

/// How long orders and answers are under way.
package struct LatencyConfiguration: Codable, Hashable, Sendable {
    package static let models = ["constant", "log-normal", "recorded"]
    package var model: String = "constant"
    package var order: TimeSpan = .milliseconds(50)
    package var report: TimeSpan = .milliseconds(50)
    /// Standard deviation of the logarithm.
    package var sigma: Double = 0.5
    package var file: String = ""
    package init() {}
}

/// What else is assumed of the exchange.
package struct ExchangeConfiguration: Codable, Hashable, Sendable {
    package static let feeChoices = [
        "recorded", "none", "quadratic", "quadratic_with_maker_fees", "quadratic_with_combo_maker_fees",
    ]
    package var fees: String = "recorded"
    package var taken: String = "untilRemoved"
    package var crossing: String = "quantity"
    package var rejectsPostOnlyCross: Bool = false
    package var rejectsEmptyImmediate: Bool = false
    package var confirmsLateCancels: Bool = false
    package init() {}
}

/// One element of `strategies`, without its parameters.
package struct StrategyUse: Codable, Hashable, Sendable {
    package var use: String = ""
    package var name: String = ""
    package var markets: [String] = []
    package init() {}
}

/// A strategy with its parameters decoded and checked.
package struct ConfiguredStrategy {
    /// Unique in the run.
    package var name: String
    package var entry: StrategyEntry
    package var strategy: any Strategy
    package var markets: TickerFilter
    /// All parameters with their values in this run, in the order of their declaration.
    package var parameters: [StrategyEntry.Parameter]
}

/// A configuration that can be run.
package struct BacktestPlan {
    /// For titles and the output folder: the file's name without its extension, or the strategy's.
    package var name: String
    package var configuration: BacktestConfiguration
    package var strategies: [ConfiguredStrategy]
    /// The file's text, for the report; nil without one.
    package var text: String?
    /// What paths in the configuration are relative to; empty for the current folder.
    package var folder: String

    /// A path of the configuration as the process can open it.
    package func resolve(_ path: String) -> String {
        path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
    }
    package var outFolder: String {
        configuration.out.isEmpty ? "Backtests/out/\(name)" : configuration.out
    }
}
