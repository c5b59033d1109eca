import Foundation
import Martlet
import MartletEngine
import MartletSimulation
import MartletTape

/// The tapes of a run, opened and checked. May be read by several runs at once.
struct RunInput: Sendable {
    let tapes: [TapeReader]
    /// As the configuration names them: for the report, which says nothing of this machine's folders.
    let names: [String]
    /// What the reader should know: a tape that was cut off.
    let remarks: [String]

    /// Opens a plan's tapes. A name that leads nowhere is a usage error; a damaged tape is a failure.
    init(_ plan: BacktestPlan) throws(CommandError) {
        var tapes: [TapeReader] = []
        var names: [String] = []
        for name in plan.configuration.tapes {
            let paths =
                name == "demo"
                ? [try DemoTape.path(seed: plan.configuration.seed)] : try RunInput.paths(plan.resolve(name))
            for path in paths {
                do {
                    var options = TapeReader.Options()
                    options.acceptsTorn = true
                    tapes.append(try TapeReader(path: path, options: options))
                } catch {
                    throw CommandError("\(error)")
                }
                let isAlone = paths.count == 1
                names.append(isAlone ? name : name + "/" + (path as NSString).lastPathComponent)
            }
        }
        try TapeCommand.refuseRepetition(tapes)
        self.tapes = tapes
        self.names = names
        remarks = zip(tapes, names).compactMap { tape, name in
            tape.totals == nil ? TapeCommand.tornRemark(name) : nil
        }
    }

    /// A tape, or the tapes of a folder in the order of their names.
    static func paths(_ path: String) throws(CommandError) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .usage(
                "tape '\(path)' does not exist; 'tapes' and --tape name tapes, folders of them, or \"demo\"")
        }
        guard isFolder.boolValue else { return [path] }
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .usage(FileProblem.reading(path, error))
        }
        let tapes = files.filter { $0.hasSuffix(".tape") }.sorted()
        guard !tapes.isEmpty else {
            throw .usage(
                "folder '\(path)' holds no .tape file; 'martlet tape import' makes one of a recording")
        }
        return tapes.map { "\(path)/\($0)" }
    }

    /// What the tapes lack that a strategy would trade on, where they lack it: reads them once more.
    func whyNothingWasQuoted() -> String? {
        var counts: [(kind: TapeFormat.Kind, count: Int)] = []
        do {
            for tape in tapes { counts += try TapeInfo(tape).counts }
        } catch {
            return nil
        }
        let books: [TapeFormat.Kind] = [.delta, .snapshotStart, .snapshotLevel]
        let hasBook = counts.contains { books.contains($0.kind) && $0.count > 0 }
        guard !hasBook else { return nil }
        let trades = counts.reduce(0) { $0 + ($1.kind == .trade ? $1.count : 0) }
        return
            "\(names.joined(separator: ", ")): \(FormatNumber.grouped(trades)) trades and no book; a strategy that "
            + "quotes or takes by the book has nothing to go by"
    }

    /// The first and last receive times, where all tapes know theirs.
    var span: (first: Timestamp, last: Timestamp)? {
        let totals = tapes.compactMap(\.totals)
        guard totals.count == tapes.count, let first = totals.map(\.first).min(), first.isKnown,
            let last = totals.map(\.last).max()
        else { return nil }
        return (first, last)
    }
}
