/// Decimal text to scaled integers and back, exactly. Everything that reads or writes a price, a count or
/// an amount of money goes through here.
public enum FixedPoint {
    /// What was wrong with a decimal text.
    public enum ParseError: Error, Hashable, Sendable {
        /// Not of the form `[-]digits[.digits]`.
        case malformed(String)
        /// A non-zero digit stands beyond the number of decimals that the unit can hold.
        case tooPrecise(String, decimals: Int)
        /// Beyond the range of a 64-bit integer in the unit.
        case outOfRange(String)
    }

    /// Reads decimal text (`-12.3400`) as an integer of 10^-`decimals`.
    ///
    /// Trailing zeros beyond `decimals` are taken; other digits there are refused, never rounded. No exponent,
    /// no leading plus sign, no white space. O(length).
    @inlinable
    public static func parse(_ text: some Sequence<UInt8>, decimals: Int) throws(ParseError) -> Int64 {
        var value: Int64 = 0
        var fraction = -1
        var digits = 0
        var negative = false
        var first = true
        for byte in text {
            if first, byte == UInt8(ascii: "-") {
                negative = true
                first = false
                continue
            }
            first = false
            if byte == UInt8(ascii: "."), fraction < 0, digits > 0 {
                fraction = 0
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { throw .malformed(describe(text)) }
            digits += 1
            if fraction == decimals {
                guard digit == 0 else { throw .tooPrecise(describe(text), decimals: decimals) }
                continue
            }
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int64(digit))
            guard !overflowed, !carried else { throw .outOfRange(describe(text)) }
            value = sum
            if fraction >= 0 { fraction += 1 }
        }
        guard digits > 0, fraction != 0 || decimals == 0 else { throw .malformed(describe(text)) }
        for _ in max(fraction, 0)..<max(decimals, max(fraction, 0)) {
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            guard !overflowed else { throw .outOfRange(describe(text)) }
            value = tens
        }
        return negative ? -value : value
    }

    /// Writes an integer of 10^-`decimals` as decimal text with at least `minimum` decimals, further zeros cut.
    public static func format(_ value: Int64, decimals: Int, minimum: Int = 0) -> String {
        var magnitude = value.magnitude
        var kept = decimals
        while kept > minimum, magnitude % 10 == 0 {
            magnitude /= 10
            kept -= 1
        }
        var text = String(magnitude)
        if kept > 0 {
            if text.utf8.count <= kept {
                text = String(repeating: "0", count: kept + 1 - text.utf8.count) + text
            }
            text.insert(".", at: text.index(text.endIndex, offsetBy: -kept))
        }
        return value < 0 ? "-" + text : text
    }

    @usableFromInline
    static func describe(_ text: some Sequence<UInt8>) -> String {
        String(decoding: Array(text.prefix(40)), as: UTF8.self)
    }
}

extension FixedPoint.ParseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let text): "'\(text)' is not a decimal number"
        case .tooPrecise(let text, let decimals): "'\(text)' has more than \(decimals) decimals"
        case .outOfRange(let text): "'\(text)' is out of range"
        }
    }
}
