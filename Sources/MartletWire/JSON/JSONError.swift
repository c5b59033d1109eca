/// Why a text is not JSON, and where.
package struct JSONError: Error, Hashable, Sendable {
    package enum Problem: UInt8, Hashable, Sendable {
        case empty
        case unexpectedByte
        case unexpectedEnd
        case trailingText
        case badNumber
        case badEscape
        case loneSurrogate
        case controlCharacter
        case notUTF8
        case tooDeep
        case tooLong
    }

    package var problem: Problem
    /// Bytes from the start of the text, from 0.
    package var offset: Int
    /// From 1; 0 where the text was not at hand to count lines.
    package var line = 0
    /// In bytes, from 1; 0 where the text was not at hand.
    package var column = 0

    package init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    /// The same error with line and column counted in the text. O(offset).
    package func located(in text: UnsafeBufferPointer<UInt8>) -> JSONError {
        var located = self
        (located.line, located.column) = TextPosition.of(offset, in: text)
        return located
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        let what =
            switch problem {
            case .empty: "the text is empty"
            case .unexpectedByte: "unexpected character"
            case .unexpectedEnd: "the text ends too early"
            case .trailingText: "text after the value"
            case .badNumber: "malformed number"
            case .badEscape: "malformed escape in a string"
            case .loneSurrogate: "half a surrogate pair in a string"
            case .controlCharacter: "control character in a string"
            case .notUTF8: "not UTF-8"
            case .tooDeep: "nested deeper than \(JSONScanner.depthMax) levels"
            case .tooLong: "longer than \(JSONScanner.lengthMax) bytes"
            }
        return line > 0 ? "line \(line), column \(column): \(what)" : "\(what) at byte \(offset)"
    }
}

/// Line and column of a byte in a text.
enum TextPosition {
    /// Both from 1, the column in bytes. O(offset).
    static func of(_ offset: Int, in text: UnsafeBufferPointer<UInt8>) -> (line: Int, column: Int) {
        var line = 1
        var lineStart = 0
        for index in 0..<min(offset, text.count) where text[index] == UInt8(ascii: "\n") {
            line += 1
            lineStart = index + 1
        }
        return (line, min(offset, text.count) - lineStart + 1)
    }
}
