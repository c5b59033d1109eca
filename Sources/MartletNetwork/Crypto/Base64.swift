/// Standard base64 (RFC 4648 §4) with padding, and nothing else.
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 0xff, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { output in
            var written = 0
            var index = 0
            while index < bytes.count {
                let left = bytes.count - index
                let first = UInt32(bytes[index]) << 16
                let second = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
                let third = left > 2 ? UInt32(bytes[index + 2]) : 0
                let group = first | second | third
                let pad = UInt8(ascii: "=")
                output[written] = alphabet[Int(group >> 18)]
                output[written + 1] = alphabet[Int(group >> 12 & 63)]
                output[written + 2] = left > 1 ? alphabet[Int(group >> 6 & 63)] : pad
                output[written + 3] = left > 2 ? alphabet[Int(group & 63)] : pad
                written += 4
                index += 3
            }
            return written
        }
    }

    /// Nil unless `text` is exactly one valid encoding: padded, without spaces, unused bits zero.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8)) }

    /// Whether the byte may stand in an encoding at all.
    static func isDigitOrPadding(_ byte: UInt8) -> Bool {
        values[Int(byte)] < 64 || byte == UInt8(ascii: "=")
    }

    /// The same for text that is there as bytes.
    public static func decode(_ input: [UInt8]) -> [UInt8]? {
        guard input.count % 4 == 0 else { return nil }
        if input.isEmpty { return [] }
        let pad = UInt8(ascii: "=")
        let padding = input.last != pad ? 0 : input[input.count - 2] != pad ? 1 : 2
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 4 * 3)
        for start in stride(from: 0, to: input.count, by: 4) {
            var group: UInt32 = 0
            let isLast = start + 4 == input.count
            for offset in 0..<4 {
                let isPad = isLast && offset >= 4 - padding
                let value = isPad ? 0 : values[Int(input[start + offset])]
                guard value < 64 else { return nil }
                group = group << 6 | UInt32(value)
            }
            let kept = isLast ? 3 - padding : 3
            guard kept == 3 || group & (kept == 2 ? 0xff : 0xffff) == 0 else { return nil }
            output.append(UInt8(group >> 16 & 0xff))
            if kept > 1 { output.append(UInt8(group >> 8 & 0xff)) }
            if kept > 2 { output.append(UInt8(group & 0xff)) }
        }
        return output
    }
}
