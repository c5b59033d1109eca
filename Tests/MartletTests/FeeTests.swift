import Foundation
import Martlet
import MartletEngine
import Testing

/// Fees in `Decimal`, straight from API.md §12.
private enum FeeModel {
    static func tradeFee(rate: Decimal, multiplier: Decimal, contracts: Decimal, price: Decimal) -> Decimal {
        ceiling(rate * multiplier * contracts * price * (1 - price), places: 6)
    }
    static func ceiling(_ value: Decimal, places: Int) -> Decimal {
        var (value, result) = (value, Decimal())
        NSDecimalRound(&result, &value, places, .up)
        return result
    }
    static func floor(_ value: Decimal, unit: Decimal) -> Decimal {
        var (quotient, result) = (value / unit, Decimal())
        NSDecimalRound(&result, &quotient, 0, .down)
        return result * unit
    }
}

private func dec(_ text: String) -> Decimal { Decimal(string: text) ?? .nan }

extension Decimal {
    fileprivate init(_ money: Money) { self = Decimal(money.raw) / 100_000_000 }
}

@Suite struct FeeTests {
    @Test func everyPricePointMeetsTheModel() {
        let terms = [
            (FeeType.quadratic, dec("0.07"), Decimal(0)),
            (.quadraticWithMakerFees, dec("0.07"), dec("0.0175")),
            (.quadraticWithComboMakerFees, dec("0.07"), dec("0.035")),
        ]
        for (type, taker, maker) in terms {
            for micros in stride(from: 1_000, to: 1_000_000, by: 1_000) {
                for hundredths: Int64 in [1, 99, 100, 116, 552, 12_345, 49_231_500, 36_893_500] {
                    for (multiplier, text) in [(Int64(1_000_000), "1"), (500_000, "0.5")] {
                        for isTaker in [true, false] {
                            let fee = FeeTerms(type: type, multiplierMillionths: multiplier).tradeFee(
                                price: Price(micros: micros), quantity: Quantity(hundredths: hundredths),
                                isTaker: isTaker, at: .distantPast)
                            let model = FeeModel.tradeFee(
                                rate: isTaker ? taker : maker, multiplier: dec(text),
                                contracts: Decimal(hundredths) / 100, price: Decimal(micros) / 1_000_000)
                            if Decimal(fee) != model {
                                Issue.record("\(type) \(micros) \(hundredths): \(fee)")
                            }
                        }
                    }
                }
            }
        }
    }

    /// API.md §12's check value: revenue −0.055, model fee 0.00363825.
    @Test func workedExampleOfTheReference() {
        var order = OrderFees()
        let tradeFee = Money(micros: 3_639)
        let net = order.charge(tradeFee: tradeFee, revenue: Money(micros: -55_000), precision: .intermediated)
        #expect(net == Money(micros: 3_639 + 1_361))
        #expect(order.accumulated == Money(micros: 1_361))
    }

    /// Two fills seen in the demo environment (FIELD-NOTES, Facts): 0.07·C·P·(1−P) rounded up to $0.0001.
    @Test(arguments: [(552, 17, 54_600), (116, 16, 11_000)])
    func observedFees(_ hundredths: Int, _ cents: Int, _ micros: Int) {
        let quantity = Quantity(hundredths: Int64(hundredths))
        let price = Price(cents: cents)
        let tradeFee = FeeTerms.standard.tradeFee(
            price: price, quantity: quantity, isTaker: true, at: .distantPast)
        var order = OrderFees()
        let net = order.charge(tradeFee: tradeFee, revenue: -(price * quantity), precision: .directMember)
        #expect(net == Money(micros: Int64(micros)))
    }

    @Test func roundingComesBackOverAnOrdersFills() {
        // 1 contract at 0.50: trade fee 0.0175; cash is aligned, so nothing is rounded.
        var order = OrderFees()
        for _ in 0..<10 {
            #expect(
                order.charge(
                    tradeFee: Money(micros: 17_500), revenue: Money(cents: -50), precision: .directMember)
                    == Money(micros: 17_500))
        }
        // In whole cents each fill is rounded up by 0.0025 (0.0175 to 0.02); after four, a cent comes back.
        var fees = Money.zero
        var cents = OrderFees()
        for _ in 0..<4 {
            fees += cents.charge(
                tradeFee: Money(micros: 17_500), revenue: Money(cents: -50), precision: .intermediated)
        }
        #expect(fees == Money(cents: 7))
        #expect(cents.accumulated == .zero)
    }

    @Test(arguments: [1, 2, 3])
    func totalsStayWithinOneUnitOfTheExactFee(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for precision in [BalancePrecision.directMember, .intermediated] {
            var order = OrderFees()
            var exact = Money.zero
            var charged = Money.zero
            for _ in 0..<200 {
                let price = Price(micros: Int32.random(in: 1...9_999, using: &generator) * 100)
                let quantity = Quantity(hundredths: .random(in: 1...5_000, using: &generator))
                let fee = FeeTerms.standard.tradeFee(
                    price: price, quantity: quantity, isTaker: true, at: .distantPast)
                let revenue = -(price * quantity)
                let net = order.charge(tradeFee: fee, revenue: revenue, precision: precision)
                #expect(net >= .zero, "seed \(seed)")
                #expect(
                    (revenue - net).roundedDown(to: precision.unit) == revenue - net, "cash stays aligned")
                exact += fee
                charged += net
            }
            #expect(charged - exact == order.accumulated)
        }
    }

    @Test func bothViewsOfAFillPayTheSame() {
        for micros in stride(from: 100, to: 1_000_000, by: 7_700) {
            let price = Price(micros: micros)
            let quantity = Quantity(hundredths: 137)
            let fee = FeeTerms.standard.tradeFee(
                price: price, quantity: quantity, isTaker: true, at: .distantPast)
            var yes = OrderFees()
            var no = OrderFees()
            // Selling YES that is held brings +C·P; buying NO costs C·(1−P): the same but for whole cents.
            let a = yes.charge(tradeFee: fee, revenue: price * quantity, precision: .directMember)
            let b = no.charge(
                tradeFee: fee, revenue: -(price.complement * quantity), precision: .directMember)
            #expect(a == b)
        }
    }

    @Test func waiversAndUnknownTypes() {
        let waived = FeeTerms(type: .quadratic, waivedUntil: Timestamp(seconds: 100))
        #expect(waived.tradeFee(price: 0.5, quantity: 1, isTaker: true, at: Timestamp(seconds: 99)) == .zero)
        #expect(waived.tradeFee(price: 0.5, quantity: 1, isTaker: true, at: Timestamp(seconds: 100)) != .zero)
        #expect(FeeType(wire: "flat") == .unknown("flat"))
        #expect(FeeType.unknown("flat").rate(isTaker: false) == 350)
    }
}
