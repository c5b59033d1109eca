import Martlet

/// Numbers as people read them: thousands separated, units named, a true minus sign on pages and a plain
/// hyphen in terminals.
package struct Show: Sendable {
    package var minus: String

    package static let page = Show(minus: "\u{2212}")
    package static let terminal = Show(minus: "-")

    /// Thousands separated by commas.
    package func count(_ value: Int) -> String {
        (value < 0 ? minus : "") + Show.grouped(String(value.magnitude))
    }

    /// `1 warning`, `3 warnings`.
    package func count(_ value: Int, _ noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// Dollars, rounded half away from zero to `decimals` (0...8); `$1,234.50`, with a plus sign if asked for.
    package func money(_ value: Money, decimals: Int = 2, plus: Bool = false) -> String {
        var unit: UInt64 = 1
        for _ in decimals..<8 { unit *= 10 }
        let scaled = (value.raw.magnitude + unit / 2) / unit
        return sign(value.raw < 0, isZero: scaled == 0, plus: plus) + "$"
            + Show.fixed(scaled, decimals: decimals, minimum: decimals)
    }

    /// Contracts with up to two decimals where they have them.
    package func contracts(_ value: Quantity, plus: Bool = false) -> String {
        let magnitude = value.hundredths.magnitude
        return sign(value.hundredths < 0, isZero: magnitude == 0, plus: plus)
            + Show.fixed(magnitude, decimals: 2, minimum: magnitude % 100 == 0 ? 0 : 2)
    }

    /// A price in dollars with two decimals, up to six where it has them.
    package func price(_ value: Price) -> String {
        (value.micros < 0 ? minus : "") + Show.fixed(UInt64(value.micros.magnitude), decimals: 6, minimum: 2)
    }

    /// A share as per cent.
    package func percent(_ share: Double, decimals: Int = 1) -> String {
        number(share * 100, decimals: decimals) + " %"
    }

    /// With a fixed number of decimals and thousands separated; `n/a` for what is no number.
    package func number(_ value: Double, decimals: Int) -> String {
        var unit = 1.0
        for _ in 0..<decimals { unit *= 10 }
        let scaled = (abs(value) * unit).rounded()
        guard scaled < 1e18 else { return "n/a" }
        return (value < 0 && scaled > 0 ? minus : "")
            + Show.fixed(UInt64(scaled), decimals: decimals, minimum: decimals)
    }

    private func sign(_ isNegative: Bool, isZero: Bool, plus: Bool) -> String {
        if isZero { return "" }
        return isNegative ? minus : plus ? "+" : ""
    }

    /// Two units at most: `850 ms`, `12.3 s`, `4 min 10 s`, `6 h 30 min`, `2 d 3 h`.
    package func span(_ span: TimeSpan) -> String {
        let nanoseconds = span.nanoseconds.magnitude
        let text: String
        let seconds = nanoseconds / 1_000_000_000
        switch nanoseconds {
        case 0: text = "0 s"
        case ..<1_000: text = "\(nanoseconds) ns"
        case ..<1_000_000: text = number(Double(nanoseconds) / 1e3, decimals: 0) + " µs"
        case ..<10_000_000: text = number(Double(nanoseconds) / 1e6, decimals: 1) + " ms"
        case ..<1_000_000_000: text = number(Double(nanoseconds) / 1e6, decimals: 0) + " ms"
        case ..<60_000_000_000 where seconds * 1_000_000_000 == nanoseconds: text = "\(seconds) s"
        case ..<60_000_000_000: text = number(Double(nanoseconds) / 1e9, decimals: 1) + " s"
        case ..<3_600_000_000_000: text = Show.pair(seconds / 60, "min", seconds % 60, "s")
        case ..<86_400_000_000_000: text = Show.pair(seconds / 3600, "h", seconds / 60 % 60, "min")
        default: text = Show.pair(seconds / 86_400, "d", seconds / 3600 % 24, "h")
        }
        return (span < .zero ? minus : "") + text
    }
    private static func pair(_ a: UInt64, _ unit: String, _ b: UInt64, _ smaller: String) -> String {
        b == 0 ? "\(a) \(unit)" : "\(a) \(unit) \(b) \(smaller)"
    }

    /// `2026-11-02 13:30:05` (UTC), `n/a` where unknown.
    package func time(_ time: Timestamp) -> String {
        guard time.isKnown else { return "n/a" }
        let text = Timestamp(seconds: time.seconds).description
        return String(text.prefix(10)) + " " + String(text.dropFirst(11).prefix(8))
    }
    /// `13:30:05` (UTC).
    package func clock(_ time: Timestamp) -> String { String(self.time(time).suffix(8)) }
    /// `2026-11-02 13:30 to 20:00 UTC`, the second date only where it differs.
    package func period(_ from: Timestamp, _ to: Timestamp) -> String {
        let (a, b) = (time(from), time(to))
        let end = a.prefix(10) == b.prefix(10) ? String(b.suffix(8)) : b
        return "\(a) to \(end) UTC"
    }

    private static func fixed(_ value: UInt64, decimals: Int, minimum: Int) -> String {
        let text = FixedPoint.format(Int64(clamping: value), decimals: decimals, minimum: minimum)
        guard let dot = text.firstIndex(of: ".") else { return grouped(text) }
        return grouped(String(text[..<dot])) + text[dot...]
    }
    private static func grouped(_ digits: String) -> String {
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.utf8.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
