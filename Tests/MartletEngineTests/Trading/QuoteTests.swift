import Martlet
import Testing

@testable import MartletEngine

/// Desired quotes: what leaves, and what does not.
@Suite struct QuoteTests {
    let rig = TradingRig()
    let market: Market.ID

    init() { market = rig.market() }

    private func amendment(_ order: OrderID, _ side: Side, _ price: Price, _ total: Quantity) -> VenueCommand
    {
        .amend(AmendOrder(id: order, market: market, side: side, price: price, quantity: total))
    }

    @Test func pricesAreRoundedPassivelyAndPostOnly() {
        rig.quote(Quote(0.4199, 5), Quote(0.5801, 5))
        #expect(rig.only(.bid)?.price == 0.41)
        #expect(rig.only(.ask)?.price == 0.59)
        #expect(rig.only(.bid)?.request.isPostOnly == true)
    }

    @Test func theSameQuoteAgainCostsNothing() {
        rig.quote(Quote(0.42, 5), Quote(0.58, 5))
        for command in rig.commands() { rig.answer(command) }
        for _ in 0..<5 { rig.quote(Quote(0.42, 5), Quote(0.58, 5)) }
        #expect(rig.commands().isEmpty)
    }

    @Test func aMoveIsOneAmend() {
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        let order = rig.only(.bid)!.id
        rig.quote(Quote(0.43, 5), nil)
        #expect(rig.commands() == [amendment(order, .bid, 0.43, 5)])
    }

    @Test func whileAnAmendIsInFlightOnlyTheNewestIsKept() {
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        let order = rig.only(.bid)!.id
        rig.quote(Quote(0.43, 5), nil)
        rig.quote(Quote(0.44, 5), nil)
        rig.quote(Quote(0.45, 5), nil)
        rig.drain()
        rig.report(.amended(price: 0.43, quantity: 5, remaining: 5), order)
        #expect(rig.commands() == [amendment(order, .bid, 0.45, 5)])
        rig.quote(Quote(0.43, 5), nil)
        rig.quote(Quote(0.45, 5), nil)
        rig.report(.amended(price: 0.45, quantity: 5, remaining: 5), order)
        #expect(rig.commands().isEmpty, "it is where it is wanted")
    }

    @Test func aQuoteTakenBackBeforeItIsSentNeverLeaves() {
        let rig = TradingRig(RouterTests.settings(), limits: .basic)
        rig.market()
        _ = RouterTests.exhaust(rig)
        rig.quote(Quote(0.42, 5), nil)
        rig.quote(Quote(0.43, 7), nil)
        #expect(rig.core.router.statistics.superseded == 1)
        let order = rig.core.openOrders(0, Market.ID(0)).last!
        #expect(order.status == .queued && order.price == 0.43 && order.quantity == 7)
        rig.quote(nil, nil)
        #expect(rig.status(order.id) == .withdrawn)
        rig.wait(.seconds(5))
        #expect(rig.commands().isEmpty)
    }

