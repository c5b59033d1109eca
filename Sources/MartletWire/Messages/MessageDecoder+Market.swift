import Martlet

// The market-data messages, in any order of keys, in the present form (decimal strings of dollars and contracts)
// and the one before 2026 (whole cents and contracts). The units follow from the fields' own names, never from how
// a number looks (FIELD-NOTES 29); an absent price is an error, never a default (FIELD-NOTES 18).
extension MessageDecoder {
    mutating func readDelta(_ message: inout WireMessage) throws(WireError) {
        try market("market_ticker", &message)
        guard let side = try outcome("side") else { throw fields.error(.missing, "side") }
        message.side = side
        if let change = try fields.quantity("delta_fp") {
            message.quantity = change
        } else if let change = try fields.integer("delta") {
            message.quantity = try contracts(change, "delta")
        } else {
            throw fields.error(.missing, "delta_fp")
        }
        let price: Price
        if let dollars = try fields.price("price_dollars") {
            price = dollars
        } else if let cents = try fields.cents("price") {
            price = cents
        } else {
            throw fields.error(.missing, "price_dollars")
        }
        message.price = try inRange(convention.yesPrice(price, side), "price_dollars")
        if let id = try fields.stringToken("client_order_id") {
            message.isOwn = true
            message.textStart = id.start
            message.textEnd = id.end
        }
        message.exchangeTime = try fields.bestTime("ts_ms", "ts")
    }

    mutating func readSnapshot(_ message: inout WireMessage) throws(WireError) {
        try market("market_ticker", &message)
        var rows = takeLevels()
        do throws(WireError) {
            try readSide(.bid, "yes_dollars_fp", "yes_dollars", "yes", &rows)
            try readSide(.ask, "no_dollars_fp", "no_dollars", "no", &rows)
        } catch {
            rows.removeAll(keepingCapacity: true)
            putLevels(rows)
            throw error
        }
        putLevels(rows)
        message.exchangeTime = try fields.bestTime("ts_ms", "ts")
    }

    /// One side's rows. Absent, null and empty all mean that nothing rests there.
    private func readSide(
        _ side: Side, _ name: StaticString, _ older: StaticString, _ oldest: StaticString,
        _ rows: inout [WireLevel]
    ) throws(WireError) {
        for (name, isCents) in [(name, false), (older, false), (oldest, true)] {
            guard fields.contains(name) else { continue }
            guard let token = try fields.find(name) else { return }
            guard token.kind == .array else { throw fields.error(.wrongKind(expected: "an array of levels"), name, token) }
            var elements = ElementReader(token, in: fields.base)
            while let element = try elements.next() {
                rows.append(try row(element, side, name, isCents))
            }
            return
        }
    }

    private func row(
        _ element: JSONToken, _ side: Side, _ name: StaticString, _ isCents: Bool
    ) throws(WireError) -> WireLevel {
        guard element.kind == .array else {
            throw fields.error(.wrongKind(expected: "a pair of price and count"), name, element)
        }
        var pair = ElementReader(element, in: fields.base)
        guard let first = try pair.next(), let second = try pair.next(), try pair.next() == nil else {
            throw fields.error(.wrongKind(expected: "a pair of price and count"), name, element)
        }
        let price = isCents ? try fields.cents(first, name) : try fields.price(first, name)
        let size = Quantity(hundredths: try fields.decimal(second, name, 2))
        guard size.hundredths >= 0 else {
            throw fields.error(.impossible("has a negative count"), name, element)
        }
        let level = WireLevel(side: side, price: convention.yesPrice(price, side), size: size)
        guard MessageDecoder.isPossible(level.price) else {
            throw fields.error(.impossible("has a price beyond 0 and 1"), name, element)
        }
        return level
    }

    mutating func readTrade(_ message: inout WireMessage) throws(WireError) {
        try market("market_ticker", &message)
        message.side = try direction(
            bookSide: "taker_book_side", outcomeSide: "taker_outcome_side", legacy: "taker_side")
        message.price = try tradePrice()
        if let count = try fields.quantity("count_fp") {
            message.quantity = count
        } else if let count = try fields.integer("count") {
            message.quantity = try contracts(count, "count")
        } else {
            throw fields.error(.missing, "count_fp")
        }
        guard message.quantity.hundredths >= 0 else {
            throw fields.error(.impossible("is negative"), "count_fp", try fields.find("count_fp"))
        }
        message.isBlock = try fields.bool("is_block_trade") ?? false
        if let id = try fields.stringToken("trade_id") {
            message.textStart = id.start
            message.textEnd = id.end
        }
        message.exchangeTime = try fields.bestTime("ts_ms", "ts")
    }

