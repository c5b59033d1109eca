import Martlet
import MartletEngine

/// How a run is driven, beside its engine's and its exchange's settings.
public struct BacktestSettings: Hashable, Sendable {
    /// The run's seed: its nonce, from which all chance comes.
    public var seed: UInt64 = 1
    /// What the simulated exchange allows; the engine is told the same at its start.
    public var limits = RateLimits.basic
    /// How often, in the run's own time, its state is sampled for the report; zero for never.
    public var sampleInterval = TimeSpan.seconds(1)
    /// How often between two samples the books that strategies follow are looked at.
    public var glanceInterval = TimeSpan.seconds(1)
    /// Cancels what rests at the end, so that a run cut off leaves no order behind in the accounts.
    public var cancelsAtEnd = false
    public init() {}
}

/// What a run came to.
public struct RunSummary: Hashable, Sendable {
    /// Book events and trades.
    public var records = 0
    /// The input was read to its end.
    public var isComplete = false
    public var firstTime = Timestamp.unknown
    public var lastTime = Timestamp.unknown
    public var commands = 0
    public var reports = 0
    /// Records that the venue's own book could not take.
    public var venueFaults = 0
    public init() {}
}
