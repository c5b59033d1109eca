import Martlet
import MartletEngine

/// What the driver alone knows of a run: where it came from, what it assumed, how it ended.
package struct RunFacts: Hashable, Sendable, Codable {
    package enum Mode: String, Hashable, Sendable, Codable {
        case backtest, paper, live, replay
    }
    package struct StrategyFacts: Hashable, Sendable, Codable {
        /// Unique within the run.
        package var name: String
        /// As text, in the order in which they should be shown.
        package var parameters: [Named]
        package init(_ name: String, parameters: [Named] = []) {
            self.name = name
            self.parameters = parameters
        }
    }
    /// A name with a text, for facts of any kind.
    package struct Named: Hashable, Sendable, Codable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
    /// The exchange's budget for writes: tokens a second and at most.
    package struct Budget: Hashable, Sendable, Codable {
        package var tier: String
        package var refill: Int
        package var capacity: Int
        package init(_ limits: RateLimits) {
            tier = limits.tier
            refill = limits.write.refill
            capacity = limits.write.capacity
        }
    }
    /// How long it took: outside the HTML, which is the same for the same run.
    package struct Timing: Hashable, Sendable, Codable {
        /// Real seconds.
        package var seconds: Double
        package var recordsPerSecond: Double
        package init(seconds: Double, recordsPerSecond: Double) {
            self.seconds = seconds
            self.recordsPerSecond = recordsPerSecond
        }
    }

    package var mode: Mode
    /// In the order of their index in the engine.
    package var strategies: [StrategyFacts]
    /// The tape's or the feed's name.
    package var source: String
    package var seed: UInt64?
    /// The run's own time.
    package var start: Timestamp?
    package var end: Timestamp?
    /// Book changes, trades and all else that was replayed or received.
    package var records: Int
    package var isComplete: Bool
    /// Why it ended early.
    package var interruption: String?
    package var startingCash: Money?
    package var writeBudget: Budget?
    /// The models used and settings worth a line: latency, queue, fees (`("latency", "constant 50 ms")`).
    package var settings: [Named]
    /// What had to be assumed for want of data, one sentence each.
    package var assumptions: [String]
    /// Markets left out, with the reason.
    package var skipped: [Named]
    /// Further figures to be shown as they are (`("unknown messages", "3")`).
    package var counters: [Named]
    /// The configuration file's text.
    package var configuration: String?
    package var timing: Timing?

    package init(
        mode: Mode, strategies: [StrategyFacts], source: String, seed: UInt64? = nil,
        start: Timestamp? = nil, end: Timestamp? = nil, records: Int = 0, isComplete: Bool = true,
        interruption: String? = nil, startingCash: Money? = nil, writeBudget: Budget? = nil,
        settings: [Named] = [], assumptions: [String] = [], skipped: [Named] = [],
        counters: [Named] = [], configuration: String? = nil, timing: Timing? = nil
    ) {
        self.mode = mode
        self.strategies = strategies
        self.source = source
        self.seed = seed
        self.start = start
        self.end = end
        self.records = records
        self.isComplete = isComplete
        self.interruption = interruption
        self.startingCash = startingCash
        self.writeBudget = writeBudget
        self.settings = settings
        self.assumptions = assumptions
        self.skipped = skipped
        self.counters = counters
        self.configuration = configuration
        self.timing = timing
    }
}

/// The run's money and budget at one time, handed in at an even interval of the run's own time.
package struct RecorderSample: Hashable, Sendable {
    /// One strategy's account.
    package struct Account: Hashable, Sendable {
        /// Profit of what was closed or settled, before fees.
        package var realized: Money
        /// Profit of open positions at the last mids.
        package var unrealized: Money
        package var fees: Money
        package var net: Money { realized + unrealized - fees }
        package init(realized: Money, unrealized: Money, fees: Money) {
            self.realized = realized
            self.unrealized = unrealized
            self.fees = fees
        }
    }
    package var time: Timestamp
    /// By strategy index.
    package var accounts: [Account]
    /// The account's cash and what it is worth with all positions.
    package var cash: Money
    package var equity: Money
    /// Write tokens spent since the run's start, and at hand now (the fullest used shard's).
    package var tokensSpent: Int
    package var tokensAvailable: Int
    /// Commands waiting in the router.
    package var queued: Int

    package init(
        time: Timestamp, accounts: [Account], cash: Money, equity: Money, tokensSpent: Int,
        tokensAvailable: Int, queued: Int
    ) {
        self.time = time
        self.accounts = accounts
        self.cash = cash
        self.equity = equity
        self.tokensSpent = tokensSpent
        self.tokensAvailable = tokensAvailable
        self.queued = queued
    }
}
