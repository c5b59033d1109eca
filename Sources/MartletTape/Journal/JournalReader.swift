import Foundation
import Martlet
import MartletEngine

/// A record of a journal.
public enum JournalRecord: Hashable, Sendable {
    case event(MarketEvent)
    case input(EngineInput, Timestamp)
    case command(VenueCommand, Timestamp)
    case hash(UInt64)
    case note(JournalNote, Timestamp)
}

/// Reads a journal, of a session that has ended, was killed, or still runs, up to where it stops making sense.
public struct JournalReader {
    /// How a journal ends.
    public enum Ending: Hashable, Sendable {
        /// At the end of its last file.
        case clean
        /// In the reserved room of a segment: the session was killed, or still runs.
        case open
        /// At something that is no record: a power cut, or damage.
        case torn(file: String, offset: Int, reason: String)
    }

    public let header: JournalHeader
    public let folder: String
    public private(set) var ending: Ending?
    public private(set) var records = 0
    public let byteCount: Int
    public private(set) var bytesRead = 0
    private var file: MappedFile
    private(set) var number = 0
    private(set) var offset = JournalFormat.headerSize
    private var chain = JournalFormat.seed

    /// Throws when there is no journal, or its header cannot be read.
    public init(folder: String) throws(TapeError) {
        // A session's folder holds it, too.
        let inner = folder + "/journal"
        let isSession = FileManager.default.fileExists(atPath: inner + "/" + JournalFormat.name(0))
        self.folder = isSession ? inner : folder
        let first = self.folder + "/" + JournalFormat.name(0)
        file = try JournalReader.open(first, number: 0)
        guard file.count >= offset + JournalFormat.recordHeader else { throw TapeError(.empty, file: first) }
        byteCount = JournalReader.size(self.folder)
        // Killed before its first record: nothing had left by then.
        if file.base.load(fromByteOffset: offset, as: UInt32.self) == 0 {
            throw TapeError(.empty, file: first)
        }
        guard let found = JournalReader.record(file, offset, chain), found.kind == .header,
            let header = try? JSONDecoder().decode(JournalHeader.self, from: Data(found.body))
        else {
            throw TapeError(.system(action: "read", reason: "its first record is no header"), file: first)
        }
        self.header = header
        take(found)
    }

    /// Whether a folder holds a journal, itself or as a session's.
    public static func isJournal(_ folder: String) -> Bool {
        let name = JournalFormat.name(0)
        return ["\(folder)/\(name)", "\(folder)/journal/\(name)"].contains {
            FileManager.default.fileExists(atPath: $0)
        }
    }

    private static func size(_ folder: String) -> Int {
        var sum = 0
        var status = stat()
        var number = 0
        while stat(folder + "/" + JournalFormat.name(number), &status) == 0 {
            sum += Int(status.st_size)
            number += 1
        }
        return sum
    }

    private static func open(_ path: String, number: Int) throws(TapeError) -> MappedFile {
        let file = try MappedFile(path: path)
        // Reserved, and killed before a byte was written.
        if UnsafeRawBufferPointer(start: file.base, count: min(file.count, 8)).allSatisfy({ $0 == 0 }) {
            throw TapeError(.empty, file: path)
        }
        let isOurs =
            file.count >= JournalFormat.headerSize
            && UnsafeRawBufferPointer(start: file.base, count: 8).elementsEqual(JournalFormat.magic)
        guard isOurs else { throw TapeError(.system(action: "read", reason: "it is no journal"), file: path) }
        let version = UInt32(littleEndian: file.base.load(fromByteOffset: 8, as: UInt32.self))
        guard version == JournalFormat.version else {
            throw TapeError(
                .system(
                    action: "read",
                    reason: "its version is \(version), this program reads \(JournalFormat.version)"),
                file: path)
        }
        guard UInt32(littleEndian: file.base.load(fromByteOffset: 12, as: UInt32.self)) == UInt32(number)
        else {
            throw TapeError(.system(action: "read", reason: "it is another part of a journal"), file: path)
        }
        return file
    }

    private struct Found {
        var kind: JournalFormat.Kind
        var body: UnsafeRawBufferPointer
        var check: UInt64
        var length: Int
    }

    /// The record at an offset; nil when there is none that fits the chain.
    private static func record(_ file: MappedFile, _ offset: Int, _ chain: UInt64) -> Found? {
        guard offset + JournalFormat.recordHeader <= file.count else { return nil }
        let place = file.base + offset
        let count = Int(UInt32(littleEndian: place.load(as: UInt32.self)))
        let length = JournalFormat.recordHeader + JournalFormat.padded(count)
        guard count > 0, offset + length <= file.count,
            let kind = JournalFormat.Kind(
                rawValue: UInt32(littleEndian: place.load(fromByteOffset: 4, as: UInt32.self)))
        else { return nil }
        let check = JournalFormat.check(place, bodyCount: count, chain: chain)
        guard check == UInt64(littleEndian: place.load(fromByteOffset: 8, as: UInt64.self)) else {
            return nil
        }
        return Found(
            kind: kind,
            body: UnsafeRawBufferPointer(start: place + JournalFormat.recordHeader, count: count),
            check: check,
            length: length)
    }

    private mutating func take(_ found: Found) {
        chain = found.check
        offset += found.length
        bytesRead += found.length
        records += 1
    }

    /// The next record; nil at the end, of which ``ending`` then tells.
    public mutating func next() -> JournalRecord? {
        while ending == nil {
            guard let found = JournalReader.record(file, offset, chain) else {
                if goToNextSegment() { continue }
                return nil
            }
            do throws(BodyError) {
                let record = try JournalReader.decode(found)
                take(found)
                if let record { return record }
            } catch {
                ending = .torn(file: file.path, offset: offset, reason: error.text)
            }
        }
        return nil
    }

    private mutating func goToNextSegment() -> Bool {
        let isAtEnd = offset >= file.count
        let length =
            offset + 4 <= file.count
            ? UInt32(littleEndian: file.base.load(fromByteOffset: offset, as: UInt32.self)) : 0
        let path = folder + "/" + JournalFormat.name(number + 1)
        if let next = try? JournalReader.open(path, number: number + 1),
            JournalReader.record(next, JournalFormat.headerSize, chain) != nil
        {
            number += 1
            file = next
            offset = JournalFormat.headerSize
            return true
        }
        if isAtEnd {
            ending = .clean
        } else if length == 0 {
            ending = .open
        } else {
            ending = .torn(file: file.path, offset: offset, reason: "a record that does not fit its check")
        }
        return false
    }

    private static func decode(_ found: Found) throws(BodyError) -> JournalRecord? {
        var body = BodyReader(found.body)
        switch found.kind {
        case .header: return nil
        case .event: return .event(try JournalEvent.read(from: &body))
        case .input:
            let time = try body.time()
            return .input(try EngineInput(from: &body), time)
        case .command:
            let time = try body.time()
            return .command(try VenueCommand(from: &body), time)
        case .hash: return .hash(try body.integer(as: UInt64.self))
        case .note:
            let time = try body.time()
            return .note(try JournalNote(from: &body), time)
        }
    }
}
