import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import Testing

@testable import MartletMain

/// What other clients got wrong about orders (numbered as in the field notes), with a whole session on a sandbox exchange
/// that has the fault.
@Suite(.serialized) struct FieldNoteOrderTests {
    @Test(
        "fieldNotes01_06: whatever becomes of an order's answer, the exchange has the order once",
        arguments: [
            "lose_response", "error_after_write", "hang_response", "too_many_requests", "server_error",
            "drop_connection",
        ])
    func fieldNotes01_06(fault: String) async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.faults("{\"\(fault)\": 1}")
            try rig.place("one", .bid, 5, at: market.bid - 0.01, in: market.id)
            try rig.pass(900)
            try rig.faults(nil)
            try rig.until("the order's fate is known") {
                guard let order = rig.order("one") else { return false }
                return order.status == .resting || order.status.isFinal
            }
            let known = try #require(rig.order("one"))
            #expect(try rig.ledger.orders.count <= 1)
            #expect(try rig.resting.count == (known.status == .resting ? 1 : 0), "\(fault): \(known.status)")
            // A refusal for want of budget is no end: the order is kept and sent again.
            if fault == "too_many_requests" { #expect(known.status == .resting) }
            try rig.finish()
        }
    }

    @Test func fieldNote12AStormOf429KeepsEveryOrderAndDoublesNone() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.faults(#"{"too_many_requests": 0.7}"#)
            try rig.act { context, memory in
                for step in 1...8 {
                    memory.named["\(step)"] = context.place(
                        OrderRequest(
                            .bid, 1, at: market.bid - Price(micros: Int32(step) * 10_000), in: market.id))
                }
            }
            try rig.pass(1500)
            #expect(rig.status.rateLimited > 0)
            try rig.faults(nil)
            try rig.until("all eight rest") { try rig.resting.count == 8 }
            try rig.until("and are known to") { rig.status.orders.count { $0.status == "resting" } == 8 }
            try rig.finish()
        }
    }

    @Test func fieldNote13AfterAnOutageOrdersAreStillOurs() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.place("kept", .bid, 5, at: market.bid, in: market.id)
            try rig.until("it rests") { rig.order("kept")?.status == .resting }
            // Nothing gets through, and every socket is cut.
            try rig.faults(#"{"drop_connection": 1, "drop_socket": 1}"#)
            try rig.control("POST", "/disconnect", "{}")
            try rig.pass(2500)
            #expect(rig.order("kept")?.status == .resting, "no news is no end")
            try rig.faults(nil)
            try rig.until("the books are back") { rig.status.liveBooks == rig.status.wantedBooks }
            #expect(rig.order("kept")?.status == .resting)
            try rig.act { context, memory in memory.named["kept"].map { context.cancel($0) } }
            try rig.until("it can be cancelled") { rig.order("kept")?.status.isFinal == true }
            #expect(try rig.resting.isEmpty)
            try rig.finish()
        }
    }

    @Test func fieldNote14ACancelThatCrossesAFillEndsAsFilled() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            let price = market.bid + 0.01
            try rig.place("crossed", .bid, 5, at: price, in: market.id)
            try rig.until("it rests") { rig.order("crossed")?.status == .resting }
            // The fill's message is on its way while the cancel is sent: 404.
            try rig.faults(#"{"feed_delay_ms": 600}"#)
            try rig.trade(rig.other, .ask, 5, at: price, in: market.ticker)
            try rig.act { context, memory in memory.named["crossed"].map { context.cancel($0) } }
            // The feed tells of the fill, or the look at REST that the 404 leads to.
            try rig.until("the fill is told") { rig.order("crossed")?.status == .filled }
            #expect(rig.memory.fills.map(\.quantity) == [5])
            try rig.faults(nil)
            try rig.finish()
        }
    }

    @Test func fieldNote20AnAmendAfterAPartialFillLeavesWhatWasAskedFor() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            let price = market.bid + 0.01
            try rig.place("amended", .bid, 10, at: price, in: market.id)
            try rig.until("it rests") { rig.order("amended")?.status == .resting }
            try rig.trade(rig.other, .ask, 4, at: price, in: market.ticker)
            try rig.until("four are filled") { rig.order("amended")?.filled == 4 }
            try rig.act { context, memory in
                memory.named["amended"].map { context.amend($0, price: market.bid, quantity: 10) }
            }
            try rig.until("it rests at its new price") { rig.order("amended")?.price == market.bid }
            #expect(rig.order("amended")?.remaining == 6)
            #expect(try rig.resting.map(\.remaining) == [6])
            try rig.finish()
        }
    }

    @Test func fieldNote22AHaltGoesOnUntilNothingRestsWhateverFails() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            for step in 1...4 {
                try rig.place(
                    "\(step)", .bid, 1, at: market.bid - Price(micros: Int32(step) * 10_000), in: market.id)
            }
            try rig.until("four rest") { try rig.resting.count == 4 }
            try rig.faults(
                #"{"lose_response": 0.4, "server_error": 0.4, "too_many_requests": 0.4, "drop_socket": 0.3}"#)
            rig.run.session?.take(.command(.halt(reason: "a test")), at: rig.run.session?.now ?? .unknown)
            try rig.pass(1500)
            try rig.faults(nil)
            try rig.until("nothing rests") { try rig.resting.isEmpty }
            try rig.until("and it is known") { rig.status.openOrders == 0 }
            #expect(rig.status.risk == .halted)
            try rig.place("late", .bid, 1, at: market.bid - 0.05, in: market.id)
            guard case .refused = rig.order("late")?.status else {
                Issue.record("a halted session takes no order: \(String(describing: rig.order("late")))")
                return
            }
            try rig.finish()
        }
    }
}
