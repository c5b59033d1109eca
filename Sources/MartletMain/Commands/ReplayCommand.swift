import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletTape
import MartletWire

/// `martlet replay`: a session again, from its journal.
enum ReplayCommand {
    static let until = ValueFlag("until", .text("TIME"), "stop there: 2026-11-23T14:00:00Z")
    static let strategy = ValueFlag("strategy", .text("NAME"), "print this strategy's decisions alone")
    static let with = ListFlag(
        "with", .assignment("PARAM=VALUE"), "what would it have done with another parameter")
    static let orders = Switch("orders", "list the client order ids of all orders that left")
    static let printing = Switch("print", "print each command with its time")
    private static let shownDifferences = 20

    static func command(_ registry: StrategyRegistry) -> Command {
        var command = Command(
            name: "replay", summary: "run a session's journal again and compare every decision")
        command.discussion = """
            Rebuilds the engine that the journal describes, hands it every input again at its own time, and compares \
            what it says with what was said: identical, or the first difference (exit code 1). With --with a \
            parameter is changed and the difference is what you want to see; the market does not answer to it.
            """
        command.operands = [.init("SESSION", .one, "a session's folder, or its journal")]
        command.flags = [until, strategy, with, printing, orders]
        command.examples = [
            ("martlet replay Sessions/maker-20261123T090000Z", "does it decide the same again?"),
            (
                "martlet replay Sessions/maker-20261123T090000Z --with halfSpread=0.03",
                "and with a wider spread?"
            ),
        ]
        command.run = { try run(registry, $0, $1) }
        return command
    }

    /// A journal replayed as it was.
    static func verify(_ folder: String, _ registry: StrategyRegistry) throws -> JournalReplay.Summary {
        var reader = try JournalReader(folder: folder)
        var engine = try JournalEngine(reader.header, registry).engine()
        return try JournalReplay().run(&reader, &engine)
    }

    private static func run(
        _ registry: StrategyRegistry, _ invocation: Invocation, _ terminal: Terminal
    ) throws -> ExitCode {
        var reader: JournalReader
        do {
            reader = try JournalReader(folder: invocation.operands[0])
        } catch {
            if case .empty = error.problem {
                throw CommandError(
                    "the session was killed before its first record: nothing had left", code: .nothingUsable)
            }
            throw CommandError("\(error): name a session's folder")
        }
        let header = reader.header
        let made = try JournalEngine(header, registry, changes: invocation[with])
        var engine = made.engine()
        var replay = JournalReplay()
        replay.isExploring = !invocation[with].isEmpty
        if let text = invocation[until] {
            guard let time = Timestamp(rfc3339: text) else {
                throw CommandError.usage("--until: '\(text)' is no time such as 2026-11-23T14:00:00Z")
            }
            replay.until = time
        }
        let progress = Progress(terminal)
        defer { progress.finish() }
        replay.onProgress = { bytes, total in
            progress.update(done: bytes, total: total, unit: "bytes")
            return !Interrupt.isRequested
        }
        var left: [String] = []
        let listing = Listing(invocation, terminal, isExploring: replay.isExploring)
        replay.onCommands = { listing.add($0, $1, $2) }
        let summary = try replay.run(&reader, &engine)
        progress.finish()
        try listing.flush()
        if invocation[orders] {
            let recovery = try JournalRecovery(folder: invocation.operands[0])
            left = recovery.orders.map { ClientOrderID.text($0.id, nonce: recovery.nonce ?? 0) }
            if !invocation.isJSON { for id in left { try terminal.line(id) } }
        }
        try put(summary, header, invocation, terminal, left, isExploring: replay.isExploring)
        if summary.isStopped { return Interrupt.exitCode ?? .failure }
        return (summary.isIdentical || replay.isExploring) && !summary.isTorn ? .success : .failure
    }

