import Martlet

/// A string's or number's bytes as they stood in a frame.
struct WireToken {
    var bytes: UnsafeBufferPointer<UInt8>
    var isString: Bool
    var isNull: Bool { !isString && bytes.count == 4 && bytes[0] == UInt8(ascii: "n") }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    func equals(_ word: StaticString) -> Bool {
        guard word.utf8CodeUnitCount == bytes.count else { return false }
        for index in 0..<bytes.count where bytes[index] != word.utf8Start[index] { return false }
        return true
    }
    /// An exact fixed-point integer of 10^-`decimals`.
    func fixed(_ decimals: Int, _ field: StaticString) throws(WireError) -> Int64 {
        do {
            return try FixedPoint.parse(bytes, decimals: decimals)
        } catch {
            throw .invalid(field: "\(field)", value: String(text.prefix(40)), problem: "\(error)")
        }
    }
    func price(_ field: StaticString) throws(WireError) -> Price {
        let micros = try fixed(6, field)
        guard let narrow = Int32(exactly: micros) else {
            throw .invalid(field: "\(field)", value: text, problem: "not a price")
        }
        return Price(micros: narrow)
    }
    func cents(_ field: StaticString) throws(WireError) -> Price {
        let cents = try fixed(0, field)
        guard cents.magnitude <= 100 else {
            throw .invalid(field: "\(field)", value: text, problem: "not cents")
        }
        return Price(cents: Int(cents))
    }
    func contracts(_ field: StaticString) throws(WireError) -> Quantity {
        let whole = try fixed(0, field)
        guard whole.magnitude < 1 << 56 else {
            throw .invalid(field: "\(field)", value: text, problem: "out of range")
        }
        return Quantity(hundredths: whole * 100)
    }
}

/// The fields of the hot messages, filled in any order, then judged together. Integer cents and counts (before
/// March 2026) count only where no field in dollars and fixed point stands.
struct FrameFields {
    var market = -1
    var side: Side?
    var price: Price?
    var priceCents: Price?
    var quantity: Quantity?
    var wholeQuantity: Quantity?
    var noPrice: Price?
    var noPriceCents: Price?
    var takerOutcome: Side?
    var takerBook: Side?
    var takerLegacy: Side?
    var milliseconds: Int64?
    var fineTime: Timestamp?
    var isOwn = false
    var isBlock = false
    var tradeID: String?
    var bid: Price?
    var ask: Price?
    var bidSize: Quantity?
    var askSize: Quantity?
    var volume: Quantity?
    var openInterest: Quantity?

    /// Takes a scalar member of a message. Unknown names are passed over.
    mutating func take(_ key: UnsafeBufferPointer<UInt8>, _ token: WireToken, _ tickers: inout TickerTable)
        throws(WireError)
    {
        if token.isNull { return }
        let name = WireToken(bytes: key, isString: true)
        switch key.count {
        case 2:
            if name.equals("ts") { try takeTime(token) }
        case 4:
            if name.equals("side") { side = try FrameFields.outcome(token, "side") }
        case 5:
            if name.equals("ts_ms") {
                milliseconds = try token.fixed(0, "ts_ms")
            } else if name.equals("delta") {
                wholeQuantity = try token.contracts("delta")
            } else if name.equals("price") {
                priceCents = try token.cents("price")
            } else if name.equals("count") {
                wholeQuantity = try token.contracts("count")
            }
        case 8:
            if name.equals("delta_fp") {
                quantity = Quantity(hundredths: try token.fixed(2, "delta_fp"))
            } else if name.equals("count_fp") {
                quantity = Quantity(hundredths: try token.fixed(2, "count_fp"))
            } else if name.equals("trade_id") {
                tradeID = token.text
            } else if name.equals("no_price") {
                noPriceCents = try token.cents("no_price")
            }
        default: try takeLong(name, token, &tickers)
        }
    }

    private mutating func takeLong(_ name: WireToken, _ token: WireToken, _ tickers: inout TickerTable)
        throws(WireError)
    {
        if name.equals("market_ticker") {
            guard !token.bytes.isEmpty else {
                throw .invalid(field: "market_ticker", value: "", problem: "empty")
            }
            market = tickers.intern(token.bytes)
        } else if name.equals("price_dollars") || name.equals("yes_price_dollars") {
            price = try token.price("price_dollars")
        } else if name.equals("no_price_dollars") {
            noPrice = try token.price("no_price_dollars")
        } else if name.equals("yes_price") {
            priceCents = try token.cents("yes_price")
        } else if name.equals("client_order_id") {
            isOwn = !token.bytes.isEmpty
        } else if name.equals("taker_outcome_side") {
            takerOutcome = try FrameFields.outcome(token, "taker_outcome_side")
        } else if name.equals("taker_book_side") {
            takerBook = try FrameFields.bookSide(token)
        } else if name.equals("taker_side") {
            takerLegacy = try FrameFields.outcome(token, "taker_side")
        } else if name.equals("is_block_trade") {
            isBlock = token.equals("true")
        } else if name.equals("yes_bid_dollars") {
            bid = try token.price("yes_bid_dollars")
        } else if name.equals("yes_ask_dollars") {
            ask = try token.price("yes_ask_dollars")
        } else if name.equals("yes_bid_size_fp") {
            bidSize = Quantity(hundredths: try token.fixed(2, "yes_bid_size_fp"))
        } else if name.equals("yes_ask_size_fp") {
            askSize = Quantity(hundredths: try token.fixed(2, "yes_ask_size_fp"))
        } else if name.equals("volume_fp") {
            volume = Quantity(hundredths: try token.fixed(2, "volume_fp"))
        } else if name.equals("open_interest_fp") {
            openInterest = Quantity(hundredths: try token.fixed(2, "open_interest_fp"))
        }
    }

