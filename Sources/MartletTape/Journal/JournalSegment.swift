import CSystem
import Foundation
import Synchronization

/// One file of a journal, preallocated and mapped for writing.
///
/// `@unchecked Sendable`: the bytes are written by the journal's owner alone; the helper thread only makes segments
/// and asks the system to write them to the disk.
final class JournalSegment: @unchecked Sendable {
    let path: String
    let number: Int
    let size: Int
    let base: UnsafeMutableRawPointer
    private let descriptor: Int32

    /// Throws when there is no room on the disk: a sparse mapping would kill the process at its first write there.
    init(folder: String, number: Int, size: Int) throws(TapeError) {
        self.number = number
        self.size = size
        path = folder + "/" + JournalFormat.name(number)
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make", path) }
        // Held until the process ends, however it does: nobody may cut off what is mapped here (``JournalRoom``).
        flock(descriptor, LOCK_EX | LOCK_NB)
        let status = posix_fallocate(descriptor, 0, off_t(size))
        guard status == 0 else {
            close(descriptor)
            unlink(path)
            throw TapeError(.system(action: "reserve", reason: String(cString: strerror(status))), file: path)
        }
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            address != MAP_FAILED
        else {
            let error = TapeError.system("map", path)
            close(descriptor)
            unlink(path)
            throw error
        }
        // The file's name must outlive a power cut, too.
        let directory = open(folder, O_RDONLY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
        base = address
        base.copyMemory(from: JournalFormat.magic, byteCount: JournalFormat.magic.count)
        base.storeBytes(of: JournalFormat.version.littleEndian, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: UInt32(number).littleEndian, toByteOffset: 12, as: UInt32.self)
        makeReady(from: 0, count: size)
    }

    /// Memory alone, for a journal that nobody reads.
    init(inMemory size: Int) throws(TapeError) {
        guard let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            address != MAP_FAILED
        else { throw .system("map", "memory") }
        (path, number, descriptor) = ("", 0, -1)
        self.size = size
        base = address
        makeReady(from: 0, count: size)
    }

    /// Lets the owner's writes meet pages that are there and may be written: an `fdatasync` protects what it has
    /// written down, and the next write to each page would wait for the file system. Changes no byte, so that it may
    /// run beside the owner's writes. Where the system does not know how, the pages come at the first write.
    func makeReady(from start: Int, count: Int) {
        let first = start / JournalSegment.pageSize * JournalSegment.pageSize
        let end = min(start + count, size)
        guard first < end else { return }
        madvise(base + first, end - first, JournalSegment.populateWrite)
    }
    private static let pageSize = 4096
    /// `MADV_POPULATE_WRITE` of Linux 5.14 and later.
    private static let populateWrite = CInt(23)

    deinit {
        munmap(base, size)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Until it returns what was written before is on the disk.
    func sync() { fdatasync(descriptor) }
    /// Gives back what was not used.
    func truncate(to used: Int) { ftruncate(descriptor, off_t(used)) }
    func remove() { unlink(path) }
}

/// Keeps one segment ready ahead of need, on a thread of its own, and writes the present one to the disk at an
/// interval.
final class JournalSupply: Sendable {
    private struct State {
        var next: JournalSegment?
        var current: JournalSegment?
        /// Full ones that are not on the disk yet.
        var retired: [JournalSegment] = []
        var isStopped = false
        var problem: String?
    }
    private let state = Mutex(State())
    private let isReady = Atomic<Bool>(false)
    /// How far the present segment is written.
    private let position = Atomic<Int>(0)
    private let wake = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)
    private let folder: String
    private let size: Int
    /// Segments that may be made in all: for tests of a full disk.
    private let limit: Int

    init(folder: String, size: Int, first: JournalSegment, syncInterval: Double?, limit: Int) {
        self.folder = folder
        self.size = size
        self.limit = limit
        state.withLock { $0.current = first }
        let thread = Thread { [self] in run(syncInterval, from: first.number + 1) }
        thread.name = "journal"
        thread.start()
    }

    private func run(_ interval: Double?, from first: Int) {
        csystem_yield_to_others()
        var number = first
        // The segment and the place in it up to which all is on the disk.
        var synced = (segment: -1, position: 0)
        while true {
            let wantsNext = state.withLock { $0.next == nil && !$0.isStopped }
            if wantsNext, number < limit {
                do throws(TapeError) {
                    let made = try JournalSegment(folder: folder, number: number, size: size)
                    number += 1
                    state.withLock {
                        $0.next = made
                        $0.problem = nil
                    }
                    isReady.store(true, ordering: .releasing)
                } catch {
                    // The disk is full for now: tried again at the next turn.
                    state.withLock { $0.problem = "\(error)" }
                }
            }
            _ = wake.wait(timeout: .now() + min(interval ?? 1, 1))
            let (current, retired, isStopped) = state.withLock { state in
                defer { state.retired = [] }
                return (state.current, state.retired, state.isStopped)
            }
            if interval != nil {
                for segment in retired { segment.sync() }
                let position = position.load(ordering: .relaxed)
                if !isStopped, let current, (current.number, position) != synced {
                    current.sync()
                    // Twice what the last interval took, for the next.
                    let recent = current.number == synced.segment ? position - synced.position : position
                    current.makeReady(from: position, count: max(2 * recent, JournalSupply.readyAhead))
                    synced = (current.number, position)
                }
            }
            if isStopped { break }
        }
        done.signal()
    }

    /// Bytes made ready ahead of the writer at least: some two hundred records. What is made ready is written to the
    /// disk with the next sync, used or not.
    private static let readyAhead = 16 << 10

    /// The present segment is written so far.
    func wrote(to offset: Int) { position.store(offset, ordering: .relaxed) }

    /// Whether ``take()`` has one.
    var hasNext: Bool { isReady.load(ordering: .acquiring) }
    var problem: String? { state.withLock { $0.problem } }

    func take() -> JournalSegment? {
        guard hasNext else { return nil }
        let taken = state.withLock { state in
            defer {
                state.current = state.next ?? state.current
                state.next = nil
            }
            return state.next
        }
        isReady.store(false, ordering: .releasing)
        wake.signal()
        return taken
    }

    /// A full segment: it is written to the disk before the one that follows it.
    func retire(_ segment: JournalSegment) { state.withLock { $0.retired.append(segment) } }

    /// Ends the thread and removes the segment that nobody needs.
    func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
        done.wait()
        state.withLock { state in
            state.next?.remove()
            state.next = nil
            state.current = nil
        }
    }
}
