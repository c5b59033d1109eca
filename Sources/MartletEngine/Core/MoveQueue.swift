/// First in, first out, by moves alone: nothing is copied on its way through and no reference counted, which an
/// array cannot promise of its elements. Keeps its storage. Inlined throughout: the compiler does not specialise it
/// across modules by itself, and its generic form costs more than the copies.
///
/// Sound because the queue alone owns its block, and exactly the places from `head` to before `tail` hold elements.
public struct MoveQueue<Element>: ~Copyable {
    @usableFromInline var items: UnsafeMutablePointer<Element>
    @usableFromInline var capacity = 16
    @usableFromInline var head = 0
    @usableFromInline var tail = 0

    @inlinable public init() { items = .allocate(capacity: capacity) }

    @inlinable
    deinit {
        (items + head).deinitialize(count: tail - head)
        items.deallocate()
    }

    @inlinable @inline(__always) public var isEmpty: Bool { head == tail }
    @inlinable @inline(__always) public var count: Int { tail - head }

    /// From the first on.
    @inlinable
    public subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(index >= 0 && index < count)
            return UnsafePointer(items + (head + index))
        }
        @inline(__always) unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return items + (head + index)
        }
    }
    @inlinable public var indices: Range<Int> { 0..<count }
    @inlinable public var first: Element? { isEmpty ? nil : self[0] }
    @inlinable public var last: Element? { isEmpty ? nil : self[count - 1] }

    @inlinable @inline(__always)
    public mutating func append(_ element: consuming Element) {
        if tail == capacity { makeRoom() }
        (items + tail).initialize(to: element)
        tail += 1
    }

    /// Puts an element before the one at `index`. O(elements behind it).
    @inlinable @inline(__always)
    public mutating func insert(_ element: consuming Element, at index: Int) {
        precondition(index >= 0 && index <= count)
        if tail == capacity { makeRoom() }
        let place = items + (head + index)
        (place + 1).moveInitialize(from: place, count: tail - head - index)
        place.initialize(to: element)
        tail += 1
    }

    /// Traps on an empty queue.
    @inlinable @inline(__always)
    public mutating func removeFirst() -> Element {
        precondition(head < tail)
        let first = (items + head).move()
        head += 1
        if head == tail {
            head = 0
            tail = 0
        }
        return first
    }

    @inlinable
    public mutating func removeAll() {
        (items + head).deinitialize(count: tail - head)
        head = 0
        tail = 0
    }

    /// All elements, as an array.
    @inlinable
    public mutating func takeAll() -> [Element] {
        var all: [Element] = []
        all.reserveCapacity(count)
        while !isEmpty { all.append(removeFirst()) }
        return all
    }

    /// Moves up to the front, or to a block twice as large where more than half is in use.
    @inlinable @inline(never)
    public mutating func makeRoom() {
        let count = tail - head
        if head > capacity / 2 {
            items.moveInitialize(from: items + head, count: count)
        } else {
            capacity *= 2
            let wider = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
            wider.moveInitialize(from: items + head, count: count)
            items.deallocate()
            items = wider
        }
        head = 0
        tail = count
    }
}
