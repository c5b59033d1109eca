import Martlet

/// What was found of a delta whose keys come in another order than the exchange's.
private struct DeltaParts {
    /// A bit for each key seen: one that stands twice is left to the general way.
    var seen: UInt32 = 0
    var ticker: UnsafePointer<UInt8>
    var length = 0
    var hash: UInt64 = 0
    var price: Int64 = -1
    var change: Int64 = 0
    var milliseconds: Int64 = -1
    var fine: Int64 = -1
    var isDelta = false

    static let needed: UInt32 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5

    @inline(__always)
    mutating func mark(_ bit: UInt32) -> Bool {
        let isNew = seen & (1 << bit) == 0
        seen |= 1 << bit
        return isNew
    }
}

// The second way: any order of keys, white space and fields of one's own, as long as every value is plain.
extension MessageDecoder {
    @inline(never)
    mutating func inAnyOrder(_ base: UnsafePointer<UInt8>, _ count: Int, _ delta: inout BookDelta) -> Bool {
        var cursor = ByteCursor(position: base, end: base + count)
        var parts = DeltaParts(ticker: base)
        cursor.skipSpace()
        guard cursor.skipByte("{") else { return false }
        repeat {
            guard let key = cursor.key(), envelope(key, &cursor, base, &parts, &delta) else { return false }
            cursor.skipSpace()
        } while cursor.skipByte(",")
        guard cursor.skipByte("}"), cursor.isAtEnd(), parts.isDelta,
            parts.seen & DeltaParts.needed == DeltaParts.needed
        else { return false }
        if parts.milliseconds >= 0 {
            delta.exchangeTime =
                parts.fine >= 0
                ? MessageDecoder.best(parts.milliseconds, parts.fine)
                : Timestamp(nanoseconds: parts.milliseconds &* 1_000_000)
        } else if parts.fine >= 0 {
            delta.exchangeTime = Timestamp(nanoseconds: parts.fine)
        }
        return finish(&delta, parts.price, parts.change, parts.ticker, parts.length, parts.hash)
    }

    @inline(__always)
    private mutating func envelope(
        _ key: ByteCursor.Key, _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>,
        _ parts: inout DeltaParts, _ delta: inout BookDelta
    ) -> Bool {
        switch key.count {
        case 3:
            if key.equals("sid") {
                delta.sid = cursor.natural()
                return delta.sid >= 0 && parts.mark(8)
            }
            if key.equals("seq") {
                delta.sequence = cursor.natural()
                return delta.sequence >= 0 && parts.mark(9)
            }
            if key.equals("msg") {
                return parts.mark(0) && message(&cursor, base, &parts, &delta)
            }
        case 4:
            if key.equals("type") {
                parts.isDelta = cursor.skip("\"orderbook_delta\"")
                return parts.isDelta && parts.mark(1)
            }
        case 13:
            if key.equals("sending_ts_ms") {
                let milliseconds = cursor.natural()
                guard milliseconds >= 0, milliseconds < MessageDecoder.millisecondsMax else { return false }
                delta.sendingTime = Timestamp(nanoseconds: milliseconds &* 1_000_000)
                return parts.mark(10)
            }
        case 2:
            // `id` answers a command: no plain delta.
            if key.equals("id") { return false }
        default: break
        }
        return cursor.skipScalar()
    }

    @inline(__always)
    private mutating func message(
        _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>, _ parts: inout DeltaParts,
        _ delta: inout BookDelta
    ) -> Bool {
        guard cursor.skipByte("{") else { return false }
        repeat {
            guard let key = cursor.key(), field(key, &cursor, base, &parts, &delta) else { return false }
            cursor.skipSpace()
        } while cursor.skipByte(",")
        return cursor.skipByte("}")
    }

