import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// The WebSocket protocol, seen from outside (API.md §14).
struct FeedTests {
    /// A book as a client rebuilds it: text of the price to hundredths.
    private struct ClientBook {
        var sides: [String: [String: Int64]] = ["yes": [:], "no": [:]]
        var hasSnapshot = false

        mutating func take(_ frame: JSONValue) throws {
            let body = try #require(frame["msg"])
            if frame["type"]?.string == "orderbook_snapshot" {
                sides = ["yes": [:], "no": [:]]
                hasSnapshot = true
                for (side, key) in [("yes", "yes_dollars_fp"), ("no", "no_dollars_fp")] {
                    for level in body[key]?.array ?? [] {
                        let row = try #require(level.array)
                        let count = try Quantity(parsing: try #require(row[1].string))
                        sides[side]?[try #require(row[0].string)] = count.hundredths
                    }
                }
                return
            }
            #expect(hasSnapshot)
            let side = try #require(body["side"]?.string)
            let price = try #require(body["price_dollars"]?.string)
            let change = try Quantity(parsing: try #require(body["delta_fp"]?.string))
            let after = (sides[side]?[price] ?? 0) + change.hundredths
            #expect(after >= 0)
            sides[side]?[price] = after == 0 ? nil : after
        }
    }

    private func book(_ answer: SandboxRig.Answer, yesPrices: Bool = false) throws -> [String: [String:
        Int64]]
    {
        var sides: [String: [String: Int64]] = ["yes": [:], "no": [:]]
        for (side, key) in [("yes", "yes_dollars"), ("no", "no_dollars")] {
            for level in answer["orderbook_fp"]?[key]?.array ?? [] {
                let row = try #require(level.array)
                var price = try #require(row[0].string)
                if side == "no", yesPrices { price = try Price(parsing: price).complement.description }
                sides[side]?[price] = try Quantity(parsing: try #require(row[1].string)).hundredths
            }
        }
        return sides
    }

    @Test(arguments: [false, true])
    func booksFollowTheExchange(_ yesPrices: Bool) async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let markets = rig.markets
        let names = markets.map { "\"\($0)\"" }.joined(separator: ",")
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[\#(names)],"use_yes_price":\#(yesPrices)}}"#
        )
        let subscribed = try await feed.next("subscribed")
        #expect(subscribed["msg"]?["sid"]?.int64 == 1 && subscribed["id"]?.int64 == 1)
        for _ in 0..<6 { try await rig.step(seconds: 10) }
        try await feed.settle()
        var books: [String: ClientBook] = [:]
        var sequence: Int64 = 0
        for frame in feed.take() {
            sequence += 1
            #expect(frame["seq"]?.int64 == sequence && frame["sid"]?.int64 == 1)
            let ticker = try #require(frame["msg"]?["market_ticker"]?.string)
            try books[ticker, default: ClientBook()].take(frame)
        }
        #expect(sequence > Int64(markets.count + 50))
        for ticker in markets {
            let shown = try book(
                try await rig.call("GET", "markets/\(ticker)/orderbook"), yesPrices: yesPrices)
            #expect(books[ticker]?.sides == shown, "\(ticker)")
        }
    }

    @Test func ownOrdersAreMarkedForTheirOwnerAlone() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let (mine, theirs) = (try await rig.feed(rig.alice), try await rig.feed(rig.bob))
        for feed in [mine, theirs] {
            await feed.send(
                #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ticker":"\#(rig.market)"}}"#
            )
            _ = try await feed.next("orderbook_snapshot")
        }
        _ = try await rig.place(
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", #","client_order_id":"mine-1""#),
            as: rig.alice)
        let own = try await mine.next("orderbook_delta")
        #expect(own["msg"]?["client_order_id"]?.string == "mine-1")
        #expect(own["msg"]?["delta_fp"]?.string == "10.00" && own["msg"]?["side"]?.string == "yes")
        let seen = try await theirs.next("orderbook_delta")
        #expect(seen["msg"]?["client_order_id"] == nil && seen["seq"]?.int64 == 2)
    }

    @Test func privateChannelsTellAnOrdersLife() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let (mine, theirs) = (try await rig.feed(rig.alice), try await rig.feed(rig.bob))
        for feed in [mine, theirs] {
            await feed.send(
                #"{"id":1,"cmd":"subscribe","params":{"channels":["fill","user_orders","market_positions","order_group_updates"]}}"#
            )
            for _ in 0..<4 { _ = try await feed.next("subscribed") }
        }
        let taken = try await rig.place(
            SandboxRig.order(
                rig.market, "bid", "2", at: "0.99", "immediate_or_cancel", #","client_order_id":"x""#),
            as: rig.alice)
        let fill = try await mine.next("fill")
        #expect(fill["msg"]?["order_id"] == taken["order_id"] && fill["seq"] == nil)
        #expect(fill["msg"]?["is_taker"]?.bool == true)
        let order = try await mine.next("user_order")
        #expect(
            order["msg"]?["ticker"]?.string == rig.market && order["msg"]?["status"]?.string == "executed")
        #expect(order["msg"]?["last_update_reason"]?.string == "Trade")
        let position = try await mine.next("market_position")
        #expect(position["msg"]?["position_fp"]?.string == "2.00")
        let resting = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let id = try #require(resting["order_id"]?.string)
        let new = try await mine.next("user_order")
        #expect(new["msg"]?["status"]?.string == "resting" && new["msg"]?["last_update_reason"] == nil)
        _ = try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice)
        let gone = try await mine.next("user_order")
        #expect(gone["msg"]?["status"]?.string == "canceled")
        #expect(gone["msg"]?["last_update_reason"]?.string == "Decrease")
        _ = try await rig.call(
            "POST", "portfolio/order_groups/create", #"{"contracts_limit":5}"#, as: rig.alice)
        let group = try await mine.next("order_group_updates")
        #expect(group["msg"]?["event_type"]?.string == "created" && group["seq"]?.int64 == 1)
        // Nothing of it reaches another account.
        try await theirs.settle()
        #expect(theirs.take().isEmpty)
    }

