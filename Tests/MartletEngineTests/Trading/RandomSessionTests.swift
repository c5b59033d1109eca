import Martlet
import Testing

@testable import MartletEngine

/// An exchange that takes every order, answers late, out of order, twice or not at all, and keeps the truth.
struct ChaosVenue {
    struct Live {
        var side: Side
        var market: Market.ID
        var price: Price
        var total: Quantity
        var filled: Quantity = .zero
        var isLive = true
    }
    var random: SeededGenerator
    /// Orders that reached the exchange, by number; never iterated.
    var orders: [UInt64: Live] = [:]
    var known: [OrderID] = []
    var outbox: [VenueReport] = []
    /// Of orders whose answer was lost.
    var unresolved: [OrderID] = []
    /// Places that never reached the exchange.
    var absent: Set<UInt64> = []
    var places: [UInt64: Int] = [:]
    var trades = 0
    /// The account as the exchange has it.
    var positions: [UInt32: Position] = [:]
    var cash: Money = 100_000

    mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    mutating func take(_ command: VenueCommand, _ now: Timestamp) {
        switch command {
        case .place(let place): take(place, now)
        case .placeBatch(let places): for place in places { take(place, now) }
        case .cancel(let id, let market): cancel(id, market, now)
        case .cancelBatch(let list): for item in list { cancel(item.order, item.market, now) }
        case .amend(let amend):
            if chance(5) { return say(.rateLimited(.amend), amend.id, amend.market, now) }
            guard var live = orders[amend.id.number], live.isLive, amend.quantity > live.filled else {
                return say(
                    .changeRejected(.amend, .init(status: 404, code: "not_found")), amend.id, amend.market,
                    now)
            }
            precondition(live.market == amend.market && live.side == amend.side)
            live.price = amend.price
            live.total = amend.quantity
            orders[amend.id.number] = live
            if chance(10) { return lose(.amend, amend.id, amend.market, now) }
            say(
                .amended(price: live.price, quantity: live.total, remaining: live.total - live.filled),
                amend.id,
                amend.market, now)
        case .decrease(let id, let market, let remaining):
            guard var live = orders[id.number], live.isLive else {
                return say(.changeRejected(.decrease, .init(status: 404, code: "not_found")), id, market, now)
            }
            live.total = live.filled + min(remaining, live.total - live.filled)
            orders[id.number] = live
            say(.decreased(remaining: live.total - live.filled), id, market, now)
        case .cancelEverything: break
        }
    }

    private mutating func take(_ place: PlaceOrder, _ now: Timestamp) {
        let id = place.id
        let market = place.request.market
        if chance(5) { return say(.rateLimited(.place), id, market, now) }
        places[id.number, default: 0] += 1
        if chance(5) {
            return say(.rejected(VenueRejection(status: 400, code: "invalid_order")), id, market, now)
        }
        let isLost = chance(10)
        if isLost, chance(50) {
            absent.insert(id.number)
            return lose(.place, id, market, now)
        }
        orders[id.number] = Live(
            side: place.request.side, market: market, price: place.request.price,
            total: place.request.quantity)
        known.append(id)
        if isLost { return lose(.place, id, market, now) }
        var filled = Quantity.zero
        if chance(20) { filled = trade(id, now) }
        let live = orders[id.number]!
        if place.request.timeInForce == .immediateOrCancel, live.isLive {
            orders[id.number]!.isLive = false
            return say(.accepted(filled: filled, remaining: .zero, end: .immediateRemainder), id, market, now)
        }
        say(.accepted(filled: filled, remaining: live.total - live.filled, end: nil), id, market, now)
    }

    private mutating func cancel(_ id: OrderID, _ market: Market.ID, _ now: Timestamp) {
        if chance(5) { return say(.rateLimited(.cancel), id, market, now) }
        guard let live = orders[id.number], live.isLive else {
            if chance(50), let live = orders[id.number], live.filled == live.total {
                return say(.cancelled(by: .zero), id, market, now)
            }
            return say(.changeRejected(.cancel, .init(status: 404, code: "not_found")), id, market, now)
        }
        orders[id.number]!.isLive = false
        if chance(10) { return lose(.cancel, id, market, now) }
        say(.cancelled(by: live.total - live.filled), id, market, now)
    }

