// Eight bytes at a time in a 64-bit register ("SIMD within a register"), little-endian like every machine this
// runs on. The tests for a byte's value are Mycroft's: they may mark a byte above a true hit falsely, but the
// lowest mark is always true, and only the lowest is used.

enum SWAR {
    static let ones: UInt64 = 0x0101_0101_0101_0101
    static let highs: UInt64 = 0x8080_8080_8080_8080

    @inline(__always)
    static func load(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }

    /// High bits at (at least) the first byte that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    static func special(_ word: UInt64) -> UInt64 {
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            | ((word &- ones &* 0x20) & ~word) | word) & highs
    }

    /// The first position from `start` that holds a quote, a backslash, a control character or a byte that is
    /// not ASCII, or `end`.
    @inline(__always)
    static func plainEnd(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position &+ 8 <= end {
            let marks = special(load(base + position))
            if marks != 0 { return position &+ marks.trailingZeroBitCount >> 3 }
            position &+= 8
        }
        while position < end {
            let byte = base[position]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { return position }
            position &+= 1
        }
        return end
    }
}

extension SWAR {
    /// The digits at the beginning of eight bytes: how many, and their value.
    ///
    /// The digits are moved to the word's end with zeros before them and summed pairwise, after Lemire, "Quickly
    /// parsing eight digits" (2018).
    @inline(__always)
    static func digits(_ word: UInt64) -> (count: Int, value: UInt64) {
        let values = word ^ (ones &* 0x30)
        // High bits where a byte is above 9; the sum cannot carry over, since high bits are masked before.
        let marks = ((values & ~highs) &+ (ones &* 0x76) | values) & highs
        let count = marks.trailingZeroBitCount >> 3
        guard count > 0 else { return (0, 0) }
        var sum = values &<< UInt64(64 &- count &* 8)
        sum = sum &* 10 &+ sum >> 8
        sum =
            ((sum & 0x0000_00FF_0000_00FF) &* (100 &+ 1_000_000 << 32)
                &+ (sum >> 16 & 0x0000_00FF_0000_00FF) &* (1 &+ 10_000 << 32)) >> 32
        return (count, sum)
    }

    /// Seconds of a day from `02:31:45`, or nil when it is none.
    @inline(__always)
    static func clock(_ word: UInt64) -> Int64? {
        let values = word ^ 0x3030_3A30_303A_3030
        let marks = ((values & ~highs) &+ (ones &* 0x76) | values) & highs
        guard marks == 0, values & 0x0000_FF00_00FF_0000 == 0 else { return nil }
        let hour = Int64(values & 0xFF) &* 10 &+ Int64(values >> 8 & 0xFF)
        let minute = Int64(values >> 24 & 0xFF) &* 10 &+ Int64(values >> 32 & 0xFF)
        let second = Int64(values >> 48 & 0xFF) &* 10 &+ Int64(values >> 56)
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        return hour &* 3600 &+ minute &* 60 &+ second
    }

    /// 10^n for n from 0 to 9.
    @inline(__always)
    static func powers(_ n: Int) -> Int64 {
        switch n {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1_000
        case 4: 10_000
        case 5: 100_000
        case 6: 1_000_000
        case 7: 10_000_000
        case 8: 100_000_000
        default: 1_000_000_000
        }
    }
}

/// Checks UTF-8 after RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF.
package enum UTF8Check {
    /// The length of the well-formed sequence at `bytes`, or 0 when there is none.
    static func sequenceLength(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
        func isContinuation(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            index < count && range.contains(bytes[index])
        }
        guard count > 0 else { return 0 }
        switch bytes[0] {
        case 0..<0x80: return 1
        case 0xC2...0xDF: return isContinuation(1) ? 2 : 0
        case 0xE0: return isContinuation(1, 0xA0...0xBF) && isContinuation(2) ? 3 : 0
        case 0xED: return isContinuation(1, 0x80...0x9F) && isContinuation(2) ? 3 : 0
        case 0xE1...0xEF: return isContinuation(1) && isContinuation(2) ? 3 : 0
        case 0xF0:
            return isContinuation(1, 0x90...0xBF) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF4:
            return isContinuation(1, 0x80...0x8F) && isContinuation(2) && isContinuation(3) ? 4 : 0
        case 0xF1...0xF3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : 0
        default: return 0
        }
    }

    /// The first byte that is not UTF-8, or nil when all of it is. Eight bytes at a time over ASCII.
    package static func firstFault(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = text.baseAddress else { return nil }
        var position = 0
        while position < text.count {
            if position + 8 <= text.count, SWAR.load(base + position) & SWAR.highs == 0 {
                position += 8
                continue
            }
            let length = sequenceLength(base + position, text.count - position)
            guard length > 0 else { return position }
            position += length
        }
        return nil
    }
}
