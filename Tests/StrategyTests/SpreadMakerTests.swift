import Martlet
import SpreadMaker
import Testing

@Suite struct SpreadMakerTests {
    private func maker(_ change: (inout SpreadMaker.Parameters) -> Void = { _ in }) -> SpreadMaker {
        var parameters = SpreadMaker.Parameters()
        change(&parameters)
        return SpreadMaker(parameters: parameters)
    }
    private func start(_ desk: PracticeDesk, _ strategy: inout SpreadMaker, _ market: Market.ID) {
        strategy.started(desk.context())
        strategy.bookChanged(market, desk.context())
    }

    @Test func quotesAroundTheFairPrice() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker()
        start(desk, &strategy, market)
        let quote = try #require(desk.quote(market))
        #expect(quote.bid == Quote(0.485, 10))
        #expect(quote.ask == Quote(0.515, 10))
    }

    /// A halt takes off what rests: a maker that believed its quotes still there would never quote a quiet book again.
    @Test func afterAHaltItAsksForItsQuotesAgain() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker()
        start(desk, &strategy, market)
        desk.asked = []
        strategy.bookChanged(market, desk.context())
        #expect(desk.quote(market) == nil, "what is there already is not asked for")
        strategy.riskChanged(.halted, desk.context())
        strategy.riskChanged(.active, desk.context())
        strategy.bookChanged(market, desk.context())
        #expect(try #require(desk.quote(market)).bid == Quote(0.485, 10))
    }

    @Test func aLongPositionMovesBothQuotesDown() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        desk.positions[market] = Position(quantity: 50, cost: 25)
        var strategy = maker()
        start(desk, &strategy, market)
        let quote = try #require(desk.quote(market))
        // Half of the full position: half of the skew of two cents.
        #expect(quote.bid == Quote(0.475, 10))
        #expect(quote.ask == Quote(0.505, 10))
    }

    @Test func aFullPositionLeavesOnlyTheSideThatBringsItBack() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        desk.positions[market] = Position(quantity: -100, cost: 50)
        var strategy = maker()
        start(desk, &strategy, market)
        let quote = try #require(desk.quote(market))
        #expect(quote.ask == nil)
        #expect(quote.bid?.size == 10)
    }

    @Test func neverCrossesTheBook() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(50, 100)], asks: [(51, 100)])
        // So long that the skewed ask would stand far below the best bid.
        desk.positions[market] = Position(quantity: 90, cost: 45)
        var strategy = maker { $0.skew = 0.20 }
        start(desk, &strategy, market)
        #expect(try #require(desk.quote(market)).ask?.price == 0.51)
    }

    @Test(arguments: [
        ([(30, 10)], [(60, 10)]), ([(2, 10)], [(3, 10)]), ([(97, 10)], [(98, 10)]), ([], [(60, 10)]),
    ])
    func asksForNothingWhereTheBookSaysNothing(bids: [(Int, Int)], asks: [(Int, Int)]) {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker()
        start(desk, &strategy, market)
        desk.setBook(market, bids: bids, asks: asks)
        strategy.bookChanged(market, desk.context())
        #expect(desk.asked.last == .quote(market, bid: nil, ask: nil))
    }

    @Test func keepsItsPlaceInTheQueueWhenTheFairPriceHardlyMoves() {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker()
        start(desk, &strategy, market)
        desk.setBook(market, bids: [(48, 110)], asks: [(52, 100)])
        strategy.bookChanged(market, desk.context())
        #expect(desk.asked.count == 1)
    }

    @Test func restoresAQuoteThatWasFilled() {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker { $0.skew = .zero }
        start(desk, &strategy, market)
        strategy.filled(
            Fill(
                tradeID: "t", order: OrderID(1), market: market, side: .bid, price: 0.485, quantity: 10,
                isTaker: false, fee: .zero, exchangeTime: .unknown), desk.context())
        #expect(desk.asked.count == 2)
    }

    @Test func withdrawsBeforeTheClose() {
        let desk = PracticeDesk()
        let close = Timestamp(seconds: 1_900_000_000)
        let market = desk.market("A", closeTime: close, bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker()
        desk.table.now = close - .minutes(3)
        start(desk, &strategy, market)
        #expect(desk.quote(market)?.bid != nil)
        desk.table.now = close - .minutes(1)
        strategy.bookChanged(market, desk.context())
        #expect(desk.asked.last == .quote(market, bid: nil, ask: nil))
    }

    @Test func widensWithVolatility() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(48, 100)], asks: [(52, 100)])
        var strategy = maker { $0.requote = .zero }
        start(desk, &strategy, market)
        let calm = try #require(desk.quote(market))
        for cents in [44, 48, 44, 48] {
            desk.setBook(market, bids: [(cents, 100)], asks: [(cents + 4, 100)])
            strategy.bookChanged(market, desk.context())
        }
        let wild = try #require(desk.quote(market))
        #expect(try #require(wild.bid).price < (try #require(calm.bid).price))
        #expect(try #require(wild.ask).price > (try #require(calm.ask).price))
    }

    @Test func refusesImpossibleParameters() {
        var parameters = SpreadMaker.Parameters()
        parameters.size = 0
        #expect(throws: ParameterError("size", "must be above 0")) { try parameters.validate() }
    }
}
