/// The Martlet tape: recorded market data in one file, version 1.
///
/// Little-endian throughout. Every structure is a multiple of 8 bytes long and starts at a multiple of 8, so
/// that a mapped file is read in place. A file is a header, then blocks, then one end block:
///
///     file   = header(64) block* end(128)
///     block  = header(64) payload(multiple of 8, at most 4 MiB)
///
/// **File header**, 64 bytes:
///
///      0  8  magic "MARTLET\0"
///      8  2  version (1)
///     10  2  header length in bytes (64)
///     12  4  flags, 0
///     16 40  zero
///     56  8  XXH64 of bytes 0..<56
///
/// **Block header**, 64 bytes:
///
///      0  4  magic "MTBK", or "MTND" for the end block
///      4  4  payload length in bytes
///      8  4  records in the payload
///     12  4  the block's number, from 0
///     16  8  receive time of the first record (ns since 1970 UTC; `Int64.min` in an end block of an empty tape)
///     24  8  receive time of the last record
///     32  4  markets defined before this block
///     36 12  zero
///     48  8  XXH64 of the payload
///     56  8  XXH64 of bytes 0..<56 of this header
///
/// A block is appended whole, so a file that was cut off anywhere is readable up to its last whole block.
/// **The end block**'s payload is 64 bytes: u64 records, u64 blocks, u64 markets, i64 first and i64 last receive
/// time, u64 digest of all blocks' checksums (``XXH64`` of each, seeded with the one before), 16 zero bytes. A
/// file without it was not finished.
///
/// **Records** never straddle blocks. Receive times never decrease from one record to the next. All records
/// begin with:
///
///      0  1  kind (``TapeFormat/Kind``)
///      1  1  `MarketEvent.Flags`
///      2  1  side: 0 bid, 1 ask
///      3  1  length in 8-byte words, or 0: the length stands at 24
///      4  4  the market's index within the tape, 0xFFFFFFFF for none
///      8  8  receive time, ns
///     16  8  exchange time, ns; `Int64.min` for unknown
///
/// Flags: bit 0 ends a group of one exchange time, bit 1 a snapshot, bit 2 inferred trade, bit 3 our own order's,
/// bit 4 block trade, bit 5 a group that ended by time-out. Readers keep bits that they do not know.
///
/// *Hot records* (kinds 0 to 4, those of `MarketEvent`) are 32 bytes, with the price in micro-dollars in the low
/// 20 bits of the word at 24 and the signed quantity in hundredths of a contract in its high 44. Prices are of YES
/// and lie strictly between 0 and 1 dollar, but are 0 in kinds 2 and 4. A trade's side is its taker's. A trade
/// whose id is a UUID is 48 bytes, the id's 16 bytes following in the order of its text.
///
///      0 delta           quantity is the change at a level
///      1 trade
///      2 snapshotStart   the book is cleared; levels follow until the flag of its end, on this record for none
///      3 snapshotLevel   quantity is all that rests there
///      4 groupEnd        the end of a group whose last record was written before it was known to be
///
/// *Other records* have u32 length in words at 24, u32 length of their body in bytes at 28, and the body from 32,
/// padded with zeros. In bodies a string is u32 length in bytes and UTF-8; `opt(…)` is a u32 mask of the numbers
/// that are present, from bit 0 on, and those as i64 each. Times are i64 ns, prices micro-dollars, quantities
/// hundredths of a contract.
///
///     16 definition  strings ticker, event, series, title, subtitle, fee type, collateral return; u32 count of
///                    price bands and each as i32 start, end, step; times opening, closing, end of fee waiver;
///                    i64 shard; i64 fee multiplier in millionths; i64 settlement timer in ns; u8 mutually
///                    exclusive; u32 count of assumptions and each as a string ("grid", "fees", "event")
///     17 ticker      opt(last price, best bid, best ask, bid size, ask size, volume, open interest)
///     18 reference   string index ("cfbenchmarks:BRTI"); opt(value, settlement average), in 1e-8 units
///     19 status      string, as the exchange's REST has it ("active")
///     20 result      u32 1 yes, 2 no, 3 scalar; i32 value of YES: the exchange decided
///     21 settlement  the same: the market paid
///     22 gap         opt(fault 0 gap 1 below zero 2 impossible price 3 unknown market 4 crossed 5 no snapshot,
///                    side, price, size): the book is not to be trusted until its next snapshot
///     32 note        u8 topic (``TapeNote/Topic``), string
///     33 tradeID     string: the id of the trade that follows in the same block, where it is no UUID
///
/// A market's index is given by its first definition, dense from 0; a later definition with the same index and
/// ticker replaces it. An unknown kind is an error: a tape that needs one carries a higher version.
public enum TapeFormat {
    public static let version: UInt16 = 1
    public static let magic: [UInt8] = Array("MARTLET\0".utf8)
    static let headerBytes = 64
    static let blockHeaderBytes = 64
    static let endPayloadBytes = 64
    /// "MTBK" and "MTND" read as little-endian integers.
    static let blockMagic: UInt32 = 0x4B42_544D
    static let endMagic: UInt32 = 0x444E_544D
    /// No payload is longer: a broken length is told from a true one, and a checker's memory is bounded.
    public static let maximumPayloadBytes = 4 << 20
    /// Blocks are closed when the next record would not fit: small enough to be checked and read in one cache.
    public static let defaultPayloadBytes = 64 << 10
    /// So that an id and its trade fit the smallest block.
    public static let maximumTradeIDBytes = 128
    /// A single record's limit, headers included.
    public static let maximumRecordBytes = 1 << 20
    @usableFromInline static let hotRecordBytes = 32
    @usableFromInline static let identifiedTradeBytes = 48
    static let noMarket = UInt32.max
    /// The signed 44 bits of a hot record's quantity.
    static let quantityRange: ClosedRange<Int64> = -(1 << 43)...(1 << 43) - 1

    /// What a record is. 0 to 4 are `MarketEvent.Kind`.
    public enum Kind: UInt8, CaseIterable, Sendable {
        case delta = 0
        case trade = 1
        case snapshotStart = 2
        case snapshotLevel = 3
        case groupEnd = 4
        /// A market's definition, new or changed.
        case definition = 16
        case ticker = 17
        case reference = 18
        case status = 19
        case result = 20
        case settlement = 21
        /// A market's book is unusable from here to its next snapshot.
        case gap = 22
        /// Text for people and reports: source, assumptions, connections.
        case note = 32
        /// The id of the trade that follows, where it is no UUID.
        case tradeID = 33
    }
}
