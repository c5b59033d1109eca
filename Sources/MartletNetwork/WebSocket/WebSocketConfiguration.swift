/// Limits and time-outs of a WebSocket, in bytes and nanoseconds.
public struct WebSocketConfiguration: Sendable {
    /// Larger messages are refused with 1009, fragmented or not.
    public var messageMax = 16 * 1024 * 1024
    /// Output waiting for a peer that does not read; beyond it the connection is dropped.
    public var outputMax = 64 * 1024 * 1024
    /// Reading stops while more output than this waits, so that a peer's requests cannot fill memory with
    /// answers. Nil: never.
    public var pauseReadingAbove: Int? = 1024 * 1024
    /// Name, TCP, TLS and the handshake together.
    public var handshakeTimeout = Nanoseconds.seconds(10)
    /// How long the peer has to answer a close, and a server to end the stream after it.
    public var closeTimeout = Nanoseconds.seconds(5)
    /// How long a connection that failed is drained before it is dropped, so that the peer gets the reason.
    public var lingerTimeout = Nanoseconds.seconds(1)
    /// A ping this often; nil for none.
    public var pingInterval: Int64?
    /// The connection fails when nothing at all, not even a pong, has come for this long; nil: never.
    public var idleTimeout: Int64?
    /// Head of the handshake's answer.
    public var limits = HTTPLimits()
    /// A refusal's body kept for the error.
    public var refusalBodyMax = 64 * 1024
    /// Room for one read, and the receive buffer's first size.
    public var readSize = SocketStream.readSize

    public init() {}
}

/// How a WebSocket ended.
public struct WebSocketClosure: Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
        /// A close frame came. Nil: it had no code.
        case closeFrame(UInt16?, reason: String)
        /// The peer broke the protocol.
        case violation(WebSocketViolation)
        case handshake(WebSocketHandshakeError)
        case network(NetworkError)
    }

    public let cause: Cause
    /// Close frames went both ways.
    public internal(set) var isClean: Bool
}

/// Is told what happens to a WebSocket. All calls come on the loop's thread.
public protocol WebSocketHandler: AnyObject {
    func webSocketOpened(_ socket: WebSocketConnection)
    /// One whole message. The bytes hold during the call only; they may lie in the receive buffer itself.
    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer)
    /// All that had arrived was delivered: the socket is drained for now.
    func webSocketCaughtUp(_ socket: WebSocketConnection)
    /// A ping came (and has been answered).
    func webSocket(_ socket: WebSocketConnection, ping payload: UnsafeRawBufferPointer)
    func webSocket(_ socket: WebSocketConnection, pong payload: UnsafeRawBufferPointer)
    /// Output that had to wait has all gone to the kernel.
    func webSocketDrained(_ socket: WebSocketConnection)
    /// The last call.
    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure)
}

extension WebSocketHandler {
    public func webSocketOpened(_ socket: WebSocketConnection) {}
    public func webSocketCaughtUp(_ socket: WebSocketConnection) {}
    public func webSocket(_ socket: WebSocketConnection, ping payload: UnsafeRawBufferPointer) {}
    public func webSocket(_ socket: WebSocketConnection, pong payload: UnsafeRawBufferPointer) {}
    public func webSocketDrained(_ socket: WebSocketConnection) {}
}
