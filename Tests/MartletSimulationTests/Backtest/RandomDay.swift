import Martlet
import MartletEngine

@testable import MartletSimulation

/// A made-up recording: a few markets of one event and beside it, books that never cross at the end of a group,
/// trades with the removals that follow, a pause, a gap, results at the end. The same seed, the same day.
struct RandomDay {
    private(set) var inputs: [(time: Timestamp, input: EngineInput)] = []
    private var generator: SeededGenerator
    private var time = Timestamp(seconds: 1_000)
    /// By market, by side, by cents.
    private var levels: [[[Int: Int]]]
    private let marketCount: Int

    /// - Parameter opensLate: the markets are defined one after another over the first half.
    init(seed: UInt64, markets: Int = 4, events: Int = 4_000, opensLate: Bool = false) {
        generator = SeededGenerator(seed: seed)
        marketCount = markets
        levels = Array(repeating: [[:], [:]], count: markets)
        var open = opensLate ? 1 : markets
        for index in 0..<open { define(index) }
        for index in 0..<open { snapshot(index) }
        for step in 0..<events {
            time = time + .milliseconds(Int64(generator.next() % 400))
            if open < markets, step > open * events / (2 * markets) {
                define(open)
                snapshot(open)
                open += 1
            }
            let market = Int(generator.next() % UInt64(open))
            switch generator.next() % 1_000 {
            case 0..<2: gap(market)
            case 2..<4 where step > events / 2: pause(market)
            case 4..<150: trade(market)
            default: change(market)
            }
        }
        finish()
    }

    private mutating func add(_ input: EngineInput) { inputs.append((time, input)) }
    private mutating func add(
        _ kind: MarketEvent.Kind, _ market: Int, _ side: Side = .bid, _ cents: Int = 0, _ contracts: Int = 0,
        _ flags: MarketEvent.Flags = []
    ) {
        add(
            .market(
                MarketEvent(
                    kind, market: Market.ID(market), side: side, price: Price(cents: cents),
                    quantity: Quantity(contracts), flags: flags, exchangeTime: time, receiveTime: time)))
    }

    private mutating func define(_ index: Int) {
        let isGrouped = index < 3
        add(
            .defined(
                Market(
                    ticker: isGrouped ? "KXDAY-1-\(index)" : "KXSOLO\(index)-1-A", grid: .cent,
                    fees: FeeTerms(type: index % 2 == 0 ? .quadratic : .quadraticWithMakerFees),
                    isMutuallyExclusive: isGrouped, settlementTimer: .seconds(5))))
    }

    private mutating func snapshot(_ market: Int) {
        let mid = 20 + Int(generator.next() % 60)
        levels[market] = [[:], [:]]
        add(.snapshotStart, market)
        for distance in 1...6 {
            for side in Side.allCases {
                let cents = side == .bid ? mid - distance : mid + distance
                let size = 5 + Int(generator.next() % 60)
                levels[market][Int(side.rawValue)][cents] = size
                let isLast = distance == 6 && side == .ask
                add(.snapshotLevel, market, side, cents, size, isLast ? [.snapshotEnd, .groupEnd] : [])
            }
        }
    }

    private func best(_ market: Int, _ side: Side) -> Int? {
        let prices = levels[market][Int(side.rawValue)].keys.sorted()
        return side == .bid ? prices.last : prices.first
    }

    private mutating func change(_ market: Int) {
        let side: Side = generator.next() & 1 == 0 ? .bid : .ask
        let other = best(market, side.opposite) ?? 50
        let distance = 1 + Int(generator.next() % 8)
        let cents = min(max(side == .bid ? other - distance : other + distance, 1), 99)
        if side == .bid ? cents >= other : cents <= other { return }
        let size = levels[market][Int(side.rawValue)][cents] ?? 0
        let isRemoval = size > 0 && generator.next() & 1 == 0
        let amount = isRemoval ? -Int(1 + generator.next() % UInt64(size)) : 1 + Int(generator.next() % 40)
        levels[market][Int(side.rawValue)][cents] = size + amount == 0 ? nil : size + amount
        add(.delta, market, side, cents, amount, .groupEnd)
    }

    private mutating func trade(_ market: Int) {
        let taker: Side = generator.next() & 1 == 0 ? .bid : .ask
        let side = taker.opposite
        guard let cents = best(market, side), let size = levels[market][Int(side.rawValue)][cents] else {
            return
        }
        let amount = Int(1 + generator.next() % UInt64(size))
        add(.trade, market, taker, cents, amount)
        levels[market][Int(side.rawValue)][cents] = size == amount ? nil : size - amount
        add(.delta, market, side, cents, -amount, .groupEnd)
    }

