import Martlet

/// The benchmark's strategy: on each record it reads the best bid and ask and adds both, in cents, to a
/// checksum; on each 100th it buys ten at the best bid, or cancels what rests.
///
/// The same work as the bare loop it is measured against. A record adds nothing while a side is empty.
struct ReplayProbe: Strategy {
    struct Parameters: StrategyParameters {
        init() {}
    }
    static let name = "replay-probe"

    /// Read when the run has ended.
    final class Tally {
        var records = 0
        var checksum = 0
        var places = 0
        var cancels = 0
        var refused = 0
        var fills = 0
    }
    let tally: Tally
    private var records = 0
    private var checksum = 0
    private var resting: [OrderID?] = []
    /// Callbacks of the books' opening, which are no records of the stream.
    private var openings = 0
    static let cadence = 100

    init(parameters: Parameters) { self.init(tally: Tally()) }
    init(tally: Tally) { self.tally = tally }

    mutating func started(_ context: borrowing Context) {
        let markets = context.markets
        resting = Array(repeating: nil, count: markets.count)
        openings = markets.count
        for market in markets { context.subscribe(to: market, book: .everyChange) }
    }

    @inline(__always)
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        if openings > 0 {
            openings -= 1
            return
        }
        count(market, context)
    }
    mutating func traded(_ trade: Trade, _ context: borrowing Context) { count(trade.market, context) }

    @inline(__always)
    private mutating func count(_ market: Market.ID, _ context: borrowing Context) {
        records &+= 1
        let book = context.book(market)
        if let bid = book.bestBid, let ask = book.bestAsk {
            checksum &+= Int(bid.micros &+ ask.micros)
        }
        if records % Self.cadence == 0 { act(market, context) }
    }

    @inline(never)
    private mutating func act(_ market: Market.ID, _ context: borrowing Context) {
        let index = Int(market.index)
        if let order = resting[index] {
            context.cancel(order)
            resting[index] = nil
            tally.cancels += 1
        } else if let bid = context.book(market).bestBid {
            resting[index] = context.place(OrderRequest(.bid, 10, at: bid, in: market))
            tally.places += 1
        }
    }

    mutating func filled(_ fill: Fill, _ context: borrowing Context) { tally.fills += 1 }

    mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        if case .refused = order.status { tally.refused += 1 }
        if order.status.isFinal, resting[Int(order.market.index)] == order.id {
            resting[Int(order.market.index)] = nil
        }
    }

    mutating func stopped(_ context: borrowing Context) {
        tally.records = records
        tally.checksum = checksum / 10_000
    }
}
