import LongshotBias
import Martlet
import Testing

@Suite struct LongshotBiasTests {
    private func run(
        _ desk: PracticeDesk, _ market: Market.ID,
        _ change: (inout LongshotBias.Parameters) -> Void = { _ in }
    ) -> (bid: Quote?, ask: Quote?)? {
        var parameters = LongshotBias.Parameters()
        change(&parameters)
        var strategy = LongshotBias(parameters: parameters)
        strategy.started(desk.context())
        strategy.bookChanged(market, desk.context())
        return desk.quote(market)
    }

    @Test func sellsYesWhereYesIsTheLongshot() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(5, 100)], asks: [(7, 100)])
        let quote = try #require(run(desk, market))
        #expect(quote.bid == nil)
        #expect(quote.ask == Quote(0.07, 20))
    }

    @Test func buysYesWhereNoIsTheLongshot() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(93, 100)], asks: [(95, 100)])
        let quote = try #require(run(desk, market))
        #expect(quote.bid == Quote(0.93, 20))
        #expect(quote.ask == nil)
    }

    @Test func theTwoSidesMirrorEachOther() throws {
        for cents in 2...12 {
            let desk = PracticeDesk()
            let low = desk.market("L", bids: [(cents - 1, 100)], asks: [(cents, 100)])
            let high = desk.market("H", bids: [(100 - cents, 100)], asks: [(101 - cents, 100)])
            let sold = try #require(run(desk, low)).ask
            let bought = try #require(run(desk, high)).bid
            #expect(sold?.price == bought?.price.complement)
            #expect(sold?.size == bought?.size)
        }
    }

    @Test(arguments: [20, 50, 80]) func leavesTheMiddleAlone(cents: Int) throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(cents, 100)], asks: [(cents + 1, 100)])
        let quote = try #require(run(desk, market))
        #expect(quote.bid == nil && quote.ask == nil)
    }

    @Test func sellsNoMoreThanItsLimit() throws {
        let desk = PracticeDesk()
        let market = desk.market("A", bids: [(5, 100)], asks: [(7, 100)])
        desk.positions[market] = Position(quantity: -55, cost: 51)
        #expect(try #require(run(desk, market)).ask == Quote(0.07, 5))
        desk.positions[market] = Position(quantity: -60, cost: 56)
        #expect(try #require(run(desk, market)).ask == nil)
    }

    @Test func aMakerFeeThatEatsTheEdgeKeepsItOut() throws {
        let desk = PracticeDesk()
        let dear = FeeTerms(type: .quadraticWithMakerFees, multiplierMillionths: 20_000_000)
        let market = desk.market("A", fees: dear, bids: [(5, 100)], asks: [(7, 100)])
        #expect(try #require(run(desk, market)).ask == nil)
    }
}
