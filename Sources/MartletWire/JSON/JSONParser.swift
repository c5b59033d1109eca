/// The strict general parser: exactly RFC 8259 in UTF-8.
///
/// What the RFC leaves open: no byte order mark, nesting up to 512 levels, duplicate keys kept in order, numbers
/// of any size kept as their text, half a surrogate pair refused (no `String` can hold it).
package enum JSONParser {
    /// Parses a whole text. Errors carry byte offset, line and column. O(length).
    package static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        do throws(JSONError) {
            var scanner = try JSONScanner(text)
            scanner.skipSpace()
            guard scanner.position < scanner.end else { throw JSONError(.empty, at: 0) }
            let value = try build(&scanner, depth: 0)
            try scanner.finish()
            return value
        } catch {
            throw error.located(in: text)
        }
    }

    package static func parse(_ text: [UInt8]) throws(JSONError) -> JSONValue {
        try text.withUnsafeBufferPointer { bytes throws(JSONError) in try parse(bytes) }
    }
    package static func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// The value of a part of a text that a scanner has already checked.
    static func parse(_ token: JSONToken, in base: UnsafePointer<UInt8>) throws(JSONError) -> JSONValue {
        let start = token.kind == .string ? Int(token.start) - 1 : Int(token.start)
        let end = token.kind == .string ? Int(token.end) + 1 : Int(token.end)
        var scanner = JSONScanner(base: base, position: start, end: end)
        return try build(&scanner, depth: 0)
    }

    private static func build(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) -> JSONValue {
        switch try scanner.peek() {
        case UInt8(ascii: "{"):
            var members: [JSONObject.Member] = []
            try scanner.object(depth: depth + 1) { (scanner, key) throws(JSONError) in
                let name = JSONText.string(key, in: scanner.base)
                members.append(.init(name, try build(&scanner, depth: depth + 1)))
            }
            return .object(JSONObject(members))
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.array(depth: depth + 1) { (scanner) throws(JSONError) in
                elements.append(try build(&scanner, depth: depth + 1))
            }
            return .array(elements)
        default:
            let token = try scanner.value(depth: depth)
            switch token.kind {
            case .null: return .null
            case .boolTrue: return .bool(true)
            case .boolFalse: return .bool(false)
            case .string: return .string(JSONText.string(token, in: scanner.base))
            default: return .number(JSONText.raw(token, in: scanner.base))
            }
        }
    }
}

/// The text of a string token that a scanner has checked.
enum JSONText {
    @inline(__always)
    static func raw(_ token: JSONToken, in base: UnsafePointer<UInt8>) -> String {
        String(decoding: UnsafeBufferPointer(start: base + Int(token.start), count: token.count), as: UTF8.self)
    }

    static func string(_ token: JSONToken, in base: UnsafePointer<UInt8>) -> String {
        token.isEscaped ? String(decoding: unescaped(token, in: base), as: UTF8.self) : raw(token, in: base)
    }

    /// The bytes of a string with its escapes resolved. Traps on nothing: the scanner has checked the escapes.
    static func unescaped(_ token: JSONToken, in base: UnsafePointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(token.count)
        var index = Int(token.start)
        let end = Int(token.end)
        while index < end {
            guard base[index] == UInt8(ascii: "\\"), index + 1 < end else {
                result.append(base[index])
                index += 1
                continue
            }
            let letter = base[index + 1]
            index += 2
            switch letter {
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "u"):
                var code = unit(base, index, end)
                index += 4
                if code & 0xFC00 == 0xD800 {
                    code = 0x10000 + (code & 0x3FF) << 10 + unit(base, index + 2, end) & 0x3FF
                    index += 6
                }
                append(code, to: &result)
            default: result.append(letter)
            }
        }
        return result
    }

    private static func unit(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> UInt32 {
        (start..<min(start + 4, end)).reduce(0) { $0 << 4 | (hexValue(base[$1]) ?? 0) }
    }

    private static func append(_ code: UInt32, to bytes: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(code) else { return }
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x41 + 10)
        case 0x61...0x66: UInt32(byte - 0x61 + 10)
        default: nil
        }
    }
}
