import Foundation
import Martlet
import MartletEngine

/// How long a message takes on its way.
package enum LatencyModel: Hashable, Sendable {
    case constant(TimeSpan)
    /// exp of a normal distribution: half of all messages take less than `median`; `sigma` is the standard
    /// deviation of the logarithm (0.5 gives a 99th percentile of 3.2 medians).
    case logNormal(median: TimeSpan, sigma: Double)
    /// Drawn with equal chance from measured values. Not empty.
    case samples(LatencySamples)

    package static let zero = LatencyModel.constant(.zero)

    package func draw(_ generator: inout SeededGenerator) -> TimeSpan {
        switch self {
        case .constant(let span): return span
        case .logNormal(let median, let sigma):
            let factor = exp(sigma * generator.normal())
            let nanoseconds = Double(median.nanoseconds) * factor
            return .nanoseconds(Int64(min(nanoseconds, Double(LatencyModel.longest.nanoseconds))))
        case .samples(let samples):
            return samples.values[Int(generator.next() % UInt64(samples.values.count))]
        }
    }

    /// No draw is longer: a message later than that is lost.
    package static let longest = TimeSpan.seconds(60)
}

/// Measured latencies, read from text: one number of microseconds a line; blank lines and lines that begin with
/// `#` are passed over.
package struct LatencySamples: Hashable, Sendable {
    package let values: [TimeSpan]

    /// What is wrong with a file of samples, and where.
    package enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
        case unreadable(file: String, reason: String)
        case badLine(file: String, line: Int, text: String)
        case outOfRange(file: String, line: Int, text: String)
        case empty(file: String)

        package var description: String {
            switch self {
            case .unreadable(let file, let reason): "latency file '\(file)' cannot be read: \(reason)"
            case .badLine(let file, let line, let text):
                "\(file):\(line): '\(text)' is not a number of microseconds; write one number a line"
            case .outOfRange(let file, let line, let text):
                "\(file):\(line): \(text) microseconds are not between 0 and 60 seconds"
            case .empty(let file): "latency file '\(file)' has no samples; write one number a line"
            }
        }
    }

    package init(parsing text: some Sequence<UInt8>, file: String) throws(FileError) {
        var values: [TimeSpan] = []
        var number = 0
        let bytes = Array(text)
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let line = LatencySamples.trimmed(row)
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let shown = String(decoding: line.prefix(40), as: UTF8.self)
            let nanoseconds: Int64
            do {
                nanoseconds = try FixedPoint.parse(line, decimals: 3)
            } catch .outOfRange {
                throw .outOfRange(file: file, line: number, text: shown)
            } catch {
                throw .badLine(file: file, line: number, text: shown)
            }
            guard nanoseconds >= 0, nanoseconds <= LatencyModel.longest.nanoseconds else {
                throw .outOfRange(file: file, line: number, text: shown)
            }
            values.append(.nanoseconds(nanoseconds))
        }
        guard !values.isEmpty else { throw .empty(file: file) }
        self.values = values
    }

    package init(contentsOfFile file: String) throws(FileError) {
        // The system's own word for what is wrong; Foundation's has none.
        guard access(file, R_OK) == 0 else {
            throw .unreadable(file: file, reason: String(cString: strerror(errno)))
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw .unreadable(file: file, reason: error.localizedDescription)
        }
        try self.init(parsing: data, file: file)
    }

    private static func trimmed(_ row: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }
        return row.drop(while: isBlank).reversed().drop(while: isBlank).reversed()[...]
    }
}

extension SeededGenerator {
    /// Standard normal (Box and Muller, 1958; one of the pair).
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * Double.pi * unit())
    }
    /// True with a probability. Draws nothing when it is zero, so that a fault that is off changes no other.
    mutating func chance(_ probability: Double) -> Bool { probability > 0 && unit() < probability }
    /// Uniform in 0..<n.
    mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
}
