import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletKalshi

/// Random faults between a model exchange and the session, then quiet: the books must be the exchange's, and each
/// event must have come once, in order, while its book was usable.
@Suite("Feed under random faults")
struct FeedPropertyTests {
    /// What can happen to messages on their way.
    enum Fault: CaseIterable {
        case none, drop, twice, swap, garbage, unknown, cut, overflow, reconnect, silence
    }

    struct Storm {
        let bench: FeedBench
        var generator: SeededGenerator
        /// Trades that may never come: lost on the way, or made while nobody was subscribed.
        var lostTrades: Set<String> = []
        var repeatedTrades = 0

        init(seed: UInt64, markets: Int) {
            generator = SeededGenerator(seed: seed)
            var settings = FeedSettings()
            settings.batchSize = 2
            settings.repeatsMax = 40
            bench = FeedBench(
                (0..<markets).map { "M\($0)" }, settings: settings, channels: [.book, .trades])
        }

        mutating func roll(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

        /// One thing that happens at the exchange.
        mutating func happening() -> [String] {
            let ticker = bench.exchange.tickers[roll(bench.exchange.tickers.count)]
            if roll(5) == 0 { return bench.exchange.trade(ticker) }
            // Bids below, asks above, now and then crossed.
            let isBid = roll(2) == 0
            let cents = isBid ? 1 + roll(52) : 48 + roll(52)
            return bench.exchange.change(
                ticker, isBid: isBid, cents: cents, by: (1 + roll(50)) * 100 * (roll(2) == 0 ? 1 : -1))
        }

        mutating func step(_ fault: Fault) {
            bench.now = bench.now + .milliseconds(Int64(1 + roll(400)))
            var frames: [String] = []
            for _ in 0..<1 + roll(4) { frames += happening() }
            let own = bench.session.takeCommands(at: bench.now).flatMap { bench.exchange.take($0) }
            frames += own
            switch fault {
            case .none, .reconnect: break
            case .drop: if !frames.isEmpty { frames.remove(at: roll(frames.count)) }
            case .twice:
                if let one = frames.randomElement(using: &generator) { frames.append(one) }
            case .swap:
                if frames.count > 1 {
                    let at = roll(frames.count - 1)
                    frames.swapAt(at, at + 1)
                }
            case .garbage:
                frames.insert("{\"type\":\"orderbook_delta\",\"sid\":1,\"se", at: roll(frames.count + 1))
            case .unknown:
                frames.insert(
                    #"{"type":"news","sid":9,"seq":1,"msg":{"x":[1,{}]}}"#, at: roll(frames.count + 1))
            case .cut: if !frames.isEmpty { frames.removeLast(roll(frames.count)) }
            case .overflow: frames += bench.exchange.overflow(roll(2) == 0 ? "orderbook_delta" : "trade")
            case .silence: frames = []
            }
            bench.receive(frames)
            bench.session.advance(to: bench.now)
            bench.deliver()
            if fault == .reconnect {
                bench.close()
                bench.now = bench.now + .seconds(1)
                _ = happening()
                bench.exchange.reset()
                bench.session.opened(at: bench.now)
            }
        }
    }

    @Test("books are the exchange's at every quiet point", arguments: 0..<30)
    func randomFaults(round: Int) {
        let seed = UInt64(round) &* 7919 &+ 17
        var storm = Storm(seed: seed, markets: 5)
        storm.bench.open()
        for _ in 0..<6 {
            for _ in 0..<40 {
                let fault = storm.roll(3) > 0 ? Fault.none : Fault.allCases[storm.roll(Fault.allCases.count)]
                storm.step(fault)
            }
            // Quiet: nothing is lost any more, and time passes. One more message, for a lost last one shows only by
            // the next (TCP loses none; a broken connection shows otherwise).
            storm.bench.change("M0")
            storm.bench.pass(.seconds(180), steps: 120)
            #expect(storm.bench.keeper.isLevel, "seed \(seed)")
            #expect(storm.bench.session.liveBooks == 5, "seed \(seed)")
        }
        #expect(storm.bench.keeper.faults.isEmpty, "seed \(seed): \(storm.bench.keeper.faults.prefix(3))")
        let trades = storm.bench.keeper.trades
        #expect(Set(trades).count == trades.count, "seed \(seed): a trade came twice")
        #expect(storm.bench.keeper.deltas > 0)
    }

    @Test("without faults nothing is lost, asked for twice or counted as one", arguments: 0..<5)
    func calm(round: Int) {
        let seed = UInt64(round) &+ 1000
        var storm = Storm(seed: seed, markets: 7)
        storm.bench.open()
        for _ in 0..<300 { storm.step(.none) }
        let statistics = storm.bench.session.statistics
        #expect(statistics.gaps == 0 && statistics.duplicates == 0 && statistics.snapshotRequests == 0)
        #expect(
            statistics.droppedDeltas == 0 && storm.bench.keeper.trades.count == storm.bench.exchange.trades)
        #expect(storm.bench.keeper.isLevel && storm.bench.keeper.faults.isEmpty, "seed \(seed)")
    }

