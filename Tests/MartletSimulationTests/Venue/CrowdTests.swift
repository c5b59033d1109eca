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

    /// 20 ahead of us and 20 behind; ten leave.
    @Test(
        arguments: [
            (QueueModel.tradesOnly, 20), (.proportional, 15), (.power(2), 15), (.power(1), 15),
        ] as [(QueueModel, Quantity)])
    func whatLeavesWithoutATradeIsSharedByTheModel(queue: QueueModel, ahead: Quantity) {
        var settings = VenueSettings()
        settings.queue = queue
        let arena = Arena(settings)
        arena.crowd(.bid, 20, at: 0.50)
        let order = arena.place(.bid, 10, at: 0.50)
        arena.crowd(.bid, 20, at: 0.50)
        arena.crowd(.bid, -10, at: 0.50)
        #expect(arena.venue.queuePosition(order.id, account: 1) == ahead)
        arena.venue.checkInvariants()
    }

    /// The book and the trades are two channels, and either may be the first to tell of a trade: it is one trade.
    @Test(arguments: [QueueModel.tradesOnly, .proportional, .power(3)], [true, false])
    func aTradeMovesTheQueueOnceWhicheverIsToldFirst(queue: QueueModel, tradeIsFirst: Bool) {
        for behind in [0, 5, 30] as [Quantity] {
            var settings = VenueSettings()
            settings.queue = queue
            let arena = Arena(settings)
            arena.crowd(.bid, 20, at: 0.50)
            let order = arena.place(.bid, 10, at: 0.50)
            if behind.isPositive { arena.crowd(.bid, behind, at: 0.50) }
            arena.step()
            func tell(trade: Bool, _ quantity: Quantity) {
                if trade {
                    arena.trade(taker: .ask, quantity, at: 0.50)
                } else {
                    arena.crowd(.bid, -quantity, at: 0.50)
                }
                arena.step()
            }
            tell(trade: tradeIsFirst, 12)
            // Who comes now is behind what is left, and no late word of the trade brings it forward.
            let later = arena.place(.bid, 1, at: 0.50, account: 2)
            let place = arena.venue.queuePosition(later.id, account: 2)
            tell(trade: !tradeIsFirst, 12)
            #expect(arena.take().isEmpty)
            #expect(arena.venue.queuePosition(order.id, account: 1) == 8, "\(behind) behind")
            if !tradeIsFirst { #expect(arena.venue.queuePosition(later.id, account: 2) == place) }
            arena.venue.checkInvariants()
            // One that reaches us fills us with what is left of it.
            guard behind == 30 else { continue }
            tell(trade: tradeIsFirst, 15)
            tell(trade: !tradeIsFirst, 15)
            #expect(arena.take().filled() == 7)
            #expect(arena.venue.queuePosition(order.id, account: 1) == 0)
            arena.venue.checkInvariants()
        }
    }

    @Test(
        arguments: [
            (TakenRule.off, 30), (.untilChange, 31), (.untilRemoved, 1), (.untilEmpty, 1),
        ] as [(TakenRule, Quantity)])
    func whatWeTookStaysTakenAsTheRuleSays(rule: TakenRule, shown: Quantity) {
        var settings = VenueSettings()
        settings.taken = rule
        let arena = Arena(settings)
        arena.crowd(.ask, 30, at: 0.60)
        arena.place(.bid, 30, at: 0.60, .immediateOrCancel)
        #expect(arena.venue.size(arena.market, .ask, at: 0.60) == 0)
        // Another level's record, then one of this level.
        arena.crowd(.ask, 5, at: 0.65)
        #expect(arena.venue.size(arena.market, .ask, at: 0.60) == (rule == .off ? 30 : 0))
        if rule != .off { arena.crowd(.ask, 1, at: 0.60) }
        #expect(arena.venue.size(arena.market, .ask, at: 0.60) == shown)
    }

    @Test(
        arguments: [
            (CrossingRule.quantity, 4), (.whole, 10), (.none, 0),
        ] as [(CrossingRule, Quantity)])
    func aTradeThroughOurPriceFillsAsTheRuleSays(rule: CrossingRule, filled: Quantity) {
        var settings = VenueSettings()
        settings.crossing = rule
        let arena = Arena(settings)
        arena.crowd(.bid, 20, at: 0.50)
        arena.place(.bid, 10, at: 0.52)
        arena.trade(taker: .ask, 4, at: 0.50)
        #expect(arena.take().filled() == filled)
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
