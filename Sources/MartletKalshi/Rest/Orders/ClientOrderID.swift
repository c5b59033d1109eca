import Martlet

/// A client order id: a random number of the run and the order's counter, `m-9f86d081884c7d65-42`. The same order
/// has the same id for ever, another run's orders have others (Ruling 3).
public enum ClientOrderID {
    private static let digits = Array("0123456789abcdef".utf8)

    public static func text(_ order: OrderID, nonce: UInt64) -> String {
        var bytes: [UInt8] = []
        append(order, nonce: nonce, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Our order of this run; nil for another run's or another program's.
    public static func order(_ text: String, nonce: UInt64) -> OrderID? {
        let bytes = Array(text.utf8)
        guard bytes.count > 19, bytes.count <= 39, let number = UInt64(text.dropFirst(19)) else { return nil }
        let order = OrderID(number)
        var expected: [UInt8] = []
        append(order, nonce: nonce, to: &expected)
        return bytes == expected ? order : nil
    }

    static func append(_ order: OrderID, nonce: UInt64, to bytes: inout [UInt8]) {
        bytes += "m-".utf8
        for shift in stride(from: 60, through: 0, by: -4) {
            bytes.append(digits[Int(truncatingIfNeeded: nonce >> UInt64(shift)) & 15])
        }
        bytes.append(UInt8(ascii: "-"))
        DecimalText.append(order.number, to: &bytes)
    }
}

/// Numbers as decimal text straight into a buffer.
enum DecimalText {
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var divisor: UInt64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &bytes)
    }
    /// With exactly `decimals` places.
    static func append(_ value: Int64, decimals: Int, to bytes: inout [UInt8]) {
        var scale: UInt64 = 1
        for _ in 0..<decimals { scale *= 10 }
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(value.magnitude / scale, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        var rest = value.magnitude % scale
        for _ in 0..<decimals {
            scale /= 10
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / scale))
            rest %= scale
        }
    }
}
