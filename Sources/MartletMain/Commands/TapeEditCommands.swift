import Foundation
import Martlet
import MartletTape
import MartletWire

/// `martlet tape slice TAPE -o TAPE`: a part of a tape, by time and market.
enum TapeSliceCommand {
    static func command() -> Command {
        var command = Command(name: "slice", summary: "cut a part out of a tape, by time and market")
        command.discussion = """
            The part stands for itself: definitions come along, and books, states and results as they were at the \
            cut are written before its first record. Slices that follow each other merge back into the tape that \
            they were cut from.
            """
        command.operands = [.init("TAPE", .one, "the tape")]
        command.flags = [
            TapeCommand.out, TapeCatCommand.from, TapeCatCommand.to, TapeCatCommand.market, TapeCommand.force,
        ]
        command.examples = [
            (
                "martlet tape slice day.tape --from 2026-05-11T05:40:00Z -o part.tape",
                "five minutes"
            ),
            ("martlet tape slice day.tape --market 'KXBTC15M-*' -o btc.tape", "some markets"),
        ]
        command.run = { invocation, terminal in
            let (from, to) = try TapeCommand.span(invocation)
            let output = try TapeCommand.output(TapeCommand.out, invocation)
            let input = invocation.operands[0]
            let tape = try TapeCommand.open(input)
            let filter = TickerFilter(invocation[TapeCatCommand.market])
            var slice = TapeSlice(from: from, to: to)
            if !filter.isEmpty { slice.wants = { filter.accepts($0) } }
            let progress = Progress(terminal)
            defer { progress.finish() }
            let totals = try TapeCommand.attempt {
                var options = TapeReader.Options()
                options.acceptsTorn = true
                return try slice.write(input, to: output, options: options) { bytes in
                    progress.update(done: bytes, total: tape.byteCount, unit: "bytes")
                    return !Interrupt.isRequested
                }
            }
            progress.finish()
            TapeCommand.noteTears([tape], terminal)
            if totals.records == 0, let whole = tape.totals, whole.records > 0 {
                terminal.note("nothing of \(input) was chosen: it runs from \(whole.first) to \(whole.last)")
            }
            return try TapeWritten(output, totals, of: [tape]).print(invocation, terminal)
        }
        return command
    }
}

/// `martlet tape merge TAPE... -o TAPE`: several tapes as one.
enum TapeMergeCommand {
    static func command() -> Command {
        var command = Command(name: "merge", summary: "put tapes together, in the order of their times")
        command.discussion = """
            Records of equal receive times keep the order in which the tapes are named. Markets are matched by \
            ticker. Slices that follow each other give back the tape that they were cut from.
            """
        command.operands = [.init("TAPE", .many, "the tapes, or folders of them")]
        command.flags = [TapeCommand.out, TapeCommand.force]
        command.examples = [("martlet tape merge monday.tape tuesday.tape -o days.tape", "two days in one")]
        command.run = { invocation, terminal in
            let output = try TapeCommand.output(TapeCommand.out, invocation)
            let tapes = try TapeCommand.tapes(invocation.operands)
            let readers = try tapes.map { try TapeCommand.open($0) }
            try TapeCommand.refuseRepetition(readers)
            let known = readers.compactMap { $0.totals?.records }
            let total = known.count == tapes.count ? Int(known.reduce(0, &+)) : nil
            let progress = Progress(terminal)
            defer { progress.finish() }
            let totals = try TapeCommand.attempt {
                var options = TapeReader.Options()
                options.acceptsTorn = true
                return try TapeMerger.merge(tapes, to: output, options: options) { records in
                    progress.update(done: records, total: total, unit: "records")
                    return !Interrupt.isRequested
                }
            }
            progress.finish()
            TapeCommand.noteTears(readers, terminal)
            return try TapeWritten(output, totals, of: readers).print(invocation, terminal)
        }
        return command
    }
}

/// `martlet tape export TAPE -o FILE`: a tape as text, for other programs.
enum TapeExportCommand {
    static let out = ValueFlag("out", short: "o", .file, "the file to write; without it, standard output")
    static let form = ValueFlag(
        "format", .choice("FORM", ["jsonl", "csv"]), "jsonl or csv; by default what --out ends in, or jsonl")

