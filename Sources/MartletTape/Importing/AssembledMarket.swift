import Martlet

/// What an import keeps of one market.
final class AssembledMarket {
    let index: Int
    var id: Market.ID { Market.ID(index) }
    var definition: Market
    var book: OrderBook
    /// A snapshot has come and nothing was missed since.
    var isUsable = false
    var events = 0
    /// When its book was first and last heard of.
    var bookSpan: ClosedRange<Timestamp>?

    /// The open exchange time-stamp group.
    struct Group {
        var exchangeTime: Timestamp
        var lastReceive: Timestamp
        /// The queue's number of its last event.
        var lastNumber: Int
    }
    var group: Group?
    /// The group is in the assembler's list of this burst.
    var isTouched = false

    /// An order that reached through the other side, and what it may still have traded.
    struct Taker {
        var side: Side
        var price: Price
        var left: Quantity
        var exchangeTime: Timestamp
    }
    var taker: Taker?

    /// The fees without the event's override, while there is one.
    var feesOfSeries: FeeTerms?
    var result: MarketResult?
    var isSettled = false
    var isScheduled = false
    private var inferred: Quantity = .zero
    private var contradicted: Quantity = .zero
    private var inferredSinceTicker: Quantity = .zero
    private var inferredBefore: Quantity = .zero
    private var firstVolume: Quantity?
    private var lastVolume: Quantity?
    private var volumeBefore: Quantity?

    init(index: Int, definition: Market) {
        self.index = index
        self.definition = definition
        book = OrderBook(unit: definition.grid.unit)
    }

    func hear(at time: Timestamp) {
        bookSpan = (bookSpan?.lowerBound ?? time)...time
    }

    func infer(_ quantity: Quantity) {
        inferred += quantity
        inferredSinceTicker += quantity
    }

    /// Compares what was inferred between two tickers with the volume up to one ticker later, since tickers lag.
    func see(volume: Quantity?) {
        guard let volume else { return }
        if let before = volumeBefore {
            let traded = volume - before
            if inferredBefore > traded { contradicted += inferredBefore - max(traded, .zero) }
        }
        volumeBefore = lastVolume
        inferredBefore = inferredSinceTicker
        inferredSinceTicker = .zero
        lastVolume = volume
        if firstVolume == nil { firstVolume = volume }
    }

    func finish(_ report: inout ImportReport) {
        var summary = report.markets[index]
        summary.events = events
        summary.bookSpan = bookSpan
        summary.result = result
        summary.inferredVolume = inferred
        summary.contradictedVolume = contradicted
        if let firstVolume, let lastVolume { summary.tickerVolume = lastVolume - firstVolume }
        report.markets[index] = summary
    }
}
