import Martlet
import MartletEngine
import MartletKalshi
import MartletTape

/// Writes one market's history as a tape: its definition, its opening, trades and candlesticks in the order of time,
/// its close, result and payment.
struct PartWriter {
    let listed: ListedMarket
    let definition: Market
    let trades: TradeSpool?
    let candles: CandleSpool?
    let now: Timestamp

    /// A step of the market's life.
    private struct Step {
        var time: Timestamp
        var input: EngineInput
        var isOpening: Bool { if case .status(_, .active) = input { true } else { false } }
    }

    func write(to path: String) throws {
        let writer = try TapeWriter(path: path)
        let id = Market.ID(0)
        var tradeReader = trades?.reader()
        var candleReader = candles?.reader(id)
        var trade = try tradeReader?.next()
        var candle = try candleReader?.next()
        var steps = steps(id)[...]
        let first = [trade?.time, candle?.exchangeTime, steps.first?.time].compactMap { $0 }.min() ?? now
        try writer.append(.defined(definition), at: first)
        while trade != nil || candle != nil || !steps.isEmpty {
            let times = [steps.first?.time, trade?.time, candle?.exchangeTime]
            guard let time = times.compactMap({ $0 }).min() else { break }
            // An opening counts before what happens at its time, an end after.
            if let step = steps.first, step.time == time,
                step.isOpening || (trade?.time != time && candle?.exchangeTime != time)
            {
                try writer.append(step.input, at: time)
                steps.removeFirst()
            } else if let next = trade, next.time == time {
                try append(next, id, writer)
                trade = try tradeReader?.next()
            } else if let next = candle {
                try writer.append(.ticker(next), at: time)
                candle = try candleReader?.next()
            }
        }
        try writer.finish()
    }

    private func append(_ trade: SpooledTrade, _ id: Market.ID, _ writer: TapeWriter) throws {
        guard trade.price.isTradable, trade.quantity.isPositive else { return }
        let event = MarketEvent(
            .trade, market: id, side: trade.side, price: trade.price, quantity: trade.quantity,
            flags: trade.isBlock ? .block : [], exchangeTime: trade.time, receiveTime: trade.time)
        if trade.id.utf8.count <= TapeFormat.maximumTradeIDBytes {
            try writer.append(event, tradeID: trade.id)
        } else {
            try writer.append(event)
        }
    }

    /// What is known of the market's life up to now. The exchange tells when it paid, not when it decided: the
    /// result enters the tape with the payment, never before it could have been known.
    private func steps(_ id: Market.ID) -> [Step] {
        var steps: [Step] = []
        if definition.openTime.isKnown, definition.openTime <= now {
            steps.append(Step(time: definition.openTime, input: .status(id, .active)))
        }
        let close = definition.closeTime
        if close.isKnown, close <= now, listed.status != .active, close >= definition.openTime {
            steps.append(Step(time: close, input: .status(id, .closed)))
        }
        if let result = listed.definition.result {
            let told = listed.definition.settlementTime
            // A result that is there was decided by now, whatever the definition says of the close.
            let guess = close.isKnown ? min(min(close, now) + definition.settlementTimer, now) : now
            let paid = told.isKnown ? told : guess
            let time = max(paid, steps.last?.time ?? paid)
            steps.append(Step(time: time, input: .result(id, result)))
            if listed.status == .finalized { steps.append(Step(time: time, input: .settled(id, result))) }
        }
        return steps
    }
}
