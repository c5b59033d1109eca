import Foundation
import Martlet
import MartletEngine

/// Writes down all that it is told, and does what a test tells it to.
struct RecordingStrategy: Strategy {
    struct Parameters: StrategyParameters {
        init() {}
    }
    static let name = "recorder"

    final class Notes {
        var lines: [String] = []
        var onStart: ((borrowing Context) -> Void)?
        var onBook: ((Market.ID, borrowing Context) -> Void)?
        var onOrder: ((Order, borrowing Context) -> Void)?
        var onTimer: ((TimerID, borrowing Context) -> Void)?
        var bookUpdates = BookUpdates.groups
        func take() -> [String] {
            defer { lines = [] }
            return lines
        }
    }
    let notes: Notes
    init(parameters: Parameters) { self.init(notes: Notes()) }
    init(notes: Notes) { self.notes = notes }

    mutating func started(_ context: borrowing Context) {
        notes.lines.append("started")
        for market in context.markets { context.subscribe(to: market, book: notes.bookUpdates) }
        notes.onStart?(context)
    }
    mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
        notes.lines.append("defined \(context.market(market).ticker)")
        context.subscribe(to: market, book: notes.bookUpdates)
    }
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        let book = context.book(market)
        func text(_ price: Price?) -> String { price.map { "\($0)" } ?? "-" }
        notes.lines.append("book \(text(book.bestBid)) \(text(book.bestAsk))")
        notes.onBook?(market, context)
    }
    mutating func traded(_ trade: Trade, _ context: borrowing Context) {
        notes.lines.append("trade \(trade.takerSide) \(trade.quantity) @ \(trade.price)")
    }
    mutating func tickerChanged(_ ticker: Ticker, _ context: borrowing Context) {
        notes.lines.append("ticker")
    }
    mutating func referenceChanged(_ value: ReferenceValue, _ context: borrowing Context) {
        notes.lines.append("reference \(value.index) \(value.double)")
    }
    mutating func statusChanged(_ market: Market.ID, _ status: MarketStatus, _ context: borrowing Context) {
        notes.lines.append("status \(status.wire)")
    }
    mutating func settled(_ settlement: Settlement, _ context: borrowing Context) {
        notes.lines.append("settled \(settlement.result) \(settlement.position) \(settlement.payout)")
    }
    mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        notes.lines.append("order \(order.id.number) \(order.status)")
        notes.onOrder?(order, context)
    }
    mutating func filled(_ fill: Fill, _ context: borrowing Context) {
        notes.lines.append("fill \(fill.side) \(fill.quantity) @ \(fill.price)")
    }
    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {
        notes.lines.append("timer \(context.now.seconds)")
        notes.onTimer?(timer, context)
    }
    mutating func bookUnusable(_ market: Market.ID, _ fault: BookFault, _ context: borrowing Context) {
        notes.lines.append("unusable: \(fault)")
    }
    mutating func bookUsable(_ market: Market.ID, _ context: borrowing Context) {
        notes.lines.append("usable")
    }
    mutating func riskChanged(_ state: RiskState, _ context: borrowing Context) {
        notes.lines.append("risk \(state.rawValue)")
    }
    mutating func stopped(_ context: borrowing Context) { notes.lines.append("stopped") }
    func savedState() -> Data? { Data("state".utf8) }
    mutating func restore(_ state: Data) throws { notes.lines.append(String(decoding: state, as: UTF8.self)) }
}
