import Martlet

// The public face of what happens: changes of the book as everybody sees it, and trades.
extension Venue {
    func publishChange(
        _ market: Market.ID, _ side: Side, _ price: Price, _ change: Quantity, at now: Timestamp,
        _ exchangeTime: Timestamp? = nil
    ) {
        guard settings.publishes, !change.isZero else { return }
        published.append(
            MarketEvent(
                .delta, market: market, side: side, price: price, quantity: change,
                exchangeTime: exchangeTime ?? now, receiveTime: now))
        lanes[Int(market.index)].isPublishing = true
    }

    func publishTrade(_ event: MarketEvent) {
        guard settings.publishes else { return }
        published.append(event)
        lanes[Int(event.market.index)].isPublishing = true
    }

    func publishTrade(
        _ market: Market.ID, taker: Side, _ price: Price, _ quantity: Quantity, at now: Timestamp
    ) {
        guard settings.publishes else { return }
        publishTrade(
            MarketEvent(
                .trade, market: market, side: taker, price: price, quantity: quantity, exchangeTime: now,
                receiveTime: now))
    }

    /// Marks the last change of a market as the end of its group.
    func publishEnd(_ market: Market.ID, _ now: Timestamp) {
        guard settings.publishes, lanes[Int(market.index)].isPublishing else { return }
        lanes[Int(market.index)].isPublishing = false
        for index in published.indices.reversed() where published[index].market == market {
            published[index].flags.insert(.groupEnd)
            return
        }
        published.append(
            MarketEvent(.groupEnd, market: market, flags: .groupEnd, exchangeTime: now, receiveTime: now))
    }

    /// A snapshot of the book as shown, crowd and real orders, best price first.
    package func snapshot(_ market: Market.ID, at now: Timestamp) -> [MarketEvent] {
        let lane = lanes + Int(market.index)
        var events = [
            MarketEvent(.snapshotStart, market: market, exchangeTime: now, receiveTime: now)
        ]
        for side in [Side.bid, .ask] {
            for (price, size) in shown(lane, side) {
                events.append(
                    MarketEvent(
                        .snapshotLevel, market: market, side: side, price: price, quantity: size,
                        exchangeTime: now, receiveTime: now))
            }
        }
        events[events.count - 1].flags = [.snapshotEnd, .groupEnd]
        return events
    }

    /// Levels as shown, best first. O(levels).
    package func levels(_ market: Market.ID, _ side: Side) -> [(price: Price, size: Quantity)] {
        shown(lanes + Int(market.index), side)
    }

    private func shown(_ lane: UnsafeMutablePointer<Lane>, _ side: Side) -> [(price: Price, size: Quantity)] {
        var rows: [(price: Price, size: Quantity)] = []
        var crowd = lane.pointee.bestCrowd(side)
        var real = lane.pointee[side].levels.count - 1
        while crowd != nil || real >= 0 {
            let realPrice = real >= 0 ? lane.pointee[side].levels[real].price : nil
            let price: Price
            if let crowd, let realPrice {
                price = side.isBetter(crowd, than: realPrice) ? crowd : realPrice
            } else if let only = crowd ?? realPrice {
                price = only
            } else {
                break
            }
            rows.append((price, lane.pointee.size(side, price)))
            if crowd == price { crowd = lane.pointee.nextCrowd(side, behind: price) }
            if realPrice == price { real -= 1 }
        }
        return rows
    }

    // MARK: Whole books

    /// Before the crowd is thrown away: takes what it showed out of the public book.
    func publishCrowdGone(_ market: Market.ID) {
        guard settings.publishes else { return }
        let lane = lanes + Int(market.index)
        let now = lane.pointee.groupTime
        for side in [Side.bid, .ask] {
            var price = lane.pointee.bestCrowd(side)
            while let level = price {
                publishChange(market, side, level, -lane.pointee.crowdSize(side, level), at: now)
                price = lane.pointee.nextCrowd(side, behind: level)
            }
        }
    }
    /// After a snapshot of the crowd: puts what it shows into the public book.
    func publishCrowd(_ market: Market.ID, at now: Timestamp) {
        guard settings.publishes else { return }
        let lane = lanes + Int(market.index)
        for side in [Side.bid, .ask] {
            var price = lane.pointee.bestCrowd(side)
            while let level = price {
                publishChange(market, side, level, lane.pointee.crowdSize(side, level), at: now)
                price = lane.pointee.nextCrowd(side, behind: level)
            }
        }
    }
    func publishTakenGone(_ market: Market.ID, _ now: Timestamp) {
        guard settings.publishes else { return }
        for entry in lanes[Int(market.index)].taken {
            publishChange(market, entry.side, entry.price, entry.quantity, at: now)
        }
    }
}
