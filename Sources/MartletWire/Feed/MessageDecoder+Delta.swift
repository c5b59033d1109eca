import Martlet

/// The day of the last time stamp read, so that a date is computed once a day and not once a message.
struct DateCache: Sendable {
    /// The date's first eight bytes, `2026-07-`, and the two of the day.
    var yearMonth: UInt64 = 0
    var day: UInt16 = 0
    /// Nanoseconds since 1970 at its midnight.
    var midnight: Int64 = 0
}

// The bet on the exchange's own order of keys. Returns false at the first doubt: then the next way reads the same
// bytes again, and the general parser has the last word, so nothing here needs to explain itself.
//
//     {"type":"orderbook_delta","sid":1,"seq":10,"msg":{"market_ticker":"…","market_id":"…",
//      "price_dollars":"0.7400","delta_fp":"-1.84","side":"no"[,"client_order_id":"…"][,"subaccount":0],
//      "ts":"2026-07-01T02:31:45.308599Z"[,"ts_ms":1782873105308]}[,"sending_ts_ms":…]}
//
// UTF-8 needs no pass of its own: every byte is either equal to a literal or seen to be plain ASCII.
extension MessageDecoder {
    /// Decodes a frame if it is a plain `orderbook_delta`, else returns false and leaves `delta` undefined: then
    /// ``decode(_:)-(UnsafeBufferPointer<UInt8>)`` says what the frame is, or what is wrong with it.
    public mutating func decodeDelta(_ frame: UnsafeBufferPointer<UInt8>, into delta: inout BookDelta) -> Bool
    {
        guard let base = frame.baseAddress else { return false }
        delta = BookDelta()
        if inWireOrder(base, frame.count, &delta) { return true }
        delta = BookDelta()
        return inAnyOrder(base, frame.count, &delta)
    }

    @inline(__always)
    private mutating func inWireOrder(
        _ base: UnsafePointer<UInt8>, _ count: Int, _ delta: inout BookDelta
    ) -> Bool {
        var cursor = ByteCursor(position: base, end: base + count)
        guard cursor.skip("{\"type\":\"orderbook_delta\",\"sid\":") else { return false }
        delta.sid = cursor.natural()
        guard cursor.skip(",\"seq\":") else { return false }
        delta.sequence = cursor.natural()
        guard cursor.skip(",\"msg\":{\"market_ticker\":\"") else { return false }
        let ticker = cursor.position
        var hash: UInt64 = 0
        let length = cursor.hashedText(&hash)
        guard cursor.skip("\",\"market_id\":\""), cursor.skipText(), cursor.skip("\",\"price_dollars\":\"")
        else {
            return false
        }
        let price = cursor.price()
        guard cursor.skip("\",\"delta_fp\":\"") else { return false }
        let isNegative = cursor.skipByte("-")
        let change = cursor.hundredths()
        guard cursor.skip("\",\"side\":\"") else { return false }
        if cursor.skip("yes\",\"") {
            delta.side = .bid
        } else if cursor.skip("no\",\"") {
            delta.side = .ask
        } else {
            return false
        }
        if cursor.peek() == UInt8(ascii: "c") {
            guard ownOrder(&cursor, base, &delta) else { return false }
        }
        guard cursor.skip("ts\":\"") else { return false }
        let fine = time(&cursor)
        // The numbers are negative where they were none; one test for all.
        guard delta.sid | delta.sequence | Int64(length) | price | change | fine >= 0 else { return false }
        guard tail(&cursor, fine, &delta) else { return false }
        return finish(&delta, price, isNegative ? -change : change, ticker, length, hash)
    }

    /// `client_order_id":"…","` and perhaps `subaccount":0,"`.
    @inline(never)
    private func ownOrder(
        _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>, _ delta: inout BookDelta
    ) -> Bool {
        guard cursor.skip("client_order_id\":\"") else { return false }
        delta.clientOrderIDStart = Int32(truncatingIfNeeded: cursor.position - base)
        guard cursor.skipText() else { return false }
        delta.clientOrderIDEnd = Int32(truncatingIfNeeded: cursor.position - base)
        delta.isOwn = delta.clientOrderIDEnd > delta.clientOrderIDStart
        guard cursor.skip("\",\"") else { return false }
        if cursor.skip("subaccount\":") { return cursor.natural() >= 0 && cursor.skip(",\"") }
        return true
    }

