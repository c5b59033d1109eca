import Martlet
import MartletWire

/// The whole tree of commands.
enum RootCommand {
    static let version = "0.1.0"
    static let versionFlag = Switch("version", "print the version")

    static func command(_ registry: StrategyRegistry) -> Command {
        var root = Command(name: "martlet", summary: "an automated strategy engine for the Kalshi exchange")
        root.flags = [versionFlag]
        var commands = [
            BacktestCommand.command(registry),
            LiveCommand.paper(registry),
            LiveCommand.live(registry),
            DemoCommand.command(registry),
            HaltCommand.command(),
            ReplayCommand.command(registry),
            CompareCommand.command(),
            TapeCommand.command(),
            StrategiesCommand.command(registry),
            AuthCommand.command(),
            MarketsCommand.command(),
            FetchCommand.command(),
            BookCommand.command(),
            TradesCommand.command(),
            RecordCommand.command(),
            SandboxCommand.command(),
            BenchCommand.command(),
            NewCommand.command(),
            HaltCommand.guardCommand(),
        ]
        commands.append(HelpCommand.command { ArgumentParser(root: Self.command(registry)).root })
        root.subcommands = commands
        root.run = { invocation, terminal in
            if invocation[versionFlag] {
                let text =
                    invocation.isJSON
                    ? JSONValue.fields([("version", .string(version))]).text : "martlet \(version)"
                try terminal.line(text)
            } else if invocation.isJSON {
                try terminal.line(JSONValue.fields([("help", .string(welcome))]).text)
            } else {
                try terminal.write(welcome)
            }
            return .success
        }
        return root
    }

    /// What someone sees who has typed `martlet` and nothing else.
    static let welcome = """
        Martlet trades event contracts on the Kalshi exchange by strategies written in
        Swift: the same strategy, unchanged, runs on recorded data and on live data.

        Four commands to try:
          martlet demo               an exchange and a trader on this machine, no account
          martlet backtest           a market maker on a made-up exchange day, with a report
          martlet strategies         what is compiled in, and its parameters
          martlet new my-strategy    a strategy of your own, ready to compile

        'martlet help' lists every command, 'martlet help configuration' explains
        configurations.

        """
}
