import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// What the order endpoints do, seen from outside (API.md §6).
struct OrderTests {
    @Test func anOrderRestsIsChangedAndCancelled() async throws {
        let rig = try await SandboxRig()
        let market = rig.market
        let placed = try await rig.place(
            SandboxRig.order(market, at: "0.01", "good_till_canceled", #","client_order_id":"a-1""#),
            as: rig.alice)
        #expect(placed.status == 201)
        #expect(placed["remaining_count"]?.string == "10.00")
        #expect(placed["average_fill_price"] == nil)
        let id = try #require(placed["order_id"]?.string)

        let duplicate = try await rig.place(
            SandboxRig.order(market, at: "0.01", "good_till_canceled", #","client_order_id":"a-1""#),
            as: rig.alice)
        #expect(duplicate.status == 409 && duplicate.code == "order_already_exists")
        // Another account may use the same id.
        let others = try await rig.place(
            SandboxRig.order(market, at: "0.01", "good_till_canceled", #","client_order_id":"a-1""#),
            as: rig.bob)
        #expect(others.status == 201)

        let read = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(read["order"]?["status"]?.string == "resting")
        #expect(read["order"]?["client_order_id"]?.string == "a-1")
        let queue = try await rig.call("GET", "portfolio/orders/\(id)/queue_position", as: rig.alice)
        #expect(queue["queue_position_fp"]?.string != nil)

        let amended = try await rig.call(
            "POST", "portfolio/events/orders/\(id)/amend",
            #"{"ticker":"\#(market)","side":"bid","price":"0.02","count":"8","updated_client_order_id":"a-2"}"#,
            as: rig.alice)
        #expect(amended.status == 200 && amended["remaining_count"]?.string == "8.00")
        #expect(amended["client_order_id"]?.string == "a-2")
        let decreased = try await rig.call(
            "POST", "portfolio/events/orders/\(id)/decrease", #"{"reduce_to":"2.50"}"#, as: rig.alice)
        #expect(decreased["remaining_count"]?.string == "2.50")
        let cancelled = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        #expect(cancelled.status == 200 && cancelled["reduced_by"]?.string == "2.50")
        let again = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        #expect(again.status == 404 && again.code == "not_found")
        let after = try await rig.call("GET", "portfolio/orders?status=canceled", as: rig.alice)
        #expect(after["orders"]?.array?.first?["remaining_count_fp"]?.string == "0.00")
    }

    @Test func twoAccountsTradeAndTheBooksBalance() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let market = rig.market
        // Better than anybody's: the spread is two cents at least.
        let book = try await rig.call("GET", "markets/\(market)")
        let ask = try Price(parsing: try #require(book["market"]?["yes_ask_dollars"]?.string))
        let bid = try Price(parsing: try #require(book["market"]?["yes_bid_dollars"]?.string))
        try #require(bid + 0.02 <= ask)
        let price = (bid + 0.01).description
        let maker = try await rig.place(SandboxRig.order(market, "bid", "5", at: price), as: rig.alice)
        #expect(maker["fill_count"]?.string == "0.00")
        let taker = try await rig.place(
            SandboxRig.order(market, "ask", "2.50", at: price, "immediate_or_cancel"), as: rig.bob)
        #expect(taker["fill_count"]?.string == "2.50" && taker["remaining_count"]?.string == "0.00")
        #expect(taker["average_fill_price"]?.string == price)

        let fills = try await rig.call("GET", "portfolio/fills", as: rig.alice)
        let fill = try #require(fills["fills"]?.array?.first)
        #expect(fill["is_taker"]?.bool == false && fill["count_fp"]?.string == "2.50")
        #expect(fill["book_side"]?.string == "bid" && fill["outcome_side"]?.string == "yes")
        let theirs = try await rig.call("GET", "portfolio/fills", as: rig.bob)
        #expect(theirs["fills"]?.array?.first?["trade_id"] == fill["trade_id"])
        let public_ = try await rig.call("GET", "markets/trades?ticker=\(market)&limit=1")
        #expect(public_["trades"]?.array?.first?["trade_id"] == fill["trade_id"])
        #expect(public_["trades"]?.array?.first?["taker_book_side"]?.string == "ask")

        let positions = try await rig.call("GET", "portfolio/positions", as: rig.bob)
        #expect(positions["market_positions"]?.array?.first?["position_fp"]?.string == "-2.50")
        #expect(try await rig.control("POST", "markets/\(market)/settle", #"{"result":"no"}"#).status == 200)
        let settlement = try await rig.call("GET", "portfolio/settlements", as: rig.bob)
        #expect(settlement["settlements"]?.array?.first?["revenue"]?.int64 == 250)
        #expect(settlement["settlements"]?.array?.first?["no_count_fp"]?.string == "2.50")
        try await rig.inside { $0.exchange.venue.checkInvariants() }
    }

    @Test func timesInForceAndFlags() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let market = rig.market
        func place(_ body: String) async throws -> SandboxRig.Answer {
            try await rig.place(body, as: rig.alice)
        }
        let killed = try await place(SandboxRig.order(market, "bid", "900", at: "0.01", "fill_or_kill"))
        #expect(killed.status == 409 && killed.code == "fill_or_kill_insufficient_resting_volume")
        let empty = try await place(SandboxRig.order(market, "bid", "1", at: "0.01", "immediate_or_cancel"))
        #expect(
            empty.status == 201 && empty["fill_count"]?.string == "0.00"
                && empty["remaining_count"]?.string == "0.00")
        let crossing = try await place(
            SandboxRig.order(market, "bid", "1", at: "0.99", "good_till_canceled", #","post_only":true"#))
        #expect(crossing.status == 201 && crossing["remaining_count"]?.string == "0.00")
        let expiring = try await place(
            SandboxRig.order(
                market, "bid", "1", at: "0.01", "immediate_or_cancel", #","expiration_time":9000000000"#))
        #expect(expiring.status == 400)
        let past = try await place(
            SandboxRig.order(
                market, "bid", "1", at: "0.01", "good_till_canceled", #","expiration_time":1000000000"#))
        #expect(past.status == 400)
        #expect(past["error"]?["message"]?.string == "Expiration timestamp must be in the future")
        let reducing = try await place(
            SandboxRig.order(market, "bid", "1", at: "0.99", "immediate_or_cancel", #","reduce_only":true"#))
        #expect(reducing.status == 201 && reducing["fill_count"]?.string == "0.00")
        for (price, count) in [("0.505", "1"), ("0", "1"), ("1.00", "1"), ("0.50001", "1"), ("-0.5", "1")] {
            let answer = try await place(SandboxRig.order(market, "bid", count, at: price))
            #expect(answer.status == 400 && answer.code == "invalid_price", "\(price)")
        }
        for count in ["0", "0.001", "-1", "x"] {
            let answer = try await place(SandboxRig.order(market, "bid", count, at: "0.50"))
            #expect(answer.status == 400 && answer.code == "invalid_order_size", "\(count)")
        }
        let dear = try await place(SandboxRig.order(market, "ask", "90000", at: "0.02"))
        #expect(dear.status == 400 && dear.code == "insufficient_balance")
    }

    @Test func undocumentedBehaviourIsSwitchable() async throws {
        let rig = try await SandboxRig {
            $0.rules.rejectsPostOnlyCross = true
            $0.rules.rejectsEmptyImmediate = true
            $0.rules.confirmsLateCancels = true
            $0.rules.nestedErrors = false
        }
        let crossing = try await rig.place(
            SandboxRig.order(rig.market, "bid", "1", at: "0.99", "good_till_canceled", #","post_only":true"#),
            as: rig.alice)
        #expect(crossing.status == 400 && crossing["code"]?.string == "post_only_cross")
        let empty = try await rig.place(
            SandboxRig.order(rig.market, "bid", "1", at: "0.01", "immediate_or_cancel"), as: rig.alice)
        #expect(empty.status == 409)
        let placed = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let id = try #require(placed["order_id"]?.string)
        _ = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        let late = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        #expect(late.status == 200 && late["reduced_by"]?.string == "0.00")
    }

    /// An order id alone does not name the shard (API.md §6.6).
    @Test func cancelsAreRoutedByShardOrMarket() async throws {
        let rig = try await SandboxRig()
        func id() async throws -> String {
            let placed = try await rig.place(SandboxRig.order(rig.coin, at: "0.01"), as: rig.alice)
            return try #require(placed["order_id"]?.string)
        }
        let first = try await id()
        #expect(try await rig.call("DELETE", "portfolio/events/orders/\(first)", as: rig.alice).status == 404)
        let wrong = try await rig.call(
            "DELETE", "portfolio/events/orders/\(first)?exchange_index=1", as: rig.alice)
        #expect(wrong.status == 404)
        let right = try await rig.call(
            "DELETE", "portfolio/events/orders/\(first)?exchange_index=2", as: rig.alice)
        #expect(right.status == 200)
        let second = try await id()
        let byMarket = try await rig.call(
            "DELETE", "portfolio/events/orders/\(second)?market_ticker=\(rig.coin)", as: rig.alice)
        #expect(byMarket.status == 200)
    }

    @Test func batchesSucceedInPart() async throws {
        let rig = try await SandboxRig()
        let body = """
            {"orders":[\(SandboxRig.order(rig.market, at: "0.01")),\(SandboxRig.order(rig.market, at: "0.015")),\
            \(SandboxRig.order(rig.market, "ask", "1", at: "0.99"))]}
            """
        let batch = try await rig.call("POST", "portfolio/events/orders/batched", body, as: rig.alice)
        let orders = try #require(batch["orders"]?.array)
        #expect(batch.status == 201 && orders.count == 3)
        #expect(orders[0]["order_id"] != nil && orders[2]["order_id"] != nil)
        #expect(orders[1]["error"]?["code"]?.string == "invalid_price")
        let id = try #require(orders[0]["order_id"]?.string)
        let cancels = try await rig.call(
            "DELETE", "portfolio/events/orders/batched",
            #"{"orders":[{"order_id":"\#(id)"},{"order_id":"00000000-0000-4000-8000-000000000000"}]}"#,
            as: rig.alice)
        let rows = try #require(cancels["orders"]?.array)
        #expect(rows[0]["reduced_by"]?.string == "10.00" && rows[0]["error"] == nil)
        #expect(rows[1]["error"]?["code"]?.string == "not_found" && rows[1]["ts_ms"] == nil)
        #expect(try await rig.call("DELETE", "portfolio/events/orders", as: rig.alice).status == 204)
        let left = try await rig.call("GET", "portfolio/orders?status=resting", as: rig.alice)
        #expect(left["orders"]?.array?.isEmpty == true)
    }

    @Test func retiredWritesSayWhereToGo() async throws {
        let rig = try await SandboxRig()
        for (method, path) in [
            ("POST", "portfolio/orders"), ("DELETE", "portfolio/orders/x"),
            ("POST", "portfolio/orders/x/amend"),
        ] {
            let answer = try await rig.call(method, path, "{}", as: rig.alice)
            #expect(answer.status >= 400 && answer.code == "deprecated_v1_order_endpoint")
            #expect(answer["error"]?["message"]?.string == "Please switch to the V2 endpoints")
        }
    }

    @Test func ordersExpireWithTheClock() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let soon = Clocks.wall() / 1_000_000_000 + 300
        let placed = try await rig.place(
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", #","expiration_time":\#(soon)"#),
            as: rig.alice)
        let id = try #require(placed["order_id"]?.string)
        #expect(placed["remaining_count"]?.string == "10.00")
        try await rig.step(seconds: 500)
        let after = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(after["order"]?["status"]?.string == "canceled")
    }

    @Test func groupsLimitWhatTrades() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let market = rig.market
        let made = try await rig.call(
            "POST", "portfolio/order_groups/create", #"{"contracts_limit":3}"#, as: rig.alice)
        #expect(made.status == 201)
        let group = try #require(made["order_group_id"]?.string)
        let member = #","order_group_id":"\#(group)""#
        let resting = try await rig.place(
            SandboxRig.order(market, "bid", "1", at: "0.01", "good_till_canceled", member), as: rig.alice)
        let taken = try await rig.place(
            SandboxRig.order(market, "bid", "4", at: "0.99", "immediate_or_cancel", member), as: rig.alice)
        #expect(taken["fill_count"]?.string == "4.00")
        let id = try #require(resting["order_id"]?.string)
        let after = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(after["order"]?["status"]?.string == "canceled")
        let refused = try await rig.place(
            SandboxRig.order(market, "bid", "1", at: "0.01", "good_till_canceled", member), as: rig.alice)
        #expect(refused.status == 400)
        #expect(
            try await rig.call("PUT", "portfolio/order_groups/\(group)/reset", "{}", as: rig.alice).status
                == 200)
        let again = try await rig.place(
            SandboxRig.order(market, "bid", "1", at: "0.01", "good_till_canceled", member), as: rig.alice)
        #expect(again.status == 201)
        #expect(try await rig.call("GET", "portfolio/order_groups/\(group)", as: rig.bob).status == 404)
        #expect(try await rig.call("DELETE", "portfolio/order_groups/\(group)", as: rig.alice).status == 200)
    }

    @Test func pausesStopTradingAndLetCancelsThrough() async throws {
        let rig = try await SandboxRig()
        let placed = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let id = try #require(placed["order_id"]?.string)
        _ = try await rig.control("POST", "pause", #"{"what":"trading"}"#)
        let status = try await rig.call("GET", "exchange/status")
        #expect(status["trading_active"]?.bool == false && status["exchange_active"]?.bool == true)
        #expect(try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice).status == 400)
        #expect(try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice).status == 200)
        _ = try await rig.control("POST", "pause", #"{"what":"none"}"#)
        #expect(try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice).status == 201)
    }

    /// The documentation says that orders of the next minute may be cancelled as well: a rule, off by default.
    @Test(arguments: [false, true])
    func cancellingEverythingMayLinger(lingers: Bool) async throws {
        let rig = try await SandboxRig { $0.rules.cancelsAllForAMinute = lingers }
        #expect(try await rig.call("DELETE", "portfolio/events/orders", as: rig.alice).status == 204)
        let next = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        #expect(next["remaining_count"]?.string == (lingers ? "0.00" : "10.00"))
        try await rig.step(seconds: 61)
        let later = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        #expect(later["remaining_count"]?.string == "10.00")
    }

    /// A close that is moved to now refuses cancels at once, and soon ends what rests.
    @Test func closingCancelsWhatRests() async throws {
        let rig = try await SandboxRig()
        let placed = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let id = try #require(placed["order_id"]?.string)
        let feed = try await rig.feed(rig.alice)
        await feed.send(#"{"id":1,"cmd":"subscribe","params":{"channels":["user_orders"]}}"#)
        _ = try await feed.next("subscribed")
        _ = try await rig.control("POST", "markets/\(rig.market)/close", "{}")
        let refused = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        #expect(refused.status == 400 && refused.code == "MARKET_INACTIVE")
        try await rig.step(seconds: 1)
        #expect(try await feed.next("user_order")["msg"]?["last_update_reason"]?.string == "CloseCancel")
    }

    /// Without an index a change of a group goes to the first shard, as an order's does.
    @Test func groupsLiveOnTheirShard() async throws {
        let rig = try await SandboxRig()
        let made = try await rig.call(
            "POST", "portfolio/order_groups/create", #"{"contracts_limit":5,"exchange_index":2}"#,
            as: rig.alice)
        let path = "portfolio/order_groups/\(try #require(made["order_group_id"]?.string))"
        #expect(try await rig.call("PUT", path + "/reset", "{}", as: rig.alice).status == 404)
        #expect(
            try await rig.call("PUT", path + "/reset?exchange_index=1", "{}", as: rig.alice).status == 404)
        #expect(
            try await rig.call("PUT", path + "/reset?exchange_index=2", "{}", as: rig.alice).status == 200)
        #expect(try await rig.call("GET", path, as: rig.alice).status == 200)
    }

    /// Cash moves towards the wanted shares every ten seconds, not only when they are set.
    @Test func cashFollowsTheAllocation() async throws {
        let rig = try await SandboxRig()
        func cash(_ shard: Int) async throws -> String? {
            let balance = try await rig.call(
                "GET", "portfolio/balance?exchange_index=\(shard)", as: rig.alice)
            return balance["balance_dollars"]?.string
        }
        let set = try await rig.call(
            "POST", "portfolio/target_balance_allocation",
            #"{"allocations":[{"exchange_index":0,"percent":75},{"exchange_index":2,"percent":25}]}"#,
            as: rig.alice)
        #expect(set.status == 200)
        #expect(try await cash(0) == "30000.0000")
        _ = try await rig.control("POST", "deposit", #"{"key":"alice","dollars":"400.00"}"#)
        try await rig.step(seconds: 9)
        #expect(try await cash(2) == "10000.0000")
        try await rig.step(seconds: 2)
        #expect(try await cash(2) == "10100.0000")
    }
}
