import Martlet
import MartletEngine
import MartletWire

extension FrameImport {
    /// What one message says, its turn having come.
    mutating func handle(
        _ frame: WireFrame, _ levels: [MessageDecoder.Level], _ connection: Int, _ line: RecordedLine
    ) throws(TapeError) {
        var line = line
        if !line.receiveTime.isKnown { line.receiveTime = frame.sendingTime }
        switch frame.kind {
        case .delta:
            guard isWritable(frame, line) else { return }
            connections[connection].carries(frame.market, sid: frame.sid)
            try assembler.delta(
                try assembler.market(frame.market), frame.side, frame.price, frame.quantity,
                exchangeTime: frame.exchangeTime, isOwn: frame.isOwn, line)
        case .snapshot:
            connections[connection].carries(frame.market, sid: frame.sid)
            try assembler.snapshot(
                try assembler.market(frame.market), usable(levels, line), exchangeTime: frame.exchangeTime,
                line)
        case .trade:
            guard isWritable(frame, line) else { return }
            try assembler.trade(
                try assembler.market(frame.market), takerSide: frame.side, frame.price, frame.quantity,
                id: frame.tradeID, exchangeTime: frame.exchangeTime, isBlock: frame.isBlock, line)
        case .ticker:
            if let summary = frame.summary { try assembler.ticker(summary, line) }
        case .subscribed:
            assembler.report.controls += 1
            announce(frame, connection)
        case .unsubscribed:
            assembler.report.controls += 1
            guard let sid = frame.sid, let index = connections[connection].subscription(sid) else { return }
            connections[connection].subscriptions[index].isOver = true
            // Nobody keeps its books up to date any more.
            _ = try assembler.advance(line)
            for market in connections[connection].subscriptions[index].markets {
                assembler.interrupt(try assembler.market(market))
            }
        case .ok, .error: assembler.report.controls += 1
        case .fill, .userOrder, .marketPosition, .orderGroup: assembler.report.privateMessages += 1
        case .marketLifecycle, .multivariateLifecycle, .eventLifecycle, .eventFeeUpdate, .reference:
            try general(frame, line)
        case .unknown(let type):
            assembler.report.unknownMessages += 1
            assembler.remark(line, "message of unknown type '\(type)'", isSkipped: true)
        }
    }

    private func isWritable(_ frame: WireFrame, _ line: RecordedLine) -> Bool {
        guard frame.price.isTradable else {
            assembler.skip(line, "price at or beyond 0 or 1", "price \(frame.price)")
            return false
        }
        guard TapeFormat.quantityRange.contains(frame.quantity.hundredths) else {
            assembler.skip(line, "number of contracts out of range", "\(frame.quantity) contracts")
            return false
        }
        return true
    }

    private func usable(_ levels: [MessageDecoder.Level], _ line: RecordedLine) -> [MessageDecoder.Level] {
        guard
            levels.contains(where: {
                !$0.price.isTradable || !TapeFormat.quantityRange.contains($0.quantity.hundredths)
            })
        else { return levels }
        return levels.filter { level in
            let isGood =
                level.price.isTradable && TapeFormat.quantityRange.contains(level.quantity.hundredths)
            if !isGood { assembler.skip(line, "impossible level in a snapshot", "\(level)") }
            return isGood
        }
    }

    private mutating func announce(_ frame: WireFrame, _ connection: Int) {
        let message = frame.general?["msg"]
        if message?["channel"]?.string == "trade" { assembler.hasTrades = true }
        guard let sid = message?["sid"]?.int64 else { return }
        connections[connection].announced.append(sid)
    }

    /// Messages that the decoder leaves as JSON.
    private func general(_ frame: WireFrame, _ line: RecordedLine) throws(TapeError) {
        guard let message = frame.general?["msg"], message.object != nil else {
            return assembler.skip(line, "without 'msg'")
        }
        switch frame.kind {
        case .marketLifecycle, .multivariateLifecycle: try lifecycle(message, line)
        case .eventLifecycle:
            guard let event = message["event_ticker"]?.string else {
                return assembler.skip(line, "without 'event_ticker'")
            }
            _ = try assembler.advance(line)
            let collateral = message["collateral_return_type"]?.string
            for market in assembler.markets where market.definition.event == event {
                try assembler.change(market.definition.ticker) {
                    if let collateral { $0.collateralReturn = CollateralReturn(wire: collateral) }
                    if let series = message["series_ticker"]?.string { $0.series = series }
                }
            }
        case .eventFeeUpdate:
            guard let event = message["event_ticker"]?.string else {
                return assembler.skip(line, "without 'event_ticker'")
            }
            let type = message["fee_type_override"]?.string.map(FeeType.init(wire:))
            let multiplier = message["fee_multiplier_override"]?.decimalText.flatMap {
                try? FixedPoint.parse($0.utf8, decimals: 6)
            }
            _ = try assembler.advance(line)
            for market in assembler.markets where market.definition.event == event {
                let series = market.feesOfSeries ?? market.definition.fees
                var terms = series
                // An override counts when both are there; without it the series' terms hold again (API.md §12).
                if let type, let multiplier {
                    terms.type = type
                    terms.multiplierMillionths = multiplier
                    market.feesOfSeries = series
                } else {
                    market.feesOfSeries = nil
                }
                try assembler.change(market.definition.ticker) { $0.fees = terms }
            }
        case .reference: try reference(message, line)
        default: return
        }
    }

    private func reference(_ message: JSONValue, _ line: RecordedLine) throws(TapeError) {
        let index: String
        var text = message["value_usd"]?.decimalText
        var time = message["source_ts_ms"]?.int64
        if let name = message["underlying_ticker"]?.string {
            index = "pyth:" + name
        } else if let name = message["index_id"]?.string {
            index = "cfbenchmarks:" + name
            if let data = message["data"]?.string, let inner = try? JSONParser.parse(data) {
                text = text ?? inner["value"]?.decimalText
                time = time ?? inner["time"]?.int64
            }
        } else {
            return assembler.skip(line, "without 'index_id'")
        }
        func fixed(_ text: String?) -> Int64? {
            text.flatMap { try? FixedPoint.parse($0.utf8, decimals: 8) }
        }
        guard let value = fixed(text) else {
            return assembler.skip(line, "reference value that is no number", text ?? "no value")
        }
        let average = message["last_60s_windowed_average_15min"]
        let exchangeTime = time.flatMap { $0.magnitude < 1 << 43 ? Timestamp(milliseconds: $0) : nil }
        try assembler.reference(
            ReferenceValue(
                index: index, value: value,
                settlementAverage: fixed(average?.decimalText ?? average?["value"]?.decimalText),
                exchangeTime: exchangeTime ?? .unknown), line)
    }
}
