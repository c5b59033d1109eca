import Martlet

/// What can be subscribed to (API.md §14.2).
enum Channel: String, CaseIterable {
    case book = "orderbook_delta"
    case ticker
    case trade
    case fill
    case orders = "user_orders"
    case positions = "market_positions"
    case life = "market_lifecycle_v2"
    case multivariateLife = "multivariate_market_lifecycle"
    case groups = "order_group_updates"
    case communications
    case indexValues = "cfbenchmarks_value"
    case fastIndexValues = "cfbenchmarks_value_5hz"
    case prices = "pyth_value"

    /// Data messages carry `seq`; control replies of every channel do.
    var isSequenced: Bool {
        switch self {
        case .ticker, .fill, .orders, .positions: false
        case .book, .trade, .life, .multivariateLife, .groups, .communications, .indexValues,
            .fastIndexValues, .prices:
            true
        }
    }
    /// Whether tickers choose what is sent.
    var takesMarkets: Bool {
        switch self {
        case .book, .ticker, .trade, .fill, .orders, .positions: true
        case .life, .multivariateLife, .groups, .communications, .indexValues, .fastIndexValues, .prices:
            false
        }
    }
    var takesIndexes: Bool { self == .indexValues || self == .fastIndexValues }
}

/// One subscription of one connection.
final class Subscription {
    let sid: Int
    let channel: Channel
    /// Strong: the session lets its subscriptions go when it ends.
    let session: FeedSession
    /// Of the last frame that had one.
    var sequence = 0
    /// Markets in the order in which they were named; nil for all.
    private(set) var markets: [Market.ID]?
    private var chosen: Set<Market.ID> = []
    var usesYesPrices: Bool
    var skipsAck: Bool
    /// `index_ids` or `underlying_tickers`; nil for all.
    var names: [String]?

    init(
        sid: Int, channel: Channel, session: FeedSession, markets: [Market.ID]?, usesYesPrices: Bool,
        skipsAck: Bool
    ) {
        self.sid = sid
        self.channel = channel
        self.session = session
        self.usesYesPrices = usesYesPrices
        self.skipsAck = skipsAck
        self.markets = markets.map { _ in [] }
        if let markets { _ = add(markets) }
    }

    var marketCount: Int { markets?.count ?? 0 }
    @inline(__always)
    func takes(_ market: Market.ID) -> Bool { markets == nil || chosen.contains(market) }

    /// Returns those that are new.
    func add(_ more: [Market.ID]) -> [Market.ID] {
        guard markets != nil else { return [] }
        let new = more.filter { chosen.insert($0).inserted }
        markets?.append(contentsOf: new)
        return new
    }
    func remove(_ fewer: [Market.ID]) {
        for market in fewer { chosen.remove(market) }
        markets?.removeAll { !chosen.contains($0) }
    }
}
