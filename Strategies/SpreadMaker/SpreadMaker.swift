import Martlet

/// A market maker: rests a bid and an ask around what it thinks a contract is worth and lives on the difference.
///
/// What there is to learn from it:
/// - **Desired quotes.** It never places, amends or cancels an order. It says what should rest (`quote`), and the
///   router finds the cheapest commands that get there, within the exchange's write budget.
/// - **Inventory skew.** Each fill makes it long or short. It then moves both quotes against its position, so
///   that the side that brings it back is the one likelier to fill. Without that, a maker collects whatever the
///   rest of the market wants to be rid of.
/// - **Adverse selection.** A fill just before the price jumps is the maker's loss, so the quotes widen with
///   recent volatility and leave altogether when the book is too wide to say anything.
/// - **Queue position is worth money.** A quote that moves by less than `requote` stays where it is and keeps its
///   place in the queue.
public struct SpreadMaker: Strategy {
    public static let name = "spread-maker"
    public static let summary = "market maker: quotes both sides around the microprice, skewed by inventory"

    private let parameters: Parameters
    /// By market index; markets are numbered from 0 without holes.
    private var desks: [Desk] = []

    /// What is kept for one market.
    private struct Desk {
        var volatility: RealizedVolatility
        var bid: Quote?
        var ask: Quote?
    }

    public init(parameters: Parameters) { self.parameters = parameters }

    // MARK: Callbacks

    public mutating func started(_ context: borrowing Context) {
        for market in context.markets { open(market, context) }
    }

    /// A market that appears during the day is made like the others.
    public mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
        open(market, context)
    }

    public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        if let mid = context.book(market).mid {
            desks[Int(market.index)].volatility.add(mid, at: context.now)
        }
        requote(market, context)
    }

    /// The position has changed, so the skew has: do not wait for the book to move.
    public mutating func filled(_ fill: Fill, _ context: borrowing Context) {
        // The filled quote no longer rests in full: forget it, so that it is restored.
        if fill.side == .bid {
            desks[Int(fill.market.index)].bid = nil
        } else {
            desks[Int(fill.market.index)].ask = nil
        }
        // In the middle of a trade the book may be crossed; its change is told when that is over.
        if !context.book(fill.market).isCrossed { requote(fill.market, context) }
    }

    public mutating func statusChanged(
        _ market: Market.ID, _ status: MarketStatus, _ context: borrowing Context
    ) {
        if !status.isTrading { show(market, nil, nil, context) }
    }

    public mutating func bookUnusable(
        _ market: Market.ID, _ fault: BookFault, _ context: borrowing Context
    ) {
        show(market, nil, nil, context)
    }

    /// A halt has taken off what rested; after it everything is to be asked for again.
    public mutating func riskChanged(_ state: RiskState, _ context: borrowing Context) {
        for index in desks.indices { (desks[index].bid, desks[index].ask) = (nil, nil) }
    }

    /// What the exchange took off by itself rests no longer.
    public mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        guard order.status == .cancelled(.halt) || order.status == .cancelled(.orderGroup) else { return }
        if order.side == .bid {
            desks[Int(order.market.index)].bid = nil
        } else {
            desks[Int(order.market.index)].ask = nil
        }
    }

    // MARK: Quoting

    private mutating func open(_ market: Market.ID, _ context: borrowing Context) {
        while desks.count <= Int(market.index) {
            desks.append(Desk(volatility: RealizedVolatility(window: parameters.volatilityWindow)))
        }
        context.subscribe(to: market, trades: false)
    }

    private mutating func requote(_ market: Market.ID, _ context: borrowing Context) {
        guard let (bid, ask) = wanted(market, context) else { return show(market, nil, nil, context) }
        let desk = desks[Int(market.index)]
        show(market, settled(bid, desk.bid), settled(ask, desk.ask), context)
    }

    /// Keeps a resting quote whose price is near enough to the wanted one.
    private func settled(_ wanted: Quote?, _ resting: Quote?) -> Quote? {
        guard let wanted, let resting, wanted.size == resting.size else { return wanted }
        let shift = wanted.price - resting.price
        return max(shift, -shift) < parameters.requote ? resting : wanted
    }

    private mutating func show(
        _ market: Market.ID, _ bid: Quote?, _ ask: Quote?, _ context: borrowing Context
    ) {
        let index = Int(market.index)
        // The router sends nothing for a quote that is there already, but why ask a million times a day.
        guard desks[index].bid != bid || desks[index].ask != ask else { return }
        desks[index].bid = bid
        desks[index].ask = ask
        context.quote(market, bid: bid, ask: ask)
    }

    /// What should rest now; nil for nothing at all.
    private func wanted(_ market: Market.ID, _ context: borrowing Context) -> (bid: Quote?, ask: Quote?)? {
        let book = context.book(market)
        guard context.isUsable(market), context.status(market).isTrading, !isNearClose(market, context),
            let bestBid = book.bestBid, let bestAsk = book.bestAsk, let fair = book.microprice,
            bestAsk - bestBid <= parameters.maxSpread,
            fair >= parameters.edgePrice, fair <= .one - parameters.edgePrice
        else { return nil }

        let position = context.position(market).quantity
        let volatility = desks[Int(market.index)].volatility.value ?? 0
        let half =
            parameters.halfSpread + (Price(rounding: parameters.volatilityFactor * volatility) ?? .zero)
        // Long: both quotes lower, to sell sooner and buy later. At the full position by `skew`.
        let load = position.contracts / parameters.maxPosition.contracts
        let centre = fair - (Price(rounding: parameters.skew.dollars * load) ?? .zero)

        // Never through the other side: a maker's order that crosses is refused as post-only.
        let step = context.market(market).grid.unit
        let bid = min(centre - half, bestAsk - step)
        let ask = max(centre + half, bestBid + step)
        // Nothing that would carry the position past its limit.
        let canBuy = min(parameters.size, parameters.maxPosition - position)
        let canSell = min(parameters.size, parameters.maxPosition + position)
        return (quote(bid, canBuy), quote(ask, canSell))
    }

    private func quote(_ price: Price, _ size: Quantity) -> Quote? {
        size.isPositive && price.isTradable ? Quote(price, size) : nil
    }

    /// In the last minutes the price runs to 0 or 1, and whoever trades then knows the result better.
    private func isNearClose(_ market: Market.ID, _ context: borrowing Context) -> Bool {
        let close = context.market(market).closeTime
        return close.isKnown && close - context.now < parameters.stopBefore
    }
}
