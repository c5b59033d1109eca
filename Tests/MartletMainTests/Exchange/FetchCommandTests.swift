import Foundation
import Martlet
import MartletEngine
import MartletTape
import Testing

@Suite struct FetchCommandTests {
    private func fetch(
        _ exchange: LoopbackExchange, _ arguments: String...
    ) throws -> MartletProcess.Result {
        try MartletProcess.run(["fetch", "--environment", exchange.address] + arguments)
    }

    /// What a tape holds, a line each.
    private func contents(_ path: String) throws -> (lines: [String], markets: [Market]) {
        var cursor = try TapeReader(path: path).cursor()
        var lines: [String] = []
        var markets: [Market] = []
        while true {
            switch try cursor.next() {
            case .market:
                let event = cursor.event
                lines.append(
                    "trade \(event.side) \(event.quantity) @ \(event.price) \(cursor.tradeID ?? "-")")
            case .input:
                switch cursor.input {
                case .defined(let market): markets.append(market)
                case .status(_, let status): lines.append("status \(status.wire)")
                case .result(_, let result): lines.append("result \(result)")
                case .settled: lines.append("settled")
                case .ticker(let ticker): lines.append("ticker \(ticker.bestBid.map { "\($0)" } ?? "-")")
                default: lines.append("other")
                }
            case .note: continue
            case .end: return (lines, markets)
            }
        }
    }

    @Test func bringsTradesOfBothTiersInOrderWithResultAndDefinition() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let tape = folder.path("x.tape")
        let result = try fetch(exchange, LoopbackExchange.settled, "-o", tape)
        #expect(result.code == 0, "\(result.error)")
        let (lines, markets) = try contents(tape)
        let trades = lines.filter { $0.hasPrefix("trade") }
        #expect(trades.count == 25, "the one that both tiers have counts once")
        #expect(trades.first == "trade ask 1.00 @ 0.4100 t1" && trades.last == "trade ask 25.00 @ 0.6500 t25")
        #expect(lines.first == "status active")
        #expect(lines.suffix(3) == ["status closed", "result yes", "settled"])
        let market = try #require(markets.first)
        #expect(market.fees.type == .quadraticWithMakerFees && market.isMutuallyExclusive)
        #expect(market.shard == 2 && market.assumptions.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: tape + ".parts"))
        let again = try fetch(exchange, LoopbackExchange.settled, "-o", tape)
        #expect(again.code == 2 && again.error.contains("exists"))
    }

    @Test func goesOnWhereItWasInterrupted() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let whole = folder.path("whole.tape")
        #expect(try fetch(exchange, "--series", "KXTEST", "--candles", "hour", "-o", whole).code == 0)
        let requests = exchange.requests.count
        let expected = try TapeReader(path: whole).totals?.digest
        // Fails at each of its requests in turn; what was brought before is not asked for again.
        let tape = folder.path("resumed.tape")
        var pagesBefore = 0
        for attempt in 1... {
            exchange.failsFrom = exchange.requests.count + 5 + attempt
            let result = try fetch(exchange, "--series", "KXTEST", "--candles", "hour", "-o", tape)
            if result.code == 0 { break }
            #expect(result.code == 1 && result.error.contains("goes on from here"))
            let pages = exchange.requests.filter { $0.contains("trades?") }.count
            pagesBefore = max(pagesBefore, pages)
            try #require(attempt < requests)
        }
        #expect(try TapeReader(path: tape).totals?.digest == expected)
        #expect(pagesBefore > 0)
        let lines = try contents(tape).lines
        #expect(
            lines.filter { $0.hasPrefix("ticker") }.count == 32,
            "two markets, each hour from 06:00 to 21:00, once")
        #expect(lines.contains("ticker 0.4600"))
    }

    @Test func leftoversOfAnotherFetchAreNotMixedIn() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let tape = folder.path("x.tape")
        exchange.failsFrom = 4
        #expect(try fetch(exchange, LoopbackExchange.settled, "-o", tape).code == 1)
        exchange.failsFrom = nil
        let other = try fetch(exchange, LoopbackExchange.open, "-o", tape)
        #expect(other.code == 2 && other.error.contains("another fetch"))
        #expect(try fetch(exchange, LoopbackExchange.settled, "-o", tape).code == 0)
    }

    @Test func aTornLastPageIsFetchedAgain() async throws {
        let exchange = try await LoopbackExchange()
        let folder = try ScratchFolder()
        let tape = folder.path("x.tape")
        // cutoff, market, event, series, two pages of trades, then the end.
        exchange.failsFrom = 7
        #expect(try fetch(exchange, LoopbackExchange.settled, "-o", tape).code == 1)
        let spool = URL(fileURLWithPath: tape + ".parts/\(LoopbackExchange.settled).trades")
        let bytes = try Data(contentsOf: spool)
        #expect(bytes.count(where: { $0 == 10 }) == 2)
        try bytes.dropLast(20).write(to: spool)
        exchange.failsFrom = nil
        #expect(try fetch(exchange, LoopbackExchange.settled, "-o", tape).code == 0)
        #expect(try contents(tape).lines.filter { $0.hasPrefix("trade") }.count == 25)
    }

    @Test func asksForWhatItNeeds() async throws {
        let exchange = try await LoopbackExchange()
        #expect(try fetch(exchange, "-o", "x.tape").error.contains("which markets?"))
        #expect(try fetch(exchange, "A").error.contains("which tape?"))
        #expect(
            try fetch(
                exchange, "A", "-o", "x", "--from", "2024-11-02T00:00:00Z", "--to", "2024-11-01T00:00:00Z"
            ).error.contains("is not before"))
        #expect(exchange.requests.isEmpty)
    }
}
