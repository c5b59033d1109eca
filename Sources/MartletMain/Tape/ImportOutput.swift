import Foundation
import Martlet
import MartletTape
import MartletWire

/// An import's report, for people and machines.
struct ImportOutput {
    let report: ImportReport
    let output: String
    /// More markets than these are for `martlet tape info` to list.
    private static let marketsShown = 24

    func print(_ invocation: Invocation, _ terminal: Terminal) throws {
        if invocation.isJSON { return try terminal.line(json.text) }
        var parts: [String] = []
        if report.isUsable {
            let count = "\(FormatNumber.grouped(report.records)) records, \(report.markets.count) markets"
            parts.append("\(output): \(count), \(report.first) to \(report.last)")
        }
        parts.append("Read:\n" + HelpText.table(taken))
        if !notices.isEmpty { parts.append("Noticed:\n" + HelpText.table(notices)) }
        if !skipped.isEmpty { parts.append("Left out:\n" + HelpText.table(skipped)) }
        if !report.assumptions.isEmpty {
            parts.append("Assumed, for the recording does not say:\n" + list(report.assumptions))
        }
        if !inference.isEmpty { parts.append("Inferred trades:\n" + HelpText.table(inference)) }
        parts.append(contentsOf: markets)
        try terminal.line(parts.joined(separator: "\n\n"))
    }

    // MARK: - Text

    private func list(_ texts: [String]) -> String {
        texts.map { "  " + HelpText.wrap($0, width: HelpText.width - 4).joined(separator: "\n    ") }
            .joined(separator: "\n")
    }

    private var taken: [(String, String)] {
        let formats = report.formats.reduce(into: [String]()) { names, format in
            if !names.contains(format.rawValue) { names.append(format.rawValue) }
        }
        let lines: [(String, Int)] = [
            ("lines", report.lines), ("connections", report.connections), ("changes of books", report.deltas),
            ("whole books", report.snapshots), ("  of them empty", report.emptySnapshots),
            ("trades", report.trades), ("tickers", report.tickers), ("reference values", report.references),
            ("market states", report.statuses), ("definitions", report.definitions),
            ("results", report.results), ("groups", report.groups),
            ("control messages", report.controls),
            ("messages of an account", report.privateMessages),
        ]
        let files = report.files.count == 1 ? report.files[0] : "\(report.files.count)"
        return [("files", "\(files) (\(formats.joined(separator: ", ")))")]
            + lines.filter { $0.1 > 0 }.map { ($0.0, FormatNumber.grouped($0.1)) }
    }

    /// What a trader should know of the recording's quality.
    private var notices: [(String, String)] {
        let counts: [(Int, String)] = [
            (report.gaps, "gaps in the sequence numbers, \(report.missingMessages) messages missing"),
            (report.duplicates, "messages came twice"),
            (report.reordered, "messages came early and were put back into order"),
            (report.timesBackwards, "receive times ran backwards and were taken as the later"),
            (
                report.receivedBeforeExchange,
                "messages received before their exchange time: the clocks differ"
            ),
            (report.deltasWithoutSnapshot, "changes of books without a snapshot before them"),
            (report.bookFaults, "changes that a book could not take"),
            (report.offGridPrices, gridNotice),
            (report.crossedGroups, "groups that ended with a crossed book"),
            (report.timedOutGroups, "groups ended by time-out"),
            (report.repeatedResults, "results told again"),
            (report.conflictingResults, "results told again and different: the first counts"),
            (report.unknownMessages, "messages of unknown types"),
        ]
        var rows = counts.filter { $0.0 > 0 }.map { (FormatNumber.grouped($0.0), $0.1) }
        if let delay = report.medianDelay {
            let text = FixedPoint.format(delay.nanoseconds / 1000, decimals: 3)
            rows.append(("\(text) ms", "median of receive time less exchange time"))
        }
        return rows
    }

    private var gridNotice: String {
        report.isGridAssumed
            ? "prices off the grid, which was assumed: --markets or --grid tell another"
            : "prices off the market's grid"
    }

    private var skipped: [(String, String)] {
        report.filesLeftOut.map { ("file", "\($0.path): \($0.reason)") }
            + report.skipped.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
            .map { (FormatNumber.grouped($0.count), $0.reason) }
    }

    private var inference: [(String, String)] {
        guard report.inferredTrades > 0 else { return [] }
        var rows = [
            ("trades", FormatNumber.grouped(report.inferredTrades)),
            ("contracts", "\(report.inferredVolume)"),
        ]
        if report.tickerVolume.isPositive {
            let share = Double(report.inferredVolume.hundredths) / Double(report.tickerVolume.hundredths)
            rows.append(
                (
                    "tickers' volume",
                    "\(report.tickerVolume) contracts; inferred \(FormatNumber.decimals(share * 100, 1)) % of it"
                ))
            rows.append(("beyond the tickers", "\(report.contradictedVolume) contracts more than they allow"))
        }
        return rows
    }

