import Martlet

/// Prices paid against what came of them, over all fills in markets that have a result.
///
/// A buy of YES at p is a forecast of p for yes; a sale of YES at p is a purchase of NO at 1 − p, so a forecast
/// of 1 − p for no. A scalar result counts as its value. Weighted by contracts. All contracts of one market
/// share one outcome, so a bin is worth no more than its number of markets.
package struct Calibration: Hashable, Sendable, Codable {
    /// A tenth of a dollar of price paid.
    package struct Bin: Hashable, Sendable, Codable {
        package var from: Price
        package var to: Price
        package var contracts: Quantity
        package var fills: Int
        package var markets: Int
        /// Mean price paid, dollars.
        package var pricePaid: Double
        /// How often it paid, 0...1.
        package var frequency: Double
    }
    /// Those with fills.
    package var bins: [Bin]
    package var contracts: Quantity
    package var fills: Int
    package var markets: Int
    /// Mean of (price paid − outcome)², over contracts: 0 is perfect, 0.25 what 50 cents always scores
    /// (Brier, "Verification of forecasts expressed in terms of probability", 1950).
    package var brier: Double
}

/// A market's purchases by price paid, until its result is known.
struct PurchaseTally: Sendable {
    static let binCount = 10

    struct Bin: Sendable {
        var hundredths: Int64 = 0
        var fills = 0
        /// Contracts × dollars, and contracts × dollars².
        var weighted = 0.0
        var squares = 0.0
    }
    private(set) var yes = Array(repeating: Bin(), count: binCount)
    private(set) var no = Array(repeating: Bin(), count: binCount)

    mutating func add(_ fill: Fill) {
        let paid = fill.side.cost(fill.price)
        let index = min(max(Int(paid.micros) * Self.binCount / 1_000_000, 0), Self.binCount - 1)
        let contracts = fill.quantity.contracts
        func add(to bin: inout Bin) {
            bin.hundredths += fill.quantity.hundredths
            bin.fills += 1
            bin.weighted += contracts * paid.dollars
            bin.squares += contracts * paid.dollars * paid.dollars
        }
        if fill.side == .bid { add(to: &yes[index]) } else { add(to: &no[index]) }
    }
}

/// Sums up the tallies of markets whose results are known. Call in a fixed order of markets.
struct CalibrationSum {
    private struct Sum {
        var hundredths: Int64 = 0
        var fills = 0
        var markets = 0
        var weighted = 0.0
        var outcomes = 0.0
    }
    private var sums = Array(repeating: Sum(), count: PurchaseTally.binCount)
    private var markets = 0
    private var errors = 0.0

    mutating func add(_ tally: PurchaseTally, result: MarketResult) {
        let value = result.yesValue.dollars
        var hasAny = false
        for index in 0..<PurchaseTally.binCount {
            var isHere = false
            for (bin, outcome) in [(tally.yes[index], value), (tally.no[index], 1 - value)]
            where bin.fills > 0 {
                let contracts = Double(bin.hundredths) / 100
                sums[index].hundredths += bin.hundredths
                sums[index].fills += bin.fills
                sums[index].weighted += bin.weighted
                sums[index].outcomes += contracts * outcome
                errors += bin.squares - 2 * outcome * bin.weighted + outcome * outcome * contracts
                isHere = true
            }
            if isHere { sums[index].markets += 1 }
            hasAny = hasAny || isHere
        }
        if hasAny { markets += 1 }
    }

    /// Nil without a fill in a decided market.
    var calibration: Calibration? {
        let hundredths = sums.reduce(0) { $0 + $1.hundredths }
        guard hundredths > 0 else { return nil }
        let step = 1_000_000 / PurchaseTally.binCount
        let bins = sums.enumerated().filter { $0.element.fills > 0 }.map { index, sum in
            let contracts = Double(sum.hundredths) / 100
            return Calibration.Bin(
                from: Price(micros: index * step), to: Price(micros: (index + 1) * step),
                contracts: Quantity(hundredths: sum.hundredths), fills: sum.fills, markets: sum.markets,
                pricePaid: rounded(sum.weighted / contracts), frequency: rounded(sum.outcomes / contracts))
        }
        return Calibration(
            bins: bins, contracts: Quantity(hundredths: hundredths), fills: sums.reduce(0) { $0 + $1.fills },
            markets: markets, brier: rounded(max(0, errors / (Double(hundredths) / 100))))
    }

    private func rounded(_ value: Double) -> Double { (value * 1e9).rounded() / 1e9 }
}

/// Wilson's interval for a share of `count` trials at 95 % ("Probable inference", 1927).
package func wilsonInterval(share: Double, count: Int) -> (low: Double, high: Double) {
    guard count > 0 else { return (0, 1) }
    let z = 1.959_963_984_540_054
    let n = Double(count)
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return (max(0, centre - half), min(1, centre + half))
}
