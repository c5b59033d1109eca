import Foundation
import Martlet

/// `session.json`: what another process must know to speak to a session, or to clean up after it. Readable by its
/// owner alone; holds where the key lies, never the key.
public struct SessionIdentity: Codable, Hashable, Sendable {
    public var session: String
    public var mode: String
    public var pid: Int32
    /// As `--environment` takes it.
    public var environment: String
    public var keyID: String
    public var keyFile: String
    public var passphraseFile: String?
    public var authorityFile: String?
    /// The run's random number in its client order ids, hexadecimal.
    public var nonce: String
    /// Order groups by shard.
    public var groups: [Group]
    /// Of the control server on 127.0.0.1; nil without one.
    public var port: Int?
    public var token: String
    /// Nanoseconds since 1970; `ended` when it ended in order.
    public var started: Int64
    public var ended: Int64?
    /// When the process started, as the system counts; nil where it does not say. Its number alone is soon another's:
    /// in a container it is the same at every start.
    public var processStart: String?
    /// What keeps it, and the sessions after it, from trading until the operator says otherwise.
    public var hold: Hold?

    /// A halt that outlives its session.
    public struct Hold: Codable, Hashable, Sendable {
        public enum State: String, Codable, Hashable, Sendable { case reduceOnly, halted }
        public var state: State
        public var reason: String
        public init(_ state: State, reason: String) {
            self.state = state
            self.reason = reason
        }
    }

    public struct Group: Codable, Hashable, Sendable {
        public var shard: Int
        public var id: String
        public init(shard: Int, id: String) {
            self.shard = shard
            self.id = id
        }
    }

    public init(
        session: String, mode: String, pid: Int32, environment: String, keyID: String, keyFile: String,
        passphraseFile: String?, authorityFile: String?, nonce: UInt64, token: String, started: Int64
    ) {
        self.session = session
        self.mode = mode
        self.pid = pid
        self.environment = environment
        self.keyID = keyID
        self.keyFile = keyFile
        self.passphraseFile = passphraseFile
        self.authorityFile = authorityFile
        self.nonce = String(nonce, radix: 16)
        self.token = token
        self.started = started
        processStart = ProcessStart.of(pid)
        groups = []
    }

    public var nonceValue: UInt64 { UInt64(nonce, radix: 16) ?? 0 }

    /// In one step: a reader sees the old text or the new one.
    public func write(to folder: SessionFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(self)
        let fresh = folder.identity + ".new"
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteNoPermission) }
        let written = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
        fsync(descriptor)
        close(descriptor)
        guard written == bytes.count, rename(fresh, folder.identity) == 0 else {
            throw CocoaError(.fileWriteOutOfSpace)
        }
    }

    public init(folder: SessionFolder) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.identity))
        self = try JSONDecoder().decode(SessionIdentity.self, from: data)
    }

    /// Whether its process is still there.
    public var isRunning: Bool {
        guard ended == nil, kill(pid, 0) == 0 || errno == EPERM else { return false }
        guard let processStart, let present = ProcessStart.of(pid) else { return true }
        return processStart == present
    }
}

/// When a process started: with its number, the one process that it was.
enum ProcessStart {
    /// The boot's identity and the clock ticks since then, as `/proc` tells them; nil where it does not.
    static func of(_ pid: Int32) -> String? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            // The program's name may hold anything, spaces and brackets too.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > ProcessStart.field else { return nil }
        return "\(boot.prefix { !$0.isNewline }) \(fields[ProcessStart.field])"
    }
    /// `starttime`, the 22nd field, counted after the name.
    private static let field = 19
}
