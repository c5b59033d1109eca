import Martlet
import MartletEngine
import MartletWire

extension FrameImport {
    /// `market_lifecycle_v2` and `multivariate_market_lifecycle` (API.md §14.4).
    func lifecycle(_ message: JSONValue, _ line: RecordedLine) throws(TapeError) {
        guard let ticker = message["market_ticker"]?.string, !ticker.isEmpty else {
            return assembler.skip(line, "without 'market_ticker'")
        }
        _ = try assembler.advance(line)
        switch message["event_type"]?.string {
        case "created": try created(ticker, message, line)
        case "activated": try assembler.status(.active, of: ticker, line)
        case "deactivated": try assembler.status(.inactive, of: ticker, line)
        case "close_date_updated":
            guard let time = seconds(message["close_ts"]) else {
                return assembler.skip(line, "without 'close_ts'")
            }
            try assembler.change(ticker) { $0.closeTime = time }
        case "price_level_structure_updated":
            guard let grid = grid(of: message) else { return assembler.skip(line, "without 'price_ranges'") }
            try assembler.change(ticker) {
                $0.grid = grid
                $0.assumptions.removeAll { $0 == "grid" }
            }
        case "metadata_updated":
            guard let subtitle = message["yes_sub_title"]?.string else { return }
            try assembler.change(ticker) { $0.subtitle = subtitle }
        case "determined":
            guard let result = result(of: message) else {
                return assembler.skip(line, "a determination without a result")
            }
            try assembler.status(.determined, of: ticker, line)
            assembler.decide(try assembler.market(ticker), result, line)
        case "settled":
            let market = try assembler.market(ticker)
            guard let result = result(of: message) ?? market.result else {
                return assembler.skip(line, "a settlement without a result")
            }
            try assembler.status(.finalized, of: ticker, line)
            assembler.settle(market, result, line)
        case let other:
            assembler.report.unknownMessages += 1
            assembler.remark(line, "lifecycle event '\(other ?? "")' of \(ticker)", isSkipped: true)
        }
    }

    private func created(_ ticker: String, _ message: JSONValue, _ line: RecordedLine) throws(TapeError) {
        let details = message["additional_metadata"]
        let grid = grid(of: message)
        var market = Market(
            ticker: ticker, event: details?["event_ticker"]?.string, title: details?["title"]?.string ?? "",
            subtitle: details?["yes_sub_title"]?.string ?? "", grid: grid ?? assembler.options.assumedGrid,
            openTime: seconds(message["open_ts"]) ?? .unknown,
            closeTime: seconds(message["close_ts"]) ?? .unknown,
            shard: Int(message["exchange_index"]?.int64 ?? 0))
        market.assumptions = grid == nil ? ["grid", "fees"] : ["fees"]
        try assembler.define(market)
    }

    private func seconds(_ value: JSONValue?) -> Timestamp? {
        guard let seconds = value?.int64, seconds.magnitude < 1 << 33 else { return nil }
        return Timestamp(seconds: seconds)
    }

    private func grid(of message: JSONValue) -> PriceGrid? {
        let bands = message["price_ranges"]?.array?.compactMap { range -> PriceGrid.Band? in
            func price(_ name: String) -> Price? {
                range[name]?.decimalText.flatMap { try? Price(parsing: $0) }
            }
            guard let start = price("start"), let end = price("end"), let step = price("step") else {
                return nil
            }
            return PriceGrid.Band(start: start, end: end, step: step)
        }
        if let bands, let grid = try? PriceGrid(bands: bands.sorted { $0.start < $1.start }) { return grid }
        return message["price_level_structure"]?.string.flatMap(PriceGrid.labelled)
    }

    private func result(of message: JSONValue) -> MarketResult? {
        switch message["result"]?.string {
        case "yes": return .yes
        case "no": return .no
        case "scalar":
            guard let value = message["settlement_value"]?.decimalText.flatMap({ try? Price(parsing: $0) }),
                value >= .zero, value <= .one
            else { return nil }
            return .scalar(value)
        default: return nil
        }
    }
}
