import Foundation
import Martlet
import MartletEngine

/// How a journal is kept.
public struct JournalSettings: Hashable, Sendable {
    public enum Sync: Hashable, Sendable {
        case never
        /// Every so often, by the helper thread.
        case interval(TimeSpan)
        /// Before each command leaves. Costs a disk's write on the order path.
        case everyCommand
    }
    /// Bytes of one file; at least 64 KiB.
    public var segmentSize = 16 << 20
    public var sync = Sync.interval(.seconds(1))
    /// Segments at most: for tests of a full disk.
    package var segmentsMax = Int.max
    public init() {}
}

/// Appends a session's journal. One thread owns it; nothing here waits for a disk or another thread, except a sync
/// before each command where that was asked for.
///
/// To survive `kill -9` costs a copy: the system keeps the pages of a mapped file whatever becomes of the process.
public final class JournalWriter {
    private let settings: JournalSettings
    /// Nil for a journal in memory.
    private let supply: JournalSupply?
    private var segment: JournalSegment
    private var offset = JournalFormat.headerSize
    private var chain = JournalFormat.seed
    private var body = BodyWriter()
    private var outputs = BodyWriter()
    private var hash: UInt64 = 0
    private var hasOutputs = false
    private var isClosed = false
    /// Kept for what a halt still has to write once there is no next segment.
    private let reserve: Int
    public private(set) var records = 0
    /// Records for which there was no room at all.
    public private(set) var dropped = 0
    public let folder: String

    /// Makes the folder. Throws when it is there already with a journal in it, or cannot be written.
    public init(folder: String, header: JournalHeader, settings: JournalSettings) throws(TapeError) {
        self.folder = folder
        self.settings = settings
        let size = max(settings.segmentSize / 4096 * 4096, 1 << 16)
        reserve = min(size / 4, 1 << 20)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw TapeError(.system(action: "make", reason: "\(error.localizedDescription)"), file: folder)
        }
        segment = try JournalSegment(folder: folder, number: 0, size: size)
        var interval: Double?
        if case .interval(let span) = settings.sync { interval = max(span.seconds, 0.001) }
        supply = JournalSupply(
            folder: folder, size: size, first: segment, syncInterval: interval, limit: settings.segmentsMax)
        guard let text = try? JSONEncoder().encode(header) else {
            throw TapeError(.system(action: "write", reason: "the header is no JSON"), file: folder)
        }
        body.removeAll()
        text.withUnsafeBytes { body.append($0) }
        append(.header)
        segment.sync()
    }

    /// A journal that nobody reads: in memory, and written over when it is full. For a rehearsal of the real one.
    package init(inMemory size: Int) throws(TapeError) {
        folder = ""
        settings = JournalSettings()
        reserve = 0
        segment = try JournalSegment(inMemory: size)
        supply = nil
    }

    /// False: what is left is the reserve. Stop trading before anything else is written.
    public var hasRoom: Bool { offset + reserve < segment.size || supply?.hasNext != false }
    /// Why no next segment could be made; nil when one is there or under way.
    public var problem: String? { supply?.problem }
    /// Of everything that the engine has said.
    public var outputHash: UInt64 { hash }

    // MARK: - Records

    /// A book event or a trade: the hot path.
    public func append(_ event: MarketEvent) {
        var flat = JournalEvent(event)
        withUnsafeBytes(of: &flat) { write(.event, $0) }
    }

    public func append(_ input: EngineInput, at time: Timestamp) {
        body.removeAll()
        body.time(time)
        input.encode(into: &body)
        append(.input)
    }

    /// Call before the command's first byte leaves.
    /// - Returns: false when there was no room for it at all.
    public func append(_ command: VenueCommand, at time: Timestamp) -> Bool {
        let before = dropped
        body.removeAll()
        body.time(time)
        command.encode(into: &body)
        append(.command)
        if case .everyCommand = settings.sync { segment.sync() }
        return dropped == before
    }

    public func append(_ note: JournalNote, at time: Timestamp) {
        body.removeAll()
        body.time(time)
        note.encode(into: &body)
        append(.note)
    }

    /// Folds an output of the engine into the running hash. All of them, in order.
    public func fold(_ output: EngineOutput) {
        hash = JournalHash.fold(output, into: hash, using: &outputs)
        hasOutputs = true
    }
    /// The outputs of one input are all folded: the hash is written down.
    public func endInput() {
        guard hasOutputs else { return }
        hasOutputs = false
        withUnsafeBytes(of: hash.littleEndian) { write(.hash, $0) }
    }

    /// Ends the journal; nothing may be appended after.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        guard let supply else { return }
        supply.stop()
        segment.sync()
        segment.truncate(to: offset)
    }

    deinit { close() }

    private func append(_ kind: JournalFormat.Kind) { body.bytes.withUnsafeBytes { write(kind, $0) } }

    private func write(_ kind: JournalFormat.Kind, _ bytes: UnsafeRawBufferPointer) {
        precondition(!isClosed, "a journal that has ended takes nothing more")
        let length = JournalFormat.recordHeader + JournalFormat.padded(bytes.count)
        // Room for the length of the next record, which must read as zero.
        if offset + length + 4 > segment.size, !rotate(for: length) {
            dropped += 1
            return
        }
        let place = segment.base + offset
        place.storeBytes(of: kind.rawValue.littleEndian, toByteOffset: 4, as: UInt32.self)
        if let start = bytes.baseAddress {
            (place + JournalFormat.recordHeader).copyMemory(from: start, byteCount: bytes.count)
        }
        chain = JournalFormat.check(place, bodyCount: bytes.count, chain: chain)
        place.storeBytes(of: chain.littleEndian, toByteOffset: 8, as: UInt64.self)
        // Last: until it stands there is no record here.
        place.storeBytes(of: UInt32(bytes.count).littleEndian, as: UInt32.self)
        offset += length
        records += 1
        supply?.wrote(to: offset)
    }

    private func rotate(for length: Int) -> Bool {
        guard length + JournalFormat.headerSize + 4 <= segment.size else { return false }
        guard let supply else {
            offset = JournalFormat.headerSize
            return true
        }
        guard let next = supply.take() else { return false }
        // What follows is chained to its end: it must be on the disk before.
        if case .everyCommand = settings.sync { segment.sync() } else { supply.retire(segment) }
        segment.truncate(to: offset)
        segment = next
        offset = JournalFormat.headerSize
        return true
    }
}

extension JournalFormat {
    /// Of a record in place: its kind and its body.
    static func check(_ place: UnsafeRawPointer, bodyCount: Int, chain: UInt64) -> UInt64 {
        let kind = UInt64(UInt32(littleEndian: place.load(fromByteOffset: 4, as: UInt32.self)))
        return XXH64.hash(
            place + recordHeader, count: bodyCount, seed: chain ^ (kind << 32 | UInt64(UInt32(bodyCount))))
    }
}

/// The running hash of an engine's outputs.
package enum JournalHash {
    static func fold(_ output: EngineOutput, into hash: UInt64, using buffer: inout BodyWriter) -> UInt64 {
        buffer.removeAll()
        output.encode(into: &buffer)
        return XXH64.hash(buffer.bytes, seed: hash)
    }
}

/// Folds outputs as a ``JournalWriter`` does: for replays.
package struct OutputHash {
    private var buffer = BodyWriter()
    package private(set) var value: UInt64 = 0
    package init() {}
    package mutating func fold(_ output: EngineOutput) {
        value = JournalHash.fold(output, into: value, using: &buffer)
    }
}
