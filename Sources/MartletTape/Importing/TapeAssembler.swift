import Martlet
import MartletEngine
import MartletWire

/// Where a message stood in a recording.
struct RecordedLine {
    var file: String
    var number: Int
    /// `.unknown` where the recording has none.
    var receiveTime: Timestamp = .unknown
    /// Which of the recorder's connections.
    var connection = 0
}

/// Turns messages of any recording into a tape: markets and their indices, time, groups, inferred trades, results,
/// and the report. Format readers call it in the recording's order.
///
/// Held back is only what the end of a group needs: one burst of equal receive time, or 20 ms of a recording that
/// has none.
final class TapeAssembler {
    let options: ImportOptions
    let writer: TapeWriter
    var report = ImportReport()
    /// Also the table of tickers: a market's index in it is its index on the tape.
    var decoder: MessageDecoder
    var markets: [AssembledMarket] = []
    /// Lines with a receive time have been seen: it rules then.
    var isTimed = false
    /// The recording has a trade channel: nothing is to be inferred.
    var hasTrades = false

    var queue = EventQueue()
    /// Receive time of the last thing queued.
    var now: Timestamp = .unknown
    /// Markets with an open group that had events in this burst.
    var touched: [Int] = []
    /// Markets whose group outlived its burst for being crossed, by deadline.
    var crossed: [Int] = []
    var due: [DueResult] = []
    /// Definitions that the recording itself gave.
    private var found: [String: Market] = [:]
    private var delays = Sampler()

    let context: ImportContext
    private let onRemark: ((ImportRemark) -> Void)?

    init(
        writer: TapeWriter, options: ImportOptions, context: ImportContext = ImportContext(),
        onRemark: ((ImportRemark) -> Void)? = nil
    ) {
        self.context = context
        self.onRemark = onRemark
        self.writer = writer
        self.options = options
        decoder = MessageDecoder(usesYesPrice: options.usesYesPrice)
    }

    // MARK: - Lines

    /// Counts a line that is left out. `kind` groups it in the report; `detail` is for the line by line account.
    func skip(_ line: RecordedLine, _ kind: String, _ detail: String? = nil) {
        report.skip(kind)
        remark(line, detail ?? kind, isSkipped: true)
    }
    func remark(_ line: RecordedLine, _ reason: String, isSkipped: Bool = false) {
        onRemark?(ImportRemark(file: line.file, line: line.number, isSkipped: isSkipped, reason: reason))
    }
    func skip(_ line: RecordedLine, _ error: WireError) {
        let kind =
            switch error {
            case .notJSON: "not JSON"
            case .missing(let field, _): "without '\(field)'"
            case .invalid(let field, _, let problem): "impossible '\(field)': \(problem)"
            case .contradiction(let field, _, let other, _): "'\(field)' contradicts '\(other)'"
            }
        skip(line, kind, "\(error)")
    }

    // MARK: - Time

    /// The time at which a message counts as received, after everything that was due before it.
    func advance(_ line: RecordedLine, exchange: Timestamp = .unknown) throws(TapeError) -> Timestamp {
        let time: Timestamp
        if line.receiveTime.isKnown {
            isTimed = true
            time = line.receiveTime
            sampleDelay(received: time, exchange: exchange)
        } else if exchange.isKnown, !isTimed {
            time = exchange
        } else {
            time = now
        }
        guard time.isKnown else { return now }
        if time < now {
            report.timesBackwards += 1
            remark(line, "time \(time) after \(now); taken as the later")
            return now
        }
        if !now.isKnown { try firstTime(time) }
        if time > now {
            if isTimed { try endBurst() }
            try releaseDue(until: time)
            now = time
            if !isTimed { try drain() }
        }
        return now
    }

    private func sampleDelay(received: Timestamp, exchange: Timestamp) {
        guard exchange.isKnown else { return }
        let (delay, overflowed) = received.nanoseconds.subtractingReportingOverflow(exchange.nanoseconds)
        guard !overflowed else { return }
        delays.add(delay)
        if delay < 0 { report.receivedBeforeExchange += 1 }
    }

    /// What came before any time was known counts as received with the first message that has one.
    private func firstTime(_ time: Timestamp) throws(TapeError) {
        now = time
        queue.setUnknownTimes(to: time)
    }

    // MARK: - Markets

    func market(_ ticker: String) throws(TapeError) -> AssembledMarket {
        try market(decoder.tickers.intern(ticker))
    }

    /// The market of a ticker's index, defined on the tape if it was not.
    func market(_ index: Int) throws(TapeError) -> AssembledMarket {
        while markets.count <= index {
            let ticker = decoder.tickers.ticker(markets.count)
            let definition = options.references.definition(ticker) ?? found[ticker] ?? assumed(ticker)
            let market = AssembledMarket(index: markets.count, definition: definition)
            markets.append(market)
            report.markets.append(.init(ticker: ticker))
            queue.append(.defined(definition), at: now)
            for what in definition.assumptions { report.assume(describe(what)) }
            if definition.assumptions.contains("grid") { report.isGridAssumed = true }
            if let result = options.references.result(ticker) { schedule(result, for: market) }
        }
        return markets[index]
    }

