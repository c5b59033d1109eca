import Martlet
import MartletNetwork
import Testing

@testable import MartletMain

/// The book as it is drawn in place.
@Suite struct BookScreenTests {
    private func desk(_ market: Market) throws -> FeedDesk {
        let desk = FeedDesk(try EventLoop())
        let id = desk.add(market)
        let time = Timestamp(seconds: 1_795_442_400)
        desk.feed(MarketEvent(.snapshotStart, market: id, receiveTime: time))
        for cents in 1...80 {
            desk.feed(
                MarketEvent(
                    .snapshotLevel, market: id, side: cents <= 40 ? .bid : .ask, price: Price(cents: cents),
                    quantity: Quantity(hundredths: 12_345_678),
                    flags: cents == 80 ? [.snapshotEnd, .groupEnd] : [],
                    receiveTime: time))
        }
        return desk
    }

    /// A line that wraps, or one row too many, would push the rest off the screen at every change.
    @Test(arguments: [(80, 24), (40, 10), (36, 8), (20, 3)])
    func fitsTheScreen(columns: Int, rows: Int) throws {
        let market = Market(
            ticker: "KXHIGHNY-26NOV23-B54.5",
            title: "Highest temperature in New York on the 23rd of November?")
        let view = BookCommand.BookView(market, depth: 30)
        let text = view.screen(try desk(market), columns: columns, rows: rows)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.allSatisfy { $0.count <= columns })
        // The cursor stands behind the last line.
        #expect(lines.count < max(rows, 7))
        #expect(text.contains("0.4000"))
        if columns >= 36 { #expect(text.contains("123456.78  0.4000 0.4100 123456.78") || columns == 80) }
    }

    @Test func anywhereElseItIsAllThere() throws {
        let market = Market(ticker: "T")
        let view = BookCommand.BookView(market, depth: 30)
        let text = view.screen(try desk(market), columns: .max, rows: .max)
        #expect(text.split(separator: "\n").count == 2 + 30)
        #expect(text.contains("     123456.78   0.4000   0.4100     123456.78"))
    }
}
