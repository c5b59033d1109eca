import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletKalshi

/// The numbered bugs of other clients that touch subscriptions, messages and accounts, and have no test elsewhere.
@Suite("Feed: field notes")
struct FieldNoteTests {
    private let now = Timestamp(seconds: 1_795_442_400)

    private func outputs(_ messages: [String], _ prepare: (inout FeedSession) -> Void = { _ in }) -> (
        events: [MarketEvent], outputs: [FeedOutput], session: FeedSession
    ) {
        var session = FeedSession()
        session.register("M0", as: Market.ID(0))
        session.subscribe(.book, Market.ID(0))
        session.subscribe(.trades, Market.ID(0))
        prepare(&session)
        session.opened(at: now)
        _ = session.takeCommands(at: now)
        for message in messages { session.receive(message, at: now) }
        var batch = FeedBatch()
        session.exchange(&batch)
        var events: [MarketEvent] = []
        var told: [FeedOutput] = []
        batch.forEach(event: { events.append($0) }, output: { told.append($0) })
        return (events, told, session)
    }

    private let emptyBook =
        #"{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"M0","market_id":"x"}}"#
    private func delta(_ sequence: Int, _ price: String, time: Int = 1) -> String {
        #"{"type":"orderbook_delta","sid":1,"seq":\#(sequence),"msg":{"market_ticker":"M0","market_id":"x","price_dollars":"\#(price)","delta_fp":"1.00","side":"yes","ts_ms":\#(time)}}"#
    }

