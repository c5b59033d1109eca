import Martlet
import MartletEngine
import MartletWire

// Messages in.

extension FeedSession {
    /// Takes one text message, in place. Nothing is kept of the bytes.
    public mutating func receive(_ bytes: UnsafeBufferPointer<UInt8>, at time: Timestamp) {
        statistics.messages &+= 1
        lastMessage = time
        var delta = BookDelta()
        if decoder.decodeDelta(bytes, into: &delta) { return take(delta, at: time) }
        let frame: WireFrame
        do {
            frame = try decoder.decode(bytes)
        } catch {
            // If it had a number, the next message shows the hole.
            statistics.malformed += 1
            return remark("unreadable message: \(error)")
        }
        take(frame, at: time)
    }
    public mutating func receive(_ text: String, at time: Timestamp) {
        var text = text
        text.withUTF8 { receive($0, at: time) }
    }

    // MARK: - Deltas

    /// The hot path: no allocation once the buffers have grown.
    private mutating func take(_ delta: BookDelta, at time: Timestamp) {
        let verdict = tracker.check(sid: delta.sid, sequence: delta.sequence)
        if verdict != .inOrder {
            guard admit(verdict, sid: delta.sid, .book, at: time) == .inOrder else { return }
        } else if repeats != 0 {
            repeats = 0
        }
        statistics.deltas &+= 1
        let index = Int(delta.market.index)
        guard index < rows.count, rows[index].book == .live, rows[index].sid == delta.sid else {
            return drop(index, sid: delta.sid)
        }
        if rows[index].isGroupOpen, rows[index].groupTime != delta.exchangeTime {
            endGroup(index, at: time, .groupEnd)
        }
        var event = delta.event(receiveTime: time)
        event.market = Market.ID(index: UInt32(truncatingIfNeeded: rows[index].market))
        if delta.exchangeTime.isKnown {
            rows[index].groupTime = delta.exchangeTime
            rows[index].isGroupOpen = true
            rows[index].lastReceive = time
            if !rows[index].isTouched {
                rows[index].isTouched = true
                openGroups.append(index)
            }
        } else {
            event.flags.insert(.groupEnd)
        }
        batch.hot.append(event)
    }

    private mutating func drop(_ index: Int, sid: Int64) {
        statistics.droppedDeltas += 1
        extend(to: index)
        tellUnknown(index)
        adopt(sid, .book)
    }

    // MARK: - All other messages

    private mutating func take(_ frame: WireFrame, at time: Timestamp) {
        let channel = FeedSession.channel(of: frame.kind)
        let verdict = tracker.check(frame)
        var order = Order.inOrder
        if verdict != .inOrder {
            order = admit(verdict, sid: frame.sid ?? -1, channel, sequence: frame.seq ?? -1, at: time)
        } else {
            repeats = 0
        }
        // Answers are taken whenever they come: they say what the exchange did.
        if FeedSession.isControl(frame.kind) { return control(frame, at: time) }
        if let sid = frame.sid, retired.contains(sid) {
            statistics.droppedDeltas += frame.kind == .delta ? 1 : 0
            return
        }
        guard order != .drop else { return }
        if let channel {
            channels[channel].lastReceived = time
            if let sid = frame.sid { adopt(sid, channel) }
        }
        switch frame.kind {
        case .delta: takeGeneral(frame, order, at: time)
        case .snapshot: if order == .inOrder { takeSnapshot(frame, at: time) }
        case .trade: takeTrade(frame, at: time)
        case .ticker:
            statistics.tickers += 1
            guard var summary = frame.summary, let market = known(frame.market) else { return }
            summary.market = market
            tell(.ticker(summary))
        default: takeDetail(frame)
        }
    }

    /// A delta of unusual shape: an escaped ticker, a number without quotes.
    private mutating func takeGeneral(_ frame: WireFrame, _ order: Order, at time: Timestamp) {
        guard order == .inOrder, frame.market >= 0 else { return }
        var delta = BookDelta()
        delta.market = Market.ID(frame.market)
        delta.side = frame.side
        delta.isOwn = frame.isOwn
        delta.price = frame.price
        delta.change = frame.quantity
        delta.exchangeTime = frame.exchangeTime
        delta.sid = frame.sid ?? -1
        // Its number has been checked.
        delta.sequence = -1
        take(delta, at: time)
    }

    private mutating func takeTrade(_ frame: WireFrame, at time: Timestamp) {
        statistics.trades += 1
        guard let market = known(frame.market) else { return }
        if let id = frame.tradeID { tell(.tradeID(id)) }
        batch.hot.append(
            MarketEvent(
                .trade, market: market, side: frame.side, price: frame.price, quantity: frame.quantity,
                flags: frame.isBlock ? .block : [], exchangeTime: frame.exchangeTime, receiveTime: time))
    }

