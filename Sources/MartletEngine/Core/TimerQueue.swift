import Martlet

/// What the engine's clock will bring: strategies' timers, and markets that open or close by the clock, for
/// which the exchange sends no event. A binary heap; equal times come in the order in which they were set.
package struct TimerQueue {
    package enum Entry: Hashable, Sendable {
        case strategy(Int, TimerID)
        case opens(Market.ID)
        case closes(Market.ID)
    }
    private struct Item {
        var time: Timestamp
        var order: UInt64
        var entry: Entry
    }
    private var heap: [Item] = []
    private var cancelled: Set<TimerID> = []
    private var counter: UInt64 = 0

    package init() {}

    /// `.distantFuture` when nothing is set.
    package var next: Timestamp { heap.first?.time ?? .distantFuture }

    package mutating func set(_ entry: Entry, at time: Timestamp) {
        counter += 1
        heap.append(Item(time: time, order: counter, entry: entry))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    package mutating func cancel(_ timer: TimerID) {
        let isSet = heap.contains { item in
            if case .strategy(_, timer) = item.entry { true } else { false }
        }
        if isSet { cancelled.insert(timer) }
    }

    /// Takes the earliest entry that is due at `now`.
    package mutating func popDue(_ now: Timestamp) -> Entry? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            if case .strategy(_, let timer) = first.entry, cancelled.remove(timer) != nil { continue }
            return first.entry
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if isBefore(heap[child], heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private func isBefore(_ a: Item, _ b: Item) -> Bool {
        a.time != b.time ? a.time < b.time : a.order < b.order
    }
}
