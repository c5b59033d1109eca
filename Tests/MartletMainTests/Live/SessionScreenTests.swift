import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletLive
@testable import MartletMain

@Suite struct SessionScreenTests {
    private func status(markets: Int, budgets: Int, obstacles: Int) -> StatusSnapshot {
        StatusSnapshot(
            mode: "live", environment: "demo", time: 2_000_000_000, started: 1_000_000_000, risk: .active,
            obstacles: (0..<obstacles).map { "obstacle \($0)" }, cash: 100, equity: 100,
            strategies: [
                .init(name: "maker", state: .active, realized: .zero, unrealized: .zero, fees: .zero)
            ],
            markets: (0..<markets).map {
                .init(
                    ticker: "KXT-\($0)", status: "open", bid: 0.4, ask: 0.5, bidSize: 1, askSize: 1,
                    position: 0, profit: .zero, ownBid: 0, ownAsk: 0)
            }, orders: [],
            budgets: (0..<budgets).map {
                .init(shard: $0, available: 1, capacity: 2, spent: 3, waiting: 0)
            },
            refusals: [.init(rule: "balance", count: 3)], connections: 1, liveBooks: 1, wantedBooks: 1,
            events: 1, commands: 1, fills: 0, rateLimited: 0, unknownOrders: 0, openOrders: 0,
            limits: RiskLimits())
    }
    private let remarks = (0..<9).map {
        SessionLog.Line(time: Timestamp(seconds: Int64($0)), level: .info, text: "remark \($0)")
    }

    /// A block that is higher than the terminal cannot be drawn over itself.
    @Test func fitsEveryHeight() {
        for rows in 1...60 {
            for (markets, budgets, obstacles) in [(0, 0, 0), (1, 1, 0), (12, 1, 1), (40, 5, 3)] {
                let status = status(markets: markets, budgets: budgets, obstacles: obstacles)
                let lines = SessionScreen.text(status, remarks, rows: rows)
                #expect(lines.count <= rows)
                #expect(lines.first?.contains("LIVE") == true)
                guard rows >= 12 else { continue }
                for obstacle in status.obstacles { #expect(lines.contains("! \(obstacle)"), "\(rows) rows") }
            }
        }
    }

    @Test func marketsGiveWayFirst() {
        let status = status(markets: 12, budgets: 2, obstacles: 1)
        func shown(_ rows: Int) -> (markets: Int, remarks: Int, rest: Bool) {
            let lines = SessionScreen.text(status, remarks, rows: rows)
            return (
                lines.count { $0.hasPrefix("KXT-") }, lines.count { $0.contains(" remark ") },
                lines.contains { $0.hasPrefix("and ") }
            )
        }
        #expect(shown(59) == (10, 5, true))
        #expect(shown(23).remarks == 5 && shown(23).rest && (1...9).contains(shown(23).markets))
        #expect(shown(17).markets == 1 && shown(17).remarks > 0)
    }
}
