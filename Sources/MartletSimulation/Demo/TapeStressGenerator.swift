import Martlet
import MartletEngine

/// Any number of records from a seed, streamed: for tests of memory and speed. Books never cross at the end of a
/// group, no level falls below zero, and a trade is followed by the change that takes its contracts off.
///
/// Memory does not grow with the number of records.
package struct TapeStressGenerator {
    private static let depth = 10
    private var generator: SeededGenerator
    private let markets: Int
    /// The best bid in cents, and contracts at it and behind it, both sides: `[market][side][place]`.
    private var bestBid: [Int]
    private var sizes: [[[Int64]]]
    private var time = Timestamp(seconds: 1_795_000_000)

    package init(seed: UInt64, markets: Int) {
        precondition(markets > 0)
        generator = SeededGenerator(seed: seed)
        self.markets = markets
        bestBid = Array(repeating: 50, count: markets)
        sizes = Array(
            repeating: Array(repeating: Array(repeating: 0, count: TapeStressGenerator.depth), count: 2),
            count: markets)
    }

    /// Hands `records` market events to a sink, behind one definition a market.
    package mutating func generate(
        records: Int, into sink: (EngineInput, Timestamp) throws -> Void
    ) rethrows {
        for market in 0..<markets {
            bestBid[market] = 15 + generator.below(60)
            try sink(.defined(Market(ticker: "KXSTRESS-\(market / 10)-M\(market)")), time)
        }
        var left = records
        for market in 0..<markets where left > 0 {
            let event = MarketEvent(
                .snapshotStart, market: Market.ID(market), flags: [.snapshotEnd, .groupEnd],
                exchangeTime: time, receiveTime: time)
            try sink(.market(event), time)
            left -= 1
        }
        while left > 0 { left -= try step(left, sink) }
    }

    private mutating func step(_ left: Int, _ sink: (EngineInput, Timestamp) throws -> Void) rethrows -> Int {
        time = time + .microseconds(1 + Int64(generator.below(200)))
        let market = generator.below(markets)
        let side = generator.below(2)
        let place = generator.below(TapeStressGenerator.depth)
        let size = sizes[market][side][place]
        let chance = generator.below(100)
        if size > 0, chance < 8, left >= 2 {
            // A taker of the other side.
            let traded = min(size, Int64(1 + generator.below(2000)))
            try send(.trade, market, side, place, traded, isTaker: true, ends: false, sink)
            try send(.delta, market, side, place, -traded, isTaker: false, ends: true, sink)
            sizes[market][side][place] -= traded
            return 2
        }
        let change =
            size > 0 && chance < 52
            ? -min(size, Int64(1 + generator.below(50_000)))
            : Int64(1 + generator.below(50_000))
        sizes[market][side][place] += change
        try send(.delta, market, side, place, change, isTaker: false, ends: true, sink)
        return 1
    }

    private func send(
        _ kind: MarketEvent.Kind, _ market: Int, _ side: Int, _ place: Int, _ hundredths: Int64,
        isTaker: Bool, ends: Bool, _ sink: (EngineInput, Timestamp) throws -> Void
    ) rethrows {
        let resting: Side = side == 0 ? .bid : .ask
        let cents = side == 0 ? bestBid[market] - place : bestBid[market] + 1 + place
        let event = MarketEvent(
            kind, market: Market.ID(market), side: isTaker ? resting.opposite : resting,
            price: Price(cents: cents), quantity: Quantity(hundredths: hundredths),
            flags: ends ? .groupEnd : [], exchangeTime: time, receiveTime: time)
        try sink(.market(event), time)
    }
}
