import MartletEngine
import MartletWire
import Testing

@testable import MartletSandbox

/// Budgets as the exchange keeps them (API.md §3).
struct LimitTests {
    @Test(arguments: RateLimits.tiers.map(\.tier))
    func everyTierIsTold(_ tier: String) async throws {
        let rig = try await SandboxRig { $0.tier = tier }
        let limits = try #require(RateLimits.tier(tier))
        let answer = try await rig.call("GET", "account/limits", as: rig.alice)
        #expect(answer["usage_tier"]?.string == tier)
        #expect(answer["read"]?["refill_rate"]?.int64 == Int64(limits.read.refill))
        #expect(answer["write"]?["bucket_capacity"]?.int64 == Int64(limits.write.capacity))
    }

    @Test func tooManyReadsAreRefusedWithABareBody() async throws {
        // Frozen budgets: the clock of the budgets runs, but not for long enough to matter beside 60 reads.
        let rig = try await SandboxRig { $0.tier = "basic" }
        var refused: SandboxRig.Answer?
        for _ in 0..<400 {
            let answer = try await rig.call("GET", "portfolio/balance", as: rig.alice)
            if answer.status == 429 {
                refused = answer
                break
            }
        }
        let answer = try #require(refused)
        #expect(answer.json == .object([.init("error", .string("too many requests"))]))
        #expect(answer.headers["Retry-After"] == nil)
        // Another account has a budget of its own, and time brings tokens back.
        #expect(try await rig.call("GET", "portfolio/balance", as: rig.bob).status == 200)
        try await rig.step(seconds: 3)
        #expect(try await rig.call("GET", "portfolio/balance", as: rig.alice).status == 200)
    }

    @Test func aBatchIsAdmittedWholeOrNotAtAll() async throws {
        let rig = try await SandboxRig { $0.tier = "basic" }
        // 11 creates cost 110 of a capacity of 100.
        let body = { (count: Int) in
            let orders = (0..<count).map { _ in SandboxRig.order(rig.market, "bid", "1", at: "0.01") }
            return #"{"orders":[\#(orders.joined(separator: ","))]}"#
        }
        let tooMany = try await rig.call("POST", "portfolio/events/orders/batched", body(11), as: rig.alice)
        #expect(tooMany.status == 429)
        let none = try await rig.call("GET", "portfolio/orders", as: rig.alice)
        #expect(none["orders"]?.array?.isEmpty == true)
        let fits = try await rig.call("POST", "portfolio/events/orders/batched", body(10), as: rig.alice)
        #expect(fits.status == 201)
    }

    @Test func shardsHaveWriteBucketsOfTheirOwn() async throws {
        let rig = try await SandboxRig { $0.tier = "basic" }
        // A batch empties the unscoped bucket; the shard's is untouched.
        let orders = (0..<10).map { _ in SandboxRig.order(rig.market, "bid", "1", at: "0.01") }
        let batch = try await rig.call(
            "POST", "portfolio/events/orders/batched", #"{"orders":[\#(orders.joined(separator: ","))]}"#,
            as: rig.alice)
        #expect(batch.status == 201)
        let scoped = #","exchange_index":2"#
        let onShard = try await rig.place(
            SandboxRig.order(rig.coin, at: "0.01", "good_till_canceled", scoped), as: rig.alice)
        #expect(onShard.status == 201)
    }
}
