import Martlet
import MartletEngine

/// Writes a tape from its first record to its last, in one pass and in memory that does not grow with its length.
///
///     let writer = try TapeWriter(path: "day.tape")
///     try writer.append(.defined(market), at: start)      // its index on the tape is 0
///     try writer.append(MarketEvent(.snapshotStart, market: Market.ID(0), flags: .snapshotEnd, receiveTime: t))
///     try writer.finish()
///
/// The file appears under its name only when ``finish(sync:)`` returns; a writer that is dropped before leaves
/// nothing. With `isRecording` it stands there from the start and keeps every block that was written.
///
/// After an error the writer is of no more use.
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
public final class TapeWriter {
    /// What has been written so far.
    public struct Totals: Hashable, Sendable {
        public var records: UInt64 = 0
        public var blocks: UInt64 = 0
        public var markets: UInt64 = 0
        /// Receive times; `.unknown` in an empty tape.
        public var first: Timestamp = .unknown
        public var last: Timestamp = .unknown
        /// Chained over the blocks' checksums: equal digests, equal tapes.
        public var digest: UInt64 = 0
    }

    @exclusivity(unchecked) public private(set) var totals = Totals()
    public var path: String { file.path }
    private let file: OutputFile
    private let payloadBytes: Int
    /// A block in the making, its header first. Unsafe: fifty million records a second are laid down here. Sound
    /// because the writer alone owns it, and `reserve` checks each record's length against its capacity.
    private let block: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var used = TapeFormat.blockHeaderBytes
    @exclusivity(unchecked) private var recordsInBlock: UInt32 = 0
    @exclusivity(unchecked) private var firstInBlock: Timestamp = .unknown
    @exclusivity(unchecked) private var marketsBeforeBlock: UInt32 = 0
    @exclusivity(unchecked) private var tickers: [String] = []
    @exclusivity(unchecked) private var indexOfTicker: [String: UInt32] = [:]
    @exclusivity(unchecked) private var body = BodyWriter()

    /// `blockBytes`: when a block is closed; smaller blocks tear off less, larger ones are no faster.
    public init(
        path: String, isRecording: Bool = false, blockBytes: Int = TapeFormat.defaultPayloadBytes
    ) throws(TapeError) {
        payloadBytes = min(max(blockBytes & ~7, 256), TapeFormat.maximumPayloadBytes)
        block = .allocate(
            byteCount: TapeFormat.blockHeaderBytes + max(payloadBytes, TapeFormat.maximumRecordBytes),
            alignment: 64)
        do {
            file = try OutputFile(path: path, mode: isRecording ? .inPlace : .whenWhole)
        } catch {
            block.deallocate()
            throw error
        }
        try writeFileHeader()
    }

    deinit { block.deallocate() }

    private func writeFileHeader() throws(TapeError) {
        var header = BodyWriter()
        for byte in TapeFormat.magic { header.integer(byte) }
        header.integer(TapeFormat.version)
        header.integer(UInt16(TapeFormat.headerBytes))
        while header.bytes.count < TapeFormat.headerBytes - 8 { header.integer(UInt8(0)) }
        header.integer(XXH64.hash(header.bytes))
        try file.write(header.bytes)
    }

    // MARK: - Appending

    /// Adds a change of a book or a trade. Its market's index must have been defined, and no receive time may lie
    /// before the one of the record before.
    public func append(_ event: MarketEvent) throws(TapeError) {
        try check(event)
        let record = try reserve(TapeFormat.hotRecordBytes, at: event.receiveTime)
        store(event, words: 4, to: record)
    }

    /// Adds a trade with the exchange's id of it.
    public func append(_ trade: MarketEvent, tradeID: String) throws(TapeError) {
        precondition(trade.kind == .trade)
        try check(trade)
        guard let id = UUIDText.parse(tradeID.utf8) else {
            guard tradeID.utf8.count <= TapeFormat.maximumTradeIDBytes else {
                throw failure("a trade id of \(tradeID.utf8.count) bytes")
            }
            body.removeAll()
            body.string(tradeID)
            // The id and its trade stand in one block.
            try makeRoom(40 + body.bytes.count + TapeFormat.hotRecordBytes)
            try appendBody(.tradeID, market: trade.market.index, at: trade.receiveTime)
            return try append(trade)
        }
        let record = try reserve(TapeFormat.identifiedTradeBytes, at: trade.receiveTime)
        store(trade, words: 6, to: record)
        record.storeBytes(of: id.high.bigEndian, toByteOffset: 32, as: UInt64.self)
        record.storeBytes(of: id.low.bigEndian, toByteOffset: 40, as: UInt64.self)
    }

