import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

@testable import MartletSimulation

@Suite struct DemoWorldTests {
    static func inputs(_ seed: UInt64) throws -> [(EngineInput, Timestamp)] {
        var inputs: [(EngineInput, Timestamp)] = []
        try DemoWorld.generate(seed: seed) { inputs.append(($0, $1)) }
        return inputs
    }

    /// What a follower of the feed learns.
    struct Digest {
        var records = 0
        var trades = 0
        var crossed = 0
        var faults = 0
        var markets: [Market] = []
        var results: [Market.ID: MarketResult] = [:]
        var settled = 0
        var statuses: [MarketStatus] = []
        var tickers = 0
        var references = 0
        /// Bids of the brackets adding up to more than a dollar, in moments and in dollars at the best of them.
        var baskets = 0
        var bestBasket = 0.0
        var lastMids: [Market.ID: Double] = [:]
    }

    static func digest(_ inputs: [(EngineInput, Timestamp)]) -> Digest {
        var digest = Digest()
        let table = MarketTable()
        var last = Timestamp.distantPast
        for (input, time) in inputs {
            digest.records += 1
            #expect(time >= last)
            last = time
            switch input {
            case .defined(let market):
                table.define(market)
                digest.markets.append(market)
            case .market(let event):
                #expect(event.receiveTime == time && event.exchangeTime < time)
                follow(event, table, &digest)
            case .result(let market, let result): digest.results[market] = result
            case .settled: digest.settled += 1
            case .status(_, let status): digest.statuses.append(status)
            case .ticker: digest.tickers += 1
            case .reference: digest.references += 1
            default: Issue.record("unexpected input")
            }
        }
        return digest
    }

    private static func follow(_ event: MarketEvent, _ table: MarketTable, _ digest: inout Digest) {
        let book = table.books + Int(event.market.index)
        switch event.kind {
        case .snapshotStart: book.pointee.clear()
        case .snapshotLevel:
            if book.pointee.set(event.quantity, side: event.side, price: event.price) != nil {
                digest.faults += 1
            }
        case .delta:
            let grid = table.definition(event.market).grid
            if !grid.contains(event.price) { digest.faults += 1 }
            if book.pointee.add(event.quantity, side: event.side, price: event.price) != nil {
                digest.faults += 1
            }
        case .trade: digest.trades += 1
        case .groupEnd: break
        }
        guard event.flags.contains(.groupEnd) else { return }
        if book.pointee.isCrossed { digest.crossed += 1 }
        if let mid = table.book(event.market).mid { digest.lastMids[event.market] = mid.dollars }
        if event.market.index < 6 {
            let bids = (0..<6).map { table.book(Market.ID($0)).bestBid?.dollars ?? 0 }
            let sum = bids.reduce(0, +)
            if sum > 1.01 { digest.baskets += 1 }
            digest.bestBasket = max(digest.bestBasket, sum - 1)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aDayIsSoundAndFull(seed: UInt64) throws {
        let digest = Self.digest(try Self.inputs(seed))
        print(
            "demo seed \(seed):", digest.records, "records", digest.trades, "trades", digest.tickers,
            "tickers", digest.references, "references", digest.baskets, "basket moments, best",
            digest.bestBasket)
        #expect(digest.faults == 0)
        #expect(digest.crossed == 0)
        #expect(digest.markets.count == 30)
        #expect(digest.results.count == 28 && digest.settled == 28)
        #expect(digest.statuses == [.inactive, .inactive, .active, .active])
        #expect((30_000...90_000).contains(digest.records))
        #expect(digest.baskets > 20 && digest.bestBasket > 0.03)
        // Exactly one bracket and one team win.
        let brackets = (0..<6).filter { digest.results[Market.ID($0)] == .yes }
        #expect(brackets.count == 1)
        #expect(
            digest.markets.contains { $0.grid.bands.count == 3 } && digest.markets.contains { $0.shard == 2 })
    }

    @Test func theSameSeedGivesTheSameDay() throws {
        let first = try Self.inputs(7)
        let second = try Self.inputs(7)
        let other = try Self.inputs(8)
        #expect(first.count == second.count)
        #expect(zip(first, second).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 })
        #expect(first.count != other.count || !zip(first, other).allSatisfy { $0.0 == $1.0 })
    }

    @Test func theTapeOfADayIsSmallAndTheSameTwice() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "martlet-demo-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var digests: [UInt64] = []
        for name in ["a.tape", "b.tape"] {
            let path = folder.appendingPathComponent(name).path
            let writer = try TapeWriter(path: path)
            try DemoWorld.generate(seed: 1) { try writer.append($0, at: $1) }
            try writer.finish()
            digests.append(writer.totals.digest)
            let size = try #require(
                try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            print("demo tape: \(size) bytes, \(writer.totals.records) records")
            #expect(size < 2_000_000)
        }
        #expect(digests[0] == digests[1])
    }

    @Test func aStressTapeIsSoundHoweverLong() throws {
        var generator = TapeStressGenerator(seed: 5, markets: 20)
        let table = MarketTable()
        var digest = Digest()
        var records = 0
        generator.generate(records: 100_000) { input, _ in
            switch input {
            case .defined(let market): table.define(market)
            case .market(let event):
                records += 1
                Self.follow(event, table, &digest)
            default: Issue.record("unexpected input")
            }
        }
        #expect(records == 100_000)
        #expect(digest.faults == 0 && digest.crossed == 0 && digest.trades > 1000)
    }
}
