import Martlet

// What rests when limits become stricter.
extension TradingCore {
    /// Takes off what was approved under looser limits and could still break the present ones. Orders that only
    /// bring a position nearer to zero stay.
    func pullBeyondLimits(_ now: Timestamp) {
        for portfolio in portfolios.indices {
            let limits = portfolio == account ? gate.accountLimits : gate.strategyLimits
            let surplus = max(portfolios[portfolio].openOrders - max(limits.maxOpenOrders, 0), 0)
            var newest: [Int] = []
            forEachOpen(of: portfolio, in: nil) { newest.append($0) }
            for (index, slot) in newest.reversed().enumerated()
            where index < surplus || breaks(limits, of: portfolio, slot) { pull(slot, now) }
        }
    }

    private func pull(_ slot: Int, _ now: Timestamp) {
        guard store.records[slot].isOpen else { return }
        dropQuote(of: slot)
        cancel(slot, now)
    }

    private func breaks(_ limits: RiskLimits, of portfolio: Int, _ slot: Int) -> Bool {
        let order = store.records[slot].order
        if store.records[slot].outstanding > limits.maxOrderSize { return true }
        let market = Int(order.market.index)
        let holding = portfolios[portfolio].holdings[market]
        let isReducing =
            !holding.position.quantity.isZero
            && holding.position.quantity.hundredths * order.side.sign
                <= -holding.open[order.side].quantity.hundredths
        return !isReducing && !portfolios[portfolio].current(market).isWithin(limits)
    }
}
