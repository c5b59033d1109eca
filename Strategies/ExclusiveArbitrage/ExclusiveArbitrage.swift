import Martlet

/// A taker that sells a whole event when its outcomes are quoted at more than a dollar together.
///
/// Of mutually exclusive markets at most one settles yes. Whoever sells one YES contract of each receives the
/// sum of the bids and pays out a dollar at most. Where the bids sum to more than a dollar and the fees, that is
/// a profit whatever happens. (The mirror, to buy all asks below a dollar, is a bet that the list of outcomes
/// is complete: the exchange only promises that no two of them happen. It is left out for that reason.)
///
/// What there is to learn from it:
/// - **Fees first.** The exchange's fee is largest at 50 cents; a basket of three legs can pay four cents of it.
///   The exact fee of each leg is taken off before anything is sent.
/// - **Legs.** The orders of a basket are not one order. All are immediate-or-cancel at the price seen; when one
///   fills less than the others, the excess is no arbitrage but a bet, and is closed at once.
/// - **One basket at a time.** Until every leg is answered the book still shows what has just been taken.
public struct ExclusiveArbitrage: Strategy {
    public static let name = "exclusive-arbitrage"
    public static let summary =
        "taker: sells all outcomes of an event when their bids exceed a dollar and fees"

    private let parameters: Parameters
    private var events: [Event] = []
    /// Index into `events` by market index; nil for markets that are not mutually exclusive.
    private var eventOfMarket: [Int?] = []

    /// An event with its legs, in the order of the markets' appearance.
    private struct Event {
        var name: String
        var legs: [Leg] = []
        var phase = Phase.watching
        /// No new basket before this time.
        var resumeAt: Timestamp = .distantPast
        var baskets: Quantity = .zero
    }
    private struct Leg {
        var market: Market.ID
        var order: OrderID?
        /// Contracts sold in this basket.
        var sold: Quantity = .zero
    }
    private enum Phase {
        case watching
        /// The basket's orders are out.
        case selling
        /// The excess of the legs that filled more than the worst is being bought back.
        case evening
    }

    public init(parameters: Parameters) { self.parameters = parameters }

    // MARK: Callbacks

    public mutating func started(_ context: borrowing Context) {
        for market in context.markets { watch(market, context) }
    }
    public mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
        watch(market, context)
    }

    public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        guard let index = event(of: market), events[index].phase == .watching,
            context.now >= events[index].resumeAt
        else { return }
        sellBasket(index, context)
    }

    public mutating func filled(_ fill: Fill, _ context: borrowing Context) {
        guard let index = event(of: fill.market),
            let leg = events[index].legs.firstIndex(where: { $0.market == fill.market })
        else { return }
        switch fill.side {
        case .ask: events[index].legs[leg].sold += fill.quantity
        case .bid: events[index].legs[leg].sold -= fill.quantity
        }
    }

    public mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        guard order.status.isFinal, let index = event(of: order.market),
            let leg = events[index].legs.firstIndex(where: { $0.order == order.id })
        else { return }
        events[index].legs[leg].order = nil
        if events[index].legs.allSatisfy({ $0.order == nil }) { allAnswered(index, context) }
    }

    // MARK: A basket

    private mutating func watch(_ market: Market.ID, _ context: borrowing Context) {
        while eventOfMarket.count <= Int(market.index) { eventOfMarket.append(nil) }
        let definition = context.market(market)
        guard definition.isMutuallyExclusive, eventOfMarket[Int(market.index)] == nil else { return }
        let index = events.firstIndex { $0.name == definition.event } ?? events.count
        if index == events.count { events.append(Event(name: definition.event)) }
        events[index].legs.append(Leg(market: market))
        eventOfMarket[Int(market.index)] = index
        context.subscribe(to: market, trades: false)
    }

    private func event(of market: Market.ID) -> Int? {
        Int(market.index) < eventOfMarket.count ? eventOfMarket[Int(market.index)] : nil
    }

    /// Sends the legs when the bids pay for the dollar, the fees and the wanted edge.
    private mutating func sellBasket(_ index: Int, _ context: borrowing Context) {
        let room = parameters.maxBaskets - events[index].baskets
        var size = min(parameters.size, room)
        var legs: [(leg: Int, price: Price)] = []
        var sum = Price.zero
        // A market without a bid can be left out: selling fewer outcomes still pays out one dollar at most. One
        // that is crossed is in the middle of a trade: its best bid is a taker's order on its way to nothing.
        for (number, leg) in events[index].legs.enumerated() {
            guard context.status(leg.market).isTrading, context.isUsable(leg.market),
                !context.book(leg.market).isCrossed, let bid = context.book(leg.market).bestBid,
                bid >= parameters.minPrice
            else { continue }
            legs.append((number, bid))
            sum = sum + bid
            size = min(size, context.book(leg.market).bestSize(.bid))
        }
        guard legs.count >= 2, sum > .one, size.isPositive else { return }

        var edge = (sum - .one) * size
        for (leg, price) in legs {
            let market = context.market(events[index].legs[leg].market)
            edge -= market.fees.tradeFee(price: price, quantity: size, isTaker: true, at: context.now)
        }
        guard edge >= parameters.minEdge * size else { return }

        context.log("\(events[index].name): bids sum to \(sum), selling \(size) of each for \(edge)")
        events[index].phase = .selling
        for (leg, price) in legs {
            let market = events[index].legs[leg].market
            events[index].legs[leg].sold = .zero
            events[index].legs[leg].order = context.place(
                OrderRequest(.ask, size, at: price, in: market, timeInForce: .immediateOrCancel))
        }
        for leg in events[index].legs.indices where !legs.contains(where: { $0.leg == leg }) {
            events[index].legs[leg].sold = .zero
        }
    }

    /// Every order of the present phase has ended: even out what is left, or watch again.
    private mutating func allAnswered(_ index: Int, _ context: borrowing Context) {
        if events[index].phase == .selling {
            events[index].phase = .evening
            if evenOut(index, context) { return }
        }
        events[index].phase = .watching
        events[index].resumeAt = context.now + parameters.pause
    }

    /// Buys back what some legs sold beyond the others. Returns whether orders went out.
    private mutating func evenOut(_ index: Int, _ context: borrowing Context) -> Bool {
        let sold = events[index].legs.map(\.sold).filter(\.isPositive)
        // One leg alone hedges nothing; of several, the smallest is the basket that was really sold.
        let basket = sold.count < 2 ? .zero : sold.min() ?? .zero
        events[index].baskets += basket
        var isWaiting = false
        for leg in events[index].legs.indices {
            let market = events[index].legs[leg].market
            let excess = events[index].legs[leg].sold - basket
            guard excess.isPositive, let ask = context.book(market).bestAsk else { continue }
            let worst = context.market(market).grid.roundedUp(ask + parameters.maxSlippage) ?? ask
            events[index].legs[leg].order = context.place(
                OrderRequest(
                    .bid, excess, at: worst, in: market, timeInForce: .immediateOrCancel, isReduceOnly: true))
            isWaiting = true
        }
        return isWaiting
    }
}
