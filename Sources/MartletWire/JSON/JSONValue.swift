import Martlet

/// A JSON text's value. Numbers keep their source text, so that no decimal passes through binary floating point.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As it stood in the text, already checked against the grammar.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// In the text's order. A key that stands twice is kept twice; looking up gives the last, as most parsers do.
    case object([Member])

    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: JSONValue
        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The member of an object, or nil. O(members).
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self, let index = members.lastIndex(where: { $0.key == key }) else {
            return nil
        }
        return members[index].value
    }
    public var isNull: Bool { if case .null = self { true } else { false } }
    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    public var object: [Member]? { if case .object(let members) = self { members } else { nil } }
    /// An integer written without fraction or exponent.
    public var int64: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
    public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    /// The decimal text of a number or of a string: the exchange writes both.
    public var decimalText: String? {
        switch self {
        case .number(let text), .string(let text): text
        case .null, .bool, .array, .object: nil
        }
    }
}

/// Why a text is not JSON, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public var problem: String
    /// Bytes from the start.
    public var offset: Int
    /// From 1; the column in bytes.
    public var line: Int
    public var column: Int
    public var description: String { "\(problem) at line \(line), column \(column) (byte \(offset))" }
}
