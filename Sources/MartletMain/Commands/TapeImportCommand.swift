import Foundation
import Martlet
import MartletTape
import MartletWire

/// `martlet tape import INPUT... -o TAPE`: recordings of any known kind become one tape.
enum TapeImportCommand {
    static let format = ValueFlag(
        "format", .choice("FORMAT", RecordingFormat.allCases.map(\.rawValue)),
        "take every file for this kind of recording instead of looking")
    static let markets = ListFlag("markets", .file, "definitions of markets: REST market objects as JSON")
    static let results = ListFlag(
        "results", .file, "results of markets: {\"ticker\": …, \"result\": \"yes\"} a line")
    static let grid = ValueFlag(
        "grid", .choice("GRID", ["cent"] + PriceGrid.knownStructures),
        "the price grid of markets that nothing defines (cent)")
    static let yesPrices = Switch(
        "use-yes-price", "the recording was made with use_yes_price: NO levels have YES prices")
    static let noInference = Switch("no-inferred-trades", "infer no trades where none were recorded")
    static let lines = Switch("lines", "name each line that was left out or changed, and why")

    static func command() -> Command {
        var command = Command(name: "import", summary: "make a tape of recordings")
        command.discussion = """
            Takes files, folders and '-' for standard input, plain or gzipped, and finds out by itself what they \
            hold: Kalshi's WebSocket messages a line each (bare, with a receive time before them, or in a \
            recorder's envelope), sessions with a file for each message type, whole books and logs of REST calls, \
            CSV of trades, settled markets, definitions, and what 'martlet tape export' wrote. Several recordings \
            become one tape. A session's folder becomes one too: what it saw, without what it did.

            Prints what was taken, what was left out and why, and what had to be assumed. Where no trades were \
            recorded they are inferred from the book: an order that reaches through the other side and the \
            removals that follow it there under the same exchange time. They are marked as inferred, and compared \
            with the volume that the tickers report.

            The tape appears only when it is whole. Exit code 3 means that nothing usable was found.
            """
        command.operands = [.init("INPUT", .many, "recordings: files, folders, or '-' for standard input")]
        command.flags = [
            TapeCommand.out, markets, results, format, grid, yesPrices, noInference, lines,
            TapeCommand.force,
        ]
        command.examples = [
            ("martlet tape import day.jsonl.gz -o day.tape", "one recording"),
            (
                "martlet tape import recordings/ --results results.jsonl -o week.tape",
                "a folder, with results that it lacks"
            ),
            ("my-recorder | martlet tape import - -o live.tape", "from a pipe"),
        ]
        command.run = { invocation, terminal in
            let output = try TapeCommand.output(TapeCommand.out, invocation)
            let options = try options(invocation)
            let progress = Progress(terminal)
            defer { progress.finish() }
            var observer = ImportObserver()
            observer.goesOn = { state in
                progress.update(
                    done: state.bytes, total: state.totalBytes, unit: "bytes",
                    detail: (state.file as NSString).lastPathComponent)
                return !Interrupt.isRequested
            }
            if invocation[lines] {
                observer.onRemark = {
                    progress.finish()
                    terminal.raw("\($0)\n")
                }
            }
            if let journal = invocation.operands.first, invocation.operands.count == 1,
                JournalReader.isJournal(journal)
            {
                return try importJournal(journal, to: output, invocation, terminal, progress)
            }
            let report = try TapeCommand.attempt {
                try Importer(options: options).run(invocation.operands, to: output, observer: observer)
            }
            progress.finish()
            let found = ImportOutput(report: report, output: output)
            guard report.isUsable else {
                if !invocation.isJSON { try found.print(invocation, terminal) }
                throw CommandError(
                    "nothing usable in \(invocation.operands.joined(separator: ", ")); "
                        + (invocation[lines]
                            ? "no tape was written" : "--lines says line by line why; no tape was written"),
                    code: .nothingUsable, report: found.json)
            }
            try found.print(invocation, terminal)
            return .success
        }
        return command
    }

    /// A session's own recording.
    private static func importJournal(
        _ journal: String, to output: String, _ invocation: Invocation, _ terminal: Terminal,
        _ progress: Progress
    ) throws -> ExitCode {
        let totals = try TapeCommand.attempt {
            try JournalTape.write(journal, to: output) { done, total in
                progress.update(done: done, total: total, unit: "bytes")
                return !Interrupt.isRequested
            }
        }
        progress.finish()
        guard let totals else { return Interrupt.exitCode ?? .failure }
        if case .torn(let file, let offset, let reason) = totals.ending {
            terminal.note("\(file) is torn at byte \(offset): \(reason); everything before it is on the tape")
        }
        if invocation.isJSON {
            try terminal.line(
                JSONValue.fields([
                    ("tape", .string(output)), ("records", .integer(totals.records)),
                    ("left", .integer(totals.left)),
                ]).text)
        } else {
            try terminal.line(
                "\(output): \(totals.records) records of the session's journal; \(totals.left) of our own account left out"
            )
        }
        return .success
    }

    private static func options(_ invocation: Invocation) throws -> ImportOptions {
        var options = ImportOptions()
        options.format = invocation[format].flatMap(RecordingFormat.init)
        options.usesYesPrice = invocation[yesPrices]
        options.infersTrades = !invocation[noInference]
        if let name = invocation[grid] { options.assumedGrid = PriceGrid.labelled(name) ?? .cent }
        try TapeCommand.attempt {
            for path in invocation[markets] { try options.references.read(markets: path) }
            for path in invocation[results] { try options.references.read(results: path) }
        }
        return options
    }
}
