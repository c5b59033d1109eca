import Foundation
import Martlet
import MartletNetwork
import MartletWire

/// The command line of Martlet for any list of strategies.
///
///     import MartletMain
///     MartletMain.run([MyStrategy.self])
public enum MartletMain {
    /// Runs the program with this process's arguments and ends the process with an ``ExitCode``.
    public static func run(
        _ strategies: [any Strategy.Type],
        arguments: [String] = Array(CommandLine.arguments.dropFirst())
    ) -> Never {
        ContainerInit.ensure()
        Determinism.ensure()
        Interrupt.install()
        CryptoLibrary.keepUntilTheEnd()
        let code = execute(strategies, arguments: arguments, terminal: Terminal())
        exit(code.rawValue)
    }

    /// The same without ending the process or touching its signals: for tests.
    package static func execute(
        _ strategies: [any Strategy.Type], arguments: [String], terminal: Terminal
    ) -> ExitCode {
        do {
            let root = RootCommand.command(try StrategyRegistry(strategies))
            let code = try dispatch(root, arguments, terminal)
            try terminal.flush()
            return code
        } catch is Terminal.OutputClosed {
            return .success
        } catch {
            let failure = error as? CommandError ?? CommandError("\(error)")
            terminal.fail(failure.message)
            if asksForJSON(arguments) {
                let report = (failure.report?.object ?? []).map { ($0.key, $0.value) }
                let object = JSONValue.fields(
                    report + [
                        ("error", .string(failure.message)),
                        ("exit_code", .integer(Int(failure.code.rawValue))),
                    ])
                try? terminal.line(object.text)
                try? terminal.flush()
            }
            return failure.code
        }
    }

    private static func dispatch(
        _ root: Command, _ arguments: [String], _ terminal: Terminal
    ) throws -> ExitCode {
        let (command, invocation) = try ArgumentParser(root: root).parse(arguments)
        terminal.isQuiet = invocation.isQuiet
        if invocation.isHelp {
            let text =
                invocation.path.isEmpty
                ? try HelpCommand.text(for: [], root: root) : HelpText.of(command, path: invocation.path)
            if invocation.isJSON {
                try terminal.line(JSONValue.fields([("help", .string(text))]).text)
            } else {
                try terminal.write(text)
            }
            return .success
        }
        guard let run = command.run else {
            let names = command.subcommands.map(\.name).joined(separator: ", ")
            throw CommandError.usage("'\(invocation.title)' needs a command: \(names)")
        }
        return try run(invocation, terminal)
    }

    /// Whether `--json` stands on a command line, even one that cannot be parsed.
    private static func asksForJSON(_ arguments: [String]) -> Bool {
        arguments.prefix { $0 != "--" }.contains("--json")
    }
}
