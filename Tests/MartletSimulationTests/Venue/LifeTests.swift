import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct LifeTests {
    private let start = Timestamp(seconds: 1_800_000_000)

    @Test func aMarketOpensAndClosesByTheClock() {
        let market = Market(
            ticker: "KX-T-M", openTime: start + .seconds(10), closeTime: start + .seconds(100))
        let arena = Arena(market: market)
        #expect(arena.place(.bid, 1, at: 0.5).reports.rejection?.code == "MARKET_INACTIVE")
        arena.step(.seconds(10))
        let order = arena.place(.bid, 1, at: 0.5)
        #expect(order.reports.rejection == nil)
        // Refused from the very second of the close, even before the venue's clock was moved on.
        arena.now = start + .seconds(100)
        #expect(arena.place(.bid, 1, at: 0.5).reports.rejection?.code == "MARKET_INACTIVE")
        #expect(arena.cancel(order.id).rejection?.code == "MARKET_INACTIVE")
        arena.venue.advance(to: arena.now)
        #expect(arena.venue.statuses == [.closed])
        #expect(arena.take().isEmpty)
        #expect(arena.amend(order.id, .bid, 1, at: 0.4).rejection?.code == "MARKET_INACTIVE")
        arena.crowd(.ask, 5, at: 0.4)
        #expect(arena.take().isEmpty, "nothing trades after the close")
        arena.step(.milliseconds(500))
        #expect(arena.take().bodies == [.ended(.marketClosed)])
        arena.venue.checkInvariants()
    }

    @Test func theCloseMayMoveAndTheMarketReopen() {
        var market = Market(ticker: "KX-T-M", closeTime: start + .seconds(100))
        let arena = Arena(market: market)
        market.closeTime = start + .seconds(50)
        arena.venue.define(market, at: arena.now)
        arena.step(.seconds(50))
        #expect(arena.venue.statuses == [.closed])
        market.closeTime = start + .seconds(300)
        arena.venue.define(market, at: arena.now)
        arena.venue.setStatus(arena.market, .active, at: arena.now)
        #expect(arena.place(.bid, 1, at: 0.5).reports.rejection == nil)
        arena.step(.seconds(100))
        #expect(arena.venue.statuses == [.active])
        arena.step(.seconds(160))
        #expect(arena.venue.statuses == [.closed])
    }

    @Test func aPauseKeepsOrdersAndReactivationCancelsThem() {
        let arena = Arena()
        let order = arena.place(.bid, 1, at: 0.5)
        let leaving = arena.place(.bid, 1, at: 0.4, onPause: true)
        arena.venue.setStatus(arena.market, .inactive, at: arena.now)
        #expect(arena.take().map(\.report.order) == [leaving.id])
        #expect(arena.place(.bid, 1, at: 0.5).reports.rejection?.code == "MARKET_INACTIVE")
        #expect(arena.amend(order.id, .bid, 1, at: 0.45).rejection?.code == "MARKET_INACTIVE")
        arena.trade(taker: .ask, 5, at: 0.45)
        #expect(arena.take().isEmpty, "nothing trades in a pause")
        let second = arena.venue.openOrders(1).count
        #expect(second == 1)
        arena.venue.setStatus(arena.market, .active, at: arena.now)
        #expect(arena.take().bodies == [.ended(.halt)])
        #expect(arena.place(.bid, 1, at: 0.5).reports.rejection == nil)
    }

    @Test func cancelsAreTakenInAPause() {
        let arena = Arena()
        let order = arena.place(.bid, 1, at: 0.5)
        arena.venue.setStatus(arena.market, .inactive, at: arena.now)
        #expect(arena.cancel(order.id).bodies == [.cancelled(by: 1)])
        let other = Arena()
        let resting = other.place(.bid, 1, at: 0.5)
        other.venue.setPause(.trading, shard: 0, at: other.now)
        #expect(other.place(.bid, 1, at: 0.5).reports.rejection?.code == "trading_is_paused")
        other.venue.setPause(.everything, shard: 0, at: other.now)
        #expect(other.cancel(resting.id).rejection?.status == 503)
        other.venue.setPause(nil, shard: 0, at: other.now)
        #expect(other.cancel(resting.id).bodies == [.cancelled(by: 1)], "orders outlive a pause of trading")
    }

    @Test(arguments: [
        (MarketResult.yes, 1.0, 0.0), (.no, 0.0, 1.0), (.scalar(Price(micros: Int32(370_000))), 0.37, 0.63),
    ])
    func settlementPaysEachSide(result: MarketResult, yes: Double, no: Double) {
        let market = Market(ticker: "KX-T-M", fees: FeeTerms(type: .none), settlementTimer: .seconds(60))
        let arena = Arena(market: market)
        arena.place(.bid, 100, at: 0.40, account: 1)
        arena.place(.ask, 100, at: 0.40, account: 2)
        #expect(arena.venue.cash(1) == 99_960)
        #expect(arena.venue.cash(2) == 99_940)
        let open = arena.place(.bid, 1, at: 0.10)
        arena.venue.setResult(arena.market, result, at: arena.now)
        #expect(arena.take().map(\.report.order) == [open.id], "what rests dies first")
        arena.step(.seconds(59))
        #expect(arena.venue.cash(1) == 99_960)
        arena.step(.seconds(1))
        #expect(arena.venue.cash(1).dollars == 99_960 + 100 * yes)
        #expect(arena.venue.cash(2).dollars == 99_940 + 100 * no)
        #expect(arena.venue.settlements.count == 2)
        // Field notes: markets that settle twice.
        arena.venue.settle(arena.market, .no, at: arena.now)
        arena.venue.setResult(arena.market, .no, at: arena.now)
        #expect(arena.venue.ignoredAnnouncements == 2)
        #expect(arena.venue.cash(1).dollars == 99_960 + 100 * yes)
        arena.venue.checkInvariants()
    }

    @Test func aCorrectedResultCountsUntilItIsPaid() {
        let market = Market(ticker: "KX-T-M", fees: FeeTerms(type: .none), settlementTimer: .seconds(60))
        let arena = Arena(market: market)
        arena.place(.bid, 10, at: 0.40, account: 1)
        arena.place(.ask, 10, at: 0.40, account: 2)
        arena.venue.setResult(arena.market, .yes, at: arena.now)
        arena.step(.seconds(30))
        arena.venue.setResult(arena.market, .no, at: arena.now)
        arena.step(.seconds(30))
        #expect(arena.venue.settlements.isEmpty, "the correction starts the timer anew")
        arena.step(.seconds(30))
        #expect(arena.venue.cash(1) == 99_996)
    }

    @Test func fractionsPayWholeCentsAndTheRestIsAccountedFor() {
        let market = Market(ticker: "KX-T-M", fees: FeeTerms(type: .none))
        let arena = Arena(market: market)
        arena.place(.bid, Quantity(hundredths: 333), at: 0.40, account: 1)
        arena.place(.ask, Quantity(hundredths: 333), at: 0.40, account: 2)
        arena.venue.settle(arena.market, .scalar(Price(micros: Int32(123_400))), at: arena.now)
        #expect(arena.venue.settlements.map(\.payout) == [Money(cents: 41), Money(cents: 291)])
        #expect(arena.venue.payoutRemainder == Money(cents: 333) - Money(cents: 332))
        arena.venue.checkInvariants()
    }
}
