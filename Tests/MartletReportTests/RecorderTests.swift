import Martlet
import MartletEngine
import Testing

@testable import MartletReport

/// A recorder with one strategy and one market, and short ways to feed it.
private final class Desk {
    let recorder: RunRecorder
    let market = Market.ID(0)
    var position = Position()
    private var number: UInt64 = 0

    init(strategies: [String] = ["one"]) {
        recorder = RunRecorder(strategies: strategies)
        recorder.define(market, Market(ticker: "KXA-B-C", title: "A title"))
    }

    func order(_ status: OrderStatus, _ quantity: Quantity = 10) -> Order {
        number += 1
        return Order(
            id: OrderID(number), request: OrderRequest(.bid, quantity, at: 0.4, in: market), status: status,
            requestTime: Timestamp(seconds: 0))
    }
    func take(_ order: Order, _ seconds: Int64 = 0) {
        recorder.take(.order(order, strategy: 0), at: Timestamp(seconds: seconds))
    }
    func fill(
        _ order: Order, _ side: Side, _ price: Price, _ quantity: Quantity, taker: Bool = false,
        fee: Money = .zero, at seconds: Int64 = 0
    ) {
        let fill = Fill(
            tradeID: "", order: order.id, market: market, side: side, price: price, quantity: quantity,
            isTaker: taker, fee: fee, exchangeTime: .unknown)
        position.testTrade(fill)
        recorder.take(.fill(fill, strategy: 0, position: position), at: Timestamp(seconds: seconds))
    }
    func finish() -> RunResult {
        recorder.finish(RunFacts(mode: .backtest, strategies: [.init("one")], source: "test"))
    }
}

@Suite struct RecorderTests {
    @Test func eachOrderCountsOnceByItsEnd() {
        let desk = Desk()
        var filled = desk.order(.queued)
        desk.take(filled)
        filled.status = .inFlight
        desk.take(filled)
        filled.status = .resting
        filled.restTime = Timestamp(seconds: 1)
        desk.take(filled, 1)
        desk.fill(filled, .bid, 0.4, 10, at: 4)
        filled.status = .filled
        filled.filled = 10
        desk.take(filled, 4)
        desk.take(filled, 5)  // Told again, late.

        var part = desk.order(.resting)
        part.restTime = Timestamp(seconds: 1)
        desk.take(part, 1)
        desk.fill(part, .bid, 0.4, 3, at: 2)
        part.filled = 3
        part.status = .cancelled(.requested)
        desk.take(part, 9)

        var gone = desk.order(.resting)
        gone.restTime = Timestamp(seconds: 2)
        desk.take(gone, 2)
        gone.status = .cancelled(.expiry)
        desk.take(gone, 62)

        desk.take(desk.order(.rejected(VenueRejection(status: 400, code: "insufficient_balance"))))
        desk.take(desk.order(.refused(Refusal(.orderSize, value: "500", limit: "100"))))
        desk.take(desk.order(.refused(Refusal(.orderSize, value: "600", limit: "100"))))
        desk.take(desk.order(.withdrawn))
        desk.take(desk.order(.unknown))
        desk.take(desk.order(.resting))
        let orders = desk.finish().orders
        #expect(orders.asked == 9)
        #expect(orders.filled == 1 && orders.partlyFilled == 1 && orders.cancelled == 1)
        #expect(orders.rejected == 1 && orders.refused == 2 && orders.withdrawn == 1)
        #expect(orders.unknown == 1 && orders.open == 1 && orders.sent == 6)
        let sum =
            orders.refused + orders.withdrawn + orders.filled + orders.partlyFilled + orders.cancelled
            + orders.rejected + orders.unknown + orders.open
        #expect(sum == orders.asked)
        #expect(orders.rested == 4)
        #expect(orders.cancelReasons.map(\.name) == ["expired", "requested"])
        #expect(orders.rejections.map(\.name) == ["insufficient_balance"])
        #expect(orders.contractsSent == 60 && orders.contractsFilled == 13)
        #expect(orders.untilFill?.count == 2 && orders.untilFill?.greatest == .seconds(3))
        #expect(orders.untilCancel?.count == 1 && orders.untilCancel?.greatest == .seconds(60))
    }

    @Test func refusalsSayWhyNothingTrades() {
        let desk = Desk()
        for value in [500, 600] {
            desk.take(desk.order(.refused(Refusal(.orderSize, value: "\(value)", limit: "100"))), 3)
        }
        desk.recorder.take(
            .refused(OrderID(99), Refusal(.priceCollar, value: "0.9", limit: "0.5"), strategy: 0),
            at: Timestamp(seconds: 7))
        let result = desk.finish()
        #expect(result.refusals.map(\.rule) == [.orderSize, .priceCollar])
        #expect(result.refusals[0].orders == 2 && result.refusals[0].value == "500")
        #expect(result.refusals[1].changes == 1 && result.refusals[1].orders == 0)
        #expect(result.markets[0].refused == 2)
        #expect(SummaryText.text(result).contains("orderSize 2 (first: 500 against 100)"))
    }

