import Martlet

/// How a sandbox exchange is set up.
public struct SandboxSettings: Hashable, Sendable {
    /// The port of REST and WebSocket on loopback; 0 takes any free one.
    public var port: Int = 0
    /// Without TLS.
    public var isPlain = false
    /// What the world and the exchange's own choices are drawn from.
    public var seed: UInt64 = 1

    public init() {}
}
