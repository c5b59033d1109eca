import Martlet
import MartletEngine

/// What a tape holds, as `martlet tape info` shows it.
public struct TapeInfo: Sendable {
    public var path = ""
    public var bytes = 0
    public var formatVersion = Int(TapeFormat.version)
    public var records = 0
    public var first: Timestamp = .unknown
    public var last: Timestamp = .unknown
    /// The tape has its end mark.
    public var isComplete = false
    /// Where a tape without it stops making sense.
    public var tornAt: Int?
    /// Chained over all blocks; equal for equal tapes. Nil for a torn one.
    public var digest: UInt64?
    /// How many records of each kind, in the order of their codes. `tradeID` records count with their trades.
    public var counts: [(kind: TapeFormat.Kind, count: Int)] = []
    public var inferredTrades = 0
    public var groups = 0
    public var timedOutGroups = 0
    public var markets: [MarketInfo] = []
    public var notes: [TapeNote] = []
    public init() {}

    public struct MarketInfo: Hashable, Sendable {
        public var market: Market
        public var events = 0
        public var trades = 0
        public var result: MarketResult?
        public var isSettled = false
        public var gaps = 0
    }
    /// Notes beyond these are not kept.
    static let notesMax = 1000
    private var tickers = TickerTable()

    /// Reads a tape from its beginning to its end. `goesOn` is asked now and then, with the bytes read.
    public init(_ tape: TapeReader, goesOn: (Int) -> Bool = { _ in true }) throws(TapeError) {
        path = tape.path
        bytes = tape.byteCount
        isComplete = tape.totals != nil
        digest = tape.totals?.digest
        var numbers = [Int](repeating: 0, count: 256)
        var cursor = tape.cursor()
        reading: while true {
            if records & 0xFFFF == 0xFFFF, !goesOn(cursor.byteOffset) {
                throw TapeError(.interrupted, file: path)
            }
            switch try cursor.next() {
            case .market:
                let event = cursor.event
                numbers[Int(event.kind.rawValue)] += 1
                take(event)
            case .input: take(cursor.input, &numbers)
            case .note:
                numbers[Int(TapeFormat.Kind.note.rawValue)] += 1
                if notes.count < TapeInfo.notesMax { notes.append(cursor.note) }
            case .end: break reading
            }
            if records == 0 { first = cursor.time }
            last = cursor.time
            records += 1
        }
        tornAt = cursor.tornAt
        counts = TapeFormat.Kind.allCases.compactMap {
            numbers[Int($0.rawValue)] == 0 ? nil : ($0, numbers[Int($0.rawValue)])
        }
    }

    private mutating func take(_ event: MarketEvent) {
        let index = Int(event.market.index)
        markets[index].events += 1
        if event.kind == .trade {
            markets[index].trades += 1
            if event.flags.contains(.inferred) { inferredTrades += 1 }
        }
        if event.flags.contains(.groupEnd) || event.kind == .groupEnd { groups += 1 }
        if event.flags.contains(.timedOut) { timedOutGroups += 1 }
    }

    private mutating func take(_ input: EngineInput, _ numbers: inout [Int]) {
        func count(_ kind: TapeFormat.Kind) { numbers[Int(kind.rawValue)] += 1 }
        switch input {
        case .defined(let market):
            count(.definition)
            if tickers.add(market.ticker) {
                markets.append(MarketInfo(market: market))
            } else if let index = tickers[market.ticker] {
                markets[index].market = market
            }
        case .ticker: count(.ticker)
        case .reference: count(.reference)
        case .status: count(.status)
        case .result(let market, let result):
            count(.result)
            markets[Int(market.index)].result = result
        case .settled(let market, let result):
            count(.settlement)
            markets[Int(market.index)].result = result
            markets[Int(market.index)].isSettled = true
        case .unusable(let market, _):
            count(.gap)
            markets[Int(market.index)].gaps += 1
        case .market, .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock, .command,
            .stopped:
            return
        }
    }
}

