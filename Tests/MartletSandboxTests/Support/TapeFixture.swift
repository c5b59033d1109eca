import Foundation
import Martlet
import MartletEngine
import MartletTape

/// A folder that goes with the test.
final class ScratchFolder {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "martlet-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A minute of one market: a book, and thirty seconds later a taker.
enum TapeFixture {
    static func write(to file: String) throws {
        let start = Timestamp(seconds: 1_700_000_000)
        let market = Market.ID(0)
        let definition = Market(
            ticker: "KXTAPE-1-A", openTime: start - .hours(1), closeTime: start + .hours(5))
        var events: [MarketEvent] = [
            MarketEvent(.snapshotStart, market: market, exchangeTime: start, receiveTime: start)
        ]
        for (side, price, count) in [(Side.bid, Price(cents: 40), 100), (.ask, Price(cents: 42), 50)] {
            events.append(
                MarketEvent(
                    .snapshotLevel, market: market, side: side, price: price, quantity: Quantity(count),
                    exchangeTime: start, receiveTime: start))
        }
        events[events.count - 1].flags = [.snapshotEnd, .groupEnd]
        let later = start + .seconds(30)
        events.append(
            MarketEvent(
                .trade, market: market, side: .ask, price: Price(cents: 40), quantity: Quantity(103),
                exchangeTime: later, receiveTime: later))
        events.append(
            MarketEvent(
                .delta, market: market, side: .bid, price: Price(cents: 40), quantity: Quantity(-100),
                flags: .groupEnd, exchangeTime: later, receiveTime: later))
        let writer = try TapeWriter(path: file)
        try writer.append(.defined(definition), at: start)
        for event in events { try writer.append(.market(event), at: event.receiveTime) }
        _ = try writer.finish()
    }
}
