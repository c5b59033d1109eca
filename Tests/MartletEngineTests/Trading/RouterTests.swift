import Martlet
import Testing

@testable import MartletEngine

@Suite struct RouterTests {
    static func settings(reserve: Double = 0) -> TradingSettings {
        var settings = TradingSettings()
        settings.router.cancelReserve = reserve
        return settings
    }

    /// Spends the whole budget on resting orders far from the touch.
    static func exhaust(_ rig: TradingRig, in market: Market.ID = Market.ID(0)) -> [OrderID] {
        var orders: [OrderID] = []
        while true {
            let order = rig.place(.bid, 1, at: 0.01, in: market)
            if rig.status(order) == .queued {
                rig.submit(.cancel(order))
                break
            }
            rig.accept(order)
            orders.append(order)
        }
        rig.drain()
        return orders
    }

    @Test func nothingLeavesBeyondTheBudgetAndAllOfItLater() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        let orders = (0..<25).map { _ in rig.place(.bid, 1, at: 0.40) }
        #expect(rig.commands().count == 10)
        #expect(rig.core.nextWake == rig.now + .milliseconds(100))
        rig.wait(.milliseconds(99))
        #expect(rig.commands().isEmpty)
        rig.wait(.milliseconds(1))
        #expect(rig.commands().count == 1)
        rig.wait(.seconds(1))
        #expect(rig.commands().count == 10)
        rig.wait(.seconds(1))
        #expect(orders.allSatisfy { rig.status($0) == .inFlight })
        #expect(rig.core.nextWake == nil)
    }

    @Test func orderedByAgeWithinAClass() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        let orders = (0..<40).map { _ in rig.place(.bid, 1, at: 0.40) }
        rig.wait(.seconds(1))
        rig.wait(.seconds(1))
        rig.wait(.seconds(1))
        let sent = rig.commands().compactMap { if case .place(let place) = $0 { place.id } else { nil } }
        #expect(sent == orders)
    }

    @Test func aCancelUnderFullLoadLeavesAtOnce() {
        let rig = TradingRig(Self.settings(reserve: 0.1), limits: .basic)
        rig.market()
        let resting = Self.exhaust(rig)
        for _ in 0..<50 { rig.place(.bid, 1, at: 0.40) }
        #expect(rig.commands().isEmpty)
        for order in resting.prefix(5) {
            rig.submit(.cancel(order))
            #expect(rig.commands() == [.cancel(order, market: Market.ID(0))])
        }
        // The reserve is gone: the next goes before everything else that waits.
        rig.submit(.cancel(resting[5]))
        #expect(rig.commands().isEmpty)
        rig.wait(.milliseconds(20))
        #expect(rig.commands() == [.cancel(resting[5], market: Market.ID(0))])
    }

    @Test func whatReducesRiskGoesBeforeWhatAddsIt() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        rig.hold(.bid, 10, at: 0.60)
        _ = Self.exhaust(rig)
        let adding = rig.place(.bid, 1, at: 0.40)
        let reducing = rig.place(.ask, 10, at: 0.60)
        rig.wait(.milliseconds(100))
        #expect(rig.status(reducing) == .inFlight)
        #expect(rig.status(adding) == .queued)
    }

    @Test func anOrderCancelledBeforeItIsSentNeverLeaves() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        _ = Self.exhaust(rig)
        let order = rig.place(.bid, 1, at: 0.40)
        rig.submit(.cancel(order))
        #expect(rig.status(order) == .withdrawn)
        rig.wait(.seconds(10))
        #expect(rig.commands().isEmpty)
        #expect(rig.core.router.queueLength == 0)
        #expect(rig.core.availableCash() == rig.core.cash.total - rig.core.cash[0].reserved)
    }

    @Test func anUnsentOrderIsAmendedInPlace() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        _ = Self.exhaust(rig)
        let order = rig.place(.bid, 1, at: 0.40)
        rig.submit(.amend(order, price: 0.41, quantity: 5))
        rig.wait(.seconds(1))
        #expect(
            rig.commands() == [
                .place(PlaceOrder(id: order, request: OrderRequest(.bid, 5, at: 0.41, in: Market.ID(0))))
            ])
    }

    @Test func shardsHaveBudgetsOfTheirOwn() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market("A", shard: 0)
        rig.market("B", shard: 2)
        rig.core.setBalance(shard: 2, 1_000, now: rig.now)
        _ = Self.exhaust(rig, in: Market.ID(0))
        let other = rig.place(.bid, 1, at: 0.40, in: Market.ID(1))
        #expect(rig.status(other) == .inFlight)
        #expect(rig.core.budgets(now: rig.now).map(\.shard) == [0, 2])
        #expect(rig.core.budgets(now: rig.now).map(\.available) == [0, 90])
    }

    @Test func fieldNote12After429TheyWaitShrinkAndKeepTheirOrder() {
        let rig = TradingRig(Self.settings(), limits: RateLimits.tier("advanced")!)
        rig.market()
        let orders = (0..<5).map { _ in rig.place(.bid, 1, at: 0.40) }
        rig.drain()
        let capacity = rig.core.budgets(now: rig.now)[0].capacity
        for order in orders { rig.report(.rateLimited(.place), order) }
        #expect(orders.allSatisfy { rig.status($0) == .queued })
        #expect(rig.commands().isEmpty)
        #expect(rig.core.router.statistics.rateLimited == 5)
        let shrunk = rig.core.budgets(now: rig.now)[0].capacity
        #expect(shrunk < capacity && shrunk > capacity / 2, "one refusal, not five")
        let wake = rig.core.nextWake!
        #expect(wake >= rig.now + .milliseconds(100) && wake <= rig.now + .milliseconds(150))
        for _ in 0..<20 { rig.wait(.milliseconds(100)) }
        let sent = rig.commands().compactMap { if case .place(let place) = $0 { place.id } else { nil } }
        #expect(sent == orders)
    }

    @Test func theBudgetGrowsBackAfterRefusals() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        let order = rig.place(.bid, 1, at: 0.40)
        rig.report(.rateLimited(.place), order)
        #expect(rig.core.budgets(now: rig.now)[0].capacity == 87)
        rig.wait(.seconds(31))
        let next = rig.place(.bid, 1, at: 0.40)
        #expect(rig.status(next) == .inFlight)
        rig.wait(.seconds(31))
        rig.place(.bid, 1, at: 0.40)
        #expect(rig.core.budgets(now: rig.now)[0].capacity == 100)
    }

    @Test func limitsThatChangeWhileRunning() {
        let rig = TradingRig(Self.settings(), limits: .basic)
        rig.market()
        _ = Self.exhaust(rig)
        for _ in 0..<50 { rig.place(.bid, 1, at: 0.40) }
        rig.core.setLimits(RateLimits.tier("prime")!, now: rig.now)
        #expect(rig.commands().count == 50, "the larger bucket has room for what waits")
    }

    @Test func ordersThatLeaveTogetherAreOneBatch() {
        var settings = Self.settings()
        settings.router.batchesPlaces = true
        settings.router.batchesCancels = true
        settings.router.batchLimit = 3
        let rig = TradingRig(settings, limits: .basic)
        rig.market("A")
        rig.market("B", shard: 1)
        rig.core.setBalance(shard: 1, 1_000, now: rig.now)
        let orders = (0..<4).map { _ in rig.place(.bid, 1, at: 0.40) }
        let scoped = rig.place(.bid, 1, at: 0.40, in: Market.ID(1))
        #expect(rig.commands().isEmpty && rig.core.nextWake == rig.now)
        rig.wait(.zero)
        let sent = rig.commands()
        let requests = orders.map { PlaceOrder(id: $0, request: rig.core.order($0)!.request) }
        #expect(sent[0] == .placeBatch(Array(requests[0..<3])))
        #expect(sent[1] == .place(requests[3]))
        #expect(sent[2] == .place(PlaceOrder(id: scoped, request: rig.core.order(scoped)!.request)))
        for order in orders { rig.accept(order) }
        for order in orders.prefix(2) { rig.submit(.cancel(order)) }
        rig.wait(.zero)
        #expect(
            rig.commands() == [
                .cancelBatch(orders.prefix(2).map { OrderReference($0, market: Market.ID(0)) })
            ])
    }

    /// A market maker on 50 markets that always has something to say, on the lowest tier.
    @Test func aBusyMakerUsesItsBudgetAndNeverExceedsIt() {
        let rig = TradingRig(limits: .basic)
        rig.checks = false
        for index in 0..<50 { rig.market("M\(index)") }
        var random = SeededGenerator(seed: 7)
        var spent: [Timestamp] = []
        var costs: [Int] = []
        let start = rig.now
        for _ in 0..<20_000 {
            rig.now = rig.now + .milliseconds(3)
            rig.core.advance(to: rig.now)
            let market = Market.ID(Int(random.next() % 50))
            let shift = Int(random.next() % 9)
            rig.core.submit(
                .quote(
                    market, bid: Quote(Price(cents: 30 + shift), 10), ask: Quote(Price(cents: 62 + shift), 10)
                ),
                strategy: 0, now: rig.now)
            for command in rig.commands() {
                spent.append(rig.now)
                costs.append(command.cost)
                rig.answer(command)
            }
            rig.drain()
        }
        rig.core.checkInvariants()
        let seconds = (rig.now - start).seconds
        let total = costs.reduce(0, +)
        #expect(Double(total) > 0.95 * (100 * seconds), "used \(total) of \(100 * seconds)")
        // Never more in any stretch than the capacity and what has refilled: the exchange's own bucket.
        var exchange = TokenBucket(RateLimits.basic.write, now: start)
        for (time, cost) in zip(spent, costs) {
            exchange.refill(to: time)
            #expect(exchange.available >= cost)
            exchange.spend(cost)
        }
        #expect(rig.core.router.lanes[0].entryCount < 2_000)
    }
}

extension VenueCommand {
    var cost: Int {
        let costs = RateLimits.Costs()
        return switch self {
        case .place: costs.place
        case .amend: costs.amend
        case .decrease: costs.decrease
        case .cancel: costs.cancel
        case .placeBatch(let orders): costs.place * orders.count
        case .cancelBatch(let orders): costs.cancel * orders.count
        case .cancelEverything: costs.cancelEverything
        }
    }
}

extension TradingRig {
    /// The venue takes a command at once, and nothing trades.
    func answer(_ command: VenueCommand) {
        switch command {
        case .place(let place): accept(place.id)
        case .placeBatch(let places): for place in places { accept(place.id) }
        case .amend(let amend):
            let filled = core.order(amend.id)!.filled
            report(
                .amended(price: amend.price, quantity: amend.quantity, remaining: amend.quantity - filled),
                amend.id)
        case .decrease(let id, _, let remaining): report(.decreased(remaining: remaining), id)
        case .cancel(let id, _): report(.cancelled(by: core.order(id)!.remaining), id)
        case .cancelBatch(let orders):
            for reference in orders {
                report(.cancelled(by: core.order(reference.order)!.remaining), reference.order)
            }
        case .cancelEverything: break
        }
    }
}
