import Martlet
import MartletWire

/// JSON text as bytes, for frames that are written tens of thousands of times a second.
struct FrameText {
    private(set) var bytes: [UInt8] = []

    mutating func clear() { bytes.removeAll(keepingCapacity: true) }
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
    mutating func raw(_ more: [UInt8]) { bytes.append(contentsOf: more) }
    /// In quotes, with nothing to escape.
    mutating func plain(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.utf8)
        bytes.append(UInt8(ascii: "\""))
    }
    mutating func quoted(_ text: String) { raw(JSONWriter.quoted(text)) }
    mutating func integer(_ value: Int64) {
        var digits = value.magnitude
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(digits % 10))
            digits /= 10
        } while digits > 0
        bytes[start...].reverse()
    }
    /// A scaled integer in quotes with a fixed number of decimals.
    mutating func fixed(_ value: Int64, decimals: Int) {
        bytes.append(UInt8(ascii: "\""))
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var digits = value.magnitude
        let start = bytes.count
        var written = 0
        repeat {
            if written == decimals, decimals > 0 { bytes.append(UInt8(ascii: ".")) }
            bytes.append(UInt8(ascii: "0") + UInt8(digits % 10))
            digits /= 10
            written += 1
        } while digits > 0 || written <= decimals
        bytes[start...].reverse()
        bytes.append(UInt8(ascii: "\""))
    }
    /// Dollars with four decimals, which all grids stand on.
    mutating func price(_ price: Price) { fixed(Int64(price.micros) / 100, decimals: 4) }
    mutating func count(_ quantity: Quantity) { fixed(quantity.hundredths, decimals: 2) }
    mutating func value(_ value: JSONValue) { raw(JSONWriter.text(value)) }
}
