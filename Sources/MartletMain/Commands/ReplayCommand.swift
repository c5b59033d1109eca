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
    static let strategy = ValueFlag("strategy", .text("NAME"), "of the commands, only this strategy's")
    static let with = ListFlag(
        "with", .assignment("PARAM=VALUE"), "what would it have done with another parameter")
    static let orders = Switch("orders", "list the client order ids of all orders that left")
    static let printing = Switch("print", "print each command with its time")

    static func command(_ registry: StrategyRegistry) -> Command {
        var command = Command(
            name: "replay", summary: "run a session's journal again and compare every decision")
        command.discussion = """
            Rebuilds the engine that the journal describes, hands it every input again at its own time, and compares \
            what it says with what was said: identical, or the first difference (exit code 1). With --with a \
            parameter is changed and the difference is what you want to see; the market does not answer to it.

            --print lists the commands, with --json as an object a line before the last one, which sums up. A journal \
            that is damaged is replayed up to the tear, and the exit code is 1.
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
        let folder = try folder(invocation.operands[0])
        var reader = try open(folder)
        let header = reader.header
        let until = try time(invocation[until])
        var wishes = ReplayOutput.Wishes(
            isJSON: invocation.isJSON, printsAll: invocation[printing],
            isExploring: !invocation[with].isEmpty)
        wishes.strategy = try seat(invocation[strategy], header)
        var engine = try JournalEngine(header, registry, changes: invocation[with]).engine()
        var replay = JournalReplay()
        replay.isExploring = wishes.isExploring
        replay.until = until ?? .distantFuture
        let progress = Progress(terminal)
        defer { progress.finish() }
        replay.onProgress = { bytes, total in
            progress.update(done: bytes, total: total, unit: "bytes")
            return !Interrupt.isRequested
        }
        let isDivided = wishes.isExploring && wishes.strategy != nil && header.seats.count > 1
        let output = ReplayOutput(
            wishes, header, recordedOwners: isDivided ? try owners(folder, registry) : nil, terminal)
        output.listen(to: &replay)
        let summary = try replay.run(&reader, &engine)
        progress.finish()
        if let until, summary.inputs == 0, summary.begins.isKnown {
            throw CommandError.usage("--until \(until): the session began later, at \(summary.begins)")
        }
        var orderIDs: [String]?
        if invocation[orders] {
            let recovery = try JournalRecovery(folder: folder)
            orderIDs = recovery.orders.map { ClientOrderID.text($0.id, nonce: recovery.nonce ?? 0) }
        }
        try output.finish(summary, orders: orderIDs)
        if summary.isStopped { return Interrupt.exitCode ?? .failure }
        return (summary.isIdentical || replay.isExploring) && !summary.isTorn ? .success : .failure
    }

    /// A session's folder, its journal's, or one of the journal's own files.
    private static func folder(_ path: String) throws(CommandError) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .usage("'\(path)' does not exist: name a session's folder, such as those in Sessions")
        }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let folder = isFolder.boolValue ? path : path.hasSuffix(".journal") ? parent : nil
        guard let folder, JournalReader.isJournal(folder) else {
            throw .usage("'\(path)' is no session's folder: it holds no journal")
        }
        return folder
    }

    private static func open(_ folder: String) throws -> JournalReader {
        do {
            return try JournalReader(folder: folder)
        } catch {
            if case .empty = error.problem {
                throw CommandError(
                    "the session was killed before its first record: nothing had left", code: .nothingUsable)
            }
            throw CommandError("\(error)")
        }
    }

    private static func time(_ text: String?) throws(CommandError) -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw .usage("--until: '\(text)' is no time such as 2026-11-23T14:00:00Z")
        }
        return time
    }

    private static func seat(_ name: String?, _ header: JournalHeader) throws(CommandError) -> Int? {
        guard let name else { return nil }
        let names = header.seats.map(\.name)
        guard let index = names.firstIndex(of: name) else {
            throw .usage("--strategy: the session has no '\(name)'; it ran \(names.joined(separator: ", "))")
        }
        return index
    }

    /// Whose the recorded orders are, which the journal does not say: the replay of it unchanged does.
    private static func owners(
        _ folder: String, _ registry: StrategyRegistry
    ) throws -> [OrderID: Int] {
        var reader = try open(folder)
        var engine = try JournalEngine(reader.header, registry).engine()
        var replay = JournalReplay()
        let found = Owners()
        replay.onOrder = { found.byOrder[$0] = $1 }
        replay.onProgress = { _, _ in !Interrupt.isRequested }
        _ = try replay.run(&reader, &engine)
        return found.byOrder
    }
    private final class Owners {
        var byOrder: [OrderID: Int] = [:]
    }
}
