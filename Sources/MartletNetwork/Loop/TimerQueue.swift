/// Names one scheduled timer. Cancelling it after it fired, or twice, does nothing.
public struct TimerID: Equatable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// Timers in the order they fall due: a binary heap of deadlines over slots that hold the handlers.
///
/// Cancelling only empties the slot; its heap entry is dropped when it reaches the top, or all at once
/// when most entries are dead, so a time-out that is set and cancelled a million times costs no memory.
/// Scheduling is O(log n), cancelling amortised O(1). Equal deadlines fire in the order scheduled.
struct TimerQueue {
    private struct Entry {
        var deadline: Int64
        var order: UInt64
        var id: TimerID
    }

    private struct Slot {
        var generation: UInt32 = 0
        var handler: (() -> Void)?
    }

    private var heap: [Entry] = []
    private var slots: [Slot] = []
    private var free: [Int32] = []
    private var order: UInt64 = 0
    private(set) var live = 0

    mutating func schedule(at deadline: Int64, _ handler: @escaping () -> Void) -> TimerID {
        let slot: Int32
        if let reused = free.popLast() {
            slot = reused
        } else {
            slot = Int32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].handler = handler
        let id = TimerID(slot: slot, generation: slots[Int(slot)].generation)
        order += 1
        heap.append(Entry(deadline: deadline, order: order, id: id))
        siftUp(heap.count - 1)
        live += 1
        return id
    }

    mutating func cancel(_ id: TimerID) {
        guard isLive(id) else { return }
        release(id)
        if heap.count > 64 && heap.count > live * 4 { compact() }
    }

    /// When the next timer falls due; nil with none.
    mutating func nextDeadline() -> Int64? {
        while let first = heap.first, !isLive(first.id) { popFirst() }
        return heap.first?.deadline
    }

    /// Names all timers scheduled so far.
    var mark: UInt64 { order }

    /// Takes the next handler due at `now`, if any; with a mark, only one scheduled before it was made.
    mutating func popDue(_ now: Int64, before mark: UInt64 = .max) -> (() -> Void)? {
        guard let deadline = nextDeadline(), deadline <= now, heap[0].order <= mark else { return nil }
        let id = heap[0].id
        let handler = slots[Int(id.slot)].handler
        release(id)
        popFirst()
        return handler
    }

    private func isLive(_ id: TimerID) -> Bool {
        slots[Int(id.slot)].generation == id.generation && slots[Int(id.slot)].handler != nil
    }

    private mutating func release(_ id: TimerID) {
        slots[Int(id.slot)].handler = nil
        slots[Int(id.slot)].generation &+= 1
        free.append(id.slot)
        live -= 1
    }

    private mutating func compact() {
        let kept = heap.filter { isLive($0.id) }.sorted(by: TimerQueue.earlier)
        heap = kept  // A sorted array is a heap.
    }

    private static func earlier(_ a: Entry, _ b: Entry) -> Bool {
        a.deadline != b.deadline ? a.deadline < b.deadline : a.order < b.order
    }

    private mutating func popFirst() {
        let last = heap.removeLast()
        if heap.isEmpty { return }
        heap[0] = last
        siftDown()
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard TimerQueue.earlier(heap[child], heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            let right = left + 1
            if left < heap.count && TimerQueue.earlier(heap[left], heap[least]) { least = left }
            if right < heap.count && TimerQueue.earlier(heap[right], heap[least]) { least = right }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
