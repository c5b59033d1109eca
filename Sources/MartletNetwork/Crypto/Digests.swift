import COpenSSL

/// SHA-256 and SHA-1 of bytes in memory.
public enum Digest {
    /// 32 bytes.
    public static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        digest(bytes, Int(SHA256_DIGEST_LENGTH)) { SHA256($0, $1, $2) }
    }

    /// 20 bytes. For the WebSocket handshake, which asks for it; no protection against anybody.
    public static func sha1(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        digest(bytes, Int(SHA_DIGEST_LENGTH)) { SHA1($0, $1, $2) }
    }

    /// Lower-case hexadecimal.
    public static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func digest(
        _ bytes: some Sequence<UInt8>, _ size: Int,
        _ function: (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UInt8>?) -> UnsafeMutablePointer<UInt8>?
    ) -> [UInt8] {
        let input = Array(bytes)
        return [UInt8](unsafeUninitializedCapacity: size) { output, count in
            _ = input.withUnsafeBufferPointer { function($0.baseAddress, $0.count, output.baseAddress) }
            count = size
        }
    }
}

/// Random bytes that nobody can foretell.
enum SecureRandom {
    static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        let pointer = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let filled = RAND_bytes(pointer, Int32(buffer.count))
        precondition(filled == 1, "the system gives no random bytes")
    }
}
