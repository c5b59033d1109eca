import Martlet
import MartletTape
import MartletWire

/// `martlet tape info TAPE...`: what tapes hold.
enum TapeInfoCommand {
    /// Text output lists no more markets than these; `--json` lists all.
    private static let marketsShown = 60
    private static let notesShown = 20

    static func command() -> Command {
        var command = Command(name: "info", summary: "show what a tape holds")
        command.discussion = """
            Reads the tape once, checking its checksums: times, markets with their results, how many records of \
            which kind, gaps, groups, and the notes that the importer left. Two tapes with one digest hold the same \
            records. A tape that was cut off is shown up to the tear.
            """
        command.operands = [.init("TAPE", .many, "the tapes, or folders of them")]
        command.examples = [("martlet tape info day.tape", "what is on it")]
        command.run = { invocation, terminal in
            let progress = Progress(terminal)
            defer { progress.finish() }
            var infos: [TapeInfo] = []
            for path in try TapeCommand.tapes(invocation.operands) {
                let tape = try TapeCommand.open(path)
                infos.append(
                    try TapeCommand.attempt {
                        try TapeInfo(tape) { bytes in
                            progress.update(done: bytes, total: tape.byteCount, unit: "bytes", detail: path)
                            return !Interrupt.isRequested
                        }
                    })
            }
            progress.finish()
            if invocation.isJSON {
                let array = infos.map(json)
                try terminal.line(JSONValue.fields([("tapes", .array(array))]).text)
            } else {
                try terminal.line(infos.map(text).joined(separator: "\n\n"))
            }
            return .success
        }
        return command
    }

    // MARK: - Text

    private static func text(_ info: TapeInfo) -> String {
        var state = "whole"
        if let torn = info.tornAt {
            state = "cut off at byte \(torn); what is shown is what lies before"
        } else if !info.isComplete {
            state = "without end mark: still being written"
        }
        var rows = [
            ("tape", "\(info.path), format \(info.formatVersion), \(FormatNumber.grouped(info.bytes)) bytes"),
            ("state", state),
        ]
        if let digest = info.digest { rows.append(("digest", TapeCommand.hex(digest))) }
        rows.append(("records", FormatNumber.grouped(info.records)))
        if info.records > 0 {
            let seconds = Double(info.last.nanoseconds - info.first.nanoseconds) / 1e9
            rows.append(("time", "\(info.first) to \(info.last) (\(Progress.duration(seconds)))"))
        }
        rows.append(("groups", FormatNumber.grouped(info.groups) + timedOut(info)))
        var parts = [HelpText.table(rows, indent: 0)]
        let counts = info.counts.map { kind, count in
            (kind.textName.replacing("_", with: " "), FormatNumber.grouped(count) + inferred(kind, info))
        }
        if !counts.isEmpty { parts.append("Records:\n" + HelpText.table(counts)) }
        if !info.markets.isEmpty { parts.append(markets(info)) }
        if !info.notes.isEmpty { parts.append(notes(info)) }
        return parts.joined(separator: "\n\n")
    }

    private static func timedOut(_ info: TapeInfo) -> String {
        info.timedOutGroups > 0 ? ", \(FormatNumber.grouped(info.timedOutGroups)) ended by time-out" : ""
    }
    private static func inferred(_ kind: TapeFormat.Kind, _ info: TapeInfo) -> String {
        kind == .trade && info.inferredTrades > 0
            ? ", \(FormatNumber.grouped(info.inferredTrades)) of them inferred" : ""
    }

    private static func markets(_ info: TapeInfo) -> String {
        let rows = info.markets.prefix(marketsShown).map { market in
            var words = market.events > 0 ? ["\(FormatNumber.grouped(market.events)) events"] : []
            if market.trades > 0 { words.append("\(FormatNumber.grouped(market.trades)) trades") }
            if market.gaps > 0 { words.append("\(market.gaps) gaps") }
            words.append(market.result.map { "\(market.isSettled ? "paid" : "result") \($0)" } ?? "no result")
            if market.market.closeTime.isKnown { words.append("closes \(market.market.closeTime)") }
            if !market.market.assumptions.isEmpty {
                words.append("assumed: " + market.market.assumptions.joined(separator: ", "))
            }
            return (market.market.ticker, words.joined(separator: ", "))
        }
        let rest = info.markets.count - rows.count
        return "Markets (\(info.markets.count)):\n" + HelpText.columns(rows)
            + (rest > 0 ? "\n  and \(rest) more: --json lists them all" : "")
    }

    private static func notes(_ info: TapeInfo) -> String {
        let rows = info.notes.prefix(notesShown).map { ("\($0.topic)", $0.text) }
        let count = info.counts.first { $0.kind == .note }?.count ?? rows.count
        return "Notes:\n" + HelpText.table(rows)
            + (count > rows.count ? "\n  and \(count - rows.count) more: 'martlet tape cat --kind note'" : "")
    }

    // MARK: - JSON

    private static func json(_ info: TapeInfo) -> JSONValue {
        .fields([
            ("path", .string(info.path)), ("bytes", .integer(info.bytes)),
            ("format", .integer(info.formatVersion)), ("complete", .bool(info.isComplete)),
            ("torn_at", info.tornAt.map { .integer($0) } ?? .null),
            ("digest", info.digest.map { .string(TapeCommand.hex($0)) } ?? .null),
            ("records", .integer(info.records)), ("first", TapeCommand.json(info.first)),
            ("last", TapeCommand.json(info.last)),
            ("counts", .fields(info.counts.map { ($0.kind.textName, .integer($0.count)) })),
            ("inferred_trades", .integer(info.inferredTrades)), ("groups", .integer(info.groups)),
            ("timed_out_groups", .integer(info.timedOutGroups)),
            ("markets", .array(info.markets.map(json))),
            (
                "notes",
                .array(
                    info.notes.map {
                        .fields([("topic", .string("\($0.topic)")), ("text", .string($0.text))])
                    })
            ),
        ])
    }

    private static func json(_ market: TapeInfo.MarketInfo) -> JSONValue {
        .fields([
            ("ticker", .string(market.market.ticker)), ("event", .string(market.market.event)),
            ("series", .string(market.market.series)), ("title", .string(market.market.title)),
            ("open", TapeCommand.json(market.market.openTime)),
            ("close", TapeCommand.json(market.market.closeTime)),
            ("fee_type", .string(market.market.fees.type.wire)),
            ("mutually_exclusive", .bool(market.market.isMutuallyExclusive)),
            ("assumptions", .array(market.market.assumptions.map { .string($0) })),
            ("events", .integer(market.events)), ("trades", .integer(market.trades)),
            ("gaps", .integer(market.gaps)),
            ("result", market.result.map { .string("\($0)") } ?? .null),
            ("settled", .bool(market.isSettled)),
        ])
    }
}
