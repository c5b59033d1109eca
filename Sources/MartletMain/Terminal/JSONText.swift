import Martlet

/// JSON to be written: keys in the order given, so that a run's output can be compared byte for byte.
package indirect enum JSONText {
    case null
    case bool(Bool)
    case integer(Int)
    /// Written as its shortest text that reads back the same; infinities and NaN as null.
    case number(Double)
    /// Decimal text that is written as it is: exact money, prices and counts.
    case decimal(String)
    case string(String)
    case array([JSONText])
    case members([(String, JSONText)])

    package static func object(_ members: [(String, JSONText)]) -> JSONText { .members(members) }

    /// On one line.
    package var text: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        switch self {
        case .null: out += "null"
        case .bool(let value): out += value ? "true" : "false"
        case .integer(let value): out += "\(value)"
        case .number(let value): out += value.isFinite ? JSONText.number(value) : "null"
        case .decimal(let text): out += text
        case .string(let text): JSONText.quote(text, to: &out)
        case .array(let items):
            out += "["
            for (index, item) in items.enumerated() {
                if index > 0 { out += "," }
                item.write(to: &out)
            }
            out += "]"
        case .members(let members):
            out += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { out += "," }
                JSONText.quote(member.0, to: &out)
                out += ":"
                member.1.write(to: &out)
            }
            out += "}"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func quote(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
