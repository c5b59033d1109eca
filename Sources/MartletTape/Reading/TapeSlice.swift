import Martlet
import MartletEngine

/// Cuts a part out of a tape: from a time, to a time, of some markets.
///
/// The part stands for itself: definitions come along whole, and books, states and results as they were at the
/// cut are written before its first record, marked as carried over so that ``TapeMerger`` can leave them out again.
public struct TapeSlice: Sendable {
    /// Records received at or after it.
    public var from: Timestamp?
    /// Records received before it.
    public var to: Timestamp?
    /// Which markets; nil for all. Reference values and notes always come along.
    public var wants: (@Sendable (_ ticker: String) -> Bool)?
    public init(from: Timestamp? = nil, to: Timestamp? = nil) {
        self.from = from
        self.to = to
    }

    static let carriedMark = "slice: carried over at "
    static let carriedEndMark = "slice: carried over until here, at "
    static let endMark = "slice: cut at "

    /// The cut's time in a mark's text.
    static func cut(_ text: String, _ mark: String) -> String? {
        text.hasPrefix(mark) ? String(text.dropFirst(mark.count)) : nil
    }

    /// Writes the slice of `input` to `output`. `goesOn` is asked now and then, with the bytes read.
    @discardableResult
    public func write(
        _ input: String, to output: String, options: TapeReader.Options = .init(), sync: Bool = true,
        goesOn: (Int) -> Bool = { _ in true }
    ) throws(TapeError) -> TapeWriter.Totals {
        guard input != output else {
            throw TapeError(.incompatible("a tape cannot be sliced into itself"), file: output)
        }
        if let from, let to, from >= to {
            throw TapeError(.incompatible("nothing lies between \(from) and \(to)"), file: input)
        }
        var cursor = try TapeReader(path: input, options: options).cursor()
        let cutting = SliceState(slice: self, writer: try TapeWriter(path: output))
        var read = 0
        reading: while true {
            let step = try cursor.next()
            if step == .end { break }
            read += 1
            if read & 0xFFFF == 0, !goesOn(cursor.byteOffset) {
                throw TapeError(.interrupted, file: output)
            }
            if let to, cursor.time >= to {
                try cutting.finish(at: to)
                break reading
            }
            try cutting.take(step, cursor)
        }
        try cutting.begin()
        if wants != nil, cutting.writer.totals.markets == 0 {
            throw TapeError(.incompatible("the tape has none of the markets chosen"), file: input)
        }
        try cutting.writer.finish(sync: sync)
        return cutting.writer.totals
    }
}

/// What is known of the markets while a slice is being cut.
private final class SliceState {
    private final class Carried {
        var definition: Market
        let output: Market.ID?
        var book = OrderBook()
        var isUsable = false
        var isInSnapshot = false
        var status: MarketStatus?
        var result: MarketResult?
        var settled: MarketResult?
        init(_ definition: Market, output: Market.ID?) {
            self.definition = definition
            self.output = output
        }
    }

    let slice: TapeSlice
    let writer: TapeWriter
    private var markets: [Carried] = []
    private var indexOfTicker: [String: Int] = [:]
    private var kept = 0
    private var hasBegun = false
    private var last: Timestamp = .unknown

    init(slice: TapeSlice, writer: TapeWriter) {
        self.slice = slice
        self.writer = writer
        hasBegun = slice.from == nil
    }

    func take(_ step: TapeCursor.Step, _ cursor: borrowing TapeCursor) throws(TapeError) {
        last = cursor.time
        if !hasBegun, let from = slice.from, cursor.time >= from { try begin() }
        switch step {
        case .market: try take(cursor.event, cursor.tradeID)
        case .input: try take(cursor.input, cursor.time)
        case .note: if hasBegun { try writer.append(cursor.note, at: cursor.time) }
        case .end: return
        }
    }

