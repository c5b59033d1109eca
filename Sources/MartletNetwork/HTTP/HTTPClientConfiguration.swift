/// Limits and time-outs of an HTTP client, in nanoseconds.
public struct HTTPClientConfiguration: Sendable {
    /// Name, TCP and TLS together.
    public var connectTimeout = Nanoseconds.seconds(10)
    /// From the first byte of a request to its last, as the kernel takes them.
    public var writeTimeout = Nanoseconds.seconds(10)
    /// From the request's last byte to the response's first.
    public var firstByteTimeout = Nanoseconds.seconds(15)
    /// From `send` to the response's last byte, waiting for a connection included.
    public var wholeTimeout = Nanoseconds.seconds(30)
    /// An idle connection older than this is not used again: servers drop theirs without a word.
    public var idleTimeout = Nanoseconds.seconds(60)
    /// Pause before a warm connection that could not be made is tried again.
    public var rewarmPause = Nanoseconds.seconds(1)
    public var connectionsPerEndpoint = 4
    /// Requests that may wait for a connection.
    public var waitingMax = 1024
    public var limits = HTTPLimits()

    public init() {}
}
