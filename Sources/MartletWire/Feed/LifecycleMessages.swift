import Martlet

/// `market_lifecycle_v2` and `multivariate_market_lifecycle`.
public struct MarketLifecycleMessage: Hashable, Sendable {
    public enum Event: Hashable, Sendable {
        case created, activated, deactivated, closeDateUpdated, determined, settled
        case priceGridUpdated, metadataUpdated
        case unknown(String)

        public init(wire: String) {
            switch wire {
            case "created": self = .created
            case "activated": self = .activated
            case "deactivated": self = .deactivated
            case "close_date_updated": self = .closeDateUpdated
            case "determined": self = .determined
            case "settled": self = .settled
            case "price_level_structure_updated": self = .priceGridUpdated
            case "metadata_updated": self = .metadataUpdated
            default: self = .unknown(wire)
            }
        }
    }
    public var ticker: String
    public var event: Event
    public var shard: Int?
    public var openTime: Timestamp = .unknown
    public var closeTime: Timestamp = .unknown
    public var determinationTime: Timestamp = .unknown
    public var settledTime: Timestamp = .unknown
    /// From `result` and, for scalar markets, `settlement_value`; nil while undecided.
    public var result: MarketResult?
    /// As it stands, for recorders. It is not to be guessed from `result`, nor the other way round.
    public var settlementValue: Price?
    public var isDeactivated: Bool?
    public var priceLevelStructure: String?
    /// From `price_ranges`; nil where not told.
    public var grid: PriceGrid?
    /// `additional_metadata`.
    public var eventTicker: String?
    public var title: String?
    public var yesSubtitle: String?
    public var noSubtitle: String?

    /// What was told elsewhere, over REST for instance.
    public init(ticker: String, event: Event) {
        self.ticker = ticker
        self.event = event
    }
}

/// `event_lifecycle`.
public struct EventLifecycleMessage: Hashable, Sendable {
    public var eventTicker: String
    public var seriesTicker: String?
    public var title: String?
    public var subtitle: String?
    public var shard: Int?
    public var collateralReturn: CollateralReturn?
}

/// `event_fee_update`: both nil when the event's override ends and its series' terms count again.
public struct EventFeeMessage: Hashable, Sendable {
    public var eventTicker: String
    public var type: FeeType?
    public var multiplierMillionths: Int64?
}
