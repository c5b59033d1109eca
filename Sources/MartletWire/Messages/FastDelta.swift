import Martlet

/// The day of the last time stamp read, so that a date is computed once a day and not once a message.
struct DateCache {
    /// The date's first eight bytes, `2026-07-`, and the two of the day.
    var yearMonth: UInt64 = 0
    var day: UInt16 = 0
    /// Nanoseconds since 1970 at its midnight.
    var midnight: Int64 = 0
}

// The bet on the exchange's own order of keys. Returns false at the first doubt: then the general way reads the
// same bytes again and has the last word, so nothing here needs to explain itself.
//
//     {"type":"orderbook_delta","sid":1,"seq":10,"msg":{"market_ticker":"…","market_id":"…",
//      "price_dollars":"0.7400","delta_fp":"-1.84","side":"no"[,"client_order_id":"…"][,"subaccount":0],
//      "ts":"2026-07-01T02:31:45.308599Z"[,"ts_ms":1782873105308]}[,"sending_ts_ms":…]}
//
// UTF-8 needs no pass of its own: every byte is either equal to a literal or seen to be plain ASCII.
extension MessageDecoder {
    @inline(__always)
    mutating func decodeFastDelta(
        _ base: UnsafePointer<UInt8>, _ count: Int, _ message: inout WireMessage
    ) -> Bool {
        var cursor = Cursor(position: base, end: base + count)
        guard cursor.skip("{\"type\":\"orderbook_delta\",\"sid\":"), let sid = cursor.natural(),
            cursor.skip(",\"seq\":"), let sequence = cursor.natural(),
            cursor.skip(",\"msg\":{\"market_ticker\":\"")
        else { return false }
        let ticker = cursor.position
        var hash: UInt64 = 0
        guard let length = cursor.hashedText(&hash), cursor.skip("\",\"market_id\":\""), cursor.skipText(),
            cursor.skip("\",\"price_dollars\":\""), let price = cursor.unsignedDecimal(6),
            cursor.skip("\",\"delta_fp\":\"")
        else { return false }
        let isNegative = cursor.skipByte("-")
        guard let change = cursor.unsignedDecimal(2), cursor.skip("\",\"side\":\""), price <= 1_000_000 else {
            return false
        }
        let side: Side
        if cursor.skip("yes\",\"") { side = .bid } else if cursor.skip("no\",\"") { side = .ask } else {
            return false
        }
        if cursor.peek() == UInt8(ascii: "c") {
            guard cursor.skip("client_order_id\":\"") else { return false }
            message.textStart = Int32(truncatingIfNeeded: cursor.position - base)
            guard cursor.skipText() else { return false }
            message.textEnd = Int32(truncatingIfNeeded: cursor.position - base)
            message.isOwn = true
            guard cursor.skip("\",\"") else { return false }
            if cursor.skip("subaccount\":") {
                guard cursor.natural() != nil, cursor.skip(",\"") else { return false }
            }
        }
        guard cursor.skip("ts\":\""), let fine = time(&cursor) else { return false }
        guard finishFastDelta(&cursor, fine, &message) else { return false }
        guard let market = tickers.find(ticker, length, hash) else { return false }
        message.market = market
        message.side = side
        message.rawSID = sid
        message.rawSequence = sequence
        message.quantity = Quantity(hundredths: isNegative ? -change : change)
        message.price = convention.yesPrice(Price(micros: Int32(truncatingIfNeeded: price)), side)
        return true
    }

    /// What follows the time stamp's closing quote.
    @inline(__always)
    private func finishFastDelta(_ cursor: inout Cursor, _ fine: Int64, _ message: inout WireMessage) -> Bool {
        message.exchangeTime = Timestamp(nanoseconds: fine)
        if cursor.skip("\",\"ts_ms\":") {
            guard let milliseconds = cursor.natural(), milliseconds < 9_000_000_000_000 else { return false }
            message.exchangeTime = TimeText.best(
                milliseconds: Timestamp(nanoseconds: milliseconds &* 1_000_000), text: message.exchangeTime)
            guard cursor.skipByte("}") else { return false }
        } else {
            guard cursor.skip("\"}") else { return false }
        }
        if cursor.skip(",\"sending_ts_ms\":") {
            guard let milliseconds = cursor.natural(), milliseconds < 9_000_000_000_000 else { return false }
            message.sendingTime = Timestamp(nanoseconds: milliseconds &* 1_000_000)
        }
        guard cursor.skipByte("}") else { return false }
        while cursor.skipByte("\n") || cursor.skipByte("\r") || cursor.skipByte(" ") {}
        return cursor.position == cursor.end
    }

    /// `2026-07-01T02:31:45.308599Z` up to the closing quote, as nanoseconds since 1970. Only this exact form
    /// with one to nine decimals or none; others take the general way.
    @inline(__always)
    private mutating func time(_ cursor: inout Cursor) -> Int64? {
        guard cursor.end - cursor.position >= 20 else { return nil }
        let text = cursor.position
        let yearMonth = SWAR.load(text)
        let day = UnsafeRawPointer(text + 8).loadUnaligned(as: UInt16.self)
        if yearMonth != dates.yearMonth || day != dates.day {
            guard learnDate(text) else { return nil }
            dates.yearMonth = yearMonth
            dates.day = day
        }
        guard text[10] == UInt8(ascii: "T"), let clock = SWAR.clock(SWAR.load(text + 11)) else { return nil }
        cursor.position = text + 19
        var fraction: Int64 = 0
        if cursor.skipByte(".") {
            guard let read = cursor.fraction() else { return nil }
            fraction = read
        }
        guard cursor.skipByte("Z") else { return nil }
        return dates.midnight &+ clock &* 1_000_000_000 &+ fraction
    }

