/// Checks UTF-8 as it arrives, in pieces cut anywhere, and fails at the first byte that cannot be right.
/// Over-long forms, surrogates and values above U+10FFFF are wrong.
struct UTF8Validator {
    /// Continuation bytes still due, and the range that the next one must lie in.
    private var due: UInt8 = 0
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xbf

    /// No character is half read.
    var isComplete: Bool { due == 0 }

    mutating func reset() { self = UTF8Validator() }

    /// Whether all so far can be the beginning of valid text. Linear; plain ASCII goes 16 bytes at a time.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var index = 0
        while index < count {
            if due == 0 {
                while index + 16 <= count {
                    let first = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let second = base.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
                    guard (first | second) & 0x8080_8080_8080_8080 == 0 else { break }
                    index += 16
                }
                if index == count { return true }
            }
            let byte = base.load(fromByteOffset: index, as: UInt8.self)
            index += 1
            if due > 0 {
                guard byte >= low && byte <= high else { return false }
                due -= 1
                low = 0x80
                high = 0xbf
            } else if byte >= 0x80 {
                guard lead(byte) else { return false }
            }
        }
        return true
    }

    private mutating func lead(_ byte: UInt8) -> Bool {
        switch byte {
        case 0xc2...0xdf: due = 1
        case 0xe0: (due, low) = (2, 0xa0)
        case 0xed: (due, high) = (2, 0x9f)
        case 0xe1...0xef: due = 2
        case 0xf0: (due, low) = (3, 0x90)
        case 0xf4: (due, high) = (3, 0x8f)
        case 0xf1...0xf3: due = 3
        default: return false
        }
        return true
    }
}
