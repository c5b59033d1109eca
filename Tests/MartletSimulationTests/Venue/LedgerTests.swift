import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct LedgerTests {
    /// The fee of one fill, in decimals and from API.md §12 alone.
    /// API.md §12 in decimal arithmetic. Rate and unit as text: a literal of `Decimal` goes through `Double`, and 0.07
    /// would come out a little above itself.
    private func fee(_ contracts: Decimal, at price: Decimal, rate: String, unit: String) throws -> Decimal {
        let rate = try #require(Decimal(string: rate))
        let unit = try #require(Decimal(string: unit))
        func round(_ value: Decimal, _ scale: Int, _ mode: NSDecimalNumber.RoundingMode) -> Decimal {
            var (result, input) = (Decimal(), value)
            NSDecimalRound(&result, &input, scale, mode)
            return result
        }
        let trade = round(rate * contracts * price * (1 - price), 6, .up)
        let net = -contracts * price - trade
        let aligned = round(net / unit, 0, .down) * unit
        return trade + (net - aligned)
    }

    @Test(arguments: [("5.52", "0.17", "0.054600"), ("1.16", "0.16", "0.011000")])
    func feesSeenOnTheExchange(contracts: String, price: String, expected: String) throws {
        let arena = Arena()
        let size = try Quantity(parsing: contracts)
        let at = try Price(parsing: price)
        arena.crowd(.ask, size, at: at)
        let bought = arena.place(.bid, size, at: at).reports.fills()
        #expect(bought.map(\.fee) == [try Money(parsing: expected)])
        // The NO side of the same trade costs the same.
        let other = Arena()
        other.crowd(.bid, size, at: at)
        #expect(other.place(.ask, size, at: at).reports.fills().map(\.fee) == [try Money(parsing: expected)])
    }

    @Test func anIntermediatedMembersCheckValue() {
        // API.md §12: revenue -0.055, model fee 0.00363825: 0.003639 and 0.001361 of rounding.
        var fees = OrderFees()
        let fee = fees.charge(
            tradeFee: Money(micros: 3639), revenue: -Money(micros: 55_000), precision: .intermediated)
        #expect(fee == Money(micros: 5000) && fees.accumulated == Money(micros: 1361))
    }

    @Test func everyFirstFillCostsWhatTheDecimalModelSays() throws {
        let seed: UInt64 = 11
        var generator = SeededGenerator(seed: seed)
        for cents in 1...99 {
            let market = Market(
                ticker: "KX-T-M", fees: FeeTerms(type: .quadraticWithMakerFees))
            let arena = Arena(market: market)
            let price = Price(cents: cents)
            let size = Quantity(hundredths: Int64(1 + generator.below(50_000)))
            arena.place(.ask, size, at: price, account: 2)
            let reports = arena.place(.bid, size, at: price, account: 1).reports
            let contracts = Decimal(size.hundredths) / 100
            let dollars = Decimal(cents) / 100
            let taker = try fee(contracts, at: dollars, rate: "0.07", unit: "0.0001")
            let maker = try fee(contracts, at: 1 - dollars, rate: "0.0175", unit: "0.0001")
            #expect(Decimal(reports.fills(1)[0].fee.raw) / 100_000_000 == taker, "\(cents) \(size)")
            #expect(Decimal(reports.fills(2)[0].fee.raw) / 100_000_000 == maker, "\(cents) \(size)")
            arena.venue.checkInvariants()
        }
    }

    @Test func fieldNote17FourWaysToHoldAPosition() {
        func position(_ side: Side, at price: Price) -> (Double, Double) {
            let arena = Arena(market: Market(ticker: "KX-T-M", fees: FeeTerms(type: .none)))
            arena.crowd(side.opposite, 10, at: price)
            arena.place(side, 10, at: price)
            let held = arena.venue.position(1, arena.market)
            return (held.quantity.contracts, held.cost.dollars)
        }
        // Buy YES at 0.30; sell YES at 0.30, which is to buy NO at 0.70.
        #expect(position(.bid, at: 0.30) == (10, 3))
        #expect(position(.ask, at: 0.30) == (-10, 7))
        // Closing at a gain: bought at 0.30, sold at 0.45; sold at 0.45, bought at 0.30.
        for first in [Side.bid, .ask] {
            let arena = Arena(market: Market(ticker: "KX-T-M", fees: FeeTerms(type: .none)))
            let (opening, closing): (Price, Price) = first == .bid ? (0.30, 0.45) : (0.45, 0.30)
            arena.crowd(first.opposite, 10, at: opening)
            arena.place(first, 10, at: opening)
            arena.crowd(first.opposite, -10, at: opening)
            arena.crowd(first, 4, at: closing)
            arena.place(first.opposite, 4, at: closing)
            let held = arena.venue.position(1, arena.market)
            #expect(held.realized == Money(cents: 60))
            #expect(held.quantity.contracts == (first == .bid ? 6 : -6))
            arena.venue.checkInvariants()
        }
    }

    @Test func fieldNote24CashIsPerShard() {
        let venue = Venue()
        let now = Timestamp(seconds: 1_800_000_000)
        let weather = venue.define(Market(ticker: "KX-A-M"), at: now)
        let crypto = venue.define(Market(ticker: "KX-B-M", shard: 2), at: now)
        let account = venue.addAccount([(0, 100)])
        func place(_ id: UInt64, _ market: Market.ID) -> VenueReport.Body? {
            venue.place(
                PlaceOrder(id: OrderID(id), request: OrderRequest(.bid, 10, at: 0.5, in: market)),
                account: account, at: now)
            defer { venue.reports.removeAll() }
            return venue.reports.first?.report.body
        }
        #expect(place(1, weather) == .accepted(filled: 0, remaining: 10, end: nil))
        #expect(place(2, crypto) == .rejected(.insufficientBalance))
        #expect(!venue.transfer(96, from: 0, to: 2, account: account), "5 dollars are reserved")
        #expect(venue.transfer(20, from: 0, to: 2, account: account))
        #expect(place(3, crypto) == .accepted(filled: 0, remaining: 10, end: nil))
        #expect(venue.available(account, shard: 0) == 75)
        venue.checkInvariants()
    }

    @Test func restingOrdersReserveAndClosingOnesDoNot() {
        let arena = Arena(market: Market(ticker: "KX-T-M", fees: FeeTerms(type: .none)), cash: 100)
        let order = arena.place(.bid, 100, at: 0.60)
        #expect(arena.venue.available(1, shard: 0) == 40)
        #expect(arena.place(.ask, 100, at: 0.70).reports.rejection == nil, "0.30 a contract")
        #expect(arena.venue.available(1, shard: 0) == 10)
        #expect(arena.place(.bid, 20, at: 0.60).reports.rejection?.code == "insufficient_balance")
        arena.place(.ask, 100, at: 0.60, account: 2)
        // Now the ask closes a position and holds nothing back.
        #expect(arena.venue.order(order.id, account: 1)?.filled == 100)
        #expect(arena.venue.available(1, shard: 0) == 40)
        arena.venue.checkInvariants()
    }

    @Test func exclusiveMarketsGiveCollateralBack() {
        let venue = Venue()
        let now = Timestamp(seconds: 1_800_000_000)
        let markets = (0..<3).map {
            venue.define(
                Market(
                    ticker: "KX-E-M\($0)", fees: FeeTerms(type: .none), isMutuallyExclusive: true,
                    collateralReturn: .mutuallyExclusive), at: now)
        }
        let netting = venue.addAccount([(0, 120)], nets: true)
        let plain = venue.addAccount([(0, 100)])
        var id: UInt64 = 0
        func sell(_ market: Market.ID, _ account: Int, _ side: Side = .ask, at price: Price = 0.40) {
            id += 1
            venue.place(
                PlaceOrder(id: OrderID(id), request: OrderRequest(side, 100, at: price, in: market)),
                account: account, at: now)
        }
        for market in markets {
            _ = venue.apply(
                MarketEvent(
                    .delta, market: market, side: .bid, price: 0.40, quantity: 1000, flags: .groupEnd,
                    receiveTime: now))
        }
        // NO at 0.60 in three markets of which at most one can be YES: at least two of three pay.
        sell(markets[0], netting)
        #expect(venue.available(netting, shard: 0) == 60)
        // Each must be covered before it gives anything back.
        sell(markets[1], netting)
        #expect(venue.available(netting, shard: 0) == 100, "one of the two pays: 100 come back")
        sell(markets[2], netting)
        #expect(venue.available(netting, shard: 0) == 140)
        sell(markets[0], plain)
        sell(markets[1], plain)
        #expect(venue.reports.last?.report.body == .rejected(.insufficientBalance))
        // Taking the set apart takes the collateral back, and must be paid for.
        venue.checkInvariants()
        for market in markets { venue.settle(market, market == markets[1] ? .yes : .no, at: now) }
        #expect(venue.cash(netting) == 140)
        #expect(venue.available(netting, shard: 0) == 140)
        venue.checkInvariants()
    }
}
