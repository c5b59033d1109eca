import Foundation
import MartletNetwork

/// The session's end of its guard: starts it, and lets it feel the pulse. When the pipe closes or the pulse stops,
/// the guard takes what rests off the exchange (DESIGN, Ruling 6).
public final class GuardProcess {
    public static let beat: UInt8 = 1
    public static let farewell: UInt8 = 2
    /// The guard says it is ready with this on the same socket.
    public static let ready: UInt8 = 3

    private var socket: Int32
    public let pid: pid_t

    /// Starts `program guard FOLDER`, which reads the session's identity there, and waits until it is ready.
    public init(program: String, folder: SessionFolder, timeout: Double = 10) throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw GuardError("no socket for the guard: \(String(cString: strerror(errno)))")
        }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Its standard input is the pulse; a terminal's Ctrl-C is not meant for it, so it gets a group of its own.
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let arguments = ["martlet", "guard", folder.path]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, program, &actions, &attributes, &pointers, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            throw GuardError("the guard cannot be started: \(String(cString: strerror(status)))")
        }
        pid = child
        socket = ends[0]
        guard waitForReady(timeout) else {
            close(socket)
            socket = -1
            throw GuardError("the guard did not get ready: its log is in \(folder.path)/guard.log")
        }
    }

    private func waitForReady(_ timeout: Double) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, Int32(timeout * 1000)) == 1 else { return false }
        var byte: UInt8 = 0
        return read(socket, &byte, 1) == 1 && byte == GuardProcess.ready
    }

    /// Whether the guard still stands. Never waits.
    public func pulse() -> Bool { send(GuardProcess.beat) }
    /// The session ends in order: the guard goes without doing anything.
    public func dismiss() {
        _ = send(GuardProcess.farewell)
        if socket >= 0 { close(socket) }
        socket = -1
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    private func send(_ byte: UInt8) -> Bool {
        guard socket >= 0 else { return false }
        var byte = byte
        let sent = Foundation.send(socket, &byte, 1, Int32(MSG_NOSIGNAL))
        return sent == 1 || errno == EAGAIN
    }

    deinit { if socket >= 0 { close(socket) } }
}

public struct GuardError: Error, CustomStringConvertible {
    public let description: String
    init(_ text: String) { description = text }
}

/// The guard's own end: waits for the pulse on standard input.
public enum GuardWatch {
    public enum Verdict: Hashable, Sendable {
        /// The session ended in order.
        case dismissed
        /// Its process is gone.
        case died
        /// It lives and does nothing any more.
        case stuck
    }

    /// Before the first pulse no order has left: a session on a busy machine may take its time to begin.
    private static let patience = 30.0

    /// Says that it is ready and waits until something is to be done.
    public static func wait(socket: Int32 = 0, timeout: Double) -> Verdict {
        var byte = GuardProcess.ready
        _ = write(socket, &byte, 1)
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 256)
        var limit = max(timeout, patience)
        while true {
            let count = poll(&entry, 1, Int32(limit * 1000))
            if count == 0 { return .stuck }
            if count < 0 {
                if errno == EINTR { continue }
                return .died
            }
            let got = read(socket, &buffer, buffer.count)
            if got < 0, errno == EINTR || errno == EAGAIN { continue }
            if got <= 0 { return .died }
            if buffer[..<got].contains(GuardProcess.farewell) { return .dismissed }
            limit = max(timeout, 0.05)
        }
    }
}
