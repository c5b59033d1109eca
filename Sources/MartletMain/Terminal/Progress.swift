import Foundation

/// A line on the terminal that shows how far a long command has come, how fast it is and what is left.
///
/// Drawn only on a terminal, from the second on that the command has run for, four times a second at most, and
/// gone when the command ends. Drivers call ``update(done:total:unit:)`` as often as they like: most calls only
/// compare the clock.
package final class Progress {
    private let terminal: Terminal
    private let clock: () -> Double
    private let start: Double
    private var nextDraw: Double
    private var isDrawn = false
    private let isActive: Bool

    /// Seconds on a clock that never goes back.
    package static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package init(
        _ terminal: Terminal, isActive: Bool? = nil,
        clock: @escaping () -> Double = { Progress.monotonicSeconds() }
    ) {
        self.terminal = terminal
        self.clock = clock
        self.isActive = isActive ?? (terminal.isInteractive && !terminal.isQuiet)
        start = clock()
        nextDraw = start + 1
    }

    /// `total` nil where the end is not known. `detail` stands at the end of the line.
    package func update(done: Int, total: Int?, unit: String, detail: String = "") {
        guard isActive else { return }
        let now = clock()
        guard now >= nextDraw else { return }
        nextDraw = now + 0.25
        isDrawn = true
        let line = Progress.line(
            done: done, total: total, unit: unit, elapsed: now - start, detail: detail,
            columns: terminal.columns)
        terminal.raw("\r\u{1B}[K" + line)
    }

    /// Takes the line off the terminal.
    package func finish() {
        guard isDrawn else { return }
        isDrawn = false
        terminal.raw("\r\u{1B}[K")
    }

    /// `[=======>      ]  54 %  12.3 M records  4.1 M/s  0:03 left`
    package static func line(
        done: Int, total: Int?, unit: String, elapsed: Double, detail: String, columns: Int
    ) -> String {
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        var text = "\(short(Double(done))) \(unit)  \(short(rate))/s"
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let percent = String(Int(share * 100))
            let padding = String(repeating: " ", count: 3 - percent.count)
            text = "\(padding)\(percent) %  " + text
            if rate > 0, share < 1 { text += "  \(duration(Double(total - done) / rate)) left" }
            let room = min(30, columns - text.count - 5)
            if room >= 10 {
                let full = Int(share * Double(room))
                let head = full < room ? ">" : ""
                text =
                    "[" + String(repeating: "=", count: full) + head
                    + String(repeating: " ", count: room - full - head.count) + "] " + text
            }
        }
        if !detail.isEmpty { text += "  \(detail)" }
        return String(text.prefix(max(10, columns - 1)))
    }

    /// Three digits and a unit: `12.3 M`.
    package static func short(_ value: Double) -> String {
        for (size, name) in [(1e9, " G"), (1e6, " M"), (1e3, " k")] where value >= size {
            let scaled = value / size
            return FormatNumber.decimals(scaled, scaled < 10 ? 2 : scaled < 100 ? 1 : 0) + name
        }
        return FormatNumber.decimals(value, value < 10 && value != value.rounded() ? 1 : 0)
    }
    /// `0:03`, `2:10:00`.
    package static func duration(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(.up), 359_999))
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let hours = whole / 3600
        let minutes = whole / 60 % 60
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
    }
}

/// Numbers as text without the C library's locale.
package enum FormatNumber {
    /// Rounded to a fixed number of decimals.
    package static func decimals(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let divisor = Int64(scale)
        var text = String(scaled / divisor)
        if decimals > 0 {
            let fraction = String(scaled % divisor)
            text += "." + String(repeating: "0", count: decimals - fraction.count) + fraction
        }
        return value < 0 && scaled > 0 ? "-" + text : text
    }
    /// `1,234,567`.
    package static func grouped(_ value: Int) -> String {
        var text = ""
        for (index, digit) in String(value.magnitude).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + String(text.reversed())
    }
}
