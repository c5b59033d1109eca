import Martlet
import MartletEngine
import MartletWire

// Snapshots, and the ends of exchange-time groups (DESIGN.md, ruling 1).

extension FeedSession {
    mutating func takeSnapshot(_ frame: WireFrame, at time: Timestamp) {
        statistics.snapshots += 1
        guard let market = known(frame.market), rows[frame.market].wants & FeedChannel.book.mask != 0 else {
            return
        }
        let index = frame.market
        if rows[index].isGroupOpen { endGroup(index, at: time, .groupEnd) }
        var event = MarketEvent(
            .snapshotStart, market: market, exchangeTime: frame.exchangeTime, receiveTime: time)
        let levels = decoder.levels
        if levels.isEmpty {
            event.flags = [.snapshotEnd, .groupEnd]
            batch.hot.append(event)
        } else {
            batch.hot.append(event)
            event.kind = .snapshotLevel
            for (place, level) in levels.enumerated() {
                event.side = level.side
                event.price = level.price
                event.quantity = level.quantity
                if place == levels.count - 1 { event.flags = [.snapshotEnd, .groupEnd] }
                batch.hot.append(event)
            }
        }
        rows[index].book = .live
        rows[index].sid = frame.sid ?? -1
        rows[index].attempts = 0
        rows[index].lastReceive = time
        arrived(index)
    }

    /// The snapshot that commands waited for is here.
    private mutating func arrived(_ row: Int) {
        if rows[row].isQueued {
            rows[row].isQueued = false
            snapshotQueue.removeAll { $0.row == row }
        }
        for index in pending.indices.reversed()
        where pending[index].kind == .snapshot || pending[index].kind == .awaiting {
            guard let place = pending[index].rows.firstIndex(of: row) else { continue }
            pending[index].rows.swapAt(place, pending[index].rows.count - 1)
            pending[index].rows.removeLast()
            if pending[index].rows.isEmpty { pending.remove(at: index) }
        }
    }

    /// The book may not be used until a snapshot comes that was sent after this.
    mutating func distrust(_ row: Int, _ fault: BookFault) {
        rows[row].book = .awaiting
        rows[row].isGroupOpen = false
        if let market = marketID(row) { tell(.unusable(market, fault)) }
    }

    mutating func wantSnapshot(_ row: Int, notBefore time: Timestamp) {
        guard !rows[row].isQueued else { return }
        rows[row].isQueued = true
        snapshotQueue.append(SnapshotWant(row: row, notBefore: time))
    }

    // MARK: - Groups

    /// All that had arrived has been taken in and handed on: groups end, but for crossed books, which may be in
    /// the middle of one (the exchange tells an order before what it removes).
    public mutating func drained(at time: Timestamp, isCrossed: (Market.ID) -> Bool) {
        guard !openGroups.isEmpty else { return }
        for index in openGroups {
            rows[index].isTouched = false
            guard rows[index].isGroupOpen, let market = marketID(index) else { continue }
            guard isCrossed(market) else {
                endGroup(index, at: time, .groupEnd)
                continue
            }
            if !rows[index].isCrossed {
                rows[index].isCrossed = true
                crossedGroups.append(index)
            }
        }
        openGroups.removeAll(keepingCapacity: true)
    }

    mutating func endGroup(_ row: Int, at time: Timestamp, _ flags: MarketEvent.Flags) {
        rows[row].isGroupOpen = false
        guard let market = marketID(row) else { return }
        batch.hot.append(
            MarketEvent(
                .groupEnd, market: market, flags: flags, exchangeTime: rows[row].groupTime, receiveTime: time)
        )
    }

    /// Ends the groups that have been crossed and silent for too long.
    mutating func endTimedOutGroups(at time: Timestamp) {
        guard !crossedGroups.isEmpty else { return }
        var left: [Int] = []
        for row in crossedGroups {
            guard rows[row].isGroupOpen else {
                rows[row].isCrossed = false
                continue
            }
            if rows[row].lastReceive + settings.groupTimeout <= time {
                rows[row].isCrossed = false
                endGroup(row, at: time, [.groupEnd, .timedOut])
            } else {
                left.append(row)
            }
        }
        crossedGroups = left
    }
    var nextGroupEnd: Timestamp {
        crossedGroups.reduce(.distantFuture) {
            rows[$1].isGroupOpen ? min($0, rows[$1].lastReceive + settings.groupTimeout) : $0
        }
    }
}
