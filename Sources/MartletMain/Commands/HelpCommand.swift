import MartletWire

/// `martlet help [TOPIC]`: a command's help, or a page on something that several commands share.
enum HelpCommand {
    /// `root` is asked for when help is wanted, for the tree holds this command itself.
    static func command(root: @escaping () -> Command) -> Command {
        var command = Command(name: "help", summary: "explain a command or a topic")
        command.discussion = "Topics: " + HelpTopics.all.map(\.name).joined(separator: ", ") + "."
        command.operands = [.init("TOPIC", .any, "a command ('tape import') or a topic")]
        command.run = { invocation, terminal in
            let text = try text(for: invocation.operands, root: root())
            if invocation.isJSON {
                try terminal.line(JSONValue.fields([("help", .string(text))]).text)
            } else {
                try terminal.write(text)
            }
            return .success
        }
        return command
    }

    static func text(for words: [String], root: Command) throws(CommandError) -> String {
        if words.isEmpty {
            let topics = HelpText.table(HelpTopics.all.map { ($0.name, $0.summary) })
            return HelpText.of(root, path: []) + "\nTopics ('martlet help TOPIC'):\n" + topics + "\n"
        }
        if words.count == 1, let topic = HelpTopics.all.first(where: { $0.name == words[0] }) {
            return topic.text.hasSuffix("\n") ? topic.text : topic.text + "\n"
        }
        var command = root
        var path: [String] = []
        for word in words {
            guard let next = command.subcommands.first(where: { $0.name == word }) else {
                let known = command.subcommands.map(\.name) + (path.isEmpty ? HelpTopics.all.map(\.name) : [])
                var message = "no help on '\(words.joined(separator: " "))'"
                if let nearest = Nearest.match(word, among: known) {
                    message += "; did you mean 'martlet help \((path + [nearest]).joined(separator: " "))'?"
                } else {
                    message += "; 'martlet help' lists the topics"
                }
                throw .usage(message)
            }
            command = next
            path.append(word)
        }
        return HelpText.of(command, path: path)
    }
}
