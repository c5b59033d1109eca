import Foundation
import Martlet
import MartletEngine
import MartletLive
import MartletNetwork
import MartletWire

/// What a session says, as JSON lines in its folder, and a handful of the last for the screen.
final class SessionLog: SessionObserver {
    struct Line {
        var time: Timestamp
        var level: LogLevel
        var text: String
    }

    /// The session's own; known for certain once the session has begun.
    private(set) var folder: SessionFolder
    private var file: Int32 = -1
    /// Lines from before the folder was there.
    private var early: [[UInt8]] = []
    private(set) var recent: [Line] = []
    private var counts: [String: Int] = [:]
    private(set) var refusals: [(tickers: String, reason: String)] = []
    /// Told of each line, for terminals that have no screen and for alerts.
    var onLine: (SessionEvent?, Line) -> Void = { _, _ in }
    /// Told of each event, for alerts.
    var onEvent: (SessionEvent, Timestamp) -> Void = { _, _ in }
    private static let recentMax = 50
    private static let refusalsMax = 200

    init(_ folder: SessionFolder) { self.folder = folder }
    deinit { if file >= 0 { close(file) } }

    /// The session starts: its folder is made, and what was said before is written down.
    func begin() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: (folder.path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandError(
                FileProblem.writing(folder.path, error) + "; choose another folder in 'live.folder'")
        }
        // Two may start within one second; the folder is whose `mkdir` makes it.
        let first = folder.path
        var number = 1
        while mkdir(folder.path, 0o700) != 0 {
            guard errno == EEXIST else {
                throw CommandError("'\(folder.path)' cannot be made: \(String(cString: strerror(errno)))")
            }
            number += 1
            folder = SessionFolder("\(first)-\(number)")
        }
        file = Glibc.open(folder.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw CommandError("'\(folder.log)' cannot be written: \(String(cString: strerror(errno)))")
        }
        for line in early { write(line) }
        early = []
    }

    private func write(_ bytes: [UInt8]) {
        guard file >= 0 else {
            early.append(bytes)
            return
        }
        // A log that cannot be written is no reason to stop trading.
        _ = Glibc.write(file, bytes, bytes.count)
    }

    func count(of name: String) -> Int { counts[name] ?? 0 }

    func session(_ event: SessionEvent, at time: Timestamp) {
        counts[event.name, default: 0] += 1
        if case .refused(let channel, let tickers, let reason) = event,
            refusals.count < SessionLog.refusalsMax
        {
            refusals.append((tickers.isEmpty ? channel : tickers.joined(separator: ", "), reason))
        }
        add(Line(time: time, level: event.level, text: event.text), event)
        onEvent(event, time)
    }
    func note(_ text: String, level: LogLevel = .info) {
        add(Line(time: Timestamp(nanoseconds: Clocks.wall()), level: level, text: text), nil)
    }

    private func add(_ line: Line, _ event: SessionEvent?) {
        recent.append(line)
        if recent.count > SessionLog.recentMax { recent.removeFirst() }
        var members: [(String, JSONValue)] = [
            ("time", .string("\(line.time)")), ("level", .string(line.level.rawValue)),
            ("text", .string(line.text)),
        ]
        if let event { members.append(("event", .string(event.name))) }
        let bytes = Array((JSONValue.fields(members).text + "\n").utf8)
        write(bytes)
        onLine(event, line)
    }
}
