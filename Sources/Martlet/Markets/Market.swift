/// One event-contract market as the exchange defines it. Changes to it arrive as whole new definitions.
public struct Market: Hashable, Sendable {
    /// A ticker's small integer: dense from 0, in order of first appearance, for the life of one engine.
    @frozen
    public struct ID: Hashable, Comparable, Sendable, CustomStringConvertible {
        public var index: UInt32
        @inlinable public init(_ index: Int) { self.index = UInt32(index) }
        @inlinable public init(index: UInt32) { self.index = index }
        @inlinable public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
        public var description: String { "#\(index)" }
    }

    public var ticker: String
    /// The event whose market this is; the ticker itself where nothing else is known.
    public var event: String
    public var series: String
    public var title: String
    public var subtitle: String
    public var grid: PriceGrid
    /// `.unknown` where not given: then the market counts as open.
    public var openTime: Timestamp
    /// `.unknown` where not given: then the market never closes by the clock.
    public var closeTime: Timestamp
    /// The exchange shard (`exchange_index`): collateral and write budget are a shard's own.
    public var shard: Int
    public var fees: FeeTerms
    /// At most one market of the event can settle yes.
    public var isMutuallyExclusive: Bool
    public var collateralReturn: CollateralReturn
    /// From determination to payment (`settlement_timer_seconds`).
    public var settlementTimer: TimeSpan
    /// What this definition had to assume for want of data (`grid`, `fees`, …), for the reports to name.
    public var assumptions: [String]

    public init(
        ticker: String, event: String? = nil, series: String? = nil, title: String = "",
        subtitle: String = "",
        grid: PriceGrid = .cent, openTime: Timestamp = .unknown, closeTime: Timestamp = .unknown,
        shard: Int = 0, fees: FeeTerms = .standard, isMutuallyExclusive: Bool = false,
        collateralReturn: CollateralReturn = .none, settlementTimer: TimeSpan = .zero,
        assumptions: [String] = []
    ) {
        self.ticker = ticker
        self.event = event ?? Market.eventTicker(of: ticker)
        self.series = series ?? Market.seriesTicker(of: ticker)
        self.title = title
        self.subtitle = subtitle
        self.grid = grid
        self.openTime = openTime
        self.closeTime = closeTime
        self.shard = shard
        self.fees = fees
        self.isMutuallyExclusive = isMutuallyExclusive
        self.collateralReturn = collateralReturn
        self.settlementTimer = settlementTimer
        self.assumptions = assumptions
    }

    /// Everything before the last dash: Kalshi's habit (`SERIES-EVENT-MARKET`), not a promise. Used only where a
    /// recording gives no event.
    public static func eventTicker(of ticker: String) -> String {
        guard let dash = ticker.lastIndex(of: "-"), ticker.firstIndex(of: "-") != dash else { return ticker }
        return String(ticker[..<dash])
    }
    public static func seriesTicker(of ticker: String) -> String {
        String(ticker.prefix { $0 != "-" })
    }
}

/// `collateral_return_type`: whether positions in one event free each other's collateral.
public enum CollateralReturn: Hashable, Sendable {
    case none
    /// `MECNET`: mutually exclusive markets.
    case mutuallyExclusive
    /// `DIRECNET`: directional (nested strikes).
    case directional
    case unknown(String)

    public init(wire: String) {
        switch wire {
        case "": self = .none
        case "MECNET": self = .mutuallyExclusive
        case "DIRECNET": self = .directional
        default: self = .unknown(wire)
        }
    }
    public var wire: String {
        switch self {
        case .none: ""
        case .mutuallyExclusive: "MECNET"
        case .directional: "DIRECNET"
        case .unknown(let text): text
        }
    }
}

/// Where a market is in its life (API.md §10).
public enum MarketStatus: Hashable, Sendable {
    case initialized
    case active
    /// Paused by the exchange. Reactivation cancels all resting orders.
    case inactive
    case closed
    case determined
    case disputed
    case amended
    case finalized
    case unknown(String)

    public init(wire: String) {
        switch wire {
        case "initialized": self = .initialized
        case "active": self = .active
        case "inactive": self = .inactive
        case "closed": self = .closed
        case "determined": self = .determined
        case "disputed": self = .disputed
        case "amended": self = .amended
        case "finalized": self = .finalized
        default: self = .unknown(wire)
        }
    }
    public var wire: String {
        switch self {
        case .initialized: "initialized"
        case .active: "active"
        case .inactive: "inactive"
        case .closed: "closed"
        case .determined: "determined"
        case .disputed: "disputed"
        case .amended: "amended"
        case .finalized: "finalized"
        case .unknown(let text): text
        }
    }
    public var isTrading: Bool { self == .active }
}

/// How a market was decided.
public enum MarketResult: Hashable, Sendable {
    case yes
    case no
    /// Pays `Price` for each YES contract, one dollar less that for each NO.
    case scalar(Price)

    /// What one YES contract pays.
    public var yesValue: Price {
        switch self {
        case .yes: .one
        case .no: .zero
        case .scalar(let value): value
        }
    }
}

extension MarketResult: CustomStringConvertible {
    public var description: String {
        switch self {
        case .yes: "yes"
        case .no: "no"
        case .scalar(let value): "scalar \(value)"
        }
    }
}