    @Test("field note 3: one price in 2, 3, 4 and 6 decimals is one level")
    func fieldNote03oneLevel() {
        let prices = ["0.41", "0.410", "0.4100", "0.410000"]
        let found = outputs([emptyBook] + prices.enumerated().map { delta($0.offset + 2, $0.element) })
        let books = FeedBooks()
        books.add(Market(ticker: "M0"))
        for event in found.events { #expect(books.take(event) == nil) }
        #expect(books.levels(Market.ID(0), .bid, 9).map(\.size) == [Quantity(hundredths: 400)])
    }

    @Test("field note 7: unknown words and further fields stop nothing")
    func fieldNote07unknownWords() {
        let found = outputs([
            #"{"type":"market_lifecycle_v2","sid":7,"seq":1,"new":[1],"msg":{"market_ticker":"M0","event_type":"reborn","colour":"red"}}"#,
            #"{"type":"user_order","sid":5,"msg":{"order_id":"o","ticker":"M0","status":"pondering","outcome_side":"yes","book_side":"bid","yes_price_dollars":"0.4700","fill_count_fp":"0.00","remaining_count_fp":"10.00","client_order_id":"c","created_ts_ms":null,"last_update_reason":"Whim"}}"#,
            #"{"type":"order_group_updates","sid":8,"seq":1,"msg":{"event_type":"sold","order_group_id":"g"}}"#,
            #"{"type":"brand_new","sid":9,"seq":1,"msg":[]}"#, emptyBook, delta(2, "0.5000"),
        ])
        #expect(found.session.statistics.malformed == 0)
        #expect(found.session.statistics.unknownTypes == ["brand_new": 1])
        #expect(found.outputs.count { if case .remark = $0 { true } else { false } } == 0)
        #expect(found.events.last?.kind == .delta)
        let order = found.outputs.compactMap { output -> UserOrderMessage? in
            if case .order(let order) = output { order } else { nil }
        }.first
        #expect(order?.status == .unknown("pondering"))
    }

    @Test("field note 13: twenty minutes without network, then everything that may be missing is asked for")
    func fieldNote13outage() {
        let bench = FeedBench(["M0"], channels: [.book, .trades])
        for channel in [FeedChannel.fills, .userOrders, .positions, .orderGroups, .lifecycle] {
            bench.session.subscribe(channel)
        }
        bench.open()
        let before = bench.now
        bench.keeper.forgetOutputs()
        bench.close()
        bench.now = bench.now + .minutes(20)
        bench.open()
        let asked = bench.keeper.outputs.compactMap { output -> FeedChannel? in
            if case .reconcile(let channel, let since) = output, since <= before { channel } else { nil }
        }
        #expect(asked == [.fills, .userOrders, .positions, .orderGroups, .lifecycle, .trades])
        #expect(bench.keeper.isLevel)
    }

    @Test("field note 16: a fill before the answer to its order is joined by whichever name is known")
    func fieldNote16fillFirst() {
        var names = OrderNames()
        names.sent(OrderID(7), clientOrderID: "run-7")
        // No client order id, and no answer yet: not known, the caller keeps it.
        #expect(names.order(venueOrderID: "o7", clientOrderID: nil) == nil)
        #expect(names.order(venueOrderID: "o7", clientOrderID: "run-7") == OrderID(7))
        #expect(names.order(venueOrderID: "o7", clientOrderID: nil) == OrderID(7))
        names.learn(OrderID(8), venueOrderID: "o8")
        #expect(names.order(venueOrderID: "o8", clientOrderID: "someone-else") == OrderID(8))
        names.forget(venueOrderID: "o7", clientOrderID: "run-7")
        #expect(names.order(venueOrderID: "o7", clientOrderID: "run-7") == nil)
    }

    @Test(
        "field note 17: buy and sell of yes and no come to one YES side",
        arguments: [
            ("yes", "buy", "yes", "bid", Side.bid), ("no", "buy", "no", "ask", .ask),
            ("yes", "sell", "no", "ask", .ask), ("no", "sell", "yes", "bid", .bid),
        ])
    func fieldNote17sides(side: String, action: String, outcome: String, book: String, expected: Side) {
        let found = outputs([
            #"{"type":"fill","sid":4,"msg":{"trade_id":"t","order_id":"o","market_ticker":"M0","is_taker":true,"side":"\#(side)","action":"\#(action)","outcome_side":"\#(outcome)","book_side":"\#(book)","yes_price_dollars":"0.1600","count_fp":"1.16","fee_cost":"0.011000","post_position_fp":"4.36","ts":1795442400,"ts_ms":1795442400700}}"#
        ])
        guard case .fill(let fill)? = found.outputs.first else {
            Issue.record("no fill")
            return
        }
        let report = VenueReport(fill, order: OrderID(1), market: Market.ID(0), untoldFee: .zero)
        guard case .filled(let told) = report.body else {
            Issue.record("no fill reported")
            return
        }
        #expect(told.side == expected && told.price == Price(micros: 160_000))
        #expect(told.fee == (try? Money(parsing: "0.011")) && report.venueOrderID == "o")
    }

    @Test("an order's states become reports; its cancellation says why")
    func orderStates() {
        func message(_ status: String, _ extra: String) -> String {
            #"{"type":"user_order","sid":5,"msg":{"order_id":"o","ticker":"M0","status":"\#(status)","outcome_side":"yes","book_side":"bid","yes_price_dollars":"0.4700","fill_count_fp":"4.00","remaining_count_fp":"0.00","client_order_id":"c","created_ts_ms":1795442400400\#(extra)}}"#
        }
        let found = outputs([
            message("resting", ""),
            message("canceled", #","last_updated_ts_ms":1795442402000,"last_update_reason":"CloseCancel""#),
        ])
        let states = found.outputs.compactMap { output -> VenueReport? in
            if case .order(let order) = output {
                VenueReport(order, order: OrderID(1), market: Market.ID(0))
            } else {
                nil
            }
        }
        guard case .state(let last)? = states.last?.body else {
            Issue.record("no state")
            return
        }
        #expect(last.status == .cancelled && last.reason == .marketClosed)
        #expect(states.last?.exchangeTime == Timestamp(milliseconds: 1_795_442_402_000))
        #expect(states.first?.exchangeTime == Timestamp(milliseconds: 1_795_442_400_400))
    }

    @Test("field note 27: an exchange time after the receive time breaks nothing")
    func fieldNote27negativeLatency() {
        let later = Int(now.milliseconds) + 90_000
        let found = outputs([emptyBook, delta(2, "0.4000", time: later), delta(3, "0.4100", time: later - 5)])
        #expect(found.events.filter { $0.kind == .delta }.map(\.receiveTime) == [now, now])
        #expect(found.events.count { $0.kind == .groupEnd } == 1)
    }

    @Test("field note 28: new and ended markets rotate without a gap")
    func fieldNote28rotation() {
        let bench = FeedBench((0..<8).map { "Q\($0)" })
        for index in 1..<8 { bench.session.unsubscribe(.book, Market.ID(index)) }
        bench.open()
        for index in 1..<8 {
            bench.change("Q\(index - 1)")
            // At the close second: the old book is cleared, the new market comes, the old one goes.
            bench.session.subscribe(.book, Market.ID(index))
            bench.turn()
            bench.change("Q\(index)")
            bench.session.unsubscribe(.book, Market.ID(index - 1))
            bench.turn()
            bench.change("Q\(index - 1)")
        }
        #expect(bench.session.statistics.gaps == 0 && bench.keeper.faults.isEmpty)
        #expect(bench.session.liveBooks == 1 && bench.keeper.isUsable[7])
    }

    @Test("a market that nobody named is told once")
    func unknownMarket() {
        let trade =
            #"{"type":"trade","sid":2,"seq":1,"msg":{"trade_id":"t","market_ticker":"NEW","yes_price_dollars":"0.4700","no_price_dollars":"0.5300","count_fp":"4.00","taker_book_side":"ask","ts_ms":1}}"#
        let second = trade.replacing(#""seq":1"#, with: #""seq":2"#)
        let found = outputs([trade, second])
        #expect(found.outputs.filter { $0 == .unknownMarket(ticker: "NEW") }.count == 1)
        #expect(found.events.isEmpty && found.session.statistics.unknownMarkets == 2)
    }
}

@Suite("Market directory")
struct MarketDirectoryTests {
    private func message(_ text: String) throws -> MarketLifecycleMessage {
        var decoder = MessageDecoder(usesYesPrice: true)
        guard case .marketLifecycle(let message) = try decoder.decode(text).detail() else {
            throw WireError.missing(field: "type", message: "test")
        }
        return message
    }
    private func lifecycle(_ event: String, _ rest: String = "") throws -> MarketLifecycleMessage {
        try message(
            #"{"type":"market_lifecycle_v2","sid":7,"seq":4,"msg":{"market_ticker":"S-E-1","event_type":"\#(event)"\#(rest)}}"#
        )
    }

    @Test("a market's life in messages")
    func life() throws {
        var directory = MarketDirectory()
        let created = try lifecycle(
            "created",
            #","exchange_index":2,"open_ts":1795416000,"close_ts":1795510800,"additional_metadata":{"title":"T","yes_sub_title":"54 to 55","event_ticker":"S-E"},"price_level_structure":"linear_cent","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0100"}]"#
        )
        #expect(directory.apply(created).isEmpty)
        let market = try #require(directory.created(created))
        #expect(market.shard == 2 && market.event == "S-E" && market.assumptions == ["fees"])
        let id = directory.add(market)
        #expect(directory.add(market) == id && directory.count == 1)
        #expect(try directory.apply(lifecycle("deactivated")) == [.status(id, .inactive)])
        #expect(try directory.apply(lifecycle("activated")) == [.status(id, .active)])
        guard
            case .defined(let moved)? = try directory.apply(
                lifecycle("close_date_updated", #","close_ts":1795507200"#)
            ).first
        else {
            Issue.record("no definition")
            return
        }
        #expect(moved.closeTime == Timestamp(seconds: 1_795_507_200))
        // Said again, it changes nothing.
        #expect(try directory.apply(lifecycle("close_date_updated", #","close_ts":1795507200"#)).isEmpty)
        let determined = try lifecycle("determined", #","result":"yes","settlement_value":"1.0000""#)
        #expect(directory.apply(determined) == [.result(id, .yes)])
        #expect(
            try directory.apply(lifecycle("settled", #","settled_ts":1795554400"#)) == [.settled(id, .yes)])
        #expect(try directory.apply(lifecycle("something_new")).isEmpty)
    }

    @Test("a settlement whose result was told before anybody listened waits for it, and pays once")
    func settledBeforeItsResultIsKnown() throws {
        var directory = MarketDirectory()
        let id = directory.add(Market(ticker: "S-E-1"))
        let settled = try lifecycle("settled", #","settled_ts":1795554400"#)
        #expect(directory.apply(settled) == [.status(id, .finalized)])
        #expect(directory.awaitsResults)
        let determined = try lifecycle("determined", #","result":"no","settlement_value":"0.0000""#)
        #expect(directory.apply(determined) == [.result(id, .no), .settled(id, .no)])
        #expect(!directory.awaitsResults)
        #expect(directory.apply(determined) == [.result(id, .no)])
        // And where the settlement itself says it.
        let other = directory.add(Market(ticker: "S-E-2"))
        var told = settled
        told.ticker = "S-E-2"
        #expect(directory.apply(told) == [.status(other, .finalized)])
        told.result = .yes
        #expect(directory.apply(told) == [.settled(other, .yes)])
        #expect(!directory.awaitsResults)
    }

    @Test("an event's fee override comes and goes")
    func fees() throws {
        var directory = MarketDirectory()
        let id = directory.add(Market(ticker: "S-E-1"))
        directory.add(Market(ticker: "S-F-1"))
        func fee(_ type: String, _ multiplier: String) throws -> [EngineInput] {
            var decoder = MessageDecoder(usesYesPrice: true)
            let text =
                #"{"type":"event_fee_update","sid":7,"seq":10,"msg":{"event_ticker":"S-E","fee_type_override":\#(type),"fee_multiplier_override":\#(multiplier)}}"#
            guard case .eventFee(let message) = try decoder.decode(text).detail() else { return [] }
            return directory.apply(message)
        }
        let before = directory.market(id)?.fees
        #expect(try fee(#""quadratic_with_maker_fees""#, "0.5").count == 1)
        #expect(directory.market(id)?.fees.multiplierMillionths == 500_000)
        #expect(try fee("null", "null").count == 1)
        #expect(directory.market(id)?.fees == before)
    }
}
