import Foundation
import Synchronization

/// Ctrl-C, SIGTERM and a terminal that hangs up, taken down by a signal handler and asked for by whatever runs long.
///
/// The first signal asks for an orderly end; a second Ctrl-C ends the process at once.
package enum Interrupt {
    /// The first signal received, zero for none. Atomic: a handler may run on any thread.
    private static let received = Atomic<Int32>(0)

    /// Starts listening, and ignores SIGPIPE and SIGXFSZ, so that what they tell is an error of `write`.
    package static func install() {
        received.store(0, ordering: .relaxed)
        signal(SIGPIPE, SIG_IGN)
        // A file grown past `ulimit -f` is an error of `write` too.
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            var action = sigaction()
            // Under `nohup` the terminal's end is not meant for us.
            if number == SIGHUP, sigaction(number, nil, &action) == 0,
                unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
            {
                continue
            }
            // Only a lock-free atomic and `_exit`: both are safe in a handler.
            action.__sigaction_handler.sa_handler = { number in
                let (_, before) = Interrupt.received.compareExchange(
                    expected: 0, desired: number, ordering: .relaxed)
                if before == SIGINT, number == SIGINT { _exit(130) }
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESTART))
            sigaction(number, &action, nil)
        }
        // A parent that starts us from a worker thread hands its blocked signals down.
        var heard = sigset_t()
        sigemptyset(&heard)
        sigaddset(&heard, SIGINT)
        sigaddset(&heard, SIGTERM)
        sigaddset(&heard, SIGHUP)
        pthread_sigmask(SIG_UNBLOCK, &heard, nil)
    }

    /// Cheap: one relaxed load.
    package static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// The exit code that tells the signal, nil without one.
    package static var exitCode: ExitCode? {
        switch received.load(ordering: .relaxed) {
        case 0: nil
        case SIGTERM, SIGHUP: .terminated
        default: .interrupted
        }
    }
}
