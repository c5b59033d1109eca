import Testing
import MartletWire

@testable import MartletMain

@Suite struct ProgressTests {
    @Test func showsShareRateAndTimeLeft() {
        let line = Progress.line(
            done: 6_000_000, total: 12_000_000, unit: "records", elapsed: 2, detail: "", columns: 100)
        #expect(line == "[===============>              ]  50 %  6.00 M records  3.00 M/s  0:02 left")
    }
    @Test func withoutATotalThereIsNoBar() {
        let line = Progress.line(
            done: 1500, total: nil, unit: "lines", elapsed: 1, detail: "a.gz", columns: 80)
        #expect(line == "1.50 k lines  1.50 k/s  a.gz")
    }
    @Test func neverWiderThanTheTerminal() {
        for columns in [20, 40, 60, 80] {
            let line = Progress.line(
                done: 999, total: 1000, unit: "records", elapsed: 9, detail: "x", columns: columns)
            #expect(line.count < columns)
        }
    }
    @Test func drawsAfterASecondFourTimesASecondAndLeavesNothing() {
        var drawn: [String] = []
        var now = 0.0
        let terminal = Terminal(output: { _ in }, error: { drawn.append($0) })
        let progress = Progress(terminal, isActive: true, clock: { now })
        for step in 1...20 {
            now = Double(step) * 0.1
            progress.update(done: step, total: 20, unit: "steps")
        }
        #expect(drawn.count == 4)
        progress.finish()
        #expect(drawn.last == "\r\u{1B}[K")
        progress.finish()
        #expect(drawn.count == 5)
    }
    @Test func numbersForPeople() {
        #expect(Progress.short(0) == "0")
        #expect(Progress.short(0.5) == "0.5")
        #expect(Progress.short(12_345) == "12.3 k")
        #expect(Progress.short(1.5e9) == "1.50 G")
        #expect(Progress.duration(59.2) == "1:00")
        #expect(Progress.duration(3_723) == "1:02:03")
        #expect(FormatNumber.grouped(-1_234_567) == "-1,234,567")
        #expect(FormatNumber.grouped(12) == "12")
        #expect(FormatNumber.decimals(-0.004, 2) == "0.00")
        #expect(FormatNumber.decimals(2.345, 1) == "2.3")
    }
    @Test func jsonKeepsTheOrderAndEscapes() {
        let value = JSONValue.fields([
            ("z", .string("a\"\\\n\u{1}é")), ("a", .array([.integer(-1), .null, .bool(true)])),
            ("n", .real(0.1)), ("i", .real(3)), ("x", .real(.nan)), ("d", .number("1.50")),
        ])
        #expect(
            value.text == #"{"z":"a\"\\\n\u0001é","a":[-1,null,true],"n":0.1,"i":3,"x":null,"d":1.50}"#)
    }
}
