import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// What a hostile or broken client meets: a documented error, and nothing of anybody else's.
struct HostileTests {
    @Test func pathsAndMethods() async throws {
        let rig = try await SandboxRig()
        let paths = [
            "/", "/trade-api", "/trade-api/v2", "/trade-api/v2/", "/trade-api/v2//markets",
            "/trade-api/v2/nothing",
            "/trade-api/v2/../v2/markets", "/trade-api/v2/%2e%2e/markets", "/trade-api/v2/markets/%2Fetc",
            "/trade-api/v2/markets/%00", "/trade-api/v2/markets/%zz", "/trade-api/v1/markets", "/sandboxes",
            "/trade-api/v2/markets/\(String(repeating: "a", count: 5000))", "/trade-api/v2/markets/%ff%fe",
        ]
        for path in paths {
            let answer = try await rig.raw("GET", path, nil, [:])
            #expect(answer.status == 404, "\(path.prefix(60))")
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = try await rig.raw(
                method, "/trade-api/v2/markets", method == "POST" ? "{}" : nil, [:])
            #expect(answer.status == 405, "\(method)")
        }
        #expect(try await rig.raw("GET", "/trade-api/ws/v2", nil, [:]).status == 401)
        #expect(try await rig.raw("GET", "/sandbox/state", nil, [:]).status == 403)
        #expect(try await rig.raw("GET", "/sandbox/state", nil, ["Sandbox-Token": "guess"]).status == 403)
    }

