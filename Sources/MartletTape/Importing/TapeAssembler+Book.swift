import Martlet
import MartletEngine
import MartletWire

extension TapeAssembler {
    // MARK: - Snapshots

    /// A whole book, which ends whatever group was open.
    func snapshot(
        _ market: AssembledMarket, _ levels: [MessageDecoder.Level], exchangeTime: Timestamp,
        _ line: RecordedLine
    ) throws(TapeError) {
        let time = try advance(line, exchange: exchangeTime)
        report.snapshots += 1
        endGroup(market, at: time)
        market.book.clear()
        market.isUsable = true
        let id = market.id
        var event = MarketEvent(.snapshotStart, market: id, exchangeTime: exchangeTime, receiveTime: time)
        let ending: MarketEvent.Flags = [.snapshotEnd, .groupEnd]
        if levels.isEmpty {
            report.emptySnapshots += 1
            event.flags = ending
        }
        queue.append(event)
        for (index, level) in levels.enumerated() {
            checkGrid(level.price, market, line)
            if market.book.set(level.quantity, side: level.side, price: level.price) != nil {
                report.bookFaults += 1
            }
            queue.append(
                MarketEvent(
                    .snapshotLevel, market: id, side: level.side, price: level.price,
                    quantity: level.quantity, flags: index == levels.count - 1 ? ending : [],
                    exchangeTime: exchangeTime, receiveTime: time))
        }
        market.events += 1 + levels.count
        market.hear(at: time)
        report.groups += 1
        if market.book.isCrossed { report.crossedGroups += 1 }
        try relieve()
    }

    // MARK: - Deltas

    func delta(
        _ market: AssembledMarket, _ side: Side, _ price: Price, _ change: Quantity, exchangeTime: Timestamp,
        isOwn: Bool = false, _ line: RecordedLine
    ) throws(TapeError) {
        let time = try advance(line, exchange: exchangeTime)
        report.deltas += 1
        if !market.isUsable { report.deltasWithoutSnapshot += 1 }
        checkGrid(price, market, line)
        let event = MarketEvent(
            .delta, market: market.id, side: side, price: price, quantity: change, flags: isOwn ? .own : [],
            exchangeTime: exchangeTime, receiveTime: time)
        if let group = market.group, group.exchangeTime != exchangeTime { endGroup(market, at: time) }
        inferTrades(from: event, in: market)
        if let fault = market.book.add(change, side: side, price: price), market.isUsable {
            report.bookFaults += 1
            remark(line, "\(market.definition.ticker): \(fault)")
        }
        place(event, in: market)
        if !exchangeTime.isKnown { endUntimedMessage(market) }
        try relieve()
    }

    /// A message without exchange time is a group of its own.
    private func endUntimedMessage(_ market: AssembledMarket) {
        report.groups += 1
        if market.book.isCrossed { report.crossedGroups += 1 }
        _ = queue.mark(queue.firstNumber + queue.count - 1, .groupEnd)
    }

    private func checkGrid(_ price: Price, _ market: AssembledMarket, _ line: RecordedLine) {
        guard !market.definition.grid.contains(price) else { return }
        report.offGridPrices += 1
        if !market.definition.assumptions.contains("grid") {
            remark(line, "\(market.definition.ticker): price \(price) is off the declared grid")
        }
    }

    /// Bounds what is held back.
    private func relieve() throws(TapeError) {
        guard queue.count > TapeAssembler.queuedMax, now.isKnown else { return }
        if isTimed { try queue.writeAll(to: writer) } else { try drain() }
    }

    // MARK: - Inferred trades

    /// A taking order shows as an add through the other side, followed by removals there under the same exchange
    /// time: those are taken for trades up to the add's size. What leaves no add cannot be told from a cancel and
    /// is left alone. The report compares the sum with the tickers' volume: removals of this shape are also what
    /// self-trade prevention leaves behind.
    private func inferTrades(from event: MarketEvent, in market: AssembledMarket) {
        guard options.infersTrades, !hasTrades, market.isUsable, event.exchangeTime.isKnown else { return }
        if let taker = market.taker, taker.exchangeTime != event.exchangeTime { market.taker = nil }
        if event.quantity.isPositive {
            guard let best = market.book.best(event.side.opposite),
                event.side.crosses(event.price, resting: best)
            else { return }
            market.taker = .init(
                side: event.side, price: event.price, left: event.quantity, exchangeTime: event.exchangeTime)
            return
        }
        guard var taker = market.taker, taker.side == event.side.opposite, taker.left.isPositive,
            taker.side.crosses(taker.price, resting: event.price)
        else { return }
        let traded = min(event.quantity.magnitude, taker.left)
        taker.left -= traded
        market.taker = taker
        market.infer(traded)
        report.inferredTrades += 1
        queue.append(
            MarketEvent(
                .trade, market: market.id, side: taker.side, price: event.price, quantity: traded,
                flags: .inferred, exchangeTime: event.exchangeTime, receiveTime: event.receiveTime))
    }

    // MARK: - Trades and gaps

    /// A recorded trade. It takes no part in groups: its times are coarser than the book's, on another channel.
    func trade(
        _ market: AssembledMarket, takerSide: Side, _ price: Price, _ quantity: Quantity, id: String?,
        exchangeTime: Timestamp, isBlock: Bool = false, _ line: RecordedLine
    ) throws(TapeError) {
        let time = try advance(line, exchange: exchangeTime)
        hasTrades = true
        report.trades += 1
        market.events += 1
        checkGrid(price, market, line)
        let event = MarketEvent(
            .trade, market: market.id, side: takerSide, price: price, quantity: quantity,
            flags: isBlock ? .block : [], exchangeTime: exchangeTime, receiveTime: time)
        let usable = id.flatMap { $0.utf8.count <= TapeFormat.maximumTradeIDBytes ? $0 : nil }
        queue.append(event, tradeID: usable)
        try relieve()
    }

    /// A market's book cannot be trusted until its next snapshot.
    func interrupt(_ market: AssembledMarket) {
        guard market.isUsable else { return }
        endGroup(market, at: now)
        market.isUsable = false
        market.taker = nil
        queue.append(.unusable(market.id, .gap), at: now)
    }
}
