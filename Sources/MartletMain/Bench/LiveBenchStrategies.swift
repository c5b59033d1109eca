import Martlet

/// `martlet bench live`: answers changes of the book with orders that cannot trade, at an even pace.
struct BenchResponder: Strategy {
    struct Parameters: StrategyParameters {
        /// Orders a second.
        var pace = 200
        init() {}
    }
    static let name = "bench-responder"
    private let interval: TimeSpan
    private var due = Timestamp.distantPast

    init(parameters: Parameters) { interval = .nanoseconds(1_000_000_000 / Int64(max(parameters.pace, 1))) }

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
    }

    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        guard context.now >= due, context.isUsable(market), context.book(market).bestBid != nil,
            let lowest = context.market(market).grid.next(above: .zero)
        else { return }
        due = context.now + interval
        context.place(OrderRequest(.bid, 1, at: lowest, in: market, timeInForce: .immediateOrCancel))
    }
}

/// `martlet bench live --busy`: a maker that always has more to say than its budget allows, and now and then takes
/// back an order that rests.
struct BenchBusyMaker: Strategy {
    struct Parameters: StrategyParameters { init() {} }
    static let name = "bench-busy-maker"
    /// Series whose points are the numbers of orders asked to be cancelled.
    static let cancelSeries = "cancel asked"
    private static let cancelInterval = TimeSpan.seconds(1)
    /// Markets in which an order rests deep in the book only to be cancelled.
    private static let cancelledMarkets = 10

    private var steps: [Int] = []
    private var resting: [OrderID] = []
    private var nextMarket = 0

    init(parameters: Parameters) {}

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
        steps = [Int](repeating: 0, count: context.markets.count)
        context.setTimer(after: BenchBusyMaker.cancelInterval)
    }

    /// Quotes that move by a tick with each change of the book.
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        let (book, grid) = (context.book(market), context.market(market).grid)
        guard context.isUsable(market), let bestBid = book.bestBid, let bestAsk = book.bestAsk else { return }
        steps[Int(market.index)] += 1
        let isOut = steps[Int(market.index)].isMultiple(of: 2)
        let bid = isOut ? grid.next(below: bestBid) ?? bestBid : bestBid
        let ask = isOut ? grid.next(above: bestAsk) ?? bestAsk : bestAsk
        context.quote(market, bid: Quote(bid, 1), ask: Quote(ask, 1))
    }

    mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        if order.status == .resting, order.quantity == 2, !resting.contains(order.id) {
            resting.append(order.id)
        }
    }

    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {
        context.setTimer(after: BenchBusyMaker.cancelInterval)
        if let order = resting.first {
            resting.removeFirst()
            context.record(BenchBusyMaker.cancelSeries, Double(order.number))
            context.cancel(order)
        }
        let market = Market.ID(nextMarket % max(min(steps.count, BenchBusyMaker.cancelledMarkets), 1))
        nextMarket += 1
        guard context.isUsable(market), context.book(market).bestBid != nil,
            let lowest = context.market(market).grid.next(above: .zero)
        else { return }
        context.place(OrderRequest(.bid, 2, at: lowest, in: market, isPostOnly: true))
    }
}
