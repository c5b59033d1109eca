import Martlet

/// Everything the engine can be told. Each carries or is given with the time at which it was received.
public enum EngineInput: Hashable, Sendable {
    /// The run's first input: from here all chance and all client order ids.
    case started(nonce: UInt64)
    /// A market's definition, new or changed.
    case defined(Market)
    case market(MarketEvent)
    case ticker(Ticker)
    case reference(ReferenceValue)
    /// The exchange announced a state; opening and closing by the clock come from the engine's own timers.
    case status(Market.ID, MarketStatus)
    case result(Market.ID, MarketResult)
    /// The market paid out.
    case settled(Market.ID, MarketResult)
    /// A market's book can no longer be trusted.
    case unusable(Market.ID, BookFault)
    case report(VenueReport)
    /// Cash of the account, or of one shard of it, as the venue has it.
    case balance(shard: Int?, Money)
    /// An order that rests from before this run, for a strategy by its index or (nil) for no one. It gets the next
    /// order number: what ``Engine/nextOrderID`` says before it is handed in.
    case adoptedOrder(Order, strategy: Int?)
    /// A position from before this run. Cash is what ``balance(shard:_:)`` says: taking it in moves none.
    case adoptedPosition(Market.ID, Position, strategy: Int?)
    /// What the exchange allows us.
    case limits(RateLimits)
    /// Time passes: timers that are due, budget that has refilled.
    case clock
    case command(OperatorCommand)
    /// The run ends.
    case stopped
}

public enum OperatorCommand: Hashable, Sendable {
    case halt(reason: String)
    case reduceOnly(reason: String)
    case resume
    /// Limits that count from now on where they are stricter than the present ones; a looser value changes nothing.
    indirect case tighten(account: RiskLimits?, strategies: RiskLimits?)
    /// Profit (below zero: loss) that earlier sessions of this day realised, of a strategy by its index or (nil) of
    /// the account: it counts in this day's loss.
    case carry(Money, strategy: Int?)
}

/// The exchange's budget for our requests (API.md §3), as the limits and costs endpoints give it.
public struct RateLimits: Hashable, Sendable {
    public struct Bucket: Hashable, Sendable {
        /// Tokens a second.
        public var refill: Int
        public var capacity: Int
        public init(refill: Int, capacity: Int) {
            self.refill = refill
            self.capacity = capacity
        }
    }
    public var tier: String
    public var read: Bucket
    public var write: Bucket
    /// Tokens of each request that the engine sends.
    public var costs: Costs

    public struct Costs: Hashable, Sendable {
        public var place = 10
        public var amend = 10
        public var decrease = 10
        public var cancel = 2
        public var cancelEverything = 2
        public init() {}
    }

    public init(tier: String, read: Bucket, write: Bucket, costs: Costs = Costs()) {
        self.tier = tier
        self.read = read
        self.write = write
        self.costs = costs
    }

    /// The conservative default until the exchange has told: its lowest tier of October 2026.
    public static let basic = RateLimits(
        tier: "basic", read: Bucket(refill: 200, capacity: 600), write: Bucket(refill: 100, capacity: 100))
    /// The seven tiers of October 2026 (API.md §3), for backtests; live values come from the exchange.
    public static let tiers: [RateLimits] = [
        .basic,
        .init(
            tier: "advanced", read: .init(refill: 300, capacity: 900),
            write: .init(refill: 300, capacity: 900)),
        .init(
            tier: "expert", read: .init(refill: 600, capacity: 600), write: .init(refill: 600, capacity: 1800)
        ),
        .init(
            tier: "premier", read: .init(refill: 1200, capacity: 1200),
            write: .init(refill: 1200, capacity: 3600)),
        .init(
            tier: "paragon", read: .init(refill: 2400, capacity: 2400),
            write: .init(refill: 2400, capacity: 7200)),
        .init(
            tier: "prime", read: .init(refill: 4800, capacity: 4800),
            write: .init(refill: 4800, capacity: 14400)),
        .init(
            tier: "prestige", read: .init(refill: 12000, capacity: 12000),
            write: .init(refill: 9600, capacity: 28800)),
    ]
    /// No limit at all: for benchmarks.
    public static let unlimited = RateLimits(
        tier: "unlimited", read: Bucket(refill: 1_000_000_000, capacity: 1_000_000_000),
        write: Bucket(refill: 1_000_000_000, capacity: 1_000_000_000))
    public static func tier(_ name: String) -> RateLimits? {
        name == "unlimited" ? .unlimited : tiers.first { $0.tier == name }
    }
}
