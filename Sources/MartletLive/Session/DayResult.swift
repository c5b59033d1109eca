import Foundation
import Martlet

/// What a day has realised so far, as it stands in the journal beside the strategies' states: the day's limit of loss
/// outlives the session.
struct DayResult: Codable, Hashable {
    /// No strategy can be called so.
    static let name = ".day"

    /// Nanoseconds since 1970.
    private var endsAt: Int64
    private var account8: Int64
    /// In 1e-8 dollars, by name.
    private var strategies8: [String: Int64]

    /// - Parameter realized: by strategy, then of nobody, then of the account.
    init(end: Timestamp, realized: [Money], strategies: [String]) {
        endsAt = end.nanoseconds
        account8 = realized.last?.raw ?? 0
        strategies8 = Dictionary(
            zip(strategies, realized.map(\.raw)), uniquingKeysWith: { first, _ in first })
    }
    init?(bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(DayResult.self, from: Data(bytes)) else { return nil }
        self = value
    }
    var bytes: [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)).map { Array($0) }
    }

    var end: Timestamp { Timestamp(nanoseconds: endsAt) }
    var account: Money { Money(raw: account8) }
    var strategies: [String: Money] { strategies8.mapValues { Money(raw: $0) } }
}
