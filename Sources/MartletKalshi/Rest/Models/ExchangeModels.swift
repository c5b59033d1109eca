import Martlet
import MartletWire

/// `GET /exchange/status`.
public struct ExchangeStatus: Hashable, Sendable {
    public var isActive: Bool
    public var isTrading: Bool
    public var allowsTransfers: Bool?
    public var estimatedResumeTime: Timestamp
    /// The top level speaks of shard 0 alone: look at the shard that is traded.
    public var shards: [Shard]

    public struct Shard: Hashable, Sendable {
        public var index: Int
        public var name: String
        public var isActive: Bool
        public var isTrading: Bool
    }

    init(_ fields: FieldReader) throws(WireError) {
        isActive = try fields.needBool("exchange_active")
        isTrading = try fields.needBool("trading_active")
        allowsTransfers = try fields.bool("intra_exchange_transfers_active")
        estimatedResumeTime = try fields.optionalTime("exchange_estimated_resume_time")
        shards = try fields.entities("exchange_index_statuses") { (shard) throws(WireError) in
            Shard(
                index: try shard.needInt("exchange_index"), name: try shard.string("description") ?? "",
                isActive: try shard.needBool("exchange_active"),
                isTrading: try shard.needBool("trading_active"))
        }
    }

    /// Whether orders are taken on a shard; where it is not listed, what the top level says.
    public func isTrading(shard: Int) -> Bool {
        shards.first { $0.index == shard }.map { $0.isActive && $0.isTrading } ?? (isActive && isTrading)
    }
}

/// `GET /exchange/schedule`: hours in US Eastern time, maintenance as points in time.
public struct ExchangeSchedule: Hashable, Sendable {
    public struct Session: Hashable, Sendable {
        /// `HH:MM`, US Eastern.
        public var open: String
        public var close: String
    }
    public struct Week: Hashable, Sendable {
        public var start: Timestamp
        public var end: Timestamp
        /// Monday first; several sessions a day are possible.
        public var days: [[Session]]
    }
    public struct Window: Hashable, Sendable {
        public var start: Timestamp
        public var end: Timestamp
    }

    public var weeks: [Week]
    public var maintenance: [Window]

    static let dayNames = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    init(_ fields: FieldReader) throws(WireError) {
        weeks = try fields.entities("standard_hours") { (week) throws(WireError) in
            var days: [[Session]] = []
            for name in ExchangeSchedule.dayNames {
                days.append(
                    try week.entities(name) { (session) throws(WireError) in
                        Session(open: try session.name("open_time"), close: try session.name("close_time"))
                    })
            }
            return Week(
                start: try week.optionalTime("start_time"), end: try week.optionalTime("end_time"), days: days
            )
        }
        maintenance = try fields.entities("maintenance_windows") { (window) throws(WireError) in
            Window(
                start: try window.needTime("start_datetime"), end: try window.needTime("end_datetime"))
        }
    }
}

/// `GET /historical/cutoff`: what is older has moved to the historical tier.
public struct HistoricalCutoff: Hashable, Sendable {
    public var marketsSettled: Timestamp
    public var tradesCreated: Timestamp
    public var ordersUpdated: Timestamp
    public var positionsUpdated: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        marketsSettled = try fields.needTime("market_settled_ts")
        tradesCreated = try fields.needTime("trades_created_ts")
        ordersUpdated = try fields.needTime("orders_updated_ts")
        positionsUpdated = try fields.optionalTime("market_positions_last_updated_ts")
    }
}
