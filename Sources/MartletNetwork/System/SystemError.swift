#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A system call that failed: which, and the system's error number.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// The calling thread's last error. To be made before any other call.
    static func last(_ call: String) -> SystemError { SystemError(call, errno) }

    public var description: String { "\(call): \(String(cString: strerror(code)))" }
}
