/// A channel of the exchange's WebSocket (API.md §14.2). RFQ traffic is left out: nothing here trades on it.
public enum FeedChannel: UInt8, CaseIterable, Hashable, Sendable {
    // In the order in which they are subscribed: what moves our own money first.
    case fills, userOrders, positions, orderGroups
    case lifecycle, multivariateLifecycle
    case book, trades, ticker
    case cfBenchmarks, cfBenchmarksFast, pyth

    /// The channel's name on the wire. Its messages' type is another word.
    public var wire: String {
        switch self {
        case .fills: "fill"
        case .userOrders: "user_orders"
        case .positions: "market_positions"
        case .orderGroups: "order_group_updates"
        case .lifecycle: "market_lifecycle_v2"
        case .multivariateLifecycle: "multivariate_market_lifecycle"
        case .book: "orderbook_delta"
        case .trades: "trade"
        case .ticker: "ticker"
        case .cfBenchmarks: "cfbenchmarks_value"
        case .cfBenchmarksFast: "cfbenchmarks_value_5hz"
        case .pyth: "pyth_value"
        }
    }
    public init?(wire: String) {
        guard let found = FeedChannel.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = found
    }

    /// Whose market filter a subscription may have.
    public enum Scope: Hashable, Sendable {
        /// Markets must be named.
        case markets
        /// Markets may be named; without any, all are meant.
        case marketsOrAll
        /// Everything there is for this account.
        case everything
        /// Index names, or all.
        case indices
    }
    public var scope: Scope {
        switch self {
        case .book: .markets
        case .trades, .ticker: .marketsOrAll
        // The filter is left unused: our own orders are few, and none may be missed.
        case .fills, .userOrders, .positions, .orderGroups, .lifecycle, .multivariateLifecycle: .everything
        case .cfBenchmarks, .cfBenchmarksFast, .pyth: .indices
        }
    }
    /// Whether its messages are numbered, so that a loss shows.
    public var isSequenced: Bool {
        switch self {
        case .fills, .userOrders, .positions, .ticker: false
        case .orderGroups, .lifecycle, .multivariateLifecycle, .book, .trades, .cfBenchmarks,
            .cfBenchmarksFast, .pyth:
            true
        }
    }
    /// Of this account: kept together on one connection.
    public var isPrivate: Bool {
        switch self {
        case .fills, .userOrders, .positions, .orderGroups: true
        case .lifecycle, .multivariateLifecycle, .book, .trades, .ticker, .cfBenchmarks, .cfBenchmarksFast,
            .pyth:
            false
        }
    }
    /// Whether what was missed must be asked for over REST: each message tells something once. Books, tickers and
    /// index values are told anew by the feed itself.
    public var needsReconciliation: Bool {
        switch self {
        case .fills, .userOrders, .positions, .orderGroups, .lifecycle, .multivariateLifecycle, .trades: true
        case .book, .ticker, .cfBenchmarks, .cfBenchmarksFast, .pyth: false
        }
    }

    var mask: UInt16 { 1 << UInt16(rawValue) }
}
