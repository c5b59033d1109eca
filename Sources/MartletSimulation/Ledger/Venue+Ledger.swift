import Martlet
import MartletEngine

// Cash, positions and what holds them back.
extension Venue {
    /// Books a fill to its account: position, cash, fee, and what its orders hold back.
    func bookFill(_ slot: Int32, _ contracts: Quantity, at price: Price, fee: Money) {
        let (account, market, side) = (Int(orders[slot].account), orders[slot].market, orders[slot].side)
        let entry = accounts[account].makeEntry(market)
        let change = accounts[account].markets[entry].position.apply(side, contracts, at: price)
        accounts[account].markets[entry].position.fees += fee
        let shard = accounts[account].shard(definitions[Int(market.index)].shard)
        accounts[account].shards[shard].cash += change - fee
        feesCollected += fee
        if orders[slot].isResting { accounts[account].markets[entry][open: side] -= contracts }
        refreshReserve(account, entry)
    }

    /// The crowd's half of a trade: it posts what it must and pays no fee.
    func bookCrowd(_ market: Market.ID, _ side: Side, _ contracts: Quantity, at price: Price) {
        let crowd = Venue.crowdAccount
        let entry = accounts[crowd].makeEntry(market)
        let change = accounts[crowd].markets[entry].position.apply(side, contracts, at: price)
        let shard = accounts[crowd].shard(definitions[Int(market.index)].shard)
        accounts[crowd].shards[shard].cash += change
    }

    // MARK: Reservation

    /// The collateral of a side's orders, and their fees as makers: those that would trade first close the position
    /// for nothing, the others pay their side's price. `extra` is an order that is not in the list. O(the account's
    /// orders there).
    private func requirement(
        _ account: Int, _ entry: Int, _ side: Side, adding extra: (price: Price, size: Quantity)? = nil
    ) -> Money {
        let holding = accounts[account].markets[entry]
        var cover = holding.closable(side)
        var sum = Money.zero
        var extra = extra
        func add(_ price: Price, _ size: Quantity) {
            let covered = min(cover, size)
            cover -= covered
            sum += side.cost(price) * (size - covered)
        }
        var slot = holding[first: side]
        guard slot >= 0 else {
            if let extra { add(extra.price, extra.size) }
            return sum
        }
        let fees = definitions[Int(holding.market.index)].fees
        while slot >= 0 {
            if let order = extra, side.isBetter(order.price, than: orders[slot].price) {
                add(order.price, order.size)
                extra = nil
            }
            add(orders[slot].price, orders[slot].remaining)
            sum += fees.tradeFee(
                price: orders[slot].price, quantity: orders[slot].remaining, isTaker: false,
                at: orders[slot].updated)
            slot = orders[slot].accountNext
        }
        if let extra { add(extra.price, extra.size) }
        return sum
    }

    /// Brings an account's reservation in one market up to date.
    func refreshReserve(_ account: Int, _ entry: Int) {
        let market = accounts[account].markets[entry].market
        let needed =
            requirement(account, entry, .bid) + requirement(account, entry, .ask)
        let shard = accounts[account].shard(definitions[Int(market.index)].shard)
        accounts[account].shards[shard].reserved += needed - accounts[account].markets[entry].reserved
        accounts[account].markets[entry].reserved = needed
        refreshReturn(account, market, shard)
    }

    /// Whether an account can pay for an order that is not in its list yet, its fee included: as a taker where it
    /// would trade at once.
    func isCovered(_ order: VenueOrder, _ account: Int, _ entry: Int) -> Bool {
        let market = Int(order.market.index)
        let side = order.side
        let taking = crosses(order.market, side, order.price)
        let fee = definitions[market].fees.tradeFee(
            price: order.price, quantity: order.remaining, isTaker: taking, at: order.updated)
        let collateral =
            requirement(account, entry, side, adding: (order.price, order.remaining))
            - requirement(account, entry, side)
        let lost = returnLost(order, account)
        let needed = collateral + fee + lost
        guard needed.raw > 0 else { return true }
        let shard = accounts[account].shard(definitions[market].shard)
        return needed <= accounts[account].shards[shard].available
    }

