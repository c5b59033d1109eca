import Martlet

/// Reads the exchange's WebSocket messages out of the receive buffer, without intermediate objects.
///
///     var decoder = MessageDecoder(tickers: tickers, convention: .yes)
///     let message = try decoder.decode(frame)
///     switch message.kind {
///     case .delta, .trade: … message.event(receiveTime: now) …
///     case .snapshot: … decoder.levels …
///     default: … decoder.detail …
///     }
///
/// Two ways lead through it. The fast one (``FastDelta``) bets on the exchange's own order of keys in an
/// `orderbook_delta` and gives up at the first byte that differs. The general one checks the whole text against
/// RFC 8259, takes keys in any order, spacing and number, and finds what is wrong. Both accept the same messages
/// with the same result, which a fuzz test holds them to.
///
/// A message is refused (``WireError``) only when something needed is missing, impossible or ambiguous. Unknown
/// fields are passed over, unknown types counted.
package struct MessageDecoder {
    /// What to do with a ticker that the table does not hold.
    package enum UnknownTickers: Hashable, Sendable {
        /// Give it an ID (recordings: markets are defined as they appear).
        case intern
        /// Leave the message without a market (live: only what was subscribed is known).
        case report
    }

    package let tickers: TickerTable
    package var convention: PriceConvention
    package var unknownTickers: UnknownTickers
    /// The last snapshot's rows in YES terms, in the wire's order.
    package private(set) var levels: [WireLevel] = []
    /// What the last message said beyond its ``WireMessage``.
    package private(set) var detail: WireDetail = .none
    /// Messages of types that are not known, and how many were taken either way.
    package private(set) var counts = Counts()

    package struct Counts: Hashable, Sendable {
        package var fast = 0
        package var general = 0
        package var refused = 0
        package var unknownTypes = 0
    }

    var envelope = FieldTable(path: "")
    var fields = FieldTable(path: "msg.")
    var dates = DateCache()

    package init(
        tickers: TickerTable = TickerTable(), convention: PriceConvention,
        unknownTickers: UnknownTickers = .intern
    ) {
        self.tickers = tickers
        self.convention = convention
        self.unknownTickers = unknownTickers
        levels.reserveCapacity(512)
    }

    /// Decodes one text message. The frame may end in white space (the exchange's end in a newline).
    package mutating func decode(_ frame: UnsafeRawBufferPointer) throws(WireError) -> WireMessage {
        if let base = frame.baseAddress {
            var message = WireMessage(.delta)
            // Sound: raw memory of bytes is read as bytes, while the caller lends it.
            if decodeFastDelta(base.assumingMemoryBound(to: UInt8.self), frame.count, &message) {
                counts.fast &+= 1
                return message
            }
        }
        return try decodeGenerally(frame)
    }
    package mutating func decode(_ frame: [UInt8]) throws(WireError) -> WireMessage {
        try frame.withUnsafeBufferPointer { (bytes) throws(WireError) in
            try decode(UnsafeRawBufferPointer(bytes))
        }
    }

    /// The general way alone.
    @inline(never)
    package mutating func decodeGenerally(_ frame: UnsafeRawBufferPointer) throws(WireError) -> WireMessage {
        counts.general &+= 1
        if case .none = detail {} else { detail = .none }
        do throws(WireError) {
            return try general(UnsafeBufferPointer(
                start: frame.baseAddress?.assumingMemoryBound(to: UInt8.self), count: frame.count))
        } catch {
            counts.refused &+= 1
            throw error
        }
    }

    private mutating func general(_ text: UnsafeBufferPointer<UInt8>) throws(WireError) -> WireMessage {
        let body = try scan(text)
        guard let type = try envelope.stringToken("type") else { throw envelope.error(.missing, "type") }
        var message = WireMessage(kind(of: type))
        message.rawSID = try identifier("sid")
        message.rawSequence = try identifier("seq")
        message.rawID = try identifier("id")
        message.sendingTime = try envelope.milliseconds("sending_ts_ms") ?? .unknown
        switch message.kind {
        case .delta:
            try requireObject(body)
            try readDelta(&message)
        case .snapshot:
            try requireObject(body)
            try readSnapshot(&message)
        case .trade:
            try requireObject(body)
            try readTrade(&message)
        case .ticker:
            try requireObject(body)
            detail = .ticker(try readTicker(&message))
        case .unsubscribed: break
        case .ok: detail = .ok(try readOK(body))
        case .unknown:
            counts.unknownTypes &+= 1
            detail = .unknown(type: JSONText.string(type, in: envelope.base))
        case .fill, .userOrder, .marketPosition, .marketLifecycle, .eventLifecycle, .eventFee, .orderGroup,
            .reference, .subscribed, .error:
            try requireObject(body)
            detail = try readDetail(&message, type)
        }
        return message
    }

    /// Checks the whole text and finds the fields of the envelope and, where it is an object, of `msg`.
    private mutating func scan(_ text: UnsafeBufferPointer<UInt8>) throws(WireError) -> JSONToken? {
        do throws(JSONError) {
            var scanner = try JSONScanner(text)
            scanner.skipSpace()
            guard scanner.position < scanner.end else { throw JSONError(.empty, at: 0) }
            guard try scanner.peek() == UInt8(ascii: "{") else {
                _ = try scanner.value(depth: 0)
                try scanner.finish()
                throw JSONError(.unexpectedByte, at: 0)
            }
            fields.clear(scanner.base)
            var body: JSONToken?
            try envelope.read(&scanner, depth: 1) { (scanner, key) throws(JSONError) in
                guard key.count == 3, !key.isEscaped, scanner.base[Int(key.start)] == UInt8(ascii: "m"),
                    scanner.base[Int(key.start) + 1] == UInt8(ascii: "s"),
                    scanner.base[Int(key.start) + 2] == UInt8(ascii: "g"),
                    try scanner.peek() == UInt8(ascii: "{")
                else { return nil }
                let start = scanner.position
                try fields.read(&scanner, depth: 2) { (_, _) throws(JSONError) in nil }
                body = JSONToken(.object, start, scanner.position)
                return body
            }
            try scanner.finish()
        } catch {
            throw WireError(error)
        }
        let found = try envelope.find("msg")
        if let found, found.kind == .object, found.start != fields.start {
            // `"msg"` was written with escapes: read it in a second pass.
            do throws(JSONError) {
                var scanner = JSONScanner(base: envelope.base, position: Int(found.start), end: Int(found.end))
                try fields.read(&scanner, depth: 2) { (_, _) throws(JSONError) in nil }
            } catch {
                throw WireError(error)
            }
        }
        return found
    }

    private func requireObject(_ body: JSONToken?) throws(WireError) {
        guard let body else { throw envelope.error(.missing, "msg") }
        guard body.kind == .object else { throw envelope.error(.notAnObject, "msg", body) }
    }

    private func identifier(_ name: StaticString) throws(WireError) -> Int64 {
        guard let token = try envelope.find(name) else { return -1 }
        let number = try envelope.decimal(token, name, 0)
        guard number >= 0 else { throw envelope.error(.impossible("is negative"), name, token) }
        return number
    }

    private func kind(of type: JSONToken) -> WireMessage.Kind {
        for (text, kind) in MessageDecoder.kinds where envelope.text(type, is: text) { return kind }
        return .unknown
    }

    private static let kinds: [(StaticString, WireMessage.Kind)] = [
        ("orderbook_delta", .delta), ("orderbook_snapshot", .snapshot), ("trade", .trade),
        ("ticker", .ticker), ("fill", .fill), ("user_order", .userOrder),
        ("market_position", .marketPosition), ("market_lifecycle_v2", .marketLifecycle),
        ("multivariate_market_lifecycle", .marketLifecycle), ("event_lifecycle", .eventLifecycle),
        ("event_fee_update", .eventFee), ("order_group_updates", .orderGroup),
        ("cfbenchmarks_value", .reference), ("cfbenchmarks_value_5hz", .reference),
        ("pyth_value", .reference), ("subscribed", .subscribed), ("unsubscribed", .unsubscribed),
        ("ok", .ok), ("error", .error),
    ]

    // MARK: For the readers of single kinds

    mutating func takeLevels() -> [WireLevel] {
        var taken: [WireLevel] = []
        swap(&taken, &levels)
        taken.removeAll(keepingCapacity: true)
        return taken
    }
    mutating func putLevels(_ filled: consuming [WireLevel]) { levels = filled }

    /// The market of a ticker field; nil when it is unknown and stays so.
    mutating func market(_ name: StaticString, _ message: inout WireMessage) throws(WireError) {
        guard let token = try fields.stringToken(name) else { throw fields.error(.missing, name) }
        if token.isEscaped {
            let text = JSONText.unescaped(token, in: fields.base)
            text.withUnsafeBufferPointer { resolve($0, &message) }
        } else {
            resolve(UnsafeBufferPointer(start: fields.base + Int(token.start), count: token.count), &message)
        }
        if unknownTickers == .intern, message.market == WireMessage.noMarket {
            throw fields.error(.impossible("is empty or too long for a ticker"), name, token)
        }
    }

    private func resolve(_ ticker: UnsafeBufferPointer<UInt8>, _ message: inout WireMessage) {
        if let known = tickers.find(ticker) {
            message.market = known
        } else if unknownTickers == .intern, let new = tickers.intern(ticker) {
            message.market = new
            message.isNewMarket = true
        }
    }
}
