import Martlet
import Testing

@testable import MartletReport

@Suite struct ShowTests {
    let show = Show.terminal

    @Test func money() {
        #expect(show.money(Money(raw: 123_456_789_012)) == "$1,234.57")
        #expect(show.money(Money(cents: -5)) == "-$0.05")
        #expect(show.money(Money(raw: -1)) == "$0.00")
        #expect(show.money(Money(cents: 5), plus: true) == "+$0.05")
        #expect(show.money(Money(raw: 36_390), decimals: 4) == "$0.0004")
        #expect(show.money(Money(dollars: 1_000_000)) == "$1,000,000.00")
        #expect(Show.page.money(Money(cents: -5)) == "\u{2212}$0.05")
        #expect(show.money(Money(raw: .max)) == "$92,233,720,368.55")
    }

    @Test func countsAndShares() {
        #expect(show.count(0) == "0" && show.count(999) == "999" && show.count(-1_234_567) == "-1,234,567")
        #expect(show.contracts(Quantity(hundredths: 123_456)) == "1,234.56")
        #expect(show.contracts(1200) == "1,200")
        #expect(show.percent(0.1234) == "12.3 %")
        #expect(show.price(0.5) == "0.50" && show.price(0.1234) == "0.1234")
        #expect(show.number(-0.001, decimals: 2) == "0.00" && show.number(.nan, decimals: 1) == "n/a")
        #expect(show.count(1, "error") == "1 error" && show.count(2, "error") == "2 errors")
    }

    @Test func spans() {
        #expect(show.span(.zero) == "0 s")
        #expect(show.span(.milliseconds(850)) == "850 ms")
        #expect(show.span(.microseconds(1500)) == "1.5 ms")
        #expect(show.span(.seconds(30)) == "30 s")
        #expect(show.span(.milliseconds(12_340)) == "12.3 s")
        #expect(show.span(.seconds(250)) == "4 min 10 s")
        #expect(show.span(.minutes(390)) == "6 h 30 min")
        #expect(show.span(.hours(51)) == "2 d 3 h")
        #expect(show.span(.seconds(-90)) == "-1 min 30 s")
    }

    @Test func times() {
        let time = Timestamp(seconds: 1_793_626_200)
        #expect(show.time(time) == "2026-11-02 13:30:00" && show.clock(time) == "13:30:00")
        #expect(show.time(.unknown) == "n/a")
        #expect(show.period(time, time + .hours(1)) == "2026-11-02 13:30:00 to 14:30:00 UTC")
    }

    @Test func roundSteps() {
        #expect(Axis.niceStep(0.7).step == 1)
        #expect(abs(Axis.niceStep(0.023).step - 0.025) < 1e-12 && Axis.niceStep(0.023).decimals == 3)
        #expect(Axis.niceStep(130).step == 200 && Axis.niceStep(130).decimals == 0)
        #expect(Axis.niceStep(51).step == 100)
        let axis = Axis.linear(-13, 47, count: 4) { value, _ in "\(Int(value))" }
        #expect(axis.ticks.map(\.label) == ["-20", "0", "20", "40", "60"])
        #expect(axis.low == -20 && axis.high == 60)
        let flat = Axis.linear(5, 5, count: 4) { value, _ in "\(value)" }
        #expect(flat.low < 5 && flat.high > 5)
    }

    @Test func timeTicksAreWholeAndFew() {
        let start = Timestamp(seconds: 1_793_626_200)
        let day = Axis.time(from: start, to: start + .minutes(390), count: 9)
        #expect(day.ticks.map(\.label) == ["14:00", "15:00", "16:00", "17:00", "18:00", "19:00", "20:00"])
        for span in [
            TimeSpan.zero, .milliseconds(30), .seconds(7), .minutes(15), .hours(30), .hours(24 * 400),
        ] {
            let axis = Axis.time(from: start, to: start + span, count: 9)
            #expect(axis.ticks.count <= 10, "\(span)")
            #expect(axis.ticks.allSatisfy { $0.value >= 0 && $0.value <= axis.high })
        }
        #expect(
            Axis.time(from: start, to: start + .hours(30), count: 9).ticks.map(\.label).contains("Nov 03"))
    }
}
