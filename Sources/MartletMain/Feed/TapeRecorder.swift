import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletTape

/// Writes a feed to tapes in a folder, one after another, each whole in itself: it begins with the markets'
/// definitions and books, so that any one can be replayed alone.
///
/// A tape stands under its name from its first block on; what was flushed survives a crash, and the next start mends
/// a tape that a crash left without its end. When the disk is full the tape is ended and recording waits for room;
/// what was missed shows as a gap between two tapes, never as a broken one.
final class TapeRecorder {
    struct Settings {
        var folder: String
        /// A new tape at each multiple of this, UTC.
        var rotation = TimeSpan.hours(1)
        /// Bytes that stay free on the disk.
        var reserve: Int64 = 256 << 20
        var flushInterval = TimeSpan.seconds(1)
        /// Between two looks for room on a full disk.
        var retryInterval = TimeSpan.seconds(10)
        /// A line for each tape's first note.
        var source = "martlet record"
    }

    enum State: Equatable {
        case recording
        /// Nothing is written, for this reason.
        case waiting(String)
    }

    private(set) var state = State.waiting("nothing has come yet")
    private(set) var tapes = 0
    private(set) var records: UInt64 = 0
    private(set) var path: String?
    /// Events that came while there was no room.
    private(set) var lost = 0
    private let settings: Settings
    private let books: FeedBooks
    private let market: (Market.ID) -> Market?
    private let isFollowed: (Market.ID) -> Bool
    private let freeBytes: (String) -> Int64?
    private var writer: TapeWriter?
    /// The index on the present tape of each of the feed's markets, -1 for none.
    private var indices: [Int32] = []
    /// Markets on this tape whose book was not whole when it began.
    private var lacksBook: [Bool] = []
    private var period: Int64 = 0
    private var last: Timestamp = .distantPast
    private var nextFlush: Timestamp = .distantPast
    private var retryAt: Timestamp = .distantPast

    /// - Parameters:
    ///   - books: has taken in each event before it comes here.
    ///   - isFollowed: whether a market's book belongs at the beginning of a tape.
    init(
        _ settings: Settings, books: FeedBooks, market: @escaping (Market.ID) -> Market?,
        isFollowed: @escaping (Market.ID) -> Bool,
        freeBytes: @escaping (String) -> Int64? = { TapeRecorder.freeBytes($0) }
    ) {
        self.settings = settings
        self.books = books
        self.market = market
        self.isFollowed = isFollowed
        self.freeBytes = freeBytes
    }

    // MARK: - Recording

    func append(_ event: MarketEvent, tradeID: String?) {
        let time = advance(event.receiveTime)
        let tapesBefore = tapes
        guard open(at: time) else {
            lost += 1
            return
        }
        let isFresh = tapes != tapesBefore || index(event.market) == nil
        write { writer throws(TapeError) in
            guard let index = try define(event.market, writer, at: time) else { return }
            let market = Int(event.market.index)
            if event.kind != .trade {
                if lacksBook[market] {
                    // The tape began in the middle of a snapshot: the book is written when it is whole.
                    if event.kind != .snapshotStart {
                        guard event.flags.contains(.snapshotEnd) else { return }
                        lacksBook[market] = false
                        return try writeBook(event.market, as: index, writer, at: time)
                    }
                    lacksBook[market] = false
                } else if isFresh {
                    // The book at the tape's beginning has it already.
                    return
                }
            }
            var event = event
            event.market = index
            event.receiveTime = time
            if let tradeID, tradeID.utf8.count <= TapeFormat.maximumTradeIDBytes {
                try writer.append(event, tradeID: tradeID)
            } else {
                try writer.append(event)
            }
        }
    }

    /// Adds what is no event of a book: its market's integer is the feed's.
    func append(_ input: EngineInput, at received: Timestamp) {
        let time = advance(received)
        guard open(at: time) else { return }
        write { writer throws(TapeError) in
            switch input {
            case .defined(let changed):
                // Only what stands on this tape is defined anew.
                guard writer.market(changed.ticker) != nil else { return }
                try writer.append(input, at: time)
            case .status(let market, let status):
                guard let index = try define(market, writer, at: time) else { return }
                try writer.append(.status(index, status), at: time)
            case .result(let market, let result):
                guard let index = try define(market, writer, at: time) else { return }
                try writer.append(.result(index, result), at: time)
            case .settled(let market, let result):
                guard let index = try define(market, writer, at: time) else { return }
                try writer.append(.settled(index, result), at: time)
            case .unusable(let market, let fault):
                guard let index = index(market) else { return }
                try writer.append(.unusable(index, fault), at: time)
            case .ticker(var ticker):
                guard let index = try define(ticker.market, writer, at: time) else { return }
                ticker.market = index
                try writer.append(.ticker(ticker), at: time)
            case .reference: try writer.append(input, at: time)
            case .market, .started, .report, .balance, .adoptedOrder, .adoptedPosition, .limits, .clock,
                .command, .stopped:
                return
            }
        }
    }
    func note(_ text: String, at received: Timestamp) {
        let time = advance(received)
        guard writer != nil else { return }
        write { writer throws(TapeError) in try writer.append(TapeNote(.connection, text), at: time) }
    }

    /// Rotates, flushes, and looks for room. To be called now and then, and between messages.
    func tick(at received: Timestamp) {
        let time = advance(received)
        if writer != nil, time.nanoseconds / settings.rotation.nanoseconds != period {
            finish()
        }
        if writer != nil, !hasRoom {
            finish()
            wait("the disk is full", at: time)
        }
        if writer == nil, tapes > 0 { _ = open(at: time) }
        guard time >= nextFlush else { return }
        nextFlush = time + settings.flushInterval
        write { writer throws(TapeError) in try writer.flush() }
    }

