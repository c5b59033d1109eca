/// The exclusive-or that the protocol lays over a client's payloads.
enum WebSocketMask {
    /// Masks or unmasks in place, eight bytes at a time.
    /// - Parameter offset: how far into the frame's payload `bytes` begin.
    static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer, offset: Int) {
        guard let base = bytes.baseAddress else { return }
        // Turned so that its first byte in memory meets the first of `bytes`.
        let shift = UInt32(offset & 3) * 8
        let little = UInt32(littleEndian: key)
        let turned = shift == 0 ? little : little >> shift | little << (32 - shift)
        let wide = (UInt64(turned) << 32 | UInt64(turned)).littleEndian
        let count = bytes.count
        var index = 0
        // Unsafe because bounds checks stop the compiler from using vector instructions here.
        while index + 8 <= count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            base.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            let byte = UInt8(truncatingIfNeeded: turned >> (UInt32(index & 3) * 8))
            base.storeBytes(
                of: base.load(fromByteOffset: index, as: UInt8.self) ^ byte, toByteOffset: index,
                as: UInt8.self)
            index += 1
        }
    }
}