    @Test func subscriptionsAreChanged() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let (a, b) = (rig.markets[0], rig.markets[1])
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["\#(a)"]}}"#
        )
        _ = try await feed.next("orderbook_snapshot")
        await feed.send(
            #"{"id":2,"cmd":"update_subscription","params":{"sids":[1],"action":"add_markets","market_tickers":["\#(b)"]}}"#
        )
        let added = try await feed.next("ok")
        #expect(added["id"]?.int64 == 2 && added["sid"]?.int64 == 1 && added["seq"]?.int64 == 2)
        #expect(added["msg"]?["market_tickers"]?.array == [.string(a), .string(b)])
        #expect(try await feed.next("orderbook_snapshot")["msg"]?["market_ticker"]?.string == b)
        await feed.send(
            #"{"id":3,"cmd":"update_subscription","params":{"sid":1,"action":"get_snapshot","market_tickers":["\#(a)"]}}"#
        )
        let again = try await feed.next("orderbook_snapshot")
        #expect(again["id"]?.int64 == 3 && again["seq"]?.int64 == 4)
        // fieldNote08: a second subscription to a channel joins the first and is answered ok.
        await feed.send(
            #"{"id":4,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":["\#(rig.markets[2])"]}}"#
        )
        #expect(try await feed.next("ok")["sid"]?.int64 == 1)
        await feed.send(
            #"{"id":5,"cmd":"update_subscription","params":{"sid":1,"action":"delete_markets","market_tickers":["\#(a)"]}}"#
        )
        let fewer = try await feed.next("ok")
        #expect(fewer["msg"]?["market_tickers"]?.array?.count == 2)
        await feed.send(#"{"id":6,"cmd":"list_subscriptions"}"#)
        let list = try await feed.next { $0["id"]?.int64 == 6 }
        #expect(list["msg"]?.array?.first?["channel"]?.string == "orderbook_delta")
        await feed.send(#"{"id":7,"cmd":"unsubscribe","params":{"sids":[1]}}"#)
        let ended = try await feed.next("unsubscribed")
        #expect(ended["sid"]?.int64 == 1 && ended["seq"] != nil && ended["msg"] == nil)
        try await rig.step(seconds: 20)
        try await feed.settle()
        #expect(!feed.take().contains { $0["type"]?.string == "orderbook_delta" })
    }

    @Test func commandsAreRefusedByNumber() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let cases: [(String, Int64)] = [
            ("nonsense", 1), ("[]", 1), (#"{"id":"x","cmd":"subscribe"}"#, 1), (#"{"id":1}"#, 5),
            (#"{"id":1,"cmd":"dance"}"#, 5), (#"{"id":1,"cmd":"subscribe"}"#, 2),
            (#"{"id":1,"cmd":"subscribe","params":{}}"#, 3),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["x"]}}"#, 8),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}"#, 14),
            (#"{"id":1,"cmd":"unsubscribe","params":{}}"#, 4),
            (#"{"id":1,"cmd":"unsubscribe","params":{"sids":[9]}}"#, 7),
            (#"{"id":1,"cmd":"update_subscription","params":{"sids":[1,2]}}"#, 12),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["cfbenchmarks_value"]}}"#, 24),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["pyth_value"]}}"#, 28),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["communications"],"shard_key":1}}"#, 20),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["communications"],"shard_factor":101}}"#, 22),
            (#"{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"NO"}}"#, 11),
        ]
        for (text, code) in cases {
            await feed.send(text)
            let error = try await feed.next("error")
            #expect(error["msg"]?["code"]?.int64 == code, "\(text)")
        }
        await feed.send(#"{"id":2,"cmd":"subscribe","params":{"channels":["ticker"]}}"#)
        _ = try await feed.next("subscribed")
        await feed.send(#"{"id":3,"cmd":"update_subscription","params":{"sid":1}}"#)
        #expect(try await feed.next("error")["msg"]?["code"]?.int64 == 15)
        await feed.send(#"{"id":3,"cmd":"update_subscription","params":{"sid":1,"action":"x"}}"#)
        #expect(try await feed.next("error")["msg"]?["code"]?.int64 == 13)
        #expect(feed.isOpen)
    }

    @Test func lifeIsTold() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let feed = try await rig.feed(rig.alice)
        await feed.send(#"{"id":1,"cmd":"subscribe","params":{"channels":["market_lifecycle_v2"]}}"#)
        _ = try await feed.next("subscribed")
        let market = rig.market
        func told(_ type: String) async throws -> JSONValue {
            try await feed.next {
                $0["msg"]?["event_type"]?.string == type && $0["msg"]?["market_ticker"]?.string == market
            }
        }
        let resting = try await rig.place(SandboxRig.order(market, at: "0.01"), as: rig.alice)
        _ = try await rig.control("POST", "markets/\(market)/pause")
        #expect(try await told("deactivated")["msg"]?["is_deactivated"]?.bool == true)
        #expect(
            try await rig.place(SandboxRig.order(market, at: "0.01"), as: rig.alice).code == "MARKET_INACTIVE"
        )
        _ = try await rig.control("POST", "markets/\(market)/resume")
        _ = try await told("activated")
        // Reactivation cancels what rests (API.md §10).
        let id = try #require(resting["order_id"]?.string)
        let order = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(order["order"]?["status"]?.string == "canceled")
        _ = try await rig.control("POST", "markets/\(market)/grid", #"{"price_level_structure":"deci_cent"}"#)
        #expect(try await told("price_level_structure_updated")["msg"]?["price_ranges"]?.array?.count == 1)
        _ = try await rig.control("POST", "markets/\(market)/determine", #"{"result":"yes"}"#)
        #expect(try await told("determined")["msg"]?["settlement_value"]?.string == "1.0000")
        try await rig.step(seconds: 61)
        _ = try await told("settled")
        let end = try await rig.call("GET", "markets/\(market)")
        #expect(end["market"]?["status"]?.string == "finalized")
    }

    @Test func tickersTradesAndHeartbeats() async throws {
        let rig = try await SandboxRig { $0.heartbeatSeconds = 1 }
        let feed = try await rig.feed(rig.alice)
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"\#(rig.market)","send_initial_snapshot":true}}"#
        )
        let first = try await feed.next("ticker")
        #expect(first["seq"] == nil && first["msg"]?["market_ticker"]?.string == rig.market)
        await feed.send(#"{"id":2,"cmd":"subscribe","params":{"channels":["trade"]}}"#)
        _ = try await feed.next { $0["id"]?.int64 == 2 }
        try await rig.step(seconds: 60)
        #expect(try await feed.next("trade")["seq"]?.int64 == 1)
        try await feed.waitForPing()
        #expect(feed.pings.first == "heartbeat")
    }

    /// Ids name markets for the ticker channel alone, and are answered in kind; what is not subscribed has no snapshot.
    @Test func marketsAreNamedByIDForTickersAlone() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let ids = try await rig.inside { server in server.exchange.markets.map(\.uuid) }
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ids":["\#(ids[0])"]}}"#)
        _ = try await feed.next("subscribed")
        await feed.send(
            #"{"id":2,"cmd":"update_subscription","params":{"sid":1,"action":"add_markets","market_ids":["\#(ids[1])"]}}"#
        )
        #expect(try await feed.next("ok")["msg"]?["market_ids"]?.array == ids.prefix(2).map { .string($0) })
        await feed.send(
            #"{"id":3,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ids":["\#(ids[0])"]}}"#
        )
        #expect(try await feed.next("error")["msg"]?["code"]?.int64 == 14)
        await feed.send(
            #"{"id":4,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_ticker":"\#(rig.markets[0])"}}"#
        )
        _ = try await feed.next("orderbook_snapshot")
        await feed.send(
            #"{"id":5,"cmd":"update_subscription","params":{"sid":2,"action":"get_snapshot","market_ticker":"\#(rig.markets[1])"}}"#
        )
        #expect(try await feed.next("error")["msg"]?["code"]?.int64 == 11)
        // Zero stands for no id.
        await feed.send(#"{"id":0,"cmd":"list_subscriptions"}"#)
        #expect(try await feed.next("ok")["id"] == nil)
    }

    @Test func referencePricesAreTold() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["pyth_value"],"underlying_tickers":["all"]}}"#)
        await feed.send(
            #"{"id":2,"cmd":"subscribe","params":{"channels":["cfbenchmarks_value"],"index_ids":["BRTI"]}}"#)
        _ = try await feed.next { $0["id"]?.int64 == 2 }
        try await rig.step(seconds: 2)
        let price = try await feed.next("pyth_value")
        #expect(price["seq"]?.int64 == 1 && price["msg"]?["underlying_ticker"]?.string == "Crypto.BTC/USD")
        let value = try await feed.next("cfbenchmarks_value")
        #expect(value["msg"]?["index_id"]?.string == "BRTI")
    }
}
