import Martlet
import MartletKalshi
import MartletWire

/// What a session knows of its account beside the engine: which fills are waiting for their order's name, which
/// were there before, and what the exchange last said of positions.
struct PrivateAccount {
    /// Fills of orders that nobody knows yet: one of ours may be on its way (FIELD-NOTES 16).
    var unclaimed: [(fill: FillMessage, since: Timestamp)] = []
    /// Trades that the starting positions hold already.
    var knownTrades: Set<String> = []
    /// The exchange's word on positions, by ticker, as the channel last told.
    var told: [String: Quantity] = [:]
    /// When something of ours last moved: a comparison waits until it is quiet.
    var lastActivity = Timestamp.distantPast
    var strangers = 0

    /// A fill waits this long for a name before it is booked as nobody's, if no request is open.
    static let patience = TimeSpan.seconds(2)
}
