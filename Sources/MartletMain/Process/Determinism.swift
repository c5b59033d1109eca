import Foundation

/// Swift seeds its hashing anew in each process unless told otherwise; a run that is to be repeated to the
/// byte must not depend on it.
enum Determinism {
    private static let variable = "SWIFT_DETERMINISTIC_HASHING"

    /// Starts the program over with deterministic hashing, unless it already has it. Returns if it has, or if
    /// it cannot be started over (then nothing but the belt is lost: no output follows a hash's order).
    static func ensure() {
        if let value = getenv(variable), value.pointee != 0 { return }
        guard setenv(variable, "1", 1) == 0 else { return }
        // The arguments as the kernel gave them, not as Swift decoded them.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
    }
}
