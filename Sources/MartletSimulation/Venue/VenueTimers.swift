import Martlet
import MartletEngine

/// What the venue's clock will bring, earliest first; equal times in the order in which they were set.
struct VenueTimers {
    enum Entry: Hashable {
        case opens(Market.ID)
        case closes(Market.ID)
        /// What still rests after the close dies.
        case closeCancel(Market.ID)
        case settles(Market.ID, generation: UInt32)
        /// Void unless the slot still holds that order with that expiry.
        case expires(slot: Int32, number: UInt64)
    }
    private var heap = DueQueue<Entry>()
    var next: Timestamp { heap.next }
    mutating func set(_ entry: Entry, at time: Timestamp) { heap.insert(entry, at: time) }
    mutating func popDue(_ now: Timestamp) -> (time: Timestamp, entry: Entry)? {
        guard heap.next <= now else { return nil }
        return heap.removeFirst().map { ($0.time, $0.element) }
    }
}

/// Things that are due at a time, in the order of their times and else as they went in. For what comes nearly in
/// order: appending costs a word's comparison, an earlier one moves those behind it.
struct DueLine<Element>: ~Copyable {
    struct Item {
        var time: Timestamp
        var element: Element
    }
    private var items = MoveQueue<Item>()
    /// `.distantFuture` when empty.
    private(set) var next: Timestamp = .distantFuture

    var isEmpty: Bool { items.isEmpty }

    mutating func insert(_ element: consuming Element, at time: Timestamp) {
        var index = items.count
        while index > 0, items[index - 1].time > time { index -= 1 }
        if index == 0 { next = time }
        let item = Item(time: time, element: element)
        if index == items.count { items.append(item) } else { items.insert(item, at: index) }
    }

    /// Traps when there is nothing.
    mutating func removeFirst() -> Item {
        let first = items.removeFirst()
        next = items.isEmpty ? .distantFuture : items[0].time
        return first
    }
}

/// A binary heap of things that are due at a time; what is due at the same time comes out as it went in.
package struct DueQueue<Element> {
    private struct Item {
        var time: Timestamp
        var order: UInt64
        var element: Element
        func isBefore(_ other: Item) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }
    private var heap: ContiguousArray<Item> = []
    private var counter: UInt64 = 0
    /// `.distantFuture` when empty.
    package private(set) var next: Timestamp = .distantFuture

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    package var count: Int { heap.count }

    package mutating func insert(_ element: Element, at time: Timestamp) {
        counter += 1
        heap.append(Item(time: time, order: counter, element: element))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
        next = min(next, time)
    }

    package mutating func removeFirst() -> (time: Timestamp, element: Element)? {
        guard !heap.isEmpty else { return nil }
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        sift()
        next = heap.isEmpty ? .distantFuture : heap[0].time
        return (first.time, first.element)
    }

    private mutating func sift() {
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].isBefore(heap[least]) { least = left }
            if left + 1 < heap.count, heap[left + 1].isBefore(heap[least]) { least = left + 1 }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
