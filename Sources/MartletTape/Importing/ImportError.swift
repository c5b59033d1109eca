/// Why a recording could not be imported at all, or not to its end. What is wrong with a single line is counted
/// in the ``ImportReport`` instead.
public struct ImportError: Error, Hashable, Sendable {
    public enum Problem: Hashable, Sendable {
        case unreadable(String)
        case gzipFailed(status: Int32)
        /// No format that is known looks like this.
        case unknownFormat
        case nothingToImport
        /// A definitions or results file that cannot be read; the line and what is wrong with it.
        case badReference(line: Int, String)
        case tape(TapeError)
        /// The observer did not want to go on.
        case interrupted
    }
    public var problem: Problem
    public var file: String

    public init(_ problem: Problem, file: String) {
        self.problem = problem
        self.file = file
    }
}

extension ImportError: CustomStringConvertible {
    public var description: String {
        switch problem {
        case .unreadable(let reason): "\(file): \(reason)"
        case .gzipFailed(let status):
            "\(file): gzip ended with status \(status): it is damaged or cut off"
        case .unknownFormat:
            "\(file): no known kind of recording; name one with --format, one of "
                + RecordingFormat.allCases.map(\.rawValue).joined(separator: ", ")
        case .nothingToImport: "\(file): nothing in it could be imported"
        case .badReference(let line, let what): "\(file), line \(line): \(what)"
        case .tape(let error): "\(error)"
        case .interrupted: "\(file): the import was interrupted; nothing was written"
        }
    }
}
