/// One of a server's connections. Loop-thread only.
final class HTTPServerConnection: StreamHandler {
    private enum State {
        case handshaking
        /// Reading a request, or waiting for one.
        case reading
        /// A request is with the handler; what the peer sends meanwhile waits.
        case answering
        /// The last response is out; the peer's end is awaited.
        case lingering
        case closed
    }

    private weak var server: HTTPServer?
    private let loop: EventLoop
    private let configuration: HTTPServerConfiguration
    private let stream: SocketStream
    private var state: State
    private var parser: HTTPRequestParser
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var timer: TimerID?
    /// Whether a request has begun to come in, so that the stricter time limit runs.
    private var requestBegun = false
    private var hasAsked = false
    /// Of all connections that the server has had.
    let serial: Int
    /// The loop's time of the connection's start, or of its last answer.
    private(set) var latestEvent: Int64
    /// Open, and not one whole request has come.
    var isNewcomer: Bool { !hasAsked && (state == .reading || state == .handshaking) }
    /// Between requests since that time or before, with nothing more to send.
    func isIdle(since time: Int64) -> Bool {
        state == .reading && !requestBegun && latestEvent <= time && stream.pendingOutput == 0
    }

    init(_ server: HTTPServer, _ descriptor: Int32, _ session: TLSSession?, serial: Int) {
        self.server = server
        self.serial = serial
        loop = server.loop
        latestEvent = server.loop.now
        configuration = server.configuration
        parser = HTTPRequestParser(limits: configuration.limits)
        state = session == nil ? .reading : .handshaking
        stream = SocketStream(
            loop, descriptor: descriptor, tls: session, handler: nil, readSize: configuration.readSize)
        stream.handler = self
    }

    func start() {
        limit(state == .handshaking ? configuration.handshakeTimeout : configuration.idleTimeout)
        do {
            try stream.start()
        } catch {
            close()
        }
    }

    func close() {
        guard state != .closed else { return }
        state = .closed
        loop.cancel(timer)
        timer = nil
        stream.close()
        server?.forget(self)
    }

    // MARK: - Requests

    func streamOpened(_ stream: SocketStream) {
        state = .reading
        limit(configuration.idleTimeout)
    }

    func streamReceived(_ stream: SocketStream) {
        switch state {
        case .reading: readRequests()
        case .answering: if stream.input.count > configuration.limits.headBytes { stream.pauseReading() }
        case .lingering: stream.input.removeAll()
        case .handshaking, .closed: break
        }
    }

    private func readRequests() {
        do throws(HTTPParseError) {
            while state == .reading {
                if stream.pendingOutput > configuration.outputHighWater {
                    stream.pauseReading()
                    return
                }
                let bytes = UnsafeRawBufferPointer(stream.input.readable)
                if !requestBegun && !bytes.isEmpty {
                    requestBegun = true
                    limit(configuration.requestTimeout)
                }
                let (consumed, event) = try parser.next(bytes)
                if case .body(let from) = event {
                    body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[from..<consumed]))
                }
                stream.input.consume(consumed)
                switch event {
                case nil: return
                case .head(let head): begin(head)
                case .body: continue
                case .end: dispatch()
                }
            }
        } catch {
            let status = HTTPResponseEncoder.status(for: error)
            refuse(status, error.description)
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        self.head = head
        body = []
        guard head.expectsContinue, stream.input.isEmpty else { return }
        write(HTTPResponseEncoder.encode(100, [:], body: [], toHead: true, keepAlive: true))
    }

    private func dispatch() {
        guard let head else { return }
        state = .answering
        hasAsked = true
        loop.cancel(timer)
        timer = nil
        let request = HTTPServerRequest(head: head, body: body, receivedAt: loop.now)
        body = []
        guard let server else {
            close()
            return
        }
        server.dispatch(request, HTTPResponder(self, head))
    }

    // MARK: - Responses

    func answer(status: Int, headers: HTTPHeaders, body: [UInt8], closing: Bool) {
        guard state == .answering || state == .reading else { return }
        let wasReading = state == .reading
        let keepAlive = !closing && !wasReading && head?.keepsAlive == true && !stream.peerHasEnded
        write(
            HTTPResponseEncoder.encode(
                status, headers, body: body, toHead: head?.method == "HEAD", keepAlive: keepAlive))
        head = nil
        requestBegun = false
        latestEvent = loop.now
        guard keepAlive else {
            linger()
            return
        }
        state = .reading
        limitIdle()
        // Not from here: a pipeline of a thousand requests would be as many calls deep.
        guard !stream.input.isEmpty || stream.isReadingPaused else { return }
        loop.defer { [self] in
            guard state == .reading else { return }
            if stream.isReadingPaused && stream.pendingOutput <= configuration.outputHighWater {
                stream.resumeReading()
            }
            readRequests()
        }
    }

    private func refuse(_ status: Int, _ message: String) {
        let (headers, body) = configuration.refusal?(status, message) ?? ([:], Array(message.utf8))
        answer(status: status, headers: headers, body: body, closing: true)
    }

    private func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { stream.write($0) }
    }

    private func limitIdle() {
        limit(stream.pendingOutput > 0 ? configuration.writeTimeout : configuration.idleTimeout)
    }

    private func linger() {
        state = .lingering
        stream.input.removeAll()
        stream.resumeReading()
        stream.shutdownWriting()
        limit(stream.pendingOutput > 0 ? configuration.writeTimeout : configuration.lingerTimeout)
        if stream.peerHasEnded && stream.pendingOutput == 0 { loop.defer { [self] in close() } }
    }

    /// Gives the stream away after the 101.
    func handOver(_ headers: HTTPHeaders) -> SocketStream? {
        guard state == .answering, stream.isOpen else { return nil }
        state = .closed
        loop.cancel(timer)
        timer = nil
        write(HTTPResponseEncoder.encode(101, headers, body: [], toHead: true, keepAlive: true))
        stream.handler = nil
        server?.forget(self)
        return stream
    }

    func streamDrained(_ stream: SocketStream) {
        switch state {
        case .reading:
            if stream.isReadingPaused { stream.resumeReading() }
            if !requestBegun { limitIdle() }
        case .lingering:
            limit(configuration.lingerTimeout)
            if stream.peerHasEnded { close() }
        case .handshaking, .answering, .closed: break
        }
    }

    // MARK: - Ends

    func streamEnded(_ stream: SocketStream) {
        switch state {
        case .reading:
            // Half closed between requests: what waits in the output may still be wanted.
            if stream.pendingOutput == 0 { close() } else { linger() }
        case .answering: break
        case .lingering: if stream.pendingOutput == 0 { close() }
        case .handshaking, .closed: close()
        }
    }

    func streamFailed(_ stream: SocketStream, _ error: NetworkError) { close() }

    private func limit(_ time: Int64) {
        loop.cancel(timer)
        timer = loop.schedule(after: time) { [self] in timedOut() }
    }

    private func timedOut() {
        timer = nil
        if state == .reading && requestBegun {
            refuse(408, "the request came too slowly")
        } else {
            close()
        }
    }
}