    private mutating func takeTime(_ token: WireToken) throws(WireError) {
        if token.isString {
            guard let time = Timestamp(rfc3339: token.bytes) else {
                throw .invalid(field: "ts", value: token.text, problem: "not a time")
            }
            fineTime = time
        } else {
            let seconds = try token.fixed(0, "ts")
            guard seconds.magnitude < 1 << 33 else {
                throw .invalid(field: "ts", value: token.text, problem: "out of range")
            }
            if fineTime == nil { fineTime = Timestamp(seconds: seconds) }
        }
    }

    private static func outcome(_ token: WireToken, _ field: StaticString) throws(WireError) -> Side {
        if token.equals("yes") { return .bid }
        if token.equals("no") { return .ask }
        throw .invalid(field: "\(field)", value: String(token.text.prefix(40)), problem: "neither yes nor no")
    }
    private static func bookSide(_ token: WireToken) throws(WireError) -> Side {
        if token.equals("bid") { return .bid }
        if token.equals("ask") { return .ask }
        throw .invalid(
            field: "taker_book_side", value: String(token.text.prefix(40)), problem: "neither bid nor ask")
    }

    // MARK: Judged together

    /// `ts_ms`, made finer by `ts` where both name the same millisecond.
    func time() throws(WireError) -> Timestamp {
        guard let milliseconds else { return fineTime ?? .unknown }
        guard milliseconds.magnitude < 1 << 43 else {
            throw .invalid(field: "ts_ms", value: "\(milliseconds)", problem: "out of range")
        }
        if let fineTime, fineTime.milliseconds == milliseconds { return fineTime }
        return Timestamp(milliseconds: milliseconds)
    }

    func delta(into frame: inout WireFrame, usesYesPrice: Bool) throws(WireError) {
        guard market >= 0 else { throw .missing(field: "market_ticker", message: "orderbook_delta") }
        guard let side else { throw .missing(field: "side", message: "orderbook_delta") }
        guard let quoted = price ?? priceCents else {
            throw .missing(field: "price_dollars", message: "orderbook_delta")
        }
        guard let change = quantity ?? wholeQuantity else {
            throw .missing(field: "delta_fp", message: "orderbook_delta")
        }
        frame.market = market
        frame.side = side
        frame.price = try FrameFields.yesPrice(quoted, side, usesYesPrice)
        frame.quantity = change
        frame.exchangeTime = try time()
        frame.isOwn = isOwn
    }

    /// A level's price in YES terms; strictly between 0 and 1 dollar.
    static func yesPrice(_ quoted: Price, _ side: Side, _ usesYesPrice: Bool) throws(WireError) -> Price {
        guard quoted.isTradable else {
            throw .invalid(field: "price_dollars", value: "\(quoted)", problem: "not between 0 and 1")
        }
        return side == .ask && !usesYesPrice ? quoted.complement : quoted
    }

    func trade(into frame: inout WireFrame) throws(WireError) {
        guard market >= 0 else { throw .missing(field: "market_ticker", message: "trade") }
        let complement = (noPrice ?? noPriceCents)?.complement
        guard let yes = price ?? priceCents ?? complement else {
            throw .missing(field: "yes_price_dollars", message: "trade")
        }
        if let price, let noPrice, price.complement != noPrice {
            throw .contradiction(
                field: "yes_price_dollars", value: "\(price)", other: "no_price_dollars",
                otherValue: "\(noPrice)")
        }
        guard yes.isTradable else {
            throw .invalid(field: "yes_price_dollars", value: "\(yes)", problem: "not between 0 and 1")
        }
        guard let count = quantity ?? wholeQuantity else {
            throw .missing(field: "count_fp", message: "trade")
        }
        guard count.isPositive else {
            throw .invalid(field: "count_fp", value: "\(count)", problem: "not above zero")
        }
        if let takerBook, let takerOutcome, takerBook != takerOutcome {
            throw .contradiction(
                field: "taker_book_side", value: "\(takerBook)", other: "taker_outcome_side",
                otherValue: takerOutcome == .bid ? "yes" : "no")
        }
        guard let taker = takerBook ?? takerOutcome ?? takerLegacy else {
            throw .missing(field: "taker_book_side", message: "trade")
        }
        frame.market = market
        frame.side = taker
        frame.price = yes
        frame.quantity = count
        frame.exchangeTime = try time()
        frame.isBlock = isBlock
        frame.tradeID = tradeID
    }

    func ticker(into frame: inout WireFrame) throws(WireError) {
        guard market >= 0 else { throw .missing(field: "market_ticker", message: "ticker") }
        frame.market = market
        frame.exchangeTime = try time()
        func quoted(_ price: Price?) -> Price? { price.flatMap { $0.isTradable ? $0 : nil } }
        // Integer cents are rounded and wrong at the edges (field note 30): never read here.
        frame.summary = Ticker(
            market: Market.ID(market), lastPrice: quoted(price), bestBid: quoted(bid), bestAsk: quoted(ask),
            bidSize: bidSize, askSize: askSize, volume: volume, openInterest: openInterest,
            exchangeTime: frame.exchangeTime)
    }
}
