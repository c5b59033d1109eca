import Martlet
import MartletEngine

/// How long to wait before a connection is tried again: doubled each time, each wait drawn evenly from the upper
/// half, so that clients thrown off together do not come back together.
public struct Backoff: Sendable {
    public struct Settings: Hashable, Sendable {
        public var first = TimeSpan.milliseconds(250)
        public var most = TimeSpan.seconds(30)
        /// A connection that stood for so long was good: the next failure is the first again.
        public var goodAfter = TimeSpan.seconds(30)
        public init() {}
    }
    public let settings: Settings
    public private(set) var failures = 0
    private var generator: SeededGenerator

    public init(_ settings: Settings = Settings(), seed: UInt64) {
        self.settings = settings
        generator = SeededGenerator(seed: seed)
    }

    /// The wait after a connection that stood for `lifetime` (zero: it never stood).
    public mutating func next(after lifetime: TimeSpan) -> TimeSpan {
        if lifetime >= settings.goodAfter { failures = 0 }
        let doubled = settings.first.nanoseconds << Int64(min(failures, 20))
        let full = min(max(doubled, 1), settings.most.nanoseconds)
        failures += 1
        return TimeSpan(nanoseconds: full / 2 + Int64(generator.unit() * Double(full / 2)))
    }
}
