import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletTape
import Testing

@testable import MartletMain

/// The recorder without a network: events in, tapes out.
@Suite struct TapeRecorderTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    /// A feed of two markets.
    private final class Feed {
        let books = FeedBooks()
        let recorder: TapeRecorder
        var now = Timestamp(seconds: 1_795_442_400)
        var free: Int64 = 1 << 40
        let markets = ["A-1", "A-2"].map { Market(ticker: $0) }

        init(_ folder: String, rotation: TimeSpan = .hours(1)) {
            var settings = TapeRecorder.Settings(folder: folder)
            settings.rotation = rotation
            settings.retryInterval = .seconds(1)
            let holder = Holder()
            let markets = markets
            recorder = TapeRecorder(
                settings, books: books, market: { markets[Int($0.index)] }, isFollowed: { _ in true },
                freeBytes: { _ in holder.feed?.free })
            for market in markets { books.add(market) }
            holder.feed = self
        }
        private final class Holder { weak var feed: Feed? }

        func send(_ event: MarketEvent, _ tradeID: String? = nil) {
            var event = event
            event.receiveTime = now
            _ = books.take(event)
            recorder.append(event, tradeID: tradeID)
        }
        func snapshot(_ market: Int, _ levels: [(Side, Int, Int)], stopAfter: Int = .max) {
            let id = Market.ID(market)
            send(MarketEvent(.snapshotStart, market: id, receiveTime: now))
            for (place, level) in levels.enumerated() where place < stopAfter {
                send(
                    MarketEvent(
                        .snapshotLevel, market: id, side: level.0, price: Price(cents: level.1),
                        quantity: Quantity(hundredths: Int64(level.2 * 100)),
                        flags: place == levels.count - 1 ? [.snapshotEnd, .groupEnd] : [], receiveTime: now))
            }
        }
        func delta(_ market: Int, _ side: Side, _ cents: Int, _ change: Int) {
            send(
                MarketEvent(
                    .delta, market: Market.ID(market), side: side, price: Price(cents: cents),
                    quantity: Quantity(hundredths: Int64(change * 100)), exchangeTime: now, receiveTime: now))
        }
        func trade(_ market: Int, _ id: String) {
            send(
                MarketEvent(
                    .trade, market: Market.ID(market), price: Price(cents: 40),
                    quantity: Quantity(hundredths: 100), exchangeTime: now, receiveTime: now), id)
        }
        func pass(_ span: TimeSpan) {
            now = now + span
            recorder.tick(at: now)
        }
        func levels(_ market: Int) -> [String] { TapeRecorderTests.levels(books, market) }
    }

    private static func levels(_ books: FeedBooks, _ market: Int) -> [String] {
        [Side.bid, .ask].flatMap { side in
            books.levels(Market.ID(market), side, 100).map { "\(side) \($0.price) \($0.size)" }
        }
    }

    private func tapes() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
            .filter { $0.hasSuffix(".tape") }.map { folder.path($0) }
    }
    /// What a tape leaves in the books, and its trades.
    private func replay(_ path: String) throws -> (books: [[String]], usable: [Bool], trades: [String]) {
        let books = FeedBooks()
        var trades: [String] = []
        var tickers: [String] = []
        let tape = try TapeReader(path: path)
        var cursor = tape.cursor()
        while let record = try cursor.nextRecord() {
            switch record {
            case .event(let event, let id):
                #expect(books.take(event) == nil)
                if event.kind == .trade { trades.append(id ?? "") }
            case .input(.defined(let market), _):
                if !tickers.contains(market.ticker) {
                    tickers.append(market.ticker)
                    books.add(market)
                }
            case .input(.unusable(let market, _), _): books.unusable(market)
            case .input, .note: break
            }
        }
        let order = ["A-1", "A-2"].map { ticker in tickers.firstIndex(of: ticker) ?? 0 }
        return (
            order.map { TapeRecorderTests.levels(books, $0) }, order.map { books.isUsable(Market.ID($0)) },
            trades
        )
    }

    @Test func eachTapeOfARotationCanBeReplayedAlone() throws {
        let feed = Feed(folder.url.path)
        feed.snapshot(0, [(.bid, 40, 10), (.ask, 45, 5)])
        feed.snapshot(1, [(.bid, 20, 7)])
        var expected: [[[String]]] = []
        for hour in 0..<3 {
            for step in 0..<50 { feed.delta(step % 2, .bid, 10 + step % 9, 1 + step) }
            feed.trade(0, "t\(hour)")
            expected.append([feed.levels(0), feed.levels(1)])
            feed.pass(.hours(1))
        }
        feed.recorder.finish()
        let tapes = try tapes()
        #expect(tapes.count == 4 && feed.recorder.tapes == 4)
        for (number, path) in tapes.prefix(3).enumerated() {
            let replayed = try replay(path)
            #expect(replayed.books == expected[number])
            #expect(replayed.trades == ["t\(number)"])
        }
        #expect(try replay(tapes[3]).books == expected[2])
    }

    @Test func aTapeThatBeginsWithinASnapshotOrAGapHasNoHalfBook() throws {
        let feed = Feed(folder.url.path)
        feed.snapshot(0, [(.bid, 40, 10), (.ask, 45, 5), (.ask, 46, 5)], stopAfter: 1)
        feed.recorder.finish()
        feed.pass(.seconds(1))
        feed.snapshot(1, [(.bid, 20, 7)])
        feed.send(
            MarketEvent(
                .snapshotLevel, market: Market.ID(0), side: .ask, price: Price(cents: 45),
                quantity: Quantity(hundredths: 500), receiveTime: feed.now))
        feed.send(
            MarketEvent(
                .snapshotLevel, market: Market.ID(0), side: .ask, price: Price(cents: 46),
                quantity: Quantity(hundredths: 500), flags: [.snapshotEnd, .groupEnd], receiveTime: feed.now))
        feed.delta(0, .bid, 41, 3)
        feed.books.unusable(Market.ID(1))
        feed.recorder.append(.unusable(Market.ID(1), .gap), at: feed.now)
        feed.recorder.finish()
        let second = try replay(try tapes()[1])
        #expect(second.books[0] == feed.levels(0) && second.usable == [true, false])
    }

    @Test func aFullDiskEndsTheTapeAndRecordingGoesOnWhenThereIsRoom() throws {
        let feed = Feed(folder.url.path)
        feed.snapshot(0, [(.bid, 40, 10)])
        feed.free = 0
        feed.pass(.seconds(1))
        #expect(feed.recorder.state == .waiting("the disk is full"))
        // Whole already: nothing is lost of what was recorded.
        #expect(try replay(try tapes()[0]).usable[0])
        for step in 0..<5 {
            feed.delta(0, .bid, 39, 1 + step)
            feed.pass(.milliseconds(100))
        }
        #expect(feed.recorder.lost == 5)
        feed.free = 1 << 40
        feed.pass(.seconds(2))
        #expect(feed.recorder.state == .recording)
        feed.delta(0, .ask, 60, 2)
        feed.recorder.finish()
        #expect(try replay(try tapes()[1]).books[0] == feed.levels(0))
    }

    @Test func aTapeWithoutItsEndIsMendedToItsLastFlush() throws {
        let feed = Feed(folder.url.path)
        feed.snapshot(0, [(.bid, 40, 10)])
        feed.snapshot(1, [(.bid, 20, 7)])
        feed.delta(0, .bid, 41, 3)
        let before = [feed.levels(0), feed.levels(1)]
        feed.pass(.seconds(2))
        feed.delta(0, .bid, 42, 3)
        // A crash: what was not flushed is gone, and the file may end anywhere.
        let path = try #require(feed.recorder.path)
        let copy = folder.path("martlet-20200101T000000Z.tape")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes.append(contentsOf: [0x4d, 0x54, 0x42, 0x4b, 1, 2, 3])
        try bytes.write(to: URL(fileURLWithPath: copy))
        #expect(throws: TapeError.self) { try TapeReader(path: copy) }
        feed.recorder.finish()
        #expect(try TapeRecorder.mend(folder.url.path).mended == 1)
        #expect(try replay(copy).books == before)
        #expect(try TapeRecorder.mend(folder.url.path).mended == 0)
    }

    @Test func timesNeverGoBack() throws {
        let feed = Feed(folder.url.path)
        feed.snapshot(0, [(.bid, 40, 10)])
        feed.now = feed.now - .seconds(5)
        feed.delta(0, .bid, 41, 3)
        feed.recorder.append(.status(Market.ID(0), .inactive), at: feed.now)
        feed.recorder.finish()
        #expect(feed.recorder.state == .recording)
        #expect(try replay(try tapes()[0]).books[0] == feed.levels(0))
    }
}