    private mutating func lose(
        _ request: VenueReport.Request, _ id: OrderID, _ market: Market.ID, _ now: Timestamp
    ) {
        unresolved.append(id)
        say(.unknown(request), id, market, now)
    }

    /// Fills part or all of an order that lives.
    @discardableResult
    mutating func trade(_ id: OrderID, _ now: Timestamp) -> Quantity {
        guard var live = orders[id.number], live.isLive else { return .zero }
        let open = live.total - live.filled
        let quantity =
            chance(50) ? open : Quantity(hundredths: Int64(random.next() % UInt64(open.hundredths)) + 1)
        live.filled += quantity
        live.isLive = live.filled < live.total
        orders[id.number] = live
        trades += 1
        let fee = Money(micros: Int64(random.next() % 1_000) * 100)
        cash +=
            positions[live.market.index, default: Position()].trade(live.side, quantity, at: live.price) - fee
        let fill = Fill(
            tradeID: "trade \(trades)", order: id, market: live.market, side: live.side, price: live.price,
            quantity: quantity, isTaker: false, fee: fee, exchangeTime: now)
        say(.filled(fill), id, live.market, now)
        if chance(20) { say(.filled(fill), id, live.market, now) }
        return quantity
    }

    mutating func say(_ body: VenueReport.Body, _ id: OrderID, _ market: Market.ID, _ now: Timestamp) {
        let report = VenueReport(body, order: id, market: market, exchangeTime: now)
        // Anywhere among the last few that have not been delivered: out of order, but not by ages.
        let depth = min(outbox.count, Int(random.next() % 4))
        outbox.insert(report, at: outbox.count - depth)
    }

    /// Looks an order of unknown outcome up, as a driver would, once all that was said has been heard.
    mutating func resolve(_ now: Timestamp) {
        for id in unresolved {
            if absent.contains(id.number) {
                say(.provenAbsent, id, Market.ID(0), now)
                continue
            }
            guard orders[id.number] != nil else { continue }
            tellState(id, now)
        }
        unresolved.removeAll()
    }
    mutating func tellState(_ id: OrderID, _ now: Timestamp) {
        let live = orders[id.number]!
        let status: OrderState.Status =
            live.isLive ? .resting : live.filled == live.total ? .executed : .cancelled
        say(
            .state(
                OrderState(
                    status: status, price: live.price, filled: live.filled,
                    remaining: live.isLive ? live.total - live.filled : .zero)), id, live.market, now)
    }
}

/// Thousands of seeded sessions against that exchange: invariants after each input, and at the end the truth.
@Suite struct RandomSessionTests {
    @Test(arguments: 0..<24)
    func whateverTheVenueDoesTheBooksAgree(_ index: Int) {
        let seed = testSeed("whateverTheVenueDoesTheBooksAgree", default: UInt64(1_000 + index))
        var settings = TradingSettings()
        settings.strategyLimits.maxOrdersPerSecond = .max
        settings.accountLimits.maxOrdersPerSecond = .max
        settings.router.batchesPlaces = index % 3 == 2
        settings.router.batchesCancels = index % 3 == 2
        let rig = TradingRig(settings, limits: index % 2 == 0 ? .basic : .unlimited)
        for market in 0..<3 {
            rig.market("M\(market)", event: market < 2 ? "E" : "F", exclusive: true)
        }
        rig.core.seed(seed)
        var random = SeededGenerator(seed: seed)
        var venue = ChaosVenue(random: SeededGenerator(seed: seed &+ 1))
        var ids: [OrderID] = []
        for step in 0..<1_500 {
            rig.now = rig.now + .microseconds(Int64(random.next() % 40_000))
            rig.core.advance(to: rig.now)
            rig.check()
            act(rig, &random, &ids)
            for command in rig.commands() { venue.take(command, rig.now) }
            if random.next() % 3 == 0, !venue.known.isEmpty {
                venue.trade(venue.known[Int(random.next() % UInt64(venue.known.count))], rig.now)
            }
            while venue.outbox.count > 3 || random.next() % 2 == 0, !venue.outbox.isEmpty {
                deliver(rig, &venue)
            }
            if step % 50 == 49 { quieten(rig, &venue) }
        }
        finish(rig, &venue)
    }

