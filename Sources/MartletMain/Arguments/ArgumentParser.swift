/// Reads a command line against the declared commands.
///
/// Flags may stand anywhere after their command; `--flag value` and `--flag=value` are the same; `--` makes
/// operands of all that follows; `-` is an operand. Anything not declared is an error that names the nearest
/// declared one. A flag that takes one value and is given twice is an error too: one of them is a mistake.
package struct ArgumentParser {
    package var root: Command

    package init(root: Command) { self.root = root }

    /// What a command line asks for: a command with its invocation. Throws a usage ``CommandError``.
    package func parse(_ arguments: [String]) throws(CommandError) -> (command: Command, Invocation) {
        var command = root
        var path: [String] = []
        var operands: [String] = []
        var values: [String: [any Sendable]] = [:]
        var isHelp = false
        var index = 0
        var flagsAreOver = false

        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if !flagsAreOver, argument == "--" {
                flagsAreOver = true
            } else if !flagsAreOver, argument.hasPrefix("-"), argument != "-" {
                let (spec, inline) = try flag(argument, of: command, path)
                if spec.name == CommonFlags.help.spec.name { isHelp = true }
                let value = try self.value(of: spec, inline: inline, arguments, &index)
                if !spec.isRepeatable, spec.placeholder != nil, values[spec.name] != nil {
                    throw .usage("flag '--\(spec.name)' is given twice; it takes one value")
                }
                values[spec.name, default: []].append(value)
            } else if operands.isEmpty, !command.subcommands.isEmpty {
                command = try subcommand(argument, of: command, path)
                path.append(command.name)
            } else {
                operands.append(argument)
            }
        }
        var invocation = Invocation(path: path, operands: operands, values: values)
        invocation.isHelp = isHelp
        if !isHelp, command.run != nil { try checkCount(invocation, command) }
        return (command, invocation)
    }

    /// The declared flag that an argument names, with the value that stands after its equals sign.
    private func flag(
        _ argument: String, of command: Command, _ path: [String]
    ) throws(CommandError) -> (FlagSpec, inline: String?) {
        let body = argument.hasPrefix("--") ? argument.dropFirst(2) : argument.dropFirst()
        let name = String(body.prefix { $0 != "=" })
        let inline = name.count < body.count ? String(body.dropFirst(name.count + 1)) : nil
        let specs = (command.flags + CommonFlags.all).map(\.spec)
        for spec in specs {
            let isNamed =
                argument.hasPrefix("--") ? spec.name == name : spec.short.map { String($0) } == name
            if isNamed { return (spec, inline) }
        }
        let title = (["martlet"] + path).joined(separator: " ")
        var message = "unknown flag '\(argument.prefix { $0 != "=" })' for '\(title)'"
        if let nearest = Nearest.match(name, among: specs.map(\.name)) {
            message += "; did you mean '--\(nearest)'?"
        } else {
            message += "; '\(title) --help' lists them"
        }
        throw .usage(message)
    }

    private func value(
        of spec: FlagSpec, inline: String?, _ arguments: [String], _ index: inout Int
    ) throws(CommandError) -> any Sendable {
        guard let placeholder = spec.placeholder else {
            if let inline { throw .usage("flag '--\(spec.name)' takes no value, got '\(inline)'") }
            return true
        }
        var text = inline
        if text == nil, index < arguments.count, !arguments[index].hasPrefix("--") {
            text = arguments[index]
            index += 1
        }
        guard let text else {
            throw .usage("flag '--\(spec.name)' needs a value: --\(spec.name) \(placeholder)")
        }
        do {
            return try spec.read(text)
        } catch let problem as ValueProblem {
            throw .usage("--\(spec.name) \(placeholder): '\(text)' \(problem.text)")
        } catch {
            throw .usage("--\(spec.name) \(placeholder): '\(text)': \(error)")
        }
    }

    private func subcommand(
        _ name: String, of command: Command, _ path: [String]
    ) throws(CommandError) -> Command {
        if let found = command.subcommands.first(where: { $0.name == name }) { return found }
        let title = (["martlet"] + path).joined(separator: " ")
        var message = "unknown command '\((path + [name]).joined(separator: " "))'"
        if let nearest = Nearest.match(name, among: command.subcommands.map(\.name)) {
            message += "; did you mean '\(title) \(nearest)'?"
        } else {
            message += "; '\(title) --help' lists the commands"
        }
        throw .usage(message)
    }

    private func checkCount(_ invocation: Invocation, _ command: Command) throws(CommandError) {
        let (least, most) = command.operandCounts
        let given = invocation.operands.count
        if given < least {
            let missing = command.operands.filter { $0.count == .one || $0.count == .many }[given]
            throw .usage(
                "'\(invocation.title)' needs \(missing.name): \(missing.help); '\(invocation.title) --help' shows how"
            )
        }
        if let most, given > most {
            throw .usage("'\(invocation.title)' does not take '\(invocation.operands[most])'")
        }
    }
}
