import ExclusiveArbitrage
import Martlet
import Testing

@Suite struct ExclusiveArbitrageTests {
    /// Three outcomes of one event, whose bids sum to `cents`.
    private func event(_ desk: PracticeDesk, bids: [Int], size: Int = 100) -> [Market.ID] {
        zip(["E-D-A", "E-D-B", "E-D-C"], bids).map { ticker, bid in
            desk.market(ticker, exclusive: true, bids: [(bid, size)], asks: [(bid + 2, 100)])
        }
    }
    private func run(_ desk: PracticeDesk, _ market: Market.ID) -> ExclusiveArbitrage {
        var strategy = ExclusiveArbitrage(parameters: .init())
        strategy.started(desk.context())
        strategy.bookChanged(market, desk.context())
        return strategy
    }

    @Test func sellsEveryOutcomeWhenTheBidsPayForTheDollarAndTheFees() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 35, 24])
        _ = run(desk, markets[0])
        #expect(desk.placed.map(\.request.market) == markets)
        #expect(desk.placed.allSatisfy { $0.request.side == .ask && $0.request.quantity == 25 })
        #expect(desk.placed.allSatisfy { $0.request.timeInForce == .immediateOrCancel })
        #expect(desk.placed.map(\.request.price) == [0.50, 0.35, 0.24])
    }

    /// 1.04 − 1 = 4 cents; the three fees are 0.07·(0.50·0.50 + 0.30·0.70 + 0.24·0.76) = 4.5 cents.
    @Test func leavesAMispricingThatTheFeesWouldEat() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 30, 24])
        _ = run(desk, markets[0])
        #expect(desk.placed.isEmpty)
    }

    @Test func leavesEventsWhoseMarketsDoNotExcludeEachOther() {
        let desk = PracticeDesk()
        let a = desk.market("E-D-A", bids: [(70, 100)], asks: [(72, 100)])
        desk.market("E-D-B", bids: [(70, 100)], asks: [(72, 100)])
        _ = run(desk, a)
        #expect(desk.placed.isEmpty)
    }

    @Test func takesNoMoreThanTheThinnestBidHolds() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 35, 24])
        desk.setBook(markets[2], bids: [(24, 7)], asks: [(26, 100)])
        _ = run(desk, markets[0])
        #expect(desk.placed.allSatisfy { $0.request.quantity == 7 })
    }

    @Test func waitsForAllLegsBeforeTheNextBasket() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 35, 24])
        var strategy = run(desk, markets[0])
        strategy.bookChanged(markets[1], desk.context())
        #expect(desk.placed.count == 3)
        for order in desk.placed { desk.answer(order, filled: 25, to: &strategy) }
        // Nothing is in excess, so nothing is bought back; and the pause holds.
        strategy.bookChanged(markets[1], desk.context())
        #expect(desk.placed.count == 3)
        desk.table.now = desk.table.now + .seconds(2)
        strategy.bookChanged(markets[1], desk.context())
        #expect(desk.placed.count == 6)
    }

    @Test func buysBackWhatTheOtherLegsDoNotHedge() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 35, 24])
        var strategy = run(desk, markets[0])
        let legs = desk.placed
        desk.answer(legs[0], filled: 25, to: &strategy)
        desk.answer(legs[1], filled: 25, to: &strategy)
        desk.answer(legs[2], filled: 10, to: &strategy)
        let evening = desk.placed.dropFirst(3)
        #expect(evening.map(\.request.market) == [markets[0], markets[1]])
        #expect(evening.allSatisfy { $0.request.side == .bid && $0.request.isReduceOnly })
        #expect(evening.allSatisfy { $0.request.quantity == 15 })
        for order in evening { desk.answer(order, filled: 15, to: &strategy) }
        #expect(desk.placed.count == 5)
    }

    @Test func closesALegThatStandsAlone() {
        let desk = PracticeDesk()
        let markets = event(desk, bids: [50, 35, 24])
        var strategy = run(desk, markets[0])
        let legs = desk.placed
        desk.answer(legs[0], filled: 25, to: &strategy)
        desk.answer(legs[1], filled: 0, to: &strategy)
        desk.answer(legs[2], filled: 0, to: &strategy)
        #expect(desk.placed.dropFirst(3).map(\.request.quantity) == [25])
        #expect(desk.placed.last?.request.market == markets[0])
    }
}