    /// The YES price of a trade: from either side's field, and from both if they agree.
    private func tradePrice() throws(WireError) -> Price {
        if let yes = try fields.price("yes_price_dollars") {
            if let no = try fields.price("no_price_dollars"), no != yes.complement {
                throw fields.error(
                    .contradicts("msg.yes_price_dollars"), "no_price_dollars", try fields.find("no_price_dollars"))
            }
            return try inRange(yes, "yes_price_dollars")
        }
        if let no = try fields.price("no_price_dollars") { return try inRange(no.complement, "no_price_dollars") }
        if let yes = try fields.cents("yes_price") { return try inRange(yes, "yes_price") }
        if let no = try fields.cents("no_price") { return try inRange(no.complement, "no_price") }
        throw fields.error(.missing, "yes_price_dollars")
    }

    /// The integer cents that stand beside the dollars are rounded and wrong at the edges: they are never read
    /// (FIELD-NOTES 30).
    mutating func readTicker(_ message: inout WireMessage) throws(WireError) -> Ticker {
        try market("market_ticker", &message)
        let text: StaticString = fields.contains("time") ? "time" : "ts"
        message.exchangeTime = try fields.bestTime("ts_ms", text)
        return Ticker(
            market: message.market, lastPrice: try quoted("price_dollars"),
            bestBid: try quoted("yes_bid_dollars"), bestAsk: try quoted("yes_ask_dollars"),
            bidSize: try fields.quantity("yes_bid_size_fp"), askSize: try fields.quantity("yes_ask_size_fp"),
            volume: try fields.quantity("volume_fp"), openInterest: try fields.quantity("open_interest_fp"),
            exchangeTime: message.exchangeTime)
    }

    /// A price of the ticker, where 0 and 1 dollar say that there is none.
    private func quoted(_ name: StaticString) throws(WireError) -> Price? {
        guard let price = try fields.price(name) else { return nil }
        return try inRange(price, name).isTradable ? price : nil
    }

    // MARK: Parts

    /// A `yes`/`no` word: NO is the ask side of the YES book.
    func outcome(_ name: StaticString) throws(WireError) -> Side? {
        guard let token = try fields.stringToken(name) else { return nil }
        if fields.text(token, is: "yes") { return .bid }
        if fields.text(token, is: "no") { return .ask }
        throw fields.error(.unknownWord, name, token)
    }

    func bookSide(_ name: StaticString) throws(WireError) -> Side? {
        guard let token = try fields.stringToken(name) else { return nil }
        if fields.text(token, is: "bid") { return .bid }
        if fields.text(token, is: "ask") { return .ask }
        throw fields.error(.unknownWord, name, token)
    }

    /// The direction from `book_side` and `outcome_side`, which must agree (FIELD-NOTES 17, 32). The older fields
    /// are read only where both are absent, and only where their meaning is one (`legacy`).
    func direction(
        bookSide book: StaticString, outcomeSide outcome: StaticString, legacy: StaticString? = nil
    ) throws(WireError) -> Side {
        let first = try bookSide(book)
        let second = try self.outcome(outcome)
        if let first, let second, first != second {
            throw fields.error(.contradicts("msg.\(book)"), outcome, try fields.find(outcome))
        }
        if let side = first ?? second { return side }
        if let legacy, let side = try self.outcome(legacy) { return side }
        throw fields.error(.missing, book)
    }

    /// 0 to 1 dollar. Whether a price can be traded, and is on the grid, the book judges.
    static func isPossible(_ price: Price) -> Bool { price >= .zero && price <= .one }

    func inRange(_ price: Price, _ name: StaticString) throws(WireError) -> Price {
        guard MessageDecoder.isPossible(price) else {
            throw fields.error(.impossible("is beyond 0 and 1"), name, try fields.find(name))
        }
        return price
    }

    private func contracts(_ count: Int64, _ name: StaticString) throws(WireError) -> Quantity {
        let (hundredths, overflowed) = count.multipliedReportingOverflow(by: 100)
        guard !overflowed else { throw fields.error(.impossible("is out of range"), name, try fields.find(name)) }
        return Quantity(hundredths: hundredths)
    }
}

/// The elements of an array that a scanner has already checked, one after the other.
struct ElementReader {
    private var scanner: JSONScanner

    init(_ array: JSONToken, in base: UnsafePointer<UInt8>) {
        scanner = JSONScanner(base: base, position: Int(array.start) + 1, end: Int(array.end))
    }

    mutating func next() throws(WireError) -> JSONToken? {
        do throws(JSONError) {
            scanner.skipSpace()
            if try scanner.peek() == UInt8(ascii: ",") {
                scanner.position += 1
                scanner.skipSpace()
            }
            if try scanner.peek() == UInt8(ascii: "]") { return nil }
            return try scanner.value(depth: 3)
        } catch {
            throw WireError(error)
        }
    }
}
