import Martlet
import MartletEngine

// What can be asked, and the proof that the books balance.
extension Venue {
    package var accountCount: Int { accounts.count }
    package func shards(_ account: Int) -> [ShardCash] {
        accounts[account].shards.all.sorted { $0.shard < $1.shard }
    }
    package func cash(_ account: Int) -> Money { accounts[account].shards.all.reduce(.zero) { $0 + $1.cash } }
    package func available(_ account: Int, shard: Int) -> Money {
        accounts[account].shards.all.first { $0.shard == shard }?.available ?? .zero
    }
    package func position(_ account: Int, _ market: Market.ID) -> LedgerPosition {
        accounts[account].entry(market).map { accounts[account].markets[$0].position } ?? LedgerPosition()
    }
    /// Markets in which an account has or had something, in order of first appearance.
    package func markets(of account: Int) -> [Market.ID] { accounts[account].markets.all.map(\.market) }

    /// An order that lives or is remembered.
    package func order(_ id: OrderID, account: Int) -> VenueOrder? {
        accounts[account].live[id].map { orders[$0] } ?? accounts[account].memory[id]
    }
    /// By time priority.
    package func openOrders(_ account: Int) -> [VenueOrder] {
        liveOrders(of: account).map { orders[$0] }
    }
    /// Orders that are over and remembered, oldest first.
    package func finishedOrders(_ account: Int) -> [VenueOrder] { accounts[account].memory.all }

    /// Contracts ahead of a resting order, crowd and real: zero for the first in the queue.
    package func queuePosition(_ id: OrderID, account: Int) -> Quantity? {
        guard let slot = accounts[account].live[id], orders[slot].isResting else { return nil }
        var ahead = orders[slot].crowdAhead
        var other = orders[slot].previous
        while other >= 0 {
            ahead += orders[other].remaining
            other = orders[other].previous
        }
        return ahead
    }

    package func best(_ market: Market.ID, _ side: Side) -> Price? { lanes[Int(market.index)].best(side) }
    /// Contracts shown at a price, crowd and real.
    package func size(_ market: Market.ID, _ side: Side, at price: Price) -> Quantity {
        lanes[Int(market.index)].size(side, price)
    }
    package func isOpen(_ market: Market.ID) -> Bool { lanes[Int(market.index)].isOpen }
    /// Past its close: every request is refused.
    package func isClosed(_ market: Market.ID) -> Bool { lanes[Int(market.index)].isClosed }

    /// All cash, the dollar behind each pair of open contracts, fees and rounding of payouts: the sum is what was
    /// paid in, always.
    package func conservedTotal() -> Money { Money(raw: Int64(clamping: conservedSum)) }

    /// In the unit of ``Money``: hundreds of rich accounts together may have more than that holds.
    private var conservedSum: Int128 {
        var sum = Int128(feesCollected.raw) + Int128(payoutRemainder.raw)
        for account in accounts.indices {
            for shard in accounts[account].shards.all { sum += Int128(shard.cash.raw) }
            for entry in accounts[account].markets.all where entry.position.quantity.isPositive {
                sum += Int128((Price.one * entry.position.quantity).raw)
            }
        }
        return sum
    }

    /// Whether ``conservedTotal()`` is what was paid in.
    package var isBalanced: Bool {
        conservedSum == accounts.indices.reduce(0) { $0 + Int128(accounts[$1].deposited.raw) }
    }

    /// Recomputes everything that is kept beside the orders from the orders themselves.
    package func checkInvariants() {
        precondition(isBalanced)
        for index in 0..<marketCount {
            checkLane(lanes + index)
            let market = Market.ID(index)
            let net = accounts.indices.reduce(Quantity.zero) { $0 + position($1, market).quantity }
            precondition(net.isZero, "positions of a market do not cancel out")
        }
        for account in accounts.indices { checkAccount(account) }
    }

    private func checkLane(_ lane: UnsafeMutablePointer<Lane>) {
        lane.pointee.crowd.checkInvariants()
        for side in [Side.bid, .ask] {
            var before: Price?
            for level in lane.pointee[side].levels.all {
                if let before { precondition(side.isBetter(level.price, than: before)) }
                before = level.price
                var sum = Quantity.zero
                var slot = level.head
                var previous: Int32 = -1
                while slot >= 0 {
                    let order = orders[slot]
                    precondition(order.isResting && order.previous == previous && order.side == side)
                    precondition(order.price == level.price && order.remaining.isPositive)
                    precondition(order.crowdAhead.hundredths >= 0)
                    if previous >= 0 { precondition(order.crowdAhead >= orders[previous].crowdAhead) }
                    sum += order.remaining
                    previous = slot
                    slot = order.next
                }
                precondition(previous == level.tail && level.head >= 0 && sum == level.quantity)
            }
        }
        if let bid = lane.pointee[.bid].best, let ask = lane.pointee[.ask].best { precondition(bid < ask) }
        if lane.pointee.isQuiet {
            let before = lane.pointee.watches
            Lane.refreshWatch(lane)
            precondition(lane.pointee.watches == before)
        }
        for entry in lane.pointee.taken {
            precondition(entry.quantity.isPositive)
            precondition(lane.pointee.crowd.size(entry.side, at: entry.price) >= entry.quantity)
        }
    }

    private func checkAccount(_ account: Int) {
        var reserved: [Int: Money] = [:]
        var listed = 0
        for entry in accounts[account].markets.all {
            let before = listed
            precondition(entry.position.cost.raw >= 0)
            precondition(!entry.position.quantity.isZero || entry.position.cost == .zero)
            for side in [Side.bid, .ask] {
                var open = Quantity.zero
                var slot = entry[first: side]
                while slot >= 0 {
                    precondition(orders[slot].account == Int32(account) && orders[slot].isResting)
                    open += orders[slot].remaining
                    listed += 1
                    slot = orders[slot].accountNext
                }
                precondition(open == entry[open: side])
            }
            precondition(listed - before == entry.openCount)
            let shard = definitions[Int(entry.market.index)].shard
            reserved[shard, default: .zero] += entry.reserved
        }
        precondition(listed == accounts[account].live.count)
        for shard in accounts[account].shards.all {
            precondition(shard.reserved == reserved[shard.shard] ?? .zero && shard.reserved.raw >= 0)
        }
    }
}

extension Venue {
    /// Switches the return of collateral across mutually exclusive markets on or off for an account.
    package func setNetting(_ nets: Bool, account: Int) {
        guard accounts[account].nets != nets else { return }
        accounts[account].nets = nets
        if nets {
            for entry in accounts[account].markets.indices { refreshReserve(account, entry) }
        } else {
            accounts[account].returned = [:]
            for shard in accounts[account].shards.indices { accounts[account].shards[shard].returned = .zero }
        }
    }
}