/// Lines for people, as `martlet tape cat` shows them.
public enum TapeText {
    /// One record; `ticker` names a market by its index.
    public static func describe(_ record: TapeRecord, ticker: (Market.ID) -> String) -> String {
        let text = TextRecord(record, ticker: ticker)
        var words = [record.time.description, text.record.replacing("_", with: " ")]
        if let ticker = text.ticker { words.append(ticker) }
        if case .event(let event, let id) = record {
            if !event.kind.hasNoPrice {
                words.append("\(event.side) \(event.price) × \(event.quantity)")
            }
            if event.exchangeTime.isKnown { words.append("at \(event.exchangeTime)") }
            words += event.flags.names
            if let id { words.append(id) }
        } else if case .note(let note, _) = record {
            words += ["\(note.topic):", note.text]
        } else if let detail = text.detail {
            words.append(detail.plain)
        }
        return words.joined(separator: " ")
    }
}

/// `martlet tape verify`: every block's checksum, every record's form, and the books that they make.
public struct TapeVerification: Sendable {
    public var records = 0
    /// Changes that a book could not take, and groups that ended with a crossed book while the book was whole.
    public var bookFaults = 0
    public var crossedGroups = 0
    /// The first of either, for people.
    public var firstProblem: String?
    public var isSound: Bool { bookFaults == 0 && crossedGroups == 0 }

    /// Reads a tape whole; throws what is wrong with the file itself. `goesOn` is asked now and then, with the
    /// bytes read.
    public init(_ tape: TapeReader, goesOn: (Int) -> Bool = { _ in true }) throws(TapeError) {
        var cursor = tape.cursor()
        let books = VerifiedBooks()
        reading: while true {
            switch try cursor.next() {
            case .market: take(books.take(cursor.event), cursor.event, books)
            case .input: books.take(cursor.input)
            case .note: break
            case .end: break reading
            }
            records += 1
            if records & 0xFFFF == 0, !goesOn(cursor.byteOffset) {
                throw TapeError(.interrupted, file: tape.path)
            }
        }
    }

    private mutating func take(_ problem: BookFault?, _ event: MarketEvent, _ books: VerifiedBooks) {
        guard let problem else { return }
        if problem == .crossed { crossedGroups += 1 } else { bookFaults += 1 }
        if firstProblem == nil {
            firstProblem = "\(books.ticker(event.market)) at \(event.receiveTime): \(problem)"
        }
    }
}

private final class VerifiedBooks {
    private final class Book {
        let ticker: String
        var book: OrderBook
        var isUsable = false
        init(_ market: Market) {
            ticker = market.ticker
            book = OrderBook(unit: market.grid.unit)
        }
    }
    private var books: [Book] = []
    private var tickers = TickerTable()

    func ticker(_ market: Market.ID) -> String { books[Int(market.index)].ticker }

    func take(_ input: EngineInput) {
        switch input {
        case .defined(let market):
            if tickers.add(market.ticker) { books.append(Book(market)) }
        case .unusable(let market, _): books[Int(market.index)].isUsable = false
        case .market, .ticker, .reference, .status, .result, .settled, .started, .report, .balance,
            .adoptedOrder, .adoptedPosition, .limits,
            .clock, .command, .stopped:
            return
        }
    }

    func take(_ event: MarketEvent) -> BookFault? {
        let book = books[Int(event.market.index)]
        var fault: BookFault?
        switch event.kind {
        case .delta:
            let found = book.book.add(event.quantity, side: event.side, price: event.price)
            if book.isUsable { fault = found }
        case .snapshotStart: book.book.clear()
        case .snapshotLevel: fault = book.book.set(event.quantity, side: event.side, price: event.price)
        case .trade, .groupEnd: break
        }
        if event.flags.contains(.snapshotEnd) { book.isUsable = true }
        let isEnd = event.flags.contains(.groupEnd) || event.kind == .groupEnd
        if fault == nil, isEnd, book.isUsable, book.book.isCrossed { fault = .crossed }
        return fault
    }
}
