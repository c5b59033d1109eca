import Martlet

/// What one strategy, or the whole account, holds and has open, with the sums that the risk gate asks for.
///
/// Flat by market; all sums are kept up to date with each change, at a cost of the event's active markets.
///
/// Never copied: the gate asks it several times an order.
package struct Portfolio: ~Copyable {
    /// Orders of one side of a market that may still trade, at full size.
    package struct OpenSide: Hashable, Sendable {
        package var quantity: Quantity = .zero
        /// What they would cost if all filled: YES price for bids, NO price for asks.
        package var cost: Money = .zero
    }

    package struct Holding: Sendable {
        package var position = Position()
        package var open = BySide(OpenSide())
        /// Profit not realised at the last mark.
        package var unrealized: Money = .zero
        var event: Int32
        var isActive = false
        /// What is in the sums for this market.
        var countedPosition: Quantity = .zero

        @inline(__always)
        mutating func addOpen(_ side: Side, _ quantity: Quantity, _ cost: Money) {
            if side == .bid {
                open.bid.quantity += quantity
                open.bid.cost += cost
            } else {
                open.ask.quantity += quantity
                open.ask.cost += cost
            }
        }
        /// The largest position, long or short, that fills of one side could lead to.
        var worstPosition: Quantity {
            let held = position.quantity
            return max((held + open.bid.quantity).magnitude, (held - open.ask.quantity).magnitude)
        }
        /// Lost if the market settles so, with every order filled that then loses. Negative for a gain.
        func loss(ifYes: Bool) -> Money {
            let held = position.quantity
            let wins = ifYes ? held.isPositive : held.hundredths < 0
            let payout = wins ? Price.one * held.magnitude : .zero
            return position.cost - payout + (ifYes ? open.ask.cost : open.bid.cost)
        }
        var worstLoss: Money { max(loss(ifYes: true), loss(ifYes: false)) }
    }

    struct EventHolding: Sendable {
        var isExclusive: Bool
        /// Markets with a position or open orders, now or before.
        var markets: [Int32] = []
        /// What is in the sums for this event.
        var worstLoss: Money = .zero
        var worstPosition: Quantity = .zero
    }

    /// By market.
    package private(set) var holdings = Block<Holding>()
    private var events = Block<EventHolding>()
    /// Sum over events of what the worst outcome loses.
    package private(set) var worstLoss: Money = .zero
    /// Sum over markets of the largest position that could come.
    package private(set) var worstPosition: Quantity = .zero
    package private(set) var realized: Money = .zero
    package private(set) var unrealized: Money = .zero
    package private(set) var fees: Money = .zero
    /// Sum of the positions' cost.
    package private(set) var cost: Money = .zero
    package var openOrders = 0
    /// Profit at which the present day began.
    package private(set) var dayStartProfit: Money = .zero
    /// Its realised part.
    private var dayStartRealized: Money = .zero

    /// Realised and not, fees taken off.
    package var profit: Money { realized + unrealized - fees }
    package var dailyLoss: Money { dayStartProfit - profit }
    /// What this day has realised so far, fees taken off.
    package var realizedToday: Money { realized - fees - dayStartRealized }

    /// Begins a day of the daily loss, with nothing lost.
    mutating func startDay() {
        dayStartProfit = profit
        dayStartRealized = realized - fees
    }
    /// Counts what was realised before, on this day.
    mutating func carry(_ profit: Money) {
        dayStartProfit -= profit
        dayStartRealized -= profit
    }
    /// What has changed since is no profit or loss of this day.
    mutating func leaveOut(since profit: Money, _ realized: Money) {
        dayStartProfit += self.profit - profit
        dayStartRealized += self.realized - fees - realized
    }

    mutating func addMarket(event: Int32) { holdings.append(Holding(event: event)) }
    mutating func addEvent() { events.append(EventHolding(isExclusive: false)) }
    mutating func setExclusive(_ event: Int, _ isExclusive: Bool) {
        guard events[event].isExclusive != isExclusive else { return }
        events[event].isExclusive = isExclusive
        refreshEvent(event)
    }

    // MARK: Changes

    /// Changes what is open on a side.
    @inline(__always)
    mutating func addOpen(_ market: Int, _ side: Side, _ quantity: Quantity, _ cost: Money) {
        holdings[market].addOpen(side, quantity, cost)
        refresh(market)
    }

    /// Takes a trade; returns the change of cash before fees.
    mutating func trade(_ market: Int, _ side: Side, _ quantity: Quantity, at price: Price, fee: Money)
        -> Money
    {
        let before = holdings[market].position
        let cash = holdings[market].position.trade(side, quantity, at: price)
        holdings[market].position.fees += fee
        fees += fee
        count(before, holdings[market].position)
        refresh(market)
        return cash
    }

    /// Takes in contracts held from before at what they cost: no trade, no cash, no profit. Only of the side that
    /// is held already, or of a flat holding.
    mutating func adopt(_ market: Int, _ quantity: Quantity, cost: Money) {
        let before = holdings[market].position
        precondition(before.quantity.isZero || before.quantity.isPositive == quantity.isPositive)
        holdings[market].position.quantity += quantity
        holdings[market].position.cost += cost
        count(before, holdings[market].position)
        refresh(market)
    }

    /// Pays a market out; returns the profit before fees.
    mutating func settle(_ market: Int, payout: Money) -> Money {
        let before = holdings[market].position
        let profit = holdings[market].position.settle(payout: payout)
        count(before, holdings[market].position)
        mark(market, at: .zero)
        refresh(market)
        return profit
    }

    private mutating func count(_ before: Position, _ after: Position) {
        realized += after.realized - before.realized
        cost += after.cost - before.cost
    }

    /// Values a position anew. O(1).
    @inline(__always)
    mutating func mark(_ market: Int, at mark: Price) {
        let holding = holdings.pointer(market)
        let before = holding.pointee.unrealized
        let isFlat = holding.pointee.position.quantity.isZero
        if isFlat, before == .zero { return }
        let value = isFlat ? .zero : holding.pointee.position.unrealized(at: mark)
        unrealized += value - before
        holding.pointee.unrealized = value
    }

    // MARK: Sums

    private mutating func refresh(_ market: Int) {
        let holding = holdings.pointer(market)
        let event = events.pointer(Int(holding.pointee.event))
        if !holding.pointee.isActive {
            holding.pointee.isActive = true
            event.pointee.markets.append(Int32(market))
        }
        let worst = holding.pointee.worstPosition
        let change = worst - holding.pointee.countedPosition
        holding.pointee.countedPosition = worst
        event.pointee.worstPosition += change
        worstPosition += change
        refreshEvent(Int(holding.pointee.event))
    }

    private mutating func refreshEvent(_ event: Int) {
        let loss = eventLoss(event)
        worstLoss += loss - events[event].worstLoss
        events[event].worstLoss = loss
    }

    /// What the worst outcome of an event loses, never below zero.
    @inline(__always)
    private func eventLoss(_ event: Int) -> Money {
        guard events[event].markets.count == 1 else { return jointLoss(event, replacing: -1, with: nil) }
        return max(holdings[Int(events[event].markets[0])].worstLoss, .zero)
    }
    /// The same, were a market's holding another.
    @inline(__always)
    private func eventLoss(_ event: Int, replacing market: Int, with holding: Holding) -> Money {
        let count = events[event].markets.count
        guard count == 0 || (count == 1 && holding.isActive) else {
            return jointLoss(event, replacing: market, with: holding)
        }
        return max(holding.worstLoss, .zero)
    }

    /// With mutually exclusive markets the outcomes are "this one wins" for each, and "none wins"; without, each
    /// market falls out as it will.
    @inline(never)
    private func jointLoss(_ event: Int, replacing replaced: Int, with holding: Holding?) -> Money {
        var isNew = replaced >= 0
        var none = Money.zero
        var worstSwing = Money.zero
        var separate = Money.zero
        func add(_ holding: Holding) {
            let no = holding.loss(ifYes: false)
            let yes = holding.loss(ifYes: true)
            none += no
            worstSwing = max(worstSwing, yes - no)
            separate += max(max(yes, no), .zero)
        }
        for market in events[event].markets {
            if Int(market) == replaced, let holding {
                add(holding)
                isNew = false
            } else {
                add(holdings[Int(market)])
            }
        }
        if isNew, let holding { add(holding) }
        return events[event].isExclusive ? max(none + worstSwing, .zero) : separate
    }

    /// What the sums are, or would be.
    struct Projection {
        var marketPosition: Quantity
        var eventPosition: Quantity
        var totalPosition: Quantity
        var marketLoss: Money
        var eventLoss: Money
        var totalLoss: Money
    }

    func current(_ market: Int) -> Projection {
        let holding = holdings[market]
        let event = Int(holding.event)
        return Projection(
            marketPosition: holding.worstPosition, eventPosition: events[event].worstPosition,
            totalPosition: worstPosition, marketLoss: holding.worstLoss, eventLoss: events[event].worstLoss,
            totalLoss: worstLoss)
    }

    /// With more open on a side.
    func projected(_ market: Int, _ side: Side, _ quantity: Quantity, _ cost: Money) -> Projection {
        var holding = holdings[market]
        holding.addOpen(side, quantity, cost)
        let event = Int(holding.event)
        let worst = holding.worstPosition
        let change = worst - holding.countedPosition
        let loss = eventLoss(event, replacing: market, with: holding)
        return Projection(
            marketPosition: worst, eventPosition: events[event].worstPosition + change,
            totalPosition: worstPosition + change, marketLoss: holding.worstLoss, eventLoss: loss,
            totalLoss: worstLoss + loss - events[event].worstLoss)
    }

    /// What an event's positions pay at least, whichever market wins: the collateral that netting gives back.
    func guaranteedPayout(_ event: Int) -> Money {
        var none = Money.zero
        var worst: Money? = nil
        for market in events[event].markets {
            let held = holdings[Int(market)].position.quantity
            let no = held.hundredths < 0 ? Price.one * held.magnitude : .zero
            let yes = held.isPositive ? Price.one * held : .zero
            none += no
            worst = min(worst ?? (yes - no), yes - no)
        }
        return max(.zero, none + min(worst ?? .zero, .zero))
    }

    // MARK: Checks

    /// Recomputes every sum the slow way.
    package func checkInvariants() {
        var sums = Position()
        var unrealized = Money.zero
        var worst = Quantity.zero
        for index in holdings.indices {
            let holding = holdings[index]
            sums.cost += holding.position.cost
            sums.realized += holding.position.realized
            sums.fees += holding.position.fees
            unrealized += holding.unrealized
            worst += holding.worstPosition
            precondition(holding.position.cost.raw >= 0)
            precondition(!holding.position.quantity.isZero || holding.position.cost == .zero)
            precondition(
                holding.open.bid.quantity.hundredths >= 0 && holding.open.ask.quantity.hundredths >= 0)
            precondition(holding.isActive == events[Int(holding.event)].markets.contains(Int32(index)))
        }
        precondition(sums.cost == cost && sums.realized == realized && sums.fees == fees)
        precondition(unrealized == self.unrealized && worst == worstPosition)
        var loss = Money.zero
        for index in events.indices {
            precondition(events[index].worstLoss == eventLoss(index))
            loss += events[index].worstLoss
        }
        precondition(loss == worstLoss)
    }
}
