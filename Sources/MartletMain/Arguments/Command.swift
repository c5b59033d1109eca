/// A command as it is declared: what it takes, what it says of itself and what it does.
package struct Command {
    package var name: String
    /// One line, lower case, without a full stop.
    package var summary: String
    /// Paragraphs below the usage line.
    package var discussion = ""
    package var operands: [Operand] = []
    package var flags: [any Flag] = []
    package var subcommands: [Command] = []
    /// Full command lines with what each does.
    package var examples: [(line: String, meaning: String)] = []
    /// Nil for a command that only holds others.
    package var run: ((Invocation, Terminal) throws -> ExitCode)?

    package struct Operand {
        package enum Count { case one, optional, many, any }
        /// In capitals: `CONFIG`.
        package var name: String
        package var count: Count
        package var help: String

        package init(_ name: String, _ count: Count, _ help: String) {
            self.name = name
            self.count = count
            self.help = help
        }
        var usage: String {
            switch count {
            case .one: name
            case .optional: "[\(name)]"
            case .many: "\(name)..."
            case .any: "[\(name)...]"
            }
        }
    }

    /// How many operands are needed, and the most that are taken (nil: any number).
    var operandCounts: (least: Int, most: Int?) {
        var least = 0
        var most: Int? = 0
        for operand in operands {
            if operand.count == .one || operand.count == .many { least += 1 }
            switch operand.count {
            case .one, .optional: most = most.map { $0 + 1 }
            case .many, .any: most = nil
            }
        }
        return (least, most)
    }
}

/// Flags that every command takes.
package enum CommonFlags {
    package static let help = Switch("help", short: "h", "show this help")
    package static let json = Switch("json", "one JSON object on standard output, for machines")
    package static let quiet = Switch("quiet", short: "q", "no progress and no remarks, only the result")
    package static let all: [any Flag] = [json, quiet, help]
}

/// A command line that has been read and checked against its command's declaration.
package struct Invocation {
    /// Names from the root on, without the program's: `["tape", "info"]`.
    package var path: [String]
    package var operands: [String]
    package var isHelp = false
    private var values: [String: [any Sendable]]

    package init(path: [String], operands: [String] = [], values: [String: [any Sendable]] = [:]) {
        self.path = path
        self.operands = operands
        self.values = values
    }

    package subscript(flag: Switch) -> Bool { values[flag.spec.name] != nil }
    package subscript<Value>(flag: ValueFlag<Value>) -> Value? { values[flag.spec.name]?.last as? Value }
    package subscript<Value>(flag: ListFlag<Value>) -> [Value] {
        (values[flag.spec.name] ?? []).compactMap { $0 as? Value }
    }
    package var isJSON: Bool { self[CommonFlags.json] }
    package var isQuiet: Bool { self[CommonFlags.quiet] }
    /// `martlet tape info`, for messages.
    package var title: String { (["martlet"] + path).joined(separator: " ") }
}
