import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct OrderRuleTests {
    // MARK: Refusals, each with the exchange's code

    @Test func everyRefusalHasTheExchangesCode() {
        let arena = Arena(accounts: 1, cash: 100)
        func code(_ result: (id: OrderID, reports: [AccountReport])) -> String? {
            result.reports.rejection.map { "\($0.status) \($0.code)" }
        }
        #expect(code(arena.place(.bid, 1, at: 0.5, in: Market.ID(7))) == "404 market_not_found")
        #expect(code(arena.place(.bid, 0, at: 0.5)) == "400 invalid_order_size")
        #expect(code(arena.place(.bid, -1, at: 0.5)) == "400 invalid_order_size")
        #expect(code(arena.place(.bid, 100_000_000, at: 0.5)) == "400 invalid_order_size")
        #expect(code(arena.place(.bid, 1, at: 0.505)) == "400 invalid_price")
        #expect(code(arena.place(.bid, 1, at: .zero)) == "400 invalid_price")
        #expect(code(arena.place(.bid, 1, at: 1.0)) == "400 invalid_price")
        #expect(code(arena.place(.bid, 1, at: 0.5, reduceOnly: true)) == "400 invalid_order")
        #expect(
            code(arena.place(.bid, 1, at: 0.5, .immediateOrCancel, postOnly: true)) == "400 invalid_order")
        let past = arena.place(.bid, 1, at: 0.5, .goodTill(arena.now))
        #expect(code(past) == "400 invalid_order")
        #expect(past.reports.rejection?.message == "Expiration timestamp must be in the future")
        #expect(code(arena.place(.bid, 300, at: 0.5)) == "400 insufficient_balance")
        let first = arena.place(.bid, 1, at: 0.5)
        #expect(code(first) == nil)
        #expect(code(arena.place(.bid, 1, at: 0.5, id: first.id)) == "409 order_already_exists")
        _ = arena.cancel(first.id)
        #expect(code(arena.place(.bid, 1, at: 0.5, id: first.id)) == "409 order_already_exists")
        #expect(
            code(arena.place(.bid, 1, at: 0.5, .fillOrKill))
                == "409 fill_or_kill_insufficient_resting_volume")
        #expect(arena.cancel(OrderID(999)).rejection?.code == "not_found")
        let resting = arena.place(.bid, 2, at: 0.5)
        #expect(arena.amend(resting.id, .ask, 2, at: 0.5).rejection?.code == "order_side_mismatch")
        #expect(arena.amend(resting.id, .bid, 0, at: 0.5).rejection?.code == "invalid_order_size")
        #expect(arena.amend(resting.id, .bid, 2, at: 0.501).rejection?.code == "invalid_price")
        #expect(arena.amend(OrderID(999), .bid, 2, at: 0.5).rejection?.code == "not_found")
        #expect(arena.amend(resting.id, .bid, 500, at: 0.5).rejection?.code == "insufficient_balance")
        let other = arena.venue.define(Market(ticker: "KX-T-N"), at: arena.now)
        arena.venue.cancel(resting.id, market: other, account: 1, at: arena.now)
        #expect(arena.take().rejection?.code == "order_ticker_mismatch")
        #expect(arena.venue.openOrders(1).map(\.remaining) == [2], "no refusal changed the order")
        arena.venue.checkInvariants()
    }

    @Test func aKilledFillOrKillBurnsItsClientID() {
        let arena = Arena()
        let killed = arena.place(.bid, 1, at: 0.5, .fillOrKill)
        #expect(killed.reports.rejection?.code == "fill_or_kill_insufficient_resting_volume")
        #expect(
            arena.place(.bid, 1, at: 0.5, id: killed.id).reports.rejection?.code == "order_already_exists")
    }

    @Test func switchesForUndocumentedBehaviour() {
        var settings = VenueSettings()
        settings.rejectsPostOnlyCross = true
        settings.rejectsEmptyImmediate = true
        settings.confirmsLateCancels = true
        let arena = Arena(settings)
        arena.crowd(.ask, 5, at: 0.60)
        #expect(
            arena.place(.bid, 1, at: 0.60, postOnly: true).reports.rejection?.code == "post_only_cross")
        let immediate = arena.place(.bid, 1, at: 0.50, .immediateOrCancel)
        #expect(
            immediate.reports.rejection?.code == "immediate_or_cancel_insufficient_resting_volume")
        let order = arena.place(.bid, 5, at: 0.60)
        #expect(order.reports.filled() == 5)
        #expect(arena.cancel(order.id).bodies == [.cancelled(by: 0)])
    }

    /// One account's resting orders in a market are bounded; what trades at once is not.
    @Test func restingOrdersAreBounded() {
        var settings = VenueSettings()
        settings.openOrdersMax = 2
        let arena = Arena(settings)
        arena.crowd(.ask, 5, at: 0.60)
        let first = arena.place(.bid, 1, at: 0.40)
        #expect(arena.place(.ask, 1, at: 0.70).reports.rejection == nil)
        #expect(arena.place(.bid, 1, at: 0.41).reports.rejection?.code == "invalid_order")
        #expect(arena.place(.bid, 1, at: 0.60, .immediateOrCancel).reports.filled() == 1)
        #expect(arena.place(.bid, 1, at: 0.41, account: 2).reports.rejection == nil)
        #expect(arena.amend(first.id, .bid, 3, at: 0.42).rejection == nil)
        arena.venue.checkInvariants()
        _ = arena.cancel(first.id)
        #expect(arena.place(.bid, 1, at: 0.41).reports.rejection == nil)
        arena.venue.checkInvariants()
    }

    // MARK: Kinds of orders

    @Test func immediateOrdersNeverRest() {
        let arena = Arena()
        arena.crowd(.ask, 5, at: 0.60)
        let part = arena.place(.bid, 8, at: 0.60, .immediateOrCancel)
        #expect(
            part.reports.bodies.first == .accepted(filled: 5, remaining: 0, end: .immediateRemainder))
        let none = arena.place(.bid, 8, at: 0.59, .immediateOrCancel)
        #expect(none.reports.bodies == [.accepted(filled: 0, remaining: 0, end: .immediateRemainder)])
        arena.crowd(.ask, 7, at: 0.61)
        #expect(arena.place(.bid, 8, at: 0.61, .fillOrKill).reports.rejection != nil)
        #expect(arena.place(.bid, 7, at: 0.61, .fillOrKill).reports.filled() == 7)
        #expect(arena.venue.openOrders(1).isEmpty)
        arena.venue.checkInvariants()
    }

    @Test func aPostOnlyOrderNeverTakes() {
        let arena = Arena()
        arena.crowd(.ask, 5, at: 0.60)
        let cross = arena.place(.bid, 8, at: 0.60, postOnly: true)
        #expect(cross.reports.bodies == [.accepted(filled: 0, remaining: 0, end: .postOnlyCross)])
        let rest = arena.place(.bid, 8, at: 0.59, postOnly: true)
        #expect(rest.reports.bodies == [.accepted(filled: 0, remaining: 8, end: nil)])
        #expect(arena.amend(rest.id, .bid, 8, at: 0.60).rejection?.code == "post_only_cross")
        #expect(arena.venue.openOrders(1).map(\.price) == [0.59])
    }

    @Test func reduceOnlyIsCappedToThePosition() {
        let arena = Arena()
        arena.crowd(.ask, 10, at: 0.60)
        arena.crowd(.bid, 100, at: 0.50)
        let none = arena.place(.ask, 5, at: 0.50, .immediateOrCancel, reduceOnly: true)
        #expect(none.reports.bodies == [.accepted(filled: 0, remaining: 0, end: .reduceOnly)])
        arena.place(.bid, 4, at: 0.60)
        let close = arena.place(.ask, 9, at: 0.50, .immediateOrCancel, reduceOnly: true)
        #expect(close.reports.bodies.first == .accepted(filled: 4, remaining: 0, end: nil))
        #expect(arena.venue.position(1, arena.market).quantity == 0)
        // It may not open: on the same side as the position there is nothing to reduce.
        arena.place(.bid, 4, at: 0.60)
        let wrong = arena.place(.bid, 4, at: 0.60, .immediateOrCancel, reduceOnly: true)
        #expect(wrong.reports.ends == [.reduceOnly])
    }

    @Test func ordersExpireAtTheirSecond() {
        let arena = Arena()
        let until = arena.now + .milliseconds(2600)
        let order = arena.place(.bid, 5, at: 0.40, .goodTill(until))
        arena.venue.advance(to: Timestamp(seconds: until.seconds) - .nanoseconds(1))
        #expect(arena.take().isEmpty)
        #expect(arena.venue.nextTimer == Timestamp(seconds: until.seconds), "rounded down to the second")
        arena.venue.advance(to: Timestamp(seconds: until.seconds))
        #expect(arena.take().bodies == [.ended(.expiry)])
        #expect(arena.venue.order(order.id, account: 1)?.reason == .expiry)
        // Amended to another expiry, the old one is void; cleared, none is left.
        let second = arena.place(.bid, 5, at: 0.40, .goodTill(until + .seconds(5)))
        arena.venue.amend(
            AmendOrder(id: second.id, market: arena.market, side: .bid, price: 0.40, quantity: 5),
            account: 1, expiry: .unknown, at: until)
        _ = arena.take()
        arena.venue.advance(to: until + .seconds(60))
        #expect(arena.take().isEmpty && arena.venue.openOrders(1).count == 1)
    }

    // MARK: Self-trade prevention

    @Test func takerAtCrossEndsTheIncomingOrder() {
        let arena = Arena()
        arena.place(.ask, 5, at: 0.60, account: 2)
        let own = arena.place(.ask, 5, at: 0.60, account: 1)
        let taker = arena.place(.bid, 20, at: 0.60, account: 1)
        #expect(taker.reports.filled(1) == 5, "what came before in the queue stands")
        #expect(taker.reports.ends == [.selfTrade])
        #expect(arena.venue.openOrders(1).map(\.id) == [own.id])
        arena.venue.checkInvariants()
    }

    @Test func makerEndsTheRestingOrderAndGoesOn() {
        let arena = Arena()
        let own = arena.place(.ask, 5, at: 0.60, account: 1)
        arena.place(.ask, 5, at: 0.60, account: 2)
        let taker = arena.place(.bid, 7, at: 0.60, account: 1, stp: .maker)
        #expect(taker.reports.filled(1) == 5)
        #expect(taker.reports.contains { $0.report.order == own.id && $0.report.body == .ended(.selfTrade) })
        #expect(arena.venue.openOrders(1).map(\.remaining) == [2])
        arena.venue.checkInvariants()
    }

    @Test func aFillOrKillCountsOnlyWhatItMayMeet() {
        let arena = Arena()
        arena.place(.ask, 5, at: 0.60, account: 1)
        arena.place(.ask, 5, at: 0.60, account: 2)
        #expect(arena.place(.bid, 5, at: 0.60, account: 1, .fillOrKill).reports.rejection != nil)
        #expect(arena.place(.bid, 6, at: 0.60, account: 1, .fillOrKill, stp: .maker).reports.rejection != nil)
        #expect(arena.place(.bid, 5, at: 0.60, account: 1, .fillOrKill, stp: .maker).reports.filled(1) == 5)
    }

    // MARK: Priority and amends

    @Test func priceThenTimeAndWhatKeepsThePlace() {
        let arena = Arena(accounts: 3)
        let first = arena.place(.bid, 10, at: 0.50, account: 1)
        let second = arena.place(.bid, 10, at: 0.50, account: 2)
        #expect(arena.venue.queuePosition(second.id, account: 2) == 10)
        // Smaller keeps the place, dearer or larger loses it.
        #expect(
            arena.amend(first.id, .bid, 6, at: 0.50).bodies == [
                .amended(price: 0.50, quantity: 6, remaining: 6)
            ])
        #expect(arena.venue.queuePosition(first.id, account: 1) == 0)
        arena.venue.decrease(first.id, market: arena.market, to: 5, account: 1, at: arena.now)
        #expect(arena.take().bodies == [.decreased(remaining: 5)])
        #expect(arena.venue.queuePosition(second.id, account: 2) == 5)
        _ = arena.amend(first.id, .bid, 7, at: 0.50)
        #expect(arena.venue.queuePosition(first.id, account: 1) == 10)
        let best = arena.place(.bid, 1, at: 0.51, account: 2)
        let hit = arena.place(.ask, 12, at: 0.50, account: 3)
        #expect(hit.reports.fills(2).map(\.order) == [best.id, second.id])
        #expect(hit.reports.fills(1).map(\.quantity) == [1])
        arena.venue.checkInvariants()
    }

    @Test func fieldNote20AmendCountsTheWholeOrder() {
        let arena = Arena()
        let order = arena.place(.bid, 10, at: 0.50, account: 1)
        arena.place(.ask, 4, at: 0.50, account: 2)
        let reports = arena.amend(order.id, .bid, 9, at: 0.49)
        #expect(reports.bodies == [.amended(price: 0.49, quantity: 9, remaining: 5)])
        #expect(arena.amend(order.id, .bid, 4, at: 0.49).rejection?.code == "invalid_order_size")
        #expect(arena.venue.order(order.id, account: 1)?.filled == 4)
    }

    @Test func fieldNote21AnAmendThroughTheBookTradesAndKeepsItsID() {
        let arena = Arena()
        arena.crowd(.ask, 3, at: 0.55)
        let order = arena.place(.bid, 10, at: 0.50)
        let reports = arena.amend(order.id, .bid, 10, at: 0.55)
        #expect(reports.bodies.first == .amended(price: 0.55, quantity: 10, remaining: 7))
        #expect(reports.filled() == 3)
        #expect(reports.fills().first?.order == order.id && reports.fills().first?.isTaker == true)
        #expect(arena.venue.size(arena.market, .bid, at: 0.55) == 7)
        arena.venue.checkInvariants()
    }

    @Test func fieldNote14ACancelThatCrossesAFill() {
        let arena = Arena()
        let order = arena.place(.bid, 10, at: 0.50)
        arena.trade(taker: .ask, 10, at: 0.50)
        #expect(arena.take().filled() == 10)
        let late = arena.cancel(order.id)
        #expect(late.rejection?.status == 404)
        let again = arena.place(.bid, 10, at: 0.50)
        #expect(arena.cancel(again.id).bodies == [.cancelled(by: 10)])
        arena.trade(taker: .ask, 10, at: 0.50)
        #expect(arena.take().isEmpty, "what was cancelled first cannot fill")
    }

    @Test func fieldNote23NoOrderWithoutAValidSide() {
        let arena = Arena()
        for price in [Price.zero, .one, -Price(cents: 5)] {
            #expect(arena.place(.bid, 1, at: price).reports.rejection?.code == "invalid_price")
            #expect(arena.place(.ask, 1, at: price).reports.rejection?.code == "invalid_price")
        }
    }

    // MARK: Batches and everything

    @Test func batchesAnswerEachOrder() {
        let arena = Arena()
        let ids = (0..<3).map { _ in arena.newID() }
        let places = zip(ids, [0.40, 0.405, 0.41] as [Price]).map {
            PlaceOrder(id: $0, request: OrderRequest(.bid, 1, at: $1, in: arena.market))
        }
        arena.venue.execute(.placeBatch(places), account: 1, at: arena.now)
        let reports = arena.take()
        #expect(reports.map(\.report.order) == ids)
        #expect(reports.rejection?.code == "invalid_price")
        arena.venue.execute(
            .cancelBatch(ids.map { OrderReference($0, market: arena.market) }), account: 1, at: arena.now)
        #expect(
            arena.take().bodies.map {
                if case .cancelled(let by) = $0 { return by.contracts }
                return -1
            } == [1, -1, 1])
    }

    @Test func cancelEverythingReachesIntoTheNextMinute() {
        let arena = Arena()
        arena.place(.bid, 1, at: 0.40)
        arena.place(.bid, 1, at: 0.41)
        arena.place(.bid, 1, at: 0.41, account: 2)
        arena.venue.execute(.cancelEverything, account: 1, at: arena.now)
        #expect(arena.take().bodies == [.cancelled(by: 1), .cancelled(by: 1)])
        #expect(arena.venue.openOrders(2).count == 1)
        arena.step(.seconds(59))
        #expect(arena.place(.bid, 1, at: 0.40).reports.ends == [.requested])
        arena.step(.seconds(1))
        #expect(arena.place(.bid, 1, at: 0.40).reports.ends.isEmpty)
    }

    // MARK: Order groups

    @Test func aGroupStopsAboveItsRollingLimit() {
        let arena = Arena()
        let group = arena.venue.createGroup(account: 1, shard: 0, limit: 10)
        arena.place(.bid, 8, at: 0.50, group: group)
        let other = arena.place(.bid, 5, at: 0.49, group: group)
        arena.place(.ask, 8, at: 0.50, account: 2)
        #expect(arena.venue.group(group, account: 1)?.isTriggered == false)
        arena.step(.seconds(15))
        arena.place(.bid, 10, at: 0.50, group: group)
        arena.place(.ask, 10, at: 0.50, account: 2)
        #expect(arena.venue.group(group, account: 1)?.isTriggered == false, "10 does not exceed 10")
        let hit = arena.place(.ask, 1, at: 0.49, account: 2)
        #expect(hit.reports.contains { $0.report.order == other.id && $0.report.body == .ended(.orderGroup) })
        #expect(
            arena.place(.bid, 1, at: 0.40, group: group).reports.rejection?.code == "order_group_triggered")
        #expect(arena.venue.resetGroup(group, account: 1))
        #expect(arena.place(.bid, 1, at: 0.40, group: group).reports.rejection == nil)
        #expect(!arena.venue.resetGroup(group, account: 2), "another account's group is unknown")
        #expect(
            arena.place(.bid, 1, at: 0.40, account: 2, group: group).reports.rejection?.code
                == "order_group_not_found")
        arena.venue.checkInvariants()
    }
}
