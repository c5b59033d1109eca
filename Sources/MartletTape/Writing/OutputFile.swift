import Foundation

/// A file being written: under another name until it is whole, or in place for recordings that must survive a
/// crash as far as they got.
final class OutputFile {
    enum Mode: Hashable {
        /// Written beside and renamed over `path` by ``finish(sync:)``; removed if that is never called.
        case whenWhole
        /// Written under its own name, which must not exist yet.
        case inPlace
    }

    let path: String
    private let workPath: String
    private let mode: Mode
    private var descriptor: Int32

    init(path: String, mode: Mode) throws(TapeError) {
        self.path = path
        self.mode = mode
        switch mode {
        case .whenWhole:
            var status = stat()
            // Renaming over a device or a pipe would put a file in its place.
            if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
                errno = EEXIST
                throw .system("create", path)
            }
            workPath = "\(path).unfinished-\(getpid())"
            descriptor = open(workPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        case .inPlace:
            workPath = path
            descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        guard descriptor >= 0 else { throw .system("create", path) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        if mode == .whenWhole { unlink(workPath) }
    }

    func write(_ bytes: UnsafeRawPointer, count: Int) throws(TapeError) {
        var done = 0
        while done < count {
            let written = Foundation.write(descriptor, bytes + done, count - done)
            if written < 0 {
                if errno == EINTR { continue }
                throw .system("write", path)
            }
            done += written
        }
    }

    func write(_ bytes: [UInt8]) throws(TapeError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(TapeError) in
                if let base = buffer.baseAddress { try write(base, count: buffer.count) }
            }
        }
        try result.get()
    }

    func sync() throws(TapeError) {
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .system("write", path) }
    }

    /// Makes the file appear under its name.
    func finish(sync wanted: Bool) throws(TapeError) {
        if wanted { try sync() }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 else {
            let error = TapeError.system("write", path)
            if mode == .whenWhole { unlink(workPath) }
            throw error
        }
        guard mode == .inPlace || rename(workPath, path) == 0 else {
            let error = TapeError.system("create", path)
            unlink(workPath)
            throw error
        }
    }
}
