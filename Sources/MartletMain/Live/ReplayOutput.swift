import Foundation
import Martlet
import MartletEngine
import MartletLive
import MartletTape
import MartletWire

/// What a replay prints while it runs and at its end.
final class ReplayOutput {
    struct Wishes {
        var isJSON = false
        /// Every command, not only what differs.
        var printsAll = false
        /// Differences are what is asked for.
        var isExploring = false
        /// The index of the one strategy whose commands are wanted.
        var strategy: Int?
    }

    private let wishes: Wishes
    private let terminal: Terminal
    private let header: JournalHeader
    private var names = CommandText()
    /// Whose orders they are, in the replay and, where something was changed, in the journal.
    private var owners: [OrderID: Int] = [:]
    private let recordedOwners: [OrderID: Int]?
    private var differences: [JSONValue] = []
    private var shown = 0
    private var lines: [String] = []
    static let shownDifferences = 20

    init(
        _ wishes: Wishes, _ header: JournalHeader, recordedOwners: [OrderID: Int]? = nil,
        _ terminal: Terminal
    ) {
        self.wishes = wishes
        self.header = header
        self.recordedOwners = recordedOwners
        self.terminal = terminal
    }

    func listen(to replay: inout JournalReplay) {
        replay.onDefined = { self.names.define($0) }
        if wishes.strategy != nil { replay.onOrder = { self.owners[$0] = $1 } }
        replay.onCommands = { self.add($0, $1, $2) }
    }

    // MARK: - While it runs

    private func add(_ time: Timestamp, _ recorded: [VenueCommand], _ replayed: [VenueCommand]) {
        let recorded = wanted(recorded, recordedOwners ?? owners)
        let replayed = wanted(replayed, owners)
        if wishes.printsAll {
            for command in replayed {
                lines.append(
                    wishes.isJSON
                        ? object(command, at: time).text : "\(time) \(names.line(command))")
            }
        } else if wishes.isExploring, recorded != replayed, shown < ReplayOutput.shownDifferences {
            shown += 1
            if wishes.isJSON {
                differences.append(
                    .fields([
                        ("time", .string("\(time)")), ("recorded", array(recorded)),
                        ("replayed", array(replayed)),
                    ]))
            } else {
                lines.append("\(time)")
                lines += both(recorded, replayed)
            }
        }
        if lines.count > 1000 { try? flush() }
    }

    private func wanted(_ commands: [VenueCommand], _ owners: [OrderID: Int]) -> [VenueCommand] {
        guard let strategy = wishes.strategy else { return commands }
        return commands.filter { $0.orders.contains { owners[$0] == strategy } }
    }

    func flush() throws {
        for line in lines { try terminal.line(line) }
        lines.removeAll()
    }

    private func both(_ recorded: [VenueCommand], _ replayed: [VenueCommand]) -> [String] {
        recorded.map { "  then: " + names.line($0) } + replayed.map { "  now:  " + names.line($0) }
    }
    private func object(_ command: VenueCommand, at time: Timestamp) -> JSONValue {
        guard case .object(let members) = names.object(command) else { return .null }
        return .object([.init("time", .string("\(time)"))] + members)
    }
    private func array(_ commands: [VenueCommand]) -> JSONValue { .array(commands.map(names.object)) }

    // MARK: - The end

    /// - Parameter orders: client ids of all orders that left, where they are asked for.
    func finish(_ summary: JournalReplay.Summary, orders: [String]?) throws {
        try flush()
        if wishes.isJSON { return try terminal.line(object(summary, orders).text) }
        for id in orders ?? [] { try terminal.line(id) }
        for line in text(summary) { try terminal.line(line) }
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

    private var isSameProgram: Bool {
        header.program == JournalIdentity.program && header.machine == JournalIdentity.machine
    }

    private func text(_ summary: JournalReplay.Summary) -> [String] {
        let span =
            "\(summary.inputs) inputs, \(summary.commands) commands, \(header.mode) session \(header.session)"
        if wishes.isExploring {
            let more = summary.differences - shown
            let rest =
                shown > 0 && more > 0 && wishes.strategy == nil && !wishes.printsAll
                ? ["… and \(more) more"] : []
            return rest + [
                "\(span): \(summary.replayedCommands) commands now, \(summary.differences) decisions differ"
            ]
        }
        guard let difference = summary.difference else {
            let extent = summary.isTorn ? "identical up to the tear" : "identical"
            return ["\(extent): \(span), hash \(String(summary.hash, radix: 16))"]
        }
        var lines = [
            "\(span): the first difference is at input \(difference.input), \(difference.time):",
            "  " + cause(difference),
        ]
        lines += both(difference.recorded, difference.replayed)
        if difference.recorded == difference.replayed {
            lines.append("  the commands are the same; records or logs differ")
        }
        return lines
    }

    private func cause(_ difference: JournalReplay.Difference) -> String {
        difference.what + (difference.market.map { " of \(names.ticker($0))" } ?? "")
    }

    private func object(_ summary: JournalReplay.Summary, _ orders: [String]?) -> JSONValue {
        var members: [(String, JSONValue)] = [
            // A journal that is damaged is identical to nothing: only its part is.
            ("identical", .bool(summary.isIdentical && !summary.isTorn)),
            ("inputs", .integer(summary.inputs)), ("commands", .integer(summary.commands)),
            ("replayed_commands", .integer(summary.replayedCommands)),
            ("hash", .string(String(summary.hash, radix: 16))), ("same_program", .bool(isSameProgram)),
            ("differences", .integer(summary.differences)), ("whole", .bool(summary.isWhole)),
        ]
        switch summary.ending {
        case .clean: members.append(("ending", .string("clean")))
        case .open: members.append(("ending", .string("open")))
        case .torn(let file, let offset, let reason):
            members.append(("ending", .string("torn")))
            members.append(("identical_up_to_the_tear", .bool(summary.isIdentical)))
            members.append(("torn", .string("\(file) at byte \(offset): \(reason)")))
        }
        if let orders { members.append(("orders", .array(orders.map { .string($0) }))) }
        if let difference = summary.difference {
            members.append(
                (
                    "first_difference",
                    .fields([
                        ("input", .integer(difference.input)), ("time", .string("\(difference.time)")),
                        ("what", .string(cause(difference))),
                        ("recorded", array(difference.recorded)), ("replayed", array(difference.replayed)),
                    ])
                ))
        }
        if wishes.isExploring, !wishes.printsAll {
            members.append(("first_differences", .array(differences)))
        }
        return JSONValue.fields(members)
    }
}
