import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

// What the feed tells, on its way to the engine.
extension TradingSession: FeedReceiver {
    package func feed(_ event: MarketEvent) {
        sign(event.receiveTime)
        // Strategies would go on asking, and be refused.
        if isEnding { return }
        beginPass()
        defer { endPass() }
        if !corrections.isEmpty { applyCorrections() }
        guard ownBook != nil, event.kind != .trade else { return process(event) }
        feedWithoutOwn(event)
    }

    /// Takes what is ours out of the exchange's book.
    private func feedWithoutOwn(_ event: MarketEvent) {
        switch event.kind {
        case .delta:
            if !event.flags.contains(.own), ownBook?.hasLevels(event.market) != true { return process(event) }
            let shown = shownSize(event.market, event.side, event.price)
            var changed = event
            changed.quantity = ownBook?.change(event, shown: shown) ?? event.quantity
            changed.flags.remove(.own)
            if !changed.quantity.isZero { return process(changed) }
            // Nothing of others changed, but a group may have ended.
            guard changed.flags.contains(.groupEnd) else { return }
            process(
                MarketEvent(
                    .groupEnd, market: event.market, flags: changed.flags, exchangeTime: event.exchangeTime,
                    receiveTime: event.receiveTime))
        case .snapshotStart:
            ownBook?.beginSnapshot(event.market, resting: restingSizes(event.market))
            process(event)
        case .snapshotLevel:
            var changed = event
            changed.quantity = ownBook?.snapshotLevel(event) ?? event.quantity
            process(changed)
        case .trade, .groupEnd: process(event)
        }
    }

    /// What the engine's book shows at a level, or is about to.
    func shownSize(_ market: Market.ID, _ side: Side, _ price: Price) -> Quantity {
        guard engine.markets.isKnown(market) else { return .zero }
        return corrections.reduce(engine.markets.book(market).size(side, at: price)) { sum, event in
            let isThere = event.market == market && event.side == side && event.price == price
            return isThere ? sum + event.quantity : sum
        }
    }
    private func applyCorrections() {
        let waiting = corrections
        corrections = []
        for event in waiting {
            var event = event
            event.receiveTime = now
            process(event)
        }
    }
    func restingSizes(_ market: Market.ID) -> [(side: Side, price: Price, size: Quantity)] {
        engine.shared.trading.restingOrders(in: market).map { ($0.side, $0.price, $0.remaining) }
    }

    package func isCrossed(_ market: Market.ID) -> Bool {
        engine.markets.isKnown(market) && engine.markets.book(market).isCrossed
    }

    package func feedDrained(at time: Timestamp) {
        settleOwn(at: time)
        advance()
    }

    /// Brings markets in which nothing of ours has moved for a while to what our orders' state says.
    private func settleOwn(at time: Timestamp) {
        for market in ownBook?.takeQuiet(at: time) ?? [] {
            guard !engine.shared.trading.hasOpenRequests(in: market) else {
                ownBook?.touch(market, at: time)
                continue
            }
            var changes: [MarketEvent] = []
            let resting = restingSizes(market)
            ownBook?.settle(market, resting: resting, shown: { shownSize(market, $0, $1) }) {
                changes.append(
                    MarketEvent(
                        .delta, market: market, side: $0, price: $1, quantity: $2, flags: .groupEnd,
                        receiveTime: time))
            }
            for change in changes { process(change) }
        }
    }
    func noteOwn(_ command: VenueCommand, at time: Timestamp) {
        for market in command.markets {
            account.moves(market, at: time)
            ownBook?.touch(market, at: time)
        }
    }
    /// A resting order of ours traded, whether or not the book has shown it.
    func restingFilled(_ fill: Fill, at time: Timestamp) {
        account.moves(fill.market, at: time, isTrade: true)
        guard ownBook != nil else { return }
        let truth = engine.shared.trading.ownResting(fill.market, fill.side, fill.price)
        let shown = shownSize(fill.market, fill.side, fill.price)
        guard let change = ownBook?.filled(fill, truth: truth, shown: shown, at: time), !change.isZero else {
            return
        }
        let correction = MarketEvent(
            .delta, market: fill.market, side: fill.side, price: fill.price, quantity: change,
            flags: .groupEnd, receiveTime: time)
        // After this delivery: the engine is in the midst of it.
        corrections.append(correction)
        loop.defer { [weak self] in
            if let self, !corrections.isEmpty { applyCorrections() }
        }
    }

    package func feed(_ output: FeedOutput, at time: Timestamp) {
        sign(time)
        beginPass()
        defer { endPass() }
        takeIn(output, at: time)
    }

    /// What the feed or REST in its place says.
    func takeIn(_ output: FeedOutput, at time: Timestamp) {
        switch output {
        case .unusable(let market, let fault): take(.unusable(market, fault), at: time)
        case .ticker(let ticker): take(.ticker(ticker), at: time)
        case .reference(let value): take(.reference(value), at: time)
        case .lifecycle(let message):
            for input in directory.apply(message) { take(input, at: time) }
            onLifecycle(message, time)
        case .event(let message): for input in directory.apply(message) { take(input, at: time) }
        case .fees(let message): for input in directory.apply(message) { take(input, at: time) }
        case .fill(let message): take(message, at: time)
        case .order(let message): take(message, at: time)
        case .position(let message):
            if directory.id(of: message.ticker) == nil { account.movedOutside = true }
        case .orderGroup(let message): take(message, at: time)
        case .refused(let channel, let tickers, _, let reason):
            tell(.refused(channel: channel.wire, tickers: tickers, reason: reason))
        case .remark(let text): tell(.remark(text))
        case .stalled: tell(.remark("the exchange answers no more: the connection is replaced"))
        case .subscribed(let channel): if channel == .lifecycle { hasLifecycles = true }
        case .tradeID, .reconcile, .overLimit, .unknownMarket: break
        }
    }

    package func feed(_ change: FeedConnection.Change, connection: Int) {
        switch change {
        case .connecting: break
        case .open:
            lost[connection] = nil
            tell(.connected(connection: connection))
        case .lost(let reason, _), .refused(_, let reason, _): noteLoss(connection, "\(reason)")
        }
    }

    /// The loss is told at once, that it lasts every half minute.
    private func noteLoss(_ connection: Int, _ reason: String) {
        let now = now
        guard var loss = lost[connection] else {
            lost[connection] = Loss(since: now, told: now)
            return tell(.disconnected(connection: connection, reason: reason))
        }
        loss.attempts += 1
        if now - loss.told >= .seconds(30) {
            loss.told = now
            tell(
                .remark(
                    "connection \(connection): none yet after \(loss.attempts) attempts in "
                        + "\(Int((now - loss.since).seconds)) s: \(reason)"))
        }
        lost[connection] = loss
    }
}

extension VenueCommand {
    /// It may bring a trade about that would not be without it.
    var isPlacing: Bool {
        switch self {
        case .place, .placeBatch, .amend: true
        case .decrease, .cancel, .cancelBatch, .cancelEverything: false
        }
    }

    /// The markets that a command is about.
    var markets: [Market.ID] {
        switch self {
        case .place(let order): [order.request.market]
        case .amend(let order): [order.market]
        case .decrease(_, let market, _), .cancel(_, let market): [market]
        case .placeBatch(let orders): orders.map(\.request.market)
        case .cancelBatch(let orders): orders.map(\.market)
        case .cancelEverything: []
        }
    }
}
