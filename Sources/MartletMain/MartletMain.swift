import Foundation
import Martlet

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
        Determinism.ensure()
        Interrupt.install()
        let code = execute(strategies, arguments: arguments, terminal: Terminal())
        exit(code.rawValue)
    }

    /// The same without leaving the process and without touching it: for tests and for programs of one's own.
    package static func execute(
        _ strategies: [any Strategy.Type], arguments: [String], terminal: Terminal
    ) -> ExitCode {
        .success
    }
}
