import Foundation
import Martlet
import MartletEngine
import Testing

@Suite struct EngineTests {
    typealias Notes = RecordingStrategy.Notes
    static let market = Market.ID(0)

    /// An engine with one market, started, and what its strategy noted.
    private func makeEngine(_ notes: Notes, market: Market = Market(ticker: "M")) -> Engine {
        var engine = Engine(
            seats: [StrategySeat(RecordingStrategy(notes: notes))], settings: TradingSettings())
        engine.handle(.defined(market), at: Timestamp(seconds: 100))
        engine.handle(.started(nonce: 1), at: Timestamp(seconds: 100))
        _ = notes.take()
        return engine
    }
    private func event(
        _ kind: MarketEvent.Kind, _ side: Side = .bid, _ cents: Int = 0, _ contracts: Int = 0,
        _ flags: MarketEvent.Flags = [], at second: Int64 = 101
    ) -> MarketEvent {
        MarketEvent(
            kind, market: Self.market, side: side, price: Price(cents: cents), quantity: Quantity(contracts),
            flags: flags, exchangeTime: Timestamp(seconds: second), receiveTime: Timestamp(seconds: second))
    }
    private func open(_ engine: inout Engine) {
        engine.handle(event(.snapshotStart))
        engine.handle(event(.snapshotLevel, .bid, 40, 10))
        engine.handle(event(.snapshotLevel, .ask, 45, 10, [.snapshotEnd, .groupEnd]))
    }

    @Test func aSnapshotMakesTheBookUsableOnce() {
        let notes = Notes()
        var engine = makeEngine(notes)
        engine.handle(event(.delta, .bid, 39, 5, .groupEnd))
        #expect(notes.take().isEmpty, "nothing is believed before a snapshot")
        #expect(engine.statistics.droppedDeltas == 1)
        open(&engine)
        #expect(notes.take() == ["usable", "book 0.4000 0.4500"])
        engine.handle(event(.delta, .bid, 41, 5, .groupEnd))
        #expect(notes.take() == ["book 0.4100 0.4500"])
    }

