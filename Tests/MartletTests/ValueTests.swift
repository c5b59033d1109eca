import Foundation
import Martlet
import MartletEngine
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        ("0.41", 410_000), ("0.4100", 410_000), ("0.410000", 410_000), ("0.41000000", 410_000),
        ("1", 1_000_000),
        ("0.0001", 100), ("-0.5", -500_000), ("00.5", 500_000),
    ])
    func fieldNote03_onePriceWhateverItsDecimals(_ text: String, _ micros: Int) throws {
        #expect(try Price(parsing: text) == Price(micros: micros))
    }

    @Test(arguments: ["", ".", "-", "1.", ".5", "+1", "1e3", "NaN", "0,5", "1.2.3", " 1", "１"])
    func malformedDecimalsAreRefused(_ text: String) {
        #expect(throws: FixedPoint.ParseError.self) { try Price(parsing: text) }
    }

    @Test func digitsThatDoNotFitAreRefusedNeverRounded() {
        #expect(throws: FixedPoint.ParseError.tooPrecise("0.0000001", decimals: 6)) {
            try Price(parsing: "0.0000001")
        }
        #expect(throws: FixedPoint.ParseError.outOfRange("99999999999999999999")) {
            try Quantity(parsing: "99999999999999999999")
        }
        #expect(throws: FixedPoint.ParseError.outOfRange("9000")) { try Price(parsing: "9000") }
    }

    @Test(arguments: [1, 2]) func textRoundTrips(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let money = Money(raw: .random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator))
            #expect(try Money(parsing: money.description) == money)
            let quantity = Quantity(hundredths: .random(in: -1_000_000...1_000_000, using: &generator))
            #expect(try Quantity(parsing: quantity.description) == quantity)
            let price = Price(micros: Int32.random(in: -2_000_000...2_000_000, using: &generator))
            #expect(try Price(parsing: price.description) == price)
        }
        #expect(Price(cents: 56).description == "0.5600")
        #expect(Price(micros: Int32(123_456)).description == "0.123456")
        #expect(Quantity(hundredths: -4).description == "-0.04")
        #expect(Money(raw: -1).description == "-0.00000001")
        #expect(Money(raw: -1_250_000_000).display == "-$12.50")
        #expect(Money(raw: -499_999).display == "$0.00")
    }

    @Test func priceTimesQuantityIsExact() {
        #expect(Price(micros: Int32(123_456)) * Quantity(hundredths: 789) == Money(raw: 123_456 * 789))
        #expect(Price(cents: 50) * Quantity(10) == 5)
    }

    @Test func roundingDownGoesTowardMinusInfinity() {
        let cent = Money(cents: 1)
        #expect(Money(raw: 1_999_999).roundedDown(to: cent) == cent)
        #expect(Money(raw: -1).roundedDown(to: cent) == -cent)
        #expect(Money(raw: -1_000_000).roundedDown(to: cent) == -cent)
        #expect(Money(raw: 1).roundedUp(to: cent) == cent)
        #expect(Money(raw: -1).roundedUp(to: cent) == .zero)
    }

    @Test(arguments: [
        ("2026-05-11T12:17:32.135884Z", 1_778_501_852_135_884_000),
        ("2025-08-12T21:00:32.539836022Z", 1_755_032_432_539_836_022),
        ("2026-07-17T12:22:38.674100+00:00", 1_784_290_958_674_100_000),
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("2024-02-29T23:30:00-01:30", 1_709_254_800_000_000_000),
    ])
    func timesAreRead(_ text: String, _ nanoseconds: Int) {
        #expect(Timestamp(rfc3339: text)?.nanoseconds == Int64(nanoseconds))
    }

    @Test(arguments: [
        "", "2026-05-11", "2026-05-11T12:17:32", "2026-13-11T12:17:32Z", "2026-05-11T12:17:32.Z", "x",
    ])
    func badTimesAreRefused(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func timesRoundTrip() {
        for nanoseconds: Int64 in [
            0, -1, 1_778_501_852_135_884_001, 951_782_400_000_000_000, -5_000_000_000_000,
        ] {
            let time = Timestamp(nanoseconds: nanoseconds)
            #expect(Timestamp(rfc3339: time.description) == time)
        }
        #expect(Timestamp(milliseconds: 1_778_501_852_135).description == "2026-05-11T12:17:32.135Z")
    }

    @Test func valuesDecodeFromPlainNumbers() throws {
        struct Sample: Codable, Equatable {
            var price: Price = 0.07
            var size: Quantity = 10
            var cash: Money = 1000
            var wait: TimeSpan = .milliseconds(1500)
        }
        let json = #"{"price":0.07,"size":"2.5","cash":12.34,"wait":0.25}"#
        let sample = try JSONDecoder().decode(Sample.self, from: Data(json.utf8))
        #expect(sample.price == Price(cents: 7))
        #expect(sample.size == Quantity(hundredths: 250))
        #expect(sample.cash == Money(cents: 1234))
        #expect(sample.wait == .milliseconds(250))
        let again = try JSONDecoder().decode(Sample.self, from: JSONEncoder().encode(Sample()))
        #expect(again == Sample())
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                Sample.self, from: Data(#"{"price":0.00000001,"size":1,"cash":1,"wait":1}"#.utf8))
        }
    }
}
