import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletTape
import MartletWire

/// `martlet record`: the live feed to tapes, for months on end.
enum RecordCommand {
    static let out = ValueFlag("out", short: "o", .folder, "where the tapes go (tapes)")
    static let series = ListFlag(
        "series", .text("SERIES"), "all open markets of a series, and those that it opens later")
    static let event = ListFlag("event", .text("EVENT"), "all open markets of an event")
    static let every = ValueFlag(
        "every", .choice("SPAN", ["hour", "day"]), "begin a new tape each hour or day, UTC (hour)")
    static let reserve = ValueFlag(
        "reserve", .whole("MB", in: 0...1_000_000_000), "wait while less than this is free on the disk (256)")
    static let ticker = Switch("ticker", "record the exchange's summaries too")
    static let duration = ValueFlag(
        "for", .whole("SECONDS", in: 1...1_000_000_000), "end after this (never)")

    static func command() -> Command {
        var command = Command(name: "record", summary: "record live markets to tapes")
        command.discussion = """
            Writes books, trades and market states to tapes in a folder, a new tape each hour or day. Each tape begins \
            with the markets' definitions and books and can be replayed alone: 'martlet backtest --tape'. A crash \
            loses at most a second; the next start mends the tape it broke. On a full disk recording waits for room. \
            Lost connections are made again, and what was missed shows on the tape as a gap. Ctrl-C ends the tape in \
            good order. Two recorders in one folder are refused.

            The exchange asks for an API key even for public prices. A status line shows what comes in; without a \
            terminal it is written once a minute, with --json as an object on standard output.
            """
        command.operands = [.init("TICKER", .any, "markets, such as KXHIGHNY-26NOV23-B54.5")]
        command.flags = [out, series, event, every, reserve, ticker, duration] + ExchangeFlags.all
        command.examples = [
            ("martlet record --series KXHIGHNY -o tapes", "New York's temperatures, every day anew"),
            ("martlet backtest --tape tapes/martlet-20261123T140000Z.tape", "what a strategy makes of it"),
        ]
        command.run = { try RecordRun($0, $1).run() }
        return command
    }
}

/// One recording.
final class RecordRun {
    /// Between two looks for markets that a series has opened while the connection was down.
    private static let refreshInterval = TimeSpan.minutes(15)

    private let invocation: Invocation
    private let terminal: Terminal
    private let access: ExchangeAccess
    private let signer: RequestSigner
    private let loop: EventLoop
    private let lookup: MarketLookup
    private let desk: FeedDesk
    private let watch: FeedWatch
    private let folder: String
    private let channels: [FeedChannel]
    private var followed: [Bool] = []
    private var recorder: TapeRecorder?
    private var lock: Int32 = -1
    private var nextStatus = 0.0
    private var statusBefore = (time: 0.0, messages: 0)

    init(_ invocation: Invocation, _ terminal: Terminal) throws {
        self.invocation = invocation
        self.terminal = terminal
        guard
            !invocation.operands.isEmpty || !invocation[RecordCommand.series].isEmpty
                || !invocation[RecordCommand.event].isEmpty
        else { throw CommandError.usage("nothing to record: name markets, or give --series or --event") }
        access = try ExchangeAccess(invocation)
        signer = try access.signer("the exchange's feed asks for a key, for public prices too")
        loop = try EventLoop()
        lookup = MarketLookup(loop, access)
        desk = FeedDesk(loop)
        watch = FeedWatch(desk, terminal, isOnce: false)
        folder = invocation[RecordCommand.out] ?? "tapes"
        channels = [.book, .trades] + (invocation[RecordCommand.ticker] ? [.ticker] : [])
        // A limit on file sizes is an error of `write`, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
    }

    deinit { if lock >= 0 { close(lock) } }

