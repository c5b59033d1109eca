import Foundation

/// Where bytes of a recording come from: a file or standard input, as they are or through `gzip -dc`.
///
/// Read from its beginning to its end in one buffer, a line at a time. Lines lie in the buffer and are good until
/// the next call.
final class ByteSource {
    /// What the bytes come from, for error messages.
    let name: String
    private let descriptor: Int32
    private var gzip: Process?
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var isAtEnd = false
    /// The first bytes have been looked at for a byte order mark.
    private var hasBegun = false
    /// Lines given out so far; the last one's number.
    private(set) var lineNumber = 0
    private var meter: ImportMeter?

    /// A line longer than the exchange's longest message and its envelope is no line of a recording.
    static let lineBytesMax = 128 << 20

    /// `-` is standard input.
    init(path: String) throws(ImportError) {
        name = path == "-" ? "standard input" : path
        if path == "-" {
            descriptor = dup(STDIN_FILENO)
        } else {
            descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        }
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
        // All is initialised from here: `deinit` frees what an error leaves behind.
        guard descriptor >= 0 else {
            throw ImportError(.unreadable(String(cString: strerror(errno))), file: name)
        }
        try fill()
    }

    /// The same bytes unpacked by the system's `gzip`: it opens a file itself, and is fed standard input, whose
    /// beginning `packed` has read already.
    private init(unpacking packed: ByteSource, path: String) throws(ImportError) {
        name = packed.name
        let isPiped = path == "-"
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc"] + (isPiped ? [] : ["--", path])
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = isPiped ? input : FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw ImportError(.unreadable("gzip cannot be run: \(error)"), file: name)
        }
        gzip = process
        descriptor = dup(output.fileHandleForReading.fileDescriptor)
        try? output.fileHandleForReading.close()
        buffer = .allocate(byteCount: 1 << 18, alignment: 16)
        guard isPiped else { return }
        let head = Array(packed.buffer[packed.start..<packed.end])
        let (source, sink) = (dup(packed.descriptor), dup(input.fileHandleForWriting.fileDescriptor))
        try? input.fileHandleForWriting.close()
        try? input.fileHandleForReading.close()
        Thread.detachNewThread { ByteSource.feed(head, then: source, to: sink) }
    }

    /// Hands bytes on until there are none left, or nobody takes them any more. Closes both ends.
    private static func feed(_ head: [UInt8], then source: Int32, to sink: Int32) {
        var broken = sigset_t()
        sigemptyset(&broken)
        sigaddset(&broken, SIGPIPE)
        // That gzip has gone is an error of `write` in this thread, and no end of the process.
        pthread_sigmask(SIG_BLOCK, &broken, nil)
        var bytes = head
        while !bytes.isEmpty {
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes { write(sink, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                sent += count
            }
            guard sent == bytes.count else { break }
            bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { room, count in
                var got = read(source, room.baseAddress, room.count)
                while got < 0, errno == EINTR { got = read(source, room.baseAddress, room.count) }
                count = max(got, 0)
            }
        }
        close(source)
        close(sink)
    }

    /// Opens a file by what it holds, whatever its name says.
    static func open(_ path: String, _ meter: ImportMeter? = nil) throws(ImportError) -> ByteSource {
        var source = try ByteSource(path: path)
        if source.isGzipped { source = try ByteSource(unpacking: source, path: path) }
        source.meter = meter
        return source
    }
    private var isGzipped: Bool { end >= 2 && buffer[0] == 0x1F && buffer[1] == 0x8B }

    /// Bytes of text behind a path: a file's size, or what the last four bytes of a gzipped one say (its length
    /// modulo 4 GiB: good enough for a progress bar). Nil for what has no length.
    static func textBytes(_ path: String) -> Int? {
        guard path != "-" else { return nil }
        let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = Int(status.st_size)
        var magic: UInt16 = 0
        var length: UInt32 = 0
        guard size > 18, pread(descriptor, &magic, 2, 0) == 2, magic.littleEndian == 0x8B1F,
            pread(descriptor, &length, 4, off_t(size - 4)) == 4
        else { return size }
        return Int(length.littleEndian)
    }

    deinit {
        close(descriptor)
        if let gzip, gzip.isRunning {
            gzip.terminate()
            gzip.waitUntilExit()
        }
        buffer.deallocate()
    }

    /// The bytes at hand without taking them, as many as there are up to `count`.
    func peek(_ count: Int) throws(ImportError) -> UnsafeRawBufferPointer {
        while end - start < count, !isAtEnd { try fill() }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<min(end, start + count)])
    }

    /// The next line without its newline (and carriage return), or nil at the end.
    func nextLine() throws(ImportError) -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if let base = buffer.baseAddress, end > searched,
                let newline = memchr(base + searched, 0x0A, end - searched)
            {
                let stop = UnsafeRawPointer(newline) - UnsafeRawPointer(base)
                return line(start..<stop, next: stop + 1)
            }
            searched = end - start
            if isAtEnd {
                guard end > start else { return nil }
                return line(start..<end, next: end)
            }
            try fill()
            searched += start
        }
    }

    private func line(_ range: Range<Int>, next: Int) -> UnsafeRawBufferPointer {
        start = next
        lineNumber += 1
        var range = range
        if range.upperBound > range.lowerBound, buffer[range.upperBound - 1] == 0x0D {
            range = range.lowerBound..<range.upperBound - 1
        }
        return UnsafeRawBufferPointer(rebasing: buffer[range])
    }

    /// All that is left, up to `limit` bytes; for documents that are one JSON value.
    func rest(limit: Int) throws(ImportError) -> UnsafeRawBufferPointer {
        let bytes = try peek(limit + 1)
        guard bytes.count <= limit else {
            throw ImportError(.unreadable("a JSON document of over \(limit >> 20) MiB"), file: name)
        }
        return bytes
    }

    private func fill() throws(ImportError) {
        if start > 0, let base = buffer.baseAddress {
            memmove(base, base + start, end - start)
            (start, end) = (0, end - start)
        }
        if end == buffer.count {
            guard buffer.count < ByteSource.lineBytesMax else {
                throw ImportError(.unreadable("line \(lineNumber + 1) is too long"), file: name)
            }
            let wider = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
            wider.copyMemory(from: UnsafeRawBufferPointer(buffer))
            buffer.deallocate()
            buffer = wider
        }
        guard let base = buffer.baseAddress else { return }
        while true {
            let count = Foundation.read(descriptor, base + end, buffer.count - end)
            if count < 0 {
                if errno == EINTR { continue }
                throw ImportError(.unreadable(String(cString: strerror(errno))), file: name)
            }
            end += count
            if count == 0 { try finish() }
            if !hasBegun, end >= 3 || isAtEnd {
                hasBegun = true
                // What some Windows programs put before UTF-8.
                if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { start = 3 }
            }
            try meter?.add(count, of: name)
            return
        }
    }

    private func finish() throws(ImportError) {
        isAtEnd = true
        guard let gzip else { return }
        gzip.waitUntilExit()
        self.gzip = nil
        guard gzip.terminationStatus == 0 else {
            throw ImportError(.gzipFailed(status: gzip.terminationStatus), file: name)
        }
    }
}
