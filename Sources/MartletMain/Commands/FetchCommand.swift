import Foundation
import Martlet
import MartletKalshi
import MartletNetwork
import MartletTape
import MartletWire

/// `martlet fetch`: the exchange's history into a tape.
enum FetchCommand {
    static let series = ValueFlag("series", .text("TICKER"), "all markets of this series")
    static let event = ValueFlag("event", .text("TICKER"), "all markets of this event")
    static let status = ValueFlag(
        "status", .choice("STATUS", MarketFilter.statuses), "of those, only the settled, closed or open ones")
    static let from = ValueFlag("from", .time, "nothing before this time (the market's opening)")
    static let to = ValueFlag("to", .time, "nothing after this time (now)")
    static let candles = ValueFlag(
        "candles", .choice("PERIOD", ["minute", "hour", "day"]),
        "candlesticks too: bid, ask and last price at each period's end")
    static let noTrades = Switch("no-trades", "leave out the trades")

    static func command() -> Command {
        var command = Command(name: "fetch", summary: "bring the exchange's history into a tape")
        command.discussion = """
            Fetches markets with their definitions, trades, candlesticks and results and writes them as one tape, for \
            'martlet backtest' and 'martlet tape'. Old data is looked for in the exchange's historical tier by \
            itself. The exchange keeps no order books: for those, 'martlet record' them live.

            It keeps to the rate limit and needs little memory however long the history. When it is interrupted, the \
            same command goes on where it stopped: what it has is kept in TAPE.parts until the tape is whole. \
            Without a key it works too.
            """
        command.operands = [.init("TICKER", .any, "markets by name")]
        command.flags =
            [TapeCommand.out, series, event, status, from, to, candles, noTrades] + ExchangeFlags.all
        command.examples = [
            (
                "martlet fetch --series KXBTC15M --status settled -o btc.tape",
                "15-minute markets with their results"
            ),
            (
                "martlet fetch KXHIGHNY-26NOV23-B54.5 --candles minute -o ny.tape",
                "one market, trades and quotes"
            ),
        ]
        command.run = { invocation, terminal in try run(invocation, terminal) }
        return command
    }

    private static func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        let access = try ExchangeAccess(invocation)
        let request = try request(invocation, access.environment)
        guard let path = invocation[TapeCommand.out] else {
            throw CommandError.usage("which tape? add -o FILE")
        }
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CommandError.usage("\(path) exists; delete it, or choose another -o")
        }
        let client = try KalshiClient(
            access.environment, signer: access.credentials.map { RequestSigner($0) }, tls: access.tls)
        let fetch = FetchRun(
            client: client, request: request, folder: try FetchFolder(for: path, request), output: path,
            now: Timestamp(nanoseconds: Clocks.wall()))
        let watch = FetchRun.Watch()
        let progress = Progress(terminal)
        defer { progress.finish() }
        let report: FetchRun.Report
        do {
            report = try AsyncWork.run(poll: { show(watch, progress) }) { try await fetch.run(watch) }
        } catch {
            progress.finish()
            if let code = Interrupt.exitCode {
                terminal.note("stopped; the same command goes on from here (\(fetch.folder.path))")
                return code
            }
            if let error = error as? CommandError {
                fetch.folder.removeUnused()
                throw error
            }
            throw CommandError("\(error); the same command goes on from here")
        }
        progress.finish()
        guard report.markets > 0 else {
            fetch.folder.removeAll()
            throw CommandError(
                "no market fits; 'martlet markets' searches them", code: .nothingUsable)
        }
        try show(report, path, client.statistics, invocation, terminal)
        return .success
    }

    private static func request(
        _ invocation: Invocation, _ environment: ExchangeEnvironment
    ) throws -> FetchRequest {
        let period: CandlePeriod? =
            switch invocation[candles] {
            case "minute": .minute
            case "hour": .hour
            case "day": .day
            default: nil
            }
        let request = FetchRequest(
            environment: environment.description, tickers: invocation.operands, series: invocation[series],
            event: invocation[event], status: invocation[status], from: invocation[from], to: invocation[to],
            wantsTrades: !invocation[noTrades], candles: period)
        guard !request.tickers.isEmpty || request.series != nil || request.event != nil else {
            throw CommandError.usage("which markets? name them, or add --series or --event")
        }
        if let from = request.from, let to = request.to, from >= to {
            throw CommandError.usage("--from \(from) is not before --to \(to)")
        }
        return request
    }

    private static func show(_ watch: FetchRun.Watch, _ progress: Progress) {
        let state = watch.state.withLock { $0 }
        progress.update(
            done: state.marketsDone, total: state.markets > 0 ? state.markets : nil, unit: "markets",
            detail: "\(Progress.short(Double(state.records))) records, \(state.ticker)")
    }

    private static func show(
        _ report: FetchRun.Report, _ path: String, _ statistics: KalshiClient.Statistics,
        _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            return try terminal.line(
                JSONValue.fields([
                    ("tape", .string(path)), ("markets", .integer(report.markets)),
                    ("trades", .integer(report.trades)), ("candlesticks", .integer(report.candles)),
                    ("results", .integer(report.results)), ("left_out", .integer(report.leftOut)),
                    ("records", .integer(report.totals?.records ?? 0)),
                    ("requests", .integer(statistics.requests)),
                    ("repeated", .integer(statistics.repeats)),
                    ("rate_limited", .integer(statistics.rateLimited)),
                ]).text)
        }
        var rows = [
            ("tape", path),
            (
                "markets",
                "\(FormatNumber.grouped(report.markets)), \(FormatNumber.grouped(report.results)) with a result"
            ),
            ("records", FormatNumber.grouped(Int(report.totals?.records ?? 0))),
            (
                "fetched now",
                "\(FormatNumber.grouped(report.trades)) trades, "
                    + "\(FormatNumber.grouped(report.candles)) candlesticks, \(statistics.requests) requests"
            ),
        ]
        if let totals = report.totals, totals.first.isKnown {
            rows.append(("from", "\(totals.first) to \(totals.last)"))
        }
        if report.leftOut > 0 {
            rows.append(("left out", "\(report.leftOut) trades that do not tell their taker's side"))
        }
        try terminal.line(HelpText.table(rows, indent: 0))
    }
}