    @Test func fieldNote04_anEmptySnapshotInMidStreamClearsTheBook() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        engine.handle(event(.snapshotStart, flags: [.snapshotEnd, .groupEnd]))
        #expect(notes.take() == ["book - -"])
        engine.handle(event(.delta, .bid, 30, 5, .groupEnd))
        #expect(notes.take() == ["book 0.3000 -"])
    }

    private func event(_ kind: MarketEvent.Kind, flags: MarketEvent.Flags) -> MarketEvent {
        event(kind, .bid, 0, 0, flags)
    }

    @Test func fieldNote10_noCallbackInsideAnExchangeTimestamp() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        // A taker's add through the other side, then the removal: crossed in between.
        engine.handle(event(.delta, .bid, 45, 10))
        engine.handle(event(.delta, .ask, 45, -10))
        #expect(notes.take().isEmpty)
        engine.handle(event(.delta, .ask, 46, 3, .groupEnd))
        #expect(notes.take() == ["book 0.4500 0.4600"])
        #expect(engine.statistics.bookFaults == 0)
    }

    /// An answer of the venue comes whenever it comes, inside a group too, where the book is crossed for moments.
    @Test func fieldNote10_aBookCrossedInsideItsGroupRefusesNothing() {
        let notes = Notes()
        var engine = makeEngine(notes)
        notes.onBook = { market, context in context.quote(market, bid: Quote(0.38, 1), ask: nil) }
        notes.onOrder = { order, context in
            if order.status == .resting {
                context.quote(order.market, bid: Quote(0.39, 1), ask: nil)
            }
        }
        open(&engine)
        notes.onBook = nil
        _ = engine.takeOutputs()
        engine.handle(event(.delta, .bid, 46, 10))
        let accepted = VenueReport(
            .accepted(filled: .zero, remaining: 1, end: nil), order: OrderID(1), market: Self.market,
            exchangeTime: Timestamp(seconds: 101))
        engine.handle(.report(accepted), at: Timestamp(seconds: 101))
        let outputs = engine.takeOutputs()
        #expect(outputs.contains { if case .command(.amend) = $0 { true } else { false } })
        #expect(!outputs.contains { if case .record(.refused) = $0 { true } else { false } })
    }

    @Test func everyChangeIsToldToWhoAsks() {
        let notes = Notes()
        notes.bookUpdates = .everyChange
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        engine.handle(event(.delta, .bid, 45, 10))
        engine.handle(event(.delta, .ask, 45, -10, .groupEnd))
        #expect(notes.take() == ["book 0.4500 0.4500", "book 0.4500 -"])
    }

    @Test func aBookCrossedAtTheEndOfItsGroupIsUnusableUntilItUncrosses() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        engine.handle(event(.delta, .bid, 46, 10, .groupEnd))
        #expect(notes.take() == ["unusable: crossed at the end of its group"])
        engine.handle(event(.delta, .bid, 46, -10, .groupEnd))
        #expect(notes.take() == ["usable", "book 0.4000 0.4500"])
    }

    @Test func faultsAndGapsLastUntilTheNextSnapshot() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        engine.handle(event(.delta, .bid, 40, -11, .groupEnd))
        #expect(notes.take() == ["unusable: bid level 0.4000 would hold -1.00"])
        engine.handle(event(.delta, .bid, 40, 1, .groupEnd))
        #expect(notes.take().isEmpty)
        open(&engine)
        #expect(notes.take() == ["usable", "book 0.4000 0.4500"])
        engine.handle(.unusable(Self.market, .gap), at: Timestamp(seconds: 102))
        #expect(notes.take() == ["unusable: messages are missing"])
        open(&engine)
        #expect(notes.take() == ["usable", "book 0.4000 0.4500"])
    }

    @Test func unknownMarketsAreCountedNeverFatal() {
        let notes = Notes()
        var engine = makeEngine(notes)
        var stray = event(.delta, .bid, 40, 1, .groupEnd)
        stray.market = Market.ID(7)
        engine.handle(stray)
        engine.handle(.status(Market.ID(9), .closed), at: Timestamp(seconds: 102))
        engine.handle(.ticker(Ticker(market: Market.ID(9))), at: Timestamp(seconds: 102))
        #expect(engine.statistics.unknownMarketEvents == 3)
    }

    @Test func marketsOpenAndCloseByTheClock() {
        let notes = Notes()
        var engine = makeEngine(
            notes,
            market: Market(ticker: "M", openTime: Timestamp(seconds: 200), closeTime: Timestamp(seconds: 300))
        )
        #expect(engine.nextWake == Timestamp(seconds: 200))
        engine.handle(.clock, at: Timestamp(seconds: 200))
        #expect(notes.take() == ["status active"])
        #expect(engine.nextWake == Timestamp(seconds: 300))
        engine.handle(.clock, at: Timestamp(seconds: 299))
        #expect(notes.take().isEmpty)
        engine.handle(.clock, at: Timestamp(seconds: 301))
        #expect(notes.take() == ["status closed"])
    }

    @Test func aMovedCloseIsTheOneThatCounts() {
        let notes = Notes()
        var engine = makeEngine(notes, market: Market(ticker: "M", closeTime: Timestamp(seconds: 300)))
        engine.handle(
            .defined(Market(ticker: "M", closeTime: Timestamp(seconds: 400))), at: Timestamp(seconds: 200))
        _ = notes.take()
        engine.handle(.clock, at: Timestamp(seconds: 350))
        #expect(notes.take().isEmpty)
        engine.handle(.clock, at: Timestamp(seconds: 400))
        #expect(notes.take() == ["status closed"])
    }

    @Test func resultsAndASecondSettlement() {
        let notes = Notes()
        var engine = makeEngine(notes)
        engine.handle(.result(Self.market, .yes), at: Timestamp(seconds: 400))
        engine.handle(.settled(Self.market, .yes), at: Timestamp(seconds: 500))
        let told = notes.take()
        #expect(told.contains("status determined") && told.contains("status finalized"))
        _ = engine.takeOutputs()
        engine.handle(.settled(Self.market, .no), at: Timestamp(seconds: 501))
        #expect(notes.take().isEmpty)
        let outputs = engine.takeOutputs()
        #expect(outputs.contains { if case .record(.log(.warning, _, _)) = $0 { true } else { false } })
    }

    @Test func timersFireInOrderAndOnce() {
        let notes = Notes()
        notes.onStart = { context in
            context.setTimer(at: Timestamp(seconds: 130))
            context.setTimer(at: Timestamp(seconds: 110))
            let dropped = context.setTimer(at: Timestamp(seconds: 120))
            context.cancelTimer(dropped)
        }
        var fired = 0
        notes.onTimer = { _, context in
            fired += 1
            if fired == 1 { context.setTimer(after: .seconds(5)) }
        }
        var engine = makeEngine(notes)
        #expect(engine.nextWake == Timestamp(seconds: 110))
        engine.handle(.clock, at: Timestamp(seconds: 110))
        engine.handle(.clock, at: Timestamp(seconds: 115))
        engine.handle(.clock, at: Timestamp(seconds: 129))
        engine.handle(.clock, at: Timestamp(seconds: 131))
        #expect(notes.take() == ["timer 110", "timer 115", "timer 131"])
        #expect(engine.nextWake == .distantFuture)
    }

    @Test func timeNeverRunsBackwards() {
        let notes = Notes()
        var times: [Timestamp] = []
        notes.onBook = { _, context in times.append(context.now) }
        var engine = makeEngine(notes)
        open(&engine)
        engine.handle(event(.delta, .bid, 41, 1, .groupEnd, at: 50))
        #expect(times == [Timestamp(seconds: 101), Timestamp(seconds: 101)])
    }

    @Test func fieldNote27_receiveTimeBeforeExchangeTimeBreaksNothing() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        var early = event(.delta, .bid, 41, 1, .groupEnd)
        early.exchangeTime = Timestamp(seconds: 500)
        engine.handle(early)
        #expect(notes.take().last == "book 0.4100 0.4500")
        #expect(engine.now == Timestamp(seconds: 101))
    }

    @Test func chanceComesFromTheNonceAlone() {
        func draw(_ nonce: UInt64) -> [UInt64] {
            var numbers: [UInt64] = []
            let notes = Notes()
            notes.onStart = { context in numbers = (0..<4).map { _ in context.random() } }
            var engine = Engine(
                seats: [StrategySeat(RecordingStrategy(notes: notes))], settings: TradingSettings())
            engine.handle(.started(nonce: nonce), at: Timestamp(seconds: 1))
            return numbers
        }
        #expect(draw(7) == draw(7))
        #expect(draw(7) != draw(8))
    }

    @Test func aStrategyThatAnswersItselfForeverIsCutOff() {
        let notes = Notes()
        // Each refusal is answered with another order that will be refused.
        notes.onOrder = { order, context in context.place(order.request) }
        notes.onStart = { context in
            context.place(OrderRequest(.bid, 1, at: Price(micros: 123), in: EngineTests.market))
        }
        let engine = makeEngine(notes)
        #expect(engine.statistics.runawayCallbacks == 1)
    }

    @Test func aTimerThatSetsItselfForAtOnceDoesNotHoldTheClock() {
        let notes = Notes()
        var fired = 0
        notes.onStart = { context in context.setTimer(after: .zero) }
        notes.onTimer = { _, context in
            fired += 1
            context.setTimer(after: .zero)
        }
        var engine = makeEngine(notes)
        engine.handle(.clock, at: engine.now)
        #expect(fired > 1)
        #expect(engine.statistics.runawayCallbacks >= 1)
        #expect(engine.nextWake > engine.now)
        let before = fired
        engine.handle(.clock, at: engine.nextWake)
        #expect(fired > before)
    }

    @Test func statesAreSavedAndRestoredByName() throws {
        let notes = Notes()
        let engine = Engine(
            seats: [StrategySeat(RecordingStrategy(notes: notes), name: "first")], settings: TradingSettings()
        )
        #expect(engine.savedStates().map(\.strategy) == ["first"])
        try engine.restore(Data("kept".utf8), strategy: "first")
        try engine.restore(Data("other".utf8), strategy: "second")
        #expect(notes.take() == ["kept"])
    }

    @Test func aSeatsFilterKeepsOtherMarketsFromItsStrategy() {
        let notes = Notes()
        var engine = Engine(
            seats: [StrategySeat(RecordingStrategy(notes: notes), accepts: { $0 != "M" })],
            settings: TradingSettings())
        engine.handle(.defined(Market(ticker: "M")), at: Timestamp(seconds: 100))
        var seen: [MarketStatus] = []
        notes.onStart = { context in seen = context.markets.map { context.status($0) } }
        engine.handle(.started(nonce: 1), at: Timestamp(seconds: 100))
        _ = notes.take()
        open(&engine)
        engine.handle(event(.trade, .ask, 40, 3))
        #expect(notes.take().filter { !$0.hasPrefix("defined") } == [])
        #expect(seen == [.inactive])
    }

    @Test func referencesAndTradesReachTheirSubscribers() {
        let notes = Notes()
        var engine = makeEngine(notes)
        open(&engine)
        _ = notes.take()
        engine.handle(
            .reference(ReferenceValue(index: "cfbenchmarks:BRTI", value: 8_093_841_000_000)),
            at: Timestamp(seconds: 102))
        engine.handle(event(.trade, .ask, 40, 3))
        #expect(notes.take() == ["reference cfbenchmarks:BRTI 80938.41", "trade ask 3.00 @ 0.4000"])
    }
}
