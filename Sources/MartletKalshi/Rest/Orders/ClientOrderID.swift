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
        appendStem(nonce, to: &bytes)
        DecimalText.append(order.number, to: &bytes)
    }

    /// What all ids of a run begin with.
    static func appendStem(_ nonce: UInt64, to bytes: inout [UInt8]) {
        bytes.append("m-")
        for shift in stride(from: 60, through: 0, by: -4) {
            bytes.append(digits[Int(truncatingIfNeeded: nonce >> UInt64(shift)) & 15])
        }
        bytes.append(UInt8(ascii: "-"))
    }
}

/// Numbers as decimal text straight into a buffer.
enum DecimalText {
    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        append(value, decimals: 0, isNegative: false, to: &bytes)
    }
    static func append(_ value: Int64, to bytes: inout [UInt8]) { append(value, decimals: 0, to: &bytes) }
    /// With exactly `decimals` places, at most 18.
    static func append(_ value: Int64, decimals: Int, to bytes: inout [UInt8]) {
        append(value.magnitude, decimals: decimals, isNegative: value < 0, to: &bytes)
    }

    /// Written from the last digit to the first: at most twenty of them, a point and a sign.
    private static func append(_ value: UInt64, decimals: Int, isNegative: Bool, to bytes: inout [UInt8]) {
        precondition(decimals <= 18)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
            var (rest, made, place) = (value, 0, text.count)
            func put(_ byte: UInt8) {
                place -= 1
                text[place] = byte
            }
            while rest > 0 || made <= decimals {
                if made == decimals, decimals > 0 { put(UInt8(ascii: ".")) }
                put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
                rest /= 10
                made += 1
            }
            if isNegative { put(UInt8(ascii: "-")) }
            bytes.append(contentsOf: text[place...])
        }
    }
}
