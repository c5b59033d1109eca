import Foundation
import Martlet

/// A strategy in the engine: one virtual call an event, whatever the strategy's type.
///
/// The strategy lives at a fixed address instead of in a stored property, for a class property pays an
/// exclusivity check at each access. Sound because the host alone allocates and frees it, and the engine never
/// calls a host from inside one of its callbacks.
@usableFromInline
package class StrategyHost {
    package let name: String
    fileprivate let context: Context

    fileprivate init(name: String, context: consuming Context) {
        self.name = name
        self.context = context
    }

    package func started() {}
    package func marketDefined(_ market: Market.ID) {}
    @usableFromInline package func bookChanged(_ market: Market.ID) {}
    @usableFromInline package func traded(_ trade: Trade) {}
    package func tickerChanged(_ ticker: Ticker) {}
    package func referenceChanged(_ value: ReferenceValue) {}
    package func statusChanged(_ market: Market.ID, _ status: MarketStatus) {}
    package func settled(_ settlement: Settlement) {}
    package func orderChanged(_ order: Order) {}
    package func filled(_ fill: Fill) {}
    package func timerFired(_ timer: TimerID) {}
    package func bookUnusable(_ market: Market.ID, _ fault: BookFault) {}
    package func bookUsable(_ market: Market.ID) {}
    package func riskChanged(_ state: RiskState) {}
    package func stopped() {}
    package func savedState() -> Data? { nil }
    package func restore(_ state: Data) throws {}
}

final class Host<S: Strategy>: StrategyHost {
    private let strategy: UnsafeMutablePointer<S>

    init(_ strategy: S, name: String, context: consuming Context) {
        self.strategy = .allocate(capacity: 1)
        self.strategy.initialize(to: strategy)
        super.init(name: name, context: context)
    }
    deinit {
        strategy.deinitialize(count: 1)
        strategy.deallocate()
    }

    override func started() { strategy.pointee.started(context) }
    override func marketDefined(_ market: Market.ID) { strategy.pointee.marketDefined(market, context) }
    override func bookChanged(_ market: Market.ID) { strategy.pointee.bookChanged(market, context) }
    override func traded(_ trade: Trade) { strategy.pointee.traded(trade, context) }
    override func tickerChanged(_ ticker: Ticker) { strategy.pointee.tickerChanged(ticker, context) }
    override func referenceChanged(_ value: ReferenceValue) {
        strategy.pointee.referenceChanged(value, context)
    }
    override func statusChanged(_ market: Market.ID, _ status: MarketStatus) {
        strategy.pointee.statusChanged(market, status, context)
    }
    override func settled(_ settlement: Settlement) { strategy.pointee.settled(settlement, context) }
    override func orderChanged(_ order: Order) { strategy.pointee.orderChanged(order, context) }
    override func filled(_ fill: Fill) { strategy.pointee.filled(fill, context) }
    override func timerFired(_ timer: TimerID) { strategy.pointee.timerFired(timer, context) }
    override func bookUnusable(_ market: Market.ID, _ fault: BookFault) {
        strategy.pointee.bookUnusable(market, fault, context)
    }
    override func bookUsable(_ market: Market.ID) { strategy.pointee.bookUsable(market, context) }
    override func riskChanged(_ state: RiskState) { strategy.pointee.riskChanged(state, context) }
    override func stopped() { strategy.pointee.stopped(context) }
    override func savedState() -> Data? { strategy.pointee.savedState() }
    override func restore(_ state: Data) throws { try strategy.pointee.restore(state) }
}

/// A strategy ready to be put into an engine: its name in this run and how to make its host.
public struct StrategySeat {
    /// Unique in a run; the strategy's own name unless one runs twice.
    public let name: String
    /// Which tickers are the strategy's business; nil for all. Others look to it as not trading and not usable,
    /// and it cannot subscribe to them.
    let accepts: ((String) -> Bool)?
    let makeHost: (consuming Context) -> StrategyHost

    public init<S: Strategy>(_ strategy: S, name: String? = nil, accepts: ((String) -> Bool)? = nil) {
        let name = name ?? S.name
        self.name = name
        self.accepts = accepts
        makeHost = { context in Host(strategy, name: name, context: context) }
    }
}
