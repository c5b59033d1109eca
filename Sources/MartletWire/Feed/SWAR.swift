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
        return
            (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
            | ((word &- ones &* 0x20) & ~word) | word) & highs
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

    /// Seconds of a day from `02:31:45`, or -1 when it is none.
    @inline(__always)
    static func clock(_ word: UInt64) -> Int64 {
        let values = word ^ 0x3030_3A30_303A_3030
        let marks = ((values & ~highs) &+ (ones &* 0x76) | values) & highs
        guard marks == 0, values & 0x0000_FF00_00FF_0000 == 0 else { return -1 }
        let hour = Int64(values & 0xFF) &* 10 &+ Int64(values >> 8 & 0xFF)
        let minute = Int64(values >> 24 & 0xFF) &* 10 &+ Int64(values >> 32 & 0xFF)
        let second = Int64(values >> 48 & 0xFF) &* 10 &+ Int64(values >> 56)
        guard hour < 24, minute < 60, second <= 60 else { return -1 }
        return hour &* 3600 &+ minute &* 60 &+ second
    }

    /// 10^n for n from 0 to 9.
    @inline(__always)
    static func power(_ n: Int) -> Int64 {
        // 10^4 = 10000, picked by n's bits: no table, no branch.
        let low: Int64 = n & 1 == 0 ? 1 : 10
        let middle: Int64 = n & 2 == 0 ? 1 : 100
        let high: Int64 = n & 4 == 0 ? 1 : 10_000
        let top: Int64 = n & 8 == 0 ? 1 : 100_000_000
        return low &* middle &* (high &* top)
    }
}
