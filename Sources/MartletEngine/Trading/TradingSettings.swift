import Martlet

/// Everything that can be set about orders, risk and the router. Encodes with all keys present, so that a
/// configuration can be laid over the encoded defaults.
public struct TradingSettings: Codable, Hashable, Sendable {
    /// Cash on exchange shard 0 at the start of a simulation, in dollars. Live, the exchange's word replaces it.
    public var startingCash: Money = 100_000
    /// Cash on further shards: collateral is a shard's own (API.md §7).
    public var startingCashOnShards: [ShardCash] = []
    /// What the exchange rounds each fill's fee to: `directMember` ($0.0001) or `intermediated` ($0.01).
    public var balancePrecision: BalancePrecision = .directMember
    /// How the exchange rounds payouts: `cent` or `exact`.
    public var payoutRounding: PayoutRounding = .cent
    /// Counts the collateral that mutually exclusive events give back (`MECNET`) as available. Off unless
    /// netting is on for the account.
    public var returnsCollateral: Bool = false
    /// Limits of each strategy on its own.
    public var strategyLimits: RiskLimits = RiskLimits()
    /// Limits of all strategies and adopted orders together.
    public var accountLimits: RiskLimits = RiskLimits()
    public var router: RouterSettings = RouterSettings()
    /// What becomes of desired quotes whose book can no longer be trusted: `pull` or `hold`.
    public var quotesOnUnusableBook: UnusableBookPolicy = .pull
    /// Finished orders that can still be looked up, the newest; older ones are forgotten.
    public var finishedOrdersKept: Int = 10_000
    /// Trade ids remembered to recognise a fill that is reported twice, the newest.
    public var tradesRemembered: Int = 65_536

    public init() {}
}

/// Cash on one exchange shard.
public struct ShardCash: Codable, Hashable, Sendable {
    public var shard: Int
    public var cash: Money
    public init(shard: Int, cash: Money) {
        self.shard = shard
        self.cash = cash
    }
}

public enum UnusableBookPolicy: String, Codable, Hashable, Sendable {
    /// Cancel the quotes; the strategy quotes again when the book is back.
    case pull
    /// Leave what rests; nothing new goes out.
    case hold
}
