import Martlet
import Testing

@testable import MartletEngine

/// Not a timed test: prints what an order costs when MARTLET_MEASURE is set, and checks that the work was done.
@Suite struct CorePerformance {
    @Test(.enabled(if: Environment.measures))
    func placeFillAndCancel() {
        let rig = TradingRig(strategies: ["one"])
        for index in 0..<10 { rig.market("M\(index)") }
        rig.checks = false
        let core = rig.core
        let rounds = 200_000
        let clock = ContinuousClock()
        let place = clock.measure {
            for round in 0..<rounds {
                rig.now = rig.now + .milliseconds(10)
                let market = Market.ID(round % 10)
                let id = core.nextOrderID()
                core.submit(
                    .place(id, OrderRequest(.bid, 10, at: 0.40, in: market)), strategy: 0, now: rig.now)
                core.handle(
                    VenueReport(
                        .accepted(filled: .zero, remaining: 10, end: nil), order: id, market: market,
                        exchangeTime: rig.now), now: rig.now)
                core.submit(.cancel(id), strategy: 0, now: rig.now)
                core.handle(
                    VenueReport(.cancelled(by: 10), order: id, market: market, exchangeTime: rig.now),
                    now: rig.now)
                core.commands.removeAll()
                core.events.removeAll()
            }
        }
        print("place, accept, cancel, done: \(place / rounds)")
        let fill = clock.measure {
            for round in 0..<rounds {
                rig.now = rig.now + .milliseconds(10)
                let market = Market.ID(round % 10)
                let id = core.nextOrderID()
                let side: Side = round / 10 % 2 == 0 ? .bid : .ask
                core.submit(
                    .place(id, OrderRequest(side, 10, at: 0.40, in: market)), strategy: 0, now: rig.now)
                core.handle(
                    VenueReport(
                        .filled(
                            Fill(
                                tradeID: "\(round)", order: id, market: market, side: side, price: 0.40,
                                quantity: 10, isTaker: true, fee: .zero, exchangeTime: rig.now)), order: id,
                        market: market, exchangeTime: rig.now), now: rig.now)
                core.commands.removeAll()
                core.events.removeAll()
            }
        }
        print("place, fill: \(fill / rounds)")
        let moved = clock.measure {
            for round in 0..<rounds { core.marketMoved(Market.ID(round % 10), now: rig.now) }
        }
        print("market moved, mid unchanged: \(moved / rounds)")
        #expect(core.openOrderCount == 0)
        #expect(core.router.statistics.places == 2 * rounds)
    }
}
