import Martlet
import MartletEngine

/// The part of a ``TapeCursor`` that is not touched for hot records: blocks, checks, and decoded values.
@usableFromInline
final class ColdCursor {
    let file: MappedFile
    private let options: TapeReader.Options
    private var offset = TapeFormat.headerBytes
    private var dropped = 0
    private var blocks: UInt64 = 0
    private var records: UInt64 = 0
    private var digest: UInt64 = 0
    private var isAtEnd = false
    private var failure: TapeError?
    private var tickers: [String] = []
    private(set) var tornAt: Int?
    private(set) var input = EngineInput.clock
    private(set) var note = TapeNote(.other, "")

    /// Read pages are given back in steps of this many bytes: often enough to stay small, seldom enough to be free.
    private static let dropStep = 8 << 20
    /// A tape up to this size stays mapped: read once more, it costs no page fault.
    private static let keptBytes = 64 << 20

    init(tape: TapeReader) {
        file = tape.file
        options = tape.options
    }

    func fail(_ problem: TapeError.Problem, at place: Int) -> TapeError {
        let error = TapeError(problem, file: file.path, offset: place)
        failure = error
        return error
    }
    private func bad(_ text: String, _ record: UnsafeRawPointer) -> TapeError {
        fail(.badRecord(text), at: record - file.base)
    }

    // MARK: - Blocks

    /// The payload of the next block, or nil at the end of the tape.
    func enterBlock(markets: UInt32, time: Int64) throws(TapeError) -> Range<UnsafeRawPointer>? {
        if let failure { throw failure }
        if isAtEnd { return nil }
        dropPages()
        switch BlockHeader.read(file, at: offset) {
        case .corrupt: throw fail(.corruptBlockHeader, at: offset)
        case .torn:
            guard options.acceptsTorn else { throw fail(.torn, at: offset) }
            tornAt = offset
            isAtEnd = true
            return nil
        case .block(let header):
            guard UInt64(header.number) == blocks & 0xFFFF_FFFF, header.marketsBefore <= markets else {
                throw fail(.corruptBlockHeader, at: offset)
            }
            if header.isEnd {
                try checkEnd(header, markets: markets, time: time)
                return nil
            }
            let start = file.base + offset + TapeFormat.blockHeaderBytes
            if options.verifiesChecksums, XXH64.hash(start, count: header.payloadBytes) != header.checksum {
                throw fail(.checksumMismatch(block: Int(header.number)), at: offset)
            }
            digest = XXH64.hash(header.checksum, seed: digest)
            blocks += 1
            records += UInt64(header.records)
            offset += TapeFormat.blockHeaderBytes + header.payloadBytes
            return start..<start + header.payloadBytes
        }
    }

    private func checkEnd(_ header: BlockHeader, markets: UInt32, time: Int64) throws(TapeError) {
        let totals: TapeWriter.Totals
        do {
            totals = try EndMark(file, at: offset, header: header).totals
        } catch {
            failure = error
            throw error
        }
        guard totals.records == records, totals.blocks == blocks, totals.markets == UInt64(markets),
            totals.digest == digest, totals.last.nanoseconds == time
        else { throw fail(.wrongTotals, at: offset) }
        let end = offset + TapeFormat.blockHeaderBytes + header.payloadBytes
        guard end == file.count else { throw fail(.trailingBytes(file.count - end), at: end) }
        isAtEnd = true
    }

    private func dropPages() {
        guard options.dropsPages, file.count > ColdCursor.keptBytes, offset - dropped >= ColdCursor.dropStep
        else { return }
        file.drop(dropped..<offset)
        dropped = offset
    }

    // MARK: - Records

    /// A record whose header and extent have been checked.
    struct Record {
        let start: UnsafeRawPointer
        let kind: TapeFormat.Kind
        let byteCount: Int
        let market: UInt32
        let time: Timestamp
        let exchangeTime: Timestamp
        let body: BodyReader
    }

