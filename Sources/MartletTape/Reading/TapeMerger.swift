import Martlet
import MartletEngine

/// Merges tapes into one by receive time. At equal times the earlier argument comes first, each tape in its own
/// order. Markets are matched by ticker.
///
/// Slices of one tape that follow each other give back that tape's events: what a slice carries over its beginning
/// (definitions, results, books) is left out where the slice before it is merged too.
public enum TapeMerger {
    /// Merges `inputs` into a new tape. Memory: a few words a tape and each market's ticker. `goesOn` is asked now
    /// and then, with the number of records written.
    @discardableResult
    public static func merge(
        _ inputs: [String], to output: String, options: TapeReader.Options = .init(), sync: Bool = true,
        goesOn: (Int) -> Bool = { _ in true }
    ) throws(TapeError) -> TapeWriter.Totals {
        guard !inputs.isEmpty else { throw TapeError(.incompatible("no tapes to merge"), file: output) }
        guard !inputs.contains(output) else {
            throw TapeError(.incompatible("a tape cannot be merged into itself"), file: output)
        }
        var sources: [MergeSource] = []
        for input in inputs { sources.append(try MergeSource(path: input, options: options)) }
        let sink = MergeSink(try TapeWriter(path: output))
        // A tournament would save comparisons; at a few dozen tapes a scan costs less than one record's copy.
        while let next = earliest(sources) {
            try sources[next].pass(to: sink)
            let records = Int(sink.writer.totals.records)
            if records & 0xFFFF == 0, !goesOn(records) { throw TapeError(.interrupted, file: output) }
        }
        try sink.writer.finish(sync: sync)
        return sink.writer.totals
    }

    private static func earliest(_ sources: [MergeSource]) -> Int? {
        var best: Int?
        for (index, source) in sources.enumerated() where source.isWaiting {
            if best.map({ source.time < sources[$0].time }) ?? true { best = index }
        }
        return best
    }
}

/// Where merged records go.
private final class MergeSink {
    let writer: TapeWriter
    /// The last definition written of each market, by its index.
    var definitions: [Market] = []
    private var results: [MarketResult?] = []
    private var isSettled: [Bool] = []
    /// The cut at which a slice that was written so far ended.
    var lastCut: String?

    init(_ writer: TapeWriter) { self.writer = writer }

    /// Whether a definition says something that is not on the tape yet, and more than what is.
    func wants(_ market: Market) -> Bool {
        guard let id = writer.market(market.ticker) else { return true }
        let known = definitions[Int(id.index)]
        if known == market { return false }
        return known.assumptions.isEmpty ? market.assumptions.isEmpty : true
    }
    /// A market is decided and pays once, however many tapes say so.
    func wants(_ input: EngineInput) -> Bool {
        switch input {
        case .result(let market, let result):
            let index = Int(market.index)
            guard results[index] != result, !isSettled[index] else { return false }
            results[index] = result
            return true
        case .settled(let market, _):
            defer { isSettled[Int(market.index)] = true }
            return !isSettled[Int(market.index)]
        case .market, .ticker, .status, .unusable, .started, .defined, .reference, .report, .balance,
            .adoptedOrder, .adoptedPosition, .limits,
            .clock, .command, .stopped:
            return true
        }
    }
    func noteDefined(_ market: Market) {
        guard let id = writer.market(market.ticker) else { return }
        if Int(id.index) == definitions.count {
            definitions.append(market)
            results.append(nil)
            isSettled.append(false)
        } else {
            definitions[Int(id.index)] = market
        }
    }
}

/// One tape being merged, its next record read.
private final class MergeSource {
    private var cursor: TapeCursor
    private var step = TapeCursor.Step.end
    private var markets: [Market.ID] = []
    /// Within what the slice carried over its beginning, which the merged tape has already.
    private var isRedundant = false
    private var pendingDefinition: Market?

    var isWaiting: Bool {
        switch step {
        case .market, .input, .note: true
        case .end: false
        }
    }
    var time: Timestamp { cursor.time }

    init(path: String, options: TapeReader.Options) throws(TapeError) {
        cursor = try TapeReader(path: path, options: options).cursor()
        step = try cursor.next()
    }

    /// Writes the record at hand and goes to the next.
    func pass(to sink: MergeSink) throws(TapeError) {
        switch step {
        case .market:
            if !isRedundant {
                var event = cursor.event
                event.market = markets[Int(event.market.index)]
                if let id = cursor.tradeID {
                    try sink.writer.append(event, tradeID: id)
                } else {
                    try sink.writer.append(event)
                }
            }
        case .input: try passInput(to: sink)
        case .note: try passNote(to: sink)
        case .end: return
        }
        step = try cursor.next()
    }

    private func passInput(to sink: MergeSink) throws(TapeError) {
        if case .defined(let market) = cursor.input {
            if sink.wants(market) {
                try sink.writer.append(cursor.input, at: cursor.time)
                sink.noteDefined(market)
            }
            if let id = sink.writer.market(market.ticker), !markets.contains(id) { markets.append(id) }
        } else if !isRedundant {
            let input = cursor.input.moved { self.markets[Int($0.index)] }
            if sink.wants(input) { try sink.writer.append(input, at: cursor.time) }
        }
    }

    private func passNote(to sink: MergeSink) throws(TapeError) {
        let text = cursor.note.text
        if let cut = TapeSlice.cut(text, TapeSlice.endMark) {
            sink.lastCut = cut
        } else if let cut = TapeSlice.cut(text, TapeSlice.carriedMark) {
            isRedundant = sink.lastCut == cut
            if !isRedundant { try sink.writer.append(cursor.note, at: cursor.time) }
        } else if TapeSlice.cut(text, TapeSlice.carriedEndMark) != nil {
            if !isRedundant { try sink.writer.append(cursor.note, at: cursor.time) }
            isRedundant = false
        } else {
            try sink.writer.append(cursor.note, at: cursor.time)
        }
    }
}

extension EngineInput {
    /// The same about the market that `move` gives for its own.
    func moved(_ move: (Market.ID) -> Market.ID) -> EngineInput {
        switch self {
        case .market(var event):
            event.market = move(event.market)
            return .market(event)
        case .ticker(var ticker):
            ticker.market = move(ticker.market)
            return .ticker(ticker)
        case .status(let market, let status): return .status(move(market), status)
        case .result(let market, let result): return .result(move(market), result)
        case .settled(let market, let result): return .settled(move(market), result)
        case .unusable(let market, let fault): return .unusable(move(market), fault)
        case .started, .defined, .reference, .report, .balance, .adoptedOrder, .adoptedPosition, .limits,
            .clock, .command, .stopped:
            return self
        }
    }
    /// The market that this is about, where it is about one by its index.
    var marketIndex: Market.ID? {
        switch self {
        case .market(let event): event.market
        case .ticker(let ticker): ticker.market
        case .status(let market, _), .result(let market, _), .settled(let market, _),
            .unusable(let market, _):
            market
        case .started, .defined, .reference, .report, .balance, .adoptedOrder, .adoptedPosition, .limits,
            .clock, .command, .stopped:
            nil
        }
    }
}
