/// The steps that a time-out can cut short.
public enum NetworkPhase: String, Equatable, Sendable {
    case connect
    case handshake
    case write
    case firstByte = "first byte"
    case whole
    case close
    case idle
}

/// What goes wrong below HTTP and WebSocket.
public enum NetworkError: Error, Equatable, Sendable, CustomStringConvertible {
    case unresolved(host: String, reason: String)
    case system(SystemError)
    case tls(TLSError)
    case timedOut(NetworkPhase)
    /// The peer ended the stream where more was due.
    case endOfStream
    /// This side had closed the connection.
    case closed
    /// More output waits for the peer than the limit allows.
    case outputOverflow(limit: Int)

    public var description: String {
        switch self {
        case .unresolved(let host, let reason): "the host \(host) cannot be found: \(reason)"
        case .system(let error): error.description
        case .tls(let error): error.description
        case .timedOut(let phase): "timed out (\(phase.rawValue))"
        case .endOfStream: "the peer closed the connection"
        case .closed: "the connection is closed"
        case .outputOverflow(let limit): "the peer does not read: more than \(limit) bytes wait for it"
        }
    }
}