    private mutating func gap(_ market: Int) {
        add(.unusable(Market.ID(market), .gap))
        time = time + .milliseconds(300)
        snapshot(market)
    }

    private mutating func pause(_ market: Int) {
        add(.status(Market.ID(market), .inactive))
        time = time + .seconds(2)
        add(.status(Market.ID(market), .active))
    }

    private mutating func finish() {
        let winner = Int(generator.next() % 3)
        for index in 0..<marketCount {
            time = time + .seconds(1)
            let result: MarketResult =
                index < 3 ? (index == winner ? .yes : .no) : .scalar(Price(micros: 372_500))
            // The last market stays undecided.
            if index < marketCount - 1 || marketCount < 4 { add(.result(Market.ID(index), result)) }
        }
        time = time + .seconds(30)
        add(.ticker(Ticker(market: Market.ID(0), exchangeTime: time)))
    }
}

/// Does anything at all: places, amends, decreases, cancels, quotes, sets timers, by chance alone.
struct RandomStrategy: Strategy {
    struct Parameters: StrategyParameters {
        init() {}
    }
    static let name = "random"
    /// All that it was told, one line each.
    final class Diary {
        var lines: [String] = []
        var fills = 0
    }
    let diary: Diary
    let isActive: Bool

    init(parameters: Parameters) { self.init(diary: Diary()) }
    init(diary: Diary, isActive: Bool = true) {
        self.diary = diary
        self.isActive = isActive
    }

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market) }
    }
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        let book = context.book(market)
        diary.lines.append("\(context.now) \(market) \(book.depth(.bid, 2)) \(book.depth(.ask, 2))")
        guard isActive else { return }
        act(market, context)
    }
    mutating func traded(_ trade: Trade, _ context: borrowing Context) { diary.lines.append("\(trade)") }
    mutating func statusChanged(_ market: Market.ID, _ status: MarketStatus, _ context: borrowing Context) {
        diary.lines.append("\(context.now) \(market) \(status)")
    }
    mutating func settled(_ settlement: Settlement, _ context: borrowing Context) {
        diary.lines.append("\(settlement)")
    }
    mutating func filled(_ fill: Fill, _ context: borrowing Context) {
        diary.fills += 1
        diary.lines.append("\(fill)")
    }
    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {
        guard let market = context.markets.first, isActive else { return }
        act(market, context)
    }

    private func act(_ market: Market.ID, _ context: borrowing Context) {
        let roll = context.random() % 100
        let side: Side = context.random() & 1 == 0 ? .bid : .ask
        let near = context.book(market).best(side) ?? Price(cents: 50)
        let price = Price(micros: Int(near.micros) + (Int(context.random() % 7) - 3) * 10_000)
        let size = Quantity(hundredths: 1 + Int64(context.random() % 3_000))
        let orders = context.openOrders(market)
        switch roll {
        case 0..<8:
            context.place(
                OrderRequest(side, size, at: price, in: market, isPostOnly: context.random() & 1 == 0))
        case 8..<11:
            context.place(OrderRequest(side, size, at: price, in: market, timeInForce: .immediateOrCancel))
        case 11..<13: context.place(OrderRequest(side, size, at: price, in: market, timeInForce: .fillOrKill))
        case 13..<15:
            context.place(
                OrderRequest(
                    side, size, at: price, in: market, timeInForce: .immediateOrCancel, isReduceOnly: true))
        case 15..<18:
            context.place(
                OrderRequest(
                    side, size, at: price, in: market, timeInForce: .goodTill(context.now + .seconds(9))))
        case 18..<24: if let order = orders.first { context.cancel(order.id) }
        case 24..<28:
            if let order = orders.last {
                context.amend(order.id, price: price, quantity: order.filled + size)
            }
        case 28..<30: if let order = orders.first { context.decrease(order.id, to: .smallest) }
        case 30..<36:
            if let bid = context.book(market).bestBid, let ask = context.book(market).bestAsk {
                context.quote(market, bid: Quote(bid, size), ask: Quote(ask, size))
            }
        case 36: context.quote(market, bid: nil, ask: nil)
        case 37: context.cancelAll(in: context.random() & 1 == 0 ? nil : market)
        case 38: context.setTimer(after: .milliseconds(Int64(context.random() % 5_000)))
        default: break
        }
    }
}