    @Test("a lost trade is reported for reconciliation, a late one is delivered")
    func tradesLostAndLate() {
        let bench = FeedBench(["M0"], channels: [.book, .trades])
        bench.open()
        bench.receive(bench.exchange.trade("M0"))
        let second = bench.exchange.trade("M0")
        let third = bench.exchange.trade("M0")
        bench.keeper.forgetOutputs()
        bench.receive(third)
        #expect(bench.keeper.reconciled == [.trades])
        bench.receive(second)
        bench.receive(second)
        #expect(bench.keeper.trades == ["t1", "t3", "t2"])
        #expect(bench.session.statistics.late == 1 && bench.session.statistics.duplicates == 1)
        #expect(bench.keeper.isUsable == [true])
    }
}

/// Mutated messages by the seed: no crash, no hang, no growth, and the session goes on.
@Suite("Feed fuzz")
struct FeedFuzzTests {
    static let corpus = [
        #"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#,
        #"{"type":"ok","id":2,"sid":1,"seq":4,"msg":{"market_tickers":["M0","M1"]}}"#,
        #"{"type":"ok","id":3,"msg":[{"channel":"orderbook_delta","sid":1},{"channel":"trade","sid":2}]}"#,
        #"{"type":"unsubscribed","id":4,"sid":1,"seq":7}"#,
        #"{"type":"error","id":5,"msg":{"code":8,"msg":"Unknown channel name"}}"#,
        #"{"type":"error","sid":1,"seq":8,"msg":{"code":25,"msg":"Subscription buffer overflow"}}"#,
        #"{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"M0","market_id":"x","yes_dollars_fp":[["0.4500","300.00"]],"no_dollars_fp":[["0.5000","80.00"],["0.5200","150.00"]]}}"#,
        #"{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"M1","market_id":"x","price_dollars":"0.4700","delta_fp":"-4.00","side":"yes","ts":"2026-11-23T14:00:00.700Z","ts_ms":1795442400700}}"#,
        #"{"type":"trade","sid":2,"seq":1,"msg":{"trade_id":"7e0a2a36","market_ticker":"M0","yes_price_dollars":"0.4700","no_price_dollars":"0.5300","count_fp":"4.00","taker_side":"no","taker_outcome_side":"no","taker_book_side":"ask","is_block_trade":false,"ts":1795442400,"ts_ms":1795442400700}}"#,
        #"{"type":"ticker","sid":3,"msg":{"market_id":"x","market_ticker":"M0","price_dollars":"0.4700","yes_bid_dollars":"0.4700","yes_ask_dollars":"0.4800","volume_fp":"15404.00","open_interest_fp":"8120.00","ts":1795442400,"ts_ms":1795442400700}}"#,
        #"{"type":"fill","sid":4,"msg":{"trade_id":"t","order_id":"o","client_order_id":"c","market_ticker":"M0","exchange_index":0,"is_taker":false,"side":"yes","yes_price_dollars":"0.4700","count_fp":"4.00","fee_cost":"0.000000","action":"buy","ts":1795442400,"ts_ms":1795442400700,"post_position_fp":"4.00","outcome_side":"yes","book_side":"bid"}}"#,
        #"{"type":"market_lifecycle_v2","sid":7,"seq":7,"msg":{"market_ticker":"M0","event_type":"determined","determination_ts":1795550800,"result":"yes","settlement_value":"1.0000"}}"#,
        #"{"type":"order_group_updates","sid":8,"seq":1,"msg":{"event_type":"created","order_group_id":"og-6f0c","contracts_limit_fp":"150.00","ts_ms":1795442400100}}"#,
    ].map { Array($0.utf8) }

    static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus[Int(generator.next() % UInt64(corpus.count))]
        for _ in 0..<Int(generator.next() % 5) {
            guard !bytes.isEmpty else { break }
            let at = Int(generator.next() % UInt64(bytes.count))
            switch generator.next() % 6 {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: generator.next())
            case 1: bytes.remove(at: at)
            case 2: bytes.insert(UInt8(ascii: "0") + UInt8(generator.next() % 10), at: at)
            case 3: bytes[at] = UInt8(ascii: "0") + UInt8(generator.next() % 10)
            case 4: bytes.removeSubrange(at...)
            default:
                bytes.insert(contentsOf: Array("\",[]{}:null-9e".utf8).shuffled(using: &generator), at: at)
            }
        }
        return bytes
    }

    @Test("mutated messages", arguments: 0..<4)
    func mutations(round: Int) {
        var generator = SeededGenerator(seed: UInt64(round) &+ 99)
        var session = FeedSession()
        var batch = FeedBatch()
        var now = Timestamp(seconds: 1_795_442_400)
        for index in 0..<2 {
            session.register("M\(index)", as: Market.ID(index))
            for channel in [FeedChannel.book, .trades, .ticker] {
                session.subscribe(channel, Market.ID(index))
            }
        }
        for channel in [FeedChannel.fills, .userOrders, .lifecycle] { session.subscribe(channel) }
        session.opened(at: now)
        var commands = 0
        for turn in 0..<4_000 {
            now = now + .milliseconds(Int64(generator.next() % 200))
            let bytes = FeedFuzzTests.mutated(&generator)
            bytes.withUnsafeBufferPointer { session.receive($0, at: now) }
            if turn % 7 == 0 { session.drained(at: now) { _ in generator.next() % 2 == 0 } }
            if turn % 5 == 0 { session.advance(to: now) }
            commands += session.takeCommands(at: now).count
            session.exchange(&batch)
            if turn % 1_000 == 999 {
                session.closed(at: now)
                session.opened(at: now)
            }
        }
        // Bounded by back-off and batches, not by what came in.
        #expect(commands < 6_000)
        #expect(session.pending.count < 200 && session.snapshotQueue.count < 10)
        // It still works: a new connection brings the books.
        session.closed(at: now)
        let bench = FeedBench(["M0", "M1"])
        bench.session = session
        bench.now = now
        bench.open()
        bench.pass(.seconds(60))
        #expect(bench.session.isLive(Market.ID(0)) || session.wantedCount(.book) < 2)
    }
}
