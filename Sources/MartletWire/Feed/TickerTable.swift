import Martlet

/// Tickers by their bytes: the small integer of a known one without making a `String`.
///
/// Integers are dense from 0 in the order in which tickers are first seen. Open addressing with linear probing, at
/// most half full; eight bytes a step. O(ticker's length) a look-up.
public struct TickerTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        /// Of the ticker in `bytes`.
        var offset: UInt32 = 0
        var count: UInt32 = 0
        /// -1: free.
        var index: Int32 = -1
    }
    private var slots: [Slot]
    private var offsets: [Int] = [0]
    private var bytes: [UInt8] = []

    public init() { slots = Array(repeating: Slot(), count: 64) }

    public var count: Int { offsets.count - 1 }
    public func ticker(_ index: Int) -> String {
        String(decoding: bytes[offsets[index]..<offsets[index + 1]], as: UTF8.self)
    }

    /// The integer of a ticker, or nil when it is not known.
    public func index(of ticker: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = ticker.baseAddress else { return nil }
        return find(base, ticker.count, TickerTable.hash(base, ticker.count))
    }

    /// The integer of a ticker, a new one when it was not known.
    public mutating func intern(_ ticker: UnsafeBufferPointer<UInt8>) -> Int {
        guard let base = ticker.baseAddress else { return intern("") }
        let hash = TickerTable.hash(base, ticker.count)
        return find(base, ticker.count, hash) ?? add(base, ticker.count, hash)
    }
    public mutating func intern(_ ticker: String) -> Int {
        // A null byte more, so that an empty text has an address too.
        let text = Array(ticker.utf8) + [0]
        return text.withUnsafeBufferPointer { intern(UnsafeBufferPointer(rebasing: $0.dropLast())) }
    }

    // MARK: In the decoder's hot path

    /// Mixed by multiplication (the constant of Fibonacci hashing). Not proof against collisions made on purpose:
    /// tickers come from the exchange.
    @inline(__always)
    static func hash(_ base: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            hash = mix(hash, SWAR.load(base + index))
            index &+= 8
        }
        if index < count {
            var word: UInt64 = 0
            for rest in index..<count { word |= UInt64(base[rest]) &<< UInt64((rest &- index) &* 8) }
            hash = mix(hash, word)
        }
        return finish(hash, count)
    }
    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }
    @inline(__always)
    static func finish(_ hash: UInt64, _ count: Int) -> UInt64 { hash ^ UInt64(truncatingIfNeeded: count) }

    /// Sound: compares within the ticker's bytes and within `bytes`, whose offsets the table itself made.
    @inline(__always)
    func find(_ base: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Int? {
        slots.withUnsafeBufferPointer { slots in
            bytes.withUnsafeBufferPointer { bytes in
                let mask = slots.count &- 1
                var place = Int(truncatingIfNeeded: hash) & mask
                while slots[place].index >= 0 {
                    let slot = slots[place]
                    if slot.hash == hash, Int(slot.count) == count,
                        count == 0
                            || TickerTable.isEqual(
                                bytes.baseAddress.unsafelyUnwrapped + Int(slot.offset), base, count)
                    {
                        return Int(slot.index)
                    }
                    place = (place &+ 1) & mask
                }
                return nil
            }
        }
    }

    @inline(__always)
    private static func isEqual(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index &+ 8 <= count {
            if SWAR.load(a + index) != SWAR.load(b + index) { return false }
            index &+= 8
        }
        while index < count {
            if a[index] != b[index] { return false }
            index &+= 1
        }
        return true
    }

    @inline(never)
    mutating func add(_ base: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Int {
        if (self.count + 1) * 2 > slots.count { grow() }
        let slot = Slot(
            hash: hash, offset: UInt32(bytes.count), count: UInt32(count), index: Int32(self.count))
        bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
        offsets.append(bytes.count)
        TickerTable.place(slot, in: &slots)
        return Int(slot.index)
    }

    private static func place(_ slot: Slot, in slots: inout [Slot]) {
        var place = Int(truncatingIfNeeded: slot.hash) & (slots.count - 1)
        while slots[place].index >= 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = slot
    }
    private mutating func grow() {
        var wider = Array(repeating: Slot(), count: slots.count * 2)
        for slot in slots where slot.index >= 0 { TickerTable.place(slot, in: &wider) }
        slots = wider
    }
}