    @inline(never)
    private mutating func learnDate(_ text: UnsafePointer<UInt8>) -> Bool {
        let date = Array(UnsafeBufferPointer(start: text, count: 10)) + Array("T00:00:00Z".utf8)
        guard let midnight = Timestamp(rfc3339: date) else { return false }
        dates.midnight = midnight.nanoseconds
        return true
    }
}

/// A place in a frame, moved forward over what is expected. Sound: nothing is read at or behind `end`.
private struct Cursor {
    var position: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>

    /// 0 at the end.
    @inline(__always)
    func peek() -> UInt8 { position < end ? position.pointee : 0 }

    @inline(__always)
    mutating func skipByte(_ byte: Unicode.Scalar) -> Bool {
        guard position < end, position.pointee == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    /// Passes over a literal if it stands here. The loads from the literal fold into constants.
    @inline(__always)
    mutating func skip(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        let expected = literal.utf8Start
        guard end - position >= count else { return false }
        var difference: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            difference |= SWAR.load(position + index) ^ SWAR.load(expected + index)
            index &+= 8
        }
        if index < count {
            if count >= 8 {
                difference |= SWAR.load(position + (count &- 8)) ^ SWAR.load(expected + (count &- 8))
            } else {
                while index < count {
                    difference |= UInt64(position[index] ^ expected[index])
                    index &+= 1
                }
            }
        }
        guard difference == 0 else { return false }
        position += count
        return true
    }

    /// A whole number of 1 to 18 digits without a leading zero before others.
    @inline(__always)
    mutating func natural() -> Int64? {
        let start = position
        var value: Int64 = 0
        if end - position >= 16 {
            let digits = SWAR.digits(SWAR.load(position))
            value = Int64(truncatingIfNeeded: digits.value)
            position += digits.count
            if digits.count == 8 {
                let more = SWAR.digits(SWAR.load(position))
                value = value &* SWAR.powers(more.count) &+ Int64(truncatingIfNeeded: more.value)
                position += more.count
                if more.count == 8 { return nil }
            }
        } else {
            while position < end, position.pointee &- 0x30 < 10, position - start < 18 {
                value = value &* 10 &+ Int64(position.pointee &- 0x30)
                position += 1
            }
            if position < end, position.pointee &- 0x30 < 10 { return nil }
        }
        guard position > start, start.pointee != 0x30 || position - start == 1 else { return nil }
        // 1.5 and 1e3 are numbers too, for the general way.
        if position < end, position.pointee == 0x2E || position.pointee | 0x20 == 0x65 { return nil }
        return value
    }

    /// A decimal as an integer of 10^-`decimals`, without sign; at most 7 digits before the point and 7 behind it.
    @inline(__always)
    mutating func unsignedDecimal(_ decimals: Int) -> Int64? {
        guard end - position >= 24 else { return nil }
        let whole = SWAR.digits(SWAR.load(position))
        guard whole.count > 0, whole.count < 8 else { return nil }
        position += whole.count
        var value = Int64(truncatingIfNeeded: whole.value)
        guard skipByte(".") else { return value &* SWAR.powers(decimals) }
        let fraction = SWAR.digits(SWAR.load(position))
        guard fraction.count > 0, fraction.count < 8 else { return nil }
        position += fraction.count
        let digits = Int64(truncatingIfNeeded: fraction.value)
        value = value &* SWAR.powers(decimals)
        if fraction.count <= decimals { return value &+ digits &* SWAR.powers(decimals &- fraction.count) }
        let divisor = SWAR.powers(fraction.count &- decimals)
        guard digits % divisor == 0 else { return nil }
        return value &+ digits / divisor
    }

    /// One to nine digits behind a point, as 10^-9.
    @inline(__always)
    mutating func fraction() -> Int64? {
        if end - position >= 9 {
            let digits = SWAR.digits(SWAR.load(position))
            let value = Int64(truncatingIfNeeded: digits.value)
            position += digits.count
            if digits.count < 8 { return digits.count > 0 ? value &* SWAR.powers(9 &- digits.count) : nil }
            let last = position.pointee &- 0x30
            if last > 9 { return value &* 10 }
            position += 1
            return value &* 10 &+ Int64(last)
        }
        var value: Int64 = 0
        var count = 0
        while position < end, position.pointee &- 0x30 < 10 {
            value = value &* 10 &+ Int64(position.pointee &- 0x30)
            position += 1
            count &+= 1
        }
        return count > 0 ? value &* SWAR.powers(9 &- count) : nil
    }

    /// Passes over text up to its closing quote; false when it holds anything but plain ASCII.
    @inline(__always)
    mutating func skipText() -> Bool {
        while end - position >= 8 {
            let marks = SWAR.special(SWAR.load(position))
            if marks != 0 {
                position += marks.trailingZeroBitCount >> 3
                return position.pointee == UInt8(ascii: "\"")
            }
            position += 8
        }
        return false
    }

    /// As ``skipText()``, with the text's hash as ``TickerTable`` computes it. Returns its length.
    @inline(__always)
    mutating func hashedText(_ hash: inout UInt64) -> Int? {
        let start = position
        var running: UInt64 = 0
        while end - position >= 8 {
            let word = SWAR.load(position)
            let marks = SWAR.special(word)
            if marks != 0 {
                let rest = marks.trailingZeroBitCount >> 3
                if rest > 0 { running = TickerTable.mix(running, word & (1 << UInt64(rest &* 8) &- 1)) }
                position += rest
                let length = position - start
                hash = TickerTable.finish(running, length)
                return position.pointee == UInt8(ascii: "\"") && length > 0 ? length : nil
            }
            running = TickerTable.mix(running, word)
            position += 8
        }
        return nil
    }
}