    @Test func aCancelThatIsNotSentBecomesAnAmend() {
        let rig = TradingRig(RouterTests.settings(), limits: .basic)
        rig.market()
        rig.quote(Quote(0.42, 5), nil)
        let order = rig.only(.bid)!.id
        rig.accept(order)
        _ = RouterTests.exhaust(rig)
        rig.quote(nil, nil)
        rig.quote(Quote(0.44, 5), nil)
        rig.drain()
        rig.wait(.seconds(1))
        #expect(
            rig.commands() == [
                .amend(AmendOrder(id: order, market: Market.ID(0), side: .bid, price: 0.44, quantity: 5))
            ])
    }

    @Test func aCancelInFlightIsFollowedByANewOrder() {
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        let first = rig.only(.bid)!.id
        rig.quote(nil, nil)
        rig.quote(Quote(0.44, 5), nil)
        #expect(rig.commands() == [.cancel(first, market: market)])
        rig.report(.cancelled(by: 5), first)
        #expect(rig.only(.bid)?.price == 0.44)
        #expect(rig.only(.bid)?.id != first)
    }

    @Test func whereAnAmendIsDearerItIsCancelledAndPlaced() {
        var costs = RateLimits.Costs()
        costs.amend = 30
        let rig = TradingRig(
            limits: RateLimits(
                tier: "x", read: .init(refill: 1, capacity: 1), write: .init(refill: 1000, capacity: 1000),
                costs: costs))
        rig.market()
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        rig.quote(Quote(0.44, 5), nil)
        let sent = rig.commands()
        #expect(sent.map(\.cost) == [2])
        for command in sent { rig.answer(command) }
        #expect(rig.only(.bid)?.price == 0.44)
    }

    @Test func aFillIsNotRefilledUnasked() {
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        let order = rig.only(.bid)!.id
        rig.fill(order, 2)
        #expect(rig.commands().isEmpty)
        rig.fill(order, 3)
        #expect(rig.commands().isEmpty)
        #expect(rig.core.openOrderCount == 0)
        rig.quote(Quote(0.42, 5), nil)
        #expect(rig.commands().count == 1, "said again, it is wanted again")
    }

    @Test func tolerancesSaveBudget() {
        var settings = TradingSettings()
        settings.router.priceTolerance = 0.01
        settings.router.sizeTolerance = 2
        let rig = TradingRig(settings)
        rig.market()
        rig.quote(Quote(0.42, 10), nil)
        for command in rig.commands() { rig.answer(command) }
        rig.quote(Quote(0.43, 8), nil)
        #expect(rig.commands().isEmpty)
        rig.quote(Quote(0.44, 10), nil)
        #expect(rig.commands().count == 1)
    }

    @Test func aPairThatMovesPastItselfWaitsForTheOtherSide() {
        rig.quote(Quote(0.42, 5), Quote(0.44, 5))
        for command in rig.commands() { rig.answer(command) }
        let bid = rig.only(.bid)!.id
        let ask = rig.only(.ask)!.id
        rig.quote(Quote(0.46, 5), Quote(0.48, 5))
        #expect(rig.commands() == [amendment(ask, .ask, 0.48, 5)])
        rig.report(.amended(price: 0.48, quantity: 5, remaining: 5), ask)
        #expect(rig.commands() == [amendment(bid, .bid, 0.46, 5)])
        rig.report(.amended(price: 0.46, quantity: 5, remaining: 5), bid)
        rig.quote(Quote(0.41, 5), Quote(0.43, 5))
        #expect(rig.commands() == [amendment(bid, .bid, 0.41, 5)])
        rig.report(.amended(price: 0.41, quantity: 5, remaining: 5), bid)
        #expect(rig.commands() == [amendment(ask, .ask, 0.43, 5)])
    }

    @Test func whatTheVenueDidNotWantIsNotPressedOnIt() {
        rig.quote(Quote(0.42, 5), nil)
        let order = rig.only(.bid)!.id
        rig.drain()
        rig.report(.accepted(filled: 0, remaining: 0, end: .postOnlyCross), order)
        #expect(rig.status(order) == .cancelled(.postOnlyCross))
        #expect(rig.commands().isEmpty)
        rig.quote(Quote(0.41, 5), nil)
        #expect(rig.commands().count == 1)
    }

    @Test func aRefusedQuoteIsToldOnceAndPullsWhatRests() {
        var settings = TradingSettings()
        settings.strategyLimits.maxMarketPosition = 10
        let rig = TradingRig(settings)
        let market = rig.market()
        rig.quote(Quote(0.42, 5), nil)
        for command in rig.commands() { rig.answer(command) }
        let order = rig.only(.bid)!.id
        for _ in 0..<3 { rig.quote(Quote(0.43, 50), nil) }
        #expect(rig.commands() == [.cancel(order, market: market)])
        #expect(rig.records().count == 1)
    }

    @Test(arguments: [UnusableBookPolicy.pull, .hold])
    func anUnusableBookPullsOrHolds(_ policy: UnusableBookPolicy) {
        var settings = TradingSettings()
        settings.quotesOnUnusableBook = policy
        let rig = TradingRig(settings)
        let market = rig.market()
        rig.quote(Quote(0.42, 5), Quote(0.58, 5))
        for command in rig.commands() { rig.answer(command) }
        let single = rig.rest(.bid, 1, at: 0.30)
        rig.drain()
        rig.markets.setFault(market, .gap)
        rig.core.bookBecameUnusable(market, now: rig.now)
        rig.check()
        #expect(rig.commands().count == (policy == .pull ? 2 : 0))
        #expect(rig.core.order(single)?.isChanging == false)
        rig.quote(Quote(0.43, 5), Quote(0.59, 5))
        #expect(!rig.commands().contains { if case .cancel = $0 { false } else { true } })
    }

    @Test func aClosedMarketDropsWhatWasNotSent() {
        let rig = TradingRig(RouterTests.settings(), limits: .basic)
        let market = rig.market()
        _ = RouterTests.exhaust(rig)
        let queued = rig.place(.bid, 1, at: 0.40)
        rig.markets.setStatus(market, .closed)
        rig.core.marketStatusChanged(market, now: rig.now)
        rig.check()
        #expect(rig.status(queued) == .withdrawn)
    }

    @Test func ownOrdersOfOtherStrategiesAreLeftAlone() {
        rig.quote(Quote(0.42, 5), nil, by: 0)
        rig.quote(Quote(0.41, 5), nil, by: 1)
        for command in rig.commands() { rig.answer(command) }
        rig.submit(.cancelAll(nil), by: 0)
        #expect(rig.commands().count == 1)
        rig.submit(.cancel(rig.only(.bid, by: 1)!.id), by: 0)
        #expect(rig.commands().isEmpty)
        #expect(rig.core.ownResting(market, .bid, 0.41) == 5)
    }
}