    /// What follows the time stamp.
    @inline(__always)
    private func tail(_ cursor: inout ByteCursor, _ fine: Int64, _ delta: inout BookDelta) -> Bool {
        if cursor.skip("\",\"ts_ms\":") {
            let milliseconds = cursor.natural()
            guard milliseconds >= 0, milliseconds < MessageDecoder.millisecondsMax, cursor.skipByte("}")
            else {
                return false
            }
            delta.exchangeTime = MessageDecoder.best(milliseconds, fine)
        } else {
            guard cursor.skip("\"}") else { return false }
            delta.exchangeTime = Timestamp(nanoseconds: fine)
        }
        if cursor.skipByte("}") { return cursor.isAtEnd() }
        guard cursor.skip(",\"sending_ts_ms\":") else { return false }
        let milliseconds = cursor.natural()
        guard milliseconds >= 0, milliseconds < MessageDecoder.millisecondsMax else { return false }
        delta.sendingTime = Timestamp(nanoseconds: milliseconds &* 1_000_000)
        return cursor.skipByte("}") && cursor.isAtEnd()
    }

    /// Later than this (the year 2248) a time is refused, before it could overflow as nanoseconds.
    static let millisecondsMax: Int64 = 1 << 43

    /// The finer of two readings of one moment where both name the same millisecond, else the milliseconds.
    @inline(__always)
    static func best(_ milliseconds: Int64, _ fine: Int64) -> Timestamp {
        let coarse = milliseconds &* 1_000_000
        let rest = fine &- coarse
        return Timestamp(nanoseconds: rest >= 0 && rest < 1_000_000 ? fine : coarse)
    }

    /// Turns what was read into YES terms, and the ticker into its integer.
    @inline(__always)
    mutating func finish(
        _ delta: inout BookDelta, _ micros: Int64, _ change: Int64, _ ticker: UnsafePointer<UInt8>,
        _ length: Int,
        _ hash: UInt64
    ) -> Bool {
        guard micros > 0, micros < 1_000_000, length > 0 else { return false }
        let isComplement = delta.side == .ask && !usesYesPrice
        delta.price = Price(micros: Int32(truncatingIfNeeded: isComplement ? 1_000_000 &- micros : micros))
        delta.change = Quantity(hundredths: change)
        let index = tickers.find(ticker, length, hash) ?? tickers.add(ticker, length, hash)
        delta.market = Market.ID(index: UInt32(truncatingIfNeeded: index))
        return true
    }

    /// `2026-07-01T02:31:45.308599Z` as nanoseconds since 1970, or -1. Only this form, with one to nine decimals or
    /// none, and from 1970 on; others take the general way.
    @inline(__always)
    mutating func time(_ cursor: inout ByteCursor) -> Int64 {
        guard cursor.end - cursor.position >= 20 else { return -1 }
        let text = cursor.position
        let yearMonth = SWAR.load(text)
        let day = UnsafeRawPointer(text + 8).loadUnaligned(as: UInt16.self)
        if yearMonth != dates.yearMonth || day != dates.day {
            guard learnDate(text) else { return -1 }
            dates.yearMonth = yearMonth
            dates.day = day
        }
        let clock = SWAR.clock(SWAR.load(text + 11))
        guard text[10] == UInt8(ascii: "T"), clock >= 0 else { return -1 }
        cursor.position = text + 19
        var fraction: Int64 = 0
        if cursor.skipByte(".") { fraction = cursor.fraction() }
        guard fraction >= 0, cursor.skipByte("Z") else { return -1 }
        return dates.midnight &+ clock &* 1_000_000_000 &+ fraction
    }

    @inline(never)
    private mutating func learnDate(_ text: UnsafePointer<UInt8>) -> Bool {
        let date = Array(UnsafeBufferPointer(start: text, count: 10)) + Array("T00:00:00Z".utf8)
        guard let midnight = Timestamp(rfc3339: date), midnight.nanoseconds >= 0 else { return false }
        dates.midnight = midnight.nanoseconds
        return true
    }
}
