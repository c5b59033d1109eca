import Martlet
import MartletEngine
import MartletSimulation
import MartletTape
import Testing

@testable import MartletMain

@Suite struct SelectedSourceTests {
    private let folder: ScratchFolder
    init() throws { folder = try ScratchFolder() }

    private func tape(_ name: String, _ tickers: [String], offset: Int64 = 0, seed: UInt64 = 1) throws
        -> TapeReader
    {
        try TestTape.write(
            to: folder.path(name), tickers: tickers, records: 200, offset: offset, seed: seed)
        return try TapeReader(path: folder.path(name))
    }

    /// Every input as text with tickers in the place of numbers, and every time.
    private func drain(_ source: consuming SelectedSource) throws -> (lines: [String], times: [Timestamp]) {
        var tickers: [String] = []
        var lines: [String] = []
        var times: [Timestamp] = []
        reading: while true {
            switch try source.next() {
            case .market:
                let event = source.event
                lines.append("\(tickers[Int(event.market.index)]) \(event.kind) \(event.side) \(event.price)")
            case .input:
                switch source.input {
                case .defined(let market):
                    if !tickers.contains(market.ticker) { tickers.append(market.ticker) }
                    lines.append("defined \(market.ticker) \(market.fees.type.wire)")
                case .result(let market, let result): lines.append("\(tickers[Int(market.index)]) \(result)")
                case .settled(let market, _): lines.append("\(tickers[Int(market.index)]) settled")
                default: lines.append("other")
                }
            case .end: break reading
            }
            times.append(source.time)
        }
        return (lines, times)
    }

    @Test func timesNeverRunBackwardsAndNothingIsLost() throws {
        let first = try tape("a.tape", ["T-A", "T-B"])
        let second = try tape("b.tape", ["T-C", "T-A"], offset: 7, seed: 2)
        let none = TickerFilter([])
        let merged = try drain(SelectedSource([first, second], filter: none, fees: nil))
        #expect(merged.times == merged.times.sorted())
        let alone =
            try drain(SelectedSource([first], filter: none, fees: nil)).lines
            + drain(SelectedSource([second], filter: none, fees: nil)).lines
        #expect(merged.lines.sorted() == alone.sorted())
    }

    @Test func onlyTheMarketsThatAreWanted() throws {
        let reader = try tape("a.tape", ["T-A", "T-B", "X-C"])
        let all = try drain(SelectedSource([reader], filter: TickerFilter([]), fees: nil)).lines
        let some = try drain(SelectedSource([reader], filter: TickerFilter(["T-B", "X-*"]), fees: nil)).lines
        #expect(some == all.filter { !$0.contains("T-A") })
        #expect(some.contains { $0.hasPrefix("T-B") } && some.contains { $0.hasPrefix("X-C") })
    }

    @Test func feesCanBeReplaced() throws {
        let reader = try tape("a.tape", ["T-A"])
        let lines = try drain(
            SelectedSource([reader], filter: TickerFilter([]), fees: FeeTerms(type: .none))
        ).lines
        #expect(lines.first == "defined T-A none")
    }
}
