import Martlet
import MartletEngine
import MartletKalshi
import MartletWire

// What the private channels, and REST in their place, tell of our orders.
extension TradingSession {
    // MARK: Fills

    func take(_ message: FillMessage, at time: Timestamp) {
        guard let rest, !account.knownTrades.contains(message.tradeID) else { return }
        account.moves(directory.id(of: message.ticker), at: time, isTrade: true)
        if let order = rest.orders.order(
            venueOrderID: message.orderID, clientOrderID: message.clientOrderID)
        {
            book(message, order, at: time)
        } else {
            // Its order's answer may be on its way, or its outcome still unknown.
            account.unclaimed.append((message, time))
            loop.defer { [weak self] in self?.claimFills() }
        }
    }

    private func book(_ message: FillMessage, _ order: OrderID, at time: Timestamp) {
        guard let market = directory.id(of: message.ticker) else {
            account.movedOutside = true
            return tellStranger("fills in markets that this session does not follow", at: time)
        }
        rest?.learn(order, market, venueID: message.orderID, at: time)
        account.moves(market, at: time, isTrade: true)
        take(
            .report(
                VenueReport(
                    message, order: order, market: market,
                    untoldFee: untoldFee(message, market))), at: time)
    }

    /// What the fee model gives for a fill that came without its fee.
    private func untoldFee(_ message: FillMessage, _ market: Market.ID) -> Money {
        let terms = directory.market(market)?.fees ?? .standard
        return terms.tradeFee(
            price: message.price, quantity: message.quantity, isTaker: message.isTaker,
            at: message.exchangeTime)
    }

    /// Books the fills whose order has a name by now; those that can be nobody's order of this run any more are
    /// booked as nobody's.
    func claimFills() {
        guard !account.unclaimed.isEmpty, let rest else { return }
        let now = now
        let waiting = account.unclaimed
        account.unclaimed = []
        for (fill, since) in waiting {
            if let order = rest.orders.order(venueOrderID: fill.orderID, clientOrderID: fill.clientOrderID) {
                book(fill, order, at: now)
                continue
            }
            let market = directory.id(of: fill.ticker)
            let mayBeOurs =
                market.map { rest.awaitsPlace(in: $0) || engine.shared.trading.hasUnknownPlaces(in: $0) }
                ?? false
            if mayBeOurs || now - since < PrivateAccount.patience {
                account.unclaimed.append((fill, since))
            } else {
                account.strangers += 1
                tellStranger("fills of its orders", at: now)
                // No order has this number: the engine books it as nobody's.
                book(fill, OrderID(0), at: now)
            }
        }
    }

    private func tellStranger(_ kind: String, at time: Timestamp) {
        if let line = account.note(kind, at: time) { tell(.stranger(line)) }
    }

    // MARK: Orders

    func take(_ message: UserOrderMessage, at time: Timestamp) {
        guard let rest, let market = directory.id(of: message.ticker) else { return }
        guard
            let order = rest.orders.order(
                venueOrderID: message.orderID, clientOrderID: message.clientOrderID)
        else {
            if message.status == .resting { tellStranger("orders", at: time) }
            return
        }
        rest.learn(order, market, venueID: message.orderID, at: time)
        take(.report(VenueReport(message, order: order, market: market)), at: time)
        claimFills()
    }

    /// After an answer to a request of ours.
    func answered(_ report: VenueReport) {
        account.moves(report.market, at: now)
        if !account.unclaimed.isEmpty { claimFills() }
    }

    func finished(_ order: Order) {
        account.moves(order.market, at: engine.now)
        rest?.finished(order.id)
    }

    // MARK: Order groups

    func take(_ message: OrderGroupMessage, at time: Timestamp) {
        guard message.event == "triggered", rest?.orders.groups.values.contains(message.group) == true else {
            return
        }
        tell(.groupTriggered(message.group))
        take(
            .command(.halt(reason: "the exchange cancelled our orders: an order group reached its limit")),
            at: time)
    }
}
