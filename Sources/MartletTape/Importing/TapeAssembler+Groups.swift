import Martlet
import MartletEngine

// Where exchange time-stamp groups end, by DESIGN.md's ruling 1. With receive times: when another exchange time
// arrives for the market, or the burst of equal receive time is over and the book is not crossed, or at a
// time-out. Without them: when another exchange time arrives, or the recording's clock has gone on by the time-out.
// A message without exchange time is a group of its own.
extension TapeAssembler {
    /// Beyond these, what is queued is written though a group may still be open: its end becomes a record of its
    /// own. A thousand times the longest burst recorded.
    static let queuedMax = 1 << 18

    /// Queues an event of a book and gives it its place in its market's group.
    func place(_ event: MarketEvent, in market: AssembledMarket) {
        if let group = market.group,
            !event.exchangeTime.isKnown || group.exchangeTime != event.exchangeTime
        {
            endGroup(market, at: event.receiveTime)
        }
        let number = queue.append(event)
        market.events += 1
        market.hear(at: event.receiveTime)
        guard event.exchangeTime.isKnown else { return }
        market.group = .init(
            exchangeTime: event.exchangeTime, lastReceive: event.receiveTime, lastNumber: number)
        if !market.isTouched {
            market.isTouched = true
            touched.append(market.index)
        }
    }

    /// Marks the last event of a market's group, or adds an end of its own when that event is written already.
    func endGroup(_ market: AssembledMarket, at time: Timestamp, _ flags: MarketEvent.Flags = .groupEnd) {
        guard let group = market.group else { return }
        market.group = nil
        market.taker = nil
        report.groups += 1
        if market.book.isCrossed { report.crossedGroups += 1 }
        if flags.contains(.timedOut) { report.timedOutGroups += 1 }
        if queue.mark(group.lastNumber, flags) { return }
        queue.append(
            MarketEvent(
                .groupEnd, market: market.id, flags: flags, exchangeTime: group.exchangeTime,
                receiveTime: time))
    }

    /// The socket is drained: groups end unless their book is crossed.
    func endBurst() throws(TapeError) {
        guard isTimed else { return }
        for index in touched {
            let market = markets[index]
            market.isTouched = false
            guard let group = market.group else { continue }
            if market.book.isCrossed {
                if !crossed.contains(index) { crossed.append(index) }
            } else {
                endGroup(market, at: group.lastReceive)
            }
        }
        touched.removeAll(keepingCapacity: true)
        guard now.isKnown else { return }
        try queue.writeAll(to: writer)
    }

    /// Ends the groups that have been crossed and silent for too long.
    func releaseTimeouts(until time: Timestamp) throws(TapeError) {
        while let (position, deadline) = nextTimeout(), deadline <= time {
            let market = markets[crossed.remove(at: position)]
            endGroup(market, at: deadline, [.groupEnd, .timedOut])
            now = max(now, deadline)
            try queue.writeAll(to: writer)
        }
    }

    /// The crossed group that ends first. A handful at most.
    private func nextTimeout() -> (position: Int, deadline: Timestamp)? {
        crossed.removeAll { markets[$0].group == nil }
        var first: (position: Int, deadline: Timestamp)?
        for (position, index) in crossed.enumerated() {
            guard let group = markets[index].group else { continue }
            let deadline = group.lastReceive + options.groupTimeout
            if first.map({ deadline < $0.deadline }) ?? true { first = (position, deadline) }
        }
        return first
    }

    /// Without receive times: writes what no open group holds back.
    func drain(everything: Bool = false) throws(TapeError) {
        guard now.isKnown else { return }
        while !queue.isEmpty {
            if !isTimed, let index = queue.firstMarket, let group = markets[index].group,
                group.lastNumber == queue.firstNumber
            {
                let isOver =
                    now.nanoseconds - group.lastReceive.nanoseconds >= options.groupTimeout.nanoseconds
                guard everything || isOver || queue.count > TapeAssembler.queuedMax else { return }
                let market = markets[index]
                endGroup(
                    market, at: now, market.book.isCrossed ? [.groupEnd, .timedOut] : .groupEnd)
            }
            try queue.writeFirst(to: writer)
        }
    }
}
