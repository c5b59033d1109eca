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
//
// A key is known by its first eight bytes, and found by one multiplication that sends each of a level's keys to a
// slot of its own (multipliers found by trial): one jump a key, where a chain of comparisons is mispredicted twice.
extension MessageDecoder {
    @inline(never)
    mutating func inAnyOrder(_ base: UnsafePointer<UInt8>, _ count: Int, _ delta: inout BookDelta) -> Bool {
        var cursor = ByteCursor(position: base, end: base + count)
        var parts = DeltaParts(ticker: base)
        cursor.skipSpace()
        guard cursor.skipByte("{") else { return false }
        repeat {
            guard envelopeMember(&cursor, base, &parts, &delta) else { return false }
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
    private mutating func envelopeMember(
        _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>, _ parts: inout DeltaParts,
        _ delta: inout BookDelta
    ) -> Bool {
        cursor.skipSpace()
        guard cursor.skipByte("\"") else { return false }
        let key = cursor.leap()
        switch (key &* 0x91b7_584a_2265_b1f5) >> 61 {
        case 1 where key == Name.sid:
            guard cursor.endOfKey("\"") else { return false }
            delta.sid = cursor.natural()
            return delta.sid >= 0 && parts.mark(8)
        case 6 where key == Name.seq:
            guard cursor.endOfKey("\"") else { return false }
            delta.sequence = cursor.natural()
            return delta.sequence >= 0 && parts.mark(9)
        case 7 where key == Name.msg:
            return cursor.endOfKey("\"") && parts.mark(0) && message(&cursor, base, &parts, &delta)
        case 4 where key == Name.type:
            parts.isDelta = cursor.endOfKey("\"") && cursor.skip("\"orderbook_delta\"")
            return parts.isDelta && parts.mark(1)
        case 0 where key == Name.sending:
            guard cursor.endOfKey("ts_ms\"") else { return false }
            let milliseconds = cursor.natural()
            guard milliseconds >= 0, milliseconds < MessageDecoder.millisecondsMax else { return false }
            delta.sendingTime = Timestamp(nanoseconds: milliseconds &* 1_000_000)
            return parts.mark(10)
        // `id` answers a command: no plain delta.
        case 3 where key == Name.id: return false
        default: return cursor.skipText() && cursor.endOfKey("\"") && cursor.skipScalar()
        }
    }

    @inline(__always)
    private mutating func message(
        _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>, _ parts: inout DeltaParts,
        _ delta: inout BookDelta
    ) -> Bool {
        guard cursor.skipByte("{") else { return false }
        repeat {
            guard messageMember(&cursor, base, &parts, &delta) else { return false }
            cursor.skipSpace()
        } while cursor.skipByte(",")
        return cursor.skipByte("}")
    }

    @inline(__always)
    private mutating func messageMember(
        _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>, _ parts: inout DeltaParts,
        _ delta: inout BookDelta
    ) -> Bool {
        cursor.skipSpace()
        guard cursor.skipByte("\"") else { return false }
        let start = cursor.position
        let key = cursor.leap()
        switch (key &* 0x1e2f_eb89_414c_343d) >> 60 {
        case 9 where key == Name.ticker:
            guard cursor.endOfKey("icker\""), cursor.skipByte("\"") else { return false }
            parts.ticker = cursor.position
            parts.length = cursor.hashedText(&parts.hash)
            return parts.length > 0 && cursor.skipByte("\"") && parts.mark(2)
        case 15 where key == Name.identifier:
            return cursor.endOfKey("d\"") && cursor.skipScalar()
        case 2 where key == Name.price:
            guard cursor.endOfKey("llars\""), cursor.skipByte("\"") else { return false }
            parts.price = cursor.price()
            return parts.price >= 0 && cursor.skipByte("\"") && parts.mark(3)
        case 12 where key == Name.change:
            guard cursor.endOfKey("\""), cursor.skipByte("\"") else { return false }
            let isNegative = cursor.skipByte("-")
            let change = cursor.hundredths()
            parts.change = isNegative ? -change : change
            return change >= 0 && cursor.skipByte("\"") && parts.mark(4)
        case 5 where key == Name.side:
            guard cursor.endOfKey("\"") else { return false }
            delta.side = cursor.skip("\"yes\"") ? .bid : .ask
            return (delta.side == .bid || cursor.skip("\"no\"")) && parts.mark(5)
        case 6 where key == Name.milliseconds:
            guard cursor.endOfKey("\"") else { return false }
            parts.milliseconds = cursor.natural()
            return parts.milliseconds >= 0 && parts.milliseconds < MessageDecoder.millisecondsMax
                && parts.mark(6)
        case 3 where key == Name.time:
            guard cursor.endOfKey("\""), cursor.skipByte("\"") else { return false }
            parts.fine = time(&cursor)
            return parts.fine >= 0 && cursor.skipByte("\"") && parts.mark(7)
        default: return rareMember(start, &cursor, base, &parts, &delta)
        }
    }

    /// `client_order_id` and fields of no interest. Older forms of the fields above, and fields of other messages,
    /// are for the general way to judge.
    @inline(never)
    private func rareMember(
        _ start: UnsafePointer<UInt8>, _ cursor: inout ByteCursor, _ base: UnsafePointer<UInt8>,
        _ parts: inout DeltaParts, _ delta: inout BookDelta
    ) -> Bool {
        guard cursor.skipText() else { return false }
        let key = UnsafeBufferPointer(start: start, count: cursor.position - start)
        guard cursor.endOfKey("\"") else { return false }
        guard WireToken(bytes: key, isString: true).equals("client_order_id") else {
            return !FrameFields.reads(key) && cursor.skipScalar()
        }
        guard parts.mark(11), cursor.skipByte("\"") else { return false }
        delta.clientOrderIDStart = Int32(truncatingIfNeeded: cursor.position - base)
        guard cursor.skipText() else { return false }
        delta.clientOrderIDEnd = Int32(truncatingIfNeeded: cursor.position - base)
        delta.isOwn = delta.clientOrderIDEnd > delta.clientOrderIDStart
        return cursor.skipByte("\"")
    }
}

/// The first eight bytes of a delta's keys, zeros behind shorter ones, little-endian.
private enum Name {
    static let type: UInt64 = 0x6570_7974
    static let sid: UInt64 = 0x64_6973
    static let seq: UInt64 = 0x71_6573
    static let msg: UInt64 = 0x67_736d
    static let sending: UInt64 = 0x5f67_6e69_646e_6573
    static let id: UInt64 = 0x6469
    static let ticker: UInt64 = 0x745f_7465_6b72_616d
    static let identifier: UInt64 = 0x695f_7465_6b72_616d
    static let price: UInt64 = 0x6f64_5f65_6369_7270
    static let change: UInt64 = 0x7066_5f61_746c_6564
    static let side: UInt64 = 0x6564_6973
    static let time: UInt64 = 0x7374
    static let milliseconds: UInt64 = 0x736d_5f73_74
}

extension ByteCursor {
    /// The next eight bytes, or as many as stand before a quote (or anything else that is not plain) with zeros for
    /// the rest; passed over.
    @inline(__always)
    mutating func leap() -> UInt64 {
        let word = word()
        let marks = SWAR.special(word)
        let below = (marks & (0 &- marks)) >> 7 &- 1
        position += marks.trailingZeroBitCount >> 3
        return word & below
    }

    /// The rest of a key with its quote, and the colon with any white space.
    @inline(__always)
    mutating func endOfKey(_ rest: StaticString) -> Bool {
        guard skip(rest) else { return false }
        skipSpace()
        guard skipByte(":") else { return false }
        skipSpace()
        return true
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
    static func reads(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        let name = WireToken(bytes: key, isString: true)
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
