import Martlet

/// Reads Kalshi's WebSocket frames: the hot messages in place from the receive buffer, every other shape through
/// the general parser. Fields may come in any order, with spaces and with fields unknown here between them.
///
///     var decoder = MessageDecoder(usesYesPrice: false)
///     let frame = try decoder.decode(bytes)
///     if frame.kind == .snapshot { use(decoder.levels) }
public struct MessageDecoder {
    /// A level of the last snapshot, in YES terms.
    public struct Level: Hashable, Sendable {
        public var side: Side
        public var price: Price
        public var quantity: Quantity
        /// Read from whole cents; dropped where the same snapshot gives dollars too.
        var isCents = false
        public init(side: Side, price: Price, quantity: Quantity) {
            self.side = side
            self.price = price
            self.quantity = quantity
        }
    }

    /// What the subscription asked for (`use_yes_price`): whether NO levels come with YES prices.
    public var usesYesPrice: Bool
    /// Tickers seen so far; a frame's `market` is an index into it.
    public var tickers = TickerTable()
    /// The levels of the snapshot decoded last. Kept between calls, so that a snapshot allocates nothing.
    public private(set) var levels: [Level] = []

    var dates = DateCache()

    public init(usesYesPrice: Bool) { self.usesYesPrice = usesYesPrice }

