import Foundation
import Martlet
import Testing

@testable import MartletWire

/// What each message that is not hot says, in the shapes of the exchange's documentation.
@Suite struct WireDetailTests {
    @Test func aFill() throws {
        guard case .fill(let fill) = try detail(Frames.fill) else { throw Unexpected() }
        #expect(fill.tradeID == "7e0a2a36" && fill.orderID == "0c6f2f0e" && fill.clientOrderID == "bot-1")
        #expect(fill.ticker == "KXHIGHNY-26NOV23-B54.5" && fill.shard == 0 && !fill.isTaker)
        #expect(fill.side == .bid && fill.price == Price(cents: 47) && fill.quantity == 4)
        #expect(fill.fee == Money(raw: 1_234_500) && fill.positionAfter == -4 && fill.subaccount == 0)
        #expect(fill.exchangeTime == Timestamp(milliseconds: 1_795_442_400_700))
    }

    @Test func fieldNote17_theOldDirectionOfAFillIsNotRead() throws {
        // `side` "no" beside a YES price, as recorded: only the book's side counts.
        let text = Frames.fill.replacingOccurrences(of: #""side":"yes""#, with: #""side":"no""#)
            .replacingOccurrences(of: #""action":"buy""#, with: #""action":"sell_to_close""#)
        guard case .fill(let fill) = try detail(text) else { throw Unexpected() }
        #expect(fill.side == .bid && fill.price == Price(cents: 47))
        let asks = text.replacingOccurrences(of: #""bid""#, with: #""ask""#)
            .replacingOccurrences(of: #""outcome_side":"yes""#, with: #""outcome_side":"no""#)
        guard case .fill(let sold) = try detail(asks) else { throw Unexpected() }
        #expect(sold.side == .ask && sold.price == Price(cents: 47))
    }

    @Test func fieldNote32_aContradictionIsRefused() {
        let text = Frames.fill.replacingOccurrences(of: #""bid""#, with: #""ask""#)
        #expect(throws: WireError.self) { try detail(text) }
    }

    @Test func anOrderOfOnesOwn() throws {
        guard case .userOrder(let order) = try detail(Frames.userOrder) else { throw Unexpected() }
        #expect(order.orderID == "0c6f2f0e" && order.clientOrderID == "bot-1" && order.ticker == "KXHIGHNY-1")
        #expect(order.status == .canceled && order.side == .bid && order.price == Price(cents: 47))
        #expect(order.initial == 10 && order.filled == 4 && order.remaining == 0)
        #expect(order.takerFees == .zero && order.makerFees == Money(raw: 50_000) && order.shard == 0)
        #expect(order.createdTime == Timestamp(milliseconds: 1_795_442_400_400))
        #expect(order.updatedTime == Timestamp(rfc3339: "2026-11-23T14:00:02Z"))
        #expect(order.expirationTime == .unknown && order.reason == "Decrease" && order.orderGroup == nil)
    }

    @Test func fieldNote07_newWordsOfOpenListsAreKept() throws {
        let order = Frames.userOrder.replacingOccurrences(of: #""canceled""#, with: #""hibernating""#)
        guard case .userOrder(let kept) = try detail(order) else { throw Unexpected() }
        #expect(kept.status == .unknown("hibernating"))
        let market = Frames.activated.replacingOccurrences(of: #""activated""#, with: #""teleported""#)
        guard case .marketLifecycle(let moved) = try detail(market) else { throw Unexpected() }
        #expect(moved.event == .unknown("teleported"))
        let group = Frames.orderGroup.replacingOccurrences(of: #""created""#, with: #""paused""#)
        guard case .orderGroup(let paused) = try detail(group) else { throw Unexpected() }
        #expect(paused.event == "paused")
        guard case .unknown("brand_new") = try detail(#"{"type":"brand_new","msg":3}"#) else {
            throw Unexpected()
        }
    }

    @Test func aPosition() throws {
        guard case .marketPosition(let position) = try detail(Frames.position) else { throw Unexpected() }
        #expect(position.ticker == "KXHIGHNY-1" && position.position == -4 && position.volume == 4)
        #expect(position.cost == Money(raw: 188_000_000) && position.realized == Money(raw: -5_000_000))
        #expect(position.fees == .zero && position.subaccount == 0)
    }

    @Test func aMarketFromItsMakingToItsSettling() throws {
        func market(_ text: String) throws -> MarketLifecycleMessage {
            guard case .marketLifecycle(let message) = try detail(text) else { throw Unexpected() }
            return message
        }
        let made = try market(Frames.created)
        #expect(made.event == .created && made.shard == 1 && made.title == "Will it?")
        #expect(made.openTime == Timestamp(seconds: 1_795_416_000))
        #expect(made.closeTime == Timestamp(seconds: 1_795_510_800) && made.eventTicker == "KXHIGHNY")
        #expect(made.priceLevelStructure == "linear_cent" && made.grid == .cent)
        #expect(made.yesSubtitle == "54 to 55" && made.noSubtitle == "not so")
        #expect(try market(Frames.activated).isDeactivated == false)
        let determined = try market(Frames.determined)
        #expect(determined.event == .determined && determined.result == .yes)
        #expect(determined.settlementValue == .one)
        #expect(determined.determinationTime == Timestamp(seconds: 1_795_550_800))
        let scalar = Frames.determined.replacingOccurrences(of: #""yes""#, with: #""scalar""#)
            .replacingOccurrences(of: "1.0000", with: "0.3700")
        #expect(try market(scalar).result == .scalar(Price(cents: 37)))
        #expect(try market(Frames.settled).settledTime == Timestamp(seconds: 1_795_554_400))
        #expect(try market(Frames.settled).result == nil)
    }

    @Test func eventsAndTheirFees() throws {
        guard case .eventLifecycle(let event) = try detail(Frames.event) else { throw Unexpected() }
        #expect(event.eventTicker == "KXHIGHNY-26NOV23" && event.seriesTicker == "KXHIGHNY")
        #expect(event.collateralReturn == CollateralReturn(wire: "MECNET") && event.shard == 0)
        guard case .eventFee(let fee) = try detail(Frames.fee) else { throw Unexpected() }
        #expect(fee.type == FeeType(wire: "quadratic_with_maker_fees") && fee.multiplierMillionths == 500_000)
        let cleared =
            #"{"type":"event_fee_update","sid":7,"seq":11,"msg":{"event_ticker":"E","fee_type_override":null,"fee_multiplier_override":null}}"#
        guard case .eventFee(let none) = try detail(cleared) else { throw Unexpected() }
        #expect(none.type == nil && none.multiplierMillionths == nil)
    }

    @Test func orderGroups() throws {
        guard case .orderGroup(let group) = try detail(Frames.orderGroup) else { throw Unexpected() }
        #expect(group.group == "og-6f0c" && group.event == "created" && group.limit == 150)
        #expect(group.exchangeTime == Timestamp(milliseconds: 1_795_442_400_100))
    }

    @Test func referenceValuesOfAllThreeChannels() throws {
        func value(_ text: String) throws -> ReferenceValue {
            guard case .reference(let value) = try detail(text) else { throw Unexpected() }
            return value
        }
        let slow = try value(Frames.benchmark)
        #expect(slow.index == "cfbenchmarks:BRTI" && slow.value == 6_800_012_000_000)
        #expect(slow.exchangeTime == Timestamp(milliseconds: 1_795_442_400_100))
        #expect(slow.settlementAverage == nil)
        let last = Frames.benchmark.replacingOccurrences(
            of: #""avg_60s_data""#,
            with: #""last_60s_windowed_average_15min":{"value":"68000.01000000"},"avg_60s_data""#)
        #expect(try value(last).settlementAverage == 6_800_001_000_000)
        let quick = try value(Frames.fastBenchmark)
        #expect(quick.index == "cfbenchmarks:BRTI" && quick.value == 6_800_012_000_000)
        let metal = try value(Frames.pyth)
        #expect(metal.index == "pyth:Metal.XAU/USD" && metal.value == 412_050_000_000)
        #expect(metal.exchangeTime == Timestamp(milliseconds: 1_795_442_400_100))
        let broken = Frames.benchmark.replacingOccurrences(of: #"\"value\":\"68000.12\""#, with: #"oops"#)
        #expect(throws: WireError.self) { try detail(broken) }
    }

    @Test func controlReplies() throws {
        #expect(try detail(Frames.subscribed) == .subscribed(channel: "orderbook_delta", sid: 1))
        #expect(try detail(#"{"type":"unsubscribed","id":13,"sid":1,"seq":7}"#) == .unsubscribed)
        guard case .ok(let update) = try detail(Frames.ok) else { throw Unexpected() }
        #expect(update.tickers == ["A", "B"] && update.subscriptions == nil)
        let list = #"{"type":"ok","id":14,"msg":[{"channel":"trade","sid":2},{"channel":"fill","sid":4}]}"#
        guard case .ok(let listed) = try detail(list) else { throw Unexpected() }
        #expect(listed.subscriptions?.map(\.sid) == [2, 4] && listed.tickers == nil)
        #expect(try detail(#"{"type":"ok","id":1,"sid":1,"seq":2}"#) == .ok(OKMessage()))
    }

    @Test func errorsSayWhetherTheSubscriptionIsOver() throws {
        for (code, isOver) in [(8, false), (10, true), (25, true), (26, false), (99, false)] {
            let text =
                #"{"type":"error","sid":1,"seq":8,"msg":{"code":\#(code),"msg":"words","market_ticker":"A"}}"#
            guard case .error(let error) = try detail(text) else { throw Unexpected() }
            #expect(error.code == code && error.message == "words" && error.tickers == ["A"])
            #expect(error.endsSubscription == isOver)
        }
    }

    @Test func aTickerAndATrade() throws {
        var decoder = MessageDecoder(usesYesPrice: false)
        let ticker = try decoder.decode(Frames.ticker)
        let summary = try #require(ticker.summary)
        #expect(ticker.seq == nil && ticker.sid == 3 && decoder.tickers.ticker(ticker.market) == "M")
        #expect(summary.lastPrice == Price(cents: 47) && summary.bestBid == Price(cents: 46))
        #expect(summary.bestAsk == Price(micros: 483_000) && summary.bidSize == 6 && summary.askSize == 150)
        #expect(summary.volume == 15404 && summary.openInterest == 8120)
        #expect(summary.exchangeTime == Timestamp(milliseconds: 1_795_442_400_700))
        let trade = try decoder.decode(Frames.trade)
        #expect(trade.kind == .trade && trade.side == .ask && trade.price == Price(cents: 47))
        #expect(trade.quantity == 4 && trade.tradeID == "7e0a2a36" && !trade.isBlock)
        #expect(trade.exchangeTime == Timestamp(milliseconds: 1_795_442_400_700))
    }

    // MARK: Any shape

    /// Keys in any order, space everywhere and members that nobody has heard of change nothing.
    @Test(arguments: Array(Frames.all.indices))
    func orderSpacesAndUnknownFieldsChangeNothing(_ index: Int) throws {
        let plain = try reading(Frames.all[index])
        let value = try JSONParser.parse(Frames.all[index])
        var random = SplitMix64(seed: UInt64(index))
        for step in 0..<40 {
            let other = JSONWriter.text(shuffled(value, &random), pretty: step % 2 == 0)
            #expect(try reading(other) == plain, "seed \(index) step \(step): \(other)")
        }
    }

    /// A member taken away is an error or an absence, never a crash or an invented number; one of another kind too.
    @Test(arguments: Array(Frames.all.indices))
    func missingAndChangedMembersAreErrorsOrAbsences(_ index: Int) throws {
        let value = try JSONParser.parse(Frames.all[index])
        let others: [JSONValue] = [
            .null, .bool(true), .number("-1e999"), .number("99999999999999999999"), .string(""),
            .string("brand_new_word"), .array([]), .object([]), .array([.null]),
        ]
        for path in paths(value) {
            _ = try? reading(JSONWriter.text(changed(value, path, to: nil)))
            for other in others { _ = try? reading(JSONWriter.text(changed(value, path, to: other))) }
        }
        for name in ["market_ticker", "order_id", "book_side", "count_fp", "code", "value_usd"] {
            guard value["msg"]?[name] != nil, value["msg"]?["outcome_side"] == nil || name != "book_side",
                value["msg"]?["data"] == nil || name != "value_usd",
                value["type"]?.string != "error" || name == "code"
            else { continue }
            #expect(throws: WireError.self, "\(name)") {
                try reading(JSONWriter.text(changed(value, ["msg", name], to: nil)))
            }
        }
    }

    @Test(.enabled(if: !RecordedData.isMissing, "set MARTLET_DATA"))
    func everySampleHasItsDetail() throws {
        var read = 0
        for file in try RecordedData.files("../kalshi/samples") {
            let name = file.lastPathComponent
            guard name.hasPrefix("ws-"), !name.hasPrefix("ws-cmd-") else { continue }
            var decoder = MessageDecoder(usesYesPrice: false)
            let frame = try decoder.decode(try String(contentsOf: file, encoding: .utf8))
            _ = try frame.detail()
            read += 1
        }
        #expect(read > 30)
    }
}
