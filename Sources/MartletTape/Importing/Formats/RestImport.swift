import Martlet
import MartletEngine
import MartletWire

/// Recordings made by REST: whole books, logs of calls, the documents of 2024, definitions and settled markets.
struct RestImport {
    let assembler: TapeAssembler
    let context: ImportContext
    let source: ByteSource

    /// Calls `body` for each object of a file of JSON lines.
    func forEachLine(_ body: (JSONValue, RecordedLine) throws(TapeError) -> Void) throws(ImportError) {
        while let bytes = try source.nextLine() {
            guard bytes.contains(where: { !$0.isJSONSpace }) else { continue }
            assembler.report.lines += 1
            let line = RecordedLine(file: source.name, number: source.lineNumber)
            guard let value = parse(bytes, line) else { continue }
            try wrap { () throws(TapeError) in try body(value, line) }
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, _ line: RecordedLine) -> JSONValue? {
        guard bytes.isUTF8 else {
            assembler.skip(line, "not UTF-8")
            return nil
        }
        do throws(JSONError) {
            return try JSONParser.parse(bytes)
        } catch {
            assembler.skip(line, "not JSON", "not JSON: \(error)")
            return nil
        }
    }

    func wrap(_ body: () throws(TapeError) -> Void) throws(ImportError) {
        do throws(TapeError) {
            try body()
        } catch {
            throw ImportError(.tape(error), file: source.name)
        }
    }

    // MARK: - Books

    /// `orderbook_depth.v1` and `weather_books`: `yes_bids` and `no_bids` as [price, size] numbers.
    func books() throws(ImportError) {
        try forEachLine { (value, line) throws(TapeError) in
            guard let ticker = value["ticker"]?.string, !ticker.isEmpty else {
                return assembler.skip(line, "without 'ticker'")
            }
            var line = line
            if let time = value["captured_at"]?.string.flatMap({ Timestamp(rfc3339: $0) }) {
                line.receiveTime = time
            }
            if let close = value["close_time"]?.string.flatMap({ Timestamp(rfc3339: $0) }) {
                _ = try assembler.advance(line)
                try assembler.change(ticker) { $0.closeTime = close }
            }
            try book(ticker, yes: value["yes_bids"], no: value["no_bids"], isCents: false, line)
        }
    }

    /// A whole book out of two ladders of own-side prices.
    func book(_ ticker: String, yes: JSONValue?, no: JSONValue?, isCents: Bool, _ line: RecordedLine)
        throws(TapeError)
    {
        let levels =
            ladder(.bid, yes, isCents: isCents, ticker, line)
            + ladder(.ask, no, isCents: isCents, ticker, line)
        try assembler.snapshot(
            try assembler.market(ticker), levels, exchangeTime: .unknown, line)
    }

    private func ladder(
        _ side: Side, _ rows: JSONValue?, isCents: Bool, _ ticker: String, _ line: RecordedLine
    ) -> [MessageDecoder.Level] {
        (rows?.array ?? []).compactMap { row in
            guard let pair = row.array, pair.count == 2, let priceText = pair[0].decimalText,
                let sizeText = pair[1].decimalText,
                let micros = try? FixedPoint.parse(priceText.utf8, decimals: isCents ? 4 : 6),
                let size = try? Quantity(parsing: sizeText)
            else {
                assembler.skip(line, "a level that is not two numbers", "\(ticker): \(JSONWriter.text(row))")
                return nil
            }
            guard micros > 0, micros < 1_000_000, size.hundredths >= 0,
                TapeFormat.quantityRange.contains(size.hundredths)
            else {
                assembler.skip(line, "impossible level in a snapshot", "\(ticker): \(JSONWriter.text(row))")
                return nil
            }
            let price = Price(micros: Int(micros))
            guard size.isPositive else { return nil }
            return .init(side: side, price: side == .bid ? price : price.complement, quantity: size)
        }
    }

    // MARK: - Logs of calls

    /// `{"method","url","status","response_body"}`: books are taken, the account's pages are not.
    func log() throws(ImportError) {
        try forEachLine { (value, line) throws(TapeError) in
            var line = line
            for key in Envelope.nanosecondKeys {
                if let time = value[key]?.int64 { line.receiveTime = Timestamp(nanoseconds: time) }
            }
            guard let url = value["url"]?.string, let body = value["response_body"]?.string else {
                return assembler.skip(line, "without 'url' or 'response_body'")
            }
            guard let answer = try? JSONParser.parse(body) else {
                return assembler.skip(line, "an answer that is not JSON")
            }
            let path = url.split(separator: "?")[0].split(separator: "/").map(String.init)
            if let place = path.lastIndex(of: "markets"), path.last == "orderbook", place + 2 < path.count {
                let book = answer["orderbook_fp"] ?? answer["orderbook"]
                let isCents = book?["yes_dollars"] == nil && book?["no_dollars"] == nil
                return try self.book(
                    path[place + 1], yes: book?["yes_dollars"] ?? book?["yes"],
                    no: book?["no_dollars"] ?? book?["no"], isCents: isCents, line)
            }
            if let markets = answer["markets"]?.array {
                for market in markets { try define(market, line) }
            } else if answer["market"]?.object != nil, let market = answer["market"] {
                try define(market, line)
            } else if path.contains("portfolio") {
                assembler.report.privateMessages += 1
            } else {
                assembler.skip(line, "a call that says nothing of a market", url)
            }
        }
    }

    // MARK: - Definitions

    /// Markets, events and series, a line each.
    func definitions() throws(ImportError) {
        try forEachLine { (value, line) throws(TapeError) in
            if let markets = value["markets"]?.array {
                for market in markets { try define(market, line) }
            } else {
                try define(value["market"] ?? value, line)
            }
        }
    }

    func define(_ value: JSONValue, _ line: RecordedLine) throws(TapeError) {
        if let sample = value["sample_ticker"]?.string {
            context.add(series: value)
            assembler.report.definitions += 1
            return try assembler.define(assembler.assumed(sample))
        }
        guard ImportContext.text("ticker", in: value) != nil || value["market_ticker"] != nil else {
            context.add(event: value)
            assembler.report.definitions += 1
            return
        }
        let definition: MarketDefinition
        do throws(WireError) {
            definition = try context.definition(value)
        } catch {
            return assembler.skip(line, error)
        }
        assembler.report.definitions += 1
        try assembler.define(definition.market)
        if let result = definition.result {
            assembler.schedule(
                .init(result: result, time: definition.settlementTime),
                for: try assembler.market(definition.market.ticker))
        }
    }

    // MARK: - Settled markets

    /// A ledger of results: put in the order of their times. `settlement_value` may be null where `result` is set;
    /// neither is derived from the other, but for scalar markets.
    func settlements() throws(ImportError) {
        struct Settled {
            var time: Timestamp
            var market: Market
            var result: MarketResult
            var line: RecordedLine
        }
        var settled: [Settled] = []
        try forEachLine { (value, line) throws(TapeError) in
            guard let ticker = value["ticker"]?.string, !ticker.isEmpty else {
                return assembler.skip(line, "without 'ticker'")
            }
            let payout = (value["settlement_value_dollars"] ?? value["settlement_value"])?.decimalText
            guard let result = MarketResult(recorded: value["result"]?.string, payout: payout) else {
                return assembler.skip(line, "no result", "\(ticker) has no result")
            }
            let times = ["settlement_ts", "close_time", "captured_at"].lazy.compactMap {
                value[$0]?.string.flatMap { Timestamp(rfc3339: $0) }
            }
            guard let time = times.first else { return assembler.skip(line, "a result without a time") }
            let known = context.series(value["series"]?.string)
            var market = assembler.assumed(ticker)
            market.event = value["event_ticker"]?.string ?? market.event
            market.series = value["series"]?.string ?? market.series
            market.title = value["title"]?.string ?? ""
            market.closeTime = value["close_time"]?.string.flatMap { Timestamp(rfc3339: $0) } ?? .unknown
            market.assumptions.removeAll { $0 == "event" || ($0 == "fees" && known != nil) }
            settled.append(Settled(time: time, market: market, result: result, line: line))
        }
        // Stable: lines of one time keep the file's order.
        let order = settled.indices.sorted {
            (settled[$0].time, $0) < (settled[$1].time, $1)
        }
        try wrap { () throws(TapeError) in
            for index in order {
                var entry = settled[index]
                entry.line.receiveTime = entry.time
                _ = try assembler.advance(entry.line)
                try assembler.define(entry.market)
                assembler.settle(try assembler.market(entry.market.ticker), entry.result, entry.line)
            }
        }
    }
}

extension MarketResult {
    /// A recorder's `result` word with what a scalar market paid.
    init?(recorded word: String?, payout: String?) {
        switch word {
        case "yes": self = .yes
        case "no": self = .no
        case "scalar":
            guard let value = payout.flatMap({ try? Price(parsing: $0) }), value >= .zero, value <= .one
            else {
                return nil
            }
            self = .scalar(value)
        default: return nil
        }
    }
}
