import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Testing

@testable import MartletKalshi

/// What was missed while a feed was away, asked for over REST.
@Suite struct RestReconcilerTests {
    private static let ticker = "KXHIGHNY-26NOV23-B54.5"

    private func ask(
        _ channel: FeedChannel, since: Timestamp = Timestamp(seconds: 1_790_000_000),
        _ script: @escaping FakeExchange.Script
    ) async throws -> (Result<Reconciliation, any Error>, [FakeExchange.Received]) {
        let exchange = try await FakeExchange(script)
        let client = try exchange.client(signer: .test(PrivateKey.generate(.ed25519))) { $0.attempts = 1 }
        let thread = try EventLoopThread(name: "feed")
        let result = await withCheckedContinuation { continuation in
            thread.loop.execute { [loop = thread.loop] in
                let reconciler = RestReconciler(client: client, loop: loop) {
                    [(Self.ticker, Market.ID(3))]
                }
                reconciler.reconcile(channel, since: since) { continuation.resume(returning: $0) }
            }
        }
        return (result, exchange.requests)
    }

    @Test func fillsComeOldestFirstFromTheTimeOfTheHole() async throws {
        let (result, requests) = try await ask(.fills) { request, _ in
            let row = { (id: String, second: Int) in
                """
                {"trade_id":"\(id)","order_id":"o-\(id)","market_ticker":"\(Self.ticker)","book_side":"bid",
                "outcome_side":"yes","yes_price_dollars":"0.4700","count_fp":"4.00","is_taker":false,
                "fee_cost":"0.0100","created_time":"2026-11-23T12:00:0\(second)Z"}
                """
            }
            return .ok("{\"fills\":[\(row("late", 9)),\(row("early", 1))],\"cursor\":\"\"}")
        }
        let outputs = try result.get().outputs
        let fills = outputs.compactMap { if case .fill(let fill) = $0 { fill } else { nil } }
        #expect(fills.map(\.tradeID) == ["early", "late"])
        #expect(fills.first?.price == 0.47 && fills.first?.quantity == 4)
        #expect(fills.first?.fee == Money(cents: 1))
        #expect(requests.allSatisfy { $0.query.contains("min_ts=1790000000") })
    }

    @Test func whatRestsIsAskedForLastAndWhateverItsAge() async throws {
        let (result, requests) = try await ask(.userOrders) { request, _ in
            guard request.query.contains("status=resting") else { return .ok(#"{"orders":[],"cursor":""}"#) }
            return .ok(
                """
                {"orders":[{"order_id":"o1","client_order_id":"c1","ticker":"\(Self.ticker)","status":"resting",
                "book_side":"ask","outcome_side":"no","yes_price_dollars":"0.5300","initial_count_fp":"10.00",
                "fill_count_fp":"3.00","remaining_count_fp":"7.00","created_time":"2026-11-01T00:00:00Z",
                "last_update_time":"2026-11-23T12:00:00Z"}],"cursor":""}
                """)
        }
        guard case .order(let order)? = try result.get().outputs.first else {
            Issue.record("no order")
            return
        }
        #expect(order.orderID == "o1" && order.clientOrderID == "c1" && order.side == .ask)
        #expect(order.filled == 3 && order.remaining == 7 && order.status == .resting)
        #expect(requests.count == 3)
        #expect(requests.last?.query.contains("status=resting") == true)
        #expect(requests.last?.query.contains("min_ts") == false)
    }

    @Test func aMarketThatSettledMeanwhileIsToldAsTheFeedWouldHave() async throws {
        let (result, _) = try await ask(.lifecycle) { request, _ in
            let market = Sample.market.replacingOccurrences(
                of: #""status":"active""#, with: #""status":"finalized""#
            )
            .replacingOccurrences(of: #""result":"""#, with: #""result":"yes""#)
            return .ok("{\"markets\":[\(market)],\"cursor\":\"\"}")
        }
        let events = try result.get().outputs.compactMap {
            if case .lifecycle(let message) = $0 { message.event } else { nil }
        }
        #expect(events.suffix(2) == [.determined, .settled])
    }

    @Test func withoutATimeNoTradeWasMissed() async throws {
        let (result, requests) = try await ask(.trades, since: .unknown) { _, _ in .drop }
        #expect(try result.get().trades.isEmpty && requests.isEmpty)
    }

    @Test func aFailureIsHandedOnOnce() async throws {
        let (result, _) = try await ask(.positions) { _, _ in .json(500, "") }
        #expect(throws: (any Error).self) { try result.get() }
    }
}
