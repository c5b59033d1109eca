import Foundation
import Martlet
import MartletEngine
import MartletWire

/// Some limits to be tightened, by the names that they have in configurations; the others stay as they are.
public struct LimitChanges: Sendable {
    /// Those not named refuse nothing.
    public private(set) var limits = RiskLimits.unlimited
    private var names: [String] = []

    private struct Field {
        var name: String
        /// Takes the value over.
        var take: @Sendable (RiskLimits, inout RiskLimits) -> Void
        /// Whether the first's value is looser than the second's.
        var isLooser: @Sendable (RiskLimits, RiskLimits) -> Bool
        /// A value that is none.
        var isWrong: @Sendable (RiskLimits) -> Bool
        var text: @Sendable (RiskLimits) -> String

        init<Value: Comparable & Sendable & SendableMetatype>(
            _ name: String, _ path: WritableKeyPath<RiskLimits, Value> & Sendable, least: Value,
            isFloor: Bool = false
        ) {
            self.name = name
            take = { $1[keyPath: path] = $0[keyPath: path] }
            isLooser = {
                isFloor
                    ? $0[keyPath: path] < $1[keyPath: path] : $0[keyPath: path] > $1[keyPath: path]
            }
            isWrong = { $0[keyPath: path] < least }
            text = { "\($0[keyPath: path])" }
        }
    }
    private static let fields: [Field] = [
        Field("maxOrderSize", \.maxOrderSize, least: .zero),
        Field("priceCollar", \.priceCollar, least: .zero),
        Field("maxMarketPosition", \.maxMarketPosition, least: .zero),
        Field("maxEventPosition", \.maxEventPosition, least: .zero),
        Field("maxTotalPosition", \.maxTotalPosition, least: .zero),
        Field("maxOpenOrders", \.maxOpenOrders, least: 0),
        Field("maxOrdersPerSecond", \.maxOrdersPerSecond, least: 0),
        Field("maxMarketLoss", \.maxMarketLoss, least: .zero),
        Field("maxEventLoss", \.maxEventLoss, least: .zero),
        Field("maxTotalLoss", \.maxTotalLoss, least: .zero),
        Field("maxDailyLoss", \.maxDailyLoss, least: .zero),
        Field("closeMargin", \.closeMargin, least: .zero, isFloor: true),
    ]
    private static let known = fields.map(\.name) + ["allowsEmptyBook", "maxBookAge"]

    /// Throws a ``ControlError`` that names what cannot be.
    public init(_ value: JSONValue) throws {
        guard let members = value.object, !members.isEmpty else {
            throw ControlError("name the limits to be tightened, such as {\"maxOrderSize\": 5}")
        }
        let given = try LimitChanges.decode(members.map { ($0.key, $0.value) })
        for member in members {
            names.append(member.key)
            if let field = LimitChanges.fields.first(where: { $0.name == member.key }) {
                guard !field.isWrong(given) else {
                    throw ControlError("'\(member.key)' cannot be \(field.text(given))")
                }
                field.take(given, &limits)
            } else if member.key == "maxBookAge", given.maxBookAge > .zero {
                limits.maxBookAge = given.maxBookAge
            } else if member.key == "allowsEmptyBook", !given.allowsEmptyBook {
                limits.allowsEmptyBook = false
            } else {
                throw ControlError("'\(member.key)' so would loosen it, which takes a restart")
            }
        }
    }

    /// The given values over the defaults: those of the widest limits are no plain decimals.
    private static func decode(_ members: [(key: String, value: JSONValue)]) throws -> RiskLimits {
        for member in members where !known.contains(member.key) {
            throw ControlError(
                "there is no limit '\(member.key)' that can be tightened; there are \(known.sorted().joined(separator: ", "))"
            )
        }
        let defaults = try JSONParser.parse(Array(JSONEncoder().encode(RiskLimits())))
        var tree = (defaults.object ?? []).map { ($0.key, $0.value) }
        for member in members { tree.removeAll { $0.0 == member.key } }
        let text = JSONWriter.text(.fields(tree + members))
        do {
            return try JSONDecoder().decode(RiskLimits.self, from: Data(text.utf8))
        } catch DecodingError.dataCorrupted(let problem), DecodingError.typeMismatch(_, let problem) {
            // Foundation does not always say where.
            let name = problem.codingPath.last?.stringValue ?? members.map(\.key).joined(separator: ", ")
            throw ControlError("\(name): \(problem.debugDescription)")
        }
    }

    /// Those that refuse anything.
    public static func text(_ limits: RiskLimits) -> String {
        var parts = fields.filter { $0.isLooser(.unlimited, limits) }.map { "\($0.name) \($0.text(limits))" }
        if limits.maxBookAge > .zero { parts.append("maxBookAge \(limits.maxBookAge)") }
        return parts.joined(separator: ", ")
    }

    /// The first of them that would be looser than it is, with both values; nil when none would.
    func looser(than present: RiskLimits) -> String? {
        for field in LimitChanges.fields
        where names.contains(field.name) && field.isLooser(limits, present) {
            return "'\(field.name)' is \(field.text(present)) now, \(field.text(limits)) is looser"
        }
        return nil
    }
}
