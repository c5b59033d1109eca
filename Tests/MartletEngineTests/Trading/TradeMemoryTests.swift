import Martlet
import Testing

@testable import MartletEngine

/// Money depends on it: a fill told twice is booked once, as long as it is remembered.
@Suite struct TradeMemoryTests {
    /// The same with a list that is searched from end to end.
    private struct Model {
        var known: [String] = []
        let limit: Int
        mutating func insert(_ trade: String, _ order: OrderID) -> Bool {
            let key = "\(trade) of \(order)"
            if known.contains(key) { return false }
            known.append(key)
            if known.count > limit { known.removeFirst() }
            return true
        }
    }

    @Test(arguments: [1, 2, 3, 64, 100]) func anyHistoryIsAsTheModelHasIt(limit: Int) {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var memory = TradeMemory(limit: limit)
        var model = Model(limit: limit)
        for step in 0..<20_000 {
            let number = generator.next() % UInt64(3 * limit + 2)
            let trade = number % 2 == 0 ? "T\(number)" : "0190c2a4-7e1b-7c3a-9d55-0000000\(number)"
            let order = OrderID(1 + generator.next() % 3)
            let (isNew, expected) = (memory.insert(trade, of: order), model.insert(trade, order))
            #expect(isNew == expected, "step \(step), \(trade) of \(order), seed \(seed)")
            if isNew != expected { return }
        }
    }

    @Test func aTradeOfAnotherOrderIsAnother() {
        var memory = TradeMemory(limit: 10)
        let answers = [1, 2, 1, 2].map { memory.insert("T1", of: OrderID($0)) }
        #expect(answers == [true, true, false, false])
    }
}
