/// Help in plain text, laid out for 80 columns, the same everywhere.
package enum HelpText {
    static let width = 80

    /// The help of one command.
    package static func of(_ command: Command, path: [String]) -> String {
        let title = (["martlet"] + path).joined(separator: " ")
        var parts: [String] = [command.summary.isEmpty ? title : "\(title): \(command.summary)"]
        parts.append("Usage:\n" + usage(command, title).map { "  \($0)\n" }.joined().dropLastNewline)
        if !command.discussion.isEmpty { parts.append(paragraphs(command.discussion)) }
        if !command.subcommands.isEmpty {
            parts.append("Commands:\n" + table(command.subcommands.map { ($0.name, $0.summary) }))
        }
        if !command.operands.isEmpty {
            parts.append("Arguments:\n" + table(command.operands.map { ($0.name, $0.help) }))
        }
        let own = command.flags.map(\.spec)
        let common = CommonFlags.all.map(\.spec)
        parts.append("Flags:\n" + table((own + common).map { ($0.usage, $0.help) }))
        if !command.examples.isEmpty {
            let lines = command.examples.map { "  \($0.line)\n      \($0.meaning)" }
            parts.append("Examples:\n" + lines.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private static func usage(_ command: Command, _ title: String) -> [String] {
        var lines: [String] = []
        if command.run != nil || command.subcommands.isEmpty {
            lines.append(([title] + command.operands.map(\.usage) + ["[flags]"]).joined(separator: " "))
        }
        if !command.subcommands.isEmpty { lines.append("\(title) COMMAND [flags]") }
        return lines
    }

    /// Two columns; a left entry too wide for its column stands on a line of its own.
    package static func table(_ rows: [(String, String)], indent: Int = 2) -> String {
        let widest = rows.map(\.0.count).filter { $0 <= 26 }.max() ?? 26
        let column = indent + widest + 2
        var lines: [String] = []
        for (left, right) in rows {
            let wrapped = wrap(right, width: width - column)
            let head = String(repeating: " ", count: indent) + left
            let margin = String(repeating: " ", count: column)
            if head.count + 2 > column {
                lines.append(head)
                lines += wrapped.map { margin + $0 }
            } else {
                let gap = String(repeating: " ", count: column - head.count)
                lines.append((head + gap + (wrapped.first ?? "")).trimmedRight)
                lines += wrapped.dropFirst().map { margin + $0 }
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Fills paragraphs that blank lines part; lines that begin with a space stay as they are.
    package static func paragraphs(_ text: String) -> String {
        var blocks: [String] = []
        for block in text.split(separator: "\n\n") {
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.contains(where: { $0.hasPrefix(" ") }) {
                blocks.append(String(block))
            } else {
                blocks.append(wrap(lines.joined(separator: " "), width: width).joined(separator: "\n"))
            }
        }
        return blocks.joined(separator: "\n\n")
    }

    package static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}

extension String {
    fileprivate var dropLastNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
    fileprivate var trimmedRight: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