    /// Decodes one frame. Throws ``WireError`` when it is not JSON, or lacks what its type cannot do without.
    public mutating func decode(_ bytes: UnsafeBufferPointer<UInt8>) throws(WireError) -> WireFrame {
        var delta = BookDelta()
        if decodeDelta(bytes, into: &delta) { return WireFrame(delta) }
        // What is refused here may be taken all the same, where a member stands twice: the parser has the last word.
        if let frame = (try? decodeInPlace(bytes)) ?? nil { return frame }
        let value: JSONValue
        do {
            value = try JSONParser.parse(bytes)
        } catch {
            throw .notJSON(error)
        }
        return try decode(value)
    }
    public mutating func decode(_ text: String) throws(WireError) -> WireFrame {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(WireError) in try decode(buffer) }
        }
        return try result.get()
    }

    // MARK: In place

    private mutating func decodeInPlace(_ bytes: UnsafeBufferPointer<UInt8>) throws(WireError) -> WireFrame? {
        guard let base = bytes.baseAddress else { return nil }
        var scanner = FrameScanner(bytes, base: base)
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        var frame = WireFrame(kind: .unknown(""))
        var isHot = false
        var seen: UInt8 = 0
        repeat {
            guard let key = scanner.string(), scanner.take(UInt8(ascii: ":")) else { return nil }
            let name = WireToken(bytes: key, isString: true)
            guard MessageDecoder.isFirst(name, &seen) else { return nil }
            if name.equals("msg") {
                // Without its type before it, a message is left to the general parser.
                guard isHot else { return nil }
                guard try message(&scanner, &frame) else { return nil }
                continue
            }
            guard let first = scanner.peek(), first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else {
                guard scanner.skip() else { return nil }
                continue
            }
            guard let token = scanner.scalar() else { return nil }
            if name.equals("type") {
                guard let kind = MessageDecoder.hotKind(token) else { return nil }
                frame.kind = kind
                isHot = true
            } else {
                try MessageDecoder.envelope(name, token, &frame)
            }
        } while scanner.take(UInt8(ascii: ","))
        guard scanner.take(UInt8(ascii: "}")), scanner.isAtEnd(), frame.market >= 0 else { return nil }
        return frame
    }

    /// False when a member of the envelope stands twice: then the last one counts, as the general parser has it.
    private static func isFirst(_ name: WireToken, _ seen: inout UInt8) -> Bool {
        let bit: UInt8
        if name.equals("type") {
            bit = 1
        } else if name.equals("msg") {
            bit = 2
        } else if name.equals("sid") {
            bit = 4
        } else if name.equals("seq") {
            bit = 8
        } else if name.equals("id") {
            bit = 16
        } else if name.equals("sending_ts_ms") {
            bit = 32
        } else {
            return true
        }
        defer { seen |= bit }
        return seen & bit == 0
    }

    private static func hotKind(_ token: WireToken) -> WireFrame.Kind? {
        if token.equals("orderbook_delta") { return .delta }
        if token.equals("orderbook_snapshot") { return .snapshot }
        if token.equals("trade") { return .trade }
        if token.equals("ticker") { return .ticker }
        return nil
    }

    private static func envelope(_ name: WireToken, _ token: WireToken, _ frame: inout WireFrame)
        throws(WireError)
    {
        if token.isNull { return }
        if name.equals("sid") {
            frame.sid = try token.fixed(0, "sid")
        } else if name.equals("seq") {
            frame.seq = try token.fixed(0, "seq")
        } else if name.equals("id") {
            frame.id = try token.fixed(0, "id")
        } else if name.equals("sending_ts_ms") {
            let milliseconds = try token.fixed(0, "sending_ts_ms")
            if milliseconds.magnitude < 1 << 43 { frame.sendingTime = Timestamp(milliseconds: milliseconds) }
        }
    }

    /// A hot message's object. False when it is not plain.
    private mutating func message(_ scanner: inout FrameScanner, _ frame: inout WireFrame) throws(WireError)
        -> Bool
    {
        guard scanner.take(UInt8(ascii: "{")) else { return false }
        var fields = FrameFields()
        if frame.kind == .snapshot { levels.removeAll(keepingCapacity: true) }
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                guard let key = scanner.string(), scanner.take(UInt8(ascii: ":")), let first = scanner.peek()
                else {
                    return false
                }
                if first == UInt8(ascii: "[") {
                    if frame.kind == .snapshot, let form = LevelForm(WireToken(bytes: key, isString: true)) {
                        guard try ladder(&scanner, form) else { return false }
                    } else {
                        guard scanner.skip() else { return false }
                    }
                } else if first == UInt8(ascii: "{") {
                    guard scanner.skip() else { return false }
                } else {
                    guard let token = scanner.scalar() else { return false }
                    try fields.take(key, token, &tickers)
                }
            } while scanner.take(UInt8(ascii: ","))
            guard scanner.take(UInt8(ascii: "}")) else { return false }
        }
        try finish(fields, &frame)
        return true
    }

    private mutating func finish(_ fields: FrameFields, _ frame: inout WireFrame) throws(WireError) {
        switch frame.kind {
        case .delta: try fields.delta(into: &frame, usesYesPrice: usesYesPrice)
        case .trade: try fields.trade(into: &frame)
        case .ticker: try fields.ticker(into: &frame)
        case .snapshot:
            guard fields.market >= 0 else {
                throw .missing(field: "market_ticker", message: "orderbook_snapshot")
            }
            frame.market = fields.market
            frame.exchangeTime = try fields.time()
            // Cents beside dollars say the same again.
            if levels.contains(where: { !$0.isCents }) { levels.removeAll { $0.isCents } }
        default: break
        }
    }

    /// Which side and unit a snapshot's array has.
    private struct LevelForm {
        var side: Side
        var isCents: Bool
        init?(_ name: WireToken) {
            if name.equals("yes_dollars_fp") || name.equals("yes_dollars") {
                self.init(.bid, false)
            } else if name.equals("no_dollars_fp") || name.equals("no_dollars") {
                self.init(.ask, false)
            } else if name.equals("yes") {
                self.init(.bid, true)
            } else if name.equals("no") {
                self.init(.ask, true)
            } else {
                return nil
            }
        }
        init(_ side: Side, _ isCents: Bool) {
            self.side = side
            self.isCents = isCents
        }
    }

    private mutating func ladder(_ scanner: inout FrameScanner, _ form: LevelForm) throws(WireError) -> Bool {
        guard scanner.take(UInt8(ascii: "[")) else { return false }
        if scanner.take(UInt8(ascii: "]")) { return true }
        repeat {
            guard scanner.take(UInt8(ascii: "[")), let price = scanner.scalar(),
                scanner.take(UInt8(ascii: ",")),
                let size = scanner.scalar(), scanner.take(UInt8(ascii: "]"))
            else { return false }
            try addLevel(price, size, form)
        } while scanner.take(UInt8(ascii: ","))
        return scanner.take(UInt8(ascii: "]"))
    }

    private mutating func addLevel(_ price: WireToken, _ size: WireToken, _ form: LevelForm) throws(WireError)
    {
        let quoted = form.isCents ? try price.cents("price") : try price.price("price")
        let quantity =
            form.isCents ? try size.contracts("count") : Quantity(hundredths: try size.fixed(2, "count"))
        guard quantity.hundredths >= 0 else {
            throw .invalid(field: "count", value: size.text, problem: "below zero")
        }
        guard quantity.isPositive else { return }
        var level = Level(
            side: form.side, price: try FrameFields.yesPrice(quoted, form.side, usesYesPrice),
            quantity: quantity)
        level.isCents = form.isCents
        levels.append(level)
    }

    // MARK: General

    /// Decodes a frame that was parsed already, by the same rules.
    public mutating func decode(_ value: JSONValue) throws(WireError) -> WireFrame {
        guard value.object != nil else {
            throw .invalid(field: "frame", value: "…", problem: "not an object")
        }
        guard let type = value["type"]?.string else { throw .missing(field: "type", message: "frame") }
        var frame = WireFrame(kind: WireFrame.Kind(wire: type))
        for name in ["sid", "seq", "id", "sending_ts_ms"] {
            guard let text = value[name]?.decimalText else { continue }
            try withToken(text) { (token) throws(WireError) in
                try withToken(name) { (key) throws(WireError) in
                    try MessageDecoder.envelope(key, token, &frame)
                }
            }
        }
        switch frame.kind {
        case .delta, .snapshot, .trade, .ticker:
            guard let message = value["msg"], message.object != nil else {
                throw .missing(field: "msg", message: type)
            }
            try decodeMessage(message, &frame)
        default: frame.general = value
        }
        return frame
    }

    private mutating func decodeMessage(_ message: JSONValue, _ frame: inout WireFrame) throws(WireError) {
        var fields = FrameFields()
        if frame.kind == .snapshot { levels.removeAll(keepingCapacity: true) }
        for member in message.object ?? [] {
            switch member.value {
            case .null, .object: continue
            case .bool(let flag): try take(member.key, flag ? "true" : "false", isString: false, &fields)
            case .number(let text): try take(member.key, text, isString: false, &fields)
            case .string(let text): try take(member.key, text, isString: true, &fields)
            case .array(let rows):
                guard frame.kind == .snapshot else { continue }
                try withToken(member.key) { (key) throws(WireError) in
                    guard let form = LevelForm(key) else { return }
                    for row in rows { try addRow(row, form) }
                }
            }
        }
        try finish(fields, &frame)
    }

    private mutating func addRow(_ row: JSONValue, _ form: LevelForm) throws(WireError) {
        guard let pair = row.array, pair.count == 2, let price = pair[0].decimalText,
            let size = pair[1].decimalText
        else { throw .invalid(field: "level", value: JSONWriter.text(row), problem: "not [price, count]") }
        try withToken(price) { (price) throws(WireError) in
            try withToken(size) { (size) throws(WireError) in try addLevel(price, size, form) }
        }
    }

    private mutating func take(_ key: String, _ text: String, isString: Bool, _ fields: inout FrameFields)
        throws(WireError)
    {
        try withToken(key) { (key) throws(WireError) in
            try withToken(text, isString: isString) { (token) throws(WireError) in
                try fields.take(key.bytes, token, &tickers)
            }
        }
    }
}

