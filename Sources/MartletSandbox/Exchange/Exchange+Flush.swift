import Martlet
import MartletEngine
import MartletSimulation

// From what the venue core reports to what members, statistics and channels are told.
extension Exchange {
    /// Takes what the venue has reported since the last call. `cause` says whose command it was.
    func flush(_ cause: Cause? = nil) {
        takePublished(cause)
        takeReports()
        takeAnnouncements()
        for settlement in venue.settlements { take(settlement) }
        venue.settlements.removeAll(keepingCapacity: true)
        audience?.momentEnded()
    }

    // MARK: The public book

    private func takePublished(_ cause: Cause?) {
        guard !venue.published.isEmpty else { return }
        let takers = settings.rules.showsTakersFirst ? takings() : []
        for taking in takers { audience?.bookChanged(taking, by: nil) }
        var number = tradeCount
        var quotedAt: [Market.ID] = []
        for index in venue.published.indices {
            let event = venue.published[index]
            switch event.kind {
            case .trade:
                if !isReplaying { number += 1 }
                take(event, number)
            case .delta:
                if venue.isClosed(event.market) {
                    // The exchange tells the end of a closed market's book with one empty snapshot.
                    if cleared.insert(event.market).inserted { audience?.bookCleared(event.market) }
                } else {
                    cleared.remove(event.market)
                    audience?.bookChanged(event, by: cause)
                }
                if quotedAt.last != event.market, !quotedAt.contains(event.market) {
                    quotedAt.append(event.market)
                }
            case .snapshotStart, .snapshotLevel, .groupEnd: break
            }
        }
        for market in quotedAt {
            let (bid, ask) = quotes(market)
            markets[Int(market.index)].quoted(bid, ask, at: now)
        }
        for var taking in takers {
            taking.quantity = -taking.quantity
            audience?.bookChanged(taking, by: nil)
        }
        venue.published.removeAll(keepingCapacity: true)
    }

    /// What takers traded, as additions on their own side at the worst price that they paid: so the exchange shows
    /// a taking order for a moment.
    private func takings() -> [MarketEvent] {
        var takings: [MarketEvent] = []
        for trade in venue.published where trade.kind == .trade && !venue.isClosed(trade.market) {
            if let index = takings.firstIndex(where: { $0.market == trade.market && $0.side == trade.side }) {
                takings[index].quantity += trade.quantity
                if trade.side.isBetter(trade.price, than: takings[index].price) {
                    takings[index].price = trade.price
                }
            } else {
                var taking = trade
                taking.kind = .delta
                takings.append(taking)
            }
        }
        return takings
    }

    private func take(_ event: MarketEvent, _ number: UInt64) {
        let (bid, ask) = quotes(event.market)
        markets[Int(event.market.index)].traded(event.price, event.quantity, bid: bid, ask: ask, at: now)
        publicTradeCount += 1
        // A recorded trade is none of the venue's: its identifiers are of a kind of their own.
        let id = tradeIDs.text(isReplaying ? publicTradeCount | 1 << 47 : number)
        let trade = TradeRecord(
            number: publicTradeCount, id: id, market: event.market,
            price: event.price, quantity: event.quantity, taker: event.side, time: now,
            isBlock: event.flags.contains(.block))
        trades.append(trade)
        audience?.traded(trade)
    }

    // MARK: Reports

    private func takeReports() {
        guard !venue.reports.isEmpty else { return }
        var orders: [(member: Int, number: UInt64)] = []
        var known: Set<UInt64> = []
        var positions: [(member: Int, subaccount: Int, market: Market.ID)] = []
        for index in venue.reports.indices {
            let entry = venue.reports[index]
            let report = entry.report
            var position = Quantity.zero
            if case .filled(let fill) = report.body {
                position = markets[Int(fill.market.index)].hold(entry.account, fill.side, fill.quantity)
                if let number = UInt64(fill.tradeID.dropFirst()) { tradeCount = max(tradeCount, number) }
            }
            guard let (member, subaccount) = owner(entry.account) else { continue }
            let number = report.order.number
            guard note(report, member) else { continue }
            if case .filled(let fill) = report.body {
                let record = FillRecord(
                    number: UInt64(fill.tradeID.dropFirst()) ?? 0, fill: fill, order: number,
                    clientID: member.entries[number]?.clientID ?? "", subaccount: subaccount,
                    position: position)
                member.append(record)
                member.touched[fill.market] = now
                audience?.filled(record, of: member)
                if !positions.contains(where: {
                    $0.member == member.index && $0.market == fill.market && $0.subaccount == subaccount
                }) {
                    positions.append((member.index, subaccount, fill.market))
                }
            }
            if known.insert(number).inserted { orders.append((member.index, number)) }
        }
        venue.reports.removeAll()
        for (index, number) in orders {
            guard let entry = members[index].entries[number],
                let order = venue.order(OrderID(number), account: entry.account)
            else { continue }
            audience?.orderChanged(entry, order, of: members[index])
        }
        for (index, subaccount, market) in positions {
            audience?.positionChanged(market, subaccount: subaccount, of: members[index])
        }
    }

    /// Keeps the reason of an order's change; false where nothing changed.
    private func note(_ report: VenueReport, _ member: Member) -> Bool {
        let reason: String?
        switch report.body {
        case .accepted(_, _, let end): reason = end?.wire
        case .filled: reason = "Trade"
        case .amended: reason = "Amend"
        case .cancelled, .decreased: reason = CancelReason.requested.wire
        case .ended(let end): reason = end.wire
        case .rejected, .changeRejected, .unknown, .provenAbsent, .state, .rateLimited: return false
        }
        member.entries[report.order.number]?.reason = reason
        return true
    }

    // MARK: Life

    private func takeAnnouncements() {
        guard !venue.announcements.isEmpty else { return }
        let announcements = venue.announcements
        venue.announcements.removeAll(keepingCapacity: true)
        for announcement in announcements {
            switch announcement {
            case .status(let market, let status, _):
                switch status {
                case .inactive: audience?.lived(.deactivated(market))
                case .active:
                    // Opening by the clock is told by nobody; the end of a pause is.
                    if wasPaused.contains(market) { audience?.lived(.activated(market)) }
                default: break
                }
                if status == .inactive || status == .closed {
                    wasPaused.insert(market)
                } else {
                    wasPaused.remove(market)
                }
                markets[Int(market.index)].updated = now
            case .result(let market, let result, let time):
                markets[Int(market.index)].determined = time
                audience?.lived(.determined(market, result))
            case .settled(let market, _, let time):
                markets[Int(market.index)].settled = time
                markets[Int(market.index)].holdings = [:]
                audience?.lived(.settled(market))
            case .groupTriggered(let group, let account, _):
                guard let (member, _) = owner(account) else { continue }
                audience?.groupChanged(group, .triggered, of: member)
            }
        }
    }

    private func take(_ settlement: SettlementRecord) {
        guard let (member, subaccount) = owner(settlement.account) else { return }
        settlementCount += 1
        member.append(
            SettlementEntry(number: settlementCount, record: settlement, subaccount: subaccount))
        member.touched[settlement.market] = now
        audience?.positionChanged(settlement.market, subaccount: subaccount, of: member)
    }
}
