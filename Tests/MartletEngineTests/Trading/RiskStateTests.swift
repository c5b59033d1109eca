import Martlet
import Testing

@testable import MartletEngine

/// States of the risk gate and limits that change while orders rest.
@Suite struct RiskStateTests {
    let rig = TradingRig()

    init() { rig.market() }

    @Test func reduceOnlyDoesNotLoosenAHalt() {
        rig.core.command(.halt(reason: "the operator"), now: rig.now)
        rig.drain()
        rig.core.command(.reduceOnly(reason: "accounts differ"), now: rig.now)
        #expect(rig.core.accountRiskState == .halted)
        #expect(rig.events().isEmpty, "nothing changed, so no strategy is told of a state")
        rig.core.command(.resume, now: rig.now)
        rig.core.command(.reduceOnly(reason: "accounts differ"), now: rig.now)
        #expect(rig.core.accountRiskState == .reduceOnly)
        rig.core.command(.halt(reason: "the operator"), now: rig.now)
        #expect(rig.core.accountRiskState == .halted)
    }

    @Test func anOrderThatTurnsOutToRestUnderAHaltIsCancelled() {
        let order = rig.place(.bid, 10, at: 0.40)
        rig.report(.unknown(.place), order)
        rig.report(.provenAbsent, order)
        rig.core.command(.halt(reason: "the operator"), now: rig.now)
        rig.wait(.seconds(5))
        rig.drain()
        rig.report(.state(OrderState(status: .resting, price: 0.40, filled: 0, remaining: 10)), order)
        rig.wait(.milliseconds(1))
        #expect(rig.commands() == [.cancel(order, market: Market.ID(0))])
    }

    @Test func aLineThatLosesEveryAnswerIsNotAskedToCancelAsFastAsTheBudgetAllows() {
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.drain()
        rig.submit(.cancel(order))
        var cancels = rig.commands().count
        #expect(cancels == 1)
        for _ in 0..<100 {
            rig.report(.unknown(.cancel), order)
            rig.submit(.cancel(order))
            rig.wait(.milliseconds(10))
            cancels += rig.commands().count
        }
        #expect(cancels <= 3, "one a second")
        rig.wait(.seconds(2))
        rig.report(.unknown(.cancel), order)
        rig.wait(.seconds(1))
        #expect(rig.commands().contains(.cancel(order, market: Market.ID(0))), "but it is not given up")
        rig.report(.state(OrderState(status: .resting, price: 0.40, filled: 0, remaining: 10)), order)
        rig.report(.cancelled(by: 10), order)
        #expect(rig.status(order) == .cancelled(.requested))
        #expect(rig.core.nextWake == nil || rig.core.nextWake! > rig.now)
    }

    @Test func stricterLimitsTakeOffWhatRestsBeyondThem() {
        let (large, small) = (rig.rest(.bid, 50, at: 0.30), rig.rest(.bid, 5, at: 0.31))
        rig.drain()
        var limits = RiskLimits.unlimited
        limits.maxOrderSize = 10
        rig.core.command(.tighten(account: limits, strategies: nil), now: rig.now)
        #expect(rig.commands() == [.cancel(large, market: Market.ID(0))])
        #expect(rig.status(small) == .resting)
        #expect(rig.refusal(rig.place(.bid, 11, at: 0.30)) == .orderSize)
    }

    @Test func aStricterPositionLimitLeavesWhatBringsThePositionBack() {
        rig.hold(.bid, 20, at: 0.40)
        let (more, less) = (rig.rest(.bid, 10, at: 0.30), rig.rest(.ask, 20, at: 0.70))
        rig.drain()
        var limits = RiskLimits.unlimited
        limits.maxMarketPosition = 15
        rig.core.command(.tighten(account: limits, strategies: nil), now: rig.now)
        #expect(rig.commands() == [.cancel(more, market: Market.ID(0))])
        #expect(rig.status(less) == .resting)
    }

    @Test func fewerOpenOrdersTakeOffTheNewest() {
        let orders = (0..<4).map { rig.rest(.bid, 1, at: Price(cents: 30 + $0)) }
        rig.drain()
        var limits = RiskLimits.unlimited
        limits.maxOpenOrders = 2
        rig.core.command(.tighten(account: limits, strategies: nil), now: rig.now)
        #expect(
            rig.commands() == [
                .cancel(orders[3], market: Market.ID(0)), .cancel(orders[2], market: Market.ID(0)),
            ])
    }

    @Test func whatEarlierSessionsOfTheDayLostCountsInItsLimit() {
        var settings = TradingSettings()
        settings.accountLimits.maxDailyLoss = 10
        let rig = TradingRig(settings)
        rig.market()
        rig.core.advance(to: rig.now)
        rig.core.command(.carry(Money(cents: -950), strategy: nil), now: rig.now)
        #expect(rig.core.accountRiskState == .active)
        rig.book(Market.ID(0), 0.60, 0.62)
        rig.hold(.bid, 10, at: 0.60)
        rig.book(Market.ID(0), 0.50, 0.52)
        #expect(rig.core.accountRiskState == .halted, "9.50 before, 0.90 now")
        rig.core.command(.resume, now: rig.now)
        #expect(rig.core.accountRiskState == .active, "the operator's word ends the reckoning")
        #expect(rig.core.day?.realized.last == .zero)
    }

    @Test func whatADayHasRealisedIsKnownToTheNextSession() throws {
        rig.core.advance(to: rig.now)
        rig.hold(.bid, 10, at: 0.60)
        rig.hold(.ask, 10, at: 0.40)
        let day = try #require(rig.core.day)
        #expect(day.realized == [-2, .zero, .zero, -2], "two strategies, nobody, the account")
        rig.now = day.end
        rig.core.advance(to: rig.now)
        #expect(rig.core.day?.realized.last == .zero && rig.core.day!.end > day.end)
    }

    /// A quote that was refused for want of cash, or while halted, is no quote that is never asked for again.
    @Test func aRefusedQuoteIsJudgedAgainWhenItIsAskedForLater() {
        let quote = Quote(0.40, 10)
        rig.core.setBalance(shard: nil, 1, now: rig.now)
        rig.quote(quote, nil)
        rig.quote(quote, nil)
        #expect(rig.only(.bid) == nil && rig.core.refusalCounts.first { $0.rule == .balance }?.count == 1)
        rig.core.setBalance(shard: nil, 100, now: rig.now)
        rig.wait(.seconds(6))
        rig.quote(quote, nil)
        #expect(rig.only(.bid)?.price == 0.40)

        rig.core.command(.halt(reason: "the operator"), now: rig.now)
        if let order = rig.only(.bid) {
            rig.accept(order.id)
            rig.report(.cancelled(by: 10), order.id)
        }
        rig.quote(quote, nil)
        #expect(rig.only(.bid) == nil)
        rig.core.command(.resume, now: rig.now)
        rig.quote(quote, nil)
        #expect(rig.only(.bid)?.price == 0.40, "at once: the halt alone had refused it")
    }
}
