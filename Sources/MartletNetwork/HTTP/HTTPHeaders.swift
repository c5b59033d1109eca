/// Header fields in their order. Names compare without regard to case (ASCII).
public struct HTTPHeaders: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    public struct Field: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fields: [Field] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0, $1) }
    }

    public mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// The first value under `name`.
    public subscript(name: String) -> String? { fields.first { HTTPHeaders.same($0.name, name) }?.value }

    public func all(_ name: String) -> [String] {
        fields.compactMap { HTTPHeaders.same($0.name, name) ? $0.value : nil }
    }

    public func contains(_ name: String) -> Bool { fields.contains { HTTPHeaders.same($0.name, name) } }

    /// The members of a comma-separated list over all fields of that name, trimmed, in lower case.
    public func tokens(_ name: String) -> [String] {
        var found: [String] = []
        for field in fields where HTTPHeaders.same(field.name, name) {
            for part in field.value.utf8.split(separator: UInt8(ascii: ",")) {
                let bytes = HTTPHeaders.trimmed(part).map(ASCII.lower)
                if !bytes.isEmpty { found.append(String(decoding: bytes, as: UTF8.self)) }
            }
        }
        return found
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        func isSpace(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text = text.dropLast() }
        return text
    }

    static func same(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { ASCII.lower($0) == ASCII.lower($1) }
    }
}

/// Classes of bytes as RFC 9110 names them.
enum ASCII {
    static let carriageReturn: UInt8 = 13
    static let lineFeed: UInt8 = 10
    static let space: UInt8 = 32
    static let tab: UInt8 = 9

    static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// A character of a method's or a field's name.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e, 0x5f, 0x60, 0x7c, 0x7e: true
        default: false
        }
    }

    /// A byte that a field's value, a reason or a chunk extension may hold.
    static func isFieldContent(_ byte: UInt8) -> Bool { byte == tab || (byte >= 0x20 && byte != 0x7f) }

    static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

    static func hexValue(_ byte: UInt8) -> UInt64? {
        switch byte {
        case 0x30...0x39: UInt64(byte - 0x30)
        case 0x41...0x46: UInt64(byte - 0x41 + 10)
        case 0x61...0x66: UInt64(byte - 0x61 + 10)
        default: nil
        }
    }
}
