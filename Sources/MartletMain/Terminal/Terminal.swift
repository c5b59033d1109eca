import Foundation

/// Where a command writes: results to standard output, remarks and progress to standard error.
///
/// A class for one thread: the main one.
package final class Terminal {
    /// Nobody reads standard output any more (`martlet tape cat | head`): end quietly.
    package struct OutputClosed: Error {}

    private let output: Int32
    private let error: Int32
    private var buffer: [UInt8] = []
    /// Standard error is a terminal, so progress can be drawn.
    package let isInteractive: Bool
    /// No remarks, no progress.
    package var isQuiet = false
    /// What was written to standard output, where it is kept (tests).
    private let sink: ((String) -> Void)?
    private let errorSink: ((String) -> Void)?

    package init(output: Int32 = STDOUT_FILENO, error: Int32 = STDERR_FILENO) {
        self.output = output
        self.error = error
        isInteractive = isatty(error) == 1
        sink = nil
        errorSink = nil
    }
    /// Hands everything to closures, for tests.
    package init(output: @escaping (String) -> Void, error: @escaping (String) -> Void) {
        self.output = -1
        self.error = -1
        isInteractive = false
        sink = output
        errorSink = error
    }

    /// Columns of the terminal, 80 where there is none.
    package var columns: Int { Terminal.size(error).map { Int($0.ws_col) } ?? 80 }
    /// Rows of the terminal, 24 where there is none.
    package var rows: Int { Terminal.size(error).map { Int($0.ws_row) } ?? 24 }
    /// Columns that standard output is read on; nil for a file or pipe, whose lines have no end to be kept to.
    package var outputColumns: Int? { Terminal.size(output).map { Int($0.ws_col) } }
    /// Rows that standard output is read on; nil for a file or pipe.
    package var outputRows: Int? { Terminal.size(output).map { Int($0.ws_row) } }

    private static func size(_ descriptor: Int32) -> winsize? {
        var size = winsize()
        guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return size
    }

    /// Adds to standard output; buffered until 64 KiB or ``flush()``.
    package func write(_ text: String) throws {
        if let sink { return sink(text) }
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { try flush() }
    }
    package func write(_ bytes: some Collection<UInt8>) throws {
        if let sink { return sink(String(decoding: bytes, as: UTF8.self)) }
        buffer.append(contentsOf: bytes)
        if buffer.count >= 1 << 16 { try flush() }
    }
    package func line(_ text: String) throws { try write(text + "\n") }

    package func flush() throws {
        guard !buffer.isEmpty else { return }
        let bytes = buffer
        buffer.removeAll(keepingCapacity: true)
        try Terminal.writeAll(bytes, to: output)
    }

    /// A remark for people, on standard error; nothing with `--quiet`.
    package func note(_ text: String) {
        if !isQuiet { raw(text + "\n") }
    }
    /// One line that says why the command ended.
    package func fail(_ message: String) { raw("martlet: \(message)\n") }

    /// Bytes on standard error as they are. Errors are ignored: there is nowhere left to tell them.
    package func raw(_ text: String) {
        if let errorSink { return errorSink(text) }
        try? Terminal.writeAll(Array(text.utf8), to: error)
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + start, $0.count - start)
            }
            if count >= 0 {
                start += count
            } else if errno == EPIPE {
                throw OutputClosed()
            } else if errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                throw CommandError("cannot write to standard output: \(String(cString: strerror(errno)))")
            }
        }
    }
}
