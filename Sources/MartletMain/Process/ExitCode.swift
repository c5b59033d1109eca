import MartletWire

/// What the process tells its caller. Documented in the README; numbers never change their meaning.
public enum ExitCode: Int32, Sendable, CaseIterable {
    /// The job was done.
    case success = 0
    /// The job failed: a file could not be read or written, data was damaged.
    case failure = 1
    /// The command line or the configuration asks for something that does not exist or cannot be.
    case usage = 2
    /// The input was read to its end and held nothing usable.
    case nothingUsable = 3
    /// Ctrl-C: what was done until then was put out, marked as partial.
    case interrupted = 130
    /// SIGTERM: the same.
    case terminated = 143

    package var meaning: String {
        switch self {
        case .success: "the job was done"
        case .failure: "the job failed: a file could not be read or written, or data was damaged"
        case .usage: "the command line or the configuration is wrong"
        case .nothingUsable: "the input was read to its end and held nothing usable"
        case .interrupted: "Ctrl-C: the partial result was put out, marked as such"
        case .terminated:
            "SIGTERM, or a terminal that hung up: the partial result was put out, marked as such"
        }
    }
}

/// A command that ends early: one line for people, which says what was wrong and what to do next.
package struct CommandError: Error, CustomStringConvertible {
    package var message: String
    package var code: ExitCode
    /// What the command found out before it failed: with `--json` it stands in the one object, before the error.
    package var report: JSONValue?

    package init(_ message: String, code: ExitCode = .failure, report: JSONValue? = nil) {
        self.message = message
        self.code = code
        self.report = report
    }
    /// The command line or the configuration is wrong.
    package static func usage(_ message: String) -> CommandError { CommandError(message, code: .usage) }
    package var description: String { message }
}
