import Foundation

/// A file mapped for reading.
///
/// `@unchecked Sendable`: immutable bytes behind a constant pointer; the mapping lives as long as the object. A
/// file cut short by another process while it is mapped ends this process with SIGBUS, as with every mapping.
@usableFromInline
final class MappedFile: @unchecked Sendable {
    let path: String
    let base: UnsafeRawPointer
    let count: Int

    init(path: String) throws(TapeError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TapeError(.system(action: "map", reason: "it is not a regular file"), file: path)
        }
        count = Int(status.st_size)
        guard count > 0 else { throw TapeError(.empty, file: path) }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else { throw .system("map", path) }
        madvise(address, count, MADV_SEQUENTIAL)
        base = UnsafeRawPointer(address)
        self.path = path
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), count) }

    /// Tells the system that a range was read and need not stay in memory. The bytes stay readable.
    func drop(_ range: Range<Int>) {
        let page = 65_536
        let start = range.lowerBound / page * page
        let end = range.upperBound / page * page
        if end > start {
            madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
        }
    }
}

extension TapeError {
    /// The system's own account of the call that has just failed.
    static func system(_ action: String, _ file: String) -> TapeError {
        TapeError(.system(action: action, reason: String(cString: strerror(errno))), file: file)
    }
}
