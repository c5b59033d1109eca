import Martlet

/// Slots by order id: an open hash table with linear probing.
///
/// A dictionary would spend more on hashing a counter safely than the venue on the order itself; ids are given by
/// the caller's own counters, so that nobody outside can aim at a collision.
struct OrderTable: ~Copyable {
    private struct Entry {
        /// The order's number and one, so that 0 stands for none.
        var key: UInt64 = 0
        var slot: Int32 = -1
    }
    /// Sound because the table alone allocates, grows and frees the block, and an index is always masked.
    private var entries: UnsafeMutablePointer<Entry>
    private var shift: UInt64 = 60
    private(set) var count = 0

    init() { entries = OrderTable.emptyBlock(16) }
    deinit { entries.deallocate() }

    private static func emptyBlock(_ count: Int) -> UnsafeMutablePointer<Entry> {
        let block = UnsafeMutablePointer<Entry>.allocate(capacity: count)
        block.initialize(repeating: Entry(), count: count)
        return block
    }
    private var capacity: Int { 1 << (64 - Int(shift)) }

    /// Fibonacci hashing: neighbouring numbers fall far apart.
    private func home(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift) }

    private func key(_ id: OrderID) -> UInt64 { id.number &+ 1 }

    /// The index of a key's entry, or of the empty one where it would stand.
    private func find(_ key: UInt64) -> Int {
        var index = home(key)
        while entries[index].key != key, entries[index].key != 0 {
            index = (index + 1) & (capacity - 1)
        }
        return index
    }

    subscript(id: OrderID) -> Int32? {
        get {
            let entry = entries[find(key(id))]
            return entry.key == 0 ? nil : entry.slot
        }
        set {
            if let newValue { insert(key(id), newValue) } else { remove(key(id)) }
        }
    }
    func contains(_ id: OrderID) -> Bool { entries[find(key(id))].key != 0 }

    /// In no order that means anything: sort before use.
    var values: [Int32] { (0..<capacity).filter { entries[$0].key != 0 }.map { entries[$0].slot } }

    private mutating func insert(_ key: UInt64, _ slot: Int32) {
        precondition(key != 0, "the highest order number is taken for none")
        let index = find(key)
        if entries[index].key == 0 {
            if count >= capacity / 2 {
                grow()
                return insert(key, slot)
            }
            count += 1
        }
        entries[index] = Entry(key: key, slot: slot)
    }

    /// Closes the gap by moving up what had to give way.
    private mutating func remove(_ key: UInt64) {
        var hole = find(key)
        guard entries[hole].key != 0 else { return }
        count -= 1
        let mask = capacity - 1
        var index = (hole + 1) & mask
        while entries[index].key != 0 {
            let distance = (index &- home(entries[index].key)) & mask
            if distance >= (index &- hole) & mask {
                entries[hole] = entries[index]
                hole = index
            }
            index = (index + 1) & mask
        }
        entries[hole] = Entry()
    }

    private mutating func grow() {
        let (before, size) = (entries, capacity)
        entries = OrderTable.emptyBlock(size * 2)
        shift -= 1
        count = 0
        for index in 0..<size where before[index].key != 0 { insert(before[index].key, before[index].slot) }
        before.deallocate()
    }
}
