import Foundation
import Martlet
import MartletEngine

@testable import MartletReport

/// A made-up exchange day, seeded: events with exclusive markets whose prices wander and jump, a maker and a
/// taker with the accounts that a real engine would keep. It feeds a recorder as a driver does.
struct SyntheticRun {
    struct MarketState {
        var definition: Market
        var fair: Double
        var spread: Int
        var positions = [Position(), Position()]
        var bid: Price = .zero
        var ask: Price = .zero
        var result: MarketResult?
        var resting: [(id: OrderID, order: Order)] = []
    }

    var random: SeededGenerator
    let recorder: RunRecorder
    var markets: [MarketState] = []
    var now: Timestamp
    let start: Timestamp
    var nextOrder: UInt64 = 1
    var nextTrade = 1
    var spent = 0
    var fees: [Money] = [.zero, .zero]
    var isComplete = true
    static let cash = Money(dollars: 5_000)

    init(seed: UInt64, events: Int = 5, limits: RunRecorder.Limits = .init()) {
        random = SeededGenerator(seed: seed)
        recorder = RunRecorder(strategies: ["spread-maker", "exclusive-arbitrage"], limits: limits)
        start = Timestamp(seconds: 1_793_626_200)  // 2026-11-02 13:30 UTC
        now = start
        let names = ["Above 4.1 %", "4.0 to 4.1 %", "Below 4.0 %"]
        for event in 0..<events {
            for outcome in 0..<3 {
                let ticker = "KXRATE-26NOV\(String(format: "%02d", event + 2))-T\(outcome + 1)"
                var market = Market(
                    ticker: ticker, title: "Ten-year yield on day \(event + 1)?", subtitle: names[outcome],
                    isMutuallyExclusive: true)
                market.closeTime = start + .hours(Int64(2 + event))
                let id = Market.ID(markets.count)
                recorder.define(id, market)
                markets.append(
                    MarketState(
                        definition: market, fair: [0.22, 0.5, 0.28][outcome], spread: 2 + event % 3))
            }
        }
    }

    /// Runs `hours` of the day at a step of `step` seconds and sums up.
    mutating func run(hours: Double = 6.5, step: Double = 5) -> RunResult {
        recorder.take(.risk(.active, reason: "start"), at: now)
        recorder.take(.log(.info, "subscribed to \(markets.count) markets", strategy: 0), at: now)
        let steps = Int(hours * 3600 / step)
        for index in 0..<steps {
            now = start + TimeSpan(nanoseconds: Int64(Double(index) * step * 1e9))
            for market in markets.indices where markets[market].result == nil { tick(market) }
            events(index, of: steps)
            if index % 6 == 0 { sample() }
        }
        sample()
        return recorder.finish(facts)
    }

    var facts: RunFacts {
        RunFacts(
            mode: .backtest,
            strategies: [
                .init("spread-maker", parameters: [.init("halfSpread", "0.02"), .init("size", "10")]),
                .init("exclusive-arbitrage", parameters: [.init("edge", "0.015")]),
            ],
            source: "demo.tape", seed: 7, start: start, end: now, records: 1_234_567,
            isComplete: isComplete, interruption: isComplete ? nil : "Ctrl-C",
            startingCash: Self.cash, writeBudget: RunFacts.Budget(.basic),
            settings: [
                .init("latency", "log-normal, median 45 ms, p99 180 ms"),
                .init("queue model", "proportional cancels ahead"),
            ],
            assumptions: ["KXRATE: no fee type recorded, quadratic with multiplier 1 assumed."],
            skipped: [.init("KXOLD-1", "no snapshot in the recording")],
            configuration: "{ tape: \"demo.tape\", // the day\n  strategy: { name: \"spread-maker\" } }\n",
            timing: .init(seconds: 0.0824, recordsPerSecond: 14_982_609))
    }

    private mutating func unit() -> Double { random.unit() }

    private mutating func tick(_ index: Int) {
        let id = Market.ID(index)
        let news = unit() < 0.0004
        var fair = markets[index].fair + (unit() - 0.5) * (news ? 0.35 : 0.012)
        fair = min(max(fair, 0.03), 0.97)
        markets[index].fair = fair
        let half = Double(markets[index].spread) / 200 + (news ? 0.03 : 0)
        let bid = Price(cents: max(1, Int((fair - half) * 100)))
        let ask = Price(cents: min(99, max(Int((fair + half) * 100 + 1), Int((fair - half) * 100) + 1)))
        markets[index].bid = bid
        markets[index].ask = ask
        recorder.book(id, at: now, bid: bid, ask: ask)
        trade(index, id)
    }

