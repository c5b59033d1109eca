import Martlet

/// A range of values with marks at round ones.
struct Axis: Sendable {
    struct Tick: Hashable, Sendable {
        var value: Double
        var label: String
    }
    var low: Double
    var high: Double
    var ticks: [Tick]

    /// Where a value lies, 0...1 from low to high.
    func share(_ value: Double) -> Double { (value - low) / (high - low) }

    /// Steps of 1, 2, 2.5 or 5 times a power of ten, about `count` of them, the ends on a step.
    static func linear(_ low: Double, _ high: Double, count: Int, label: (Double, Int) -> String) -> Axis {
        var (low, high) = (low, high)
        if !(high > low) {
            let pad = max(abs(low) * 0.1, 1)
            (low, high) = (low - pad, high + pad)
        }
        let (step, decimals) = niceStep((high - low) / Double(max(count, 1)))
        let first = (low / step + 1e-9).rounded(.down)
        let last = (high / step - 1e-9).rounded(.up)
        let ticks = stride(from: first, through: last, by: 1).map { index in
            Tick(value: index * step, label: label(index * step, decimals))
        }
        return Axis(low: first * step, high: last * step, ticks: ticks)
    }

    /// The nearest round step at or above, and the decimals that its multiples need.
    static func niceStep(_ least: Double) -> (step: Double, decimals: Int) {
        var power = 1.0
        var digits = 0
        while power * 10 <= least {
            power *= 10
            digits -= 1
        }
        while power > least {
            power /= 10
            digits += 1
        }
        for (factor, more) in [(1.0, 0), (2, 0), (2.5, 1), (5, 0)] where factor * power >= least * (1 - 1e-9)
        {
            return (factor * power, max(0, digits + more))
        }
        return (10 * power, max(0, digits - 1))
    }

    /// Whole seconds, minutes, hours or days in UTC, about `count` of them. Values are seconds since `origin`,
    /// so that a `Double` holds them exactly enough.
    static func time(from low: Timestamp, to high: Timestamp, count: Int) -> Axis {
        let high = max(high, low + .milliseconds(1))
        let span = (high - low).nanoseconds
        let steps: [Int64] =
            [1_000_000, 10_000_000, 100_000_000, 500_000_000]
            + [
                1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
                172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
            ].map { $0 * 1_000_000_000 }
        let step = steps.first { span / $0 <= Int64(count) } ?? span / Int64(count) + 1
        var ticks: [Tick] = []
        var next = (low.nanoseconds + step - 1) / step * step
        var day = ""
        while next <= high.nanoseconds {
            let time = Timestamp(nanoseconds: next)
            ticks.append(Tick(value: (time - low).seconds, label: label(time, step: step, day: &day)))
            next += step
        }
        return Axis(low: 0, high: (high - low).seconds, ticks: ticks)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// The clock, and the date where a day begins.
    private static func label(_ time: Timestamp, step: Int64, day: inout String) -> String {
        let text = time.description
        let month = Int(text.dropFirst(5).prefix(2)).map { months[$0 - 1] } ?? ""
        let date = "\(month) \(text.dropFirst(8).prefix(2))"
        let isNewDay = !day.isEmpty && day != date
        day = date
        if step >= 86_400_000_000_000 || isNewDay && step >= 3_600_000_000_000 { return date }
        if step >= 60_000_000_000 { return String(text.dropFirst(11).prefix(5)) }
        if step >= 1_000_000_000 { return String(text.dropFirst(11).prefix(8)) }
        let fraction = FixedPoint.format(
            (time.nanoseconds % 1_000_000_000) / 1_000_000, decimals: 3, minimum: step >= 100_000_000 ? 1 : 3)
        return String(text.dropFirst(17).prefix(2)) + fraction.dropFirst() + " s"
    }
}
