import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import Testing

@testable import MartletMain

/// What other clients got wrong about fills, positions, clocks and secrets (numbered as in the field notes), with a
/// whole session on a sandbox exchange.
@Suite(.serialized) struct FieldNoteFillTests {
    @Test func fieldNote15AFillThatComesOverEveryWayCountsOnce() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            let price = market.bid + 0.01
            try rig.faults(#"{"duplicate_frame": 1}"#)
            for round in 1...3 {
                try rig.place("\(round)", .bid, 4, at: price, in: market.id)
                try rig.until("it rests") { rig.order("\(round)")?.status == .resting }
                try rig.trade(rig.other, .ask, 4, at: price, in: market.ticker)
                // The reconnect asks REST for the fill that the feed has told, or is about to tell.
                if round > 1 { try rig.control("POST", "/disconnect", "{}") }
                try rig.until("it is filled") { rig.order("\(round)")?.status == .filled }
                try rig.untilBooksAreLive()
            }
            try rig.pass(500)
            #expect(rig.memory.fills.map(\.quantity) == [4, 4, 4])
            #expect(rig.status.markets.first { $0.ticker == market.ticker }?.position == 12)
            try rig.faults(nil)
            try rig.finish()
        }
    }

    @Test func fieldNote16AFillBeforeTheAnswerToItsCreate() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.faults(#"{"latency_ms": 300}"#)
            try rig.place("taker", .bid, 1, at: market.ask, in: market.id, .immediateOrCancel)
            try rig.until("it is filled") { rig.order("taker")?.status == .filled }
            #expect(rig.memory.fills.count == 1 && rig.memory.fills.first?.isTaker == true)
            try rig.faults(nil)
            // And one whose answer never comes: it is found by its name.
            try rig.faults(#"{"lose_response": 1}"#)
            try rig.place("unanswered", .bid, 1, at: market.ask, in: market.id, .immediateOrCancel)
            try rig.pass(300)
            try rig.faults(nil)
            try rig.until("it is known as filled") { rig.order("unanswered")?.status == .filled }
            #expect(rig.memory.fills.count == 2)
            try rig.finish()
        }
    }

    @Test func fieldNote16FillsOfOrdersThatAreNotOursAreTheAccounts() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.trade(rig.sameAccount, .bid, 2, at: market.ask, in: market.ticker)
            try rig.until("the account's position is told") {
                rig.status.markets.first { $0.ticker == market.ticker }?.position == 2
            }
            #expect(rig.memory.fills.isEmpty, "no strategy's")
            let outcome = try rig.finish()
            #expect(outcome.result.facts.counters.contains { $0.name.hasPrefix("fills of orders") })
        }
    }

    @Test func aSecondLiveSessionOnTheAccountIsRefused() async throws {
        try await LiveRig.play { rig in
            let second = try SessionRun(rig.run.setup, Terminal(output: { _ in }, error: { _ in }))
            let error = #expect(throws: CommandError.self) { try second.open() }
            #expect(error?.message.contains("another live session trades on this account") == true)
            #expect(error?.message.contains(rig.run.setup.folder.path) == true)
            try rig.finish()
            try second.open()
        }
    }

    @Test func fieldNote17FourWaysToAPosition() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            func position() -> Quantity? { rig.status.markets.first { $0.ticker == market.ticker }?.position }
            func take(_ name: String, _ side: Side, _ wanted: Quantity) throws {
                let book = try #require(rig.status.markets.first { $0.ticker == market.ticker })
                let price = try #require(side == .bid ? book.ask : book.bid)
                try rig.place(name, side, 1, at: price, in: market.id, .immediateOrCancel)
                try rig.until("\(name): the position is \(wanted)") { position() == wanted }
            }
            // Buy YES; sell it again; sell YES, which is to buy NO; and give that back.
            try take("buy yes", .bid, 1)
            try take("sell yes", .ask, 0)
            try take("buy no", .ask, -1)
            try take("sell no", .bid, 0)
            let outcome = try rig.finish()
            // Each way there and back pays the spread, and nothing else but fees.
            let realized = outcome.ledger.holdings[market.ticker]?.realized ?? .zero
            #expect(realized < .zero)
        }
    }

    @Test func fieldNote24AnOrderCountsOnlyItsOwnShardsMoney() async throws {
        try await LiveRig.play(markets: 12) { rig in
            let shards = Set(rig.run.markets.map(\.shard))
            #expect(shards.count > 1)
            // More than a shard holds, and less than all do together.
            let market = try rig.market()
            let quantity = Quantity(hundredths: 100 * 11_000 * 100 / Int64(market.bid.micros / 10_000))
            try rig.act { context, memory in
                memory.named["large"] = context.place(
                    OrderRequest(.bid, quantity, at: market.bid, in: market.id))
            }
            try rig.until("it is judged") { rig.order("large") != nil }
            guard case .refused = rig.order("large")?.status else {
                Issue.record("it must not leave: \(String(describing: rig.order("large")?.status))")
                return
            }
            #expect(try rig.ledger.orders.isEmpty)
            try rig.finish()
        }
    }

    @Test(
        "fieldNote27: a clock that is off by half a second is known, and breaks nothing",
        arguments: [-500, 500])
    func fieldNote27(skew: Int) async throws {
        try await LiveRig.play { rig in
            try rig.faults("{\"clock_skew_ms\": \(skew)}")
            let market = try rig.market()
            let price = market.bid + 0.01
            for round in 1...3 {
                try rig.place("\(round)", .bid, 1, at: price, in: market.id)
                try rig.until("it rests") { rig.order("\(round)")?.status == .resting }
                try rig.trade(rig.other, .ask, 1, at: price, in: market.ticker)
                try rig.until("it is filled") { rig.order("\(round)")?.status == .filled }
            }
            #expect(rig.memory.fills.count == 3)
            try rig.faults(nil)
            try rig.finish()
        }
    }

    @Test func fieldNote31NoOutputHoldsAKeyAndOnlyTheIdentityItsToken() async throws {
        try await LiveRig.play { rig in
            let market = try rig.market()
            try rig.place("one", .bid, 1, at: market.bid, in: market.id)
            try rig.until("it rests") { rig.order("one")?.status == .resting }
            let pem = try String(contentsOfFile: rig.exchange.files.key, encoding: .utf8)
            let secret = try #require(pem.split(separator: "\n").dropFirst().first).description
            let token = try #require(rig.run.support?.identity.token)
            try rig.finish()
            let root = rig.run.setup.folder.path
            let files = try #require(FileManager.default.enumerator(atPath: root)).compactMap {
                $0 as? String
            }
            #expect(files.count > 5)
            for file in files {
                guard let data = FileManager.default.contents(atPath: root + "/" + file) else { continue }
                #expect(data.range(of: Data(secret.utf8)) == nil, "\(file) holds the key")
                #expect(data.range(of: Data("PRIVATE KEY".utf8)) == nil, "\(file) holds a key")
                guard data.range(of: Data(token.utf8)) != nil else { continue }
                let mode = try FileManager.default.attributesOfItem(atPath: root + "/" + file)[
                    .posixPermissions]
                #expect((mode as? NSNumber)?.intValue == 0o600, "\(file) holds the token")
            }
        }
    }
}