    private mutating func trade(_ index: Int, _ id: Market.ID) {
        // Resting orders fill or are cancelled.
        let resting = markets[index].resting
        markets[index].resting = []
        for (orderID, order) in resting {
            let chance = unit()
            if chance < 0.02 {
                fill(order, id, index, strategy: 0, isTaker: false, share: unit() < 0.8 ? 1 : 0.4)
            } else if chance < 0.12 {
                var gone = order
                gone.status = .cancelled(.requested)
                spent += 2
                recorder.take(.order(gone, strategy: 0), at: now)
            } else {
                markets[index].resting.append((orderID, order))
            }
        }
        if markets[index].resting.count < 2, unit() < 0.3 { place(index, id) }
        if unit() < 0.0016 { take(index, id) }
    }

    private mutating func place(_ index: Int, _ id: Market.ID) {
        let held = markets[index].positions[0].quantity.contracts
        let side: Side = unit() < 0.5 - held / 120 ? .bid : .ask
        let price = side == .bid ? markets[index].bid : markets[index].ask
        var order = Order(
            id: OrderID(nextOrder), request: OrderRequest(side, 10, at: price, in: id, isPostOnly: true),
            status: .queued, requestTime: now)
        nextOrder += 1
        if abs(held) > 60 || unit() < 0.01 {
            order.status = .refused(Refusal(.marketPosition, value: "\(Int(abs(held)) + 10)", limit: "60"))
            recorder.take(.order(order, strategy: 0), at: now)
            return
        }
        recorder.take(.order(order, strategy: 0), at: now)
        spent += 10
        if unit() < 0.02 {
            order.status = .rejected(VenueRejection(status: 400, code: "post_only_cross"))
            recorder.take(.order(order, strategy: 0), at: now + .milliseconds(45))
            return
        }
        order.status = .resting
        order.restTime = now + .milliseconds(45)
        recorder.take(.order(order, strategy: 0), at: order.restTime)
        markets[index].resting.append((order.id, order))
    }

    private mutating func take(_ index: Int, _ id: Market.ID) {
        let side: Side = unit() < 0.5 ? .bid : .ask
        let price = side == .bid ? markets[index].ask : markets[index].bid
        var order = Order(
            id: OrderID(nextOrder),
            request: OrderRequest(side, 25, at: price, in: id, timeInForce: .immediateOrCancel),
            status: .inFlight, requestTime: now)
        nextOrder += 1
        spent += 10
        recorder.take(.order(order, strategy: 1), at: now)
        order.status = .inFlight
        fill(order, id, index, strategy: 1, isTaker: true, share: unit() < 0.6 ? 1 : 0.52)
    }

    private mutating func fill(
        _ order: Order, _ id: Market.ID, _ index: Int, strategy: Int, isTaker: Bool, share: Double
    ) {
        var order = order
        let quantity = Quantity(hundredths: Int64(Double(order.quantity.hundredths) * share))
        let fee =
            isTaker
            ? FeeTerms.standard.tradeFee(price: order.price, quantity: quantity, isTaker: true, at: now)
            : .zero
        let fill = Fill(
            tradeID: "t\(nextTrade)", order: order.id, market: id, side: order.side, price: order.price,
            quantity: quantity, isTaker: isTaker, fee: fee, exchangeTime: now)
        nextTrade += 1
        markets[index].positions[strategy].testTrade(fill)
        fees[strategy] += fee
        recorder.take(.fill(fill, strategy: strategy, position: markets[index].positions[strategy]), at: now)
        order.filled = quantity
        order.status = share == 1 ? .filled : .cancelled(isTaker ? .immediateRemainder : .requested)
        recorder.take(.order(order, strategy: strategy), at: now)
    }

