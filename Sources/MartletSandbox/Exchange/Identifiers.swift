/// Identifiers as the exchange writes them (UUIDs) made from our numbers, and read back without a table.
struct Identifiers {
    private let salt: UInt64

    /// `kind` keeps the identifiers of different things apart.
    init(seed: UInt64, kind: UInt64) { salt = Identifiers.mixed(seed ^ (kind &* 0x9E37_79B9_7F4A_7C15)) }

    /// SplitMix64's finisher.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    private static let mask: UInt64 = (1 << 48) - 1
    private static let factor: UInt64 = 0x9E37_79B9_7F4B
    /// factor × inverse = 1 modulo 2^48.
    private static let inverse: UInt64 = {
        // Newton's iteration doubles the right bits each time, from three.
        var x = factor
        for _ in 0..<5 { x = x &* (2 &- factor &* x) }
        return x & mask
    }()

    /// A version 4 UUID in lower case. `number` below 2^48.
    func text(_ number: UInt64) -> String {
        var low = (number ^ salt) & Identifiers.mask
        low = (low &* Identifiers.factor) & Identifiers.mask
        low ^= low >> 24
        low = (low &* Identifiers.factor) & Identifiers.mask
        let high = Identifiers.mixed(number ^ (salt &* 3))
        var text: [UInt8] = []
        text.reserveCapacity(36)
        Identifiers.hex(high >> 32, 8, &text)
        text.append(UInt8(ascii: "-"))
        Identifiers.hex(high >> 16, 4, &text)
        text += "-4".utf8
        Identifiers.hex(high >> 4, 3, &text)
        text += "-a".utf8
        Identifiers.hex(high &* 0x51ED_270B >> 40, 3, &text)
        text.append(UInt8(ascii: "-"))
        Identifiers.hex(low, 12, &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The number behind an identifier of this kind; nil for any other text.
    func number(_ text: some StringProtocol) -> UInt64? {
        guard text.utf8.count == 36, let low = UInt64(text.suffix(12), radix: 16) else { return nil }
        var value = (low &* Identifiers.inverse) & Identifiers.mask
        value ^= value >> 24
        value = (value &* Identifiers.inverse) & Identifiers.mask
        value = (value ^ salt) & Identifiers.mask
        return self.text(value) == text ? value : nil
    }

    private static func hex(_ value: UInt64, _ digits: Int, _ text: inout [UInt8]) {
        for place in (0..<digits).reversed() {
            let digit = UInt8(value >> UInt64(place * 4) & 15)
            text.append(digit < 10 ? 48 + digit : 87 + digit)
        }
    }
}
