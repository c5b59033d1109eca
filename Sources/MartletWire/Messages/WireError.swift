import Martlet

/// Why a message, or one field of it, could not be taken: which field, what it held, where it stood.
package struct WireError: Error, Hashable, Sendable {
    package enum Problem: Hashable, Sendable {
        case syntax(JSONError.Problem)
        /// Neither the field nor its older forms are there.
        case missing
        /// Another kind of value than this one was expected.
        case wrongKind(expected: String)
        case badNumber(FixedPoint.ParseError)
        case badTime
        /// Legal in form, impossible in meaning.
        case impossible(String)
        /// Says the opposite of another field.
        case contradicts(String)
        /// The field stands twice.
        case duplicate
        /// One of an open list of words that this version does not know, where no default is safe.
        case unknownWord
        /// The message's shape is not the one that its kind has.
        case notAnObject
    }

    package var problem: Problem
    /// The field's path (`msg.price_dollars`), empty for the text as a whole.
    package var field: String
    /// The beginning of what stood there.
    package var value: String
    /// Bytes from the start of the text.
    package var offset: Int

    package init(_ problem: Problem, field: String, value: String = "", offset: Int = 0) {
        self.problem = problem
        self.field = field
        self.value = value
        self.offset = offset
    }

    init(_ error: JSONError) {
        self.init(.syntax(error.problem), field: "", offset: error.offset)
    }
}

extension WireError: CustomStringConvertible {
    package var description: String {
        let what =
            switch problem {
            case .syntax(let problem): JSONError(problem, at: offset).description
            case .missing: "is missing"
            case .wrongKind(let expected): "is not \(expected)"
            case .badNumber(let error): "is no number of its kind: \(error)"
            case .badTime: "is not a time"
            case .impossible(let why): why
            case .contradicts(let other): "contradicts \(other)"
            case .duplicate: "stands twice"
            case .unknownWord: "is not a word that is known here"
            case .notAnObject: "is not an object"
            }
        if field.isEmpty { return what }
        let shown = value.isEmpty ? "" : " (\(value))"
        return "field '\(field)'\(shown) at byte \(offset) \(what)"
    }
}
