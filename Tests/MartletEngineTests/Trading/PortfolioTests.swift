import Foundation
import Martlet
import Testing

@testable import MartletEngine

@Suite struct PortfolioTests {
    /// The same accounting in decimals: a long and a short side, each with its cost.
    struct SlowModel {
        var quantity = Decimal(0)
        var cost = Decimal(0)
        var realized = Decimal(0)
        var cash = Decimal(0)

        mutating func trade(_ side: Side, _ quantity: Decimal, at price: Decimal) {
            let sign: Decimal = side == .bid ? 1 : -1
            let held = self.quantity * sign
            let closing = held < 0 ? min(-held, quantity) : 0
            let opening = quantity - closing
            if closing > 0 {
                let received = closing * (side == .bid ? 1 - price : price)
                var exact = closing == -held ? cost : cost * closing / -held
                var removed = Decimal()
                NSDecimalRound(&removed, &exact, 8, .down)
                realized += received - removed
                cost -= removed
                cash += received
            }
            if opening > 0 {
                let paid = opening * (side == .bid ? price : 1 - price)
                cost += paid
                cash -= paid
            }
            self.quantity += sign * quantity
        }
    }

    static func decimal(_ money: Money) -> Decimal { Decimal(money.raw) / 100_000_000 }

    @Test func positionsMeetASlowModel() {
        var random = SeededGenerator(seed: testSeed("positionsMeetASlowModel", default: 11))
        for _ in 0..<200 {
            var position = Position()
            var cash = Money.zero
            var slow = SlowModel()
            for _ in 0..<50 {
                let side: Side = random.next() % 2 == 0 ? .bid : .ask
                let quantity = Quantity(hundredths: Int64(random.next() % 100_000) + 1)
                let price = Price(micros: Int(random.next() % 9_999 + 1) * 100)
                cash += position.trade(side, quantity, at: price)
                slow.trade(
                    side, Decimal(quantity.hundredths) / 100, at: Decimal(Int(price.micros)) / 1_000_000)
                #expect(Decimal(position.quantity.hundredths) / 100 == slow.quantity)
                #expect(Self.decimal(position.cost) == slow.cost)
                #expect(Self.decimal(position.realized) == slow.realized)
                #expect(Self.decimal(cash) == slow.cash)
                #expect(position.realized - position.cost == cash)
            }
        }
    }

    @Test func fieldNote17FourWaysToTradeAndTheirSigns() {
        // Buy yes, sell yes, buy no (an ask), sell no (a bid): position and profit.
        let rows: [(Side, Price, Side, Price, Money)] = [
            (.bid, 0.40, .ask, 0.55, Money(cents: 150)), (.bid, 0.40, .ask, 0.30, Money(cents: -100)),
            (.ask, 0.60, .bid, 0.45, Money(cents: 150)), (.ask, 0.60, .bid, 0.70, Money(cents: -100)),
        ]
        for (opening, first, closing, second, profit) in rows {
            var position = Position()
            let paid = position.trade(opening, 10, at: first)
            #expect(position.quantity.hundredths == 1000 * opening.sign)
            #expect(position.cost == -paid)
            #expect(position.averagePrice == first)
            #expect(position.unrealized(at: second) == profit)
            let received = position.trade(closing, 10, at: second)
            #expect(position.realized == profit && paid + received == profit)
            #expect(position.quantity.isZero && position.cost == .zero)
        }
    }

    @Test func aPartCloseLeavesTheRemainderOfTheCost() {
        var position = Position()
        position.trade(.bid, Quantity(hundredths: 1), at: 0.33)
        position.trade(.bid, Quantity(hundredths: 2), at: 0.34)
        #expect(position.cost == Money(raw: 1_010_000))
        position.trade(.ask, Quantity(hundredths: 1), at: 0.50)
        #expect(position.cost == Money(raw: 1_010_000 - 336_666))
        #expect(position.realized == Money(raw: 500_000 - 336_666))
    }

    @Test(arguments: [
        (MarketResult.yes, Money(dollars: 10), Money.zero), (.no, Money.zero, Money(dollars: 10)),
        (.scalar(0.25), Money(cents: 250), Money(cents: 750)),
        (.scalar(Price(micros: 333_333)), Money(cents: 333), Money(cents: 666)),
    ])
    func settlementPaysByTheResult(_ result: MarketResult, _ long: Money, _ short: Money) {
        for (side, payout) in [(Side.bid, long), (.ask, short)] {
            let rig = TradingRig()
            let market = rig.market()
            rig.hold(side, 10, at: 0.50)
            let before = rig.core.cash.total
            rig.drain()
            rig.core.settle(market, result, now: rig.now)
            rig.check()
            #expect(rig.core.cash.total - before == payout)
            #expect(rig.position().realized == payout - 5)
            #expect(rig.position().quantity.isZero)
            let told = rig.events().compactMap { if case .settlement(let told, 0) = $0 { told } else { nil } }
            #expect(told.map(\.payout) == [payout] && told.map(\.profit) == [payout - 5])
            #expect(!rig.markets.states[0].isWatched)
            // Once more changes nothing; another result is an error in the log.
            rig.core.settle(market, .no, now: rig.now)
            #expect(rig.core.cash.total - before == payout)
            #expect(rig.core.equity == 100_000 - 5 + payout)
        }
    }

