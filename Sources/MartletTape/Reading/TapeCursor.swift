import Martlet
import MartletEngine

/// Reads a tape's records one by one, hot ones straight from the mapped bytes.
///
/// Its own memory is a few words, whatever the tape's length. It is not copyable: a copy would read on from an
/// old place. See ``TapeReader`` for an example.
@frozen
public struct TapeCursor: ~Copyable {
    /// What ``next()`` came to.
    @frozen
    public enum Step: Sendable {
        /// A change of a book or a trade: ``TapeCursor/event``.
        case market
        /// Anything else for an engine: ``TapeCursor/input``, received at ``TapeCursor/time``.
        case input
        /// Text for people: ``TapeCursor/note``. Drivers pass over it.
        case note
        /// The last record was read. Further calls say so again.
        case end
    }

    // Unsafe pointers into the mapping, which `cold` keeps alive. Sound because `position` only grows by whole
    // records that were found to end at or before `blockEnd`, and `blockEnd` lies within the mapping.
    @usableFromInline var position: UnsafeRawPointer
    @usableFromInline var blockEnd: UnsafeRawPointer
    @usableFromInline var lastTime: Int64 = .min
    @usableFromInline var marketCount: UInt32 = 0
    @usableFromInline var current = MarketEvent(.groupEnd, market: Market.ID(0), receiveTime: .unknown)
    @usableFromInline let cold: ColdCursor

    init(tape: TapeReader) {
        cold = ColdCursor(tape: tape)
        position = tape.file.base
        blockEnd = tape.file.base
    }

    /// The event that the last step came to, when it was `.market`.
    @inlinable @inline(__always)
    public var event: MarketEvent { current }
    /// Receive time of the last record.
    @inlinable @inline(__always)
    public var time: Timestamp { Timestamp(nanoseconds: lastTime) }
    /// What the last step came to, when it was `.input`.
    public var input: EngineInput { cold.input }
    /// What the last step came to, when it was `.note`.
    public var note: TapeNote { cold.note }
    /// The exchange's id of the trade that the last step came to, where the tape has it.
    public var tradeID: String? { cold.tradeID(recordEnd: position) }
    /// Bytes read so far, for progress; the tape's `byteCount` is the whole.
    public var byteOffset: Int { position - cold.file.base }
    /// Where the file was found to be cut off, once the end was reached; nil at the end of a whole tape.
    public var tornAt: Int? { cold.tornAt }

    /// Goes to the next record if it is a change of a book or a trade in its short form, and hands it over without
    /// keeping it: written to memory piece by piece and read back at once as a whole, an event stalls the processor.
    /// Nil leaves everything as it was: ask ``next()``.
    @inlinable @inline(__always)
    public mutating func nextHot() -> MarketEvent? {
        if blockEnd - position >= TapeFormat.hotRecordBytes {
            let head = UInt64(littleEndian: position.load(as: UInt64.self))
            let kind = UInt8(truncatingIfNeeded: head)
            let market = UInt32(truncatingIfNeeded: head &>> 32)
            let time = Int64(littleEndian: position.load(fromByteOffset: 8, as: Int64.self))
            let packed = UInt64(littleEndian: position.load(fromByteOffset: 24, as: UInt64.self))
            let price = UInt32(truncatingIfNeeded: packed & 0xF_FFFF)
            // Four words long, a side of 0 or 1, and kind 0, 1 or 3 with a price strictly between 0 and 1 dollar.
            if head & 0xFFFE_0000 == 0x0400_0000, 0b1011 &>> (kind & 31) & 1 != 0, kind < 4,
                market < marketCount, time >= lastTime, price &- 1 < 999_999
            {
                lastTime = time
                let event = decodeEvent(head: head, time: time, packed: packed)
                position += TapeFormat.hotRecordBytes
                return event
            }
        }
        return nil
    }

    /// Goes to the next record. A few nanoseconds for hot ones; throws at the first damage and at every call after.
    @inlinable @inline(__always)
    public mutating func next() throws(TapeError) -> Step {
        if let event = nextHot() {
            current = event
            return .market
        }
        return try nextCold()
    }

    @inlinable @inline(__always)
    func decodeEvent(head: UInt64, time: Int64, packed: UInt64) -> MarketEvent {
        // Kind and side are enumerations of one byte without payload, whose cases' tags are their raw values 0…4
        // and 0…1 (a test says so); both have been checked to lie there. `init(rawValue:)` would be a call.
        MarketEvent(
            unsafeBitCast(UInt8(truncatingIfNeeded: head), to: MarketEvent.Kind.self),
            market: Market.ID(index: UInt32(truncatingIfNeeded: head &>> 32)),
            side: unsafeBitCast(UInt8(truncatingIfNeeded: head &>> 16), to: Side.self),
            price: Price(micros: Int32(truncatingIfNeeded: packed & 0xF_FFFF)),
            quantity: Quantity(hundredths: Int64(bitPattern: packed) &>> 20),
            flags: MarketEvent.Flags(rawValue: UInt8(truncatingIfNeeded: head &>> 8)),
            exchangeTime: Timestamp(
                nanoseconds: Int64(littleEndian: position.load(fromByteOffset: 16, as: Int64.self))),
            receiveTime: Timestamp(nanoseconds: time))
    }

    /// Everything but the five of six records that ``next()`` takes by itself.
    @usableFromInline @inline(never)
    mutating func nextCold() throws(TapeError) -> Step {
        while true {
            if position == blockEnd {
                guard let payload = try cold.enterBlock(markets: marketCount, time: lastTime) else {
                    return .end
                }
                position = payload.lowerBound
                blockEnd = payload.upperBound
                continue
            }
            let record = try cold.record(at: position, end: blockEnd, markets: marketCount, after: lastTime)
            let step = try decode(record)
            // Only now: a record that could not be read is met again by the next call.
            lastTime = record.time.nanoseconds
            position += record.byteCount
            if let step { return step }
        }
    }

    /// Nil for a record that belongs to the next one.
    private mutating func decode(_ record: ColdCursor.Record) throws(TapeError) -> Step? {
        switch record.kind {
        case .delta, .trade, .snapshotStart, .snapshotLevel, .groupEnd:
            current = decodeEvent(
                head: UInt64(littleEndian: position.load(as: UInt64.self)), time: record.time.nanoseconds,
                packed: UInt64(littleEndian: position.load(fromByteOffset: 24, as: UInt64.self)))
            if record.byteCount == TapeFormat.identifiedTradeBytes { cold.foundIdentifiedTrade(record) }
            return .market
        case .definition:
            if try cold.decodeDefinition(record, markets: marketCount) { marketCount += 1 }
            return .input
        case .ticker, .reference, .status, .result, .settlement, .gap:
            try cold.decodeInput(record)
            return .input
        case .note:
            try cold.decodeNote(record)
            return .note
        case .tradeID:
            try cold.decodeTradeID(record)
            return nil
        }
    }
}
