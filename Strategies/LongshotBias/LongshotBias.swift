import Martlet

/// Sells longshots and holds to settlement: a trade on the favourite-longshot bias.
///
/// In betting markets of many kinds, and on this exchange too, cheap contracts win less often than their price
/// says and dear ones more often: people like lottery tickets. (Bürgi, Deng and Whelan, "Makers and Takers: The
/// Economics of the Kalshi Prediction Market", 2025, find it over some hundred thousand markets, stronger for
/// takers than for makers.) The strategy sells YES where YES is the longshot, and buys YES, which is to sell NO,
/// where NO is.
///
/// What there is to learn from it:
/// - **One function for both sides.** A longshot is a side and a price in that side's own terms; `Side.cost` and
///   `complement` do the mirroring.
/// - **Patience.** It rests post-only orders at the best price instead of crossing: the bias is a few tenths of
///   a cent at these prices, less than the spread and the taker's fee.
/// - **Many small bets.** A longshot sold at 5 cents loses 95 when it comes in. The limit a market is small, so
///   that the result is an average and not a single event.
/// - **Its own assumption, in the open.** `bias` is a belief. The report's calibration chart is where to check
///   it against what happened.
public struct LongshotBias: Strategy {
    public static let name = "longshot-bias"
    public static let summary =
        "maker: sells overpriced longshots on either side and holds them to settlement"

    private let parameters: Parameters

    public init(parameters: Parameters) { self.parameters = parameters }

    public mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
    }
    public mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
        context.subscribe(to: market, trades: false)
    }
    public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        review(market, context)
    }
    public mutating func filled(_ fill: Fill, _ context: borrowing Context) {
        review(fill.market, context)
    }

    /// Says anew what should rest in a market: at most one order, on the side that sells the longshot.
    private func review(_ market: Market.ID, _ context: borrowing Context) {
        let bid = wanted(.bid, market, context)
        let ask = wanted(.ask, market, context)
        context.quote(market, bid: bid, ask: ask)
    }

    /// The order that sells the longshot from one side: an ask sells YES, a bid sells NO.
    private func wanted(_ side: Side, _ market: Market.ID, _ context: borrowing Context) -> Quote? {
        guard context.isUsable(market), context.status(market).isTrading, isTimely(market, context),
            let best = context.book(market).best(side), let other = context.book(market).best(side.opposite)
        else { return nil }
        // What the longshot is sold for, in its own terms: YES dollars for an ask, NO dollars for a bid.
        let premium = side.opposite.cost(best)
        guard premium >= parameters.minPrice, premium <= parameters.maxPrice,
            side.opposite.cost(other) >= parameters.minPrice,
            edge(premium) >= parameters.minEdge + makerFee(market, best, context)
        else { return nil }
        // Signed so that what was already sold counts, whichever side it was.
        let held = Quantity(hundredths: context.position(market).quantity.hundredths * side.sign)
        let size = min(parameters.size, parameters.maxPosition - held)
        return size.isPositive ? Quote(best, size) : nil
    }

    /// Dollars by which a longshot at `premium` is believed to be overpriced: `bias` of its price at the cheap
    /// end, fading to nothing at `fadesAt`.
    private func edge(_ premium: Price) -> Price {
        let fade = max(0, 1 - premium.dollars / parameters.fadesAt.dollars)
        return Price(rounding: premium.dollars * parameters.bias * fade) ?? .zero
    }

    /// The fee of one contract as a maker.
    private func makerFee(_ market: Market.ID, _ price: Price, _ context: borrowing Context) -> Price {
        let fee = context.market(market).fees.tradeFee(
            price: price, quantity: 1, isTaker: false, at: context.now)
        return Price(micros: Int32(fee.raw / 100))
    }

    /// Not in the last minutes: a price near 0 or 1 is then knowledge and not bias.
    private func isTimely(_ market: Market.ID, _ context: borrowing Context) -> Bool {
        let close = context.market(market).closeTime
        return !close.isKnown || close - context.now >= parameters.stopBefore
    }
}
