import Martlet

// The rarer turns of a book's life: snapshots, faults, crossings.

extension Engine {
    /// Takes a snapshot's event, whose change has been made. False when the book became unusable by it.
    @usableFromInline
    mutating func takeSnapshot(_ event: MarketEvent, _ fault: BookFault?) -> Bool {
        let index = Int(event.market.index)
        let state = markets.states + index
        switch event.kind {
        case .snapshotStart:
            state.pointee.isInSnapshot = true
            state.pointee.isWhole = false
            state.pointee.isDirty = true
        case .snapshotLevel:
            guard state.pointee.isInSnapshot else { return true }
            if let fault {
                becomeUnusable(event.market, fault)
                return false
            }
        case .groupEnd:
            let flags: MarketEvent.Flags = [.groupEnd]
            if !event.flags.contains(.groupEnd) {
                var marked = event
                marked.flags.formUnion(flags)
                endGroup(marked, state)
            }
        case .delta, .trade: break
        }
        state.pointee.lastChange = event.receiveTime
        return true
    }

    @usableFromInline
    mutating func completeSnapshot(_ market: Market.ID) {
        let state = markets.states + Int(market.index)
        guard state.pointee.isInSnapshot else { return }
        state.pointee.isInSnapshot = false
        state.pointee.isWhole = true
        state.pointee.isDirty = true
        if state.pointee.isUsable, state.pointee.changeSubscribers != 0 {
            tellChange(market, state.pointee.changeSubscribers)
        }
    }

    @usableFromInline
    mutating func unknownMarket(_ event: MarketEvent) {
        countUnknownMarket()
        settleWork()
    }

    /// A whole book at the end of a group: crossed, or sound (again).
    @usableFromInline
    mutating func judgeCrossing(_ market: Market.ID, _ isCrossed: Bool) {
        let state = markets.states + Int(market.index)
        guard state.pointee.isWhole else { return }
        if isCrossed {
            if markets.fault(market) != .crossed { becomeUnusable(market, .crossed) }
        } else if !state.pointee.isUsable {
            markets.setFault(market, nil)
            shared.record(.bookUsable(market))
            trading.bookBecameUsable(market, now: now)
            tellAll(subscribedTo: market) { $0.bookUsable(market) }
            if state.pointee.changeSubscribers != 0 { tellChange(market, state.pointee.changeSubscribers) }
        }
    }

    @usableFromInline
    mutating func becomeUnusable(_ market: Market.ID, _ fault: BookFault) {
        guard markets.isKnown(market) else { return countUnknownMarket() }
        let state = markets.states + Int(market.index)
        let wasUsable = state.pointee.isUsable
        markets.setFault(market, fault)
        if fault != .crossed { state.pointee.isInSnapshot = false }
        countFault()
        shared.record(.bookUnusable(market, fault))
        if wasUsable {
            trading.bookBecameUnusable(market, now: now)
            tellAll(subscribedTo: market) { $0.bookUnusable(market, fault) }
        }
        settleWork()
    }

    mutating func tellAll(subscribedTo market: Market.ID, _ body: (StrategyHost) -> Void) {
        var left = markets.states[Int(market.index)].subscribers
        while left != 0 {
            let index = left.trailingZeroBitCount
            left &= left - 1
            hosts[index]._withUnsafeGuaranteedRef { body($0) }
        }
    }
}
