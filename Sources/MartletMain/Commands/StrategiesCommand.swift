import MartletWire

/// `martlet strategies [NAME]`: what is compiled in and what its parameters mean.
enum StrategiesCommand {
    static func command(_ registry: StrategyRegistry) -> Command {
        var command = Command(name: "strategies", summary: "list the strategies, or one with its parameters")
        command.operands = [.init("NAME", .optional, "the strategy to show")]
        command.examples = [
            ("martlet strategies spread-maker", "its parameters, defaults and what they mean")
        ]
        command.run = { invocation, terminal in
            if let name = invocation.operands.first {
                guard let entry = registry.entry(name) else {
                    throw CommandError.usage(registry.unknown(name))
                }
                try show(entry, invocation, terminal)
            } else {
                try list(registry, invocation, terminal)
            }
            return .success
        }
        return command
    }

    private static func list(
        _ registry: StrategyRegistry, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            let items = registry.entries.map {
                JSONValue.fields([("name", .string($0.name)), ("summary", .string($0.summary))])
            }
            return try terminal.line(JSONValue.fields([("strategies", .array(items))]).text)
        }
        if registry.entries.isEmpty {
            return try terminal.line("no strategy is compiled in; 'martlet new NAME' adds one")
        }
        try terminal.line(HelpText.table(registry.entries.map { ($0.name, $0.summary) }, indent: 0))
        if let first = registry.entries.last {
            try terminal.line("\n'martlet strategies \(first.name)' shows its parameters")
        }
    }

    private static func show(
        _ entry: StrategyEntry, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        let parameters = try entry.parameters()
        if invocation.isJSON {
            let items = parameters.map {
                JSONValue.fields([
                    ("name", .string($0.name)), ("default", .number($0.value)),
                    ("help", .string($0.help)),
                ])
            }
            return try terminal.line(
                JSONValue.fields([
                    ("name", .string(entry.name)), ("summary", .string(entry.summary)),
                    ("parameters", .array(items)),
                ]).text)
        }
        try terminal.line("\(entry.name): \(entry.summary)\n")
        try terminal.line(
            HelpText.table(parameters.map { ("\($0.name): \($0.value)", $0.help) }, indent: 2))
        try terminal.line("\nIn a configuration, or as --set:\n")
        let sample = parameters.first.map { "\($0.name): \($0.value)" } ?? ""
        try terminal.line("  strategies: [{ use: \"\(entry.name)\", parameters: { \(sample) } }]")
        if let first = parameters.first {
            try terminal.line(
                "  martlet backtest --strategy \(entry.name) --set strategy.\(first.name)=\(first.value)"
            )
        }
    }
}