    /// Adds anything that a tape holds: all but what concerns our own account and the run itself, which the
    /// journal keeps. A definition's market gets the next index, or keeps its own.
    public func append(_ input: EngineInput, at time: Timestamp) throws(TapeError) {
        body.removeAll()
        switch input {
        case .market(let event): try append(event)
        case .defined(let market): try define(market, at: time)
        case .ticker(let ticker):
            ticker.encode(into: &body)
            try appendBody(.ticker, market: ticker.market.index, at: time, exchange: ticker.exchangeTime)
        case .reference(let value):
            value.encode(into: &body)
            try appendBody(.reference, at: time, exchange: value.exchangeTime)
        case .status(let market, let status):
            body.string(status.wire)
            try appendBody(.status, market: market.index, at: time)
        case .result(let market, let result):
            result.encode(into: &body)
            try appendBody(.result, market: market.index, at: time)
        case .settled(let market, let result):
            result.encode(into: &body)
            try appendBody(.settlement, market: market.index, at: time)
        case .unusable(let market, let fault):
            fault.encode(into: &body)
            try appendBody(.gap, market: market.index, at: time)
        case .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock, .command,
            .stopped:
            throw failure("\(input) is no market data; the journal holds it")
        }
    }

    public func append(_ note: TapeNote, at time: Timestamp) throws(TapeError) {
        body.removeAll()
        body.integer(note.topic.rawValue)
        body.string(note.text)
        try appendBody(.note, at: time)
    }

    /// The index under which a ticker was defined.
    public func market(_ ticker: String) -> Market.ID? { indexOfTicker[ticker].map { Market.ID(index: $0) } }

    private func define(_ market: Market, at time: Timestamp) throws(TapeError) {
        guard !market.ticker.isEmpty else { throw failure("a market without a ticker") }
        let index = indexOfTicker[market.ticker] ?? UInt32(tickers.count)
        market.encode(into: &body)
        try appendBody(.definition, market: index, at: time, isDefinition: true)
        guard Int(index) == tickers.count else { return }
        tickers.append(market.ticker)
        indexOfTicker[market.ticker] = index
        totals.markets += 1
    }

    // MARK: - Records

    private func check(_ event: MarketEvent) throws(TapeError) {
        guard event.market.index < UInt32(truncatingIfNeeded: tickers.count) else {
            throw failure("an event of market \(event.market), which no definition named")
        }
        guard event.price.isTradable || (event.price == .zero && event.kind.hasNoPrice) else {
            throw failure("price \(event.price) of \(tickers[Int(event.market.index)])")
        }
        guard TapeFormat.quantityRange.contains(event.quantity.hundredths) else {
            throw failure("quantity \(event.quantity) of \(tickers[Int(event.market.index)])")
        }
    }

    private func store(_ event: MarketEvent, words: UInt64, to record: UnsafeMutableRawPointer) {
        let head =
            UInt64(event.kind.rawValue) | UInt64(event.flags.rawValue) << 8 | UInt64(event.side.rawValue)
            << 16
            | words << 24 | UInt64(event.market.index) << 32
        let packed = UInt64(bitPattern: event.quantity.hundredths) << 20 | UInt64(event.price.micros)
        record.storeBytes(of: head.littleEndian, as: UInt64.self)
        record.storeBytes(
            of: event.receiveTime.nanoseconds.littleEndian, toByteOffset: 8, as: Int64.self)
        record.storeBytes(
            of: event.exchangeTime.nanoseconds.littleEndian, toByteOffset: 16, as: Int64.self)
        record.storeBytes(of: packed.littleEndian, toByteOffset: 24, as: UInt64.self)
    }