    private var markets: [String] {
        guard report.isUsable, !report.markets.isEmpty else { return [] }
        // The liveliest; equal ones in the tape's order.
        let order = report.markets.indices.sorted {
            (report.markets[$1].events, $0) < (report.markets[$0].events, $1)
        }
        let rows = order.prefix(ImportOutput.marketsShown).map {
            (report.markets[$0].ticker, describe(report.markets[$0]))
        }
        let rest = report.markets.count - rows.count
        let more = rest > 0 ? "\n  and \(rest) more: 'martlet tape info \(output)' lists them" : ""
        return ["Markets:\n" + HelpText.columns(rows) + more]
    }

    private func describe(_ market: ImportReport.MarketSummary) -> String {
        var words = ["\(FormatNumber.grouped(market.events)) events"]
        if market.events == 0 { words = [] }
        if let volume = market.tickerVolume { words.append("volume \(volume)") }
        if market.inferredVolume.isPositive { words.append("inferred \(market.inferredVolume)") }
        words.append(market.result.map { "result \($0)" } ?? "no result")
        return words.joined(separator: ", ")
    }

    // MARK: - JSON

    var json: JSONValue {
        let counts: [(String, Int)] = [
            ("records", report.records), ("lines", report.lines), ("deltas", report.deltas),
            ("snapshots", report.snapshots), ("empty_snapshots", report.emptySnapshots),
            ("trades", report.trades), ("inferred_trades", report.inferredTrades),
            ("tickers", report.tickers), ("references", report.references), ("statuses", report.statuses),
            ("results", report.results), ("definitions", report.definitions), ("controls", report.controls),
            ("private_messages", report.privateMessages), ("connections", report.connections),
            ("gaps", report.gaps), ("missing_messages", report.missingMessages),
            ("duplicates", report.duplicates), ("reordered", report.reordered),
            ("times_backwards", report.timesBackwards),
            ("received_before_exchange", report.receivedBeforeExchange),
            ("deltas_without_snapshot", report.deltasWithoutSnapshot), ("book_faults", report.bookFaults),
            ("off_grid_prices", report.offGridPrices), ("groups", report.groups),
            ("crossed_groups", report.crossedGroups), ("timed_out_groups", report.timedOutGroups),
            ("repeated_results", report.repeatedResults),
            ("conflicting_results", report.conflictingResults),
            ("unknown_messages", report.unknownMessages), ("skipped_lines", report.skippedLines),
        ]
        var members: [(String, JSONValue)] = [("tape", report.isUsable ? .string(output) : .null)]
        members.append(("files", .array(report.files.map { .string($0) })))
        members.append(("formats", .array(report.formats.map { .string($0.rawValue) })))
        members.append(("first", TapeCommand.json(report.first)))
        members.append(("last", TapeCommand.json(report.last)))
        for (name, count) in counts { members.append((name, .integer(count))) }
        members.append(("median_delay_ns", report.medianDelay.map { .integer($0.nanoseconds) } ?? .null))
        members.append(("inferred_volume", TapeCommand.json(report.inferredVolume)))
        members.append(("ticker_volume", TapeCommand.json(report.tickerVolume)))
        members.append(("contradicted_volume", TapeCommand.json(report.contradictedVolume)))
        let skipped = report.skipped.map { reason, count in
            JSONValue.fields([("reason", .string(reason)), ("count", .integer(count))])
        }
        members.append(("skipped", .array(skipped)))
        let leftOut = report.filesLeftOut.map { path, reason in
            JSONValue.fields([("file", .string(path)), ("reason", .string(reason))])
        }
        members.append(("files_left_out", .array(leftOut)))
        members.append(("assumptions", .array(report.assumptions.map { .string($0) })))
        members.append(("markets", .array(report.markets.map(marketJSON))))
        return JSONValue.fields(members)
    }

    private func marketJSON(_ market: ImportReport.MarketSummary) -> JSONValue {
        .fields([
            ("ticker", .string(market.ticker)), ("events", .integer(market.events)),
            ("result", market.result.map { .string("\($0)") } ?? .null),
            ("inferred_volume", TapeCommand.json(market.inferredVolume)),
            ("ticker_volume", market.tickerVolume.map(TapeCommand.json) ?? .null),
            ("contradicted_volume", TapeCommand.json(market.contradictedVolume)),
        ])
    }
}

extension HelpText {
    /// Two columns, one row a line however long: for tickers, which a table would break apart.
    static func columns(_ rows: [(String, String)], indent: Int = 2) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            String(repeating: " ", count: indent) + left
                + String(repeating: " ", count: width - left.count + 2) + right
        }.joined(separator: "\n")
    }
}
