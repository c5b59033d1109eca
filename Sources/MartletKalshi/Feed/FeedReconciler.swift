import Martlet
import MartletEngine
import MartletWire

/// Asks over REST for what a feed may have missed. Handed in, so that the feed knows nothing of REST.
///
/// Called on the loop's thread; the answer comes there too, once, at any later time.
public protocol FeedReconciler: AnyObject {
    /// - Parameter since: everything that happened on the channel's subject after it; `.unknown`: all there is
    ///   (resting orders, positions, recent fills). Asking for somewhat more is right: what is known already is
    ///   told apart by its id.
    func reconcile(
        _ channel: FeedChannel, since: Timestamp, done: @escaping (Result<Reconciliation, any Error>) -> Void)
}

/// What a reconciliation brought, oldest first.
public struct Reconciliation: Sendable {
    public struct IdentifiedTrade: Hashable, Sendable {
        public var id: String
        public var event: MarketEvent
        public init(id: String, event: MarketEvent) {
            self.id = id
            self.event = event
        }
    }
    public var outputs: [FeedOutput]
    public var trades: [IdentifiedTrade]
    public init(outputs: [FeedOutput] = [], trades: [IdentifiedTrade] = []) {
        self.outputs = outputs
        self.trades = trades
    }
}

/// The ids seen last, so many at most: what both the feed and REST tell counts once.
struct RecentIDs: Sendable {
    private let capacity: Int
    private var ring: [String] = []
    private var next = 0
    private var known: Set<String> = []

    init(capacity: Int) { self.capacity = capacity }

    /// False when the id was known. O(1).
    mutating func insert(_ id: String) -> Bool {
        guard known.insert(id).inserted else { return false }
        if ring.count < capacity {
            ring.append(id)
        } else {
            known.remove(ring[next])
            ring[next] = id
            next = (next + 1) % capacity
        }
        return true
    }
}
