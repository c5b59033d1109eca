/// Writes JSON text, byte for byte the same for the same value.
public enum JSONWriter {
    /// On one line, or with two spaces a level.
    public static func text(_ value: JSONValue, pretty: Bool = false) -> String {
        var out = ""
        write(value, to: &out, indent: pretty ? 0 : nil)
        return out
    }

    /// A string in double quotes with what must be escaped escaped.
    public static func quoted(_ text: String) -> String {
        var out = ""
        writeString(text, to: &out)
        return out
    }

    private static func write(_ value: JSONValue, to out: inout String, indent: Int?) {
        switch value {
        case .null: out += "null"
        case .bool(let flag): out += flag ? "true" : "false"
        case .number(let text): out += text
        case .string(let text): writeString(text, to: &out)
        case .array(let values):
            list(values.map { (nil, $0) }, "[", "]", to: &out, indent: indent)
        case .object(let members):
            list(members.map { ($0.key, $0.value) }, "{", "}", to: &out, indent: indent)
        }
    }

    private static func list(
        _ items: [(String?, JSONValue)], _ open: String, _ close: String, to out: inout String, indent: Int?
    ) {
        guard !items.isEmpty else {
            out += open + close
            return
        }
        let inner = indent.map { $0 + 2 }
        out += open
        for (index, item) in items.enumerated() {
            if index > 0 { out += "," }
            if let inner { out += "\n" + String(repeating: " ", count: inner) }
            if let key = item.0 {
                writeString(key, to: &out)
                out += inner == nil ? ":" : ": "
            }
            write(item.1, to: &out, indent: inner)
        }
        if let indent { out += "\n" + String(repeating: " ", count: indent) }
        out += close
    }

    private static func writeString(_ text: String, to out: inout String) {
        out += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 32:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        out += "\""
    }
}