    @Test func strategiesOnOppositeSidesAreFlatForTheExchange() {
        let rig = TradingRig()
        let market = rig.market()
        rig.hold(.bid, 10, at: 0.40, by: 0)
        rig.hold(.ask, 10, at: 0.50, by: 1)
        #expect(rig.core.accountPosition(market).quantity.isZero)
        #expect(rig.core.accountPosition(market).realized == 1)
        #expect(rig.core.cash.total == 100_001)
        #expect(rig.position(by: 0).cost == 4 && rig.position(by: 1).cost == 5)
        rig.core.settle(market, .yes, now: rig.now)
        rig.check()
        #expect(rig.core.cash.total == 100_001, "the exchange pays nothing for a pair")
        #expect(rig.position(by: 0).realized == 6 && rig.position(by: 1).realized == -5)
    }

    @Test func roundingOfAPayoutIsTheFirstHoldersAndSumsStayExact() {
        let rig = TradingRig()
        let market = rig.market()
        rig.hold(.bid, Quantity(hundredths: 101), at: 0.40, by: 0)
        rig.hold(.bid, Quantity(hundredths: 101), at: 0.40, by: 1)
        let cash = rig.core.cash.total
        rig.core.settle(market, .scalar(Price(micros: 333_300)), now: rig.now)
        rig.check()
        #expect(rig.core.cash.total - cash == Money(cents: 67))
        let sum = rig.position(by: 0).realized + rig.position(by: 1).realized
        #expect(rig.core.accountPosition(market).realized == sum)
    }

    @Test func aFillAfterSettlementIsPaidOutAtOnce() {
        let rig = TradingRig()
        let market = rig.market()
        let order = rig.rest(.bid, 10, at: 0.40)
        rig.core.settle(market, .yes, now: rig.now)
        rig.fill(order, 10)
        #expect(rig.position().quantity.isZero)
        #expect(rig.core.cash.total == 100_006)
    }

    @Test func restingOrdersReserveTheirCost() {
        let rig = TradingRig()
        rig.market()
        let bid = rig.rest(.bid, 10, at: 0.40)
        #expect(rig.core.availableCash() == Money(dollars: 99_996))
        let ask = rig.rest(.ask, 10, at: 0.70)
        #expect(rig.core.availableCash() == Money(dollars: 99_993))
        rig.fill(bid, 10)
        #expect(rig.core.availableCash() == Money(dollars: 99_996), "the ask sells what is held")
        rig.fill(ask, 4)
        #expect(rig.core.availableCash() == 100_000 - 4 + Money(cents: 280))
        _ = rig.rest(.ask, 10, at: 0.60)
        #expect(
            rig.core.availableCash() == 100_000 - 4 + Money(cents: 280)
                - Money(cents: 6 * 30 + 10 * 40 - 6 * 30),
            "six are covered, the cheapest ones")
    }

    @Test func collateralOfExclusiveMarketsComesBackWhenEnabled() {
        for isEnabled in [false, true] {
            var settings = TradingSettings()
            settings.returnsCollateral = isEnabled
            let rig = TradingRig(settings)
            for index in 0..<3 {
                rig.market("E\(index)", event: "E", exclusive: true, returns: .mutuallyExclusive)
            }
            for index in 0..<3 { rig.hold(.ask, 10, at: 0.40, in: Market.ID(index)) }
            // Ten NO of each of three: at least two of them pay.
            #expect(rig.core.availableCash() == Money(dollars: 99_982 + (isEnabled ? 20 : 0)))
            rig.core.settle(Market.ID(0), .no, now: rig.now)
            rig.check()
            #expect(rig.core.availableCash() == Money(dollars: 99_992 + (isEnabled ? 10 : 0)))
        }
    }

    @Test func marksFollowTheMidAndKeepTheLastOne() {
        let rig = TradingRig()
        let market = rig.market()
        rig.hold(.bid, 10, at: 0.40)
        #expect(rig.markets.states[0].isWatched)
        rig.book(market, 0.50, 0.52)
        #expect(rig.core.profit(0) == Money(cents: 110))
        rig.book(market, 0.60, nil)
        #expect(rig.core.profit(0) == Money(cents: 110))
        #expect(rig.core.equity == 100_000 + Money(cents: 110))
        rig.hold(.ask, 10, at: 0.51)
        #expect(!rig.markets.states[0].isWatched)
        #expect(rig.core.profit(0) == Money(cents: 110))
    }

    @Test func anAdoptedOrderBelongsToNoOneAndCounts() {
        let rig = TradingRig()
        let market = rig.market()
        let found = Order(
            id: OrderID(77), request: OrderRequest(.bid, 10, at: 0.40, in: market), status: .resting,
            requestTime: rig.now)
        let id = rig.core.adopt(found, strategy: nil, now: rig.now)
        rig.check()
        #expect(rig.core.availableCash() == Money(dollars: 99_996))
        #expect(rig.core.openOrders(0, market).isEmpty && rig.core.openOrderCount == 1)
        rig.fill(id, 10)
        #expect(rig.core.accountPosition(market).quantity == 10)
        #expect(rig.events().isEmpty)
        #expect(rig.core.position(rig.core.unassigned, market).quantity == 10)
    }
}