    // MARK: Mutually exclusive collateral

    /// What an event's positions pay whichever market wins, counting as closed what resting orders would close.
    private func guaranteed(_ account: Int, _ event: Int32, closing: VenueOrder?) -> Money {
        var none = Money.zero
        var worst: Money?
        for market in events[Int(event)] {
            guard let entry = accounts[account].entry(market) else { continue }
            let holding = accounts[account].markets[entry]
            let held = holding.position.quantity
            guard !held.isZero else { continue }
            let closes: Side = held.isPositive ? .ask : .bid
            var open = holding[open: closes]
            if let closing, closing.market == market, closing.side == closes { open += closing.remaining }
            let kept = Price.one * max(held.magnitude - open, .zero)
            let yes = held.isPositive ? kept : .zero
            let no = held.isPositive ? .zero : kept
            none += no
            worst = min(worst ?? (yes - no), yes - no)
        }
        // No market at all may win, where none need to: then each pays its NO.
        return max(.zero, none + min(worst ?? .zero, .zero))
    }

    private func nets(_ account: Int, _ market: Market.ID) -> Bool {
        guard accounts[account].nets else { return false }
        let definition = definitions[Int(market.index)]
        return definition.isMutuallyExclusive && definition.collateralReturn == .mutuallyExclusive
    }

    private func refreshReturn(_ account: Int, _ market: Market.ID, _ shard: Int) {
        guard nets(account, market) else { return }
        let event = lanes[Int(market.index)].event
        let now = guaranteed(account, event, closing: nil)
        let before = accounts[account].returned[event] ?? .zero
        guard now != before else { return }
        accounts[account].returned[event] = now
        accounts[account].shards[shard].returned += now - before
    }

    private func returnLost(_ order: VenueOrder, _ account: Int) -> Money {
        guard nets(account, order.market) else { return .zero }
        let event = lanes[Int(order.market.index)].event
        return guaranteed(account, event, closing: nil) - guaranteed(account, event, closing: order)
    }

    // MARK: The account's list of orders

    /// Enters a resting order among its account's, best price first, then oldest.
    func linkToAccount(_ slot: Int32) {
        let order = orders[slot]
        let account = Int(order.account)
        let entry = accounts[account].makeEntry(order.market)
        var before: Int32 = -1
        var after = accounts[account].markets[entry][first: order.side]
        while after >= 0, !order.side.isBetter(order.price, than: orders[after].price) {
            before = after
            after = orders[after].accountNext
        }
        orders[slot].accountPrevious = before
        orders[slot].accountNext = after
        if before >= 0 {
            orders[before].accountNext = slot
        } else {
            accounts[account].markets[entry][first: order.side] = slot
        }
        if after >= 0 { orders[after].accountPrevious = slot }
        accounts[account].markets[entry][open: order.side] += order.remaining
        accounts[account].markets[entry].openCount += 1
    }

    func unlinkFromAccount(_ slot: Int32) {
        let order = orders[slot]
        let account = Int(order.account)
        guard let entry = accounts[account].entry(order.market) else { return }
        let isFirst = accounts[account].markets[entry][first: order.side] == slot
        guard isFirst || order.accountPrevious >= 0 else { return }
        if isFirst {
            accounts[account].markets[entry][first: order.side] = order.accountNext
        } else {
            orders[order.accountPrevious].accountNext = order.accountNext
        }
        if order.accountNext >= 0 { orders[order.accountNext].accountPrevious = order.accountPrevious }
        orders[slot].accountNext = -1
        orders[slot].accountPrevious = -1
        accounts[account].markets[entry][open: order.side] -= order.remaining
        accounts[account].markets[entry].openCount -= 1
    }
}
