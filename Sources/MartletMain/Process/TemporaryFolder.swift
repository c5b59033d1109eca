import Foundation

/// Folders for what does not outlive a command.
enum TemporaryFolder {
    /// Locked by the process that made the folder, as long as that lives.
    private static let lock = ".lock"

    /// A new one that nobody else can read, `/tmp/NAME-x8Kq2L`. The caller removes it; what processes left behind
    /// that were killed, keys among it, the next call for that name removes.
    static func make(_ name: String) throws(CommandError) -> String {
        sweep(name)
        var path = Array((NSTemporaryDirectory() + name + "-XXXXXX").utf8CString)
        let isMade = path.withUnsafeMutableBufferPointer {
            $0.baseAddress.map { mkdtemp($0) != nil } ?? false
        }
        guard isMade else {
            throw CommandError(
                "no folder can be made in \(NSTemporaryDirectory()): \(String(cString: strerror(errno)))")
        }
        let folder = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        hold(folder)
        return folder
    }

    /// The descriptor stays open on purpose: the system closes it with the process, and the lock goes with it.
    private static func hold(_ folder: String) {
        let (fresh, held) = ("\(folder)/\(lock)-new", "\(folder)/\(lock)")
        let file = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return }
        flock(file, LOCK_EX | LOCK_NB)
        // Under its name it is locked from the first moment on.
        rename(fresh, held)
    }

    private static func sweep(_ name: String) {
        let base = NSTemporaryDirectory()
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        where entry.hasPrefix(name + "-") {
            let file = open("\(base)\(entry)/\(lock)", O_RDWR | O_CLOEXEC | O_NOFOLLOW)
            guard file >= 0 else { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 {
                try? FileManager.default.removeItem(atPath: base + entry)
            }
            close(file)
        }
    }
}
