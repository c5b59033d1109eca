// Moves over a frame's bytes in leaps of eight.
//
// Unsafe pointers: every byte of every message goes through here, and bounds checks cost a quarter of the speed
// (measured). Sound because each read is preceded by a comparison with `end`.

/// A place in a frame, moved forward over what is expected. Sound: nothing is read at or behind `end`.
struct ByteCursor {
    var position: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// 0 at the end.
    @inline(__always)
    func peek() -> UInt8 { position < end ? position.pointee : 0 }

    @inline(__always)
    mutating func skipByte(_ byte: Unicode.Scalar) -> Bool {
        guard position < end, position.pointee == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    /// Passes over a literal if it stands here. The loads from the literal fold into constants.
    @inline(__always)
    mutating func skip(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        let expected = literal.utf8Start
        guard end - position >= count else { return false }
        var difference: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            difference |= SWAR.load(position + index) ^ SWAR.load(expected + index)
            index &+= 8
        }
        if index < count {
            if count >= 8 {
                difference |= SWAR.load(position + (count &- 8)) ^ SWAR.load(expected + (count &- 8))
            } else {
                while index < count {
                    difference |= UInt64(position[index] ^ expected[index])
                    index &+= 1
                }
            }
        }
        guard difference == 0 else { return false }
        position += count
        return true
    }

    /// The next eight bytes, zeros beyond the end.
    @inline(__always)
    func word() -> UInt64 { end - position >= 8 ? SWAR.load(position) : lastWord() }

    @inline(never)
    private func lastWord() -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<max(end - position, 0) { word |= UInt64(position[index]) &<< UInt64(index &* 8) }
        return word
    }

    /// A whole number of 1 to 15 digits without a leading zero, or -1.
    @inline(__always)
    mutating func natural() -> Int64 {
        let start = position
        let digits = SWAR.digits(word())
        var value = Int64(truncatingIfNeeded: digits.value)
        position += digits.count
        if digits.count == 8 {
            let more = SWAR.digits(word())
            value = value &* SWAR.power(more.count) &+ Int64(truncatingIfNeeded: more.value)
            position += more.count
            if more.count == 8 { return -1 }
        }
        // 1.5 and 1e3 are numbers too, and 01 is none: for the general way.
        let next = peek()
        let isPlain =
            position > start && (start.pointee != 0x30 || position - start == 1) && next != 0x2E
            && next | 0x20 != 0x65
        return isPlain ? value : -1
    }

    /// A decimal as an integer of 10^-`decimals`, without sign and at most 7 digits before the point and 7 behind
    /// it; else -1.
    @inline(never)
    mutating func unsignedDecimal(_ decimals: Int) -> Int64 {
        let whole = SWAR.digits(word())
        guard whole.count > 0, whole.count < 8 else { return -1 }
        position += whole.count
        let value = Int64(truncatingIfNeeded: whole.value) &* SWAR.power(decimals)
        guard peek() == UInt8(ascii: ".") else { return value }
        position += 1
        let fraction = SWAR.digits(word())
        let digits = Int64(truncatingIfNeeded: fraction.value)
        position += fraction.count
        guard fraction.count > 0, fraction.count <= decimals else {
            return fraction.count > 0 && fraction.count < 8
                ? cut(value, digits, SWAR.power(fraction.count &- decimals)) : -1
        }
        return value &+ digits &* SWAR.power(decimals &- fraction.count)
    }

    /// A price up to its closing quote, in micro-dollars; else negative. Four decimals, as the exchange writes them,
    /// take one load.
    @inline(__always)
    mutating func price() -> Int64 {
        let word = word()
        // `0.dddd"`
        if word & 0x00FF_0000_0000_FFFF == 0x0022_0000_0000_2E30 {
            let digits = SWAR.digits(word >> 16)
            if digits.count == 4 {
                position += 6
                return Int64(truncatingIfNeeded: digits.value) &* 100
            }
        }
        return unsignedDecimal(6)
    }

    /// A count of contracts up to its closing quote, in hundredths; else negative. Two decimals and up to four
    /// digits before them take one load.
    @inline(__always)
    mutating func hundredths() -> Int64 {
        let word = word()
        let whole = SWAR.digits(word)
        let rest = word &>> UInt64((whole.count &+ 1) &* 8)
        let isShort = whole.count > 0 && whole.count <= 4 && word &>> UInt64(whole.count &* 8) & 0xFF == 0x2E
        let tens = (rest & 0xFF) ^ 0x30
        let units = (rest >> 8 & 0xFF) ^ 0x30
        if isShort, tens < 10, units < 10, rest >> 16 & 0xFF == 0x22 {
            position += whole.count &+ 3
            return Int64(truncatingIfNeeded: whole.value &* 100 &+ tens &* 10 &+ units)
        }
        return unsignedDecimal(2)
    }

    /// Digits beyond the unit must be zeros.
    @inline(never)
    private func cut(_ value: Int64, _ digits: Int64, _ divisor: Int64) -> Int64 {
        digits % divisor == 0 ? value &+ digits / divisor : -1
    }

    /// One to nine digits behind a point, as 10^-9, or -1.
    @inline(__always)
    mutating func fraction() -> Int64 {
        let digits = SWAR.digits(word())
        let value = Int64(truncatingIfNeeded: digits.value)
        position += digits.count
        if digits.count < 8 { return digits.count > 0 ? value &* SWAR.power(9 &- digits.count) : -1 }
        let last = peek() &- 0x30
        if last > 9 { return value &* 10 }
        position += 1
        return value &* 10 &+ Int64(last)
    }

    /// Passes over JSON's white space.
    @inline(__always)
    mutating func skipSpace() {
        while position < end, position.pointee <= 0x20 {
            let byte = position.pointee
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// Whether nothing but white space is left.
    @inline(__always)
    mutating func isAtEnd() -> Bool {
        skipSpace()
        return position == end
    }

    /// Passes over text up to its closing quote; false when it holds anything but plain ASCII.
    @inline(__always)
    mutating func skipText() -> Bool {
        while true {
            let marks = SWAR.special(word())
            if marks != 0 {
                position += marks.trailingZeroBitCount >> 3
                return peek() == UInt8(ascii: "\"")
            }
            position += 8
        }
    }

    /// As ``skipText()``, with the text's hash as ``TickerTable`` computes it. Returns its length, or -1 when it is
    /// empty or not plain.
    @inline(__always)
    mutating func hashedText(_ hash: inout UInt64) -> Int {
        let start = position
        var running: UInt64 = 0
        while true {
            let word = word()
            let marks = SWAR.special(word)
            if marks != 0 {
                let rest = marks.trailingZeroBitCount >> 3
                if rest > 0 { running = TickerTable.mix(running, word & (1 &<< UInt64(rest &* 8) &- 1)) }
                position += rest
                let length = position - start
                hash = TickerTable.finish(running, length)
                return peek() == UInt8(ascii: "\"") && length > 0 ? length : -1
            }
            running = TickerTable.mix(running, word)
            position += 8
        }
    }
}
