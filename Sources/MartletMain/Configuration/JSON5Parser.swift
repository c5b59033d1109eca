/// Reads JSON5 (spec.json5.org) keeping line and column: comments, unquoted keys, single quotes, trailing commas,
/// hexadecimal numbers, a leading or trailing decimal point.
///
/// Stricter than JSON5 where a configuration profits: duplicate keys are an error, and so are `Infinity` and
/// `NaN`, which no setting can mean. Nesting is bounded.
package struct JSON5Parser {
    package struct Problem: Error, Equatable {
        package var line: Int
        package var column: Int
        package var message: String
    }

    private static let deepest = 64
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// One value and nothing behind it.
    package static func parse(_ text: String) throws(Problem) -> ConfigurationNode {
        var parser = JSON5Parser(text)
        try parser.skipSpace()
        let node = try parser.value(depth: 0)
        try parser.skipSpace()
        if let extra = parser.peek {
            throw parser.problem("unexpected '\(extra)' after the end of the value")
        }
        return node
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Problem) -> ConfigurationNode {
        let origin = here
        guard depth < JSON5Parser.deepest else {
            throw problem("nested more than \(JSON5Parser.deepest) deep")
        }
        guard let next = peek else { throw problem("the text ends where a value should stand") }
        switch next {
        case "{": return ConfigurationNode(.object(try members(depth)), origin)
        case "[": return ConfigurationNode(.array(try items(depth)), origin)
        case "\"", "'": return ConfigurationNode(.string(try quoted()), origin)
        case "0"..."9", "-", "+", ".": return ConfigurationNode(.number(try number()), origin)
        default:
            let word = identifier()
            switch word {
            case "true": return ConfigurationNode(.bool(true), origin)
            case "false": return ConfigurationNode(.bool(false), origin)
            case "null": return ConfigurationNode(.null, origin)
            case "": throw problem("unexpected '\(next)' where a value should stand")
            default:
                throw Problem(
                    line: line, column: column - word.count,
                    message: "'\(word)' is no value; a text needs quotes: \"\(word)\"")
            }
        }
    }

    private mutating func members(_ depth: Int) throws(Problem) -> [ConfigurationNode.Member] {
        let opening = line
        advance()
        var members: [ConfigurationNode.Member] = []
        var lineOfKey: [String: Int] = [:]
        while true {
            try skipSpace()
            guard let next = peek else { throw problem("the '{' of line \(opening) is never closed") }
            if next == "}" {
                advance()
                return members
            }
            let origin = here
            let place = problem("")
            let key = next == "\"" || next == "'" ? try quoted() : identifier()
            guard !key.isEmpty else { throw problem("unexpected '\(next)' where a key should stand") }
            if let before = lineOfKey.updateValue(place.line, forKey: key) {
                throw Problem(
                    line: place.line, column: place.column,
                    message: "key '\(key)' stands twice, first in line \(before)")
            }
            try skipSpace()
            guard peek == ":" else { throw problem("a ':' is missing after key '\(key)'") }
            advance()
            try skipSpace()
            members.append(.init(key: key, origin: origin, value: try value(depth: depth + 1)))
            try separator(before: "}", opening: "{", opening)
        }
    }

    private mutating func items(_ depth: Int) throws(Problem) -> [ConfigurationNode] {
        let opening = line
        advance()
        var items: [ConfigurationNode] = []
        while true {
            try skipSpace()
            if peek == nil { throw problem("the '[' of line \(opening) is never closed") }
            if peek == "]" {
                advance()
                return items
            }
            items.append(try value(depth: depth + 1))
            try separator(before: "]", opening: "[", opening)
        }
    }

    private mutating func separator(
        before closing: Unicode.Scalar, opening: String, _ line: Int
    ) throws(Problem) {
        try skipSpace()
        guard let next = peek else { throw problem("the '\(opening)' of line \(line) is never closed") }
        if next == "," {
            advance()
        } else if next != closing {
            throw problem("a ',' or '\(closing)' is missing before '\(next)'")
        }
    }

    // MARK: Tokens

    private mutating func identifier() -> String {
        var text = ""
        while let next = peek, next == "_" || next == "$" || next.properties.isAlphabetic || isDigit(next) {
            text.unicodeScalars.append(next)
            advance()
        }
        return text
    }

    /// A JSON number, whichever JSON5 form it was written in.
    private mutating func number() throws(Problem) -> String {
        let place = problem("")
        var text = ""
        while let next = peek,
            isDigit(next) || next.properties.isAlphabetic || next == "." || next == "+" || next == "-"
        {
            text.unicodeScalars.append(next)
            advance()
        }
        guard let plain = JSON5Parser.plainNumber(text) else {
            throw Problem(line: place.line, column: place.column, message: "'\(text)' is no number")
        }
        return plain
    }

    static func plainNumber(_ text: String) -> String? {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest.hasPrefix("0x") || rest.hasPrefix("0X") {
            guard let value = UInt64(rest.dropFirst(2), radix: 16) else { return nil }
            return (isNegative ? "-" : "") + String(value)
        }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction: Substring = ""
        let hasPoint = rest.first == "."
        if hasPoint {
            rest.removeFirst()
            fraction = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty, whole.count == 1 || whole.first != "0" else { return nil }
        var exponent = ""
        if rest.first == "e" || rest.first == "E" {
            guard let value = Int(rest.dropFirst()), abs(value) < 300 else { return nil }
            exponent = "e\(value)"
            rest = ""
        }
        guard rest.isEmpty else { return nil }
        return (isNegative ? "-" : "") + (whole.isEmpty ? "0" : whole)
            + (fraction.isEmpty ? "" : "." + fraction)
            + exponent
    }

    private mutating func quoted() throws(Problem) -> String {
        let opening = problem("this text is never closed")
        let quote = peek
        advance()
        var text = ""
        while let next = peek {
            advance()
            if next == quote { return text }
            if next == "\n" { break }
            if next == "\\" {
                text += try escaped()
            } else {
                text.unicodeScalars.append(next)
            }
        }
        throw opening
    }

    private mutating func escaped() throws(Problem) -> String {
        guard let next = peek else { throw problem("the text ends inside an escape") }
        advance()
        switch next {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "v": return "\u{B}"
        case "0": return "\0"
        case "\n": return ""
        case "x": return String(Character(try hexadecimal(digits: 2)))
        case "u":
            var value = try hexadecimal(digits: 4).value
            if (0xD800..<0xDC00).contains(value) { value = 0xFFFD }
            return Unicode.Scalar(value).map { String(Character($0)) } ?? "\u{FFFD}"
        default: return String(Character(next))
        }
    }

    private mutating func hexadecimal(digits: Int) throws(Problem) -> Unicode.Scalar {
        let text = String(String.UnicodeScalarView(scalars[index...].prefix(digits)))
        guard text.count == digits, let value = UInt32(text, radix: 16) else {
            throw problem("\(digits) hexadecimal digits are missing")
        }
        for _ in 0..<digits { advance() }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    private mutating func skipSpace() throws(Problem) {
        while let next = peek {
            if next.properties.isWhitespace || next == "\u{FEFF}" {
                advance()
            } else if next == "/", peekSecond == "/" {
                while let skipped = peek, skipped != "\n" {
                    _ = skipped
                    advance()
                }
            } else if next == "/", peekSecond == "*" {
                let opening = problem("this comment is never closed")
                advance()
                advance()
                while !(peek == "*" && peekSecond == "/") {
                    if peek == nil { throw opening }
                    advance()
                }
                advance()
                advance()
            } else {
                return
            }
        }
    }

    // MARK: Position

    private var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
    private var peekSecond: Unicode.Scalar? { index + 1 < scalars.count ? scalars[index + 1] : nil }
    private var column: Int { index - lineStart + 1 }
    private var here: ConfigurationNode.Origin { .file(line: line, column: column) }
    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private mutating func advance() {
        if scalars[index] == "\n" {
            line += 1
            lineStart = index + 1
        }
        index += 1
    }
    private func problem(_ message: String) -> Problem {
        Problem(line: line, column: column, message: message)
    }
}
