import Martlet

/// Writes JSON text: whole values, or piece by piece without building them first.
///
///     var writer = JSONWriter(style: .pretty)
///     writer.object { writer in
///         writer.field("ticker", "KXBTC-…")
///         writer.field("price", price)          // 0.5600, exact
///     }
///     print(writer.text)
///
/// Strings are escaped as RFC 8259 demands and no more; non-ASCII text is written as UTF-8.
package struct JSONWriter: Sendable {
    package enum Style: Hashable, Sendable {
        case compact
        /// Two spaces an indent.
        case pretty
    }

    package private(set) var bytes: [UInt8] = []
    package let style: Style
    private var depth = 0
    private var isFirst = true

    package init(style: Style = .compact) { self.style = style }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// A value as text.
    package static func text(_ value: JSONValue, style: Style = .compact) -> String {
        var writer = JSONWriter(style: style)
        writer.value(value)
        return writer.text
    }

    // MARK: Containers

    package mutating func object(_ members: (inout JSONWriter) -> Void) { container("{", "}", members) }
    package mutating func array(_ elements: (inout JSONWriter) -> Void) { container("[", "]", elements) }

    /// Writes a member's key; exactly one value must follow.
    package mutating func key(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        if style == .pretty { bytes.append(UInt8(ascii: " ")) }
    }
    /// Goes to the next element of an array; exactly one value must follow.
    package mutating func element() { separate() }

    private mutating func container(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ content: (inout JSONWriter) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        let outer = isFirst
        depth += 1
        isFirst = true
        content(&self)
        depth -= 1
        if !isFirst { breakLine() }
        isFirst = outer
        bytes.append(UInt8(ascii: close))
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        breakLine()
    }
    private mutating func breakLine() {
        guard style == .pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }

    // MARK: Values

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .number(let text): raw(text)
        case .string(let text): quote(text)
        case .array(let elements):
            array { writer in
                for element in elements {
                    writer.element()
                    writer.value(element)
                }
            }
        case .object(let object):
            self.object { writer in
                for member in object.members {
                    writer.key(member.key)
                    writer.value(member.value)
                }
            }
        }
    }
    package mutating func value(_ text: String) { quote(text) }
    package mutating func value(_ number: some BinaryInteger) { raw(String(number)) }
    package mutating func value(_ flag: Bool) { raw(flag ? "true" : "false") }
    /// The shortest text that reads back the same; `null` for what JSON has no number for.
    package mutating func value(_ number: Double) { raw(number.isFinite ? "\(number)" : "null") }
    /// A number of dollars, exact, with four to six decimals.
    package mutating func value(_ price: Price) { raw(price.description) }
    /// A number of contracts, exact, with two decimals.
    package mutating func value(_ quantity: Quantity) { raw(quantity.description) }
    /// A number of dollars, exact, with two to eight decimals.
    package mutating func value(_ money: Money) { raw(money.description) }
    /// RFC 3339 text, `null` when unknown.
    package mutating func value(_ time: Timestamp) {
        if time.isKnown { quote(time.description) } else { raw("null") }
    }
    package mutating func null() { raw("null") }

    package mutating func field(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }
    package mutating func field(_ name: String, _ text: String) {
        key(name)
        value(text)
    }
    package mutating func field(_ name: String, _ number: some BinaryInteger) {
        key(name)
        value(number)
    }
    package mutating func field(_ name: String, _ flag: Bool) {
        key(name)
        value(flag)
    }
    package mutating func field(_ name: String, _ number: Double) {
        key(name)
        value(number)
    }
    package mutating func field(_ name: String, _ price: Price) {
        key(name)
        value(price)
    }
    package mutating func field(_ name: String, _ quantity: Quantity) {
        key(name)
        value(quantity)
    }
    package mutating func field(_ name: String, _ money: Money) {
        key(name)
        value(money)
    }
    package mutating func field(_ name: String, _ time: Timestamp) {
        key(name)
        value(time)
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            case 0..<0x20:
                raw("\\u00")
                for digit in [byte >> 4, byte & 15] { bytes.append(Array("0123456789abcdef".utf8)[Int(digit)]) }
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
