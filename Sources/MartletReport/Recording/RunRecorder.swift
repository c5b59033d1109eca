import Martlet
import MartletEngine

/// Takes down what a run produces and sums it up, in memory that does not grow with the run's length: only with
/// markets, with orders open at once, and up to ``Limits`` with what is drawn.
///
///     let recorder = RunRecorder(strategies: ["maker"])
///     recorder.define(id, market)                     // each definition
///     recorder.take(record, at: time)                 // each EngineRecord
///     recorder.book(id, at: time, bid: bid, ask: ask) // the top of books, as often as convenient
///     recorder.sample(sample)                         // at an even interval, and at the end
///     let result = recorder.finish(facts)
///
/// Equal calls give equal results, to the byte. Not thread-safe.
package final class RunRecorder {
    /// How much is kept for drawing and listing.
    package struct Limits: Hashable, Sendable {
        /// Buckets of the run's own lines, and of each market's: up to four points each.
        package var runBuckets = 300
        package var marketBuckets = 100
        /// Markets whose book is followed at once. Markets with orders push out those without.
        package var followedMarkets = 256
        /// Markets drawn on the page.
        package var drawnMarkets = 12
        /// Fill marks of one kind (side, maker or taker) in one market.
        package var fillMarks = 128
        package var events = 500
        package var logLines = 200
        /// Names of series that strategies record.
        package var namedSeries = 24
        package init() {}
    }

    let limits: Limits
    package let strategyNames: [String]
    /// By market index.
    var markets: [MarketState?] = []
    var followed = 0
    /// By market index, beside ``markets`` so that an unchanged book costs one comparison.
    private var tops: [Top?] = []
    private struct Top: Equatable {
        var bid: Price?
        var ask: Price?
    }
    var strategies: [StrategyState]
    var total: StrategyState
    /// By strategy, the last for those that belong to none.
    var orders: [OrderTally]
    var refusals: [RiskRule: RefusalLine] = [:]

    var riskEvents: [RunEvent] = []
    var marketEvents: [RunEvent] = []
    var droppedEvents = 0
    var logs = LogTally()
    var series: [(name: String, line: ExtremeSeries)] = []
    var droppedSeries = 0

    var budget: BudgetUse?
    var firstSpent: (time: Timestamp, tokens: Int)?
    /// Where the second began whose rate is not told yet.
    private var lastSpent: (time: Timestamp, tokens: Int)?
    var lastSample: RecorderSample?
    var startingEquity: Money?
    var tokensPerSecond: ExtremeSeries
    var tokensAvailable: ExtremeSeries
    var queue: ExtremeSeries

    var first: Timestamp?
    var last: Timestamp?

    /// `strategies` are the names in the order of their index in the engine.
    package init(strategies names: [String], limits: Limits = Limits()) {
        self.limits = limits
        strategyNames = names
        strategies = names.map { _ in StrategyState(buckets: limits.runBuckets) }
        orders = (names + ["unassigned"]).map { _ in OrderTally() }
        total = StrategyState(buckets: limits.runBuckets)
        tokensPerSecond = ExtremeSeries(capacity: limits.runBuckets)
        tokensAvailable = ExtremeSeries(capacity: limits.runBuckets)
        queue = ExtremeSeries(capacity: limits.runBuckets)
    }

    func saw(_ time: Timestamp) {
        guard time.isKnown else { return }
        if first == nil { first = time }
        last = max(last ?? time, time)
    }

    // MARK: Markets

    /// A market became known, or its definition changed.
    package func define(_ market: Market.ID, _ definition: Market) { state(market).definition = definition }

    func markets(_ market: Market.ID) -> MarketState? {
        Int(market.index) < markets.count ? markets[Int(market.index)] : nil
    }
    /// A market's state, made when it is the first time.
    func state(_ market: Market.ID) -> MarketState {
        if let state = markets(market) { return state }
        let index = Int(market.index)
        while markets.count <= index { markets.append(nil) }
        let state = MarketState()
        markets[index] = state
        return state
    }
    func ticker(_ market: Market.ID) -> String {
        markets(market)?.definition?.ticker ?? "market \(market)"
    }
    func strategyName(_ index: Int) -> String {
        strategyNames.indices.contains(index) ? strategyNames[index] : "unassigned"
    }
    /// The strategy's index, or one past the last for an adopted order that belongs to none.
    func slot(_ strategy: Int) -> Int {
        strategyNames.indices.contains(strategy) ? strategy : strategyNames.count
    }

    /// The top of a market's book: nil for an empty side. A few nanoseconds where nothing changed.
    package func book(_ market: Market.ID, at time: Timestamp, bid: Price?, ask: Price?) {
        let index = Int(market.index)
        let top = Top(bid: bid, ask: ask)
        if index < tops.count, tops[index] == top { return }
        while tops.count <= index { tops.append(nil) }
        tops[index] = top
        saw(time)
        let state = state(market)
        if let bid, let ask, bid < ask { state.mid = Price(micros: (bid.micros + ask.micros) / 2) }
        if state.lines == nil, followed < limits.followedMarkets {
            state.lines = MarketState.Lines(buckets: limits.marketBuckets)
            followed += 1
        }
        state.lines?.bid.add(time, bid?.dollars)
        state.lines?.ask.add(time, ask?.dollars)
    }

    /// Gives a market with orders its lines, if need be those of a market without.
    func follow(_ market: Market.ID) {
        if markets(market)?.lines != nil { return }
        if followed >= limits.followedMarkets {
            guard let idle = markets.firstIndex(where: { $0?.lines != nil && $0?.isActive == false }) else {
                return
            }
            markets[idle]?.lines = nil
            followed -= 1
        }
        state(market).lines = MarketState.Lines(buckets: limits.marketBuckets)
        followed += 1
    }

    // MARK: Samples

    /// The run's state at an even interval of its own time, and once more at its end.
    package func sample(_ sample: RecorderSample) {
        saw(sample.time)
        startingEquity = startingEquity ?? sample.equity
        for (index, account) in sample.accounts.enumerated() where index < strategies.count {
            strategies[index].sampled(account.net, at: sample.time)
        }
        total.sampled(sample.accounts.reduce(.zero) { $0 + $1.net }, at: sample.time)
        budget(
            spent: sample.tokensSpent, available: sample.tokensAvailable, queued: sample.queued,
            at: sample.time)
        lastSample = sample
    }

    /// The write budget, between samples too: tokens spent since the start, at hand in the scarcest shard, and
    /// commands that wait.
    package func budget(spent: Int, available: Int, queued: Int, at time: Timestamp) {
        saw(time)
        tokensAvailable.add(time, Double(available))
        queue.add(time, Double(queued))
        var use =
            budget
            ?? BudgetUse(
                spent: spent, leastAvailable: available, greatestPerSecond: 0, meanPerSecond: 0,
                longestQueue: queued)
        use.spent = spent
        use.leastAvailable = min(use.leastAvailable, available)
        use.longestQueue = max(use.longestQueue, queued)
        let start = firstSpent ?? (time, spent)
        firstSpent = start
        let span = (time - start.time).seconds
        if span > 0 { use.meanPerSecond = Double(spent - start.tokens) / span }
        budget = use
        // A rate wants a whole second: a burst within a tenth of one is no ten times its tokens.
        let before = lastSpent ?? start
        if lastSpent == nil { lastSpent = start }
        let seconds = (time - before.time).seconds
        guard seconds >= 1 else { return }
        lastSpent = (time, spent)
        let rate = Double(spent - before.tokens) / seconds
        tokensPerSecond.add(time, rate)
        budget?.greatestPerSecond = max(use.greatestPerSecond, rate)
    }

    /// At the end: the tokens of the last second, which may not have come to a whole one.
    var budgetAtEnd: BudgetUse? {
        guard var use = budget, let before = lastSpent else { return budget }
        use.greatestPerSecond = max(use.greatestPerSecond, Double(use.spent - before.tokens))
        return use
    }
}
