import Martlet
import MartletEngine

/// Which of the exchange's buckets a request is billed to (API.md §3).
public enum BudgetScope: Hashable, Sendable {
    case read
    /// A write that names its shard. Shard 0 and all batches go to the unscoped bucket.
    case write(shard: Int)
    /// A write routed by its ticker: billed to the bucket of every shard.
    case writeAutoRouted
}

/// The client's own copy of the exchange's read and write budgets.
///
/// The engine's router keeps the budgets of a running session's orders; this one serves everything else: tools,
/// reads, the guard. Nothing is assumed but the lowest tier until ``set(_:costs:now:)`` brings the exchange's
/// figures, which may change while running. The clock and chance are handed in.
public struct RateBudget: Sendable {
    public private(set) var limits: RateLimits
    public private(set) var costs: EndpointCosts
    private var read: TokenBucket
    /// Of the unscoped bucket (index 0) and of each shard that was ever named.
    private var write: [(shard: Int, bucket: TokenBucket)]
    private let settings: RouterSettings
    /// 429 answers.
    public private(set) var refusals = 0

    public init(
        limits: RateLimits = .basic, costs: EndpointCosts = .conservative,
        settings: RouterSettings = RouterSettings(), now: Timestamp
    ) {
        self.limits = limits
        self.costs = costs
        self.settings = settings
        read = TokenBucket(limits.read, margin: settings.arrivalMargin, now: now)
        write = [(0, TokenBucket(limits.write, margin: settings.arrivalMargin, now: now))]
    }

    /// Figures from the limits endpoint and the cost table. What has been spent stays spent.
    public mutating func set(_ limits: RateLimits, costs: EndpointCosts? = nil, now: Timestamp) {
        self.limits = limits
        if let costs { self.costs = costs }
        read.set(limits.read, now: now)
        for index in write.indices { write[index].bucket.set(limits.write, now: now) }
    }

    /// Asks to send a request now.
    /// - Parameter items: orders of a batch, each billed.
    /// - Returns: nil when it was admitted and paid for; else the time at which to ask again.
    public mutating func admit(
        method: String, path: String, scope: BudgetScope, items: Int = 1, now: Timestamp
    ) -> Timestamp? {
        let cost = costs.cost(method: method, path: path) * max(1, items)
        switch scope {
        case .read:
            read.refill(to: now)
            read.recover(settings, now: now)
            guard read.affords(cost, leaving: 0, now: now) else { return read.time(for: cost, leaving: 0) }
            read.spend(cost)
        case .write, .writeAutoRouted:
            let billed = buckets(of: scope, now: now)
            var wait: Timestamp?
            for index in billed {
                write[index].bucket.refill(to: now)
                write[index].bucket.recover(settings, now: now)
                if !write[index].bucket.affords(cost, leaving: 0, now: now) {
                    let time = write[index].bucket.time(for: cost, leaving: 0)
                    wait = max(wait ?? time, time)
                }
            }
            if let wait { return wait }
            for index in billed { write[index].bucket.spend(cost) }
        }
        return nil
    }

    /// The exchange answered 429: the bucket was emptier than we thought, shrinks, and rests for a jittered while.
    /// - Parameter chance: random bits.
    public mutating func refused(scope: BudgetScope, chance: UInt64, now: Timestamp) {
        refusals += 1
        switch scope {
        case .read: read.wasRefused(settings, chance: chance, now: now)
        case .write, .writeAutoRouted:
            for index in buckets(of: scope, now: now) {
                write[index].bucket.wasRefused(settings, chance: chance, now: now)
            }
        }
    }

    /// Tokens at hand now.
    public mutating func available(_ scope: BudgetScope, now: Timestamp) -> Int {
        switch scope {
        case .read:
            read.refill(to: now)
            return Int(read.available)
        case .write, .writeAutoRouted:
            return buckets(of: scope, now: now).map { index in
                write[index].bucket.refill(to: now)
                return Int(write[index].bucket.available)
            }.min() ?? 0
        }
    }

    /// When every write bucket will be full again if nothing else is written.
    public mutating func writesRefilled(now: Timestamp) -> Timestamp {
        var time = now
        for index in write.indices {
            write[index].bucket.refill(to: now)
            time = max(time, write[index].bucket.time(for: Int(write[index].bucket.capacity), leaving: 0))
        }
        return time
    }

    private mutating func buckets(of scope: BudgetScope, now: Timestamp) -> [Int] {
        guard case .write(let shard) = scope else { return Array(write.indices) }
        let wanted = max(0, shard)
        if let index = write.firstIndex(where: { $0.shard == wanted }) { return [index] }
        write.append((wanted, TokenBucket(limits.write, margin: settings.arrivalMargin, now: now)))
        return [write.count - 1]
    }
}
