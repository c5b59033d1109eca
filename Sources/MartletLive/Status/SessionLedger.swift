import Martlet
import MartletEngine

/// A session's account as its engine has it, to the last unit: to be held against the exchange's own ledger.
package struct SessionLedger: Hashable, Sendable {
    package struct Holding: Hashable, Sendable {
        package var quantity: Quantity
        /// Realised profit before fees.
        package var realized: Money
        package var fees: Money
    }
    /// By shard, before what resting orders tie up.
    package var cash: [Int: Money] = [:]
    /// By ticker: markets ever traded.
    package var holdings: [String: Holding] = [:]
}

extension TradingSession {
    package var ledger: SessionLedger {
        var ledger = SessionLedger()
        let trading = engine.shared.trading
        for shard in trading.cash.shards { ledger.cash[shard.number] = shard.cash }
        for index in 0..<directory.count {
            let market = Market.ID(index)
            let position = trading.accountPosition(market)
            guard position != Position() else { continue }
            ledger.holdings[directory.ticker(market)] = .init(
                quantity: position.quantity, realized: position.realized, fees: position.fees)
        }
        return ledger
    }
}
