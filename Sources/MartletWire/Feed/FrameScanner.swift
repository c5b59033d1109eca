/// Walks JSON bytes in place, as strictly as ``JSONParser``, for the hot messages.
///
/// Anything out of the ordinary (an escape, a byte beyond ASCII, a fault) makes it give up with nil, and the
/// general parser has the last word. Unsafe pointers: a bounds-checked scanner is a quarter slower; sound because
/// each read is guarded by `position < end`.
struct FrameScanner {
    private let base: UnsafePointer<UInt8>
    private let end: Int
    private(set) var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, base: UnsafePointer<UInt8>) {
        self.base = base
        end = bytes.count
    }

    @inline(__always)
    private mutating func skipSpace() {
        while position < end {
            let byte = base[position]
            guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { return }
            position &+= 1
        }
    }

    /// Takes a punctuation mark.
    @inline(__always)
    mutating func take(_ mark: UInt8) -> Bool {
        skipSpace()
        guard position < end, base[position] == mark else { return false }
        position &+= 1
        return true
    }

    /// True when nothing but space is left.
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == end
    }

    /// What follows: its first byte.
    @inline(__always)
    mutating func peek() -> UInt8? {
        skipSpace()
        return position < end ? base[position] : nil
    }

    /// A string without escapes, beyond-ASCII or control characters.
    @inline(__always)
    mutating func string() -> UnsafeBufferPointer<UInt8>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while position < end {
            let byte = base[position]
            if byte == UInt8(ascii: "\"") {
                let found = UnsafeBufferPointer(start: base + start, count: position &- start)
                position &+= 1
                return found
            }
            guard byte >= 32, byte < 128, byte != UInt8(ascii: "\\") else { return nil }
            position &+= 1
        }
        return nil
    }

    /// A string, number, `true`, `false` or `null`.
    @inline(__always)
    mutating func scalar() -> WireToken? {
        guard let first = peek() else { return nil }
        if first == UInt8(ascii: "\"") { return string().map { WireToken(bytes: $0, isString: true) } }
        let start = position
        let isValid =
            switch first {
            case UInt8(ascii: "t"): word("true")
            case UInt8(ascii: "f"): word("false")
            case UInt8(ascii: "n"): word("null")
            default: number()
            }
        guard isValid else { return nil }
        return WireToken(
            bytes: UnsafeBufferPointer(start: base + start, count: position &- start), isString: false)
    }

    private mutating func word(_ word: StaticString) -> Bool {
        guard end - position >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where base[position + index] != word.utf8Start[index] {
            return false
        }
        position += word.utf8CodeUnitCount
        return true
    }

    private mutating func digits() -> Bool {
        let start = position
        while position < end, base[position] &- 48 < 10 { position &+= 1 }
        return position > start
    }
    private mutating func number() -> Bool {
        if position < end, base[position] == UInt8(ascii: "-") { position &+= 1 }
        let start = position
        guard digits(), base[start] != UInt8(ascii: "0") || position == start + 1 else { return false }
        if position < end, base[position] == UInt8(ascii: ".") {
            position &+= 1
            guard digits() else { return false }
        }
        // Exponents are no numbers of the exchange's: the general parser may have them.
        return position == end || base[position] | 32 != UInt8(ascii: "e")
    }

    /// Passes over any value; false at whatever is not plain.
    mutating func skip(depth: Int = 0) -> Bool {
        guard depth < 64, let first = peek() else { return false }
        if first == UInt8(ascii: "{") {
            position &+= 1
            if take(UInt8(ascii: "}")) { return true }
            repeat {
                guard string() != nil, take(UInt8(ascii: ":")), skip(depth: depth + 1) else { return false }
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "}"))
        }
        if first == UInt8(ascii: "[") {
            position &+= 1
            if take(UInt8(ascii: "]")) { return true }
            repeat {
                guard skip(depth: depth + 1) else { return false }
            } while take(UInt8(ascii: ","))
            return take(UInt8(ascii: "]"))
        }
        return scalar() != nil
    }
}
