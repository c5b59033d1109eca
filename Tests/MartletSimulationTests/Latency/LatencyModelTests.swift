import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletSimulation

@Suite struct LatencyModelTests {
    private func draws(_ model: LatencyModel, _ count: Int = 20_000) -> [Double] {
        var generator = SeededGenerator(seed: 9)
        return (0..<count).map { _ in model.draw(&generator).seconds }.sorted()
    }

    @Test func constantIsConstant() {
        #expect(Set(draws(.constant(.milliseconds(7)))) == [0.007])
    }

    /// Median and the quantiles that the normal distribution has at one and two deviations.
    @Test func logNormalHasItsQuantiles() {
        let values = draws(.logNormal(median: .milliseconds(40), sigma: 0.6))
        func isNear(_ share: Double, _ expected: Double) -> Bool {
            abs(values[Int(share * Double(values.count))] / expected - 1) < 0.04
        }
        #expect(isNear(0.5, 0.04))
        #expect(isNear(0.8413, 0.04 * exp(0.6)) && isNear(0.1587, 0.04 * exp(-0.6)))
        #expect(isNear(0.9772, 0.04 * exp(1.2)))
        let wild = draws(.logNormal(median: .seconds(3600), sigma: 5))
        #expect(wild.last == LatencyModel.longest.seconds)
    }

    @Test func recordedValuesAreDrawnAndNothingElse() throws {
        let text = "# microseconds\n1500\n\n  250.5\t\r\n90000\n1500"
        let samples = try LatencySamples(parsing: text.utf8, file: "latency.txt")
        #expect(samples.values.map(\.nanoseconds) == [1_500_000, 250_500, 90_000_000, 1_500_000])
        let values = draws(.samples(samples))
        #expect(Set(values) == [0.0015, 0.0002505, 0.09])
        let share = Double(values.count { $0 == 0.0015 }) / Double(values.count)
        #expect(abs(share - 0.5) < 0.02)
    }

    @Test(arguments: [
        ("12\nabc\n", "l.txt:2: 'abc' is not a number of microseconds; write one number a line"),
        ("NaN", "l.txt:1: 'NaN' is not a number of microseconds; write one number a line"),
        ("1e3", "l.txt:1: '1e3' is not a number of microseconds; write one number a line"),
        ("-1", "l.txt:1: -1 microseconds are not between 0 and 60 seconds"),
        ("60000001", "l.txt:1: 60000001 microseconds are not between 0 and 60 seconds"),
        (
            "99999999999999999999",
            "l.txt:1: 99999999999999999999 microseconds are not between 0 and 60 seconds"
        ),
        ("# none\n", "latency file 'l.txt' has no samples; write one number a line"),
    ])
    func badFilesAreNamedAtTheirLine(text: String, message: String) {
        let error = #expect(throws: LatencySamples.FileError.self) {
            try LatencySamples(parsing: text.utf8, file: "l.txt")
        }
        #expect(error?.description == message)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: LatencySamples.FileError.self) {
            try LatencySamples(contentsOfFile: "/nowhere/l.txt")
        }
        #expect(
            error?.description == "latency file '/nowhere/l.txt' cannot be read: No such file or directory")
    }
}
