/// A value's place in a JSON text, found and checked but not yet read.
package struct JSONToken: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case null, boolTrue, boolFalse, number, string, array, object
    }
    package var kind: Kind
    /// The string holds escapes, so that its bytes are not its text.
    package var isEscaped: Bool
    /// First byte: of a string, the one behind its quote.
    package var start: Int32
    /// Behind the last byte: of a string, its closing quote.
    package var end: Int32

    @inline(__always)
    init(_ kind: Kind, _ start: Int, _ end: Int, isEscaped: Bool = false) {
        self.kind = kind
        self.isEscaped = isEscaped
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }

    package var range: Range<Int> { Int(start)..<Int(end) }
    package var count: Int { Int(end) - Int(start) }
}

/// Walks over a JSON text byte by byte and accepts exactly RFC 8259: the one grammar under both the general
/// parser and the message decoder.
///
/// Unsafe pointers, since a bounds check for each byte costs about a quarter of the speed (measured). Sound
/// because every read is preceded by a comparison with `end`, and callers keep the text alive meanwhile.
struct JSONScanner {
    /// Deepest nesting accepted. RFC 8259 §9 allows a limit; the exchange's messages nest 4 deep, and each level
    /// costs the recursive functions below under 200 bytes of stack.
    static let depthMax = 512
    /// Longest text accepted, so that offsets fit 32 bits.
    static let lengthMax = 1 << 30

    let base: UnsafePointer<UInt8>
    let end: Int
    var position = 0

    init(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        guard text.count <= JSONScanner.lengthMax else { throw JSONError(.tooLong, at: JSONScanner.lengthMax) }
        guard let base = text.baseAddress, text.count > 0 else { throw JSONError(.empty, at: 0) }
        self.base = base
        end = text.count
    }

    /// A scanner over a part of a text that is known to be long enough.
    init(base: UnsafePointer<UInt8>, position: Int, end: Int) {
        self.base = base
        self.end = end
        self.position = position
    }

    @inline(__always)
    mutating func skipSpace() {
        while position < end {
            let byte = base[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// The byte at hand, which must exist.
    @inline(__always)
    func peek() throws(JSONError) -> UInt8 {
        guard position < end else { throw JSONError(.unexpectedEnd, at: end) }
        return base[position]
    }

    @inline(__always)
    mutating func take(_ byte: Unicode.Scalar) throws(JSONError) {
        guard try peek() == UInt8(ascii: byte) else { throw JSONError(.unexpectedByte, at: position) }
        position += 1
    }

    /// Whether nothing but space is left; otherwise an error.
    mutating func finish() throws(JSONError) {
        skipSpace()
        guard position == end else { throw JSONError(.trailingText, at: position) }
    }

    /// Passes over one whole value, checking it. `depth` is that of the value's container.
    mutating func value(depth: Int) throws(JSONError) -> JSONToken {
        switch try peek() {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        case UInt8(ascii: "{"):
            let start = position
            try object(depth: depth + 1) { (scanner, _) throws(JSONError) in
                _ = try scanner.value(depth: depth + 1)
            }
            return JSONToken(.object, start, position)
        case UInt8(ascii: "["):
            let start = position
            try array(depth: depth + 1) { (scanner) throws(JSONError) in
                _ = try scanner.value(depth: depth + 1)
            }
            return JSONToken(.array, start, position)
        case UInt8(ascii: "t"): return try word("true", .boolTrue)
        case UInt8(ascii: "f"): return try word("false", .boolFalse)
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    /// Passes over an object; `member` is given each key, with the scanner at its value, which it must pass.
    @inline(__always)
    mutating func object(
        depth: Int, _ member: (inout JSONScanner, JSONToken) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard depth <= JSONScanner.depthMax else { throw JSONError(.tooDeep, at: position) }
        try take("{")
        skipSpace()
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
            let key = try string()
            skipSpace()
            try take(":")
            skipSpace()
            try member(&self, key)
            skipSpace()
            if try peek() == UInt8(ascii: "}") {
                position += 1
                return
            }
            try take(",")
            skipSpace()
        }
    }

    /// Passes over an array; `element` is called with the scanner at each element, which it must pass.
    @inline(__always)
    mutating func array(
        depth: Int, _ element: (inout JSONScanner) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard depth <= JSONScanner.depthMax else { throw JSONError(.tooDeep, at: position) }
        try take("[")
        skipSpace()
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return
        }
        while true {
            try element(&self)
            skipSpace()
            if try peek() == UInt8(ascii: "]") {
                position += 1
                return
            }
            try take(",")
            skipSpace()
        }
    }

    private mutating func word(_ text: StaticString, _ kind: JSONToken.Kind) throws(JSONError) -> JSONToken {
        let start = position
        for index in 0..<text.utf8CodeUnitCount {
            guard position < end else { throw JSONError(.unexpectedEnd, at: end) }
            guard base[position] == text.utf8Start[index] else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
        }
        return JSONToken(kind, start, position)
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < end, base[position] &- 0x30 < 10 { position += 1 }
        guard position > start else {
            throw JSONError(position < end ? .badNumber : .unexpectedEnd, at: position)
        }
    }

    mutating func number() throws(JSONError) -> JSONToken {
        let start = position
        if base[position] == UInt8(ascii: "-") { position += 1 }
        if try peek() == UInt8(ascii: "0") {
            position += 1
            if position < end, base[position] &- 0x30 < 10 { throw JSONError(.badNumber, at: position) }
        } else {
            try digits()
        }
        if position < end, base[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < end, base[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try peek()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return JSONToken(.number, start, position)
    }

    /// Passes over a string, its escapes and UTF-8 checked.
    mutating func string() throws(JSONError) -> JSONToken {
        position += 1
        let start = position
        var isEscaped = false
        while true {
            position = SWAR.plainEnd(base, position, end)
            guard position < end else { throw JSONError(.unexpectedEnd, at: end) }
            let byte = base[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try escape()
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: position)
            } else {
                let length = UTF8Check.sequenceLength(base + position, end - position)
                guard length > 0 else { throw JSONError(.notUTF8, at: position) }
                position += length
            }
        }
        position += 1
        return JSONToken(.string, start, position - 1, isEscaped: isEscaped)
    }

    private mutating func escape() throws(JSONError) {
        let start = position
        position += 1
        switch try peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            let unit = try hexUnit()
            if unit & 0xFC00 == 0xD800 {
                guard position + 1 < end, base[position] == UInt8(ascii: "\\"),
                    base[position + 1] == UInt8(ascii: "u")
                else { throw JSONError(.loneSurrogate, at: start) }
                position += 2
                guard try hexUnit() & 0xFC00 == 0xDC00 else { throw JSONError(.loneSurrogate, at: start) }
            } else if unit & 0xFC00 == 0xDC00 {
                throw JSONError(.loneSurrogate, at: start)
            }
        default: throw JSONError(.badEscape, at: start)
        }
    }

    private mutating func hexUnit() throws(JSONError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = JSONText.hexValue(try peek()) else { throw JSONError(.badEscape, at: position) }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }
}
