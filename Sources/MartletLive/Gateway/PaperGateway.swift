import Martlet
import MartletEngine
import MartletSimulation

/// The simulated exchange in real time: orders meet the live book and its trades, nothing leaves this machine.
///
/// The same venue core, queue model, latency and fees as a backtest, so that their reports compare line by line.
package final class PaperGateway: OrderGateway {
    private let exchange: SimulatedExchange
    package weak var owner: (any GatewayOwner)?
    package private(set) var inFlight = 0
    private let limits: RateLimits
    private let nonce: UInt64

    package init(settings: SimulatedExchange.Settings, trading: TradingSettings, nonce: UInt64) {
        exchange = SimulatedExchange(
            settings: settings,
            cash: [(0, trading.startingCash)] + trading.startingCashOnShards.map { ($0.shard, $0.cash) },
            precision: trading.balancePrecision, nets: trading.returnsCollateral)
        limits = settings.limits
        self.nonce = nonce
    }

    package func define(_ market: Market, as id: Market.ID, at time: Timestamp) {
        advance(to: time)
        exchange.define(market, at: time)
    }

    package func observe(_ event: MarketEvent) {
        if exchange.nextDue <= event.receiveTime { advance(to: event.receiveTime) }
        _ = exchange.apply(event)
    }

    /// What the exchange decides by itself the simulated one announces in its place, after its own timers.
    package func observe(_ input: EngineInput, at time: Timestamp) -> EngineInput? {
        advance(to: time)
        defer { announce() }
        switch input {
        case .status(let market, let status):
            exchange.setStatus(market, status, at: time)
            return nil
        case .result(let market, let result):
            exchange.setResult(market, result, at: time)
            return nil
        case .settled(let market, let result):
            exchange.settle(market, result, at: time)
            return nil
        case .unusable(let market, _):
            exchange.setUnusable(market)
            return input
        case .market, .defined, .ticker, .reference, .started, .report, .balance, .adoptedOrder,
            .adoptedPosition, .limits, .clock, .command, .stopped:
            return input
        }
    }

    package func submit(_ command: VenueCommand, at time: Timestamp) { exchange.submit(command, at: time) }
    package var nextDue: Timestamp { exchange.nextDue }

    package func advance(to time: Timestamp) {
        guard exchange.nextDue <= time else { return }
        exchange.advance(to: time)
        announce()
        while let due = exchange.nextReport(at: time) {
            owner?.gateway(.report(due.report), at: max(due.time, time))
        }
    }

    private func announce() {
        guard exchange.hasAnnouncements else { return }
        for announcement in exchange.takeAnnouncements() {
            switch announcement {
            case .status(let market, let status, let at): owner?.gateway(.status(market, status), at: at)
            case .result(let market, let result, let at): owner?.gateway(.result(market, result), at: at)
            case .settled(let market, let result, let at): owner?.gateway(.settled(market, result), at: at)
            case .groupTriggered: break
            }
        }
    }
}
