#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A growable queue of bytes in one contiguous piece: written at the end, read in place at the front.
///
/// Consumed space is reclaimed when the buffer runs empty or must grow, so that each byte moves at most a
/// constant number of times. It has one owner and hands out pointers that hold until the next change.
struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private var head = 0
    private var tail = 0
    private let initialCapacity: Int

    init(capacity: Int = 16 * 1024) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
        initialCapacity = capacity
    }

    deinit { base.deallocate() }

    var count: Int { tail - head }
    var isEmpty: Bool { head == tail }

    /// The bytes to read, in place.
    var readable: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + head, count: tail - head)
    }

    /// The room after the bytes. Filled by the caller, then told with `produced`.
    var writable: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + tail, count: capacity - tail)
    }

    mutating func produced(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= capacity - tail)
        tail += bytes
    }

    mutating func consume(_ bytes: Int) {
        precondition(bytes >= 0 && bytes <= count)
        head += bytes
        if head == tail {
            head = 0
            tail = 0
        }
    }

    mutating func removeAll() {
        head = 0
        tail = 0
    }

    /// Makes room for `bytes` more after the present ones. Amortised constant per byte: bytes are moved only
    /// when at least as many were consumed as are moved, or when the buffer doubles.
    mutating func reserve(_ bytes: Int) {
        if capacity - tail >= bytes { return }
        let live = count
        if head >= live && capacity - live >= bytes {
            memmove(base, base + head, live)
        } else {
            var larger = capacity * 2
            while larger - live < bytes { larger *= 2 }
            move(to: larger)
        }
        head = 0
        tail = live
    }

    /// Gives a grown buffer's memory back once it is empty.
    mutating func shrinkIfEmpty() {
        guard isEmpty, capacity > initialCapacity else { return }
        move(to: initialCapacity)
        head = 0
        tail = 0
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        memcpy(base + tail, source, bytes.count)
        tail += bytes.count
    }

    private mutating func move(to newCapacity: Int) {
        let live = min(count, newCapacity)
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
        memcpy(fresh, base + head, live)
        base.deallocate()
        base = fresh
        capacity = newCapacity
    }
}
