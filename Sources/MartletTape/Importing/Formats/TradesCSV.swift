import Martlet

/// CSV of trades.
enum TradesCSV {
    /// Where its columns stand.
    struct Columns {
        var ticker: Int?
        var time: Int?
        var price: Int?
        var count: Int?
        var side: Int?
        var id: Int?
        var isComplete: Bool { ticker != nil && time != nil && price != nil && count != nil && side != nil }

        init?(header: String) {
            let names = header.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimmingPrefix(while: \.isWhitespace).lowercased()
            }
            func find(_ candidates: String...) -> Int? { names.firstIndex { candidates.contains($0) } }
            ticker = find("ticker", "market_ticker")
            time = find("created_time", "time", "ts")
            price = find("price", "yes_price_dollars", "yes_price")
            count = find("count", "count_fp", "quantity")
            side = find("taker_side", "taker_outcome_side", "taker_book_side")
            id = find("trade_id", "id")
        }
    }
}
enum TapeCSV { static let header = "record,ticker,receive_ns,exchange_ns,side,price,quantity,flags,detail" }
