import Martlet
import MartletWire

// Values as the exchange writes them (API.md §5).

extension JSONValue {
    /// An object in the order given, without the members that are nil.
    static func of(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { key, value in value.map { Member(key, $0) } })
    }
    static func integer(_ value: some BinaryInteger) -> JSONValue { .number("\(value)") }
    static func text(_ value: String?) -> JSONValue? { value.map { .string($0) } }
    /// Four decimals, up to six where needed.
    static func price(_ value: Price) -> JSONValue { .string(value.description) }
    /// Two decimals.
    static func count(_ value: Quantity) -> JSONValue { .string(value.description) }
    /// Dollars with six decimals, cut.
    static func cost(_ value: Money) -> JSONValue { .string(value.sixDecimals) }
    /// Dollars with four decimals, cut.
    static func dollars(_ value: Money) -> JSONValue { .string(value.fourDecimals) }
    /// RFC 3339.
    static func time(_ value: Timestamp) -> JSONValue { .string(value.wireText) }
    /// RFC 3339, null where there is none.
    static func optionalTime(_ value: Timestamp) -> JSONValue? { value.isKnown ? .time(value) : nil }
}

extension Money {
    var sixDecimals: String {
        FixedPoint.format(roundedDown(to: Money(micros: 1)).raw / 100, decimals: 6, minimum: 6)
    }
    var fourDecimals: String {
        FixedPoint.format(roundedDown(to: Money(micros: 100)).raw / 10_000, decimals: 4, minimum: 4)
    }
    /// Whole cents, cut.
    var cents: Int64 { roundedDown(to: Money(cents: 1)).raw / 1_000_000 }
}

extension Timestamp {
    /// RFC 3339 with milliseconds at most.
    var wireText: String { Timestamp(milliseconds: milliseconds).description }
}

extension Side {
    /// `outcome_side`.
    var outcome: String { self == .bid ? "yes" : "no" }
}

extension SelfTradePrevention {
    var wire: String { self == .maker ? "maker" : "taker_at_cross" }
}
