import Foundation
import MartletTape

/// One live session an account on this machine: two would cancel and count each other's orders.
///
/// A lock that the system gives back whatever becomes of the process. It holds between processes of one user on one
/// machine; elsewhere the exchange's own word has to do: orders of nobody known, told at the start and while running.
package final class AccountLock {
    private let file: Int32

    /// Who holds the account already.
    package struct Taken: Error, CustomStringConvertible {
        /// What the other session wrote down: its process and its folder.
        package let holder: String
        package var description: String {
            "another live session trades on this account (\(holder)): stop it with 'martlet halt', or use another key"
        }
    }
    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    /// Throws ``Taken`` or ``Failed``.
    package init(environment: String, keyID: String, session: String) throws {
        let folder = NSTemporaryDirectory() + "martlet-locks-\(getuid())"
        if mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw Failed(description: "'\(folder)' cannot be made: \(String(cString: strerror(errno)))")
        }
        let name = XXH64.hash(Array("\(environment) \(keyID)".utf8), seed: 0)
        let path = "\(folder)/\(String(name, radix: 16)).lock"
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            throw Failed(description: "'\(path)' cannot be written: \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 4096)
            let count = max(read(file, &text, text.count), 0)
            close(file)
            throw Taken(holder: String(decoding: text[..<count], as: UTF8.self))
        }
        let holder = Array("process \(getpid()), \(session)".utf8)
        ftruncate(file, 0)
        _ = write(file, holder, holder.count)
    }

    deinit { close(file) }
}
