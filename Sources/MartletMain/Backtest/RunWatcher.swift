import Martlet
import MartletEngine
import MartletReport
import MartletSimulation

/// Hands what a run does to the recorder, and its progress to whoever shows it.
final class RunWatcher: RunObserver {
    let recorder: RunRecorder
    /// False asks the run to end.
    private let isWanted: (RunProgress) -> Bool
    private(set) var wasStopped = false
    /// A session's own last halt is under way: what it refuses says nothing about the strategy.
    var isEnding = false
    let fills = FillLog()
    private var tickers: [String] = []
    /// What markets' definitions had to assume, with how many markets each.
    private(set) var assumptions: [(text: String, markets: Int)] = []
    private var isCounted: [Bool] = []

    init(recorder: RunRecorder, isWanted: @escaping (RunProgress) -> Bool) {
        self.recorder = recorder
        self.isWanted = isWanted
    }

    func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {
        recorder.define(market, definition)
        while tickers.count <= Int(market.index) { tickers.append("") }
        tickers[Int(market.index)] = definition.ticker
        while isCounted.count <= Int(market.index) { isCounted.append(false) }
        guard !isCounted[Int(market.index)] else { return }
        isCounted[Int(market.index)] = true
        for text in definition.assumptions {
            if let index = assumptions.firstIndex(where: { $0.text == text }) {
                assumptions[index].markets += 1
            } else {
                assumptions.append((text, 1))
            }
        }
    }
    func recorded(_ record: EngineRecord, at time: Timestamp) {
        if isEnding, case .order(let order, _) = record, case .refused(let refusal) = order.status,
            refusal.rule == .halted
        {
            return
        }
        recorder.take(record, at: time)
        guard case .fill(let fill, let strategy, _) = record else { return }
        let names = recorder.strategyNames
        fills.add(
            fill, strategy: strategy < names.count ? names[strategy] : "unassigned",
            ticker: Int(fill.market.index) < tickers.count ? tickers[Int(fill.market.index)] : "", at: time)
    }
    func sent(_ command: VenueCommand, at time: Timestamp) {}

    func sampled(_ sample: RunSample) {
        for top in sample.tops { recorder.book(top.market, at: sample.time, bid: top.bid, ask: top.ask) }
        recorder.sample(
            RecorderSample(
                time: sample.time,
                accounts: sample.accounts.map {
                    .init(realized: $0.realized, unrealized: $0.unrealized, fees: $0.fees)
                },
                cash: sample.cash, equity: sample.equity, tokensSpent: sample.tokensSpent,
                tokensAvailable: sample.tokensAvailable, queued: sample.queued))
    }

    func glanced(_ glance: RunGlance) {
        for top in glance.tops { recorder.book(top.market, at: glance.time, bid: top.bid, ask: top.ask) }
        recorder.budget(
            spent: glance.tokensSpent, available: glance.tokensAvailable, queued: glance.queued,
            at: glance.time)
    }

    func progressed(_ progress: RunProgress) -> Bool {
        if isWanted(progress) { return true }
        wasStopped = true
        return false
    }
}
