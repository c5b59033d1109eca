import Martlet
import Testing

@testable import MartletEngine

/// Each rule of the gate on both sides of its limit, for the strategy and for the account.
@Suite struct RiskRuleTests {
    static let open = RiskLimits.unlimited

    /// A rig whose strategies, or whose account, has a limit.
    static func rigs(_ change: (inout RiskLimits) -> Void) -> [TradingRig] {
        [true, false].map { isStrategy in
            var settings = TradingSettings()
            settings.strategyLimits = open
            settings.accountLimits = open
            if isStrategy { change(&settings.strategyLimits) } else { change(&settings.accountLimits) }
            let rig = TradingRig(settings)
            rig.market()
            return rig
        }
    }

    @Test func orderSize() {
        for rig in Self.rigs({ $0.maxOrderSize = 10 }) {
            #expect(rig.refusal(rig.place(.bid, 10, at: 0.40)) == nil)
            let refused = rig.place(.bid, Quantity(hundredths: 1001), at: 0.40)
            #expect(rig.refusal(refused) == .orderSize)
            guard case .refused(let refusal) = rig.status(refused) else { return }
            #expect(refusal.description == "orderSize: 10.01 against 10.00")
        }
    }

    @Test func priceCollarOnBothSides() {
        for rig in Self.rigs({ $0.priceCollar = 0.05 }) {
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.65)) == nil)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.66)) == .priceCollar)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.01)) == nil, "passive prices harm nobody")
        }
        for rig in Self.rigs({ $0.priceCollar = 0.05 }) {
            #expect(rig.refusal(rig.place(.ask, 1, at: 0.35)) == nil)
            #expect(rig.refusal(rig.place(.ask, 1, at: 0.34)) == .priceCollar)
        }
        for rig in Self.rigs({ $0.priceCollar = 0.05 }) {
            rig.book(Market.ID(0), 0.40, nil)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.45)) == nil)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.46)) == .priceCollar)
        }
    }

    @Test func fieldNote23NoOrderWithoutAValidSide() {
        for rig in Self.rigs({ $0.allowsEmptyBook = false }) {
            rig.book(Market.ID(0), nil, nil)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .priceCollar)
        }
        for price in [Price.zero, .one, Price(micros: -100)] {
            let rig = Self.rigs { _ in }[0]
            #expect(rig.refusal(rig.place(.bid, 1, at: price)) == .invalidOrder)
        }
    }

    @Test func marketPositionCountsEverythingOfOneSide() {
        for rig in Self.rigs({ $0.maxMarketPosition = 30 }) {
            rig.hold(.bid, 10, at: 0.40)
            _ = rig.rest(.bid, 10, at: 0.40)
            #expect(rig.refusal(rig.place(.bid, Quantity(hundredths: 1001), at: 0.40)) == .marketPosition)
            #expect(rig.refusal(rig.place(.bid, 10, at: 0.40)) == nil)
            #expect(
                rig.refusal(rig.place(.ask, 40, at: 0.60)) == nil, "ten long and forty asked: thirty short")
            #expect(rig.refusal(rig.place(.ask, Quantity(hundredths: 1), at: 0.60)) == .marketPosition)
        }
    }

    @Test func aLimitThatIsAlreadyPassedLetsReducingOrdersThrough() {
        for rig in Self.rigs({ $0.maxMarketPosition = 10 }) {
            let order = rig.rest(.bid, 10, at: 0.40)
            rig.fill(order, 40)  // more than was ordered: the exchange's word is booked
            #expect(rig.position().quantity == 40)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .marketPosition)
            #expect(rig.refusal(rig.place(.ask, 40, at: 0.60)) == nil)
        }
    }

    @Test func eventAndTotalPosition() {
        for (rule, change) in [
            (RiskRule.eventPosition, { (limits: inout RiskLimits) in limits.maxEventPosition = 20 }),
            (RiskRule.totalPosition, { (limits: inout RiskLimits) in limits.maxTotalPosition = 20 }),
        ] {
            for rig in Self.rigs(change) {
                let second = rig.market("M2", event: "M")
                let other = rig.market("N")
                rig.hold(.bid, 10, at: 0.40)
                #expect(
                    rig.refusal(rig.place(.ask, Quantity(hundredths: 1001), at: 0.60, in: second)) == rule)
                #expect(rig.refusal(rig.place(.ask, 10, at: 0.60, in: second)) == nil)
                let elsewhere = rig.place(.bid, 10, at: 0.40, in: other)
                #expect(rig.refusal(elsewhere) == (rule == .totalPosition ? .totalPosition : nil))
            }
        }
    }

    @Test func marketLossCountsTheWorstOutcome() {
        for rig in Self.rigs({ $0.maxMarketLoss = 10 }) {
            rig.hold(.bid, 10, at: 0.40)  // loses 4 if no
            #expect(rig.refusal(rig.place(.bid, 16, at: 0.40)) == .marketLoss)
            #expect(rig.refusal(rig.place(.bid, 15, at: 0.40)) == nil)
            // If yes, ten long at 0.40 win six: asks may lose sixteen.
            #expect(rig.refusal(rig.place(.ask, 41, at: 0.60)) == .marketLoss)
            #expect(rig.refusal(rig.place(.ask, 40, at: 0.60)) == nil)
        }
    }

    @Test(arguments: [true, false])
    func eventLossByScenario(_ isExclusive: Bool) {
        for rig in Self.rigs({ $0.maxEventLoss = 10 }) {
            let markets = (0..<3).map {
                rig.market("E\($0)", event: "E", exclusive: isExclusive)
            }
            // Selling each of three exclusive outcomes: one can win at most.
            rig.hold(.ask, 10, at: 0.40, in: markets[0])
            // If it wins six are lost; if not, four are won.
            let second = rig.place(.ask, 10, at: 0.40, in: markets[1])
            #expect(rig.refusal(second) == (isExclusive ? nil : .eventLoss))
            guard isExclusive else { return }
            rig.fill(second, 10)
            rig.hold(.ask, 10, at: 0.40, in: markets[2])
            #expect(rig.core.portfolios[0].worstLoss == .zero, "6 lost against twice 4 won")
            #expect(rig.refusal(rig.place(.ask, 20, at: 0.40, in: markets[0])) == nil)
            #expect(rig.refusal(rig.place(.ask, 3, at: 0.40, in: markets[0])) == .eventLoss)
        }
    }

    @Test func totalLossSumsEvents() {
        for rig in Self.rigs({ $0.maxTotalLoss = 8 }) {
            let other = rig.market("N")
            rig.hold(.bid, 10, at: 0.40)
            #expect(
                rig.refusal(rig.place(.bid, Quantity(hundredths: 1001), at: 0.40, in: other)) == .totalLoss)
            #expect(rig.refusal(rig.place(.bid, 10, at: 0.40, in: other)) == nil)
        }
    }

    @Test func openOrdersAndOrderRate() {
        for rig in Self.rigs({ $0.maxOpenOrders = 2 }) {
            let first = rig.rest(.bid, 1, at: 0.40)
            _ = rig.rest(.bid, 1, at: 0.40)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .openOrders)
            rig.submit(.cancel(first))
            rig.report(.cancelled(by: 1), first)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == nil)
        }
        for rig in Self.rigs({ $0.maxOrdersPerSecond = 2 }) {
            _ = rig.rest(.bid, 1, at: 0.40)
            rig.wait(.milliseconds(600))
            let second = rig.rest(.bid, 1, at: 0.40)
            rig.wait(.milliseconds(399))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .orderRate)
            rig.drain()
            rig.submit(.cancel(second))
            #expect(rig.commands().count == 1, "cancels always pass")
            rig.wait(.milliseconds(1))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == nil)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .orderRate)
        }
    }

    @Test func selfCrossBetweenStrategies() {
        let rig = Self.rigs { _ in }[0]
        _ = rig.rest(.ask, 5, at: 0.50, by: 1)
        #expect(rig.refusal(rig.place(.bid, 5, at: 0.50, by: 0)) == .selfCross)
        #expect(rig.refusal(rig.place(.bid, 5, at: 0.49, by: 0)) == nil)
        #expect(rig.refusal(rig.place(.ask, 5, at: 0.49, by: 0)) == .selfCross)
    }

    @Test func booksThatCannotBeTrusted() {
        let rig = Self.rigs { _ in }[0]
        let market = Market.ID(0)
        rig.markets.setFault(market, .gap)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .staleBook)
        rig.book(market, 0.40, 0.60)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == nil)
        // Judged at the end of its group, which sets the fault: within one it is crossed for moments.
        rig.book(market, 0.40, 0.40)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.30)) == nil)
        rig.markets.setFault(market, .crossed)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.30)) == .crossedBook)
        for rig in Self.rigs({ $0.maxBookAge = .seconds(10) }) {
            rig.wait(.seconds(10))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == nil)
            rig.wait(.nanoseconds(1))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .staleBook)
        }
    }

    @Test func marketsThatAreNotOpen() {
        for rig in Self.rigs({ $0.closeMargin = .seconds(5) }) {
            let market = rig.market("C", close: rig.now + .seconds(10))
            rig.wait(.seconds(5))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40, in: market)) == nil)
            rig.wait(.nanoseconds(1))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40, in: market)) == .nearClose)
            rig.wait(.seconds(5))
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40, in: market)) == .marketNotOpen)
        }
        let rig = Self.rigs { _ in }[0]
        for status in [MarketStatus.inactive, .closed, .unknown("new_word")] {
            rig.markets.setStatus(Market.ID(0), status)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .marketNotOpen)
        }
    }

    @Test func pricesOffTheGrid() {
        let rig = Self.rigs { _ in }[0]
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.405)) == .offGrid)
        let fine = rig.market("F", grid: PriceGrid.labelled("tapered_deci_cent")!)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.405, in: fine)) == .offGrid)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.045, in: fine)) == nil)
    }

    @Test func fieldNote24BalanceIsAShardsOwn() {
        var settings = TradingSettings()
        settings.strategyLimits = Self.open
        settings.accountLimits = Self.open
        settings.startingCash = 1_000
        settings.startingCashOnShards = [ShardCash(shard: 2, cash: 4)]
        let rig = TradingRig(settings)
        rig.market("A")
        let poor = rig.market("B", shard: 2)
        #expect(rig.refusal(rig.place(.bid, Quantity(hundredths: 1001), at: 0.40, in: poor)) == .balance)
        #expect(rig.refusal(rig.place(.bid, 10, at: 0.40, in: poor)) == nil)
        #expect(rig.core.availableCash(2) == .zero)
        #expect(rig.core.availableCash(0) == 1_000)
    }

    @Test func balanceCountsFeesAndWhatThePositionCovers() {
        var settings = TradingSettings()
        settings.strategyLimits = Self.open
        settings.accountLimits = Self.open
        settings.startingCash = Money(cents: 6_00 + 16)
        let rig = TradingRig(settings)
        rig.market(fees: FeeTerms(type: .quadratic))
        // Ten at 0.60 cost 6.00 and 0.168 in fees.
        #expect(rig.refusal(rig.place(.bid, 10, at: 0.60)) == .balance)
        rig.core.setBalance(shard: nil, Money(micros: 6_168_000), now: rig.now)
        let order = rig.place(.bid, 10, at: 0.60)
        #expect(rig.refusal(order) == nil)
        rig.fill(order, 10, fee: Money(micros: 168_000))
        #expect(rig.core.availableCash() == .zero)
        #expect(rig.refusal(rig.place(.ask, Quantity(hundredths: 1001), at: 0.61)) == .balance)
        #expect(rig.refusal(rig.place(.ask, 10, at: 0.61)) == nil, "what is held needs no collateral")
    }

    @Test func dailyLossHaltsAndCancelsEverything() {
        for rig in Self.rigs({ $0.maxDailyLoss = 1 }) {
            rig.book(Market.ID(0), 0.60, 0.62)
            rig.hold(.bid, 10, at: 0.60)
            let resting = rig.rest(.bid, 10, at: 0.30)
            rig.book(Market.ID(0), 0.50, 0.51)
            #expect(rig.core.riskState(0) == .active, "0.95 lost")
            rig.drain()
            rig.book(Market.ID(0), 0.49, 0.51)
            #expect(rig.core.riskState(0) == .halted)
            #expect(rig.commands() == [.cancel(resting, market: Market.ID(0))])
            let news = rig.events().compactMap { if case .risk(let state, _, _) = $0 { state } else { nil } }
            #expect(news == [.halted])
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .halted)
            rig.core.command(.resume, now: rig.now)
            #expect(rig.core.riskState(0) == .active)
            #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == nil)
        }
    }

    @Test func aNewDayForgetsTheOldDaysLossAndNotTheHalt() {
        var settings = TradingSettings()
        settings.strategyLimits.maxDailyLoss = 1
        settings.accountLimits.dayStartHour = 5
        let rig = TradingRig(settings)
        rig.market()
        rig.now = Timestamp(rfc3339: "2026-11-23T04:59:59Z")!
        rig.core.advance(to: rig.now)
        rig.book(Market.ID(0), 0.60, 0.62)
        rig.hold(.bid, 10, at: 0.60)
        rig.book(Market.ID(0), 0.50, 0.51)
        rig.wait(.seconds(1))
        rig.book(Market.ID(0), 0.42, 0.43)
        #expect(rig.core.riskState(0) == .active, "0.95 yesterday, 0.80 today")
        rig.book(Market.ID(0), 0.40, 0.41)
        #expect(rig.core.riskState(0) == .halted)
        rig.wait(.hours(24))
        #expect(rig.core.riskState(0) == .halted)
    }

    @Test func reduceOnlyLetsOnlyReducingOrdersThrough() {
        let rig = Self.rigs { _ in }[0]
        rig.hold(.bid, 10, at: 0.40)
        rig.core.command(.reduceOnly(reason: "test"), now: rig.now)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.40)) == .reduceOnly)
        #expect(rig.refusal(rig.place(.ask, 6, at: 0.60)) == nil)
        let last = rig.place(.ask, 5, at: 0.60)
        #expect(rig.refusal(last) == nil)
        #expect(
            rig.core.order(last)?.quantity == 4, "eleven would turn the position: it is cut to what closes it"
        )
        #expect(rig.refusal(rig.place(.ask, 4, at: 0.60)) == .reduceOnly)
        #expect(rig.refusal(rig.place(.bid, 1, at: 0.40, by: 1)) == .reduceOnly)
    }

    @Test func reduceOnlyCutsAQuoteToThePosition() {
        let rig = Self.rigs { _ in }[0]
        rig.hold(.ask, 7, at: 0.60)
        rig.core.command(.reduceOnly(reason: "test"), now: rig.now)
        rig.quote(Quote(0.40, 20), Quote(0.60, 20))
        rig.drain()
        let open = rig.core.openOrders()
        #expect(open.map(\.side) == [.bid] && open.map(\.quantity) == [7])
        // Asked again, the same order still stands.
        rig.quote(Quote(0.40, 20), nil)
        rig.drain()
        #expect(rig.core.openOrders().map(\.id) == open.map(\.id))
    }

    @Test func fieldNote22AHaltCancelsWhateverStateOrdersAreIn() {
        var settings = TradingSettings()
        settings.router.cancelReserve = 0
        let rig = TradingRig(settings, limits: .basic)
        let market = rig.market()
        let resting = rig.rest(.bid, 1, at: 0.30)
        let amending = rig.rest(.bid, 1, at: 0.31)
        rig.submit(.amend(amending, price: 0.32, quantity: 1))
        let inFlight = rig.place(.bid, 1, at: 0.33)
        let lost = rig.place(.bid, 1, at: 0.34)
        rig.report(.unknown(.place), lost)
        let queued = rig.place(.bid, 1, at: 0.35)
        rig.quote(nil, Quote(0.70, 5))
        rig.drain()
        rig.core.command(.halt(reason: "test"), now: rig.now)
        rig.check()
        #expect(rig.status(queued) == .withdrawn)
        #expect(rig.commands() == [.cancel(resting, market: market)])
        rig.report(.amended(price: 0.32, quantity: 1, remaining: 1), amending)
        rig.accept(inFlight)
        rig.report(.state(OrderState(status: .resting, price: 0.34, filled: 0, remaining: 1)), lost)
        #expect(Set(rig.commands()) == Set([amending, inFlight, lost].map { .cancel($0, market: market) }))
        // A cancel that is refused, or whose answer is lost, is tried again until the order is gone.
        rig.report(.changeRejected(.cancel, VenueRejection(status: 400, code: "exchange_paused")), resting)
        rig.report(.unknown(.cancel), amending)
        rig.drain()
        rig.wait(.seconds(1))
        #expect(Set(rig.commands()) == Set([resting, amending].map { .cancel($0, market: market) }))
        for order in [resting, amending, inFlight, lost] { rig.report(.cancelled(by: 1), order) }
        rig.wait(.seconds(1))
        #expect(rig.core.openOrderCount == 0)
        #expect(rig.core.nextWake == nil)
        #expect(rig.commands().isEmpty)
    }

    @Test func amendsAreJudgedToo() {
        for rig in Self.rigs({ $0.maxMarketPosition = 10 }) {
            let order = rig.rest(.bid, 5, at: 0.40)
            rig.submit(.amend(order, price: 0.40, quantity: 11))
            let refusals = rig.records().compactMap {
                if case .refused(let id, let refusal, _) = $0 { (id, refusal.rule) } else { nil }
            }
            #expect(refusals.count == 1 && refusals[0] == (order, .marketPosition))
            #expect(rig.core.order(order)?.quantity == 5)
            rig.submit(.amend(order, price: 0.41, quantity: 10))
            #expect(rig.core.order(order)?.isChanging == true)
            #expect(rig.core.refusalCounts.first { $0.rule == .marketPosition }?.count == 1)
        }
    }

    @Test func invalidOrdersAreRefusedAndNothingCrashes() {
        let rig = Self.rigs { _ in }[0]
        let cases: [(inout OrderRequest) -> Void] = [
            { $0.quantity = 0 }, { $0.quantity = -5 }, { $0.quantity = Quantity(hundredths: .max) },
            { $0.price = Price(micros: Int32.max) }, { $0.isReduceOnly = true },
            {
                $0.isPostOnly = true; $0.timeInForce = .fillOrKill
            }, { $0.timeInForce = .goodTill(.distantPast) },
            { $0.market = Market.ID(77) },
        ]
        for change in cases { #expect(rig.refusal(rig.place(.bid, 1, at: 0.40, change)) == .invalidOrder) }
        rig.submit(.cancel(OrderID(12345)))
        rig.submit(.amend(OrderID(12345), price: 0.40, quantity: 1))
        rig.submit(.quote(Market.ID(77), bid: Quote(0.40, 1), ask: nil))
        rig.submit(.cancelAll(Market.ID(77)))
    }

    @Test func settingsOverlayKnowsEveryKey() throws {
        let keys = try JSONTree.keys(of: TradingSettings()) ?? []
        for key in ["startingCash", "strategyLimits.maxDailyLoss", "router.cancelReserve", "payoutRounding"] {
            #expect(keys.contains(key))
        }
    }
}