    private func act(_ rig: TradingRig, _ random: inout SeededGenerator, _ ids: inout [OrderID]) {
        let strategy = Int(random.next() % 2)
        let market = Market.ID(Int(random.next() % 3))
        let size = Quantity(hundredths: Int64(random.next() % 2_000) + 1)
        let price = Price(cents: Int(random.next() % 30) + 35)
        switch random.next() % 12 {
        case 0...2:
            ids.append(
                rig.place(random.next() % 2 == 0 ? .bid : .ask, size, at: price, in: market, by: strategy) {
                    if random.next() % 4 == 0 { $0.timeInForce = .immediateOrCancel }
                })
        case 3...6:
            let bid = random.next() % 5 == 0 ? nil : Quote(price, size)
            let ask = random.next() % 5 == 0 ? nil : Quote(price + 0.03, size)
            rig.quote(bid, ask, in: market, by: strategy)
        case 7: if let id = ids.randomElement(using: &random) { rig.submit(.cancel(id), by: strategy) }
        case 8:
            if let id = ids.suffix(10).randomElement(using: &random) {
                rig.submit(.amend(id, price: price, quantity: size), by: strategy)
            }
        case 9:
            if let id = ids.suffix(10).randomElement(using: &random) {
                rig.submit(.decrease(id, to: size), by: strategy)
            }
        case 10: rig.book(market, price - 0.02, price + 0.02)
        default:
            if random.next() % 10 == 0 {
                rig.submit(.cancelAll(random.next() % 2 == 0 ? market : nil), by: strategy)
            }
        }
    }

    private func deliver(_ rig: TradingRig, _ venue: inout ChaosVenue) {
        let report = venue.outbox.removeFirst()
        rig.core.handle(report, now: rig.now)
        rig.check()
    }

    /// Delivers all that is under way, and resolves what is unknown.
    private func quieten(_ rig: TradingRig, _ venue: inout ChaosVenue) {
        for _ in 0..<50 {
            while !venue.outbox.isEmpty { deliver(rig, &venue) }
            venue.resolve(rig.now)
            for order in rig.core.ordersToLookUp() where venue.orders[order.order.number] != nil {
                venue.tellState(order.order, rig.now)
            }
            rig.wait(.milliseconds(200))
            for command in rig.commands() { venue.take(command, rig.now) }
        }
    }

    private func finish(_ rig: TradingRig, _ venue: inout ChaosVenue) {
        rig.core.command(.halt(reason: "the end"), now: rig.now)
        for _ in 0..<20 { quieten(rig, &venue) }
        for order in rig.core.openOrders() {
            let slot = rig.core.store.slot(of: order.id)!
            Issue.record("left: \(rig.core.store.records[slot]) \(venue.orders[order.id.number] as Any)")
        }
        #expect(venue.known.allSatisfy { !venue.orders[$0.number]!.isLive })
        #expect(venue.places.values.allSatisfy { $0 == 1 }, "no order was sent twice")
        for market in 0..<3 {
            let theirs = venue.positions[UInt32(market)] ?? Position()
            let ours = rig.core.accountPosition(Market.ID(market))
            #expect(ours.quantity == theirs.quantity)
            // Fills arrive in another order than they happened, which moves profit between realised and cost.
            #expect(ours.realized - ours.cost == theirs.realized - theirs.cost)
        }
        #expect(rig.core.cash.total == venue.cash)
        #expect(rig.core.cash[0].reserved == .zero)
        for id in venue.known {
            #expect(rig.core.order(id).map { $0.filled == venue.orders[id.number]!.filled } ?? true)
        }
    }
}