    func run() throws -> ExitCode {
        try prepareFolder()
        let markets = try selected()
        guard !markets.isEmpty else {
            throw CommandError("no open market was found", code: .nothingUsable)
        }
        desk.connect(access, signer)
        let recorder = makeRecorder()
        self.recorder = recorder
        for market in markets { follow(market) }
        desk.group?.subscribe(.lifecycle)
        desk.onEvent = { recorder.append($0, tradeID: $1) }
        desk.onOutput = { [unowned self] in take($0, at: $1) }
        let told = desk.onChange
        desk.onChange = { [unowned self] change, number in
            told(change, number)
            note(change, number)
        }
        var refreshAt = Timestamp(nanoseconds: Clocks.wall()) + RecordRun.refreshInterval
        try desk.run(
            seconds: invocation[RecordCommand.duration],
            tick: { [unowned self] in
                let now = Timestamp(nanoseconds: Clocks.wall())
                recorder.tick(at: now)
                if now >= refreshAt {
                    refreshAt = now + RecordRun.refreshInterval
                    refresh()
                }
                try status()
            }, until: { [watch] in watch.isDone })
        recorder.finish()
        try status(isLast: true)
        try sayWhatIsThere(recorder)
        if watch.isDone { return try watch.finish("the markets") }
        return Interrupt.exitCode ?? .success
    }

