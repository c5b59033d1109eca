import Martlet

// A cancel whose answer was lost is safe to send again, and pointless to send again at once: a line that loses every
// answer would be asked as fast as the budget allows. It is looked up meanwhile.
extension TradingCore {
    func noteLostCancel(_ slot: Int, _ now: Timestamp) {
        let order = store.records[slot].order.id
        let due = now + settings.router.haltRetry
        lostCancels.removeAll { $0.order == order }
        lostCancels.append((order, due))
    }

    /// Whether an order's last cancel was lost so lately that the next one waits.
    func mustWaitToCancel(_ slot: Int, _ now: Timestamp) -> Bool {
        guard !lostCancels.isEmpty, case .unknown = store.records[slot].life else { return false }
        let order = store.records[slot].order.id
        return lostCancels.contains { $0.order == order && now < $0.due }
    }

    /// Sends the cancels that have waited long enough and are still wanted.
    func retryCancels(_ now: Timestamp) {
        let due = lostCancels.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        lostCancels.removeAll { $0.due <= now }
        for lost in due {
            guard let slot = store.slot(of: lost.order), store.records[slot].wantsCancel,
                store.records[slot].life.accepts(.cancel)
            else { continue }
            store.records[slot].wantsCancel = false
            cancel(slot, now)
        }
    }
}
