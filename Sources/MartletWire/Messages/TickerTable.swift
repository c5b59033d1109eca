import Martlet

/// Tickers to ``Market/ID`` and back: a hash table over the wire's bytes, so that a known ticker costs no `String`.
///
/// IDs are dense from 0 in the order in which tickers are first seen, as the engine's own market table numbers
/// them: define the markets to the engine in this table's order. Shared by the decoders of one thread.
///
/// Open addressing with linear probing, at most half full. Unsafe pointers: a look-up stands on the path of every
/// message. Sound because the table alone allocates, grows and frees them, and `deinit` runs after the last use.
package final class TickerTable {
    struct Slot {
        var hash: UInt64
        /// Of the ticker in `bytes`.
        var offset: UInt32
        var count: UInt32
        var id: UInt32
    }

    /// Tickers longer than this are not interned: the longest known have about 60 bytes.
    package static let lengthMax = 256

    package private(set) var tickers: [String] = []
    private var mask: Int
    private var slots: UnsafeMutablePointer<Slot>
    private var bytes: UnsafeMutablePointer<UInt8>
    private var byteCount = 0
    private var byteCapacity = 4096

    package init() {
        mask = 255
        slots = TickerTable.emptySlots(256)
        bytes = .allocate(capacity: byteCapacity)
    }

    deinit {
        slots.deallocate()
        bytes.deallocate()
    }

    private static func emptySlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        slots.initialize(repeating: Slot(hash: 0, offset: 0, count: 0, id: .max), count: count)
        return slots
    }

    package var count: Int { tickers.count }
    package func ticker(_ id: Market.ID) -> String { tickers[Int(id.index)] }

    package func find(_ ticker: String) -> Market.ID? {
        let text = Array(ticker.utf8)
        return text.withUnsafeBufferPointer { find($0) }
    }
    package func find(_ ticker: UnsafeBufferPointer<UInt8>) -> Market.ID? {
        guard let base = ticker.baseAddress else { return nil }
        return find(base, ticker.count, TickerTable.hash(base, ticker.count))
    }
    /// The ticker's ID, given it now if it is new. Nil for an empty or overlong one.
    @discardableResult
    package func intern(_ ticker: String) -> Market.ID? {
        let text = Array(ticker.utf8)
        return text.withUnsafeBufferPointer { intern($0) }
    }
    package func intern(_ ticker: UnsafeBufferPointer<UInt8>) -> Market.ID? {
        guard let base = ticker.baseAddress, ticker.count > 0, ticker.count <= TickerTable.lengthMax else {
            return nil
        }
        let hash = TickerTable.hash(base, ticker.count)
        return find(base, ticker.count, hash) ?? insert(base, ticker.count, hash)
    }

    /// Eight bytes a step, mixed by multiplication (the constant of Fibonacci hashing). Not proof against chosen
    /// collisions: tickers come from the exchange.
    @inline(__always)
    static func hash(_ base: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var hash: UInt64 = 0
        var index = 0
        while index &+ 8 <= count {
            hash = mix(hash, SWAR.load(base + index))
            index &+= 8
        }
        if index < count { hash = mix(hash, FieldTable.word(base + index, count &- index)) }
        return finish(hash, count)
    }
    @inline(__always)
    static func finish(_ hash: UInt64, _ count: Int) -> UInt64 { hash ^ UInt64(truncatingIfNeeded: count) }
    @inline(__always)
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        return product ^ product >> 29
    }

    @inline(__always)
    func find(_ base: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Market.ID? {
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index].id != .max {
            let slot = slots[index]
            if slot.hash == hash, Int(slot.count) == count, TickerTable.equal(bytes + Int(slot.offset), base, count) {
                return Market.ID(index: slot.id)
            }
            index = (index &+ 1) & mask
        }
        return nil
    }

    @inline(__always)
    static func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
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

    private func insert(_ base: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> Market.ID {
        if (tickers.count + 1) * 2 > mask + 1 { growSlots() }
        if byteCount + count > byteCapacity { growBytes(to: max(byteCapacity * 2, byteCount + count)) }
        (bytes + byteCount).update(from: base, count: count)
        let id = Market.ID(tickers.count)
        place(Slot(hash: hash, offset: UInt32(byteCount), count: UInt32(count), id: id.index))
        byteCount += count
        tickers.append(String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self))
        return id
    }

    private func place(_ slot: Slot) {
        var index = Int(truncatingIfNeeded: slot.hash) & mask
        while slots[index].id != .max { index = (index + 1) & mask }
        slots[index] = slot
    }

    private func growSlots() {
        let old = slots
        let oldCount = mask + 1
        mask = oldCount * 2 - 1
        slots = TickerTable.emptySlots(oldCount * 2)
        for index in 0..<oldCount where old[index].id != .max { place(old[index]) }
        old.deallocate()
    }

    private func growBytes(to capacity: Int) {
        let wider = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        wider.update(from: bytes, count: byteCount)
        bytes.deallocate()
        bytes = wider
        byteCapacity = capacity
    }
}
