import Martlet

/// A tape opened for reading. Cheap to open whatever its length; several cursors may read it at once.
///
///     let tape = try TapeReader(path: "day.tape")
///     var cursor = tape.cursor()
///     reading: while true {
///         switch try cursor.next() {
///         case .market: engine.handle(cursor.event)                 // no allocation, no reference counting
///         case .input: engine.handle(cursor.input, at: cursor.time)
///         case .note: continue
///         case .end: break reading
///         }
///     }
public final class TapeReader: Sendable {
    public struct Options: Hashable, Sendable {
        /// Check each block's bytes against its checksum when it is entered (about 3 ns a record). Without it,
        /// records that make no sense are still found, wrong prices are not.
        public var verifiesChecksums = true
        /// Read a tape that was cut off up to its last whole block instead of refusing it.
        public var acceptsTorn = false
        /// Let the system take back pages that were read, so that a long tape (over 64 MB) takes little memory.
        public var dropsPages = true
        public init() {}
    }

    public let path: String
    public let options: Options
    /// What the tape's end mark says, or nil for a tape without one: cut off, or still being written.
    public let totals: TapeWriter.Totals?
    /// Bytes of the file.
    public var byteCount: Int { file.count }
    let file: MappedFile

    /// Opens a tape and checks its header and its end mark.
    public init(path: String, options: Options = Options()) throws(TapeError) {
        self.path = path
        self.options = options
        file = try MappedFile(path: path)
        try TapeReader.checkHeader(file)
        totals = try TapeReader.endMark(file)?.totals
        if totals == nil, !options.acceptsTorn {
            throw TapeError(.torn, file: path, offset: try TapeReader.tear(file))
        }
    }

    /// A cursor before the first record.
    public func cursor() -> TapeCursor { TapeCursor(tape: self) }

    private static func checkHeader(_ file: MappedFile) throws(TapeError) {
        let (base, count) = (file.base, file.count)
        if count >= 2, base.loadUnaligned(as: UInt16.self).littleEndian == 0x8B1F {
            throw TapeError(.gzipped, file: file.path, offset: 0)
        }
        let matches = (0..<min(count, 8)).allSatisfy {
            (base + $0).load(as: UInt8.self) == TapeFormat.magic[$0]
        }
        guard matches else { throw TapeError(.notATape, file: file.path, offset: 0) }
        guard count >= TapeFormat.headerBytes else {
            throw TapeError(.torn, file: file.path, offset: count)
        }
        let stored = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: 56, as: UInt64.self))
        let version = UInt16(littleEndian: base.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
        let isIntact = stored == XXH64.hash(base, count: 56)
        if version != TapeFormat.version, isIntact {
            throw TapeError(.unsupportedVersion(Int(version)), file: file.path, offset: 8)
        }
        guard isIntact else {
            throw TapeError(.corruptFileHeader(version: Int(version)), file: file.path, offset: 0)
        }
    }

    /// The end mark, if the file ends with one.
    private static func endMark(_ file: MappedFile) throws(TapeError) -> EndMark? {
        let offset = file.count - TapeFormat.blockHeaderBytes - TapeFormat.endPayloadBytes
        guard offset >= TapeFormat.headerBytes, offset % 8 == 0,
            case .block(let header) = BlockHeader.read(file, at: offset), header.isEnd
        else { return nil }
        return try EndMark(file, at: offset, header: header)
    }

    /// Where a file without an end mark stops making sense, from its block headers alone.
    private static func tear(_ file: MappedFile) throws(TapeError) -> Int {
        var offset = TapeFormat.headerBytes
        while true {
            switch BlockHeader.read(file, at: offset) {
            case .torn: return offset
            case .corrupt: throw TapeError(.corruptBlockHeader, file: file.path, offset: offset)
            case .block(let header):
                offset += TapeFormat.blockHeaderBytes + header.payloadBytes
                if header.isEnd {
                    throw TapeError(.trailingBytes(file.count - offset), file: file.path, offset: offset)
                }
            }
        }
    }
}