/// Lends a text's bytes as a token.
private func withToken<T>(
    _ text: String, isString: Bool = true, _ body: (WireToken) throws(WireError) -> T
) throws(WireError) -> T {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBufferPointer { buffer in
        Result { () throws(WireError) in try body(WireToken(bytes: buffer, isString: isString)) }
    }
    return try result.get()
}

extension WireFrame.Kind {
    init(wire: String) {
        switch wire {
        case "orderbook_delta": self = .delta
        case "orderbook_snapshot": self = .snapshot
        case "trade": self = .trade
        case "ticker", "ticker_v2": self = .ticker
        case "subscribed": self = .subscribed
        case "unsubscribed": self = .unsubscribed
        case "ok": self = .ok
        case "error": self = .error
        case "fill": self = .fill
        case "user_order": self = .userOrder
        case "market_position": self = .marketPosition
        case "market_lifecycle_v2": self = .marketLifecycle
        case "multivariate_market_lifecycle": self = .multivariateLifecycle
        case "event_lifecycle": self = .eventLifecycle
        case "event_fee_update": self = .eventFeeUpdate
        case "order_group_updates": self = .orderGroup
        case "cfbenchmarks_value", "cfbenchmarks_value_5hz", "pyth_value": self = .reference
        default: self = .unknown(wire)
        }
    }
}