    private mutating func takeDetail(_ frame: WireFrame) {
        do {
            switch try frame.detail() {
            case .fill(let message): tell(.fill(message))
            case .userOrder(let message): tell(.order(message))
            case .marketPosition(let message): tell(.position(message))
            case .marketLifecycle(let message): tell(.lifecycle(message))
            case .eventLifecycle(let message): tell(.event(message))
            case .eventFee(let message): tell(.fees(message))
            case .orderGroup(let message): tell(.orderGroup(message))
            case .reference(let value): tell(.reference(value))
            case .unknown(let type): statistics.countUnknown(type)
            case .subscribed, .unsubscribed, .ok, .error, .none: break
            }
        } catch {
            statistics.malformed += 1
            remark("unreadable message: \(error)")
        }
    }

    // MARK: - Sequence

    enum Order: Hashable {
        case inOrder
        /// Missed before and come after all: good where order does not matter.
        case late
        case drop
    }

    /// What to do with a message that is not the next of its subscription.
    private mutating func admit(
        _ verdict: SequenceTracker.Verdict, sid: Int64, _ channel: FeedChannel?, sequence: Int64 = -1,
        at time: Timestamp
    ) -> Order {
        if sid >= 0, retired.contains(sid) {
            tracker.forget(sid: sid)
            return .drop
        }
        switch verdict {
        case .inOrder, .untracked: return .inOrder
        case .gap(let missing):
            statistics.gaps += 1
            statistics.missing += missing.count
            lost(missing, sid: sid, subscriptions.first { $0.sid == sid }?.channel ?? channel, at: time)
            return .inOrder
        case .duplicate:
            if takeFromHoles(sid, sequence) {
                statistics.late += 1
                return .late
            }
            statistics.duplicates += 1
            repeats += 1
            if repeats > settings.repeatsMax {
                repeats = 0
                remark("subscription \(sid) counts from the start again")
                renew(sid, at: time)
            }
            return .drop
        }
    }

    private mutating func lost(
        _ missing: ClosedRange<Int64>, sid: Int64, _ channel: FeedChannel?, at time: Timestamp
    ) {
        remark("subscription \(sid): messages \(missing.lowerBound) to \(missing.upperBound) are missing")
        if channel == .book {
            for row in rows.indices where rows[row].book == .live && rows[row].sid == sid {
                distrust(row, .gap)
                wantSnapshot(row, notBefore: time)
            }
            return
        }
        if holes.count == FeedSession.holesMax { holes.removeFirst() }
        holes.append(Hole(sid: sid, missing: missing))
        guard let channel, channel.needsReconciliation, channels[channel].isAnnounced else { return }
        tell(.reconcile(channel, since: channels[channel].lastReceived))
    }

    /// Whether a number was missing; then no longer.
    private mutating func takeFromHoles(_ sid: Int64, _ sequence: Int64) -> Bool {
        guard
            let index = holes.firstIndex(where: { $0.sid == sid && $0.missing.contains(sequence) })
        else { return false }
        let hole = holes.remove(at: index)
        if sequence > hole.missing.lowerBound {
            holes.append(Hole(sid: sid, missing: hole.missing.lowerBound...sequence - 1))
        }
        if sequence < hole.missing.upperBound {
            holes.append(Hole(sid: sid, missing: sequence + 1...hole.missing.upperBound))
        }
        return true
    }

    // MARK: - Names

    /// A message came before its subscription's answer did: the subscription stands all the same.
    mutating func adopt(_ sid: Int64, _ channel: FeedChannel) {
        guard sid >= 0, !retired.contains(sid), !subscriptions.contains(where: { $0.sid == sid }) else {
            return
        }
        subscriptions.append(Subscription(sid: sid, channel: channel))
        if channels[channel].sid == nil { channels[channel].sid = sid }
    }

    mutating func known(_ row: Int) -> Market.ID? {
        guard row >= 0 else { return nil }
        extend(to: row)
        if let market = marketID(row) { return market }
        tellUnknown(row)
        return nil
    }
    private mutating func tellUnknown(_ row: Int) {
        guard rows[row].market < 0 else { return }
        statistics.unknownMarkets += 1
        guard !rows[row].isTold else { return }
        rows[row].isTold = true
        tell(.unknownMarket(ticker: decoder.tickers.ticker(row)))
    }

    private static func isControl(_ kind: WireFrame.Kind) -> Bool {
        switch kind {
        case .subscribed, .unsubscribed, .ok, .error: true
        default: false
        }
    }
    private static func channel(of kind: WireFrame.Kind) -> FeedChannel? {
        switch kind {
        case .delta, .snapshot: .book
        case .trade: .trades
        case .ticker: .ticker
        case .fill: .fills
        case .userOrder: .userOrders
        case .marketPosition: .positions
        case .marketLifecycle, .eventFeeUpdate: .lifecycle
        case .multivariateLifecycle: .multivariateLifecycle
        case .orderGroup: .orderGroups
        // Several channels have these; their subscriptions are known by their answers.
        case .eventLifecycle, .reference: nil
        case .subscribed, .unsubscribed, .ok, .error, .unknown: nil
        }
    }
}