    /// Ends the present tape; the next event begins another.
    func finish() {
        guard let ending = writer else { return }
        writer = nil
        do {
            try ending.finish()
        } catch {
            // It stays readable to its last whole block, and is mended at the next start.
            wait("\(error)", at: last)
        }
    }

    /// Times on a tape never go back; connections and clocks may.
    private func advance(_ time: Timestamp) -> Timestamp {
        if time > last { last = time }
        return last
    }

    // MARK: - Tapes

    private func write(_ body: (TapeWriter) throws(TapeError) -> Void) {
        guard let writer else { return }
        let before = writer.totals.records
        do {
            try body(writer)
            records += writer.totals.records - before
        } catch {
            // After an error a writer is of no more use; what it had written stays.
            self.writer = nil
            wait("\(error)", at: last)
        }
    }

    private func wait(_ reason: String, at time: Timestamp) {
        state = .waiting(reason)
        retryAt = time + settings.retryInterval
    }

    private var hasRoom: Bool { freeBytes(settings.folder).map { $0 >= settings.reserve } ?? true }

    private func open(at time: Timestamp) -> Bool {
        if writer != nil { return true }
        guard time >= retryAt else { return false }
        guard hasRoom else {
            wait("the disk is full", at: time)
            return false
        }
        do {
            let opened = try create(at: time)
            writer = opened
            path = opened.path
            indices.removeAll(keepingCapacity: true)
            lacksBook.removeAll(keepingCapacity: true)
            period = time.nanoseconds / settings.rotation.nanoseconds
            tapes += 1
            state = .recording
        } catch {
            wait("\(error)", at: time)
            return false
        }
        write { writer throws(TapeError) in
            try writer.append(TapeNote(.source, settings.source), at: time)
            for number in 0..<books.count where isFollowed(Market.ID(number)) {
                _ = try define(Market.ID(number), writer, at: time)
            }
            try writer.flush()
        }
        return writer != nil
    }

    private func create(at time: Timestamp) throws(TapeError) -> TapeWriter {
        let seconds = Timestamp(seconds: time.seconds).description
        let stamp = seconds.filter { $0 != ":" && $0 != "-" }
        for attempt in 1...100 {
            let name = "martlet-\(stamp)" + (attempt > 1 ? "-\(attempt)" : "") + ".tape"
            let path = settings.folder + "/" + name
            if access(path, F_OK) == 0 { continue }
            return try TapeWriter(path: path, isRecording: true)
        }
        throw TapeError(.unwritable("no free name for a tape of \(seconds)"), file: settings.folder)
    }

    private func index(_ market: Market.ID) -> Market.ID? {
        guard Int(market.index) < indices.count, indices[Int(market.index)] >= 0 else { return nil }
        return Market.ID(Int(indices[Int(market.index)]))
    }

    /// A market's index on the present tape; a new one is defined, with its book if that is usable.
    private func define(
        _ id: Market.ID, _ writer: TapeWriter, at time: Timestamp
    ) throws(TapeError) -> Market.ID? {
        if let known = index(id) { return known }
        guard let definition = market(id) else { return nil }
        try writer.append(.defined(definition), at: time)
        guard let index = writer.market(definition.ticker) else { return nil }
        while indices.count <= Int(id.index) { indices.append(-1) }
        while lacksBook.count <= Int(id.index) { lacksBook.append(false) }
        indices[Int(id.index)] = Int32(index.index)
        lacksBook[Int(id.index)] = !books.isUsable(id)
        if books.isUsable(id) { try writeBook(id, as: index, writer, at: time) }
        return index
    }

    private func writeBook(
        _ id: Market.ID, as index: Market.ID, _ writer: TapeWriter, at time: Timestamp
    ) throws(TapeError) {
        let levels = [Side.bid, .ask].flatMap { side in
            books.levels(id, side, .max).map { (side, $0) }
        }
        var event = MarketEvent(.snapshotStart, market: index, receiveTime: time)
        if levels.isEmpty { event.flags = [.snapshotEnd, .groupEnd] }
        try writer.append(event)
        for (place, (side, level)) in levels.enumerated() {
            let isLast = place == levels.count - 1
            try writer.append(
                MarketEvent(
                    .snapshotLevel, market: index, side: side, price: level.price, quantity: level.size,
                    flags: isLast ? [.snapshotEnd, .groupEnd] : [], receiveTime: time))
        }
    }

    // MARK: - The folder

    /// What an ordinary user may still write there.
    static func freeBytes(_ folder: String) -> Int64? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// Gives tapes that a crash left without their end one, keeping every whole block.
    /// - Returns: how many there were, and what kept others from being mended.
    static func mend(_ folder: String) throws -> (mended: Int, problems: [String]) {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        var mended = 0
        var problems: [String] = []
        for name in names where name.hasPrefix("martlet-") && name.hasSuffix(".tape") {
            let path = folder + "/" + name
            var options = TapeReader.Options()
            options.acceptsTorn = true
            // A file that is no tape, or damaged within, is left alone: nothing of it may be lost.
            guard let tape = try? TapeReader(path: path, options: options), tape.totals == nil else {
                continue
            }
            do {
                try mend(tape, path)
                mended += 1
            } catch {
                problems.append("\(error)")
            }
        }
        return (mended, problems)
    }

    private static func mend(_ tape: TapeReader, _ path: String) throws {
        let writer = try TapeWriter(path: path)
        var cursor = tape.cursor()
        while let record = try cursor.nextRecord() { try writer.append(record) }
        try writer.append(
            TapeNote(.other, "mended after a crash"), at: max(writer.totals.last, Timestamp(seconds: 0)))
        try writer.finish()
    }
}
