import Martlet
import MartletEngine
import MartletTape

/// Books rebuilt from a tape, and what the tape said on the way.
final class Replayed {
    final class Book {
        var book = OrderBook()
        var isUsable = false
        var messages = 0
        let market: Market
        init(_ market: Market) { self.market = market }
    }
    private(set) var books: [Book] = []
    private(set) var crossedAtGroupEnd = 0
    private(set) var groupEnds = 0
    private(set) var faults = 0
    private(set) var gaps = 0
    private(set) var inferred: [MarketEvent] = []
    private(set) var trades: [MarketEvent] = []
    private(set) var connection = 0
    private(set) var results: [(Market.ID, MarketResult, Timestamp)] = []
    /// Book messages of the connection so far: its sequence number, when nothing is missing.
    private(set) var sequence = 0
    private var isInSnapshot = false

    /// `visit` is called after each book message, with the book's index.
    func replay(_ path: String, _ visit: (Replayed, Int) -> Void = { _, _ in }) throws {
        let tape = try TapeReader(path: path)
        var cursor = tape.cursor()
        while true {
            switch try cursor.next() {
            case .market: if let changed = take(cursor.event) { visit(self, changed) }
            case .input: take(cursor.input, cursor.time)
            case .note:
                guard cursor.note.topic == .connection else { continue }
                connection += 1
                sequence = 0
            case .end: return
            }
        }
    }

    private func take(_ input: EngineInput, _ time: Timestamp) {
        switch input {
        case .defined(let market):
            if !books.contains(where: { $0.market.ticker == market.ticker }) { books.append(Book(market)) }
        case .unusable(let market, _):
            gaps += 1
            books[Int(market.index)].isUsable = false
        case .result(let market, let result): results.append((market, result, time))
        default: break
        }
    }

    private func take(_ event: MarketEvent) -> Int? {
        let index = Int(event.market.index)
        let book = books[index]
        var isDone = false
        switch event.kind {
        case .delta:
            if book.book.add(event.quantity, side: event.side, price: event.price) != nil { faults += 1 }
            isDone = true
        case .snapshotStart:
            book.book.clear()
            isDone = event.flags.contains(.snapshotEnd)
        case .snapshotLevel:
            if book.book.set(event.quantity, side: event.side, price: event.price) != nil { faults += 1 }
            isDone = event.flags.contains(.snapshotEnd)
        case .trade:
            if event.flags.contains(.inferred) { inferred.append(event) } else { trades.append(event) }
        case .groupEnd: break
        }
        if event.flags.contains(.snapshotEnd) { book.isUsable = true }
        if event.flags.contains(.groupEnd) || event.kind == .groupEnd {
            groupEnds += 1
            if book.book.isCrossed { crossedAtGroupEnd += 1 }
        }
        guard isDone else { return nil }
        sequence += 1
        book.messages += 1
        return index
    }
}
