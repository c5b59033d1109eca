import Martlet
import MartletTape
import MartletWire

/// `martlet tape verify TAPE...`: whether tapes are whole and their books make sense.
enum TapeVerifyCommand {
    static func command() -> Command {
        var command = Command(name: "verify", summary: "check a tape's checksums, records and books")
        command.discussion = """
            Reads every block against its checksum, every record against the format's rules, and builds the books: \
            no change may take a level below zero, and no book may be crossed at the end of a group. Damage and a \
            missing end mark are errors; so are books that make no sense. Exit code 0 means that all tapes are \
            sound.
            """
        command.operands = [.init("TAPE", .many, "the tapes, or folders of them")]
        command.run = { invocation, terminal in
            let progress = Progress(terminal)
            defer { progress.finish() }
            let results = try TapeCommand.tapes(invocation.operands).map { try verify($0, progress) }
            progress.finish()
            let report = JSONValue.fields([("tapes", .array(results.map(\.json)))])
            let unsound = results.filter { !$0.isSound }
            if !invocation.isJSON {
                for result in results { try terminal.line(result.text) }
            } else if unsound.isEmpty {
                try terminal.line(report.text)
            }
            guard let first = unsound.first else { return .success }
            throw CommandError(
                "\(unsound.count) of \(results.count) tapes \(unsound.count == 1 ? "is" : "are") not sound: "
                    + first.text, report: report)
        }
        return command
    }

    private struct Result {
        var path: String
        var verification: TapeVerification?
        var damage: TapeError?

        var isSound: Bool { verification?.isSound == true && damage == nil }
        var text: String {
            if let damage { return damage.description }
            guard let verification else { return path }
            let head = "\(path): \(FormatNumber.grouped(verification.records)) records"
            if verification.isSound { return "\(head), whole, books sound" }
            return
                "\(head), whole, but \(verification.bookFaults) changes that no book could take and "
                + "\(verification.crossedGroups) groups that ended crossed; first "
                + (verification.firstProblem ?? "unknown")
        }
        var json: JSONValue {
            .fields([
                ("path", .string(path)), ("sound", .bool(isSound)),
                ("records", verification.map { .integer($0.records) } ?? .null),
                ("book_faults", verification.map { .integer($0.bookFaults) } ?? .null),
                ("crossed_groups", verification.map { .integer($0.crossedGroups) } ?? .null),
                ("first_problem", verification?.firstProblem.map { .string($0) } ?? .null),
                ("damage", damage.map { .string($0.description) } ?? .null),
                ("damaged_at", damage?.offset.map { .integer($0) } ?? .null),
            ])
        }
    }

    private static func verify(_ path: String, _ progress: Progress) throws -> Result {
        do {
            let tape = try TapeReader(path: path)
            let verification = try TapeVerification(tape) { bytes in
                progress.update(done: bytes, total: tape.byteCount, unit: "bytes", detail: path)
                return !Interrupt.isRequested
            }
            return Result(path: path, verification: verification)
        } catch {
            if error.problem == .interrupted { try TapeCommand.attempt { throw error } }
            return Result(path: path, damage: error)
        }
    }
}
