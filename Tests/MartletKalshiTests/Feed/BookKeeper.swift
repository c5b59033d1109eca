import Martlet
import MartletEngine
import Testing

@testable import MartletKalshi

/// What an engine would make of a feed's events, checked against the model exchange after each.
final class BookKeeper {
    final class Held { var book = OrderBook() }
    private var held: [Held]
    private(set) var isUsable: [Bool]
    private var isInSnapshot: [Bool]
    let tickers: [String]
    let exchange: ModelExchange?
    private(set) var trades: [String] = []
    private(set) var outputs: [FeedOutput] = []
    private(set) var groupEnds: [MarketEvent] = []
    private(set) var deltas = 0
    private(set) var snapshots = 0
    private(set) var unusables = 0
    private var tradeID: String?
    /// What was wrong, for the test to name with its seed.
    private(set) var faults: [String] = []

    init(_ tickers: [String], _ exchange: ModelExchange? = nil) {
        self.tickers = tickers
        self.exchange = exchange
        held = tickers.map { _ in Held() }
        isUsable = tickers.map { _ in false }
        isInSnapshot = tickers.map { _ in false }
    }

    func take(_ event: MarketEvent) {
        let index = Int(event.market.index)
        guard held.indices.contains(index) else { return faults.append("event of \(event.market)") }
        switch event.kind {
        case .delta:
            deltas += 1
            guard isUsable[index] else { return faults.append("\(tickers[index]): delta while unusable") }
            if let fault = held[index].book.add(event.quantity, side: event.side, price: event.price) {
                return faults.append("\(tickers[index]): \(fault)")
            }
            compare(index, version: Int(event.exchangeTime.milliseconds))
        case .snapshotStart:
            held[index].book.clear()
            isUsable[index] = false
            isInSnapshot[index] = true
            snapshots += 1
        case .snapshotLevel:
            if !isInSnapshot[index] { faults.append("\(tickers[index]): level without a start") }
            _ = held[index].book.set(event.quantity, side: event.side, price: event.price)
        case .trade:
            trades.append(tradeID ?? "")
            tradeID = nil
        case .groupEnd: groupEnds.append(event)
        }
        if event.flags.contains(.snapshotEnd) {
            isInSnapshot[index] = false
            isUsable[index] = true
        }
    }

    func take(_ output: FeedOutput) {
        switch output {
        case .unusable(let market, _):
            isUsable[Int(market.index)] = false
            unusables += 1
        case .tradeID(let id): tradeID = id
        default: outputs.append(output)
        }
    }

    /// The book after a delta must be the exchange's after the same one.
    private func compare(_ index: Int, version: Int) {
        guard let exchange, let history = exchange.history[tickers[index]] else { return }
        guard history.indices.contains(version) else {
            return faults.append("\(tickers[index]): version \(version)")
        }
        if snapshot(index) != history[version] { faults.append("\(tickers[index]) differs at \(version)") }
    }

    func snapshot(_ index: Int) -> ModelExchange.Book {
        func side(_ side: Side) -> [Int: Int] {
            var found: [Int: Int] = [:]
            var price = held[index].book.best(side)
            while let at = price {
                found[Int(at.micros)] = Int(held[index].book.size(side, at: at).hundredths)
                price = held[index].book.next(side, behind: at)
            }
            return found
        }
        return ModelExchange.Book(bids: side(.bid), asks: side(.ask))
    }

    /// Whether every book is usable and the exchange's own.
    var isLevel: Bool {
        guard let exchange else { return false }
        return tickers.indices.allSatisfy { isUsable[$0] && snapshot($0) == exchange.book(tickers[$0]) }
    }
    func isCrossed(_ market: Market.ID) -> Bool { held[Int(market.index)].book.isCrossed }
    func best(_ index: Int, _ side: Side) -> Price? { held[index].book.best(side) }
    var reconciled: [FeedChannel] {
        outputs.compactMap { if case .reconcile(let channel, _) = $0 { channel } else { nil } }
    }
    var refused: [String] {
        outputs.flatMap { output -> [String] in
            if case .refused(_, let tickers, _, _) = output { tickers } else { [] }
        }
    }
    func contains(_ output: FeedOutput) -> Bool { outputs.contains(output) }
    func forgetOutputs() { outputs = [] }
}

/// A session and a model exchange with nothing between them but what a test puts there.
final class FeedBench {
    var session: FeedSession
    let exchange: ModelExchange
    let keeper: BookKeeper
    var now = Timestamp(seconds: 1_795_442_400)
    private var batch = FeedBatch()

    init(_ tickers: [String], settings: FeedSettings = FeedSettings(), channels: [FeedChannel] = [.book]) {
        exchange = ModelExchange(tickers)
        keeper = BookKeeper(tickers, exchange)
        session = FeedSession(settings)
        for (index, ticker) in tickers.enumerated() {
            session.register(ticker, as: Market.ID(index))
            for channel in channels { session.subscribe(channel, Market.ID(index)) }
        }
    }

    func open() {
        exchange.reset()
        session.opened(at: now)
        turn()
    }
    func close() {
        session.closed(at: now)
        deliver()
    }

    /// Messages to the session, as one burst of the socket.
    func receive(_ frames: [String]) {
        for frame in frames {
            session.receive(frame, at: now)
            deliver()
        }
        session.drained(at: now) { keeper.isCrossed($0) }
        deliver()
    }
    func receive(_ frame: String) { receive([frame]) }

    func deliver() {
        session.exchange(&batch)
        batch.forEach(event: { keeper.take($0) }, output: { keeper.take($0) })
    }

    /// Commands and their answers until neither side has anything to say.
    func turn() {
        for _ in 0..<1000 {
            let commands = session.takeCommands(at: now)
            if commands.isEmpty { return }
            for command in commands { receive(exchange.take(command)) }
        }
        Issue.record("the session never comes to rest")
    }

    /// Lets time pass in small steps.
    func pass(_ span: TimeSpan, steps: Int = 20) {
        for _ in 0..<steps {
            now = now + TimeSpan(nanoseconds: span.nanoseconds / Int64(steps))
            session.advance(to: now)
            deliver()
            turn()
        }
    }

    func change(_ ticker: String, isBid: Bool = true, cents: Int = 40, by hundredths: Int = 100) {
        receive(exchange.change(ticker, isBid: isBid, cents: cents, by: hundredths))
    }
}
