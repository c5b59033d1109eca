import Martlet

/// The queues and budgets of all exchange shards: who may leave next, and when.
///
/// One token bucket a shard (API.md §3: single writes to shard 1 and above are billed to that shard's bucket,
/// shard 0 and all batches to the unscoped one). In a bucket cancels go first, then what reduces risk, then the
/// rest, each by age. An entry whose token its order no longer bears was superseded, and is skipped.
package struct OrderRouter: ~Copyable {
    /// In order of precedence.
    enum Class: Int, CaseIterable {
        case cancel, reducing, normal
    }
    struct Entry {
        var slot: Int32
        var token: UInt64
        /// The token of its first time in the queue.
        var age: UInt64
    }

    /// By age: at the end for a new entry, near the front for one that had left and is back.
    struct Queue: ~Copyable {
        private var entries = MoveQueue<Entry>()
        @inline(__always) var first: Entry? { entries.isEmpty ? nil : entries[0] }
        var count: Int { entries.count }
        mutating func insert(_ entry: Entry) {
            guard count > 0, entries[count - 1].age > entry.age else { return entries.append(entry) }
            var index = 0
            while entries[index].age < entry.age { index += 1 }
            entries.insert(entry, at: index)
        }
        @inline(__always) mutating func removeFirst() { _ = entries.removeFirst() }
        /// Drops entries that are not wanted any more, keeping the order.
        mutating func compact(_ isWanted: (Entry) -> Bool) {
            for entry in entries.takeAll() where isWanted(entry) { entries.append(entry) }
        }
    }

    package struct Lane: ~Copyable {
        /// By class.
        private var queues = Block<Queue>()
        package var bucket: TokenBucket
        /// Entries that are still wanted.
        package internal(set) var waiting = 0
        var entryCount: Int { queues[0].count + queues[1].count + queues[2].count }

        init(bucket: TokenBucket) {
            self.bucket = bucket
            for _ in Class.allCases { queues.append(Queue()) }
        }

        subscript(queue: Class) -> Queue {
            @inline(__always) unsafeAddress { UnsafePointer(queues.pointer(queue.rawValue)) }
            @inline(__always) nonmutating unsafeMutableAddress { queues.pointer(queue.rawValue) }
        }
    }

    let settings: RouterSettings
    package internal(set) var limits: RateLimits
    package internal(set) var lanes = Block<Lane>()
    package internal(set) var statistics = RouterStatistics()
    /// When something that waits can leave; nil when nothing waits.
    package internal(set) var wake: Timestamp?
    var generator = SeededGenerator(seed: 0)
    private var lastToken: UInt64 = 0
    /// Something was queued since the lanes were last served.
    var isDirty = false

    init(settings: RouterSettings, limits: RateLimits) {
        self.settings = settings
        self.limits = limits
    }

    mutating func addLane(now: Timestamp) {
        lanes.append(Lane(bucket: TokenBucket(limits.write, margin: settings.arrivalMargin, now: now)))
    }

    mutating func setLimits(_ limits: RateLimits, now: Timestamp) {
        self.limits = limits
        for index in lanes.indices { lanes[index].bucket.set(limits.write, now: now) }
        isDirty = true
    }

    /// Puts an order's pending request at the end of its class, or where its age (0 for a new one) places it;
    /// returns the token that names the entry.
    mutating func enqueue(_ slot: Int, lane: Int, class: Class, age: UInt64) -> UInt64 {
        lastToken += 1
        let entry = Entry(slot: Int32(slot), token: lastToken, age: age == 0 ? lastToken : age)
        lanes[lane][`class`].insert(entry)
        lanes[lane].waiting += 1
        isDirty = true
        statistics.longestQueue = max(statistics.longestQueue, queueLength)
        return lastToken
    }
    /// An order's entry is not wanted any more: its token was taken back.
    mutating func abandon(lane: Int) { lanes[lane].waiting -= 1 }

    /// Entries left behind by supersession are dropped before they outnumber the others.
    func wantsCompaction(lane: Int) -> Bool {
        lanes[lane].entryCount > 64 && lanes[lane].entryCount > 4 * lanes[lane].waiting
    }

    func cost(_ request: VenueReport.Request) -> Int {
        switch request {
        case .place: limits.costs.place
        case .amend: limits.costs.amend
        case .decrease: limits.costs.decrease
        case .cancel: limits.costs.cancel
        }
    }

    /// Tokens that only cancels may use.
    func reserve(lane: Int) -> Int64 {
        Int64(Double(lanes[lane].bucket.capacity) * min(max(settings.cancelReserve, 0), 0.9))
    }

    package var queueLength: Int {
        var sum = 0
        for lane in lanes.indices { sum += lanes[lane].waiting }
        return sum
    }
}

/// What the router did.
package struct RouterStatistics: Hashable, Sendable {
    /// Requests sent, by kind.
    package var places = 0
    package var amends = 0
    package var decreases = 0
    package var cancels = 0
    package var batches = 0
    /// Requests replaced by newer ones before they were sent.
    package var superseded = 0
    /// Orders cancelled before they were sent.
    package var withdrawn = 0
    /// Answers of 429.
    package var rateLimited = 0
    package var longestQueue = 0

    package mutating func count(_ request: VenueReport.Request) {
        switch request {
        case .place: places += 1
        case .amend: amends += 1
        case .decrease: decreases += 1
        case .cancel: cancels += 1
        }
    }
}

/// A write budget at a moment, for displays and reports.
package struct BudgetReading: Hashable, Sendable {
    /// The exchange's number of the shard.
    package var shard: Int
    package var available: Int64
    package var capacity: Int64
    /// Tokens spent since the start.
    package var spent: Int64
    package var waiting: Int
}
