import Foundation
import Synchronization

/// The first process of a container: starts the program as its child, hands signals on, and ends when the last child
/// has.
///
/// When process 1 ends, the kernel kills all others at once: a session's guard would die with the session that it
/// is there to outlive, and could not end one that hangs, for nobody can kill process 1 from inside. So Martlet, where
/// it is process 1, does nothing itself.
enum ContainerInit {
    private static let child = Atomic<Int32>(0)

    /// Returns at once unless this is process 1; then never.
    static func ensure() {
        guard getpid() == 1 else { return }
        exit(supervise())
    }

    private static func supervise() -> Int32 {
        install()
        var pid: pid_t = 0
        let status = posix_spawn(&pid, "/proc/self/exe", nil, nil, CommandLine.unsafeArgv, environ)
        guard status == 0 else {
            FileHandle.standardError.write(
                Data("martlet: cannot start itself: \(String(cString: strerror(status)))\n".utf8))
            return ExitCode.failure.rawValue
        }
        child.store(pid, ordering: .relaxed)
        var code = ExitCode.failure.rawValue
        while true {
            var status: Int32 = 0
            let ended = waitpid(-1, &status, 0)
            if ended < 0 {
                if errno == EINTR { continue }
                // No child is left, the guard among them.
                return code
            }
            if ended == pid { code = exitCode(status) }
        }
    }

    /// As a shell tells it: what the program said, or 128 and the signal that ended it.
    static func exitCode(_ status: Int32) -> Int32 {
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }

    private static func install() {
        // Ctrl-C on a terminal reaches the child by itself.
        let handedOn = isatty(STDIN_FILENO) == 1 ? [SIGTERM, SIGHUP] : [SIGTERM, SIGHUP, SIGINT]
        signal(SIGINT, SIG_IGN)
        for number in handedOn {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let pid = ContainerInit.child.load(ordering: .relaxed)
                if pid > 0 { kill(pid, number) }
            }
            sigaction(number, &action, nil)
        }
    }
}
