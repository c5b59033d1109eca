/// One side of a book: contracts at each price, the best price kept at hand.
///
/// A price is turned into a *slot* that grows with aggressiveness: the price itself for bids, one minus it for
/// asks (which is Kalshi's NO ladder), so each operation is written once. Slots are multiples of the market's
/// price unit, in pages of 64 that are allocated when first written: a cent book is two pages, a thousand fine
/// books stay small. A word of occupancy bits a page finds the next best price.
///
/// Unsafe pointers: every level of every book is touched millions of times a second, and arrays cost a bounds
/// and a uniqueness check each. Sound because the ladder owns its memory alone, frees it in `deinit`, and a
/// slot is checked against `slotCount` before use.
@frozen
public struct Ladder: ~Copyable {
    @usableFromInline var pages: UnsafeMutablePointer<UnsafeMutablePointer<Int64>>
    @usableFromInline var masks: UnsafeMutablePointer<UInt64>
    /// Shared by all pages not yet written; always zero.
    @usableFromInline let zeroPage: UnsafeMutablePointer<Int64>
    /// Micro-dollars a slot.
    @usableFromInline var unit: Int32
    @usableFromInline var slotCount: Int32
    /// ⌊2^40 / unit⌋ + 1: division by multiplication, exact for prices up to one dollar and units up to a cent.
    @usableFromInline var reciprocal: UInt64
    /// The most aggressive occupied slot, or -1.
    @usableFromInline var best: Int32
    /// How many prices hold contracts.
    @usableFromInline var occupied: Int32
    /// Sum of all levels in hundredths of a contract.
    @usableFromInline var sum: Int64

    public init(unit: Price) {
        precondition(unit.micros > 0 && 1_000_000 % unit.micros == 0 && unit.micros <= 500_000)
        self.unit = unit.micros
        slotCount = 1_000_000 / unit.micros
        reciprocal = (1 << 40) / UInt64(unit.micros) + 1
        let pageCount = Ladder.pageCount(slotCount)
        zeroPage = .allocate(capacity: 64)
        zeroPage.initialize(repeating: 0, count: 64)
        pages = .allocate(capacity: pageCount)
        pages.initialize(repeating: zeroPage, count: pageCount)
        masks = .allocate(capacity: pageCount)
        masks.initialize(repeating: 0, count: pageCount)
        best = -1
        occupied = 0
        sum = 0
    }

    deinit {
        for page in 0..<Ladder.pageCount(slotCount) where pages[page] != zeroPage { pages[page].deallocate() }
        pages.deallocate()
        masks.deallocate()
        zeroPage.deallocate()
    }

    @usableFromInline static func pageCount(_ slots: Int32) -> Int { (Int(slots) + 63) >> 6 }

    /// The slot of a distance from zero in micro-dollars, or -1 when it is off the unit or out of range.
    @inlinable @inline(__always)
    func slot(of micros: Int32) -> Int32 {
        guard micros > 0, micros < 1_000_000 else { return -1 }
        let slot = Int32(truncatingIfNeeded: (UInt64(truncatingIfNeeded: micros) &* reciprocal) >> 40)
        return slot &* unit == micros ? slot : -1
    }
    @inlinable @inline(__always)
    func size(atSlot slot: Int32) -> Int64 { pages[Int(slot) >> 6][Int(slot) & 63] }

    /// Sets a level and returns the size before. `size` must not be negative.
    @inlinable @inline(__always)
    mutating func set(slot: Int32, size: Int64) {
        let page = Int(slot) >> 6
        let index = Int(slot) & 63
        var row = pages[page]
        let before = row[index]
        if row == zeroPage {
            if size == 0 { return }
            row = allocatePage(page)
        }
        row[index] = size
        sum &+= size &- before
        if before == 0 {
            if size != 0 {
                masks[page] |= 1 << UInt64(index)
                occupied &+= 1
                if slot > best { best = slot }
            }
        } else if size == 0 {
            masks[page] &= ~(1 << UInt64(index))
            occupied &-= 1
            if slot == best { best = nextBest(below: slot) }
        }
    }

    @usableFromInline @inline(never)
    mutating func allocatePage(_ page: Int) -> UnsafeMutablePointer<Int64> {
        let row = UnsafeMutablePointer<Int64>.allocate(capacity: 64)
        row.initialize(repeating: 0, count: 64)
        pages[page] = row
        return row
    }

    /// The next occupied slot below `slot`, or -1. O(pages between).
    @inlinable
    func nextBest(below slot: Int32) -> Int32 {
        guard slot > 0 else { return -1 }
        var page = (Int(slot) - 1) >> 6
        var mask = masks[page] & (~0 >> UInt64(63 - (Int(slot) - 1) & 63))
        while mask == 0 {
            if page == 0 { return -1 }
            page -= 1
            mask = masks[page]
        }
        return Int32(truncatingIfNeeded: page << 6 + 63 - mask.leadingZeroBitCount)
    }

    /// Empties the ladder and keeps its pages. O(pages).
    @usableFromInline
    mutating func clear() {
        for page in 0..<Ladder.pageCount(slotCount) where masks[page] != 0 {
            pages[page].update(repeating: 0, count: 64)
            masks[page] = 0
        }
        best = -1
        occupied = 0
        sum = 0
    }

    /// The same levels on a finer unit that divides the present one. O(levels + slots).
    @usableFromInline
    mutating func refine(to finer: Int32) {
        precondition(finer > 0 && unit % finer == 0)
        var replacement = Ladder(unit: Price(micros: finer))
        let factor = unit / finer
        var slot = best
        while slot >= 0 {
            replacement.set(slot: slot * factor, size: size(atSlot: slot))
            slot = nextBest(below: slot)
        }
        self = replacement
    }

    /// Checks all that is kept beside the levels against the levels themselves.
    package func checkInvariants() {
        var count: Int32 = 0
        var total: Int64 = 0
        var top: Int32 = -1
        for slot in 0..<slotCount {
            let size = size(atSlot: slot)
            precondition(size >= 0)
            let bit = masks[Int(slot) >> 6] >> UInt64(slot & 63) & 1
            precondition((size != 0) == (bit == 1))
            if size != 0 {
                count += 1
                total += size
                top = slot
            }
        }
        precondition(count == occupied && total == sum && top == best)
        precondition(zeroPage[0] == 0)
    }
}