    static func command() -> Command {
        var command = Command(name: "export", summary: "write a tape as JSON lines or CSV")
        command.discussion = """
            Every record with all it says; 'martlet tape import' makes the same tape of it again. Times are \
            nanoseconds since 1970 UTC, prices dollars of YES, the side of a trade is its taker's.
            """
        command.operands = [.init("TAPE", .one, "the tape")]
        command.flags = [
            out, form, TapeCatCommand.market, TapeCatCommand.from, TapeCatCommand.to, TapeCommand.force,
        ]
        command.examples = [("martlet tape export day.tape -o day.csv", "for a spreadsheet or a data frame")]
        command.run = { invocation, terminal in
            let path = invocation[out]
            if let path {
                try TapeCommand.check(
                    output: path, inputs: invocation.operands, isTape: false,
                    replaces: invocation[TapeCommand.force])
            }
            let name = invocation[form] ?? (path?.hasSuffix(".csv") == true ? "csv" : "jsonl")
            let choice = MarketChoice(invocation[TapeCatCommand.market])
            let export = try TapeExport.selected(name == "csv" ? .csv : .jsonLines, choice, invocation)
            let tape = try TapeCommand.open(invocation.operands[0])
            let progress = Progress(terminal)
            defer { progress.finish() }
            func goesOn(_ bytes: Int) -> Bool {
                progress.update(done: bytes, total: tape.byteCount, unit: "bytes")
                return !Interrupt.isRequested
            }
            try TapeCommand.attempt {
                guard let path else {
                    return try export.lines(of: tape, goesOn: goesOn) {
                        try terminal.line($0)
                        return true
                    }
                }
                let lines = try export.write(tape, to: path, goesOn: goesOn)
                progress.finish()
                let text =
                    invocation.isJSON
                    ? JSONValue.fields([("file", .string(path)), ("lines", .integer(lines))]).text
                    : "\(path): \(FormatNumber.grouped(lines)) lines"
                try terminal.line(text)
            }
            progress.finish()
            TapeCommand.noteTears([tape], terminal)
            try choice.check(invocation.operands[0])
            return .success
        }
        return command
    }
}

/// `martlet tape demo TAPE`: generated market data.
enum TapeDemoCommand {
    static let seed = ValueFlag("seed", .seed, "another seed, another day (1)")
    static let records = ValueFlag(
        "records", .whole("N", in: 1...100_000_000_000),
        "a stress tape of N random book changes and trades instead of the demonstration day")
    static let markets = ValueFlag(
        "markets", .whole("N", in: 1...1_000_000), "markets of a stress tape (100)")

    static func command() -> Command {
        var command = Command(name: "demo", summary: "write the demonstration day, or a tape of any length")
        command.discussion = """
            The demonstration day is a made-up exchange day: several events, mutually exclusive markets, news, a \
            pause, settlements. The same seed gives the same tape, byte for byte. With --records the tape holds \
            that many random events instead, to try how memory and speed behave.
            """
        command.operands = [.init("TAPE", .one, "the tape to write")]
        command.flags = [seed, records, markets, TapeCommand.force]
        command.examples = [
            ("martlet tape demo day.tape --seed 7", "a demonstration day"),
            ("martlet tape demo long.tape --records 100000000", "three gigabytes of random events"),
        ]
        command.run = { invocation, terminal in
            let path = invocation.operands[0]
            try TapeCommand.check(
                output: path, inputs: [], isTape: true, replaces: invocation[TapeCommand.force])
            let seed = invocation[seed] ?? 1
            if let count = invocation[records] {
                let progress = Progress(terminal)
                defer { progress.finish() }
                let totals = try StressTape(seed: seed, markets: invocation[markets] ?? 100, records: count)
                    .write(to: path) { done in
                        progress.update(done: done, total: count, unit: "records")
                        return !Interrupt.isRequested
                    }
                progress.finish()
                return try TapeWritten(path, totals).print(invocation, terminal)
            }
            if invocation[markets] != nil {
                throw CommandError.usage("--markets needs --records: the demonstration day has its own")
            }
            let totals = try DemoTape.write(to: path, seed: seed)
            return try TapeWritten(path, totals).print(invocation, terminal)
        }
        return command
    }
}

/// The line that ends a command which wrote a tape.
struct TapeWritten {
    let path: String
    let totals: TapeWriter.Totals
    /// Tapes that it was made of and that had no end mark.
    let torn: [String]
    init(_ path: String, _ totals: TapeWriter.Totals, of tapes: [TapeReader] = []) {
        self.path = path
        self.totals = totals
        torn = tapes.filter { $0.totals == nil }.map(\.path)
    }

    func print(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        if invocation.isJSON {
            try terminal.line(
                JSONValue.fields([
                    ("tape", .string(path)), ("records", .integer(totals.records)),
                    ("markets", .integer(totals.markets)), ("first", TapeCommand.json(totals.first)),
                    ("last", TapeCommand.json(totals.last)),
                    ("digest", .string(TapeCommand.hex(totals.digest))),
                    ("torn", .array(torn.map { .string($0) })),
                ]).text)
        } else if totals.records == 0 {
            try terminal.line("\(path): an empty tape")
        } else {
            let records = FormatNumber.grouped(Int(totals.records))
            try terminal.line(
                "\(path): \(records) records, \(totals.markets) markets, \(totals.first) to \(totals.last)")
        }
        return .success
    }
}
