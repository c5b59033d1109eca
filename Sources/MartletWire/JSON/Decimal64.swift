import Martlet

/// JSON numbers and decimal strings to scaled integers, exactly.
///
/// ``FixedPoint`` of `Martlet` reads plain decimals; this adds what a JSON number may have beside: an exponent.
enum Decimal64 {
    static func parse(_ text: String, decimals: Int) throws(FixedPoint.ParseError) -> Int64 {
        try Array(text.utf8).withUnsafeBufferPointer { bytes throws(FixedPoint.ParseError) in
            guard let base = bytes.baseAddress else { throw .malformed("") }
            return try parse(base, bytes.count, decimals: decimals)
        }
    }

    /// Reads `[-]digits[.digits][e[+-]digits]` as an integer of 10^-`decimals`; never rounds. O(length).
    @inline(__always)
    static func parse(
        _ base: UnsafePointer<UInt8>, _ count: Int, decimals: Int
    ) throws(FixedPoint.ParseError) -> Int64 {
        // The common case: at most 18 digits, no exponent, so that nothing can overflow before scaling.
        var index = 0
        let isNegative = count > 0 && base[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        var value: Int64 = 0
        var fraction = -1
        let digitsStart = index
        if count - index <= 19 {
            while index < count {
                let digit = base[index] &- 0x30
                if digit < 10 {
                    value = value &* 10 &+ Int64(digit)
                    fraction = fraction < 0 ? fraction : fraction &+ 1
                } else if base[index] == UInt8(ascii: "."), fraction < 0, index > digitsStart {
                    fraction = 0
                } else {
                    break
                }
                index += 1
            }
            let digitCount = index - digitsStart - (fraction < 0 ? 0 : 1)
            if index == count, digitCount > 0, digitCount <= 18, fraction != 0 {
                let missing = decimals - max(fraction, 0)
                if missing >= 0 {
                    let (scaled, overflowed) = value.multipliedReportingOverflow(by: power(missing))
                    if !overflowed { return isNegative ? -scaled : scaled }
                } else {
                    let divisor = power(-missing)
                    if value % divisor == 0 { return (isNegative ? -value : value) / divisor }
                }
            }
        }
        return try general(UnsafeBufferPointer(start: base, count: count), decimals: decimals)
    }

    /// As ``parse(_:_:decimals:)`` for a string's text, where the exchange writes no exponent: one is refused.
    @inline(__always)
    static func parsePlain(
        _ base: UnsafePointer<UInt8>, _ count: Int, decimals: Int
    ) throws(FixedPoint.ParseError) -> Int64 {
        for index in 0..<count where base[index] | 0x20 == UInt8(ascii: "e") {
            throw .malformed(String(decoding: UnsafeBufferPointer(start: base, count: min(count, 40)), as: UTF8.self))
        }
        return try parse(base, count, decimals: decimals)
    }

    /// 10^n for n up to 18.
    @inline(__always)
    static func power(_ n: Int) -> Int64 {
        var result: Int64 = 1
        for _ in 0..<min(n, 18) { result &*= 10 }
        return result
    }

    @inline(never)
    private static func general(
        _ text: UnsafeBufferPointer<UInt8>, decimals: Int
    ) throws(FixedPoint.ParseError) -> Int64 {
        guard let mark = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) else {
            return try FixedPoint.parse(text, decimals: decimals)
        }
        let described = String(decoding: text.prefix(40), as: UTF8.self)
        var exponentText = text[(mark + 1)...]
        var sign = 1
        if let first = exponentText.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            exponentText = exponentText.dropFirst()
        }
        guard !exponentText.isEmpty, exponentText.allSatisfy({ $0 &- 0x30 < 10 }) else {
            throw .malformed(described)
        }
        let mantissa = text[..<mark]
        // A zero is a zero at any exponent; else more digits than a 64-bit integer has are out of range.
        let isZero = !mantissa.contains { (0x31...0x39).contains($0) }
        let exponentDigits = exponentText.drop { $0 == 0x30 }
        if isZero { return try FixedPoint.parse(mantissa, decimals: decimals) }
        guard exponentDigits.count <= 4 else {
            if sign < 0 { throw .tooPrecise(described, decimals: decimals) }
            throw .outOfRange(described)
        }
        let exponent = sign * exponentDigits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return try FixedPoint.parse(shifted(mantissa, by: exponent), decimals: decimals)
    }

    /// Plain decimal text of a mantissa times 10^exponent.
    private static func shifted(_ mantissa: Slice<UnsafeBufferPointer<UInt8>>, by exponent: Int) -> [UInt8] {
        let isNegative = mantissa.first == UInt8(ascii: "-")
        let body = isNegative ? mantissa.dropFirst() : mantissa
        let pointIndex = body.firstIndex(of: UInt8(ascii: ".")) ?? body.endIndex
        var digits = body.filter { $0 != UInt8(ascii: ".") }
        var point = body.distance(from: body.startIndex, to: pointIndex) + exponent
        if point <= 0 {
            digits.insert(contentsOf: repeatElement(0x30, count: 1 - point), at: 0)
            point = 1
        }
        if point > digits.count { digits += repeatElement(0x30, count: point - digits.count) }
        if point < digits.count { digits.insert(UInt8(ascii: "."), at: point) }
        return (isNegative ? [UInt8(ascii: "-")] : []) + digits
    }
}
