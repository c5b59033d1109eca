/// Finds what someone probably meant.
package enum Nearest {
    /// The candidate with the fewest typing errors away from `word`, the first of equals; nil when none is near:
    /// more than a third of the letters wrong, or three and more.
    package static func match(_ word: String, among candidates: [String]) -> String? {
        let limit = min(2, max(1, word.count / 3))
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where !candidate.isEmpty {
            let distance = distance(word.lowercased(), candidate.lowercased())
            if distance < best?.distance ?? (limit + 1) { best = (candidate, distance) }
        }
        if let best { return best.candidate }
        guard word.count >= 3 else { return nil }
        return candidates.first { $0.hasPrefix(word) }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment) between two
    /// words. O(product of their lengths).
    package static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8.prefix(64))
        let b = Array(b.utf8.prefix(64))
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1..<(a.count + 1) {
            var row = [Int](repeating: i, count: b.count + 1)
            for j in 1..<(b.count + 1) {
                let substitution = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                row[j] = min(last[j] + 1, row[j - 1] + 1, substitution)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