    @inline(__always)
    private mutating func field(
        _ key: ByteCursor.Key, _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>,
        _ parts: inout DeltaParts, _ delta: inout BookDelta
    ) -> Bool {
        switch key.count {
        case 13:
            if key.equals("market_ticker") {
                guard cursor.skipByte("\"") else { return false }
                parts.ticker = cursor.position
                parts.length = cursor.hashedText(&parts.hash)
                return parts.length > 0 && cursor.skipByte("\"") && parts.mark(2)
            }
            if key.equals("price_dollars") {
                guard cursor.skipByte("\"") else { return false }
                parts.price = cursor.price()
                return parts.price >= 0 && cursor.skipByte("\"") && parts.mark(3)
            }
        case 8:
            if key.equals("delta_fp") {
                guard cursor.skipByte("\"") else { return false }
                let isNegative = cursor.skipByte("-")
                let change = cursor.hundredths()
                parts.change = isNegative ? -change : change
                return change >= 0 && cursor.skipByte("\"") && parts.mark(4)
            }
        case 4:
            if key.equals("side") {
                delta.side = cursor.skip("\"yes\"") ? .bid : .ask
                return (delta.side == .bid || cursor.skip("\"no\"")) && parts.mark(5)
            }
        case 5:
            if key.equals("ts_ms") {
                parts.milliseconds = cursor.natural()
                return parts.milliseconds >= 0 && parts.milliseconds < MessageDecoder.millisecondsMax
                    && parts.mark(6)
            }
        case 2:
            if key.equals("ts") {
                guard cursor.skipByte("\"") else { return false }
                parts.fine = time(&cursor)
                return parts.fine >= 0 && cursor.skipByte("\"") && parts.mark(7)
            }
        case 9:
            if key.equals("market_id") { return cursor.skipScalar() }
        case 15:
            if key.equals("client_order_id") {
                guard parts.mark(11), cursor.skipByte("\"") else { return false }
                delta.clientOrderIDStart = Int32(truncatingIfNeeded: cursor.position - base)
                guard cursor.skipText() else { return false }
                delta.clientOrderIDEnd = Int32(truncatingIfNeeded: cursor.position - base)
                delta.isOwn = delta.clientOrderIDEnd > delta.clientOrderIDStart
                return cursor.skipByte("\"")
            }
        default: break
        }
        // Older forms of these fields, and fields of other messages, are for the general way to judge.
        return !FrameFields.reads(key) && cursor.skipScalar()
    }
}

extension ByteCursor {
    /// A member's name.
    struct Key {
        var start: UnsafePointer<UInt8>
        var count: Int

        @inline(__always)
        func equals(_ literal: StaticString) -> Bool {
            guard count == literal.utf8CodeUnitCount else { return false }
            // The closing quote stands behind, so the cursor may look at `count` bytes.
            var cursor = ByteCursor(position: start, end: start + count)
            return cursor.skip(literal)
        }
    }

    /// `"name":` with any white space, or nil when the name is not plain ASCII.
    @inline(__always)
    mutating func key() -> Key? {
        skipSpace()
        guard skipByte("\"") else { return nil }
        let start = position
        guard skipText() else { return nil }
        let key = Key(start: start, count: position - start)
        position += 1
        skipSpace()
        guard skipByte(":") else { return nil }
        skipSpace()
        return key
    }

    /// Passes over a plain string, whole number or word; false at whatever else.
    @inline(__always)
    mutating func skipScalar() -> Bool {
        switch peek() {
        case UInt8(ascii: "\""):
            position += 1
            guard skipText() else { return false }
            position += 1
            return true
        case UInt8(ascii: "t"): return skip("true")
        case UInt8(ascii: "f"): return skip("false")
        case UInt8(ascii: "n"): return skip("null")
        default: return natural() >= 0
        }
    }
}

extension FrameFields {
    /// Whether ``take(_:_:_:)`` reads a field of this name, beside those that every delta has.
    @inline(never)
    static func reads(_ key: ByteCursor.Key) -> Bool {
        let name = WireToken(bytes: UnsafeBufferPointer(start: key.start, count: key.count), isString: true)
        for known in names where name.equals(known) { return true }
        return false
    }
    private static let names: [StaticString] = [
        "price", "delta", "count", "count_fp", "trade_id", "no_price", "yes_price", "yes_price_dollars",
        "no_price_dollars", "taker_outcome_side", "taker_book_side", "taker_side", "is_block_trade",
        "yes_bid_dollars", "yes_ask_dollars", "yes_bid_size_fp", "yes_ask_size_fp", "volume_fp",
        "open_interest_fp",
    ]
}
