import Martlet
import MartletEngine

/// Normal deviates and probabilities from additions, products and square roots alone, which every machine
/// rounds alike: one seed gives one tape everywhere, which `exp` and `log` of different libraries would not.
enum PlainMath {
    /// Standard normal to a good approximation: the sum of twelve uniforms less six.
    static func normal(_ generator: inout SeededGenerator) -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += generator.unit() }
        return sum
    }
    /// Φ(x), within 3e-4 (Abramowitz and Stegun, 7.1.27).
    static func phi(_ x: Double) -> Double {
        let z = (x < 0 ? -x : x) * 0.7071067811865476
        let base = 1 + z * (0.278393 + z * (0.230389 + z * (0.000972 + z * 0.078108)))
        let squared = base * base
        let erf = 1 - 1 / (squared * squared)
        return x < 0 ? (1 - erf) / 2 : (1 + erf) / 2
    }
}

/// What is true in the demonstration world at each second, before anybody knows all of it.
struct DemoTruth {
    /// The expected high of the day in degrees: a walk, and a jump at each hour's observation.
    private(set) var temperature: [Double] = []
    /// A coin's price.
    private(set) var coin: [Double] = []
    /// Home points less visitors'.
    private(set) var lead: [Double] = []
    private(set) var scores: [Int] = []
    /// The chance of the first candidate.
    private(set) var candidate: [Double] = []
    /// True chances of the mention markets, and how they came out.
    private(set) var mentions: [(chance: Double, happens: Bool)] = []

    static let seconds = 4 * 3600
    /// Seconds from the start at which the world learns something by appointment.
    static let observations = [3600, 7200, 10_200]
    static let electionNews = 6000
    static let kickOff = 3000
    static let gameEnd = 13_800
    static let finalTemperatureDeviation = 0.7

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed ^ 0x7EA7)
        var degrees = 54 + PlainMath.normal(&generator)
        var price = 81_000.0
        var points = 0.0
        var chance = 0.47 + 0.08 * generator.unit()
        for second in 0..<DemoTruth.seconds {
            if DemoTruth.observations.contains(second) { degrees += 1.1 * PlainMath.normal(&generator) }
            degrees += 0.006 * PlainMath.normal(&generator)
            price *= 1 + 0.000055 * PlainMath.normal(&generator)
            if second > DemoTruth.kickOff, second < DemoTruth.gameEnd, generator.chance(1.0 / 1300) {
                let sign = generator.chance(0.53) ? 1.0 : -1.0
                points += sign * (generator.chance(0.6) ? 7 : 3)
                scores.append(second)
            }
            if second == DemoTruth.electionNews {
                chance += generator.chance(0.5) ? 0.09 : -0.09
            }
            chance = min(max(chance + 0.00025 * PlainMath.normal(&generator), 0.05), 0.95)
            temperature.append(degrees)
            coin.append(price)
            lead.append(points)
            candidate.append(chance)
        }
        if points == 0 {
            lead = lead.enumerated().map { $0.offset > DemoTruth.gameEnd - 60 ? 3 : $0.element }
        }
        for index in 0..<12 {
            let chance = index < 8 ? 0.02 + 0.1 * generator.unit() : 0.86 + 0.11 * generator.unit()
            mentions.append((chance, generator.chance(chance)))
        }
    }

    private func at(_ path: [Double], _ second: Int) -> Double {
        path[min(max(second, 0), path.count - 1)]
    }

    /// The chance that the high falls between two temperatures.
    func bracket(_ low: Double, _ high: Double, at second: Int, until end: Int) -> Double {
        let mean = at(temperature, second)
        // What the observations to come may still change.
        let pending = Double(DemoTruth.observations.filter { $0 > second }.count)
        let walk = Double(max(end - second, 0)) * 0.000036
        let own = DemoTruth.finalTemperatureDeviation
        let deviation = (own * own + pending * 1.21 + walk).squareRoot()
        return PlainMath.phi((high - mean) / deviation) - PlainMath.phi((low - mean) / deviation)
    }
    /// The chance that the coin ends a window at or above its price at the beginning.
    func above(from start: Int, to end: Int, at second: Int) -> Double {
        let strike = at(coin, start)
        let now = at(coin, second)
        let left = Double(max(end - max(second, start), 1))
        return PlainMath.phi((now / strike - 1) / (0.000055 * left.squareRoot()))
    }
    func homeWins(at second: Int) -> Double {
        let left = Double(max(DemoTruth.gameEnd - max(second, DemoTruth.kickOff), 1))
        // Scores of 5.4 points on average, one in 1300 seconds.
        return PlainMath.phi((at(lead, second) + 0.0002 * left) / (left / 1300 * 31).squareRoot())
    }
    func firstCandidate(at second: Int) -> Double { at(candidate, second) }
    func coinPrice(at second: Int) -> Double { at(coin, second) }
    func score(at second: Int) -> Double { at(lead, second) }
    func finalTemperature(at second: Int) -> Double { at(temperature, second) }
}
