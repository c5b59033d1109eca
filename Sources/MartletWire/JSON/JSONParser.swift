/// A strict parser of RFC 8259.
///
/// Choices where the standard leaves one (JSONTestSuite's `i_` cases): numbers of any size are kept as text;
/// text that is not UTF-8, a byte order mark and lone surrogate escapes are refused; nesting is bounded by
/// ``maximumDepth``.
public struct JSONParser {
    /// Deeper nesting is refused, for each level costs stack.
    public static let maximumDepth = 512

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// The value of a whole text. O(bytes).
    public static func parse(_ text: some Collection<UInt8>) throws(JSONError) -> JSONValue {
        let copy = text.withContiguousStorageIfAvailable { parseResult($0) }
        return try (copy ?? Array(text).withUnsafeBufferPointer { parseResult($0) }).get()
    }
    public static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(text.utf8) }

    private static func parseResult(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONError> {
        var parser = JSONParser(bytes: bytes)
        do throws(JSONError) {
            return .success(try parser.document())
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("something follows the value") }
        return value
    }

    private func error(_ problem: String, at offset: Int? = nil) -> JSONError {
        let offset = min(offset ?? position, bytes.count)
        var line = 1
        var start = 0
        for index in 0..<offset where bytes[index] == 10 {
            line += 1
            start = index + 1
        }
        return JSONError(problem: problem, offset: offset, line: line, column: offset - start + 1)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 32 || byte == 10 || byte == 13 || byte == 9 { position += 1 }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONParser.maximumDepth else {
            throw error("nested deeper than \(JSONParser.maximumDepth)")
        }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return .number(try number())
        case .some: throw error("no value begins so")
        case nil: throw error("a value is missing")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard peek == word.utf8Start[index] else { throw error("'\(word)' expected") }
            position += 1
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        skipSpace()
        if peek == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        var members: [JSONValue.Member] = []
        members.reserveCapacity(8)
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a key in double quotes expected") }
            let key = try string()
            skipSpace()
            guard peek == UInt8(ascii: ":") else { throw error("':' expected") }
            position += 1
            members.append(.init(key, try value(depth: depth + 1)))
            skipSpace()
            switch peek {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw error("',' or '}' expected")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            position += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            switch peek {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(values)
            default: throw error("',' or ']' expected")
            }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    private mutating func digits() throws(JSONError) {
        guard let byte = peek, isDigit(byte) else { throw error("a digit expected") }
        while let byte = peek, isDigit(byte) { position += 1 }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
            if let byte = peek, isDigit(byte) { throw error("a number must not begin with 0") }
        } else {
            try digits()
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return ascii(start..<position)
    }

    private mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        let first = position
        // The common case has no escape: one copy, validated where there is anything to validate.
        var all: UInt8 = 0
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 32 else { throw error("a control character in a string") }
            all |= byte
            position += 1
        }
        var text = all < 128 ? ascii(first..<position) : try validated(first..<position)
        while true {
            switch peek {
            case nil: throw error("a string without end", at: start)
            case UInt8(ascii: "\""):
                position += 1
                return text
            case UInt8(ascii: "\\"): text.unicodeScalars.append(try escape())
            default:
                let from = position
                while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                    guard byte >= 32 else { throw error("a control character in a string") }
                    position += 1
                }
                text += try validated(from..<position)
            }
        }
    }

    private func ascii(_ range: Range<Int>) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }
    private func validated(_ range: Range<Int>) throws(JSONError) -> String {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw error("text that is not UTF-8", at: range.lowerBound)
        }
        return text
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        let start = position
        position += 1
        guard let byte = peek else { throw error("a string without end", at: start) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            if unit & 0xFC00 == 0xD800 {
                guard peek == UInt8(ascii: "\\") else { throw error("a lone surrogate", at: start) }
                position += 1
                guard peek == UInt8(ascii: "u") else { throw error("a lone surrogate", at: start) }
                position += 1
                let low = try hexadecimal()
                guard low & 0xFC00 == 0xDC00,
                    let scalar = Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF)
                else { throw error("a lone surrogate", at: start) }
                return scalar
            }
            guard let scalar = Unicode.Scalar(unit) else { throw error("a lone surrogate", at: start) }
            return scalar
        default: throw error("an unknown escape", at: start)
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 128
            else {
                throw error("four hexadecimal digits expected")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