    private mutating func events(_ index: Int, of steps: Int) {
        switch Double(index) / Double(steps) {
        case let share where abs(share - 0.3) < 0.5 / Double(steps):
            recorder.take(.bookUnusable(Market.ID(4), .gap), at: now)
            recorder.take(.bookUsable(Market.ID(4)), at: now + .seconds(40))
        case let share where abs(share - 0.45) < 0.5 / Double(steps):
            recorder.take(.status(Market.ID(7), .inactive), at: now)
            recorder.take(.status(Market.ID(7), .active), at: now + .minutes(9))
        case let share where abs(share - 0.6) < 0.5 / Double(steps):
            recorder.take(.risk(.reduceOnly, reason: "daily loss 212.40 against 200.00"), at: now)
            recorder.take(.log(.warning, "reduce only", strategy: nil), at: now)
        case let share where abs(share - 0.68) < 0.5 / Double(steps):
            recorder.take(.risk(.active, reason: "resumed by the operator"), at: now)
        default: break
        }
        for market in markets.indices where markets[market].result == nil {
            if now >= markets[market].definition.closeTime { settle(market) }
        }
    }

    private mutating func settle(_ index: Int) {
        let event = markets[index].definition.event
        let siblings = markets.indices.filter { markets[$0].definition.event == event }
        let total = siblings.reduce(0.0) { $0 + markets[$1].fair }
        var pick = unit() * total
        let winner = siblings.first { sibling in
            pick -= markets[sibling].fair
            return pick <= 0
        }
        for sibling in siblings {
            let result: MarketResult = sibling == (winner ?? siblings[0]) ? .yes : .no
            let id = Market.ID(sibling)
            markets[sibling].result = result
            for (_, order) in markets[sibling].resting {
                var gone = order
                gone.status = .cancelled(.marketClosed)
                recorder.take(.order(gone, strategy: 0), at: now)
            }
            markets[sibling].resting = []
            recorder.book(id, at: now, bid: nil, ask: nil)
            recorder.take(.status(id, .closed), at: now)
            recorder.take(.result(id, result), at: now + .seconds(30))
            for strategy in 0..<2 {
                let position = markets[sibling].positions[strategy]
                let payout = position.value(at: result.yesValue)
                recorder.take(
                    .settlement(
                        Settlement(
                            market: id, result: result, position: position.quantity, payout: payout,
                            profit: payout - position.cost, time: now), strategy: strategy),
                    at: now + .seconds(60))
                markets[sibling].positions[strategy].realized += payout - position.cost
                markets[sibling].positions[strategy].cost = .zero
                markets[sibling].positions[strategy].quantity = .zero
            }
        }
    }

    private mutating func sample() {
        let accounts = (0..<2).map { strategy in
            var account = RecorderSample.Account(realized: .zero, unrealized: .zero, fees: fees[strategy])
            for market in markets {
                let position = market.positions[strategy]
                account.realized += position.realized
                let mid = Price(micros: (market.bid.micros + market.ask.micros) / 2)
                account.unrealized += position.quantity.isZero ? .zero : position.unrealized(at: mid)
            }
            return account
        }
        let net = accounts.reduce(Money.zero) { $0 + $1.net }
        recorder.take(.series("inventory skew", accounts[0].unrealized.dollars / 10, strategy: 0), at: now)
        recorder.sample(
            RecorderSample(
                time: now, accounts: accounts, cash: Self.cash + net, equity: Self.cash + net,
                tokensSpent: spent, tokensAvailable: Int(unit() * 60) + 40, queued: Int(unit() * 4)))
    }
}

extension Position {
    /// The portfolio's rule, written again for tests: a close removes ⌊cost × closed ÷ held⌋.
    mutating func testTrade(_ fill: Fill) {
        let held = quantity.hundredths * fill.side.sign
        let closing = held < 0 ? min(-held, fill.quantity.hundredths) : 0
        if closing > 0 {
            let removed =
                closing == -held
                ? cost : Money(raw: Int64(Int128(cost.raw) * Int128(closing) / Int128(-held)))
            realized += fill.side.opposite.cost(fill.price) * Quantity(hundredths: closing) - removed
            cost -= removed
        }
        let opening = Quantity(hundredths: fill.quantity.hundredths - closing)
        cost += fill.side.cost(fill.price) * opening
        quantity.hundredths += fill.quantity.hundredths * fill.side.sign
        fees += fill.fee
    }
}
