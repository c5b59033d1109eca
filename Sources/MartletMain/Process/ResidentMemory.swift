import Foundation
import Synchronization

/// Watches this process's anonymous resident memory: what it holds beside mapped files, whose pages the system
/// takes back at will.
final class ResidentMemory: Sendable {
    private let peakBytes = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)

    /// Looks every `interval` seconds until ``stop()``.
    init(interval: Double = 0.02) {
        let thread = Thread { [self] in
            while !isOver.load(ordering: .relaxed) {
                look()
                Thread.sleep(forTimeInterval: interval)
            }
        }
        thread.start()
    }

    /// The most seen so far, the present included.
    func peak() -> Int {
        look()
        return peakBytes.load(ordering: .relaxed)
    }
    func stop() { isOver.store(true, ordering: .relaxed) }

    private func look() {
        let bytes = ResidentMemory.anonymousBytes() ?? 0
        peakBytes.max(bytes, ordering: .relaxed)
    }

    /// `RssAnon` of a process, this one by default; nil where there is no such file.
    static func anonymousBytes(of process: Int32? = nil) -> Int? {
        let name = process.map { "\($0)" } ?? "self"
        guard let text = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap(
                {
                    Int($0)
                })
        else { return nil }
        return kibibytes * 1024
    }
}
