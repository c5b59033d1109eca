import Martlet
import MartletEngine
import MartletSimulation

/// A series as `GET /series` shows it.
struct SeriesRecord {
    var ticker: String
    var title: String
    var category: String
    var frequency: String
    var tags: [String]
    var fees: FeeTerms
    var shard: Int
    var created: Timestamp
}

/// An event as `GET /events` shows it.
struct EventRecord {
    var ticker: String
    var series: String
    var title: String
    var subtitle: String
    var category: String
    var isMutuallyExclusive: Bool
    var collateralReturn: CollateralReturn
    var shard: Int
    var strikeDate: Timestamp
    var updated: Timestamp
    var markets: [Market.ID] = []
}

/// What the exchange says of a market beside what the venue core needs to trade it.
struct MarketDescription {
    var definition: Market
    var noSubtitle: String
    var rules: String
    var canCloseEarly = true
    var strikeType: String?
    var floorStrike: String?
    var capStrike: String?
    /// The label of the grid; `price_ranges` is what counts.
    var structure: String
}

/// A market as the exchange keeps it: its words, and what the public statistics need.
struct MarketRecord {
    let id: Market.ID
    /// The WebSocket's `market_id`.
    let uuid: String
    var description: MarketDescription
    var created: Timestamp
    var updated: Timestamp
    var event: Int
    var series: Int
    var lastPrice: Price?
    var lastSize: Quantity = .zero
    var volume: Quantity = .zero
    var dollarVolume: Money = .zero
    var openInterest: Quantity = .zero
    var settled: Timestamp = .unknown
    var determined: Timestamp = .unknown
    var expirationValue = ""
    /// Signed positions by venue account, for open interest and fills' `post_position_fp`.
    var holdings: [Int: Quantity] = [:]
    var minutes = CandleSeries(seconds: 60, kept: 1440)
    var hours = CandleSeries(seconds: 3600, kept: 720)
    var days = CandleSeries(seconds: 86_400, kept: 366)
    struct Quote: Equatable {
        var bid, ask: Price
        var interest: Quantity
        var minute: Int64
    }
    /// What the candles were told last.
    var lastQuote: Quote?
    /// Something changed since the last ticker message.
    var isStale = false

    var definition: Market { description.definition }
    var ticker: String { description.definition.ticker }

    /// Takes a fill of one account; returns its position after.
    mutating func hold(_ account: Int, _ side: Side, _ contracts: Quantity) -> Quantity {
        let before = holdings[account] ?? .zero
        let after = before + Quantity(hundredths: contracts.hundredths * side.sign)
        holdings[account] = after.isZero ? nil : after
        openInterest += max(after, .zero) - max(before, .zero)
        return after
    }

    mutating func quoted(_ bid: Price, _ ask: Price, at now: Timestamp) {
        isStale = true
        // Most changes of a book leave its best prices alone: there is nothing new for the candles then.
        let quote = Quote(bid: bid, ask: ask, interest: openInterest, minute: now.seconds / 60)
        guard quote != lastQuote else { return }
        lastQuote = quote
        minutes.quote(bid: bid, ask: ask, last: lastPrice, interest: openInterest, at: now)
        hours.quote(bid: bid, ask: ask, last: lastPrice, interest: openInterest, at: now)
        days.quote(bid: bid, ask: ask, last: lastPrice, interest: openInterest, at: now)
    }

    mutating func traded(_ price: Price, _ quantity: Quantity, bid: Price, ask: Price, at now: Timestamp) {
        minutes.trade(price, quantity, bid: bid, ask: ask, last: lastPrice, at: now)
        hours.trade(price, quantity, bid: bid, ask: ask, last: lastPrice, at: now)
        days.trade(price, quantity, bid: bid, ask: ask, last: lastPrice, at: now)
        lastPrice = price
        lastSize = quantity
        volume += quantity
        dollarVolume += price * quantity
        isStale = true
    }

    func candles(_ interval: Int) -> CandleSeries? {
        switch interval {
        case 1: minutes
        case 60: hours
        case 1440: days
        default: nil
        }
    }
}

/// A public trade.
struct TradeRecord {
    var number: UInt64
    var id: String
    var market: Market.ID
    var price: Price
    var quantity: Quantity
    var taker: Side
    var time: Timestamp
    var isBlock: Bool
}

/// The latest public trades, oldest first.
struct TradeLog {
    static let kept = 100_000
    private(set) var trades: ContiguousArray<TradeRecord> = []
    mutating func append(_ trade: TradeRecord) {
        if trades.count >= TradeLog.kept + TradeLog.kept / 4 {
            trades.removeFirst(trades.count - TradeLog.kept)
        }
        trades.append(trade)
    }
}
