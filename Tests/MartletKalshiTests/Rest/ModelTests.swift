import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletKalshi

@Suite struct ModelTests {
    @Test func accountLimitsAndCosts() throws {
        let limits = try Endpoints.accountLimits().read(
            """
            {"usage_tier":"galactic","read":{"refill_rate":300,"bucket_capacity":900},"write":{"refill_rate":300,
            "bucket_capacity":901},"grants":[{"exchange_instance":"event_contract","level":"advanced",
            "expires_ts":1795442400,"source":"manual"}]}
            """)
        #expect(limits.tier == "galactic")
        #expect(limits.write == RateLimits.Bucket(refill: 300, capacity: 901))
        #expect(limits.grants[0].expires == Timestamp(seconds: 1_795_442_400))
        let costs = try Endpoints.endpointCosts().read(
            """
            {"default_cost":10,"endpoint_costs":[{"method":"DELETE",
            "path":"/trade-api/v2/portfolio/events/orders/:order_id","cost":2}]}
            """)
        #expect(costs.cost(method: "DELETE", path: "/trade-api/v2/portfolio/events/orders/abc") == 2)
        #expect(limits.rateLimits(costs).costs.place == 10)
        #expect(throws: WireError.self) {
            try Endpoints.accountLimits().read(
                """
                {"usage_tier":"x","read":{"refill_rate":0,"bucket_capacity":9},"write":{"refill_rate":1,
                "bucket_capacity":1}}
                """)
        }
    }

    @Test func balanceIsExactAndPerShard() throws {
        let balance = try Endpoints.balance().read(
            """
            {"balance":99314,"balance_dollars":"993.1452","portfolio_value":658,"updated_ts":1795442401,
            "balance_breakdown":[{"exchange_index":0,"balance":"993.1452"},{"exchange_index":1,"balance":0}]}
            """)
        #expect(balance.cash == Money(micros: 993_145_200))
        #expect(balance.portfolioValue == Money(cents: 658))
        #expect(balance.shards.map(\.index) == [0, 1])
        #expect(balance.updated == Timestamp(seconds: 1_795_442_401))
        #expect(throws: WireError.self) { try Endpoints.balance().read(#"{"balance":9223372036854775807}"#) }
    }

    @Test func fieldNote32DirectionComesFromBookSideAlone() throws {
        // `side` and `action` say "sell no", which the older vocabulary uses in two ways.
        let order = try Endpoints.order("x").read(#"{"order":\#(Sample.order)}"#)
        #expect(order.side == .bid && order.price == 0.47)
        #expect(order.filled == 4 && order.remaining == 6 && order.shard == 2)
        #expect(order.expires == .unknown && order.orderGroup == nil)
        let contradiction = Sample.order.replacing("\"book_side\":\"bid\"", with: "\"book_side\":\"ask\"")
        #expect(throws: WireError.self) { try Endpoints.order("x").read(#"{"order":\#(contradiction)}"#) }
    }

    @Test func fieldNote07UnknownWordsAndFieldsStopNothing() throws {
        let order =
            Sample.order.replacing("\"resting\"", with: "\"slumbering\"")
            .replacing("\"taker_at_cross\"", with: "\"both\"").dropLast() + #","new_field":{"a":[1]}}"#
        let read = try Endpoints.order("x").read(#"{"order":\#(order)}"#)
        #expect(read.status == .unknown("slumbering"))
        #expect(read.selfTradePrevention == "both")
        for (old, new) in [
            ("\"active\"", "\"hibernating\""), ("\"result\":\"\"", "\"result\":\"void\""),
            ("\"binary\"", "\"quaternary\""), ("\"linear_cent\"", "\"cubist\""),
            ("\"title\"", "\"was_title\""), ("\"volume_fp\"", "\"was_volume\""),
        ] {
            let text = Sample.market.replacing(old, with: new)
            let page = try Endpoints.markets().call.read(#"{"markets":[\#(text)],"cursor":""}"#)
            #expect(page.elements.count == 1, "\(new)")
        }
        let void = Sample.market.replacing("\"result\":\"\"", with: "\"result\":\"void\"")
        let market = try Endpoints.market("x").read(#"{"market":\#(void)}"#)
        #expect(market.resultText == "void" && market.definition.result == nil)
        let status = try Endpoints.exchangeStatus().read(#"{"exchange_active":true,"trading_active":false}"#)
        #expect(!status.isTrading(shard: 3))
    }

    @Test func fieldNote18AnAbsentPriceIsAnErrorAndNeverANumber() throws {
        for field in ["yes_price_dollars", "no_price_dollars"] {
            let one = Sample.trade.replacing("\"\(field)\"", with: "\"was\"")
            let page = try Endpoints.trades().call.read(#"{"trades":[\#(one)]}"#)
            #expect(page.elements[0].price == 0.47, "the other side's price is the same price")
        }
        let none = Sample.trade.replacing("_price_dollars", with: "_was")
        #expect(throws: WireError.missing(field: "yes_price_dollars", message: "trades")) {
            try Endpoints.trades().call.read(#"{"trades":[\#(none)]}"#)
        }
    }

    @Test func fieldNote23AQuoteOfAnEmptySideIsNoQuote() throws {
        let combo = Sample.market.replacing(
            "\"yes_bid_dollars\":\"0.4700\"", with: "\"yes_bid_dollars\":\"0.0000\""
        )
        .replacing("\"yes_ask_dollars\":\"0.4800\"", with: "\"yes_ask_dollars\":\"1.0000\"")
        let market = try Endpoints.market("x").read(#"{"market":\#(combo)}"#)
        #expect(market.bid == nil && market.ask == nil)
        #expect(market.market.shard == 2)
        #expect(market.lastPrice == 0.47)
    }

    @Test func fieldNote03And09BooksAreInYesTermsBestFirst() throws {
        let book = try Endpoints.orderBook("x").read(
            """
            {"orderbook_fp":{"yes_dollars":[["0.45","300.00"],["0.4600","120"],[0.47,6.5]],
            "no_dollars":[["0.5000","80.00"],["0.5200","150.00"],["0.53","0.00"]]}}
            """)
        #expect(book.bids.map(\.price) == [0.47, 0.46, 0.45])
        #expect(book.asks.map(\.price) == [0.48, 0.50])
        #expect(book.bids[0].quantity == Quantity(hundredths: 650))
        let empty = try Endpoints.orderBook("x").read(#"{"orderbook_fp":{"yes_dollars":null}}"#)
        #expect(empty.bids.isEmpty && empty.asks.isEmpty)
    }

    @Test func tradesFillsPositionsSettlements() throws {
        let page = try Endpoints.trades().call.read(#"{"trades":[\#(Sample.trade)],"cursor":"next"}"#)
        #expect(page.cursor == "next")
        #expect(page.elements[0].takerSide == .ask && page.elements[0].quantity == 4)
        let fills = try Endpoints.fills().call.read(
            """
            {"fills":[{"fill_id":"f","trade_id":"f","exchange_index":1,"order_id":"o","ticker":"T","market_ticker":"T",
            "side":"no","action":"sell","outcome_side":"yes","book_side":"bid","count_fp":"10.00",
            "yes_price_dollars":"0.4800","is_taker":true,"created_time":"2026-11-23T14:00:01.500Z",
            "fee_cost":"0.174800","ts":1795442401}],"cursor":""}
            """)
        #expect(fills.cursor == nil && fills.elements[0].side == .bid)
        #expect(fills.elements[0].fee == Money(micros: 174_800))
        let positions = try Endpoints.positions().call.read(
            """
            {"cursor":"","market_positions":[{"ticker":"T","total_traded_dollars":"6.68","position_fp":"-14.00",
            "market_exposure_dollars":"6.680000","realized_pnl_dollars":"-1.5","fees_paid_dollars":"0.1748",
            "last_updated_ts":"2026-11-23T14:00:01.500Z"}]}
            """)
        #expect(positions.elements[0].position == Quantity(-14))
        let settlements = try Endpoints.settlements().call.read(
            """
            {"settlements":[{"ticker":"T","exchange_index":0,"event_ticker":"E","market_result":"yes",
            "yes_count_fp":"14.00","yes_total_cost_dollars":"6.68","no_count_fp":"0.00",
            "no_total_cost_dollars":"0","revenue":1400,"settled_time":"2026-11-24T21:06:40Z","fee_cost":"0.17",
            "value":100}]}
            """)
        #expect(settlements.elements[0].revenue == Money(dollars: 14))
    }

    @Test func candlesticksOfBothTiersReadAlike() throws {
        let live = try Endpoints.candlesticks(
            "T", series: "S", from: .init(seconds: 0), to: .init(seconds: 9), period: .minute
        ).read(
            """
            {"candlesticks":[{"end_period_ts":1795442460,"yes_bid":{"open_dollars":"0.46","low_dollars":"0.46",
            "high_dollars":"0.47","close_dollars":"0.47"},"yes_ask":{"open_dollars":"0.48","low_dollars":"0.48",
            "high_dollars":"0.48","close_dollars":"0.48"},"price":{"previous_dollars":"0.46"},"volume_fp":"14.00",
            "open_interest_fp":"8130.00"}]}
            """)
        let old = try Endpoints.historicalCandlesticks(
            "T", from: .init(seconds: 0), to: .init(seconds: 9), period: .minute
        ).read(
            """
            {"candlesticks":[{"end_period_ts":1795442460,"yes_bid":{"open":"0.46","low":"0.46","high":"0.47",
            "close":"0.47"},"yes_ask":{"open":"0.48","low":"0.48","high":"0.48","close":"0.48"},
            "price":{"open":null,"previous":"0.46"},"volume":"14.00","open_interest":"8130.00"}]}
            """)
        #expect(live == old)
        #expect(live[0].price.open == nil && live[0].previousPrice == 0.46)
    }

    @Test func anEventsCandlesticksStandBesideItsMarkets() throws {
        let call = Endpoints.candlesticks(
            event: "E", series: "S", from: .init(seconds: 0), to: .init(seconds: 9), period: .hour)
        let candle = #"{"end_period_ts":1795442400,"volume_fp":"14.00","open_interest_fp":"8130.00"}"#
        let answer = try call.read(
            """
            {"market_tickers":["A","B"],"market_candlesticks":[[\(candle),\(candle)],[]],
            "adjusted_end_ts":1795442400}
            """)
        #expect(answer.markets.map(\.ticker) == ["A", "B"])
        #expect(answer.markets.map(\.candlesticks.count) == [2, 0])
        #expect(answer.end == Timestamp(seconds: 1_795_442_400))
        #expect(throws: WireError.self) {
            try call.read(#"{"market_tickers":["A","B"],"market_candlesticks":[[]]}"#)
        }
    }

    /// Two subaccounts hold the same market, and nothing in a settlement names them.
    @Test func settlementsOfTwoSubaccountsAreTwo() async throws {
        let settlement = { (yes: String, revenue: Int) in
            """
            {"ticker":"T","event_ticker":"E","market_result":"yes","yes_count_fp":"\(yes)",
            "yes_total_cost_dollars":"6.68","no_count_fp":"0.00","no_total_cost_dollars":"0","revenue":\(revenue),
            "settled_time":"2026-11-24T21:06:40Z","fee_cost":"0.17","value":100}
            """
        }
        let list = [settlement("14.00", 1400), settlement("3.00", 300)].joined(separator: ",")
        let exchange = try await FakeExchange { _, number in
            .ok(#"{"settlements":[\#(list)],"cursor":"\#(number == 0 ? "next" : "")"}"#)
        }
        let client = try exchange.client(signer: .test(.generate(.ed25519)))
        var revenue = Money.zero
        for try await entry in client.all(Endpoints.settlements()) { revenue += entry.revenue }
        #expect(revenue == Money(dollars: 17), "each once, though the second page repeats them")
    }

    @Test func eventsGroupsChangesAndTheRest() throws {
        let event = try Endpoints.event("E").read(
            """
            {"event":{"event_ticker":"E","series_ticker":"S","title":"t","collateral_return_type":"MECNET",
            "mutually_exclusive":true,"exchange_index":3},"markets":[\(Sample.market)]}
            """)
        #expect(event.markets.count == 1 && event.collateralReturn == .mutuallyExclusive && event.shard == 3)
        let groups = try Endpoints.orderGroups().read(
            #"{"order_groups":[{"id":"og","contracts_limit_fp":"150.00","is_auto_cancel_enabled":true}]}"#)
        #expect(groups[0].limit == 150)
        let changes = try Endpoints.seriesFeeChanges().read(
            """
            {"series_fee_change_arr":[{"id":"c","series_ticker":"S","fee_type":"brand_new","fee_multiplier":0.5,
            "scheduled_ts":"2026-12-01T05:00:00Z"}]}
            """)
        #expect(changes[0].feeType == .unknown("brand_new") && changes[0].multiplier == 500_000)
        let events = try Endpoints.eventFeeChanges().call.read(
            """
            {"event_fee_changes":[{"id":"c","event_ticker":"S-1","fee_type_override":null,
            "fee_multiplier_override":null,"scheduled_ts":"2026-12-01T05:00:00Z"}]}
            """)
        #expect(events.elements[0].feeType == nil && events.elements[0].series == "S")
        let schedule = try Endpoints.exchangeSchedule().read(
            """
            {"schedule":{"standard_hours":[{"start_time":"2026-01-01T00:00:00Z","end_time":"2027-01-01T00:00:00Z",
            "monday":[{"open_time":"00:00","close_time":"03:00"},{"open_time":"05:00","close_time":"00:00"}]}],
            "maintenance_windows":[{"start_datetime":"2026-11-26T08:00:00Z","end_datetime":"2026-11-26T10:00:00Z"}]}}
            """)
        #expect(schedule.weeks[0].days[0].count == 2 && schedule.weeks[0].days[6].isEmpty)
        let cutoff = try Endpoints.historicalCutoff().read(
            """
            {"market_settled_ts":"2026-08-23T00:00:00Z","trades_created_ts":"2026-08-23T00:00:00Z",
            "orders_updated_ts":"2026-11-09T00:00:00Z"}
            """)
        #expect(cutoff.positionsUpdated == .unknown)
        #expect(
            try Endpoints.queuePositions().read(
                #"{"queue_positions":[{"order_id":"o","market_ticker":"T","queue_position_fp":"0.00"}]}"#)[0]
                .ahead == 0)
    }
}
