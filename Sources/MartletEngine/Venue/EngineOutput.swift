import Martlet

/// What the engine wants done or known, in order. Drivers carry out commands and hand all of it to recorders.
public enum EngineOutput: Hashable, Sendable {
    case command(VenueCommand)
    /// A strategy wants this market's feed, or no strategy does any more.
    case subscribe(Market.ID)
    case unsubscribe(Market.ID)
    case record(EngineRecord)
}

/// What happened inside, for logs, reports and alerts. `strategy` is the strategy's index.
public enum EngineRecord: Hashable, Sendable {
    case order(Order, strategy: Int)
    case fill(Fill, strategy: Int, position: Position)
    case settlement(Settlement, strategy: Int)
    case status(Market.ID, MarketStatus)
    case result(Market.ID, MarketResult)
    case bookUnusable(Market.ID, BookFault)
    case bookUsable(Market.ID)
    case risk(RiskState, reason: String)
    /// The gate refused an intent that is no order of its own (an amend).
    case refused(OrderID, Refusal, strategy: Int)
    case log(LogLevel, String, strategy: Int?)
    case series(String, Double, strategy: Int)
}

public enum LogLevel: String, Hashable, Sendable, Codable, Comparable {
    case debug, info, warning, error
    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rank < b.rank }
}
