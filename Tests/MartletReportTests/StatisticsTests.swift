import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletReport

private func at(_ seconds: Double) -> Timestamp { Timestamp(nanoseconds: Int64(seconds * 1e9)) }

@Suite struct StatisticsTests {
    // MARK: Drawdown

    @Test func drawdownIsTheLargestFallFromAHigh() {
        var tracker = DrawdownTracker()
        let line = [0, 10, 7, 12, 4, 9, 13, 6]
        for (time, value) in line.enumerated() { tracker.add(Money(dollars: value), at: at(Double(time))) }
        // 12 at 3 s to 4 at 4 s; the later fall from 13 to 6 is smaller.
        #expect(tracker.greatest == Drawdown(amount: 8, from: at(3), to: at(4)))
        #expect(tracker.current == 7)
    }

    @Test func aLineThatNeverFallsHasNoDrawdown() {
        var tracker = DrawdownTracker()
        for value in 0..<5 { tracker.add(Money(dollars: value), at: at(Double(value))) }
        #expect(tracker.greatest == nil)
    }

    @Test func aFallBelowTheStartCounts() {
        var tracker = DrawdownTracker()
        tracker.add(0, at: at(0))
        tracker.add(-3, at: at(1))
        #expect(tracker.greatest == Drawdown(amount: 3, from: at(0), to: at(1)))
    }

    // MARK: Ratio

    @Test func ratioIsMeanOverSampleDeviation() throws {
        // Changes 1…10: mean 5.5, sample variance 110 / 12 = 9.1667, so 5.5 / 3.02765 = 1.81659.
        var statistics = ChangeStatistics()
        var sum = 0
        statistics.add(0, at: at(0))
        for change in 1...10 {
            sum += change
            statistics.add(Money(dollars: sum), at: at(Double(change) * 600))
        }
        let ratio = try #require(statistics.sharpe)
        #expect(abs(ratio.perSample - 1.816_590_212_458_495) < 1e-12)
        #expect(ratio.samples == 10 && ratio.interval == .minutes(10))
        #expect(abs(ratio.perDay - 1.816_590_212_458_495 * 144.0.squareRoot()) < 1e-9)
    }

    @Test func aFlatLineAndAShortOneHaveNoRatio() {
        var flat = ChangeStatistics()
        for time in 0..<50 { flat.add(5, at: at(Double(time))) }
        #expect(flat.sharpe == nil)
        var short = ChangeStatistics()
        for time in 0..<9 { short.add(Money(dollars: time * time), at: at(Double(time))) }
        #expect(short.sharpe == nil)
        // A ratio a day says nothing of a few minutes.
        var brief = ChangeStatistics()
        for time in 0..<60 { brief.add(Money(dollars: time * time), at: at(Double(time) * 60)) }
        #expect(brief.sharpe == nil)
        brief.add(Money(dollars: 1), at: at(3600))
        #expect(brief.sharpe != nil)
    }

    // MARK: Quantiles

    @Test func quantilesOfSmallNumbersAreExact() {
        var histogram = SpanHistogram()
        for value in (1...20).reversed() { histogram.add(TimeSpan(nanoseconds: Int64(value))) }
        #expect(histogram.quantile(0.5) == TimeSpan(nanoseconds: 10))
        #expect(histogram.quantile(0.9) == TimeSpan(nanoseconds: 18))
        #expect(histogram.quantile(0) == TimeSpan(nanoseconds: 1))
        #expect(histogram.quantile(1) == TimeSpan(nanoseconds: 20))
        #expect(SpanHistogram().quantile(0.5) == nil)
    }

