import Martlet
import MartletEngine

/// One token bucket as the exchange keeps it. Exact: in nano-tokens, so that one token a second is one nano-token
/// a nanosecond. Time running backwards refills nothing.
package struct VenueBucket: Sendable {
    private static let nano: Int64 = 1_000_000_000
    package let limits: RateLimits.Bucket
    private var level: Int64
    private var updated: Timestamp?

    package init(_ limits: RateLimits.Bucket) {
        self.limits = limits
        level = Int64(limits.capacity) * VenueBucket.nano
    }

    package mutating func tokens(at now: Timestamp) -> Double {
        refill(now)
        return Double(level) / 1e9
    }
    /// Takes `cost` tokens, or nothing when they are not there.
    package mutating func admit(_ cost: Int, at now: Timestamp) -> Bool {
        refill(now)
        let needed = Int64(cost) * VenueBucket.nano
        guard level >= needed else { return false }
        level -= needed
        return true
    }
    private mutating func refill(_ now: Timestamp) {
        guard let last = updated else {
            updated = now
            return
        }
        guard now > last else { return }
        updated = now
        let full = Int64(limits.capacity) * VenueBucket.nano
        let gained = Int128(now.nanoseconds - last.nanoseconds) * Int128(limits.refill)
        level = Int64(min(Int128(full), Int128(level) + gained))
    }
}

/// An account's budgets at the exchange (API.md §3): reads, writes, and writes of each shard from 1 on.
package struct VenueBuckets: Sendable {
    package let limits: RateLimits
    package var read: VenueBucket
    /// Shard 0, batches, and everything that names no shard.
    package var write: VenueBucket
    private var shards: [(shard: Int, bucket: VenueBucket)] = []

    package init(_ limits: RateLimits) {
        self.limits = limits
        read = VenueBucket(limits.read)
        write = VenueBucket(limits.write)
    }

    /// Bills a write to the bucket of a shard; batches and shard 0 to the unscoped one.
    package mutating func admitWrite(_ cost: Int, shard: Int, at now: Timestamp) -> Bool {
        guard shard >= 1 else { return write.admit(cost, at: now) }
        let index =
            shards.firstIndex { $0.shard == shard }
            ?? {
                shards.append((shard, VenueBucket(limits.write)))
                return shards.count - 1
            }()
        return shards[index].bucket.admit(cost, at: now)
    }

    /// A write without a shard (`-1`, or a ticker alone): every shard's bucket must hold it.
    package mutating func admitEverywhere(_ cost: Int, shards count: Int, at now: Timestamp) -> Bool {
        var trial = self
        guard trial.write.admit(cost, at: now) else { return false }
        for shard in 1..<max(count, 1) {
            guard trial.admitWrite(cost, shard: shard, at: now) else { return false }
        }
        self = trial
        return true
    }

    /// Bills a command; a whole batch must fit at once.
    package mutating func admit(_ command: VenueCommand, at now: Timestamp, shardOf: (Market.ID) -> Int)
        -> Bool
    {
        let costs = limits.costs
        switch command {
        case .place(let place):
            return admitWrite(costs.place, shard: shardOf(place.request.market), at: now)
        case .amend(let amend): return admitWrite(costs.amend, shard: shardOf(amend.market), at: now)
        case .decrease(_, let market, _):
            return admitWrite(costs.decrease, shard: shardOf(market), at: now)
        case .cancel(_, let market): return admitWrite(costs.cancel, shard: shardOf(market), at: now)
        case .placeBatch(let places): return write.admit(costs.place * places.count, at: now)
        case .cancelBatch(let orders): return write.admit(costs.cancel * orders.count, at: now)
        case .cancelEverything: return write.admit(costs.cancelEverything, at: now)
        }
    }
}