    @Test func moneyIsExactAndFeesStandApart() {
        let desk = Desk()
        let order = desk.order(.inFlight)
        desk.take(order)
        // Bought 10.01 at 0.4321 and sold them at 0.5: 10.01 × 0.0679 = 0.679679 before fees.
        desk.fill(order, .bid, 0.4321, Quantity(hundredths: 1001), taker: true, fee: Money(micros: 171_234))
        desk.fill(order, .ask, 0.5, Quantity(hundredths: 1001), fee: Money(micros: 43_791))
        let total = desk.finish().total
        #expect(total.money.beforeFees == Money(raw: 67_967_900))
        #expect(total.money.takerFees == Money(micros: 171_234))
        #expect(total.money.makerFees == Money(micros: 43_791))
        #expect(total.money.net == Money(raw: 67_967_900 - 21_502_500))
        #expect(total.fills.fills == 2 && total.fills.makerFills == 1)
        #expect(total.closed == 1 && total.won == 1)
        // 10.01 × (0.4321 + 0.5)
        #expect(total.fills.turnover == Money(raw: 933_032_100))
    }

    @Test func anOpenPositionIsMarkedToTheLastMidOutsideProfit() {
        let desk = Desk()
        let order = desk.order(.inFlight)
        desk.take(order)
        desk.recorder.book(desk.market, at: Timestamp(seconds: 1), bid: 0.3, ask: 0.36)
        desk.fill(order, .bid, 0.4, 10)
        desk.recorder.book(desk.market, at: Timestamp(seconds: 2), bid: nil, ask: 0.9)
        let result = desk.finish()
        #expect(result.total.money.beforeFees == .zero && result.total.money.net == .zero)
        #expect(result.total.money.unsettled == Money(cents: -70))
        #expect(result.unsettled.first?.mid == 0.33 && result.unsettled.first?.cost == 4)
        #expect(result.strategies[0].money.unsettled == Money(cents: -70))
        #expect(result.calibration == nil)
    }

    @Test func aSettlementRealisesTheProfit() {
        let desk = Desk()
        let order = desk.order(.inFlight)
        desk.take(order)
        desk.fill(order, .ask, 0.7, 10)  // Holds no at 0.30.
        desk.recorder.take(.result(desk.market, .no), at: Timestamp(seconds: 5))
        let settlement = Settlement(
            market: desk.market, result: .no, position: -10, payout: 10, profit: 7,
            time: Timestamp(seconds: 6))
        desk.recorder.take(.settlement(settlement, strategy: 0), at: Timestamp(seconds: 6))
        let result = desk.finish()
        #expect(result.total.money.beforeFees == 7 && result.unsettled.isEmpty)
        #expect(result.total.won == 1 && result.markets[0].result == "no")
        #expect(result.calibration?.brier == 0.49)
    }

    @Test func recordsAndPortfoliosThatDisagreeAreNamed() {
        let desk = Desk()
        let order = desk.order(.inFlight)
        desk.take(order)
        desk.fill(order, .bid, 0.4, 10, fee: Money(cents: 2))
        func sample(_ realized: Money) -> RecorderSample {
            RecorderSample(
                time: Timestamp(seconds: 9),
                accounts: [.init(realized: realized, unrealized: .zero, fees: Money(cents: 2))], cash: 100,
                equity: 100, tokensSpent: 0, tokensAvailable: 1, queued: 0)
        }
        desk.recorder.book(desk.market, at: Timestamp(seconds: 1), bid: 0.3, ask: 0.4)
        desk.recorder.sample(sample(.zero))
        #expect(desk.finish().notes.isEmpty)
        desk.recorder.sample(sample(1))
        #expect(desk.finish().notes.count == 1)
    }

