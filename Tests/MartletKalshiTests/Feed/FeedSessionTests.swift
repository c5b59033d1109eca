import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletKalshi

@Suite("Feed session")
struct FeedSessionTests {
    static let a = "KXHIGHNY-26NOV23-B54.5"
    static let b = "KXHIGHNY-26NOV23-B56.5"
    let a = FeedSessionTests.a
    let b = FeedSessionTests.b

    func bench(_ channels: [FeedChannel] = [.book], _ settings: FeedSettings = FeedSettings()) -> FeedBench {
        let bench = FeedBench([a, b], settings: settings, channels: channels)
        bench.open()
        return bench
    }

    @Test("subscribes, takes snapshots and deltas, and says use_yes_price")
    func subscribes() {
        let bench = bench()
        #expect(
            bench.exchange.commands == [
                #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["KXHIGHNY-26NOV23-B54.5","KXHIGHNY-26NOV23-B56.5"],"use_yes_price":true}}"#
            ])
        bench.change(a, isBid: true, cents: 45, by: 300)
        bench.change(a, isBid: false, cents: 48, by: 150)
        #expect(bench.keeper.isLevel)
        #expect(bench.keeper.faults.isEmpty)
        #expect(bench.keeper.best(0, .ask) == Price(cents: 48))
        #expect(bench.keeper.contains(.subscribed(.book)))
    }

    @Test("field note 9: NO prices in either convention come to the same book", arguments: [true, false])
    func fieldNote09useYesPrice(usesYesPrice: Bool) {
        var settings = FeedSettings()
        settings.usesYesPrice = usesYesPrice
        let bench = FeedBench([a, b], settings: settings)
        _ = bench.exchange.change(a, isBid: false, cents: 52, by: 8000)
        bench.open()
        bench.change(a, isBid: false, cents: 53, by: 100)
        #expect(bench.exchange.commands[0].contains("\"use_yes_price\":\(usesYesPrice)"))
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("field note 8: a second subscribe merges into the old sid and is answered ok")
    func fieldNote08mergedSubscribe() {
        let bench = FeedBench([a, b])
        bench.exchange.ignoresCommands = 0
        bench.session.opened(at: bench.now)
        // The first subscribe's answers are lost, but not its effect: the second is answered with `ok`.
        for command in bench.session.takeCommands(at: bench.now) { _ = bench.exchange.take(command) }
        bench.pass(.seconds(30))
        #expect(bench.exchange.commands.count >= 2)
        #expect(bench.exchange.subscriptions.count == 1)
        bench.change(b)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("field note 5: control answers use up numbers of the book's count")
    func fieldNote05controlAnswersCounted() {
        let bench = FeedBench(["M1", "M2", "M3"])
        for index in 1...2 { bench.session.unsubscribe(.book, Market.ID(index)) }
        bench.open()
        bench.change("M1")
        for index in 1...2 {
            bench.session.subscribe(.book, Market.ID(index))
            bench.turn()
            bench.change("M1", by: 200)
        }
        #expect(bench.session.statistics.gaps == 0)
        #expect(bench.session.statistics.resubscriptions == 0)
        #expect(bench.exchange.commands.last?.contains("add_markets") == true)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("a gap makes every book of the subscription unusable until a snapshot")
    func gap() {
        let bench = bench()
        bench.change(a)
        _ = bench.exchange.change(b, isBid: true, cents: 30, by: 500)  // lost
        let after = bench.exchange.change(a, isBid: true, cents: 41, by: 100)
        let seen = bench.keeper.deltas
        bench.receive(after)
        #expect(bench.keeper.isUsable == [false, false])
        #expect(bench.keeper.deltas == seen)
        #expect(bench.session.statistics.missing == 1)
        bench.turn()
        #expect(bench.exchange.commands.last?.contains("get_snapshot") == true)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
        bench.change(b, cents: 31)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
        #expect(bench.session.statistics.snapshotRequests == 1)
    }

    @Test("a hole before a snapshot spares that snapshot's book")
    func gapAtSnapshot() {
        let bench = bench()
        _ = bench.exchange.change(b, isBid: true, cents: 30, by: 500)
        let reply = bench.exchange.take(
            #"{"id":900,"cmd":"update_subscription","params":{"sids":[1],"market_tickers":["\#(a)"],"action":"get_snapshot"}}"#
        )
        bench.receive(reply)
        #expect(bench.keeper.isUsable == [true, false])
        bench.turn()
        #expect(bench.keeper.isLevel)
    }

    @Test("duplicates are dropped, a reordering costs a snapshot and nothing else")
    func duplicateAndReordering() {
        let bench = bench()
        let first = bench.exchange.change(a, isBid: true, cents: 40, by: 100)
        bench.receive(first + first)
        #expect(bench.session.statistics.duplicates == 1)
        #expect(bench.keeper.isLevel)
        let second = bench.exchange.change(a, isBid: true, cents: 40, by: 100)
        let third = bench.exchange.change(a, isBid: true, cents: 41, by: 100)
        bench.receive(third + second)
        bench.turn()
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("field note 4: the empty snapshot clears the book; one-sided ones are whole")
    func fieldNote04emptySnapshot() {
        let bench = bench()
        bench.change(a)
        let sid = bench.exchange.sid("orderbook_delta")
        bench.receive(
            #"{"type":"orderbook_snapshot","sid":\#(sid),"seq":4,"msg":{"market_ticker":"\#(a)","market_id":"x"}}"#
        )
        #expect(bench.keeper.best(0, .bid) == nil)
        bench.receive(
            #"{"type":"orderbook_snapshot","sid":\#(sid),"seq":5,"msg":{"market_ticker":"\#(a)","yes_dollars_fp":null,"no_dollars_fp":[["0.5000","80.00"]]}}"#
        )
        #expect(bench.keeper.best(0, .ask) == Price(cents: 50))
        #expect(bench.keeper.isUsable[0] && bench.session.statistics.gaps == 0)
    }

    @Test(
        "field note 10: groups end at another exchange time, or when drained and not crossed, or by time-out")
    func fieldNote10groups() {
        let bench = bench()
        bench.change(a, isBid: true, cents: 45, by: 300)
        #expect(bench.keeper.groupEnds.count == 1)
        // Crossed: the group stays open until its time-out.
        bench.change(a, isBid: false, cents: 44, by: 100)
        #expect(bench.keeper.groupEnds.count == 1)
        bench.pass(.milliseconds(19), steps: 1)
        #expect(bench.keeper.groupEnds.count == 1)
        bench.pass(.milliseconds(2), steps: 1)
        #expect(bench.keeper.groupEnds.last?.flags == [.groupEnd, .timedOut])
        // Crossed, then another exchange time.
        bench.change(a, isBid: false, cents: 43, by: 100)
        bench.change(a, isBid: true, cents: 20, by: 100)
        #expect(bench.keeper.groupEnds.count == 3)
        #expect(bench.keeper.groupEnds.last?.flags == .groupEnd)
    }

    @Test("field note 11: an idle hour with answered probes is no fault; unanswered ones are")
    func fieldNote11liveness() {
        let bench = bench()
        bench.pass(.hours(1), steps: 720)
        #expect(bench.keeper.isUsable == [true, true])
        #expect(!bench.keeper.contains(.stalled))
        #expect(bench.exchange.commands.count { $0.contains("list_subscriptions") } > 100)
        bench.exchange.answersProbes = false
        bench.pass(.seconds(30))
        #expect(bench.keeper.contains(.stalled))
    }

    @Test("a subscription that the exchange lost without a word is made anew")
    func lostSubscription() {
        let bench = bench()
        bench.exchange.reset()
        bench.pass(.seconds(60))
        bench.change(a)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("buffer overflow ends the subscription; it is made anew after a pause")
    func overflow() {
        let bench = bench()
        bench.receive(bench.exchange.overflow("orderbook_delta"))
        #expect(bench.keeper.isUsable == [false, false])
        bench.turn()
        #expect(bench.exchange.subscriptions.isEmpty)
        bench.pass(.seconds(2))
        bench.change(a)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("one bad market does not spoil the others of its batch")
    func badMarket() {
        let tickers = (0..<50).map { "M\($0)" }
        let bench = FeedBench(tickers)
        bench.exchange.badTickers = ["M17", "M31"]
        bench.open()
        bench.pass(.seconds(60))
        #expect(bench.keeper.refused.sorted() == ["M17", "M31"])
        #expect(bench.session.liveBooks == 48)
        #expect(bench.exchange.commands.count < 40)
    }

    @Test("error 26 gives markets back, error 27 and silence are tried again")
    func limits() {
        let tickers = (0..<20).map { "M\($0)" }
        let bench = FeedBench(tickers)
        bench.exchange.marketLimit = 12
        bench.exchange.rateLimited = 2
        bench.exchange.ignoresCommands = 1
        bench.open()
        bench.pass(.seconds(120), steps: 120)
        #expect(bench.session.liveBooks == 12)
        let given = bench.keeper.outputs.flatMap { output -> [Market.ID] in
            if case .overLimit(.book, let markets) = output { markets } else { [] }
        }
        #expect(given.count == 8)
    }

    @Test("lost snapshots are asked for again")
    func lostSnapshots() {
        let bench = bench()
        bench.exchange.lose("orderbook_delta")
        bench.exchange.silentSnapshots = 2
        bench.change(a)
        #expect(bench.keeper.isUsable == [false, false])
        bench.pass(.seconds(60), steps: 60)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("a count that starts over on the same sid is noticed")
    func countStartsOver() {
        var settings = FeedSettings()
        settings.repeatsMax = 3
        let bench = bench([.book], settings)
        for _ in 0..<6 { bench.change(a) }
        let sid = bench.exchange.sid("orderbook_delta")
        for number in 1...5 {
            bench.receive(
                #"{"type":"orderbook_delta","sid":\#(sid),"seq":\#(number),"msg":{"market_ticker":"\#(a)","price_dollars":"0.1000","delta_fp":"1.00","side":"yes","ts_ms":1}}"#
            )
        }
        bench.turn()
        #expect(bench.session.statistics.resubscriptions == 1)
        bench.change(a)
        #expect(bench.keeper.isLevel && bench.keeper.faults.isEmpty)
    }

    @Test("thousands of markets are subscribed in batches")
    func batches() {
        let tickers = (0..<950).map { "KXM-\($0)" }
        let bench = FeedBench(tickers, channels: [.book, .trades])
        bench.open()
        #expect(bench.session.liveBooks == 950)
        #expect(bench.exchange.commands.count == 10)
        #expect(bench.session.statistics.gaps == 0)
        bench.close()
        #expect(bench.keeper.unusables == 950)
        bench.open()
        #expect(bench.keeper.isLevel)
        #expect(bench.keeper.reconciled == [.trades])
    }

    @Test("a market that is wanted no longer is left out; the last one ends the subscription")
    func unsubscribe() {
        let bench = bench()
        bench.session.unsubscribe(.book, Market.ID(0))
        bench.turn()
        #expect(bench.exchange.commands.last?.contains("delete_markets") == true)
        let deltas = bench.keeper.deltas
        bench.change(a)
        #expect(bench.keeper.deltas == deltas)
        bench.session.unsubscribe(.book, Market.ID(1))
        bench.turn()
        #expect(bench.exchange.commands.last?.contains("\"unsubscribe\"") == true)
        bench.session.subscribe(.book, Market.ID(0))
        bench.turn()
        bench.change(a)
        #expect(bench.keeper.isUsable[0] && bench.keeper.faults.isEmpty)
        #expect(bench.keeper.snapshot(0) == bench.exchange.book(a))
    }
}
