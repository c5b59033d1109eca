/// A ``Block`` for other modules: inlined throughout, which the compiler does neither by itself nor for elements
/// that may not be copied. Its elements are plain values.
///
/// Sound because the row alone allocates, grows and frees its storage, the first `count` places are initialised,
/// and an index is checked against them.
public struct Row<Element>: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Element>
    @usableFromInline var capacity = 4
    @usableFromInline var filled = 0

    @inlinable @inline(__always) public var count: Int { filled }

    @inlinable public init() { storage = .allocate(capacity: capacity) }

    @inlinable
    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    @inlinable @inline(__always) public var isEmpty: Bool { count == 0 }
    @inlinable @inline(__always) public var indices: Range<Int> { 0..<count }
    /// All elements, as an array.
    @inlinable public var all: [Element] { indices.map { self[$0] } }

    @inlinable
    public subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return UnsafePointer(storage + index)
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return storage + index
        }
    }

    @inlinable @inline(__always)
    public mutating func append(_ element: consuming Element) {
        if count == capacity { grow() }
        (storage + count).initialize(to: element)
        filled += 1
    }

    /// Puts an element before the one at `index`. O(elements behind it).
    @inlinable @inline(__always)
    public mutating func insert(_ element: consuming Element, at index: Int) {
        precondition(index >= 0 && index <= count)
        if count == capacity { grow() }
        (storage + index + 1).moveInitialize(from: storage + index, count: count - index)
        (storage + index).initialize(to: element)
        filled += 1
    }

    /// O(elements behind it).
    @inlinable @inline(__always)
    public mutating func remove(at index: Int) {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        (storage + index).deinitialize(count: 1)
        (storage + index).moveInitialize(from: storage + index + 1, count: count - index - 1)
        filled -= 1
    }

    @inlinable @inline(never)
    mutating func grow() {
        capacity *= 2
        let wider = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        wider.moveInitialize(from: storage, count: count)
        storage.deallocate()
        storage = wider
    }
}