    private static func put(
        _ summary: JournalReplay.Summary, _ header: JournalHeader, _ invocation: Invocation,
        _ terminal: Terminal, _ left: [String], isExploring: Bool
    ) throws {
        let isSameProgram =
            header.program == JournalIdentity.program && header.machine == JournalIdentity.machine
        if invocation.isJSON {
            try terminal.line(object(summary, isSameProgram, invocation[orders] ? left : nil).text)
            return
        }
        let span =
            "\(summary.inputs) inputs, \(summary.commands) commands, \(header.mode) session \(header.session)"
        if isExploring {
            try terminal.line(
                "\(span): \(summary.replayedCommands) commands now, \(summary.differences) decisions differ")
        } else if let difference = summary.difference {
            try terminal.line(
                "\(span): the first difference is at input \(difference.input), \(difference.time):")
            try terminal.line("  \(difference.what)")
            for command in difference.recorded { try terminal.line("  then: \(command)") }
            for command in difference.replayed { try terminal.line("  now:  \(command)") }
            if difference.recorded == difference.replayed {
                try terminal.line("  the commands are the same; records or logs differ")
            }
        } else {
            try terminal.line("identical: \(span), hash \(String(summary.hash, radix: 16))")
        }
        switch summary.ending {
        case .clean: break
        case .open: terminal.note("the journal was not ended: the session was killed, or still runs")
        case .torn(let file, let offset, let reason):
            terminal.note("\(file) is torn at byte \(offset): \(reason); everything before it was replayed")
        }
        if !isSameProgram {
            terminal.note(
                "recorded by \(header.program) on \(header.machine), replayed by \(JournalIdentity.program) on "
                    + "\(JournalIdentity.machine): the same bits are promised for one program on one kind of machine"
            )
        }
    }

    private static func object(
        _ summary: JournalReplay.Summary, _ isSameProgram: Bool, _ orders: [String]?
    ) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("identical", .bool(summary.isIdentical)), ("inputs", .integer(summary.inputs)),
            ("commands", .integer(summary.commands)),
            ("replayed_commands", .integer(summary.replayedCommands)),
            ("hash", .string(String(summary.hash, radix: 16))), ("same_program", .bool(isSameProgram)),
            ("differences", .integer(summary.differences)), ("whole", .bool(summary.isWhole)),
        ]
        switch summary.ending {
        case .clean: members.append(("ending", .string("clean")))
        case .open: members.append(("ending", .string("open")))
        case .torn(let file, let offset, let reason):
            members.append(("ending", .string("torn")))
            members.append(("torn", .string("\(file) at byte \(offset): \(reason)")))
        }
        if let orders { members.append(("orders", .array(orders.map { .string($0) }))) }
        if let difference = summary.difference {
            members.append(
                (
                    "first_difference",
                    JSONValue.fields([
                        ("input", .integer(difference.input)), ("time", .string("\(difference.time)")),
                        ("what", .string(difference.what)),
                        ("recorded", .array(difference.recorded.map { .string("\($0)") })),
                        ("replayed", .array(difference.replayed.map { .string("\($0)") })),
                    ])
                ))
        }
        return JSONValue.fields(members)
    }

    /// The commands as they come, where somebody wants to see them.
    private final class Listing {
        private let invocation: Invocation
        private let terminal: Terminal
        private let isExploring: Bool
        private var shown = 0
        private var lines: [String] = []

        init(_ invocation: Invocation, _ terminal: Terminal, isExploring: Bool) {
            self.invocation = invocation
            self.terminal = terminal
            self.isExploring = isExploring
        }

        func add(_ time: Timestamp, _ recorded: [VenueCommand], _ replayed: [VenueCommand]) {
            guard !invocation.isJSON else { return }
            if invocation[printing] {
                for command in replayed { lines.append("\(time) \(command)") }
            } else if isExploring, recorded != replayed, shown < shownDifferences {
                shown += 1
                lines.append("\(time)")
                for command in recorded { lines.append("  then: \(command)") }
                for command in replayed { lines.append("  now:  \(command)") }
            }
            if lines.count > 1000 { try? flush() }
        }
        func flush() throws {
            for line in lines { try terminal.line(line) }
            lines.removeAll()
        }
    }
}
