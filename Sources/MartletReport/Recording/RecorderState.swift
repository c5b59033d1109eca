import Martlet

/// What is kept of a strategy, or of all of them.
struct StrategyState {
    var profit: ExtremeSeries
    var drawdown: ExtremeSeries
    var fall = DrawdownTracker()
    var changes = ChangeStatistics()

    init(buckets: Int) {
        profit = ExtremeSeries(capacity: buckets)
        drawdown = ExtremeSeries(capacity: buckets)
    }

    mutating func sampled(_ net: Money, at time: Timestamp) {
        profit.add(time, net.dollars)
        fall.add(net, at: time)
        drawdown.add(time, -fall.current.dollars)
        changes.add(net, at: time)
    }
}

/// One strategy's holding in one market.
struct Holding {
    var strategy: Int
    var position = Position()
    var money = ProfitLine()
    var fills = FillCounts()
    var closed = 0
    var won = 0
    /// Net realised profit when the present position was opened.
    private var netAtOpening: Money = .zero

    init(strategy: Int) { self.strategy = strategy }

    mutating func take(_ fill: Fill, position after: Position) {
        let before = position
        money.beforeFees += after.realized - before.realized
        if fill.isTaker { money.takerFees += fill.fee } else { money.makerFees += fill.fee }
        money.net = money.beforeFees - money.fees
        fills.add(fill)
        position = after
        let isReversed =
            !before.quantity.isZero && !after.quantity.isZero
            && before.quantity.isPositive != after.quantity.isPositive
        if !before.quantity.isZero, after.quantity.isZero || isReversed { close() }
    }

    mutating func take(_ settlement: Settlement) {
        guard !position.quantity.isZero || settlement.profit != .zero else { return }
        money.beforeFees += settlement.profit
        money.net = money.beforeFees - money.fees
        position.realized += settlement.profit
        position.quantity = .zero
        position.cost = .zero
        close()
    }

    private mutating func close() {
        closed += 1
        if money.net > netAtOpening { won += 1 }
        netAtOpening = money.net
    }
}

/// What is kept of a market. A class, since it is wide and changed in place on each record.
final class MarketState {
    /// Drawn lines, only of markets that are followed.
    struct Lines {
        var bid: ExtremeSeries
        var ask: ExtremeSeries
        var position: ExtremeSeries
        init(buckets: Int) {
            bid = ExtremeSeries(capacity: buckets)
            ask = ExtremeSeries(capacity: buckets)
            position = ExtremeSeries(capacity: buckets)
        }
    }
    var definition: Market?
    /// The last with both sides there.
    var mid: Price?
    var lines: Lines?
    var marks: FillMarks?
    var purchases: PurchaseTally?
    /// In order of first fill.
    var holdings: [Holding] = []
    var result: MarketResult?
    var events: [RunEvent] = []
    var orders = 0
    var refused = 0

    /// Something of ours happened here.
    var isActive: Bool { orders > 0 || !holdings.isEmpty }
    var position: Quantity { holdings.reduce(.zero) { $0 + $1.position.quantity } }

    /// Changes a strategy's holding, made when it is the first time.
    func hold(_ strategy: Int, _ body: (inout Holding) -> Void) {
        let index =
            holdings.firstIndex { $0.strategy == strategy }
            ?? {
                holdings.append(Holding(strategy: strategy))
                return holdings.count - 1
            }()
        body(&holdings[index])
    }
}