    private func prepareFolder() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        lock = open(folder + "/.martlet-record", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            throw CommandError("cannot write in \(folder): \(String(cString: strerror(errno)))")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandError("another recorder writes to \(folder): choose another folder with --out")
        }
        let mended = try TapeRecorder.mend(folder)
        if mended > 0 { terminal.note("mended \(mended) tape(s) that were never ended") }
    }

    private func makeRecorder() -> TapeRecorder {
        var settings = TapeRecorder.Settings(folder: folder)
        settings.rotation = invocation[RecordCommand.every] == "day" ? .hours(24) : .hours(1)
        settings.reserve = Int64(invocation[RecordCommand.reserve] ?? 256) << 20
        settings.source = "martlet record from \(access.environment)"
        return TapeRecorder(
            settings, books: desk.books, market: { [unowned desk] in desk.directory.market($0) },
            isFollowed: { [unowned self] in
                Int($0.index) < followed.count && followed[Int($0.index)]
            })
    }

    // MARK: - Markets

    private func selected() throws -> [Market] {
        var markets = invocation.operands.isEmpty ? [] : try lookup.markets(invocation.operands)
        for name in invocation[RecordCommand.event] { markets += try lookup.open(event: name) }
        for name in invocation[RecordCommand.series] { markets += try lookup.open(series: name) }
        return markets
    }

    private func follow(_ market: Market) {
        let id = desk.add(market)
        while followed.count <= Int(id.index) { followed.append(false) }
        guard !followed[Int(id.index)] else { return }
        followed[Int(id.index)] = true
        desk.follow(market, channels)
    }

    /// Markets that opened while nobody told.
    private func refresh() {
        guard !invocation[RecordCommand.series].isEmpty else { return }
        do {
            for name in invocation[RecordCommand.series] {
                for market in try lookup.open(series: name) where desk.directory.id(of: market.ticker) == nil
                {
                    follow(market)
                }
            }
        } catch {
            terminal.note("cannot ask for new markets: \(error)")
        }
    }

    private func take(_ output: FeedOutput, at time: Timestamp) {
        switch output {
        case .unusable(let market, let fault): recorder?.append(.unusable(market, fault), at: time)
        case .ticker(let ticker): recorder?.append(.ticker(ticker), at: time)
        case .lifecycle(let message):
            if let market = desk.directory.created(message),
                invocation[RecordCommand.series].contains(market.series),
                desk.directory.id(of: market.ticker) == nil
            {
                // After this delivery: it asks the feed for more.
                loop.defer { [weak self] in self?.follow(market) }
            }
            fallthrough
        case .event, .fees:
            for input in desk.inputs(of: output) {
                recorder?.append(input, at: time)
                if case .settled(let market, _) = input {
                    loop.defer { [weak self] in self?.leave(market) }
                }
            }
        case .refused(let channel, let tickers, let code, let reason):
            let what = tickers.isEmpty ? channel.wire : tickers.joined(separator: ", ")
            terminal.note("the exchange refuses \(what): \(reason) (\(code))")
        case .remark(let text): recorder?.note(text, at: time)
        default: break
        }
    }
    private func leave(_ market: Market.ID) {
        guard Int(market.index) < followed.count, followed[Int(market.index)] else { return }
        followed[Int(market.index)] = false
        desk.group?.unsubscribe(channels, market)
    }

    private func note(_ change: FeedConnection.Change, _ number: Int) {
        let time = Timestamp(nanoseconds: Clocks.wall())
        switch change {
        case .connecting: break
        case .open: recorder?.note("connection \(number) open", at: time)
        case .lost(let reason, _), .refused(_, let reason, _):
            recorder?.note("connection \(number) lost: \(reason)", at: time)
        }
    }

    // MARK: - Status

    private func status(isLast: Bool = false) throws {
        let now = Progress.monotonicSeconds()
        guard isLast || now >= nextStatus else { return }
        let isTerminal = terminal.isInteractive && !terminal.isQuiet && !invocation.isJSON
        if isLast, !invocation.isJSON {
            if isTerminal { terminal.raw("\r\u{1B}[K") }
            return
        }
        nextStatus = now + (isTerminal ? 1 : 60)
        let statistics = desk.group?.statistics ?? FeedStatistics()
        let span = now - statusBefore.time
        let rate = span > 0 ? Double(statistics.messages - statusBefore.messages) / span : 0
        statusBefore = (now, statistics.messages)
        if invocation.isJSON {
            try terminal.line(object(statistics, rate).text)
            try terminal.flush()
        } else if isTerminal {
            terminal.raw("\r\u{1B}[K" + String(line(statistics, rate).prefix(terminal.columns - 1)))
        } else {
            terminal.note(line(statistics, rate))
        }
    }

    /// The last line: by now the connections are closed and no book is live.
    private func sayWhatIsThere(_ recorder: TapeRecorder) throws {
        guard !invocation.isJSON else { return }
        let gaps = desk.group?.statistics.gaps ?? 0
        terminal.note(
            "\(recorder.tapes) tape\(recorder.tapes == 1 ? "" : "s"), "
                + "\(FormatNumber.grouped(Int(recorder.records))) records, "
                + "\(gaps) gap\(gaps == 1 ? "" : "s") in \(folder)/")
    }

    private func line(_ statistics: FeedStatistics, _ rate: Double) -> String {
        let wanted = followed.count { $0 }
        var parts = [
            "\(desk.group?.liveBooks ?? 0)/\(wanted) books", "\(Progress.short(rate)) messages/s",
            "\(Progress.short(Double(recorder?.records ?? 0))) records",
        ]
        if statistics.gaps > 0 { parts.append("\(statistics.gaps) gaps") }
        switch recorder?.state {
        case .recording: parts.append((recorder?.path ?? "") as String)
        case .waiting(let reason): parts.append("not recording: \(reason)")
        case nil: break
        }
        if let trouble = desk.trouble { parts.append(trouble) }
        return parts.joined(separator: "  ")
    }

    private func object(_ statistics: FeedStatistics, _ rate: Double) -> JSONValue {
        var waiting: String?
        if case .waiting(let reason) = recorder?.state { waiting = reason }
        return JSONValue.fields([
            ("time", .string("\(Timestamp(nanoseconds: Clocks.wall()))")),
            ("tape", recorder?.path.map { .string($0) } ?? .null),
            ("tapes", .integer(recorder?.tapes ?? 0)), ("records", .integer(recorder?.records ?? 0)),
            ("markets", .integer(followed.count { $0 })),
            ("live_books", .integer(desk.group?.liveBooks ?? 0)),
            ("connections", .integer(desk.group?.openConnections ?? 0)),
            ("messages", .integer(statistics.messages)), ("messages_per_second", .real(rate.rounded())),
            ("gaps", .integer(statistics.gaps)), ("missing", .integer(statistics.missing)),
            ("lost", .integer(recorder?.lost ?? 0)), ("reconnects", .integer(statistics.reconnects)),
            ("waiting", waiting.map { .string($0) } ?? .null),
            ("trouble", desk.trouble.map { .string($0) } ?? .null),
        ])
    }
}
