import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct LedgerTests {
    /// The fee of an order's first fill, in decimals and from API.md §12 alone. Every constant is parsed from its
    /// text: `0.0175` as a literal passes through `Double` and is a little more than itself.
    private func fee(_ contracts: Decimal, at price: Decimal, rate: String) throws -> Decimal {
        func round(_ value: Decimal, _ scale: Int, _ mode: NSDecimalNumber.RoundingMode) -> Decimal {
            var (result, input) = (Decimal(), value)
            NSDecimalRound(&result, &input, scale, mode)
            return result
        }
        let rate = try #require(Decimal(string: rate))
        let trade = round(rate * contracts * price * (1 - price), 6, .up)
        // What is paid, rounded away from the member to whole ten-thousandths: the first fill has no rebate, for
        // its rounding is below one unit.
        let paid = round(contracts * price + trade, 4, .up)
        return paid - contracts * price
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
            let taker = try fee(contracts, at: dollars, rate: "0.07")
            let maker = try fee(contracts, at: 1 - dollars, rate: "0.0175")
            #expect(Decimal(reports.fills(1)[0].fee.raw) / 100_000_000 == taker, "\(cents) \(size)")
            #expect(Decimal(reports.fills(2)[0].fee.raw) / 100_000_000 == maker, "\(cents) \(size)")
            arena.venue.checkInvariants()
        }
    }

    /// Reckoned by hand from API.md §12, in dollars:
    ///
    /// - 48 at 0.70: 0.07·48·0.7·0.3 = 0.7056 for the taker, 0.0175·… = 0.1764 for the maker. Both are whole
    ///   ten-thousandths, and so is 33.60: nothing is rounded.
    /// - 1.16 at 0.16: model 0.01091328, trade fee 0.010914; revenue −0.1856, less the fee −0.196514, aligned
    ///   −0.1966, rounding 0.000086: 0.011 in all. The maker: 0.00272832, 0.002729; revenue −1.16·0.84 = −0.9744,
    ///   −0.977129, aligned −0.9772, rounding 0.000071: 0.0028.
    /// - 0.01 at 0.01: model 0.00000693, trade fee 0.000007; revenue −0.0001, −0.000107, aligned −0.0002,
    ///   rounding 0.000093: 0.0001. The maker: 0.0000017325, 0.000002; revenue −0.0099, −0.009902, aligned −0.01,
    ///   rounding 0.000098: 0.0001.
    @Test(arguments: [
        ("48", "0.70", "0.7056", "0.1764"), ("1.16", "0.16", "0.011", "0.0028"),
        ("0.01", "0.01", "0.0001", "0.0001"),
    ])
    func feesReckonedByHand(contracts: String, price: String, taker: String, maker: String) throws {
        let arena = Arena(market: Market(ticker: "KX-T-M", fees: FeeTerms(type: .quadraticWithMakerFees)))
        let (size, at) = (try Quantity(parsing: contracts), try Price(parsing: price))
        arena.place(.ask, size, at: at, account: 2)
        let reports = arena.place(.bid, size, at: at, account: 1).reports
        #expect(reports.fills(1).map(\.fee) == [try Money(parsing: taker)])
        #expect(reports.fills(2).map(\.fee) == [try Money(parsing: maker)])
    }

    /// One bid, filled as taker and then twice as maker: the rounding of all three goes into the order's own
    /// account. 0.53 contracts at 0.50 each, by hand:
    ///
    /// - taker: 0.07·0.53·0.25 = 0.009275; revenue −0.265; −0.274275 → −0.2743: rounding 0.000025, fee 0.0093.
    /// - maker: 0.00231875 → 0.002319; −0.267319 → −0.2674: rounding 0.000081, account 0.000106: 0.0001 comes
    ///   back and 0.000006 stays; fee 0.002319 + 0.000081 − 0.0001 = 0.0023.
    /// - maker: the same rounding, account 0.000087: nothing comes back; fee 0.0024.
    @Test func theRoundingOfAllAnOrdersFillsIsOneAccount() throws {
        let arena = Arena(market: Market(ticker: "KX-T-M", fees: FeeTerms(type: .quadraticWithMakerFees)))
        let part = Quantity(hundredths: 53)
        arena.place(.ask, part, at: 0.50, account: 2)
        var reports = arena.place(.bid, Quantity(hundredths: 159), at: 0.50, account: 1).reports
        for _ in 0..<2 { reports += arena.place(.ask, part, at: 0.50, account: 2).reports }
        #expect(reports.fills(1).map(\.isTaker) == [true, false, false])
        #expect(
            reports.fills(1).map(\.fee) == [
                try Money(parsing: "0.0093"), try Money(parsing: "0.0023"), try Money(parsing: "0.0024"),
            ])
        arena.venue.checkInvariants()
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

    /// The return comes with the position, not before it: an order needs its whole cost from what is available
    /// when it arrives. API.md §8 says no more than that netting frees collateral; the engine's gate judges alike.
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
        let plain = venue.addAccount([(0, 120)])
        var id: UInt64 = 0
        func trade(_ side: Side, _ market: Market.ID, _ account: Int, at price: Price = 0.40)
            -> VenueReport.Body?
        {
            id += 1
            venue.place(
                PlaceOrder(id: OrderID(id), request: OrderRequest(side, 100, at: price, in: market)),
                account: account, at: now)
            defer { venue.reports.removeAll() }
            return venue.reports.first?.report.body
        }
        for market in markets {
            _ = venue.apply(
                MarketEvent(
                    .delta, market: market, side: .bid, price: 0.40, quantity: 1000, flags: .groupEnd,
                    receiveTime: now))
        }
        let filled = VenueReport.Body.accepted(filled: 100, remaining: 0, end: nil)
        // NO at 0.60 in three markets of which at most one can be YES: at least two of three pay.
        #expect(trade(.ask, markets[0], netting) == filled)
        #expect(venue.available(netting, shard: 0) == 60)
        #expect(trade(.ask, markets[1], netting) == filled)
        #expect(venue.available(netting, shard: 0) == 100, "one of the two pays: 100 come back")
        #expect(trade(.ask, markets[2], netting) == filled)
        #expect(venue.available(netting, shard: 0) == 140)
        // To close one leg at 0.95 brings 5 and takes 100 of the return back: 45 would be left, and is enough.
        #expect(trade(.bid, markets[2], netting, at: 0.95) == .accepted(filled: 0, remaining: 100, end: nil))
        venue.cancel(OrderID(id), market: markets[2], account: netting, at: now)
        venue.reports.removeAll()
        #expect(trade(.ask, markets[0], plain) == filled)
        #expect(trade(.ask, markets[1], plain) == filled)
        #expect(venue.available(plain, shard: 0) == 0)
        #expect(trade(.ask, markets[2], plain) == .rejected(.insufficientBalance))
        venue.checkInvariants()
        for market in markets { venue.settle(market, market == markets[1] ? .yes : .no, at: now) }
        #expect(venue.cash(netting) == 140)
        #expect(venue.available(netting, shard: 0) == 140)
        venue.checkInvariants()
    }

    /// The return that an order's own fill would bring does not pay for it.
    @Test func theReturnComesAfterTheFill() {
        let venue = Venue()
        let now = Timestamp(seconds: 1_800_000_000)
        let markets = (0..<2).map {
            venue.define(
                Market(
                    ticker: "KX-E-M\($0)", fees: FeeTerms(type: .none), isMutuallyExclusive: true,
                    collateralReturn: .mutuallyExclusive), at: now)
        }
        let account = venue.addAccount([(0, 100)], nets: true)
        for (index, market) in markets.enumerated() {
            _ = venue.apply(
                MarketEvent(
                    .delta, market: market, side: .bid, price: 0.40, quantity: 1000, flags: .groupEnd,
                    receiveTime: now))
            venue.place(
                PlaceOrder(
                    id: OrderID(UInt64(index + 1)), request: OrderRequest(.ask, 100, at: 0.40, in: market)),
                account: account, at: now)
        }
        #expect(venue.available(account, shard: 0) == 40)
        #expect(venue.reports.last?.report.body == .rejected(.insufficientBalance))
    }
}
