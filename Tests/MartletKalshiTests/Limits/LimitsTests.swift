import Martlet
import MartletEngine
import Testing

@testable import MartletKalshi

@Suite struct LimitsTests {
    private static let orders = "/trade-api/v2/portfolio/events/orders"
    private static let table = EndpointCosts(
        entries: [
            .init(method: "DELETE", pattern: orders, cost: 2),
            .init(method: "DELETE", pattern: orders + "/:order_id", cost: 3),
            .init(method: "DELETE", pattern: orders + "/batched", cost: 4),
            .init(method: "GET", pattern: "/trade-api/v2/cfbenchmarks/*endpoint", cost: 50),
        ])
    /// No difference between the ways of requests: the figures are the exchange's own.
    private static let settings: RouterSettings = {
        var settings = RouterSettings()
        settings.arrivalMargin = .zero
        return settings
    }()
    private func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 1_795_442_400_000 + milliseconds)
    }

    @Test func costsFollowTheTablesPatterns() {
        let costs = Self.table
        #expect(costs.cost(method: "DELETE", path: Self.orders) == 2)
        #expect(costs.cost(method: "DELETE", path: Self.orders + "/abc") == 3)
        #expect(
            costs.cost(method: "DELETE", path: Self.orders + "/batched") == 4, "the plainest pattern counts")
        #expect(costs.cost(method: "GET", path: "/trade-api/v2/cfbenchmarks/a/b") == 50)
        #expect(costs.cost(method: "POST", path: Self.orders) == 10)
        #expect(costs.cost(method: "DELETE", path: Self.orders + "/a/b") == 10)
        #expect(costs.orderCosts.cancel == 4 && costs.orderCosts.place == 10)
        #expect(costs.orderCosts.cancelEverything == 2)
    }

    @Test func waitsUntilTheBucketHoldsTheCost() {
        var budget = RateBudget(costs: Self.table, settings: Self.settings, now: time(0))
        for _ in 0..<10 {
            #expect(
                budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 0), now: time(0)) == nil)
        }
        // 100 tokens are spent; 10 refill in 100 ms at the lowest tier.
        #expect(
            budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 0), now: time(0))
                == time(100))
        #expect(
            budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 0), now: time(100)) == nil)
        // Reads have a bucket of their own, and each further shard one too.
        #expect(budget.admit(method: "GET", path: "/x", scope: .read, now: time(100)) == nil)
        #expect(
            budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 2), now: time(100)) == nil)
    }

    @Test func aBatchIsAdmittedWholeOrNotAtAll() {
        var budget = RateBudget(costs: Self.table, settings: Self.settings, now: time(0))
        let path = Self.orders + "/batched"
        #expect(
            budget.admit(method: "POST", path: path, scope: .write(shard: 0), items: 9, now: time(0)) == nil)
        #expect(
            budget.admit(method: "POST", path: path, scope: .write(shard: 0), items: 2, now: time(0))
                == time(100))
        #expect(budget.available(.write(shard: 0), now: time(0)) == 10)
    }

    @Test func anAutoRoutedWriteIsBilledToEveryShard() {
        var budget = RateBudget(costs: Self.table, settings: Self.settings, now: time(0))
        _ = budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 3), items: 10, now: time(0))
        #expect(
            budget.admit(method: "POST", path: Self.orders, scope: .writeAutoRouted, now: time(0))
                == time(100))
        #expect(budget.available(.write(shard: 0), now: time(0)) == 100)
    }

    @Test func takesOverNewFiguresAndForgetsNoSpending() throws {
        var budget = RateBudget(settings: Self.settings, now: time(0))
        _ = budget.admit(method: "POST", path: Self.orders, scope: .write(shard: 0), items: 10, now: time(0))
        let advanced = try #require(RateLimits.tier("advanced"))
        budget.set(advanced, costs: Self.table, now: time(0))
        #expect(budget.limits.tier == "advanced")
        #expect(budget.available(.write(shard: 0), now: time(0)) == 800)
        #expect(budget.available(.read, now: time(0)) == 900)
    }

    @Test func fieldNote12AfterA429ItRestsWithJitterAndShrinks() {
        var wakeUps = Set<Timestamp>()
        for chance in 0..<20 as Range<UInt64> {
            var budget = RateBudget(settings: Self.settings, now: time(0))
            budget.refused(scope: .read, chance: chance &* 0x9e37_79b9_7f4a_7c15, now: time(0))
            #expect(budget.refusals == 1)
            if let wait = budget.admit(method: "GET", path: "/x", scope: .read, now: time(0)) {
                #expect(wait > time(0))
                wakeUps.insert(wait)
            }
        }
        #expect(wakeUps.count > 10, "all who wait would otherwise ask again together")
    }
}
