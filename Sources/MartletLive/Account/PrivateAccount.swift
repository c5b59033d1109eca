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
    /// When something of ours last moved: a comparison waits until it is quiet.
    private(set) var lastActivity = Timestamp.distantPast
    /// The same by market, and when something of ours last traded there.
    private var moved: [Timestamp] = []
    private var traded: [Timestamp] = []
    /// Fills of orders that this run did not place.
    var strangers = 0
    /// Cash moved by trades outside our markets: the exchange's word on cash is taken over.
    var movedOutside = false
    /// Things of other programs that are not told yet, and when they may be.
    var untold: [String: Int] = [:]
    var nextTelling = Timestamp.distantPast
    static let tellingInterval = TimeSpan.seconds(60)

    /// Something of ours moved; in a market that is not known, only that it did.
    mutating func moves(_ market: Market.ID?, at time: Timestamp, isTrade: Bool = false) {
        lastActivity = max(lastActivity, time)
        guard let market else { return }
        let index = Int(market.index)
        while moved.count <= index {
            moved.append(.distantPast)
            traded.append(.distantPast)
        }
        moved[index] = max(moved[index], time)
        if isTrade { traded[index] = max(traded[index], time) }
    }
    func lastMove(_ market: Market.ID) -> Timestamp {
        Int(market.index) < moved.count ? moved[Int(market.index)] : .distantPast
    }
    func lastTrade(_ market: Market.ID) -> Timestamp {
        Int(market.index) < traded.count ? traded[Int(market.index)] : .distantPast
    }

    /// The line to be told now; nil where a minute has not passed.
    mutating func note(_ kind: String, at now: Timestamp) -> String? {
        untold[kind, default: 0] += 1
        guard now >= nextTelling else { return nil }
        nextTelling = now + PrivateAccount.tellingInterval
        let parts = untold.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        untold = [:]
        return "another program, or hand, trades on this account: " + parts.joined(separator: ", ")
    }

    /// A fill waits this long for a name before it is booked as nobody's, if no request is open.
    static let patience = TimeSpan.seconds(2)
}
