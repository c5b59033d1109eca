/// The 64-bit xxHash of Yann Collet (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), for checksums of blocks.
///
/// Not cryptographic: it finds accidents, not forgeries. About one byte in 0.1 ns.
public enum XXH64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    @inline(__always)
    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value &<< bits | value &>> (64 &- bits)
    }
    @inline(__always)
    private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
        rotate(lane &+ input &* prime2, 31) &* prime1
    }
    @inline(__always)
    private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
        (hash ^ round(0, lane)) &* prime1 &+ prime4
    }
    @inline(__always)
    private static func word(_ bytes: UnsafeRawPointer) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    }

    /// The hash of `count` bytes. O(count).
    public static func hash(_ bytes: UnsafeRawPointer, count: Int, seed: UInt64 = 0) -> UInt64 {
        var cursor = bytes
        let end = bytes + count
        var hash: UInt64
        if count >= 32 {
            var (a, b) = (seed &+ prime1 &+ prime2, seed &+ prime2)
            var (c, d) = (seed, seed &- prime1)
            let limit = end - 32
            repeat {
                a = round(a, word(cursor))
                b = round(b, word(cursor + 8))
                c = round(c, word(cursor + 16))
                d = round(d, word(cursor + 24))
                cursor += 32
            } while cursor <= limit
            hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
            hash = merge(merge(merge(merge(hash, a), b), c), d)
        } else {
            hash = seed &+ prime5
        }
        return finish(hash &+ UInt64(count), cursor, end)
    }

    private static func finish(
        _ start: UInt64, _ tail: UnsafeRawPointer, _ end: UnsafeRawPointer
    ) -> UInt64 {
        var (hash, cursor) = (start, tail)
        while end - cursor >= 8 {
            hash = rotate(hash ^ round(0, word(cursor)), 27) &* prime1 &+ prime4
            cursor += 8
        }
        if end - cursor >= 4 {
            let half = UInt64(UInt32(littleEndian: cursor.loadUnaligned(as: UInt32.self)))
            hash = rotate(hash ^ half &* prime1, 23) &* prime2 &+ prime3
            cursor += 4
        }
        while cursor < end {
            hash = rotate(hash ^ UInt64(cursor.load(as: UInt8.self)) &* prime5, 11) &* prime1
            cursor += 1
        }
        hash = (hash ^ hash &>> 33) &* prime2
        hash = (hash ^ hash &>> 29) &* prime3
        return hash ^ hash &>> 32
    }

    /// The hash of one number, to chain checksums.
    static func hash(_ number: UInt64, seed: UInt64) -> UInt64 {
        withUnsafeBytes(of: number.littleEndian) { bytes in
            guard let base = bytes.baseAddress else { return seed }
            return hash(base, count: bytes.count, seed: seed)
        }
    }
    public static func hash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            withUnsafeBytes(of: UInt8(0)) { nothing in
                guard let base = buffer.baseAddress ?? nothing.baseAddress else { return seed }
                return hash(base, count: buffer.count, seed: seed)
            }
        }
    }
}