    /// A market of which nothing is known but its ticker, and its series where another file told.
    func assumed(_ ticker: String) -> Market {
        var market = Market(
            ticker: ticker, grid: options.assumedGrid, assumptions: ["grid", "fees", "event"])
        guard let series = context.series(market.series), let type = series["fee_type"]?.string else {
            return market
        }
        market.fees.type = FeeType(wire: type)
        if let text = series["fee_multiplier"]?.decimalText,
            let multiplier = try? FixedPoint.parse(text.utf8, decimals: 6)
        {
            market.fees.multiplierMillionths = multiplier
        }
        market.title = series["title"]?.string ?? ""
        market.assumptions.removeAll { $0 == "fees" }
        return market
    }

    private var gridWords: String {
        let grid = options.assumedGrid
        let name = PriceGrid.knownStructures.first { PriceGrid.labelled($0) == grid }
        let steps = "in steps of \(grid.unit)"
        guard let name, grid != .cent else { return steps }
        return grid.bands.count > 1 ? "\(name), \(steps) where it is finest" : "\(name), \(steps)"
    }

    private func describe(_ assumption: String) -> String {
        switch assumption {
        case "grid": "price grid of markets without a definition: \(gridWords)"
        case "fees": "fees of markets without a definition: quadratic, multiplier 1"
        case "event": "events of markets without a definition: from their tickers, not mutually exclusive"
        default: assumption
        }
    }

    /// Takes over a definition, or a change to one, unless it says nothing new. The operator's own definitions win.
    func define(_ definition: Market) throws(TapeError) {
        guard options.references.definition(definition.ticker) == nil else {
            _ = try market(definition.ticker)
            return
        }
        found[definition.ticker] = definition
        let market = try market(definition.ticker)
        guard market.definition != definition else { return }
        market.definition = definition
        queue.append(.defined(definition), at: now)
    }

    /// Changes one thing of a market's definition.
    func change(_ ticker: String, _ edit: (inout Market) -> Void) throws(TapeError) {
        let market = try market(ticker)
        var definition = market.definition
        edit(&definition)
        guard definition != market.definition else { return }
        market.definition = definition
        queue.append(.defined(definition), at: now)
        if let result = options.references.result(ticker) { schedule(result, for: market) }
    }

    // MARK: - Things beside books

    func note(_ topic: TapeNote.Topic, _ text: String) {
        queue.append(TapeNote(topic, text), at: now)
    }

    func ticker(_ summary: Ticker, _ line: RecordedLine) throws(TapeError) {
        let market = try market(Int(summary.market.index))
        let time = try advance(line, exchange: summary.exchangeTime)
        report.tickers += 1
        market.see(volume: summary.volume)
        queue.append(.ticker(summary), at: time)
    }

    func reference(_ value: ReferenceValue, _ line: RecordedLine) throws(TapeError) {
        let time = try advance(line, exchange: value.exchangeTime)
        report.references += 1
        queue.append(.reference(value), at: time)
    }

    func status(_ status: MarketStatus, of ticker: String, _ line: RecordedLine) throws(TapeError) {
        let time = try advance(line)
        report.statuses += 1
        queue.append(.status(try market(ticker).id, status), at: time)
    }

    // MARK: - The end

    /// Ends all groups, pays out what is known, and completes the report. The writer is left to be finished.
    func finish() throws(TapeError) {
        if !now.isKnown, !queue.isEmpty || !markets.isEmpty {
            report.isTimeAssumed = true
            try advanceUntimed()
        }
        try endBurst()
        try releaseTimeouts(until: .distantFuture)
        try drain(everything: true)
        try releaseDue(until: .distantFuture)
        try drain(everything: true)
        for market in markets { market.finish(&report) }
        report.medianDelay = delays.median.map { .nanoseconds($0) }
        report.records = Int(writer.totals.records)
        (report.first, report.last) = (writer.totals.first, writer.totals.last)
    }

    private func advanceUntimed() throws(TapeError) {
        now = options.assumedTime
        queue.setUnknownTimes(to: now)
    }
}

/// Keeps a fixed number of values spread evenly over however many were added, for their median.
private struct Sampler {
    private var values: [Int64] = []
    private var stride = 1
    private var skipped = 0
    private static let capacity = 1 << 15

    mutating func add(_ value: Int64) {
        skipped += 1
        guard skipped >= stride else { return }
        skipped = 0
        values.append(value)
        guard values.count == Sampler.capacity else { return }
        values = values.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        stride *= 2
    }
    var median: Int64? { values.isEmpty ? nil : values.sorted()[values.count / 2] }
}