    private func take(_ event: MarketEvent, _ id: String?) throws(TapeError) {
        let carried = markets[Int(event.market.index)]
        if !hasBegun { follow(event, carried) }
        guard hasBegun, let output = carried.output else { return }
        var event = event
        event.market = output
        if let id { try writer.append(event, tradeID: id) } else { try writer.append(event) }
    }

    private func follow(_ event: MarketEvent, _ carried: Carried) {
        switch event.kind {
        case .delta: _ = carried.book.add(event.quantity, side: event.side, price: event.price)
        case .snapshotStart:
            carried.book.clear()
            carried.isInSnapshot = true
        case .snapshotLevel: _ = carried.book.set(event.quantity, side: event.side, price: event.price)
        case .trade, .groupEnd: break
        }
        if event.flags.contains(.snapshotEnd) {
            carried.isInSnapshot = false
            carried.isUsable = true
        }
    }

    private func take(_ input: EngineInput, _ time: Timestamp) throws(TapeError) {
        if case .defined(let market) = input { return try define(market, at: time) }
        guard let market = input.marketIndex else {
            if hasBegun { try writer.append(input, at: time) }
            return
        }
        let carried = markets[Int(market.index)]
        switch input {
        case .status(_, let status): carried.status = status
        case .result(_, let result): carried.result = result
        case .settled(_, let result): carried.settled = result
        case .unusable: carried.isUsable = false
        default: break
        }
        guard hasBegun, let output = carried.output else { return }
        try writer.append(input.moved { _ in output }, at: time)
    }

    private func define(_ market: Market, at time: Timestamp) throws(TapeError) {
        if let index = indexOfTicker[market.ticker] {
            markets[index].definition = market
            guard markets[index].output != nil else { return }
        } else {
            let isKept = slice.wants?(market.ticker) ?? true
            indexOfTicker[market.ticker] = markets.count
            markets.append(Carried(market, output: isKept ? Market.ID(kept) : nil))
            guard isKept else { return }
            kept += 1
        }
        if hasBegun { try writer.append(.defined(market), at: time) }
    }

    /// Writes what the slice carries over its beginning, once.
    func begin() throws(TapeError) {
        guard !hasBegun, let from = slice.from else { return }
        hasBegun = true
        guard kept > 0 else { return }
        try writer.append(TapeNote(.other, TapeSlice.carriedMark + from.description), at: from)
        for carried in markets where carried.output != nil {
            try writer.append(.defined(carried.definition), at: from)
        }
        for carried in markets { try carry(carried, at: from) }
        try writer.append(TapeNote(.other, TapeSlice.carriedEndMark + from.description), at: from)
    }

    private func carry(_ carried: Carried, at time: Timestamp) throws(TapeError) {
        guard let output = carried.output else { return }
        if let status = carried.status { try writer.append(.status(output, status), at: time) }
        if let result = carried.result { try writer.append(.result(output, result), at: time) }
        if let result = carried.settled { try writer.append(.settled(output, result), at: time) }
        guard carried.isUsable, !carried.isInSnapshot else { return }
        var levels: [MarketEvent] = []
        for side in Side.allCases {
            var price = carried.book.best(side)
            while let at = price {
                levels.append(
                    MarketEvent(
                        .snapshotLevel, market: output, side: side, price: at,
                        quantity: carried.book.size(side, at: at), receiveTime: time))
                price = carried.book.next(side, behind: at)
            }
        }
        let ending: MarketEvent.Flags = [.snapshotEnd, .groupEnd]
        try writer.append(
            MarketEvent(
                .snapshotStart, market: output, flags: levels.isEmpty ? ending : [], receiveTime: time))
        for (index, level) in levels.enumerated() {
            var level = level
            if index == levels.count - 1 { level.flags = ending }
            try writer.append(level)
        }
    }

    /// Marks where the slice was cut off.
    func finish(at time: Timestamp) throws(TapeError) {
        try begin()
        guard writer.totals.records > 0 else { return }
        try writer.append(TapeNote(.other, TapeSlice.endMark + time.description), at: last)
    }
}
