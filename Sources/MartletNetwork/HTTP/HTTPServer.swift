/// Limits and time-outs of an HTTP server, in bytes and nanoseconds.
public struct HTTPServerConfiguration: Sendable {
    public var limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.headBytes = 32 * 1024
        limits.bodyBytes = 8 * 1024 * 1024
        return limits
    }()
    public var connectionsMax = 4096
    /// A connection without a request is closed after this.
    public var idleTimeout = Nanoseconds.seconds(75)
    /// The same once there are ``connectionsMax`` and another wants in; one that has asked nothing yet goes at once.
    public var crowdedIdleTimeout = Nanoseconds.seconds(10)
    /// From a request's first byte to its last: a slow sender is cut off with 408.
    public var requestTimeout = Nanoseconds.seconds(30)
    /// A peer that takes no byte of what waits for it for this long is dropped.
    public var writeTimeout = Nanoseconds.seconds(30)
    public var handshakeTimeout = Nanoseconds.seconds(10)
    /// No further request is read while more than this of the responses waits to be taken.
    public var outputHighWater = 1024 * 1024
    /// How long a connection is drained after a last response, so that it is not lost to a reset.
    public var lingerTimeout = Nanoseconds.seconds(1)
    /// Room for one read of a connection.
    public var readSize = 16 * 1024
    /// Headers and body of the answer to what is no request, or comes too slowly; nil for the bare message.
    public var refusal: (@Sendable (_ status: Int, _ message: String) -> (HTTPHeaders, [UInt8]))?

    public init() {}
}

/// Answers a server's requests. Called on the loop's thread; the answer may come later, once, from there.
public protocol HTTPServerHandler: AnyObject {
    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder)
}

/// A request as it came, with its whole body.
public struct HTTPServerRequest: Sendable {
    public let head: HTTPRequestHead
    public let body: [UInt8]
    /// The loop's monotonic time when it was complete.
    public let receivedAt: Int64

    public var method: String { head.method }
    public var path: String { head.path }
    public var headers: HTTPHeaders { head.headers }
    /// Whether it asks for a WebSocket.
    public var wantsWebSocket: Bool { head.headers.tokens("Upgrade").contains("websocket") }
}

/// An HTTP/1.1 server on an event loop: keep-alive, pipelined requests answered in order, one at a time a
/// connection; plain or TLS; WebSocket by hand-over.
///
///     guard let address = SocketAddress(numeric: "127.0.0.1", port: 0) else { … }
///     let server = try HTTPServer(loop, on: address, handler: self)
///     print(server.address.port)
///
/// It lives as long as it is held, and closes when it goes.
public final class HTTPServer {
    let loop: EventLoop
    let configuration: HTTPServerConfiguration
    private let tls: TLSContext?
    private var handler: (any HTTPServerHandler)?
    private var listener: Listener?
    private var connections: [ObjectIdentifier: HTTPServerConnection] = [:]
    /// Connections in the order of their start; some have asked or gone since.
    private var newcomers: ArraySlice<(id: ObjectIdentifier, serial: Int)> = []
    private var started = 0
    /// When those that are idle may be looked for again.
    private var nextSweep: Int64 = 0
    public let address: SocketAddress

    /// Listens at once. Port 0 lets the system choose; `address` tells which it is.
    public init(
        _ loop: EventLoop, on address: SocketAddress, tls: TLSContext? = nil,
        configuration: HTTPServerConfiguration = HTTPServerConfiguration(), handler: any HTTPServerHandler
    ) throws(SystemError) {
        self.loop = loop
        self.tls = tls
        self.configuration = configuration
        self.handler = handler
        let accepting = Accepting()
        let listener = try Listener(loop, on: address) { accepting.server?.accept($0) }
        self.address = listener.address
        self.listener = listener
        accepting.server = self
    }

    deinit { close() }

    /// Connections that have not become WebSockets.
    public var connectionCount: Int { connections.count }

    /// Takes no further connections; those there are go on.
    public func stopListening() {
        listener?.close()
        listener = nil
    }

    /// Stops listening and closes all connections but those handed over to WebSockets.
    public func close() {
        stopListening()
        let open = connections.values
        connections = [:]
        for connection in open { connection.close() }
        handler = nil
    }

    private final class Accepting {
        weak var server: HTTPServer?
    }

    private func accept(_ descriptor: Int32) {
        if connections.count >= configuration.connectionsMax, !makeRoom() {
            SocketOperations.close(descriptor)
            return
        }
        do {
            let session = try tls.map { context throws(TLSError) in
                try TLSSession(context, descriptor: descriptor, host: nil, port: 0)
            }
            started += 1
            let connection = HTTPServerConnection(self, descriptor, session, serial: started)
            connections[ObjectIdentifier(connection)] = connection
            note(connection)
            connection.start()
        } catch {
            SocketOperations.close(descriptor)
        }
    }

    private func note(_ connection: HTTPServerConnection) {
        if newcomers.count >= 2 * configuration.connectionsMax {
            newcomers.removeAll { entry in
                guard let known = connections[entry.id] else { return true }
                return known.serial != entry.serial || !known.isNewcomer
            }
        }
        newcomers.append((ObjectIdentifier(connection), connection.serial))
    }

    /// Full: whoever has connected and asked nothing for the longest gives way, and where all have asked, those who
    /// have been idle for long: a crowd of silent or slow ones cannot shut others out. False where all are at work.
    /// Amortised O(1), but for a look at all connections once a second.
    private func makeRoom() -> Bool {
        while let first = newcomers.popFirst() {
            guard let connection = connections[first.id], connection.serial == first.serial,
                connection.isNewcomer
            else { continue }
            connection.close()
            return true
        }
        let now = loop.now
        guard now >= nextSweep else { return false }
        nextSweep = now + Nanoseconds.seconds(1)
        let idle = connections.values.filter { $0.isIdle(since: now - configuration.crowdedIdleTimeout) }
        for connection in idle.sorted(by: { $0.latestEvent < $1.latestEvent })
            .prefix(configuration.connectionsMax / 8 + 1)
        {
            connection.close()
        }
        return !idle.isEmpty
    }

    func dispatch(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        guard let handler else {
            responder.respond(503)
            return
        }
        handler.handle(request, responder)
    }

    func forget(_ connection: HTTPServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }
}