    @Test func queriesAndBodies() async throws {
        let rig = try await SandboxRig()
        let queries = [
            "markets?limit=-1", "markets?limit=1001", "markets?limit=x", "markets?status=bogus",
            "markets?cursor=AAAA", "markets?cursor=%20", "markets?limit=99999999999999999999",
            "markets/trades?min_ts=x", "events?limit=201", "markets/orderbooks",
            "series/X/markets/\(rig.market)/candlesticks?start_ts=1&end_ts=2&period_interval=7",
        ]
        for query in queries {
            let answer = try await rig.call("GET", query)
            #expect((400...404).contains(answer.status), "\(query)")
        }
        let page = try await rig.call("GET", "markets?limit=2")
        let cursor = try #require(page["cursor"]?.string)
        let others = try await rig.call("GET", "markets?limit=2&status=open&cursor=\(cursor)")
        #expect(others.status == 400)
        let bodies = [
            "", "{", "[]", "null", "\"x\"", "{\"ticker\":1}", "{\"ticker\":\"\(rig.market)\"}",
            "{\"ticker\":\"\(rig.market)\",\"side\":\"up\",\"count\":\"1\",\"price\":\"0.5\"}",
            SandboxRig.order(rig.market, at: "0.01", "forever"),
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", ",\"subaccount\":99"),
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", ",\"post_only\":\"yes\""),
            String(repeating: "[", count: 100_000), "{\"a\":\"\u{FFFD}\"}",
        ]
        for body in bodies {
            let answer = try await rig.place(body, as: rig.alice)
            #expect(answer.status == 400, "\(body.prefix(60))")
        }
        let plain = try SandboxRig.sign(rig.alice, "POST", "/trade-api/v2/portfolio/events/orders")
        let untyped = try await rig.raw(
            "POST", "/trade-api/v2/portfolio/events/orders", SandboxRig.order(rig.market, at: "0.01"), plain)
        #expect(untyped.status == 400 && untyped.code == "invalid_content_type")
        let none = try await rig.call("GET", "portfolio/orders", as: rig.alice)
        #expect(none["orders"]?.array?.isEmpty == true)
    }

    @Test func nobodySeesOrChangesAnothersOrders() async throws {
        let rig = try await SandboxRig()
        let placed = try await rig.place(SandboxRig.order(rig.market, at: "0.01"), as: rig.alice)
        let id = try #require(placed["order_id"]?.string)
        #expect(try await rig.call("GET", "portfolio/orders/\(id)", as: rig.bob).status == 404)
        #expect(try await rig.call("GET", "portfolio/orders/\(id)/queue_position", as: rig.bob).status == 404)
        #expect(try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.bob).status == 404)
        let amend = try await rig.call(
            "POST", "portfolio/events/orders/\(id)/amend",
            #"{"ticker":"\#(rig.market)","side":"bid","price":"0.02","count":"8"}"#, as: rig.bob)
        #expect(amend.status == 404)
        let decrease = try await rig.call(
            "POST", "portfolio/events/orders/\(id)/decrease", #"{"reduce_by":"1"}"#, as: rig.bob)
        #expect(decrease.status == 404)
        for path in ["portfolio/orders", "portfolio/fills", "portfolio/positions", "portfolio/settlements"] {
            let answer = try await rig.call("GET", path, as: rig.bob)
            #expect(!"\(answer.json)".contains(id))
            #expect(try await rig.call("GET", path).status == 401)
        }
        _ = try await rig.call("DELETE", "portfolio/events/orders", as: rig.bob)
        let still = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(still["order"]?["status"]?.string == "resting")
    }

    @Test func hugeBodiesAreCutOff() async throws {
        let rig = try await SandboxRig()
        let huge = "{\"a\":\"" + String(repeating: "x", count: 5 * 1024 * 1024) + "\"}"
        let headers = try SandboxRig.sign(rig.alice, "POST", "/trade-api/v2/portfolio/events/orders")
        let answer = try? await rig.raw("POST", "/trade-api/v2/portfolio/events/orders", huge, headers)
        #expect(answer == nil || answer?.status == 413)
        #expect(try await rig.call("GET", "exchange/status").status == 200)
    }

    /// A client that reads nothing is dropped and told; the others miss nothing.
    @Test func aSlowReaderIsDroppedAlone() async throws {
        let rig = try await SandboxRig { $0.clientBuffer = 32 * 1024 }
        let good = try await rig.feed(rig.bob)
        let names = rig.markets.map { "\"\($0)\"" }.joined(separator: ",")
        let subscribe =
            #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[\#(names)]}}"#
        await good.send(subscribe)
        _ = try await good.next("subscribed")
        let slow = try await StuckFeed(rig)
        await slow.send(subscribe)
        for _ in 0..<200 {
            try await rig.step(seconds: 30)
            try await good.settle()
            if try await rig.inside({ $0.hub.counts.overflows }) > 0 { break }
        }
        #expect(try await rig.inside { $0.hub.counts.overflows } == 1)
        var sequence: Int64 = 0
        for frame in good.take() where frame["seq"] != nil {
            sequence += 1
            #expect(frame["seq"]?.int64 == sequence)
        }
        #expect(good.isOpen)
        // What it finds when it reads at last.
        let frames = try await slow.readAll()
        #expect(frames.contains(#""code":25"#))
    }

    @Test func faultsStrikeOnDemand() async throws {
        let rig = try await SandboxRig()
        func set(_ faults: String) async throws {
            _ = try await rig.control("DELETE", "faults")
            #expect(try await rig.control("POST", "faults", faults).status == 200)
        }
        try await set(#"{"too_many_requests":1}"#)
        #expect(try await rig.call("GET", "markets").status == 429)
        try await set(#"{"server_error":1}"#)
        #expect(try await rig.call("GET", "markets").status == 503)
        try await set(#"{"maintenance":true}"#)
        #expect(try await rig.call("GET", "markets").status == 503)
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        try await set(#"{"extra_field":1}"#)
        let extra = try await rig.call("GET", "markets?limit=1")
        #expect(extra["sandbox_added_field"] != nil)
        // The write is carried out although its answer is lost, or is an error.
        try await set(#"{"lose_response":1}"#)
        let lost = try? await rig.place(
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", #","client_order_id":"lost""#),
            as: rig.alice)
        #expect(lost == nil)
        try await set(#"{"error_after_write":1}"#)
        let failed = try await rig.place(
            SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", #","client_order_id":"failed""#),
            as: rig.alice)
        #expect(failed.status == 504)
        try await set("{}")
        let orders = try await rig.call("GET", "portfolio/orders?status=resting", as: rig.alice)
        #expect(
            Set((orders["orders"]?.array ?? []).compactMap { $0["client_order_id"]?.string }) == [
                "lost", "failed",
            ])
        #expect(try await rig.control("POST", "faults", #"{"no_such":1}"#).status == 400)
        #expect(try await rig.control("POST", "faults", #"{"server_error":2}"#).status == 400)
    }

    @Test func feedFaultsStrikeOnDemand() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        let names = rig.markets.map { "\"\($0)\"" }.joined(separator: ",")
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"],"market_tickers":[\#(names)]}}"#
        )
        _ = try await feed.next("subscribed")
        func sequences(_ faults: String) async throws -> (numbers: [Int64], types: Set<String>) {
            _ = try await rig.control("DELETE", "faults")
            _ = try await rig.control("POST", "faults", faults)
            try await feed.settle()
            _ = feed.take()
            try await rig.step(seconds: 30)
            _ = try await rig.control("DELETE", "faults")
            try await feed.settle()
            let frames = feed.take()
            return (frames.compactMap { $0["seq"]?.int64 }, Set(frames.compactMap { $0["type"]?.string }))
        }
        func isWhole(_ numbers: [Int64]) -> Bool {
            zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 }
        }
        #expect(isWhole(try await sequences("{}").numbers))
        let gaps = try await sequences(#"{"sequence_gap":0.3}"#).numbers
        #expect(!isWhole(gaps) && gaps == gaps.sorted())
        let doubled = try await sequences(#"{"duplicate_frame":0.3}"#).numbers
        #expect(Set(doubled).count < doubled.count)
        let shuffled = try await sequences(#"{"reorder_frame":0.3}"#).numbers
        #expect(shuffled != shuffled.sorted())
        #expect(try await sequences(#"{"unknown_type":0.3}"#).types.contains("sandbox_unknown"))
        _ = try await rig.control("POST", "faults", #"{"drop_socket":1}"#)
        try await rig.step(seconds: 30)
        try await feed.waitForClosure()
    }
}
