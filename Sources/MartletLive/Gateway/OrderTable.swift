import Martlet
import MartletKalshi
import MartletNetwork

/// What the requests of this run need to know of markets and orders: routes, and the exchange's ids.
struct OrderTable: OrderDirectory {
    struct Entry {
        var market: Market.ID
        var venueID: String?
        /// When the order's request left, our clock.
        var sent: Timestamp
        /// Signatures kept ready for its amends, and for its cancel where that has a path of its own.
        var amendPath: SignedPath?
        var cancelPath: SignedPath?
    }

    private var routes: [OrderRoute?] = []
    private var entries: [OrderID: Entry] = [:]
    private(set) var names = OrderNames()
    let nonce: UInt64
    /// The order group of each shard.
    var groups: [Int: String] = [:] {
        didSet {
            for (index, route) in routes.enumerated() {
                routes[index] = route.map {
                    OrderRoute(ticker: $0.ticker, shard: $0.shard, group: groups[$0.shard])
                }
            }
        }
    }

    init(nonce: UInt64, finishedKept: Int = OrderTable.finishedKept) {
        self.nonce = nonce
        self.finishedKept = finishedKept
    }

    mutating func define(_ market: Market, as id: Market.ID) {
        while routes.count <= Int(id.index) { routes.append(nil) }
        routes[Int(id.index)] = OrderRoute(
            ticker: market.ticker, shard: market.shard, group: groups[market.shard])
    }

    func route(_ market: Market.ID) -> OrderRoute? {
        Int(market.index) < routes.count ? routes[Int(market.index)] : nil
    }
    func venueID(_ order: OrderID) -> String? { entries[order]?.venueID }
    func entry(_ order: OrderID) -> Entry? { entries[order] }

    mutating func sending(_ order: OrderID, _ market: Market.ID, at time: Timestamp) {
        entries[order] = Entry(market: market, sent: time)
        names.sent(order, clientOrderID: ClientOrderID.text(order, nonce: nonce))
    }
    /// True when the name is new.
    mutating func learn(_ order: OrderID, _ market: Market.ID, venueID: String) -> Bool {
        guard entries[order]?.venueID != venueID else { return false }
        entries[order, default: Entry(market: market, sent: .unknown)].venueID = venueID
        names.learn(order, venueOrderID: venueID)
        return true
    }
    mutating func order(venueOrderID: String, clientOrderID: String?) -> OrderID? {
        names.order(venueOrderID: venueOrderID, clientOrderID: clientOrderID)
    }
    mutating func keep(amend: SignedPath, cancel: SignedPath?, for order: OrderID) {
        entries[order]?.amendPath = amend
        entries[order]?.cancelPath = cancel
    }

    /// An order is over. It keeps its names, for fills may still be told; those finished long ago go. Returns the
    /// paths that need no signatures any more.
    mutating func finished(_ order: OrderID) -> [SignedPath] {
        finishedOrders.append(order)
        if finishedOrders.count - finishedHead > finishedKept {
            let oldest = finishedOrders[finishedHead]
            finishedHead += 1
            if let entry = entries.removeValue(forKey: oldest), let id = entry.venueID {
                names.forget(venueOrderID: id, clientOrderID: ClientOrderID.text(oldest, nonce: nonce))
            }
            if finishedHead > finishedKept {
                finishedOrders.removeFirst(finishedHead)
                finishedHead = 0
            }
        }
        let paths = [entries[order]?.amendPath, entries[order]?.cancelPath].compactMap { $0 }
        entries[order]?.amendPath = nil
        entries[order]?.cancelPath = nil
        return paths
    }
    private var finishedOrders: [OrderID] = []
    private var finishedHead = 0
    private let finishedKept: Int
    static let finishedKept = 20_000
}
