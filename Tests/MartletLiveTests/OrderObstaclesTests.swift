import Martlet
import MartletEngine
import Testing

@testable import MartletLive

/// "Why is it not trading?"
@Suite struct OrderObstaclesTests {
    private let now = Timestamp(seconds: 1_790_000_000)
    private func order(_ status: OrderStatus) -> Order {
        Order(
            id: OrderID(1), request: OrderRequest(.bid, 1, at: 0.40, in: Market.ID(0)), status: status,
            requestTime: now)
    }

    @Test func whatTheExchangeRefusesIsSaidForAMinute() {
        var obstacles = OrderObstacles()
        let rejection = VenueRejection(status: 400, code: "insufficient_balance", message: "not enough")
        let isRefused = obstacles.note(order(.rejected(rejection)), at: now)
        #expect(isRefused)
        _ = obstacles.note(order(.rejected(rejection)), at: now)
        #expect(
            obstacles.lines(at: now) == [
                "the exchange refused 2 orders, the last with: 400 insufficient_balance not enough"
            ])
        #expect(obstacles.lines(at: now + .seconds(61)).isEmpty)
        let isAbsenceRefused = obstacles.note(order(.rejected(.provenAbsent)), at: now)
        #expect(!isAbsenceRefused, "that was no answer of the exchange's")
    }

    @Test func theGatesRefusalsNameRuleValueAndLimit() {
        var obstacles = OrderObstacles()
        let refusal = Refusal(.balance, value: "2.7345", limit: "0.00")
        let isTheirs = obstacles.note(order(.refused(refusal)), at: now)
        #expect(!isTheirs)
        #expect(obstacles.lines(at: now) == ["the risk gate refuses: balance, 2.7345 against 0.00"])
    }

    @Test func aStrategysHaltIsNotHiddenByAnother() {
        var obstacles = OrderObstacles()
        obstacles.riskChanged(.halted, "alpha lost 5 today, limit 5")
        obstacles.riskChanged(.reduceOnly, "accounts differ")
        _ = obstacles.note(order(.refused(Refusal(.halted, value: "halted", limit: "cancels only"))), at: now)
        #expect(
            obstacles.lines(at: now + .hours(9)) == [
                "halted: alpha lost 5 today, limit 5", "reduceOnly: accounts differ",
            ])
        obstacles.riskChanged(.active, "resumed by the operator")
        #expect(obstacles.lines(at: now).isEmpty)
    }
}