    func record(
        at start: UnsafeRawPointer, end: UnsafeRawPointer, markets: UInt32, after time: Int64
    ) throws(TapeError) -> Record {
        if let failure { throw failure }
        let left = end - start
        guard left >= TapeFormat.hotRecordBytes else {
            throw bad("\(left) bytes at the end of a block", start)
        }
        func load<T: FixedWidthInteger>(_ place: Int, _ type: T.Type) -> T {
            T(littleEndian: start.load(fromByteOffset: place, as: type))
        }
        let (rawKind, side, words) = (load(0, UInt8.self), load(2, UInt8.self), Int(load(3, UInt8.self)))
        guard let kind = TapeFormat.Kind(rawValue: rawKind) else { throw bad("kind \(rawKind)", start) }
        let isHot = MarketEvent.Kind(rawValue: rawKind) != nil
        let byteCount = 8 * (isHot ? words : Int(load(24, UInt32.self)))
        guard byteCount >= TapeFormat.hotRecordBytes, byteCount <= left, side <= 1, isHot || words == 0 else {
            throw bad("a \(kind) of \(byteCount) bytes where \(left) are left", start)
        }
        let received = load(8, Int64.self)
        guard received >= time, received != .min else { throw bad("receive time runs backwards", start) }
        let market = load(4, UInt32.self)
        let needsMarket =
            switch kind {
            case .reference, .note, .definition: false
            default: true
            }
        guard !needsMarket || market < markets else { throw bad("market #\(market) of \(markets)", start) }
        if let hot = MarketEvent.Kind(rawValue: rawKind) {
            try checkHot(hot, bytes: byteCount, price: Int(load(24, UInt64.self) & 0xF_FFFF), start)
        }
        let length = isHot ? 0 : Int(load(28, UInt32.self))
        guard length <= byteCount - TapeFormat.hotRecordBytes else { throw bad("a body of \(length)", start) }
        return Record(
            start: start, kind: kind, byteCount: byteCount, market: market,
            time: Timestamp(nanoseconds: received),
            exchangeTime: Timestamp(nanoseconds: load(16, Int64.self)),
            body: BodyReader(UnsafeRawBufferPointer(start: start + 32, count: length)))
    }

    private func checkHot(
        _ kind: MarketEvent.Kind, bytes: Int, price: Int, _ start: UnsafeRawPointer
    ) throws(TapeError) {
        guard
            bytes == TapeFormat.hotRecordBytes || (kind == .trade && bytes == TapeFormat.identifiedTradeBytes)
        else { throw bad("a \(kind) of \(bytes) bytes", start) }
        guard kind.hasNoPrice ? price == 0 : price > 0 && price < 1_000_000 else {
            throw bad("price of \(price) micro-dollars", start)
        }
    }

    // MARK: - Values

    private func decode<T>(_ record: Record, _ read: (inout BodyReader) throws(BodyError) -> T)
        throws(TapeError)
        -> T
    {
        var body = record.body
        do {
            return try read(&body)
        } catch {
            throw bad(error.text, record.start)
        }
    }

    /// Returns whether the market is new.
    func decodeDefinition(_ record: Record, markets: UInt32) throws(TapeError) -> Bool {
        let market = try decode(record) { body throws(BodyError) in try Market(from: &body) }
        let isNew = record.market == markets
        guard isNew || (record.market < markets && tickers[Int(record.market)] == market.ticker) else {
            throw bad("\(market.ticker) as market #\(record.market) of \(markets)", record.start)
        }
        if isNew { tickers.append(market.ticker) }
        input = .defined(market)
        return isNew
    }

    func decodeInput(_ record: Record) throws(TapeError) {
        let market = Market.ID(index: record.market)
        let exchangeTime = record.exchangeTime
        input = try decode(record) { body throws(BodyError) in
            switch record.kind {
            case .ticker: .ticker(try Ticker(from: &body, market: market, exchangeTime: exchangeTime))
            case .reference: .reference(try ReferenceValue(from: &body, exchangeTime: exchangeTime))
            case .status: .status(market, MarketStatus(wire: try body.string()))
            case .result: .result(market, try MarketResult(from: &body))
            case .settlement: .settled(market, try MarketResult(from: &body))
            case .gap: .unusable(market, try BookFault(from: &body))
            case .delta, .trade, .snapshotStart, .snapshotLevel, .groupEnd, .definition, .note, .tradeID:
                throw BodyError("a \(record.kind) is no input")
            }
        }
    }

    func decodeNote(_ record: Record) throws(TapeError) {
        note = try decode(record) { body throws(BodyError) in
            let topic = try body.integer(as: UInt8.self)
            return TapeNote(TapeNote.Topic(rawValue: topic) ?? .other, try body.string())
        }
    }

    // MARK: - Trade ids

    /// Where the trade ends that an id was found for, and the id.
    private var tradeEnd: UnsafeRawPointer?
    private var foundTradeID = ""

    func decodeTradeID(_ record: Record) throws(TapeError) {
        foundTradeID = try decode(record) { body throws(BodyError) in try body.string() }
        // The writer keeps the two in one block.
        tradeEnd = record.start + record.byteCount + TapeFormat.hotRecordBytes
    }

    func foundIdentifiedTrade(_ record: Record) {
        func load(_ place: Int) -> UInt64 {
            UInt64(bigEndian: record.start.load(fromByteOffset: place, as: UInt64.self))
        }
        foundTradeID = UUIDText.format(high: load(32), low: load(40))
        tradeEnd = record.start + record.byteCount
    }

    /// The id of the trade whose record ends here.
    func tradeID(recordEnd: UnsafeRawPointer) -> String? { tradeEnd == recordEnd ? foundTradeID : nil }
}
