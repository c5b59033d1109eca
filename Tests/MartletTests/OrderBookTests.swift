import Martlet
import MartletEngine
import Testing

/// The slow, obvious book: a dictionary of price to contracts, and beside it the prices in order, so that comparing
/// after each of a million changes takes seconds and not minutes.
struct ModelBook {
    /// By micro-dollars, asks negated.
    private var sizes: [Int32: Int64] = [:]
    private var bids: [Int32] = []
    private var asks: [Int32] = []

    private func key(_ side: Side, _ price: Price) -> Int32 { side == .bid ? price.micros : -price.micros }
    /// Keys from worst to best.
    private func keys(_ side: Side) -> [Int32] { side == .bid ? bids : asks }

    func size(_ side: Side, _ price: Price) -> Int64 { sizes[key(side, price)] ?? 0 }
    func count(_ side: Side) -> Int { keys(side).count }
    func best(_ side: Side) -> (price: Price, size: Int64)? {
        keys(side).last.map { (Price(micros: abs($0)), sizes[$0] ?? 0) }
    }

    mutating func add(_ change: Int64, _ side: Side, _ price: Price) -> Bool {
        let key = key(side, price)
        let before = sizes[key] ?? 0
        guard before + change >= 0 else { return false }
        sizes[key] = before + change == 0 ? nil : before + change
        if before == 0, change > 0 {
            if side == .bid { Self.insert(key, &bids) } else { Self.insert(key, &asks) }
        } else if before > 0, before + change == 0 {
            if side == .bid { bids.removeAll { $0 == key } } else { asks.removeAll { $0 == key } }
        }
        return true
    }
    private static func insert(_ key: Int32, _ keys: inout [Int32]) {
        keys.insert(key, at: keys.firstIndex { $0 > key } ?? keys.count)
    }
    func sorted(_ side: Side) -> [(Price, Int64)] {
        keys(side).reversed().map { (Price(micros: abs($0)), sizes[$0] ?? 0) }
    }
}

@Suite struct OrderBookTests {
    @Test(arguments: [(1, 10_000), (2, 1_000), (3, 2_000), (4, 100)])
    func equalsADictionaryAfterEveryOneOfAMillionRandomOperations(_ seed: Int, _ unit: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var book = OrderBook(unit: Price(micros: unit))
        var model = ModelBook()
        let steps = 1_000_000 / unit
        for step in 0..<250_000 {
            let roll = generator.next() % 10_000
            if roll == 0 {
                book.clear()
                model = ModelBook()
            } else {
                let side: Side = generator.next() & 1 == 0 ? .bid : .ask
                // Near the middle, so that levels are met again; at times anywhere, at times off the unit.
                let centre = steps / 2
                var micros =
                    unit
                    * (roll < 9_000
                        ? centre + Int(generator.next() % 40) - 20
                        : Int(generator.next() % UInt64(steps + 1)))
                if roll == 1, unit >= 1_000 { micros += 100 }
                let price = Price(micros: micros)
                let change = Int64(generator.next() % 2_000) - 1_000
                let removesAll = generator.next() % 4 == 0
                let delta = removesAll ? -model.size(side, price) : change
                let fault = book.add(Quantity(hundredths: delta), side: side, price: price)
                if !price.isTradable {
                    #expect(fault == .invalidPrice(side: side, price: price), "seed \(seed) step \(step)")
                } else {
                    let taken = model.add(delta, side, price)
                    #expect((fault == nil) == taken, "seed \(seed) step \(step)")
                }
            }
            compareTop(book, model, seed, step)
            if step % 1_000 == 0 {
                compareAll(&book, model, seed, step)
                book.checkInvariants()
            }
        }
    }

    /// The touch of both sides, how many levels there are, and the best level's contracts summed.
    private func compareTop(_ book: borrowing OrderBook, _ model: ModelBook, _ seed: Int, _ step: Int) {
        for side in [Side.bid, .ask] {
            let best = model.best(side)
            if book.best(side) != best?.price || book.levelCount(side) != model.count(side)
                || book.bestSize(side).hundredths != best?.size ?? 0
            {
                Issue.record("seed \(seed) step \(step): \(side) \(String(describing: book.best(side)))")
            }
        }
    }

