import Martlet

/// What a strategy asked for in a callback, in the order in which it asked.
package enum Intent: Hashable, Sendable {
    case place(OrderID, OrderRequest)
    case amend(OrderID, price: Price, quantity: Quantity)
    case decrease(OrderID, to: Quantity)
    case cancel(OrderID)
    /// Nil: in every market.
    case cancelAll(Market.ID?)
    case quote(Market.ID, bid: Quote?, ask: Quote?)
}

/// An intent and the index of the strategy that has it.
package struct StrategyIntent: Hashable, Sendable {
    package var strategy: Int
    package var intent: Intent
}

/// What the trading core wants its strategies told, in order. `strategy` is the strategy's index.
package enum TradingEvent: Hashable, Sendable {
    case order(Order, strategy: Int)
    /// The order's own `.order` event follows.
    case fill(Fill, strategy: Int, position: Position)
    case settlement(Settlement, strategy: Int)
    /// The state of one strategy, or of all when `strategy` is nil.
    case risk(RiskState, reason: String, strategy: Int?)
}
