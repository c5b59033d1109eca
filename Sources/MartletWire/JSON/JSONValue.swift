import Martlet

/// A JSON value of any shape, for what is not hot. Numbers keep their source text, so nothing is rounded.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// Exactly as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// A JSON object's members in their order.
///
/// A key that stands twice is kept twice, as RFC 8259 §4 leaves open: look-up gives the last (what most parsers
/// do), and ``duplicateKey`` tells the callers that refuse it.
package struct JSONObject: Hashable, Sendable {
    package struct Member: Hashable, Sendable {
        package var key: String
        package var value: JSONValue
        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }
    package var members: [Member]
    package init(_ members: [Member] = []) { self.members = members }

    /// The last member of that name. O(members).
    package subscript(key: String) -> JSONValue? { members.last { $0.key == key }?.value }
    /// The first key that stands more than once. O(members).
    package var duplicateKey: String? {
        var seen: Set<String> = []
        return members.first { !seen.insert($0.key).inserted }?.key
    }
    package mutating func append(_ key: String, _ value: JSONValue) { members.append(Member(key, value)) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { .init($0.0, $0.1) }))
    }
}

extension JSONValue {
    /// The member of an object, or nil: not an object, no such key.
    package subscript(key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }
    /// The element of an array, or nil: not an array, no such element.
    package subscript(index: Int) -> JSONValue? {
        if case .array(let elements) = self, elements.indices.contains(index) { elements[index] } else { nil }
    }
    package var isNull: Bool { self == .null }
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    /// The exact source text of a number.
    package var numberText: String? { if case .number(let text) = self { text } else { nil } }
    /// A number with a whole value in 64 bits; nil for any other (1.5, 1e30), never rounded.
    package var int64: Int64? { numberText.flatMap { try? Decimal64.parse($0, decimals: 0) } }
    package var int: Int? { int64.flatMap(Int.init(exactly:)) }
    /// The nearest `Double`, infinity included where the number is too large.
    package var double: Double? { numberText.flatMap { Double($0) } }

    /// A decimal as an integer of 10^-`decimals`, from a number or a string: the exchange sends both.
    ///
    /// Nil when it is neither; throws when it is no decimal, too precise or out of range.
    package func fixedPoint(decimals: Int) throws(FixedPoint.ParseError) -> Int64? {
        switch self {
        case .number(let text): try Decimal64.parse(text, decimals: decimals)
        case .string(let text): try FixedPoint.parse(text.utf8, decimals: decimals)
        default: nil
        }
    }

    /// What kind of value it is, for error messages.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