    @Test(arguments: [1, 2, 3]) func quantilesStayWithinAThirtySecond(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var histogram = SpanHistogram()
        var all: [Int64] = []
        for _ in 0..<5_000 {
            let value = Int64(exp(random.unit() * 30))
            all.append(value)
            histogram.add(TimeSpan(nanoseconds: value))
        }
        all.sort()
        for share in [0.0, 0.1, 0.5, 0.9, 0.99, 1] {
            let exact = all[max(0, Int((share * 5_000).rounded(.up)) - 1)]
            let found = histogram.quantile(share)?.nanoseconds ?? -1
            #expect(
                found >= exact && Double(found) <= Double(exact) * (1 + 1.0 / 32), "seed \(seed), \(share)")
        }
        #expect(histogram.counts(between: SpanSummary.edges).reduce(0, +) == 5_000)
    }

    @Test func extremeSpansAreTaken() {
        var histogram = SpanHistogram()
        histogram.add(TimeSpan(nanoseconds: -5))
        histogram.add(TimeSpan(nanoseconds: .max))
        #expect(histogram.quantile(0) == .zero)
        #expect(histogram.quantile(1) == TimeSpan(nanoseconds: .max))
    }

    // MARK: Calibration

    private func fill(_ side: Side, _ price: Price, _ quantity: Quantity) -> Fill {
        Fill(
            tradeID: "", order: OrderID(1), market: Market.ID(0), side: side, price: price,
            quantity: quantity,
            isTaker: true, fee: .zero, exchangeTime: .unknown)
    }

    @Test func brierScoreOfBriersOwnKindOfTable() throws {
        // Forecasts 0.7, 0.9, 0.8, 0.4 with outcomes 1, 1, 0, 0: (0.09 + 0.01 + 0.64 + 0.16) / 4 = 0.225.
        var sum = CalibrationSum()
        let forecasts: [(Price, MarketResult)] = [(0.7, .yes), (0.9, .yes), (0.8, .no), (0.4, .no)]
        for (price, result) in forecasts {
            var tally = PurchaseTally()
            tally.add(fill(.bid, price, 10))
            sum.add(tally, result: result)
        }
        let calibration = try #require(sum.calibration)
        #expect(abs(calibration.brier - 0.225) < 1e-9)
        #expect(calibration.markets == 4 && calibration.fills == 4 && calibration.contracts == 40)
        #expect(calibration.bins.map(\.frequency) == [0, 1, 0, 1])
    }

    @Test func aSaleIsAPurchaseOfNo() throws {
        var sum = CalibrationSum()
        var tally = PurchaseTally()
        tally.add(fill(.ask, 0.8, 5))  // NO at 0.20, and no it is: (0.2 − 1)² = 0.64.
        sum.add(tally, result: .no)
        let calibration = try #require(sum.calibration)
        #expect(abs(calibration.brier - 0.64) < 1e-9)
        #expect(calibration.bins.count == 1 && calibration.bins[0].pricePaid == 0.2)
        #expect(calibration.bins[0].frequency == 1)
    }

    @Test func contractsWeighAndScalarsCountAsTheirValue() throws {
        var sum = CalibrationSum()
        var tally = PurchaseTally()
        tally.add(fill(.bid, 0.5, 30))
        tally.add(fill(.bid, 0.9, 10))
        sum.add(tally, result: .scalar(0.6))
        // (30 · 0.01 + 10 · 0.09) / 40 = 0.03
        #expect(abs(try #require(sum.calibration).brier - 0.03) < 1e-9)
    }

    @Test func withoutResultsThereIsNoCalibration() {
        #expect(CalibrationSum().calibration == nil)
    }

    @Test func wilsonIntervalMatchesPublishedValues() {
        // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        let first = wilsonInterval(share: 81.0 / 263, count: 263)
        #expect(abs(first.low - 0.2553) < 5e-5 && abs(first.high - 0.3662) < 5e-5)
        let second = wilsonInterval(share: 0, count: 20)
        #expect(second.low == 0 && abs(second.high - 0.1611) < 5e-5)
    }

    // MARK: Thinning

    @Test(arguments: [1, 2, 3, 4, 5]) func thinningKeepsExtremesFirstAndLast(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var series = ExtremeSeries(capacity: 50)
        var time = 0.0
        var value = 0.0
        var all: [(Timestamp, Double)] = []
        for _ in 0..<20_000 {
            time += random.unit() * (random.unit() < 0.001 ? 5_000 : 1)
            value += random.unit() - 0.5
            all.append((at(time), value))
            series.add(at(time), value)
        }
        let points = series.points
        #expect(points.count <= 200)
        #expect(points.first?.value == all.first?.1 && points.last?.value == all.last?.1)
        let kept = points.compactMap(\.value)
        #expect(kept.min() == all.map(\.1).min() && kept.max() == all.map(\.1).max(), "seed \(seed)")
        // In time order, and nothing made up.
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.time <= $1.time })
        let real = Set(all.map { "\($0.0.nanoseconds) \($0.1)" })
        #expect(points.allSatisfy { real.contains("\($0.time.nanoseconds) \($0.value ?? .nan)") })
    }

    @Test func aShortLineIsKeptWhole() {
        var series = ExtremeSeries(capacity: 100)
        for time in 0..<80 { series.add(at(Double(time)), Double(time % 7)) }
        #expect(series.points.map(\.value) == (0..<80).map { Double($0 % 7) })
    }

    @Test func gapsAndNotANumberBreakTheLine() {
        var series = ExtremeSeries(capacity: 10)
        series.add(at(0), 1)
        series.add(at(1), nil)
        series.add(at(2), .nan)
        series.add(at(3), 2)
        series.add(at(2), 3)  // Back in time: counts as now.
        #expect(series.points.map(\.value) == [1, nil, nil, 2, 3])
        #expect(series.points.last?.time == at(3))
    }

    @Test func theWholeRangeOfTimesFits() {
        var series = ExtremeSeries(capacity: 4)
        for year in 0..<200 { series.add(Timestamp(seconds: Int64(year) * 31_536_000), Double(year)) }
        #expect(series.points.count <= 16 && series.points.last?.value == 199)
    }
}
