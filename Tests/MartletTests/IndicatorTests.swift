import Foundation
import Martlet
import MartletEngine
import Testing

@Suite struct IndicatorTests {
    /// StockCharts' published example of a 10-day simple and exponential moving average.
    static let closes = [
        22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38, 22.61,
        23.36,
        24.05, 23.75, 23.83, 23.95, 23.63,
    ]

    @Test func movingAveragesMeetPublishedValues() {
        let exponential = [22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.13, 23.28, 23.34]
        let simple = [22.22, 22.21, 22.23, 22.26, 22.30, 22.42, 22.61, 22.77, 22.91, 23.08, 23.21]
        var ema = ExponentialMovingAverage(period: 10)
        var sma = SimpleMovingAverage(period: 10)
        var emas: [Double] = []
        var smas: [Double] = []
        for close in Self.closes {
            if let value = ema.add(close) { emas.append(value) }
            if let value = sma.add(close) { smas.append(value) }
        }
        #expect(emas.count == exponential.count)
        for (a, b) in zip(emas, exponential) { #expect(abs(a - b) < 0.0051) }
        for (a, b) in zip(smas, simple) { #expect(abs(a - b) < 0.0051) }
    }

    @Test(arguments: [1, 2, 3])
    func rollingMeanAndDeviationMeetASlowModel(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var mean = SimpleMovingAverage(period: 7)
        var deviation = RollingDeviation(period: 7)
        var population = RollingDeviation(period: 7, sample: false)
        var values: [Double] = []
        for step in 0..<20_000 {
            let x = 1e6 + generator.unit()
            values.append(x)
            mean.add(x)
            deviation.add(x)
            population.add(x)
            guard values.count >= 7 else {
                #expect(mean.value == nil && deviation.value == nil)
                continue
            }
            let window = values.suffix(7)
            let average = window.reduce(0, +) / 7
            let squares = window.reduce(0) { $0 + ($1 - average) * ($1 - average) }
            #expect(abs((mean.value ?? 0) - average) < 1e-6, "seed \(seed) step \(step)")
            #expect(abs((deviation.value ?? 0) - (squares / 6).squareRoot()) < 1e-7)
            #expect(abs((population.value ?? 0) - (squares / 7).squareRoot()) < 1e-7)
        }
    }

    @Test func knownDeviation() {
        var deviation = RollingDeviation(period: 8, sample: false)
        for x in [2.0, 4, 4, 4, 5, 5, 7, 9] { deviation.add(x) }
        #expect(deviation.value == 2)
    }

    @Test func decayHalvesTheWeightOfThePast() throws {
        var average = DecayingAverage(halfLife: .seconds(10))
        average.add(0, at: Timestamp(seconds: 0))
        average.add(1, at: Timestamp(seconds: 10))
        let value = try #require(average.value)
        #expect(abs(value - 0.5) < 1e-14)
        for tenths in 0...300 {
            var one = DecayingAverage(halfLife: .seconds(1))
            one.add(1, at: Timestamp(seconds: 0))
            one.add(0, at: Timestamp(milliseconds: Int64(tenths) * 100))
            let decayed = try #require(one.value)
            #expect(abs(decayed - pow(2, -Double(tenths) / 10)) <= 1e-14)
        }
    }

    private func trade(_ side: Side, _ cents: Int, _ contracts: Int, at second: Int64) -> Trade {
        Trade(
            MarketEvent(
                .trade, market: Market.ID(0), side: side, price: Price(cents: cents),
                quantity: Quantity(contracts),
                receiveTime: Timestamp(seconds: second)))
    }

    @Test func volumeWeightedPriceForgetsWhatIsOld() {
        var all = VolumeWeightedPrice()
        var recent = VolumeWeightedPrice(window: .seconds(10))
        #expect(recent.value == nil)
        for (index, (cents, size)) in [(40, 10), (50, 30), (60, 20)].enumerated() {
            let print = trade(.bid, cents, size, at: Int64(index) * 6)
            all.add(print)
            recent.add(print)
        }
        #expect(abs((all.value ?? 0) - (4.0 + 15 + 12) / 60) < 1e-12)
        #expect(abs((recent.value ?? 0) - (15.0 + 12) / 50) < 1e-12)
        recent.advance(to: Timestamp(seconds: 100))
        #expect(recent.value == nil && recent.volume == .zero)
    }

    @Test func tradeFlowIsSigned() {
        var flow = TradeFlowImbalance(window: .seconds(60))
        flow.add(trade(.bid, 50, 30, at: 0))
        #expect(flow.value == 1)
        flow.add(trade(.ask, 50, 10, at: 1))
        #expect(flow.value == 0.5)
    }

    /// Cont, Kukanov and Stoikov (2014), eq. 4, by hand.
    @Test func orderFlowImbalanceFollowsItsDefinition() {
        var flow = OrderFlowImbalance(window: .seconds(60))
        func add(_ bid: Int, _ bidSize: Int, _ ask: Int, _ askSize: Int, _ second: Int64) -> Double {
            flow.add(
                bid: Price(cents: bid), bidSize: Quantity(bidSize), ask: Price(cents: ask),
                askSize: Quantity(askSize),
                at: Timestamp(seconds: second))
        }
        #expect(add(40, 10, 45, 20, 0) == 0)
        #expect(add(40, 15, 45, 20, 1) == 5)  // bid size grew by 5
        #expect(add(41, 7, 45, 20, 2) == 12)  // a better bid of 7
        #expect(add(41, 7, 44, 3, 3) == 9)  // a better ask of 3
        #expect(add(40, 9, 44, 3, 4) == 2)  // the bid of 7 left
        #expect(add(40, 9, 46, 8, 5) == 5)  // the ask of 3 left
        #expect(add(40, 9, 46, 8, 62) == -7)  // what is older than a minute is forgotten
    }

    @Test func realizedVolatilityIsTheRootOfSummedSquares() {
        var volatility = RealizedVolatility(window: .seconds(100))
        #expect(volatility.value == nil)
        for (second, cents) in [50, 53, 49].enumerated() {
            volatility.add(Price(cents: cents), at: Timestamp(seconds: Int64(second)))
        }
        #expect(abs((volatility.value ?? 0) - 0.05) < 1e-12)
    }

    @Test(arguments: [11, 12])
    func windowsMeetASlowModel(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var flow = TradeFlowImbalance(window: .seconds(5))
        var trades: [Trade] = []
        var time = Timestamp(seconds: 0)
        for step in 0..<20_000 {
            time = time + .milliseconds(Int64(generator.next() % 20))
            let print = Trade(
                MarketEvent(
                    .trade, market: Market.ID(0), side: generator.next() & 1 == 0 ? .bid : .ask, price: 0.5,
                    quantity: Quantity(hundredths: 1 + Int64(generator.next() % 1000)), receiveTime: time))
            trades.append(print)
            flow.add(print)
            guard step % 100 == 0 else { continue }
            let recent = trades.filter { $0.receiveTime > time - .seconds(5) }
            let signed = recent.reduce(Int64(0)) { $0 + $1.takerSide.sign * $1.quantity.hundredths }
            let all = recent.reduce(Int64(0)) { $0 + $1.quantity.hundredths }
            #expect(abs((flow.value ?? 0) - Double(signed) / Double(all)) < 1e-9, "seed \(seed) step \(step)")
        }
    }
}
