import Martlet
import MartletNetwork
import MartletWire
import Testing

@testable import MartletSandbox

/// Each fault by itself: switched on at run time, seen by a client, switched off again.
struct FaultTests {
    @Test(arguments: Faults.names)
    func everyFaultHasASwitch(name: String) throws {
        var faults = Faults()
        try faults.set(name, to: Faults.switches.contains { $0.name == name } ? "true" : "0.5")
        #expect(faults != Faults())
        try faults.set(name, to: Faults.switches.contains { $0.name == name } ? "false" : "0")
        #expect(faults == Faults())
        for wrong in ["", "x", "nan", "-700000", "700000"] {
            #expect(throws: Faults.Problem.self) { try faults.set(name, to: wrong) }
        }
    }

    private func order(_ rig: SandboxRig, _ id: String) -> String {
        SandboxRig.order(rig.market, at: "0.01", "good_till_canceled", ",\"client_order_id\":\"\(id)\"")
    }
    private func clientIDs(_ rig: SandboxRig) async throws -> [String] {
        let ledger = try await rig.control("GET", "ledger?account=alice")
        let orders = ledger["accounts"]?.array?.first?["orders"]?.array ?? []
        return orders.compactMap { $0["client_order_id"]?.string }
    }

    @Test func aDroppedConnectionLeavesNoOrder() async throws {
        let rig = try await SandboxRig()
        _ = try await rig.control("POST", "faults", #"{"drop_connection":1}"#)
        await #expect(throws: (any Error).self) { try await rig.place(order(rig, "dropped"), as: rig.alice) }
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.place(order(rig, "after"), as: rig.alice).status == 201)
        #expect(try await clientIDs(rig) == ["after"])
    }

    @Test func aHungRequestIsNeverAnswered() async throws {
        let rig = try await SandboxRig()
        _ = try await rig.control("POST", "faults", #"{"hang_response":1}"#)
        let path = "/trade-api/v2/exchange/status"
        await #expect(throws: (any Error).self) {
            var request = HTTPRequest("GET", rig.endpoint, path)
            request.isIdempotent = false
            _ = try await rig.client.send(request, timeout: Nanoseconds.milliseconds(300))
        }
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.call("GET", "exchange/status").status == 200)
    }

    @Test func latencyHoldsAnswersBack() async throws {
        let rig = try await SandboxRig()
        _ = try await rig.control("POST", "faults", #"{"latency_ms":40,"jitter_ms":10}"#)
        let began = Clocks.monotonic()
        #expect(try await rig.call("GET", "exchange/status").status == 200)
        #expect(Clocks.monotonic() - began >= Nanoseconds.milliseconds(40))
    }

    @Test func aHalfOpenSocketIsSilentUntilItIsHealed() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        await feed.send(
            #"{"id":1,"cmd":"subscribe","params":{"channels":["user_orders"]}}"#)
        _ = try await feed.next("subscribed")
        _ = try await rig.control("POST", "faults", #"{"half_open":true}"#)
        #expect(try await rig.place(order(rig, "unheard"), as: rig.alice).status == 201)
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.place(order(rig, "heard"), as: rig.alice).status == 201)
        let first = try await feed.next("user_order")
        #expect(first["msg"]?["client_order_id"]?.string == "heard")
        #expect(feed.isOpen)
    }

    @Test func aSlowFeedLosesNothing() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        await feed.send(#"{"id":1,"cmd":"subscribe","params":{"channels":["user_orders"]}}"#)
        _ = try await feed.next("subscribed")
        _ = try await rig.control("POST", "faults", #"{"feed_delay_ms":30}"#)
        for id in ["a", "b", "c"] { _ = try await rig.place(order(rig, id), as: rig.alice) }
        for id in ["a", "b", "c"] {
            #expect(try await feed.next("user_order")["msg"]?["client_order_id"]?.string == id)
        }
    }

    @Test func aSkewedClockRefusesEverybody() async throws {
        let rig = try await SandboxRig()
        _ = try await rig.control("POST", "faults", #"{"clock_skew_ms":60000}"#)
        let answer = try await rig.call("GET", "portfolio/balance", as: rig.alice)
        #expect(answer.status == 401 && answer.code == "header_timestamp_expired")
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.call("GET", "portfolio/balance", as: rig.alice).status == 200)
    }

    /// The exchange's time neither stands nor goes back when the skew ends: it falls back in step by step.
    @Test func timeGoesOnWhenASkewEnds() async throws {
        let rig = try await SandboxRig()
        func now() async throws -> Int64 {
            try #require(try await rig.control("GET", "state")["now_ns"]?.int64)
        }
        let start = try await now()
        _ = try await rig.control("POST", "faults", #"{"clock_skew_ms":30000}"#)
        #expect(try await now() == start + 30_000_000_000)
        _ = try await rig.control("DELETE", "faults")
        try await rig.step(seconds: 10)
        #expect(try await now() == start + 35_000_000_000)
        try await rig.step(seconds: 100)
        #expect(try await now() == start + 110_000_000_000)
    }

    @Test(arguments: [("pause_trading", 400, 200), ("pause_exchange", 503, 503)])
    func anExchangePauseIsAFault(name: String, place: Int, cancel: Int) async throws {
        let rig = try await SandboxRig()
        let resting = try await rig.place(order(rig, "before"), as: rig.alice)
        let id = try #require(resting["order_id"]?.string)
        _ = try await rig.control("POST", "faults", #"{"\#(name)":true}"#)
        #expect(try await rig.place(order(rig, "during"), as: rig.alice).status == place)
        #expect(try await rig.call("DELETE", "portfolio/events/orders/\(id)", as: rig.alice).status == cancel)
        #expect(try await rig.call("GET", "exchange/status")["trading_active"]?.bool == false)
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.place(order(rig, "after"), as: rig.alice).status == 201)
    }

    @Test func maintenanceCutsFeedsAndRefusesAllButTheStatus() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        _ = try await rig.control("POST", "faults", #"{"maintenance":true}"#)
        try await feed.waitForClosure()
        #expect(try await rig.call("GET", "portfolio/balance", as: rig.alice).status == 503)
        let refused = try await rig.feed(rig.alice)
        #expect(!refused.isOpen)
        let status = try await rig.call("GET", "exchange/status")
        #expect(status.status == 200 && status["exchange_active"]?.bool == false)
        _ = try await rig.control("DELETE", "faults")
        #expect(try await rig.call("GET", "exchange/status")["exchange_active"]?.bool == true)
    }

    /// A request that is read late is carried out late: latency holds the answer back, this the order.
    @Test func aSlowReadCarriesTheOrderOutLate() async throws {
        let rig = try await SandboxRig()
        _ = try await rig.control("POST", "faults", #"{"read_delay_ms":150}"#)
        async let placed = rig.place(order(rig, "late"), as: rig.alice)
        let early = try await clientIDs(rig)
        #expect(try await placed.status == 201)
        #expect(try await clientIDs(rig) == ["late"] && early.isEmpty)
    }

    @Test func fieldsAreAddedToFramesToo() async throws {
        let rig = try await SandboxRig()
        let feed = try await rig.feed(rig.alice)
        _ = try await rig.control("POST", "faults", #"{"extra_field":1}"#)
        await feed.send(#"{"id":1,"cmd":"subscribe","params":{"channels":["user_orders"]}}"#)
        let answer = try await feed.next("subscribed")
        #expect(answer["sandbox_added_field"] != nil && answer["msg"]?["sandbox_added_field"] != nil)
    }
}
