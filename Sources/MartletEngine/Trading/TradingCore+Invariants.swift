import Martlet

extension TradingCore {
    /// Recomputes everything that is kept up to date the slow way, and traps on a difference. For tests, after
    /// every input.
    package func checkInvariants() {
        store.checkInvariants()
        for index in portfolios.indices { portfolios[index].checkInvariants() }
        for market in desks.indices { checkMarket(market) }
        checkOrders()
        for index in cash.shards.indices {
            var reserved = Money.zero
            for market in desks.indices where shardIndex(market) == index {
                reserved += desks[market].reserved
            }
            for slot in openSlots where shardIndex(Int(store.records[slot].order.market.index)) == index {
                reserved += store.records[slot].held.fee
            }
            precondition(cash[index].reserved == reserved)
            let waiting = openSlots.filter {
                store.records[$0].token != 0 && shardIndex(Int(store.records[$0].order.market.index)) == index
            }
            precondition(router.lanes[index].waiting == waiting.count)
        }
        for pair in quotes.indices {
            for side in Side.allCases where quotes[pair].order[side] >= 0 {
                let record = store.records[Int(quotes[pair].order[side])]
                precondition(record.isOpen && Int(record.quote) == pair * 2 + Int(side.rawValue))
            }
        }
    }

    private var openSlots: [Int] {
        var slots: [Int] = []
        var slot = store.all.first
        while slot >= 0 {
            slots.append(Int(slot))
            slot = store.records[Int(slot)].links.all.next
        }
        return slots
    }

    /// The account is the sum of its strategies and of what was adopted; what they hold on opposite sides the
    /// exchange has paid out at a dollar a pair.
    private func checkMarket(_ market: Int) {
        let whole = portfolios[account].holdings[market]
        var sum = Position()
        var open = BySide(Portfolio.OpenSide())
        var holders: Int32 = 0
        for strategy in 0...unassigned {
            let holding = portfolios[strategy].holdings[market]
            sum.quantity += holding.position.quantity
            sum.cost += holding.position.cost
            sum.realized += holding.position.realized
            sum.fees += holding.position.fees
            for side in Side.allCases {
                open[side].quantity += holding.open[side].quantity
                open[side].cost += holding.open[side].cost
            }
            if !holding.position.quantity.isZero { holders += 1 }
        }
        precondition(sum.quantity == whole.position.quantity && sum.fees == whole.position.fees)
        precondition(
            whole.position.realized - whole.position.cost
                == sum.realized - sum.cost + Price.one * pairs(market))
        precondition(open.bid == whole.open.bid && open.ask == whole.open.ask)
        precondition(holders == desks[market].holders)
        precondition(desks[market].reserved == collateral(market))
    }

    private func checkOrders() {
        var uncertain = Array(repeating: Int32(0), count: desks.count)
        var parked = uncertain
        var open = Array(repeating: 0, count: portfolios.count)
        for slot in openSlots {
            let record = store.records[slot]
            let market = Int(record.order.market.index)
            if record.life.isUncertain { uncertain[market] += 1 }
            if record.isParked { parked[market] += 1 }
            open[Int(record.strategy)] += 1
            open[account] += 1
            precondition(record.held == worstHeld(slot), "\(record.order.id) counts for \(record)")
            precondition(
                record.order.filled <= record.order.quantity || record.life.mayBeAmended, "\(record)")
            precondition(record.life != .queued || record.pending?.work == .place)
            precondition(record.token == 0 || record.pending != nil)
            precondition(record.order.status == record.life.status ?? record.order.status)
        }
        for market in desks.indices {
            precondition(
                uncertain[market] == desks[market].uncertain && parked[market] == desks[market].parked)
        }
        for portfolio in portfolios.indices {
            precondition(open[portfolio] == portfolios[portfolio].openOrders)
        }
    }
}
