/// What made a message unreadable: which field, what stood there, where.
public enum WireError: Error, Hashable, Sendable {
    case notJSON(JSONError)
    /// A field that the message cannot do without.
    case missing(field: String, message: String)
    /// A value that the field cannot have.
    case invalid(field: String, value: String, problem: String)
    /// Two fields that say the opposite of each other.
    case contradiction(field: String, value: String, other: String, otherValue: String)
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notJSON(let error): "not JSON: \(error)"
        case .missing(let field, let message): "'\(message)' without '\(field)'"
        case .invalid(let field, let value, let problem): "'\(field)' is '\(value)': \(problem)"
        case .contradiction(let field, let value, let other, let otherValue):
            "'\(field)' is '\(value)' but '\(other)' is '\(otherValue)'"
        }
    }
}