    private func compareAll(_ book: inout OrderBook, _ model: ModelBook, _ seed: Int, _ step: Int) {
        withUnsafePointer(to: &book) { pointer in
            let view = BookView(pointer)
            for side in Side.allCases {
                let expected = model.sorted(side)
                let found = view.levels(side).map { ($0.price, $0.size.hundredths) }
                #expect(found.elementsEqual(expected, by: ==), "seed \(seed) step \(step)")
                #expect(view.total(side).hundredths == expected.reduce(0) { $0 + $1.1 })
                let third = expected.prefix(3)
                #expect(view.cumulativeSize(side, levels: 3).hundredths == third.reduce(0) { $0 + $1.1 })
                if let last = third.last {
                    #expect(
                        view.cumulativeSize(side, through: last.0).hundredths == third.reduce(0) { $0 + $1.1 }
                    )
                    let wanted = Quantity(hundredths: third.reduce(0) { $0 + $1.1 } - 1)
                    let total = third.reduce(Money.zero) { $0 + $1.0 * Quantity(hundredths: $1.1) }
                    if wanted.isPositive {
                        let cost = view.priceForSize(side, wanted)
                        #expect(cost?.total == total - last.0 * .smallest)
                    }
                }
            }
        }
    }

    private func makeBook(_ levels: [(Side, Int, Int)]) -> OrderBook {
        var book = OrderBook()
        for (side, cents, contracts) in levels {
            #expect(book.add(Quantity(contracts), side: side, price: Price(cents: cents)) == nil)
        }
        return book
    }

    @Test func readsTheTouch() {
        var book = makeBook([(.bid, 40, 10), (.bid, 39, 30), (.ask, 44, 30), (.ask, 50, 5)])
        withUnsafePointer(to: &book) { pointer in
            let view = BookView(pointer)
            #expect(view.mid == Price(cents: 42))
            #expect(view.spread == Price(cents: 4))
            #expect(view.microprice == Price(cents: 41))
            #expect(view.imbalance() == -0.5)
            #expect(view.imbalance(depth: 2) == 5.0 / 75)
            #expect(view.priceForSize(.ask, 32)?.worst == Price(cents: 50))
            #expect(view.priceForSize(.ask, 32)?.total == Money(cents: 44 * 30 + 50 * 2))
            #expect(view.priceForSize(.ask, 36) == nil)
            #expect(view.cumulativeSize(.bid, through: Price(cents: 39)) == 40)
        }
    }

    @Test func emptySidesHaveNoPrice() {
        var book = makeBook([(.bid, 40, 10)])
        withUnsafePointer(to: &book) { pointer in
            let view = BookView(pointer)
            #expect(view.mid == nil && view.microprice == nil && view.spread == nil && !view.isTwoSided)
            #expect(view.imbalance() == 1)
        }
        book.clear()
        #expect(book.bestBid == nil && book.total(.bid) == .zero)
    }

    @Test func faultsChangeNothing() {
        var book = makeBook([(.bid, 40, 10)])
        #expect(
            book.add(-11, side: .bid, price: Price(cents: 40))
                == .negativeSize(side: .bid, price: Price(cents: 40), size: -1))
        #expect(book.add(-1, side: .ask, price: Price(cents: 60)) != nil)
        for micros in [0, 1_000_000, -10_000, 1_010_000, 405_050] {
            let price = Price(micros: micros)
            #expect(book.add(1, side: .bid, price: price) == .invalidPrice(side: .bid, price: price))
            #expect(book.add(1, side: .ask, price: price) == .invalidPrice(side: .ask, price: price))
        }
        #expect(book.size(.bid, at: Price(cents: 40)) == 10)
        #expect(book.levelCount(.bid) == 1 && book.levelCount(.ask) == 0)
    }

    @Test func aFinerPriceRefinesTheBookAndIsCounted() {
        var book = makeBook([(.bid, 40, 10), (.ask, 60, 7)])
        #expect(book.add(3, side: .bid, price: Price(micros: 405_100)) == nil)
        #expect(book.offGridCount == 1)
        #expect(book.bestBid == Price(micros: 405_100))
        #expect(book.size(.bid, at: Price(cents: 40)) == 10)
        #expect(book.bestAsk == Price(cents: 60))
        book.checkInvariants()
    }

    @Test func crossingIsSeen() {
        var book = makeBook([(.bid, 40, 10), (.ask, 41, 7)])
        let before = book.isCrossed
        _ = book.add(1, side: .bid, price: Price(cents: 41))
        let after = book.isCrossed
        #expect(!before && after)
    }
}
