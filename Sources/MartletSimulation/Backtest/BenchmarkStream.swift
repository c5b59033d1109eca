import Foundation
import Martlet
import MartletEngine
import MartletTape

/// The benchmark's generated stream: 24-byte header, then 24-byte records in order of time, little-endian.
///
/// Header: magic `KL2STRM1`, u32 markets, u32 record size, u64 count. Record: u64 ns, u16 market, u8 kind (0
/// change, 1 trade, 2 opening level), u8 side (0 yes, 1 no), u8 price in cents of its side, u8 last of its
/// message, u16 zero, i32 signed change (trade: contracts), i32 size after it.
struct BenchmarkStream {
    enum Failure: Error, CustomStringConvertible {
        case unreadable(String, String)
        case malformed(String, String)
        var description: String {
            switch self {
            case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
            case .malformed(let path, let problem): "\(path) is no benchmark stream: \(problem)"
            }
        }
    }

    private static let headerBytes = 24
    private static let recordBytes = 24
    private let data: Data
    private let path: String
    let marketCount: Int
    let count: Int

    init(path: String) throws {
        self.path = path
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw Failure.unreadable(path, error.localizedDescription)
        }
        guard data.count >= Self.headerBytes, data.prefix(8).elementsEqual(Array("KL2STRM1".utf8)) else {
            throw Failure.malformed(path, "its first bytes are not KL2STRM1")
        }
        let (markets, size, count) = data.withUnsafeBytes { bytes in
            (
                Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian),
                Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self).littleEndian),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian
            )
        }
        guard size == Self.recordBytes, markets > 0, markets <= 65_536 else {
            throw Failure.malformed(path, "\(markets) markets of \(size)-byte records")
        }
        guard let count = Int(exactly: count), count <= (data.count - Self.headerBytes) / Self.recordBytes
        else {
            throw Failure.malformed(path, "it is shorter than its header says")
        }
        marketCount = markets
        self.count = count
    }

    /// Converts to a tape: each market's book opened empty, then every record as one change or trade.
    func writeTape(to path: String, grid: PriceGrid) throws {
        let writer = try TapeWriter(path: path)
        let start = Timestamp(nanoseconds: time(of: 0))
        for index in 0..<marketCount {
            try writer.append(.defined(Market(ticker: "BENCH-\(index)", grid: grid)), at: start)
        }
        for index in 0..<marketCount {
            try writer.append(
                MarketEvent(
                    .snapshotStart, market: Market.ID(index), flags: [.snapshotEnd, .groupEnd],
                    exchangeTime: start, receiveTime: start))
        }
        try data.withUnsafeBytes { bytes in
            for index in 0..<count { try writer.append(event(bytes, index)) }
        }
        try writer.finish()
    }

    private func time(of index: Int) -> Int64 {
        guard count > index else { return 0 }
        return data.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: Self.headerBytes + index * Self.recordBytes, as: Int64.self)
                .littleEndian
        }
    }

    private func event(_ bytes: UnsafeRawBufferPointer, _ index: Int) throws -> MarketEvent {
        let offset = Self.headerBytes + index * Self.recordBytes
        let time = Timestamp(
            nanoseconds: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self).littleEndian)
        let market = Int(bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt16.self).littleEndian)
        let (kind, side, cents, last) = (
            bytes[offset + 10], bytes[offset + 11], Int(bytes[offset + 12]), bytes[offset + 13]
        )
        let change = Int(bytes.loadUnaligned(fromByteOffset: offset + 16, as: Int32.self).littleEndian)
        guard market < marketCount, kind <= 2, side <= 1, (1...99).contains(cents) else {
            throw Failure.malformed(path, "record \(index) makes no sense")
        }
        let isTrade = kind == 1
        // A trade's price is given in the taker's own terms, a level's in its side's.
        let price = side == 0 ? Price(cents: cents) : Price(cents: 100 - cents)
        return MarketEvent(
            isTrade ? .trade : .delta, market: Market.ID(market), side: side == 0 ? .bid : .ask, price: price,
            quantity: Quantity(change), flags: last == 1 ? .groupEnd : [], exchangeTime: time,
            receiveTime: time)
    }
}
