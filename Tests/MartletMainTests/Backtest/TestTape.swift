import Martlet
import MartletEngine
import MartletTape

/// Small tapes for tests: books that wander, with trades, and results at the end.
enum TestTape {
    static let start = Timestamp(seconds: 1_790_000_000)

    /// `records` changes of `tickers` in turn, a second apart from `offset` seconds after ``start`` on.
    static func write(
        to path: String, tickers: [String] = ["T-A", "T-B"], records: Int = 2000, offset: Int64 = 0,
        seed: UInt64 = 1, step: TimeSpan = .milliseconds(100), isSettled: Bool = true
    ) throws {
        let writer = try TapeWriter(path: path)
        var generator = SeededGenerator(seed: seed)
        var time = start + .seconds(offset)
        var mids: [Int] = []
        for (index, ticker) in tickers.enumerated() {
            try writer.append(.defined(Market(ticker: ticker)), at: time)
            mids.append(40 + index * 10)
            for event in book(Market.ID(index), mids[index], time) { try writer.append(event) }
        }
        for number in 0..<records {
            time = time + step
            let index = number % tickers.count
            let market = Market.ID(index)
            let roll = generator.next() % 10
            if roll < 3 {
                mids[index] = min(90, max(10, mids[index] + (generator.next() % 2 == 0 ? 1 : -1)))
                for event in book(market, mids[index], time) { try writer.append(event) }
            } else if roll < 6 {
                let side: Side = generator.next() % 2 == 0 ? .bid : .ask
                let price = Price(cents: mids[index] + (side == .bid ? 2 : -2))
                try writer.append(
                    MarketEvent(
                        .trade, market: market, side: side, price: price, quantity: 5, flags: .groupEnd,
                        exchangeTime: time, receiveTime: time))
            } else {
                try writer.append(
                    MarketEvent(
                        .delta, market: market, side: .bid, price: Price(cents: mids[index] - 3), quantity: 1,
                        flags: .groupEnd, exchangeTime: time, receiveTime: time))
            }
        }
        if isSettled {
            for index in tickers.indices {
                time = time + .seconds(1)
                try writer.append(.result(Market.ID(index), index % 2 == 0 ? .yes : .no), at: time)
                try writer.append(.settled(Market.ID(index), index % 2 == 0 ? .yes : .no), at: time)
            }
        }
        try writer.finish()
    }

    /// A whole book around a mid: two levels a side.
    private static func book(_ market: Market.ID, _ mid: Int, _ time: Timestamp) -> [MarketEvent] {
        func event(
            _ kind: MarketEvent.Kind, _ side: Side = .bid, _ cents: Int = 0, _ flags: MarketEvent.Flags = []
        ) -> MarketEvent {
            MarketEvent(
                kind, market: market, side: side, price: Price(cents: cents), quantity: 50, flags: flags,
                exchangeTime: time, receiveTime: time)
        }
        return [
            event(.snapshotStart), event(.snapshotLevel, .bid, mid - 2), event(.snapshotLevel, .bid, mid - 3),
            event(.snapshotLevel, .ask, mid + 2),
            event(.snapshotLevel, .ask, mid + 3, [.snapshotEnd, .groupEnd]),
        ]
    }
}