    @Test func aBurstIsNoHigherRateThanItsTokensInASecond() {
        let recorder = RunRecorder(strategies: ["one"])
        func spend(_ tokens: Int, _ milliseconds: Int64) {
            recorder.budget(
                spent: tokens, available: 100 - tokens % 100, queued: 0,
                at: Timestamp(seconds: 10) + .milliseconds(milliseconds))
        }
        spend(0, 0)
        spend(60, 100)
        #expect(
            recorder.finish(RunFacts(mode: .paper, strategies: [], source: "")).budget?.greatestPerSecond
                == 60)
        spend(60, 1_000)
        spend(260, 3_000)
        let use = recorder.finish(RunFacts(mode: .paper, strategies: [], source: "")).budget
        #expect(use?.greatestPerSecond == 100 && use?.spent == 260 && use?.leastAvailable == 40)
    }

    @Test func marketsWithOrdersPushOutThoseWithout() {
        var limits = RunRecorder.Limits()
        limits.followedMarkets = 2
        let recorder = RunRecorder(strategies: ["one"], limits: limits)
        for index in 0..<5 {
            recorder.define(Market.ID(index), Market(ticker: "M\(index)"))
            recorder.book(Market.ID(index), at: Timestamp(seconds: 1), bid: 0.3, ask: 0.4)
        }
        let fill = Fill(
            tradeID: "", order: OrderID(1), market: Market.ID(4), side: .bid, price: 0.4, quantity: 1,
            isTaker: true, fee: .zero, exchangeTime: .unknown)
        var position = Position()
        position.testTrade(fill)
        recorder.take(.fill(fill, strategy: 0, position: position), at: Timestamp(seconds: 2))
        recorder.book(Market.ID(4), at: Timestamp(seconds: 3), bid: 0.31, ask: 0.4)
        let result = recorder.finish(RunFacts(mode: .paper, strategies: [.init("one")], source: ""))
        #expect(result.charts?.markets.map(\.ticker) == ["M4"])
        #expect(result.charts?.markets.first?.bid.values == [0.31])
        #expect(result.marketsWatched == 5)
    }

    @Test func whatIsKeptIsBounded() {
        var limits = RunRecorder.Limits()
        limits.events = 10
        limits.logLines = 20
        let recorder = RunRecorder(strategies: ["one"], limits: limits)
        for index in 0..<1000 {
            let time = Timestamp(seconds: Int64(index))
            recorder.take(.log(index % 2 == 0 ? .info : .error, "line \(index)", strategy: nil), at: time)
            recorder.take(.bookUnusable(Market.ID(index % 3), .gap), at: time)
            recorder.take(.risk(.halted, reason: String(repeating: "x", count: 1000)), at: time)
            recorder.take(.series("s\(index)", 1, strategy: 0), at: time)
        }
        let result = recorder.finish(RunFacts(mode: .live, strategies: [.init("one")], source: ""))
        #expect(result.logs.lines.count <= 20 && result.logs.errors == 500 && result.logs.info == 500)
        #expect(result.risk.count == 10 && result.marketEvents.count == 10 && result.droppedEvents == 1980)
        #expect(result.risk[0].text.count == 200)
        #expect(result.charts?.series.count == limits.namedSeries && !result.notes.isEmpty)
    }

    @Test func fillMarksMergeAtTheirMeanPrice() {
        var marks = FillMarks(capacity: 4)
        for index in 0..<64 {
            let fill = Fill(
                tradeID: "", order: OrderID(1), market: Market.ID(0), side: .bid,
                price: Price(cents: index % 2 == 0 ? 40 : 42), quantity: 2, isTaker: false, fee: .zero,
                exchangeTime: .unknown)
            marks.add(fill, at: Timestamp(seconds: Int64(index)))
        }
        #expect(marks.marks.count <= 4)
        #expect(marks.marks.reduce(0) { $0 + $1.fills } == 64)
        #expect(marks.marks.reduce(0) { $0 + $1.contracts } == 128)
        #expect(marks.marks.dropLast().allSatisfy { abs($0.price - 0.41) < 1e-9 })
    }

    @Test(arguments: [1, 2, 3]) func aDayAddsUp(seed: UInt64) {
        var day = SyntheticRun(seed: seed)
        let result = day.run(hours: 3)
        // The recorder's sums against the accounts of the last sample.
        #expect(result.notes.isEmpty, "seed \(seed)")
        let markets = result.markets.reduce(Money.zero) { $0 + $1.performance.money.net }
        let events = result.events.reduce(Money.zero) { $0 + $1.money.net }
        let strategies = result.strategies.reduce(Money.zero) { $0 + $1.money.net }
        #expect(markets == result.total.money.net && events == markets && strategies == markets)
        #expect(result.total.money.net == result.total.money.beforeFees - result.total.money.fees)
        let lowest = result.charts?.drawdown.values.compactMap { $0 }.min() ?? 0
        #expect(
            Money(rounding: -lowest) == result.total.drawdown?.amount, "the drawn line shows the worst fall")
    }

    @Test func outcomesByStrategySumUpAndAdoptedOrdersStandApart() {
        let recorder = RunRecorder(strategies: ["one", "two"])
        let market = Market.ID(0)
        recorder.define(market, Market(ticker: "M"))
        for (number, strategy) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, -1)] {
            var order = Order(
                id: OrderID(UInt64(number)), request: OrderRequest(.bid, 2, at: 0.4, in: market),
                status: .resting, requestTime: Timestamp(seconds: 0))
            order.restTime = Timestamp(seconds: 0)
            recorder.take(.order(order, strategy: strategy), at: Timestamp(seconds: 0))
            order.status = .cancelled(.requested)
            recorder.take(.order(order, strategy: strategy), at: Timestamp(seconds: Int64(number)))
        }
        let facts = RunFacts(mode: .live, strategies: [.init("one"), .init("two")], source: "")
        let result = recorder.finish(facts)
        #expect(result.strategies.map(\.name) == ["one", "two", "unassigned"])
        #expect(result.strategies.map { $0.orders?.cancelled } == [1, 2, 2])
        #expect(result.orders.cancelled == 5 && result.orders.contractsSent == 10)
        #expect(result.orders.cancelReasons.first?.count == 5)
        #expect(result.orders.untilCancel?.greatest == .seconds(5))
        let median = result.orders.untilCancel?.median.seconds ?? 0
        #expect(median >= 3 && median < 3 * (1 + 1.0 / 32))
    }
}