    private func appendBody(
        _ kind: TapeFormat.Kind, market: UInt32 = TapeFormat.noMarket, at time: Timestamp,
        exchange: Timestamp = .unknown, isDefinition: Bool = false
    ) throws(TapeError) {
        guard isDefinition || market == TapeFormat.noMarket || market < UInt32(tickers.count) else {
            throw failure("a \(kind) of market #\(market), which no definition named")
        }
        precondition(!body.bytes.isEmpty)
        let words = (32 + body.bytes.count + 7) / 8
        let record = try reserve(words * 8, at: time)
        record.storeBytes(of: UInt32(kind.rawValue).littleEndian, as: UInt32.self)
        record.storeBytes(of: market.littleEndian, toByteOffset: 4, as: UInt32.self)
        record.storeBytes(of: time.nanoseconds.littleEndian, toByteOffset: 8, as: Int64.self)
        record.storeBytes(of: exchange.nanoseconds.littleEndian, toByteOffset: 16, as: Int64.self)
        record.storeBytes(of: UInt32(words).littleEndian, toByteOffset: 24, as: UInt32.self)
        record.storeBytes(of: UInt32(body.bytes.count).littleEndian, toByteOffset: 28, as: UInt32.self)
        record.storeBytes(of: UInt64(0), toByteOffset: words * 8 - 8, as: UInt64.self)
        body.bytes.withUnsafeBytes { bytes in
            (record + 32).copyMemory(
                from: bytes.baseAddress ?? UnsafeRawPointer(record), byteCount: bytes.count)
        }
    }

    /// Room for one record at the end of the block, after checking its time.
    private func reserve(_ bytes: Int, at time: Timestamp) throws(TapeError) -> UnsafeMutableRawPointer {
        guard time >= totals.last, time.isKnown else {
            throw failure("receive time \(time) after \(totals.last)")
        }
        guard bytes <= TapeFormat.maximumRecordBytes else { throw failure("a record of \(bytes) bytes") }
        try makeRoom(bytes)
        if recordsInBlock == 0 {
            firstInBlock = time
            if totals.records == 0 { totals.first = time }
        }
        totals.last = time
        recordsInBlock += 1
        totals.records += 1
        defer { used += bytes }
        return block + used
    }

    private func makeRoom(_ bytes: Int) throws(TapeError) {
        if used + bytes > TapeFormat.blockHeaderBytes + payloadBytes { try closeBlock() }
    }

    private func failure(_ text: String) -> TapeError { TapeError(.unwritable(text), file: path) }

    // MARK: - Blocks

    /// Hands all that was appended to the system, so that it survives the death of this process.
    public func flush() throws(TapeError) { try closeBlock() }

    /// Ends the tape. With `sync`, it is on the disk when this returns.
    public func finish(sync: Bool = true) throws(TapeError) {
        try closeBlock()
        var end = BodyWriter()
        for number in [totals.records, totals.blocks, totals.markets] { end.integer(number) }
        end.integer(totals.first.nanoseconds)
        end.integer(totals.last.nanoseconds)
        end.integer(totals.digest)
        while end.bytes.count < TapeFormat.endPayloadBytes { end.integer(UInt64(0)) }
        end.bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                (block + TapeFormat.blockHeaderBytes).copyMemory(from: base, byteCount: bytes.count)
            }
        }
        used += end.bytes.count
        firstInBlock = totals.first
        try writeBlock(magic: TapeFormat.endMagic)
        try file.finish(sync: sync)
    }

    private func closeBlock() throws(TapeError) {
        guard recordsInBlock > 0 else { return }
        let checksum = try writeBlock(magic: TapeFormat.blockMagic)
        totals.digest = XXH64.hash(checksum, seed: totals.digest)
        totals.blocks += 1
        used = TapeFormat.blockHeaderBytes
        recordsInBlock = 0
        marketsBeforeBlock = UInt32(tickers.count)
    }

    @discardableResult
    private func writeBlock(magic: UInt32) throws(TapeError) -> UInt64 {
        let payload = used - TapeFormat.blockHeaderBytes
        let checksum = XXH64.hash(block + TapeFormat.blockHeaderBytes, count: payload)
        var header = BodyWriter()
        for number in [
            magic, UInt32(payload), recordsInBlock, UInt32(truncatingIfNeeded: totals.blocks),
        ] { header.integer(number) }
        header.integer(firstInBlock.nanoseconds)
        header.integer(totals.last.nanoseconds)
        header.integer(marketsBeforeBlock)
        while header.bytes.count < 48 { header.integer(UInt32(0)) }
        header.integer(checksum)
        header.integer(XXH64.hash(header.bytes))
        header.bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { block.copyMemory(from: base, byteCount: bytes.count) }
        }
        try file.write(block, count: used)
        return checksum
    }
}

extension MarketEvent.Kind {
    /// Kinds that say nothing of one level.
    var hasNoPrice: Bool {
        switch self {
        case .snapshotStart, .groupEnd: true
        case .delta, .trade, .snapshotLevel: false
        }
    }
}
