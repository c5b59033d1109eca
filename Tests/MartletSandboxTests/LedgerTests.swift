import Martlet
import MartletWire
import Testing

@testable import MartletSandbox

/// The exchange's own books as tests ask for them.
struct LedgerTests {
    @Test func theLedgerKnowsEverythingOfAnAccount() async throws {
        let rig = try await SandboxRig { $0.world.activity = 0 }
        let named = { (id: String) in ",\"client_order_id\":\"\(id)\"" }
        let maker = try await rig.place(
            SandboxRig.order(rig.market, "ask", "7", at: "0.01", "good_till_canceled", named("rests")),
            as: rig.alice)
        let id = try #require(maker["order_id"]?.string)
        // The world's bid may have taken some of it: the account's books say what.
        let own = try await rig.control("GET", "ledger?account=alice")
        let account = try #require(own["accounts"]?.array?.first)
        let order = try #require(account["orders"]?.array?.first { $0["order_id"]?.string == id })
        #expect(own["balanced"]?.bool == true && own["now_ns"]?.int64 != nil)
        #expect(account["key_ids"]?.array?.map(\.string) == ["alice"])
        #expect(order["client_order_id"]?.string == "rests" && order["side"]?.string == "ask")
        let filled = try Quantity(parsing: try #require(order["filled"]?.string))
        let fills = account["fills"]?.array ?? []
        let counts = try fills.map { try Quantity(parsing: $0["count"]?.string ?? "") }
        #expect(counts.reduce(.zero, +) == filled)
        let holding = account["subaccounts"]?.array?.first?["positions"]?.array?.first
        #expect(holding?["position"]?.string == (filled.isZero ? nil : "-\(filled)"))
        // Cash is what was paid in, less what was paid for positions and fees.
        let shards = account["subaccounts"]?.array?.first?["shards"]?.array ?? []
        let cash = try shards.reduce(Money.zero) { try $0 + Money(parsing: $1["cash"]?.string ?? "") }
        let paid = try [holding?["cost"]?.string, holding?["fees"]?.string]
            .reduce(Money.zero) { try $0 + Money(parsing: $1 ?? "0") }
        #expect(cash + paid == Money(dollars: 40_000))
        let all = try await rig.control("GET", "ledger")
        #expect(all["accounts"]?.array?.count == 2)
        #expect(try await rig.control("GET", "ledger?account=nobody").status == 404)
        #expect(try await rig.raw("GET", "/sandbox/ledger", nil, [:]).status == 403)
    }

    @Test func freshnessFollowsTheClockAndLagsOnDemand() async throws {
        let rig = try await SandboxRig()
        func stamp() async throws -> Timestamp {
            let answer = try await rig.call("GET", "exchange/user_data_timestamp")
            return try #require(answer["as_of_time"]?.string.flatMap { Timestamp(rfc3339: $0) })
        }
        let first = try await stamp()
        try await rig.step(seconds: 7)
        #expect(try await stamp() - first == .seconds(7))
        #expect(try await rig.control("POST", "faults", #"{"user_data_lag_ms":5000}"#).status == 200)
        #expect(try await stamp() - first == .seconds(2))
        let answer = try await rig.control("DELETE", "faults")
        #expect(answer["user_data_lag_ms"] != nil)
        #expect(try await stamp() - first == .seconds(7))
    }
}
