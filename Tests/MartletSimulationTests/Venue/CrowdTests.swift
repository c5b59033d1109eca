import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct CrowdTests {
    @Test func aTakerTakesTheCrowdAndItStaysTaken() {
        let arena = Arena()
        arena.crowd(.ask, 30, at: 0.60)
        arena.crowd(.ask, 50, at: 0.62)
        let first = arena.place(.bid, 40, at: 0.62)
        #expect(first.reports.fills().map(\.price) == [0.60, 0.62])
        #expect(first.reports.bodies.first == .accepted(filled: 40, remaining: 0, end: nil))
        #expect(arena.venue.size(arena.market, .ask, at: 0.60) == 0)
        #expect(arena.venue.size(arena.market, .ask, at: 0.62) == 40)
        #expect(arena.venue.best(arena.market, .ask) == 0.62)
        arena.venue.checkInvariants()
        // The recording removes what we had taken, and adds anew.
        arena.crowd(.ask, -30, at: 0.60)
        #expect(arena.venue.best(arena.market, .ask) == 0.62)
        arena.crowd(.ask, 5, at: 0.60)
        #expect(arena.venue.size(arena.market, .ask, at: 0.60) == 5)
        arena.venue.checkInvariants()
    }

    @Test func tradesAtOurPriceEatTheQueueAheadAndThenUs() {
        let arena = Arena()
        arena.crowd(.bid, 20, at: 0.50)
        let order = arena.place(.bid, 10, at: 0.50)
        #expect(order.reports.bodies == [.accepted(filled: 0, remaining: 10, end: nil)])
        #expect(arena.venue.queuePosition(order.id, account: 1) == 20)
        arena.trade(taker: .ask, 15, at: 0.50, end: false)
        arena.crowd(.bid, -15, at: 0.50)
        #expect(arena.venue.queuePosition(order.id, account: 1) == 5)
        arena.trade(taker: .ask, 9, at: 0.50, end: false)
        arena.crowd(.bid, -5, at: 0.50)
        let reports = arena.take()
        #expect(reports.filled() == 4)
        #expect(reports.fills().first?.isTaker == false)
        arena.trade(taker: .ask, 100, at: 0.49)
        #expect(arena.take().filled() == 6)
        #expect(arena.venue.openOrders(1).isEmpty)
        arena.venue.checkInvariants()
    }

    @Test func aCrowdThatComesToRestThroughOurPriceFillsUs() {
        let arena = Arena()
        arena.crowd(.bid, 20, at: 0.50)
        let order = arena.place(.bid, 10, at: 0.52)
        arena.crowd(.ask, 4, at: 0.51, end: false)
        #expect(arena.take().isEmpty, "nothing is judged inside a group")
        arena.crowd(.ask, 1, at: 0.70)
        #expect(arena.take().fills().map(\.price) == [0.52])
        #expect(arena.venue.order(order.id, account: 1)?.remaining == 6)
        #expect(arena.venue.size(arena.market, .ask, at: 0.51) == 0)
        arena.venue.checkInvariants()
    }
}
