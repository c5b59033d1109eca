import Martlet
import Testing

@testable import MartletEngine

/// A trading core with markets whose books the test sets, its outputs at hand, invariants checked after each call.
final class TradingRig {
    let markets = MarketTable()
    let core: TradingCore
    var now = Timestamp(seconds: 1_790_000_000)
    var checks = true

    /// A market, active, with a book of one level a side unless a side is nil.
    init(
        _ settings: TradingSettings = TradingSettings(), strategies: [String] = ["alpha", "beta"],
        limits: RateLimits = .unlimited
    ) {
        var settings = settings
        // The rig's venue hears at once: budgets are the exchange's own.
        settings.router.arrivalMargin = .zero
        core = TradingCore(settings: settings, strategyNames: strategies, markets: markets)
        core.setLimits(limits, now: now)
    }

    @discardableResult
    func market(
        _ ticker: String = "M", bid: Price? = 0.40, ask: Price? = 0.60, event: String? = nil, shard: Int = 0,
        exclusive: Bool = false, grid: PriceGrid = .cent, fees: FeeTerms = FeeTerms(type: .none),
        close: Timestamp = .unknown, returns: CollateralReturn = .none
    ) -> Market.ID {
        let (id, _) = markets.define(
            Market(
                ticker: ticker, event: event ?? ticker, grid: grid, closeTime: close, shard: shard,
                fees: fees,
                isMutuallyExclusive: exclusive, collateralReturn: returns))
        book(id, bid, ask)
        core.marketDefined(id)
        return id
    }

    func book(_ market: Market.ID, _ bid: Price?, _ ask: Price?) {
        let index = Int(market.index)
        markets.books[index].clear()
        if let bid { _ = markets.books[index].add(100, side: .bid, price: bid) }
        if let ask { _ = markets.books[index].add(100, side: .ask, price: ask) }
        markets.setFault(market, nil)
        markets.states[index].lastChange = now
        core.marketMoved(market, now: now)
        check()
    }

    func check() { if checks { core.checkInvariants() } }
    func wait(_ span: TimeSpan) {
        now = now + span
        core.advance(to: now)
        check()
    }

    // MARK: Intents

    @discardableResult
    func place(
        _ side: Side, _ size: Quantity, at price: Price, in market: Market.ID = Market.ID(0),
        by strategy: Int = 0,
        _ change: (inout OrderRequest) -> Void = { _ in }
    ) -> OrderID {
        let id = core.nextOrderID()
        var request = OrderRequest(side, size, at: price, in: market)
        change(&request)
        submit(.place(id, request), by: strategy)
        return id
    }
    func submit(_ intent: Intent, by strategy: Int = 0) {
        core.submit(intent, strategy: strategy, now: now)
        check()
    }
    func quote(
        _ bid: Quote?, _ ask: Quote?, in market: Market.ID = Market.ID(0), by strategy: Int = 0
    ) {
        submit(.quote(market, bid: bid, ask: ask), by: strategy)
    }

    // MARK: Reports

    func report(_ body: VenueReport.Body, _ order: OrderID, at time: Timestamp? = nil) {
        let market = core.order(order)?.market ?? Market.ID(0)
        core.handle(VenueReport(body, order: order, market: market, exchangeTime: time ?? now), now: now)
        check()
    }
    /// Accepts with nothing filled.
    func accept(_ order: OrderID) {
        report(.accepted(filled: .zero, remaining: core.order(order)!.quantity, end: nil), order)
    }
    private var trades = 0
    func fill(
        _ order: OrderID, _ size: Quantity, at price: Price? = nil, fee: Money = .zero, trade: String? = nil,
        time: Timestamp? = nil
    ) {
        trades += 1
        let known = core.order(order)!
        report(
            .filled(
                Fill(
                    tradeID: trade ?? "t\(trades)", order: order, market: known.market, side: known.side,
                    price: price ?? known.price, quantity: size, isTaker: false, fee: fee,
                    exchangeTime: time ?? now)), order, at: time)
    }
    /// Places and accepts.
    func rest(
        _ side: Side, _ size: Quantity, at price: Price, in market: Market.ID = Market.ID(0),
        by strategy: Int = 0
    ) -> OrderID {
        let id = place(side, size, at: price, in: market, by: strategy)
        accept(id)
        return id
    }
    /// A position, by an order filled whole.
    func hold(
        _ side: Side, _ size: Quantity, at price: Price, in market: Market.ID = Market.ID(0),
        by strategy: Int = 0
    ) {
        let id = place(side, size, at: price, in: market, by: strategy)
        fill(id, size)
    }

    // MARK: Outputs

    func commands() -> [VenueCommand] {
        core.commands.takeAll()
    }
    func events() -> [TradingEvent] {
        core.events.takeAll()
    }
    func records() -> [EngineRecord] {
        core.records.takeAll()
    }
    func drain() {
        core.commands.removeAll()
        core.events.removeAll()
        core.records.removeAll()
        core.hasOutput = false
    }
    func status(_ order: OrderID) -> OrderStatus? { core.order(order)?.status }
    func position(_ market: Market.ID = Market.ID(0), by strategy: Int = 0) -> Position {
        core.position(strategy, market)
    }
    /// The rule that refused an order, or nil.
    func refusal(_ order: OrderID) -> RiskRule? {
        if case .refused(let refusal) = status(order) { refusal.rule } else { nil }
    }
    /// The only order that a strategy has open in a market on a side.
    func only(_ side: Side, in market: Market.ID = Market.ID(0), by strategy: Int = 0) -> Order? {
        let orders = core.openOrders(strategy, market).filter { $0.side == side }
        return orders.count == 1 ? orders[0] : nil
    }
}

/// A seed for a random test: from the environment, or fixed. Printed, so that a failure can be repeated.
func testSeed(_ name: String, default seed: UInt64) -> UInt64 {
    let chosen = Environment.seed ?? seed
    print("\(name): MARTLET_SEED=\(chosen)")
    return chosen
}
