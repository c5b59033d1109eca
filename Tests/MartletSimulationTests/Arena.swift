import Martlet
import MartletEngine

@testable import MartletSimulation

/// A venue with one market and some accounts, and short words for what tests do with it.
final class Arena {
    let venue: Venue
    let market: Market.ID
    var now = Timestamp(seconds: 1_800_000_000)
    private var nextOrder: UInt64 = 0

    init(
        _ settings: VenueSettings = VenueSettings(), market: Market = Market(ticker: "KX-T-M"),
        accounts: Int = 2, cash: Money = 100_000, nets: Bool = false
    ) {
        venue = Venue(settings: settings)
        self.market = venue.define(market, at: now)
        for _ in 0..<accounts { _ = venue.addAccount([(market.shard, cash)], nets: nets) }
    }

    func step(_ span: TimeSpan = .milliseconds(1)) {
        now = now + span
        venue.advance(to: now)
    }

    // MARK: The crowd

    @discardableResult
    func crowd(
        _ side: Side, _ change: Quantity, at price: Price, end: Bool = true, in market: Market.ID? = nil
    ) -> BookFault? {
        venue.apply(
            MarketEvent(
                .delta, market: market ?? self.market, side: side, price: price, quantity: change,
                flags: end ? .groupEnd : [], exchangeTime: now, receiveTime: now))
    }
    func trade(
        taker: Side, _ quantity: Quantity, at price: Price, end: Bool = true, flags: MarketEvent.Flags = []
    ) {
        var flags = flags
        if end { flags.insert(.groupEnd) }
        _ = venue.apply(
            MarketEvent(
                .trade, market: market, side: taker, price: price, quantity: quantity, flags: flags,
                exchangeTime: now, receiveTime: now))
    }

    // MARK: Orders

    func newID() -> OrderID {
        nextOrder += 1
        return OrderID(nextOrder)
    }
    /// Places an order and returns its id and everything that was reported.
    @discardableResult
    func place(
        _ side: Side, _ quantity: Quantity, at price: Price, account: Int = 1,
        _ timeInForce: TimeInForce = .goodTillCancelled, postOnly: Bool = false, reduceOnly: Bool = false,
        stp: SelfTradePrevention = .takerAtCross, onPause: Bool = false, id: OrderID? = nil,
        group: Int? = nil, in market: Market.ID? = nil
    ) -> (id: OrderID, reports: [AccountReport]) {
        let id = id ?? newID()
        let request = OrderRequest(
            side, quantity, at: price, in: market ?? self.market, timeInForce: timeInForce,
            isPostOnly: postOnly, isReduceOnly: reduceOnly, selfTradePrevention: stp, cancelsOnPause: onPause)
        venue.place(PlaceOrder(id: id, request: request), account: account, group: group, at: now)
        return (id, take())
    }
    func take() -> [AccountReport] {
        venue.reports.takeAll()
    }
    func cancel(_ id: OrderID, account: Int = 1) -> [AccountReport] {
        venue.cancel(id, market: market, account: account, at: now)
        return take()
    }
    func amend(_ id: OrderID, _ side: Side, _ quantity: Quantity, at price: Price, account: Int = 1)
        -> [AccountReport]
    {
        venue.amend(
            AmendOrder(id: id, market: market, side: side, price: price, quantity: quantity),
            account: account, at: now)
        return take()
    }
}

extension [AccountReport] {
    var bodies: [VenueReport.Body] { map(\.report.body) }
    func fills(_ account: Int = 1) -> [Fill] {
        compactMap { entry in
            guard entry.account == account, case .filled(let fill) = entry.report.body else { return nil }
            return fill
        }
    }
    func filled(_ account: Int = 1) -> Quantity { fills(account).reduce(.zero) { $0 + $1.quantity } }
    var rejection: VenueRejection? {
        for entry in self {
            if case .rejected(let why) = entry.report.body { return why }
            if case .changeRejected(_, let why) = entry.report.body { return why }
        }
        return nil
    }
    var ends: [CancelReason] {
        compactMap { entry in
            switch entry.report.body {
            case .accepted(_, _, let end): end
            case .ended(let reason): reason
            default: nil
            }
        }
    }
}
