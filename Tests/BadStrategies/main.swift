import Foundation
import Martlet
import MartletMain

/// Rests a bid and an ask in each market, and after a while does what no strategy should: `Tests/Live/guard-test`
/// watches what becomes of its orders.
struct BadStrategy: Strategy {
    struct Parameters: StrategyParameters {
        /// `traps` or `loops`.
        var end = "traps"
        var after = TimeSpan.seconds(3)
        init() {}
    }
    static let name = "bad"
    private let parameters: Parameters

    init(parameters: Parameters) { self.parameters = parameters }

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
        context.setTimer(after: parameters.after)
    }

    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        guard let bid = context.book(market).bestBid, let ask = context.book(market).bestAsk else { return }
        context.quote(market, bid: Quote(bid, 1), ask: Quote(ask, 1))
    }

    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {
        FileHandle.standardError.write(Data("now it \(parameters.end)\n".utf8))
        switch parameters.end {
        case "loops": while context.now > .distantPast {}
        default: precondition(context.now == .distantPast, "a mistake of the strategy's")
        }
    }
}

MartletMain.run([BadStrategy.self])
