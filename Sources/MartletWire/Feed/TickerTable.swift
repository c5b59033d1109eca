/// Tickers by their bytes: the small integer of a known one without making a `String`.
///
/// Open addressing with linear probing over FNV-1a hashes; at most half full. O(ticker's length) a look-up.
public struct TickerTable: Sendable {
    private var slots: [Int32]
    private var hashes: [UInt64] = []
    private var offsets: [Int] = [0]
    private var bytes: [UInt8] = []

    public init() { slots = Array(repeating: -1, count: 64) }

    public var count: Int { hashes.count }
    public func ticker(_ index: Int) -> String {
        String(decoding: bytes[offsets[index]..<offsets[index + 1]], as: UTF8.self)
    }

    /// The integer of a ticker, or nil when it is not known.
    public func index(of ticker: UnsafeBufferPointer<UInt8>) -> Int? {
        let hash = TickerTable.hash(ticker)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if hashes[index] == hash, isEqual(index, ticker) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The integer of a ticker, a new one when it was not known.
    public mutating func intern(_ ticker: UnsafeBufferPointer<UInt8>) -> Int {
        if let index = index(of: ticker) { return index }
        if (count + 1) * 2 > slots.count { grow() }
        let index = count
        let hash = TickerTable.hash(ticker)
        hashes.append(hash)
        bytes.append(contentsOf: ticker)
        offsets.append(bytes.count)
        place(index, hash)
        return index
    }
    public mutating func intern(_ ticker: String) -> Int {
        var text = ticker
        return text.withUTF8 { intern($0) }
    }

    private func isEqual(_ index: Int, _ ticker: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = offsets[index]
        guard offsets[index + 1] - start == ticker.count else { return false }
        for position in 0..<ticker.count where bytes[start + position] != ticker[position] { return false }
        return true
    }
    private mutating func place(_ index: Int, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index)
    }
    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for (index, hash) in hashes.enumerated() { place(index, hash) }
    }
    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 32)
    }
}
