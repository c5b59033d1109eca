import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletTape
import MartletWire

/// One recording.
final class RecordRun {
    /// A market that the exchange refused is tried again after this.
    private static let refusalPause = TimeSpan.minutes(5)

    /// Seconds before a first status line without a tape.
    private static let firstStatus = 5.0

    private let invocation: Invocation
    private let terminal: Terminal
    private let access: ExchangeAccess
    private let signer: RequestSigner
    let loop: EventLoop
    private let lookup: MarketLookup
    private let desk: FeedDesk
    private let watch: FeedWatch
    private let folder: String
    private let channels: [FeedChannel]
    private let series: [String]
    /// By market: whether it is recorded now.
    private var isRecorded: [Bool] = []
    /// Markets that the exchange did not take, and when to ask for them again.
    private var refusals: [(market: Market.ID, until: Timestamp)] = []
    private var newMarkets: NewMarkets?
    private var reconciler: StandingReconciler?
    private var recorder: TapeRecorder?
    /// What the status line last said of the recording.
    private var toldState: TapeRecorder.State?
    private var lock: Int32 = -1
    private var nextStatus = Progress.monotonicSeconds() + RecordRun.firstStatus
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
        lookup = try MarketLookup(access, signer)
        series = invocation[RecordCommand.series]
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
        if markets.isEmpty {
            guard !series.isEmpty else {
                throw CommandError("no open market was found", code: .nothingUsable)
            }
            try lookup.check(series: series)
            terminal.note("no market of \(series.joined(separator: ", ")) is open yet: waiting for one")
        }
        let reconciler = StandingReconciler(lookup.client, loop) { [unowned self] in followedMarkets }
        self.reconciler = reconciler
        desk.connect(access, signer, lookup.client, reconciler: reconciler)
        let recorder = makeRecorder()
        self.recorder = recorder
        toldState = recorder.state
        for market in markets { follow(market) }
        desk.group?.subscribe(.lifecycle)
        desk.onEvent = { recorder.append($0, tradeID: $1) }
        desk.onOutput = { [unowned self] in take($0, at: $1) }
        let told = desk.onChange
        desk.onChange = { [unowned self] change, number in
            told(change, number)
            note(change, number)
        }
        if !series.isEmpty { newMarkets = NewMarkets(self, lookup.client, series: series) }
        try desk.run(
            seconds: invocation[RecordCommand.duration],
            tick: { [unowned self] in
                let now = now
                recorder.tick(at: now)
                newMarkets?.look(at: now)
                tryRefused(at: now)
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
        let mending = try TapeRecorder.mend(folder)
        if mending.mended > 0 { terminal.note("mended \(mending.mended) tape(s) that were never ended") }
        // On a full disk, for one: the tape stays as it is, readable to its tear.
        for problem in mending.problems { terminal.note("cannot mend a tape yet: \(problem)") }
    }

    private func makeRecorder() -> TapeRecorder {
        var settings = TapeRecorder.Settings(folder: folder)
        settings.rotation = invocation[RecordCommand.every] == "day" ? .hours(24) : .hours(1)
        settings.reserve = Int64(invocation[RecordCommand.reserve] ?? 256) << 20
        settings.source = "martlet record from \(access.environment)"
        return TapeRecorder(
            settings, books: desk.books, market: { [unowned desk] in desk.directory.market($0) },
            isFollowed: { [unowned self] in isFollowed($0) })
    }

    // MARK: - Markets

    private func selected() throws -> [Market] {
        let named = invocation.operands.isEmpty ? [] : try lookup.markets(invocation.operands)
        let events = invocation[RecordCommand.event]
        return events.isEmpty && series.isEmpty
            ? named : try named + lookup.open(events: events, series: series)
    }

    private func isFollowed(_ market: Market.ID) -> Bool {
        Int(market.index) < isRecorded.count && isRecorded[Int(market.index)]
    }
    private var followedMarkets: [(ticker: String, id: Market.ID)] {
        isRecorded.indices.lazy.map { Market.ID($0) }.filter(isFollowed).map {
            (desk.directory.ticker($0), $0)
        }
    }

    private func leave(_ market: Market.ID) {
        guard isFollowed(market) else { return }
        isRecorded[Int(market.index)] = false
        desk.leave(market, channels)
    }

    /// A market may be asked for before the exchange's feed knows it.
    private func tryRefused(at now: Timestamp) {
        let due = refusals.filter { $0.until <= now }
        guard !due.isEmpty else { return }
        refusals.removeAll { $0.until <= now }
        for refusal in due {
            if let market = desk.directory.market(refusal.market) { follow(market) }
        }
    }

    private func take(_ output: FeedOutput, at time: Timestamp) {
        switch output {
        case .unusable(let market, let fault): recorder?.append(.unusable(market, fault), at: time)
        case .ticker(let ticker): recorder?.append(.ticker(ticker), at: time)
        case .lifecycle, .event, .fees:
            if case .lifecycle(let message) = output { newMarkets?.told(message, at: time) }
            for input in desk.inputs(of: output) {
                recorder?.append(input, at: time)
                if case .settled(let market, _) = input {
                    // After this delivery: it asks the feed for less.
                    loop.defer { [weak self] in self?.leave(market) }
                }
            }
        case .refused(let channel, let tickers, let code, let reason):
            let what = tickers.isEmpty ? channel.wire : tickers.joined(separator: ", ")
            terminal.note("the exchange refuses \(what): \(reason) (\(code))")
            for market in tickers.compactMap({ desk.directory.id(of: $0) }) where isFollowed(market) {
                refusals.removeAll { $0.market == market }
                refusals.append((market, time + RecordRun.refusalPause))
                loop.defer { [weak self] in self?.leave(market) }
            }
        case .remark(let text): recorder?.note(text, at: time)
        default: break
        }
    }

    private func note(_ change: FeedConnection.Change, _ number: Int) {
        let time = now
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
        let isTerminal = terminal.isInteractive && !terminal.isQuiet && !invocation.isJSON
        // That a tape begins, that a disk is full or has room again, is said at once.
        let hasTurned = recorder?.state != toldState
        guard isLast || now >= nextStatus || hasTurned else { return }
        toldState = recorder?.state
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
        let wanted = followedMarkets.count
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
            ("time", .string("\(now)")),
            ("tape", recorder?.path.map { .string($0) } ?? .null),
            ("tapes", .integer(recorder?.tapes ?? 0)), ("records", .integer(recorder?.records ?? 0)),
            ("markets", .integer(followedMarkets.count)),
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

extension RecordRun: MarketFollower {
    var now: Timestamp { Timestamp(nanoseconds: Clocks.wall()) }
    var followed: Set<String> { Set(followedMarkets.map(\.ticker)) }

    func isKnown(_ ticker: String) -> Bool { desk.directory.id(of: ticker) != nil }
    func follow(_ market: Market) {
        let id = desk.add(market)
        while isRecorded.count <= Int(id.index) { isRecorded.append(false) }
        guard !isFollowed(id) else { return }
        isRecorded[Int(id.index)] = true
        desk.follow(market, channels)
    }
    func remark(_ text: String) { terminal.note(text) }
}

/// Asks after a lost connection how the markets stand: what was determined and settled meanwhile. Trades that were
/// missed stay missed: on a tape they would stand behind what came after them, and a backtest would fill on them.
private final class StandingReconciler: FeedReconciler {
    private let rest: RestReconciler
    private let loop: EventLoop

    init(
        _ client: KalshiClient, _ loop: EventLoop,
        markets: @escaping () -> [(ticker: String, id: Market.ID)]
    ) {
        rest = RestReconciler(client: client, loop: loop, markets: markets)
        self.loop = loop
    }

    func reconcile(
        _ channel: FeedChannel, since: Timestamp, done: @escaping (Result<Reconciliation, any Error>) -> Void
    ) {
        guard channel == .lifecycle else { return loop.defer { done(.success(Reconciliation())) } }
        rest.reconcile(channel, since: since, done: done)
    }
}
