import Foundation
import Martlet

/// What the parser and the help know of a flag: its name, what it takes and how to read that.
package struct FlagSpec: Sendable {
    /// Without the dashes.
    package var name: String
    package var short: Character?
    /// What stands for the value in the help; nil for a switch.
    package var placeholder: String?
    package var help: String
    package var isRepeatable = false
    /// Reads the value's text. Throws a ``ValueProblem``.
    package var read: @Sendable (String) throws -> any Sendable = { $0 }

    /// `--tape FILE`, `-q`.
    package var usage: String {
        let short = short.map { "-\($0), " } ?? ""
        return short + "--\(name)" + (placeholder.map { " \($0)" } ?? "")
    }
}

/// Why a text is not the value that a flag takes: "is not a whole number".
package struct ValueProblem: Error {
    package var text: String
    package init(_ text: String) { self.text = text }
}

/// A flag whose declaration gives its value's type. Commands list the specs and read through the declarations.
package protocol Flag: Sendable {
    var spec: FlagSpec { get }
}

/// Given or not.
package struct Switch: Flag {
    package let spec: FlagSpec
    package init(_ name: String, short: Character? = nil, _ help: String) {
        spec = FlagSpec(name: name, short: short, help: help)
    }
}

/// At most once, with a value.
package struct ValueFlag<Value: Sendable>: Flag {
    package let spec: FlagSpec
    package init(_ name: String, short: Character? = nil, _ kind: ValueKind<Value>, _ help: String) {
        spec = FlagSpec(
            name: name, short: short, placeholder: kind.placeholder, help: help, read: { try kind.read($0) })
    }
}

/// Any number of times, with a value each.
package struct ListFlag<Value: Sendable>: Flag {
    package let spec: FlagSpec
    package init(_ name: String, short: Character? = nil, _ kind: ValueKind<Value>, _ help: String) {
        spec = FlagSpec(
            name: name, short: short, placeholder: kind.placeholder, help: help, isRepeatable: true,
            read: { try kind.read($0) })
    }
}

/// A type of value on the command line.
package struct ValueKind<Value: Sendable>: Sendable {
    package var placeholder: String
    /// Throws a ``ValueProblem``.
    package var read: @Sendable (String) throws -> Value

    package init(_ placeholder: String, _ read: @escaping @Sendable (String) throws -> Value) {
        self.placeholder = placeholder
        self.read = read
    }
}

extension ValueKind where Value == String {
    package static func text(_ placeholder: String) -> Self {
        Self(placeholder) { text in
            guard !text.isEmpty else { throw ValueProblem("is empty") }
            return text
        }
    }
    package static var file: Self { text("FILE") }
    package static var folder: Self { text("FOLDER") }
    package static func choice(_ placeholder: String, _ choices: [String]) -> Self {
        Self(placeholder) { text in
            guard choices.contains(text) else {
                throw ValueProblem("is none of \(choices.joined(separator: ", "))")
            }
            return text
        }
    }
}

extension ValueKind where Value == Int {
    package static func whole(_ placeholder: String, in range: ClosedRange<Int>) -> Self {
        Self(placeholder) { text in
            guard let number = Int(text) else { throw ValueProblem("is not a whole number") }
            guard range.contains(number) else {
                throw ValueProblem("is not within \(range.lowerBound)...\(range.upperBound)")
            }
            return number
        }
    }
}

extension ValueKind where Value == Double {
    package static func number(_ placeholder: String, in range: ClosedRange<Double>) -> Self {
        Self(placeholder) { text in
            guard let number = Double(text), number.isFinite else { throw ValueProblem("is not a number") }
            guard range.contains(number) else {
                throw ValueProblem("is not within \(range.lowerBound)...\(range.upperBound)")
            }
            return number
        }
    }
}

extension ValueKind where Value == UInt64 {
    package static var seed: Self {
        Self("NUMBER") { text in
            guard let number = UInt64(text) else {
                throw ValueProblem("is not a whole number of 0 or more")
            }
            return number
        }
    }
}

extension ValueKind where Value == Timestamp {
    package static var time: Self {
        Self("TIME") { text in
            guard let time = Timestamp(rfc3339: text) else {
                throw ValueProblem("is not a time such as 2026-05-11T05:37:41Z")
            }
            return time
        }
    }
}

/// `path=value`, as `--set` and `--sweep` take it.
package struct Assignment: Sendable, Hashable {
    package var path: String
    package var value: String
}

extension ValueKind where Value == Assignment {
    package static func assignment(_ placeholder: String) -> Self {
        Self(placeholder) { text in
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValueProblem("is not of the form \(placeholder)")
            }
            return Assignment(
                path: String(text[..<equals]), value: String(text[text.index(after: equals)...]))
        }
    }
}
