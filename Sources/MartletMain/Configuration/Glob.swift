/// Matches tickers against patterns in which `*` stands for any run of characters and `?` for one.
package struct Glob: Sendable, Hashable {
    package let pattern: String
    private let bytes: [UInt8]

    package init(_ pattern: String) {
        self.pattern = pattern
        bytes = Array(pattern.utf8)
    }

    /// O(length of the text × stars in the pattern).
    package func matches(_ text: String) -> Bool {
        let text = Array(text.utf8)
        var (p, t) = (0, 0)
        // Where to resume: the last star, and how much of the text it has taken.
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < bytes.count, bytes[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < bytes.count, bytes[p] == UInt8(ascii: "?") || bytes[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                p = last.pattern + 1
                t = last.text + 1
                star = (last.pattern, t)
            } else {
                return false
            }
        }
        return bytes[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// A list of patterns; an empty list takes everything.
package struct TickerFilter: Sendable, Hashable {
    private let globs: [Glob]
    package init(_ patterns: [String]) { globs = patterns.map { Glob($0) } }
    package func accepts(_ ticker: String) -> Bool {
        globs.isEmpty || globs.contains { $0.matches(ticker) }
    }
    package var isEmpty: Bool { globs.isEmpty }
    package var patterns: [String] { globs.map(\.pattern) }
}
