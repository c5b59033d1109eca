import Martlet
import Testing

@testable import MartletEngine

/// Orders and the venue's reports in every order in which they can arrive.
@Suite struct OrderReportTests {
    let rig: TradingRig
    let market: Market.ID

    init() {
        rig = TradingRig()
        market = rig.market()
    }

    @Test func anOrderLeavesRestsAndFills() {
        let order = rig.place(.bid, 10, at: 0.40)
        #expect(rig.status(order) == .inFlight)
        #expect(
            rig.commands() == [
                .place(PlaceOrder(id: order, request: OrderRequest(.bid, 10, at: 0.40, in: market)))
            ])
        rig.accept(order)
        #expect(rig.status(order) == .resting)
        #expect(rig.core.ownResting(market, .bid, 0.40) == 10)
        rig.fill(order, 4, fee: Money(cents: 1))
        #expect(rig.core.order(order)?.filled == 4)
        #expect(rig.core.ownResting(market, .bid, 0.40) == 6)
        rig.fill(order, 6)
        #expect(rig.status(order) == .filled)
        #expect(rig.position().quantity == 10)
        #expect(rig.position().cost == 4)
        #expect(rig.position().fees == Money(cents: 1))
        #expect(rig.core.cash.total == 100_000 - 4 - Money(cents: 1))
        #expect(rig.core.openOrderCount == 0)
    }

    @Test func fieldNote16FillBeforeTheAnswerToTheCreate() {
        let order = rig.place(.bid, 10, at: 0.40)
        rig.fill(order, 4)
        #expect(rig.status(order) == .inFlight)
        #expect(rig.position().quantity == 4)
        rig.report(.accepted(filled: 4, remaining: 6, end: nil), order)
        #expect(rig.status(order) == .resting)
        #expect(rig.core.order(order)?.remaining == 6)

        let whole = rig.place(.bid, 10, at: 0.40)
        rig.fill(whole, 10)
        #expect(rig.status(whole) == .filled)
        rig.report(.accepted(filled: 10, remaining: 0, end: nil), whole)
        #expect(rig.status(whole) == .filled)
        #expect(rig.position().quantity == 14)
    }

    @Test func anAnswerThatCountsFillsWaitsForThem() {
        let order = rig.place(.bid, 10, at: 0.60) { $0.timeInForce = .immediateOrCancel }
        rig.drain()
        rig.report(.accepted(filled: 7, remaining: 0, end: .immediateRemainder), order)
        #expect(rig.status(order) == .inFlight)
        #expect(
            rig.core.openQuantity(0, market, .bid) == 7, "what the venue filled counts until it is booked")
        rig.fill(order, 3)
        rig.fill(order, 4)
        #expect(rig.status(order) == .cancelled(.immediateRemainder))
        #expect(rig.position().quantity == 7)
        #expect(rig.core.openQuantity(0, market, .bid) == 0)
    }

    @Test func fieldNote15AFillTwiceIsOneFill() {
        let order = rig.rest(.bid, 10, at: 0.40)
        for _ in 0..<3 { rig.fill(order, 4, trade: "same") }
        #expect(rig.position().quantity == 4)
        // From the other channel after the order is done.
        rig.fill(order, 6, trade: "rest")
        rig.fill(order, 6, trade: "rest")
        #expect(rig.position().quantity == 10)
        #expect(rig.events().filter { if case .fill = $0 { true } else { false } }.count == 2)
    }

    @Test(arguments: [false, true])
    func fieldNote14ACancelThatCrossesAFillIsNoError(_ fillComesFirst: Bool) {
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.submit(.cancel(order))
        if fillComesFirst { rig.fill(order, 10) }
        rig.report(.changeRejected(.cancel, VenueRejection(status: 404, code: "not_found")), order)
        if !fillComesFirst {
            #expect(rig.status(order) == .unknown)
            #expect(rig.core.openQuantity(0, market, .bid) == 10, "unknown counts in full")
            rig.fill(order, 10)
        }
        #expect(rig.status(order) == .filled)
        #expect(rig.position().quantity == 10)
        #expect(!rig.records().contains { if case .log(.error, _, _) = $0 { true } else { false } })
    }

    @Test func fieldNote14ACancelThatTookNothingOffMeansFilled() {
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.submit(.cancel(order))
        rig.report(.cancelled(by: .zero), order)
        #expect(rig.core.order(order)?.status.isFinal == false)
        #expect(rig.core.openQuantity(0, market, .bid) == 10)
        rig.fill(order, 10)
        #expect(rig.status(order) == .filled)
    }

    @Test func aCancelAfterAPartialFillThatIsStillOnItsWay() {
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.submit(.cancel(order))
        rig.report(.cancelled(by: 7), order)
        #expect(rig.core.openQuantity(0, market, .bid) == 3)
        rig.report(.ended(.requested), order)
        #expect(rig.core.openQuantity(0, market, .bid) == 3, "the private channel repeats what is known")
        rig.fill(order, 3)
        #expect(rig.status(order) == .cancelled(.requested))
        #expect(rig.position().quantity == 3)
    }

    @Test func aLateFillOfAFinishedOrderIsBooked() {
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.report(.ended(.halt), order)
        #expect(rig.status(order) == .cancelled(.halt))
        rig.fill(order, 4)
        #expect(rig.status(order) == .cancelled(.halt))
        #expect(rig.core.order(order)?.filled == 4)
        #expect(rig.position().quantity == 4)
    }

    @Test func aLostPlaceCountsInFullAndHoldsTheMarketBack() {
        let lost = rig.place(.bid, 10, at: 0.40)
        rig.report(.unknown(.place), lost)
        #expect(rig.status(lost) == .unknown)
        #expect(rig.core.openQuantity(0, market, .bid) == 10)
        let resting = rig.place(.bid, 5, at: 0.39)
        #expect(rig.status(resting) == .queued, "only cancels leave while an outcome is unknown")
        let other = rig.market("OTHER")
        #expect(rig.status(rig.place(.bid, 1, at: 0.40, in: other)) == .inFlight, "other markets go on")
        rig.drain()
        rig.wait(.minutes(10))
        #expect(rig.commands().isEmpty, "an unresolved order is never sent again")
        rig.report(.provenAbsent, lost)
        #expect(rig.status(lost) == .rejected(.provenAbsent))
        #expect(rig.core.openQuantity(0, market, .bid) == 5)
        #expect(rig.status(resting) == .inFlight)
        #expect(rig.commands().count == 1)
    }

    @Test func aLostPlaceThatRestsAfterAllIsCancelledIfThatWasWanted() {
        let lost = rig.place(.bid, 10, at: 0.40)
        rig.report(.unknown(.place), lost)
        rig.submit(.cancel(lost))
        rig.drain()
        rig.report(.state(OrderState(status: .resting, price: 0.40, filled: 2, remaining: 8)), lost)
        #expect(rig.commands() == [.cancel(lost, market: market)])
        rig.report(.cancelled(by: 8), lost)
        #expect(rig.core.openQuantity(0, market, .bid) == 2, "two contracts are owed to us as a fill")
        rig.fill(lost, 2)
        #expect(rig.status(lost) == .cancelled(.requested))
    }

    @Test func cancelsLeaveWhileAnotherOrderIsUnknown() {
        let resting = rig.rest(.bid, 5, at: 0.39)
        let lost = rig.place(.bid, 10, at: 0.40)
        rig.report(.unknown(.place), lost)
        rig.drain()
        rig.submit(.cancel(resting))
        #expect(rig.commands() == [.cancel(resting, market: market)])
    }

    @Test func aLostAmendCountsWithBothPricesAndSizes() {
        let order = rig.rest(.bid, 10, at: 0.30)
        rig.submit(.amend(order, price: 0.40, quantity: 20))
        rig.report(.unknown(.amend), order)
        #expect(rig.core.openQuantity(0, market, .bid) == 20)
        #expect(rig.core.accountPortfolio.holdings[0].open.bid.cost == 8)
        rig.report(.state(OrderState(status: .resting, price: 0.30, filled: 0, remaining: 10)), order)
        #expect(rig.core.openQuantity(0, market, .bid) == 10)
        #expect(rig.status(order) == .resting)
    }

    @Test func fieldNote20AnAmendNamesTheWholeSize() {
        let order = rig.rest(.bid, 10, at: 0.30)
        rig.fill(order, 4)
        rig.drain()
        rig.submit(.amend(order, price: 0.31, quantity: 12))
        #expect(
            rig.commands() == [
                .amend(AmendOrder(id: order, market: market, side: .bid, price: 0.31, quantity: 12))
            ])
        rig.report(.amended(price: 0.31, quantity: 12, remaining: 8), order)
        #expect(rig.core.order(order)?.remaining == 8)
        #expect(rig.core.order(order)?.price == 0.31)
        // A quote says what it wants open; the router adds what has filled.
        rig.quote(Quote(0.35, 10), nil)
        let quoted = rig.core.openOrders(0, market).last!.id
        rig.accept(quoted)
        rig.fill(quoted, 3)
        rig.drain()
        rig.quote(Quote(0.36, 10), nil)
        #expect(
            rig.commands() == [
                .amend(AmendOrder(id: quoted, market: market, side: .bid, price: 0.36, quantity: 13))
            ])
    }

    @Test func aFillInsideAnAmendDoesNotEndTheLargerOrder() {
        let order = rig.rest(.bid, 10, at: 0.30)
        rig.submit(.amend(order, price: 0.30, quantity: 20))
        rig.fill(order, 10)
        #expect(rig.status(order) == .resting)
        rig.report(.amended(price: 0.30, quantity: 20, remaining: 10), order)
        #expect(rig.core.order(order)?.remaining == 10)
        rig.submit(.amend(order, price: 0.30, quantity: 25))
        rig.fill(order, 10)
        rig.report(.changeRejected(.amend, VenueRejection(status: 404, code: "not_found")), order)
        #expect(rig.status(order) == .filled)
    }

    @Test func aDecreaseThatCrossesAFill() {
        let order = rig.rest(.bid, 10, at: 0.30)
        rig.submit(.decrease(order, to: 4))
        let decreased = rig.now
        rig.wait(.milliseconds(1))
        rig.report(.decreased(remaining: 4), order, at: decreased)
        #expect(rig.core.order(order)?.remaining == 4)
        // It traded before the decrease, of the six that were taken off: four are still open.
        rig.fill(order, 2, time: decreased - .milliseconds(1))
        #expect(rig.core.order(order)?.remaining == 4)
        rig.fill(order, 1)
        #expect(rig.core.order(order)?.remaining == 3)
    }

    @Test func fieldNote19ARejectionIsFinalAndChangesNothing() {
        let order = rig.place(.bid, 10, at: 0.40)
        let rejection = VenueRejection(status: 400, code: "insufficient_balance")
        rig.report(.rejected(rejection), order)
        #expect(rig.status(order) == .rejected(rejection))
        #expect(rig.core.availableCash() == 100_000)
        #expect(rig.core.openQuantity(0, market, .bid) == 0)
    }

    @Test func staleWordsDoNotTurnTimeBack() {
        let order = rig.rest(.bid, 10, at: 0.30)
        let before = rig.now
        rig.wait(.milliseconds(5))
        rig.submit(.amend(order, price: 0.31, quantity: 10))
        rig.report(.amended(price: 0.31, quantity: 10, remaining: 10), order)
        rig.report(
            .state(OrderState(status: .resting, price: 0.30, filled: 0, remaining: 10)), order, at: before)
        #expect(rig.core.order(order)?.price == 0.31)
        rig.fill(order, 10)
        rig.report(.state(OrderState(status: .resting, price: 0.31, filled: 0, remaining: 10)), order)
        #expect(rig.status(order) == .filled)
    }

    @Test func anOrderTheVenueRejectedAndThenShowsRestingIsOursAgain() {
        let order = rig.place(.bid, 10, at: 0.40)
        rig.report(.rejected(VenueRejection(status: 409, code: "order_already_exists")), order)
        rig.drain()
        rig.report(.state(OrderState(status: .resting, price: 0.40, filled: 0, remaining: 10)), order)
        #expect(rig.status(order) == .resting)
        #expect(rig.core.openQuantity(0, market, .bid) == 10)
        #expect(rig.records().contains { if case .log(.error, _, _) = $0 { true } else { false } })
    }

    @Test func aFillOfAnOrderNeverSeenIsBookedAsUnassigned() {
        let fill = Fill(
            tradeID: "x", order: OrderID(999), market: market, side: .bid, price: 0.40, quantity: 5,
            isTaker: true, fee: .zero, exchangeTime: rig.now)
        rig.report(.filled(fill), OrderID(999))
        #expect(rig.core.accountPosition(market).quantity == 5)
        #expect(rig.core.position(rig.core.unassigned, market).quantity == 5)
        #expect(rig.position().quantity == 0)
    }

    @Test func impossibleFillsAreRefused() {
        let order = rig.rest(.bid, 10, at: 0.40)
        for (price, size) in [(Price(micros: 2_000_000), Quantity(1)), (0.40, -3), (0.40, 0)] {
            rig.fill(order, size, at: price)
        }
        #expect(rig.position().quantity == 0)
    }

    @Test func changesWaitForTheAnswerAndTheNewestWins() {
        let order = rig.rest(.bid, 10, at: 0.30)
        rig.submit(.amend(order, price: 0.31, quantity: 10))
        rig.submit(.amend(order, price: 0.32, quantity: 10))
        rig.submit(.amend(order, price: 0.33, quantity: 10))
        #expect(rig.commands().count == 2, "one place, one amend in flight")
        rig.report(.amended(price: 0.31, quantity: 10, remaining: 10), order)
        #expect(
            rig.commands() == [
                .amend(AmendOrder(id: order, market: market, side: .bid, price: 0.33, quantity: 10))
            ])
        #expect(rig.core.router.statistics.superseded == 1)
        rig.submit(.cancel(order))
        rig.report(.amended(price: 0.33, quantity: 10, remaining: 10), order)
        #expect(rig.commands() == [.cancel(order, market: market)])
    }

    @Test func oldOrdersAreForgottenAndMemoryStaysBounded() {
        var settings = TradingSettings()
        settings.finishedOrdersKept = 300
        let rig = TradingRig(settings)
        rig.market()
        rig.checks = false
        let keeper = rig.rest(.bid, 1, at: 0.10)
        var last = keeper
        for _ in 0..<20_000 {
            rig.now = rig.now + .milliseconds(2)
            last = rig.place(.bid, 1, at: 0.40)
            rig.report(.ended(.requested), last)
        }
        rig.core.checkInvariants()
        #expect(rig.status(keeper) == .resting)
        #expect(rig.status(last) == .cancelled(.requested))
        #expect(rig.core.order(OrderID(last.number - 250)) != nil)
        #expect(rig.core.order(OrderID(last.number - 350)) == nil)
        #expect(rig.core.store.count < 400)
    }
}
