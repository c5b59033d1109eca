/// Elements one behind the other that are looked at and changed where they stand: an array's are copied out to look
/// at one field, references counted, and each change checks whether the array is shared. Only grows.
///
/// Sound because the block alone allocates, grows and frees its storage, the first `count` places are initialised,
/// and an index is checked against them. A pointer got from it holds until the next `append`.
package struct Block<Element: ~Copyable>: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Element>
    @usableFromInline var capacity = 8
    @usableFromInline package private(set) var count = 0

    package init() { storage = .allocate(capacity: capacity) }

    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    package var indices: Range<Int> { 0..<count }

    @inline(__always)
    package func pointer(_ index: Int) -> UnsafeMutablePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
        return storage + index
    }

    package subscript(index: Int) -> Element {
        @inline(__always) unsafeAddress { UnsafePointer(pointer(index)) }
        @inline(__always) nonmutating unsafeMutableAddress { pointer(index) }
    }

    package mutating func append(_ element: consuming Element) {
        if count == capacity {
            capacity *= 2
            let wider = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
            wider.moveInitialize(from: storage, count: count)
            storage.deallocate()
            storage = wider
        }
        (storage + count).initialize(to: element)
        count += 1
    }
}
