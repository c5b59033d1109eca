import Martlet

/// A block's header as read from a mapped file.
struct BlockHeader {
    let isEnd: Bool
    let payloadBytes: Int
    let records: UInt32
    let number: UInt32
    let first: Timestamp
    let last: Timestamp
    let marketsBefore: UInt32
    let checksum: UInt64

    /// What stands at a place where a block should begin.
    enum Finding {
        case block(BlockHeader)
        /// Fewer bytes than a whole block, or zeros of a file that was made longer before it was written.
        case torn
        case corrupt
    }

    static func read(_ file: MappedFile, at offset: Int) -> Finding {
        let left = file.count - offset
        guard left >= TapeFormat.blockHeaderBytes else { return .torn }
        let base = file.base + offset
        func load<T: FixedWidthInteger>(_ place: Int, _ type: T.Type) -> T {
            T(littleEndian: base.loadUnaligned(fromByteOffset: place, as: type))
        }
        guard load(56, UInt64.self) == XXH64.hash(base, count: 56) else {
            let isZero = (0..<8).allSatisfy { load($0 * 8, UInt64.self) == 0 }
            return isZero ? .torn : .corrupt
        }
        let magic = load(0, UInt32.self)
        let payload = Int(load(4, UInt32.self))
        let isEnd = magic == TapeFormat.endMagic
        guard isEnd || magic == TapeFormat.blockMagic, payload % 8 == 0,
            payload <= TapeFormat.maximumPayloadBytes, !isEnd || payload == TapeFormat.endPayloadBytes
        else { return .corrupt }
        guard payload <= left - TapeFormat.blockHeaderBytes else { return .torn }
        return .block(
            BlockHeader(
                isEnd: isEnd, payloadBytes: payload, records: load(8, UInt32.self),
                number: load(12, UInt32.self), first: Timestamp(nanoseconds: load(16, Int64.self)),
                last: Timestamp(nanoseconds: load(24, Int64.self)), marketsBefore: load(32, UInt32.self),
                checksum: load(48, UInt64.self)))
    }
}

/// A tape's end mark.
struct EndMark {
    let totals: TapeWriter.Totals

    /// Reads the payload of an end block whose header has been found at `offset`, checking it.
    init(_ file: MappedFile, at offset: Int, header: BlockHeader) throws(TapeError) {
        let base = file.base + offset + TapeFormat.blockHeaderBytes
        guard XXH64.hash(base, count: header.payloadBytes) == header.checksum else {
            throw TapeError(.checksumMismatch(block: Int(header.number)), file: file.path, offset: offset)
        }
        func load<T: FixedWidthInteger>(_ place: Int, _ type: T.Type) -> T {
            T(littleEndian: base.loadUnaligned(fromByteOffset: place, as: type))
        }
        totals = TapeWriter.Totals(
            records: load(0, UInt64.self), blocks: load(8, UInt64.self), markets: load(16, UInt64.self),
            first: Timestamp(nanoseconds: load(24, Int64.self)),
            last: Timestamp(nanoseconds: load(32, Int64.self)), digest: load(40, UInt64.self))
    }
}
