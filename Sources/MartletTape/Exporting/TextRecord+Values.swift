import Martlet
import MartletEngine
import MartletWire

// A tape's records to text records and back. `ticker` names a market's ticker by its index, `index` the reverse.
extension TextRecord {
    init(_ tapeRecord: TapeRecord, ticker: (Market.ID) -> String) {
        switch tapeRecord {
        case .event(let event, let id):
            let name = TextRecord.kinds.first { $0.kind == event.kind }?.name ?? "delta"
            self.init(record: name, ticker: ticker(event.market), receive: event.receiveTime)
            exchange = event.exchangeTime
            side = event.side
            if !event.kind.hasNoPrice { price = event.price }
            if !event.kind.hasNoPrice || !event.quantity.isZero { quantity = event.quantity }
            flags = event.flags
            detail = id.map { .string($0) }
        case .note(let note, let time):
            self.init(record: "note", ticker: nil, receive: time)
            detail = .object([
                .init("topic", .number(String(note.topic.rawValue))), .init("text", .string(note.text)),
            ])
        case .input(let input, let time): self.init(input, at: time, ticker: ticker)
        }
    }

    private init(_ input: EngineInput, at time: Timestamp, ticker: (Market.ID) -> String) {
        self.init(record: "", ticker: input.marketIndex.map(ticker), receive: time)
        switch input {
        case .defined(let market):
            record = "definition"
            self.ticker = market.ticker
            detail = market.json
        case .ticker(let summary):
            record = "ticker"
            exchange = summary.exchangeTime
            detail = summary.json
        case .reference(let value):
            record = "reference"
            exchange = value.exchangeTime
            detail = .object(
                [.init("index", .string(value.index)), .init("value", .fixed(value.value, 8))]
                    + (value.settlementAverage.map { [.init("average", .fixed($0, 8))] } ?? []))
        case .status(_, let status):
            record = "status"
            detail = .string(status.wire)
        case .result(_, let result):
            record = "result"
            detail = result.json
        case .settled(_, let result):
            record = "settlement"
            detail = result.json
        case .unusable(_, let fault):
            record = "gap"
            detail = fault.json
        case .market, .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock, .command,
            .stopped:
            record = "other"
        }
        // In CSV a plain text stands unquoted, which would read back as JSON: only trades have one.
        if case .string(let text)? = detail { detail = .object([.init("value", .string(text))]) }
    }

    /// The record that this text says. `index` gives the market of a ticker, defined before.
    func value(index: (String) throws(Malformed) -> Market.ID) throws(Malformed) -> TapeRecord {
        if let known = TextRecord.kinds.first(where: { $0.name == record }) {
            guard let ticker else { throw Malformed("without 'ticker'") }
            guard known.kind.hasNoPrice || (price != nil && quantity != nil && side != nil) else {
                throw Malformed("without 'side', 'price' or 'quantity'")
            }
            let event = MarketEvent(
                known.kind, market: try index(ticker), side: side ?? .bid, price: price ?? .zero,
                quantity: quantity ?? .zero, flags: flags, exchangeTime: exchange, receiveTime: receive)
            return .event(event, tradeID: known.kind == .trade ? detail?.string : nil)
        }
        guard let detail else { throw Malformed("a \(record) without 'detail'") }
        switch record {
        case "note":
            let topic = detail["topic"]?.int64.flatMap { UInt8(exactly: $0) }.flatMap(TapeNote.Topic.init)
            return .note(TapeNote(topic ?? .other, detail["text"]?.string ?? ""), at: receive)
        case "definition": return .input(.defined(try Market(json: detail)), at: receive)
        case "reference":
            guard let name = detail["index"]?.string, let value = detail["value"]?.fixed(8) else {
                throw Malformed("a reference without 'index' or 'value'")
            }
            let average = detail["average"]?.fixed(8)
            return .input(
                .reference(
                    .init(index: name, value: value, settlementAverage: average, exchangeTime: exchange)),
                at: receive)
        default: break
        }
        guard let ticker else { throw Malformed("without 'ticker'") }
        let market = try index(ticker)
        return .input(try about(market, detail), at: receive)
    }

    private func about(_ market: Market.ID, _ detail: JSONValue) throws(Malformed) -> EngineInput {
        switch record {
        case "ticker": return .ticker(Ticker(json: detail, market: market, exchangeTime: exchange))
        case "status": return .status(market, MarketStatus(wire: detail["value"]?.string ?? ""))
        case "result": return .result(market, try MarketResult(json: detail))
        case "settlement": return .settled(market, try MarketResult(json: detail))
        case "gap": return .unusable(market, try BookFault(json: detail))
        default: throw Malformed("record '\(record)' is not known")
        }
    }
}
