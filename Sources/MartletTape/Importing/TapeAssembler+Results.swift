import Martlet
import MartletEngine

/// A result that is known ahead and enters the tape when its time has come, never before.
struct DueResult {
    var time: Timestamp
    var market: Int
    var result: MarketResult
    var isPayout: Bool
}

extension TapeAssembler {
    /// Puts a known result in its place: when the exchange decided, else at the close, else at the tape's end.
    func schedule(_ known: MarketReferences.Result, for market: AssembledMarket) {
        guard market.result == nil else { return }
        let close = market.definition.closeTime
        let time = known.time.isKnown ? known.time : close.isKnown ? close : .distantFuture
        due.removeAll { $0.market == market.index }
        let place = due.firstIndex { $0.time > time } ?? due.endIndex
        due.insert(
            DueResult(time: time, market: market.index, result: known.result, isPayout: false), at: place)
    }

    /// Queues the results whose time lies at or before `time`.
    func releaseDue(until time: Timestamp) throws(TapeError) {
        try releaseTimeouts(until: time)
        while let first = due.first, first.time <= time {
            due.removeFirst()
            if first.time != .distantFuture, first.time > now { now = first.time }
            if !now.isKnown { now = options.assumedTime }
            let market = markets[first.market]
            if first.isPayout {
                settle(market, first.result)
            } else {
                decide(market, first.result)
                payLater(market, first.result)
            }
        }
    }

    private func payLater(_ market: AssembledMarket, _ result: MarketResult) {
        let timer = max(market.definition.settlementTimer, .zero)
        let (sum, overflowed) = now.nanoseconds.addingReportingOverflow(timer.nanoseconds)
        let time = Timestamp(nanoseconds: overflowed ? .max : sum)
        let place = due.firstIndex { $0.time > time } ?? due.endIndex
        due.insert(DueResult(time: time, market: market.index, result: result, isPayout: true), at: place)
    }

    /// The exchange decided. A second decision counts where it differs (`amended`) and nothing was paid yet.
    func decide(_ market: AssembledMarket, _ result: MarketResult, _ line: RecordedLine? = nil) {
        if let before = market.result {
            guard countRepeated(market, before, result, line), !market.isSettled else { return }
        }
        market.result = result
        report.results += 1
        queue.append(.result(market.id, result), at: now)
    }

    /// The market paid out. Only the first time counts.
    func settle(_ market: AssembledMarket, _ result: MarketResult, _ line: RecordedLine? = nil) {
        guard !market.isSettled else {
            _ = countRepeated(market, market.result ?? result, result, line)
            return
        }
        if market.result == nil { decide(market, result, line) }
        market.isSettled = true
        queue.append(.settled(market.id, market.result ?? result), at: now)
    }

    /// Returns whether the two differ.
    private func countRepeated(
        _ market: AssembledMarket, _ before: MarketResult, _ result: MarketResult, _ line: RecordedLine?
    ) -> Bool {
        if before == result {
            report.repeatedResults += 1
        } else {
            report.conflictingResults += 1
        }
        if let line {
            remark(line, "\(market.definition.ticker) was decided \(before) before and is now \(result)")
        }
        return before != result
    }
}
