/// One WebSocket, either side, on an event loop. Loop-thread only.
///
///     let socket = WebSocketConnection(loop, to: url, tls: context, handler: self)
///
/// Pings are answered by themselves. `webSocketClosed` is called exactly once, and last, unless `drop` is.
public final class WebSocketConnection {
    enum State: Equatable {
        case connecting
        case handshaking
        case open
        /// This side's close frame is out; the peer's is awaited.
        case closing
        /// Nothing more will be delivered; the stream's end is awaited.
        case lingering
        case closed
    }

    public let loop: EventLoop
    let configuration: WebSocketConfiguration
    let role: WebSocketParser.Role
    private var handler: (any WebSocketHandler)?
    private(set) var state: State
    private var stream: SocketStream?
    private var parser: WebSocketParser
    private var client: WebSocketClientHandshake?
    private var timer: TimerID?
    private var keepAlive: TimerID?
    private var scratch = ByteBuffer(capacity: 4096)
    private var masks = WebSocketMaskSource()
    private var closure: WebSocketClosure?
    private var isDelivering = false

    /// The subprotocol agreed on, if any was offered.
    public private(set) var subprotocol: String?
    /// The loop's time when anything last came: what liveness is judged by.
    public private(set) var lastReceivedAt: Int64 = 0
    /// The loop's time when a message last came.
    public private(set) var lastMessageAt: Int64 = 0

    /// A client's: connects, shakes hands, and tells `handler`.
    /// - Parameter headers: added to the handshake's request: authentication and the like.
    public init(
        _ loop: EventLoop, to url: HTTPURL, headers: HTTPHeaders = [:], subprotocols: [String] = [],
        tls: TLSContext?, configuration: WebSocketConfiguration = WebSocketConfiguration(),
        handler: any WebSocketHandler
    ) {
        self.loop = loop
        self.configuration = configuration
        self.handler = handler
        role = .client
        state = .connecting
        parser = WebSocketParser(role: .client, messageMax: configuration.messageMax)
        let handshake = WebSocketClientHandshake(url, headers, subprotocols, configuration)
        client = handshake
        timer = loop.schedule(after: configuration.handshakeTimeout) { [self] in
            end(.handshake(.network(.timedOut(.handshake))), isClean: false)
        }
        handshake.start(loop, tls: tls) { [self] result in connected(result) }
    }

    /// A server's: takes over the stream after the handshake; bytes behind it are the first frames.
    init(_ stream: SocketStream, configuration: WebSocketConfiguration, handler: any WebSocketHandler) {
        loop = stream.loop
        self.configuration = configuration
        self.handler = handler
        self.stream = stream
        role = .server
        state = .open
        parser = WebSocketParser(role: .server, messageMax: configuration.messageMax)
        stream.handler = self
        lastReceivedAt = loop.now
        startKeepAlive()
        loop.defer { [self] in
            guard state == .open else { return }
            self.handler?.webSocketOpened(self)
            guard let stream = self.stream else { return }
            stream.resumeReading()
            if state == .open { streamReceived(stream) }
        }
    }

    public var isOpen: Bool { state == .open }
    /// Bytes that wait for the peer to read.
    public var pendingOutput: Int { stream?.pendingOutput ?? 0 }

    // MARK: - Opening (client)

    private func connected(_ result: Result<SocketStream, WebSocketHandshakeError>) {
        guard state == .connecting else {
            if case .success(let stream) = result { stream.close() }
            return
        }
        switch result {
        case .failure(let error): end(.handshake(error), isClean: false)
        case .success(let stream):
            self.stream = stream
            state = .handshaking
            stream.handler = self
            stream.acknowledgesLate = true
            client?.request.withUnsafeBytes { stream.write($0) }
        }
    }

    private func continueHandshake(_ stream: SocketStream) {
        guard let client else { return }
        do throws(WebSocketHandshakeError) {
            guard try client.received(&stream.input) else { return }
            opened(subprotocol: client.subprotocol)
        } catch {
            end(.handshake(error), isClean: false)
        }
    }

    private func opened(subprotocol: String?) {
        client = nil
        self.subprotocol = subprotocol
        loop.cancel(timer)
        timer = nil
        state = .open
        lastReceivedAt = loop.now
        startKeepAlive()
        handler?.webSocketOpened(self)
    }

    // MARK: - Sending

    /// Sends one message.
    /// - Parameter flush: false leaves it with what waits, to go with the next `flush` in one system call.
    /// - Returns: false when the socket is not open (or has just been given up for not being read).
    @discardableResult
    public func send(
        _ kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer, flush: Bool = true
    ) -> Bool {
        guard state == .open else { return false }
        transmit(kind == .text ? .text : .binary, bytes, flush: flush)
        return state == .open
    }

    @discardableResult
    public func send(text: String) -> Bool {
        var text = text
        return text.withUTF8 { send(.text, UnsafeRawBufferPointer($0)) }
    }

    /// Sends frames made ahead by `serverFrame`, the same bytes to many. Server only.
    @discardableResult
    public func send(prepared frames: UnsafeRawBufferPointer, flush: Bool = true) -> Bool {
        precondition(role == .server, "a client's frames are each masked anew")
        guard state == .open, let stream else { return false }
        if flush { stream.write(frames) } else { stream.enqueue(frames) }
        checkOutput(stream)
        return state == .open
    }

    /// A whole unmasked message frame, for `send(prepared:)`.
    public static func serverFrame(_ kind: WebSocketMessageKind, _ payload: UnsafeRawBufferPointer) -> [UInt8]
    {
        var buffer = ByteBuffer(capacity: payload.count + WebSocketFrameHeader.lengthMax)
        WebSocketFrameHeader.append(kind == .text ? .text : .binary, payload, mask: nil, to: &buffer)
        return Array(buffer.readable)
    }

    /// Hands what waits to the kernel.
    public func flush() { stream?.flush() }

    /// - Parameter payload: at most 125 bytes.
    public func ping(_ payload: [UInt8] = []) {
        precondition(payload.count <= 125)
        guard state == .open else { return }
        payload.withUnsafeBytes { transmit(.ping, $0) }
    }

    private func transmit(_ opcode: WebSocketOpcode, _ bytes: UnsafeRawBufferPointer, flush: Bool = true) {
        guard let stream else { return }
        WebSocketFrameHeader.append(
            opcode, bytes, mask: role == .client ? masks.next() : nil, to: &scratch)
        let frame = UnsafeRawBufferPointer(scratch.readable)
        if flush { stream.write(frame) } else { stream.enqueue(frame) }
        scratch.removeAll()
        scratch.shrinkIfEmpty()
        checkOutput(stream)
    }

    private func checkOutput(_ stream: SocketStream) {
        let waiting = stream.pendingOutput
        if waiting > configuration.outputMax {
            let error = NetworkError.outputOverflow(limit: configuration.outputMax)
            state = .lingering
            loop.defer { [self] in end(.network(error), isClean: false) }
        } else if let limit = configuration.pauseReadingAbove, waiting > limit, !stream.isReadingPaused {
            stream.pauseReading()
        }
    }

    // MARK: - Receiving

    private func parse(_ stream: SocketStream) {
        // A handler that runs the loop's follow-up must not start a second reading of the same bytes.
        if isDelivering { return }
        isDelivering = true
        defer { isDelivering = false }
        while (state == .open || state == .closing) && !stream.isReadingPaused {
            do throws(WebSocketViolation) {
                let (consumed, event) = try parser.next(stream.input.readable)
                if case .needsMore = event { return }
                deliver(event)
                stream.input.consume(consumed)
            } catch {
                violated(error)
                return
            }
        }
        if state == .lingering || state == .closed { stream.input.removeAll() }
    }

    private func deliver(_ event: WebSocketParser.Event) {
        switch event {
        case .needsMore, .fragment: break
        case .message(let kind, let bytes):
            guard state == .open else { return }
            lastMessageAt = loop.now
            handler?.webSocket(self, received: kind, bytes)
        case .ping(let payload):
            guard state == .open else { return }
            transmit(.pong, payload)
            handler?.webSocket(self, ping: payload)
        case .pong(let payload): handler?.webSocket(self, pong: payload)
        case .close(let code, let reason): closeReceived(code, reason)
        }
    }

    private func startKeepAlive() {
        guard configuration.pingInterval != nil || configuration.idleTimeout != nil else { return }
        let interval = configuration.pingInterval ?? Nanoseconds.seconds(1)
        let step = min(interval, configuration.idleTimeout.map { max($0 / 4, 1) } ?? interval)
        var lastPing = loop.now
        func tick() {
            guard state == .open else { return }
            let now = loop.now
            if let limit = configuration.idleTimeout, now - lastReceivedAt > limit {
                end(.network(.timedOut(.idle)), isClean: false)
                return
            }
            if let interval = configuration.pingInterval, now - lastPing >= interval {
                lastPing = now
                ping()
            }
            keepAlive = loop.schedule(after: step, tick)
        }
        keepAlive = loop.schedule(after: step, tick)
    }

    // MARK: - Closing

    /// Begins the close handshake. `webSocketClosed` follows when the peer has answered, or has not in time.
    public func close(_ code: UInt16 = WebSocketCloseCode.normal, reason: String = "") {
        switch state {
        case .connecting, .handshaking:
            end(.network(.closed), isClean: false)
        case .open:
            sendClose(code, reason)
            state = .closing
            limit(configuration.closeTimeout, .network(.timedOut(.close)), isClean: false)
        case .closing, .lingering, .closed: return
        }
    }

    /// Ends at once, without a word to the peer or the handler.
    public func drop() {
        handler = nil
        end(.network(.closed), isClean: false)
    }

    private func sendClose(_ code: UInt16?, _ reason: String) {
        var payload: [UInt8] = []
        if let code {
            // Cut between characters: a control frame holds 125 bytes.
            var cut = reason
            while cut.utf8.count > 123 { cut.removeLast() }
            payload = [UInt8(code >> 8), UInt8(code & 0xff)] + Array(cut.utf8)
        }
        payload.withUnsafeBytes { transmit(.close, $0) }
    }

    private func closeReceived(_ code: UInt16?, _ reason: String) {
        if state == .open { sendClose(code, "") }
        // Both have said it, unless ours could not leave any more. The server ends the stream first (RFC 6455
        // §7.1.1), the client waits for that.
        let isClean = stream?.isOpen ?? false
        closure = WebSocketClosure(cause: .closeFrame(code, reason: reason), isClean: isClean)
        state = .lingering
        if role == .server { stream?.shutdownWriting() }
        limit(configuration.closeTimeout, .closeFrame(code, reason: reason), isClean: true)
    }

    private func violated(_ violation: WebSocketViolation) {
        if state == .open { sendClose(violation.closeCode, violation.description) }
        fail(.violation(violation))
    }

    /// Gives up, but drains what the peer still sends for a while: to close upon unread bytes would reset the
    /// connection, and the peer would never see the reason.
    private func fail(_ cause: WebSocketClosure.Cause) {
        closure = WebSocketClosure(cause: cause, isClean: false)
        state = .lingering
        stream?.input.removeAll()
        stream?.resumeReading()
        stream?.shutdownWriting()
        limit(configuration.lingerTimeout, cause, isClean: false)
    }

    private func limit(_ time: Int64, _ cause: WebSocketClosure.Cause, isClean: Bool) {
        loop.cancel(timer)
        timer = loop.schedule(after: time) { [self] in end(cause, isClean: isClean) }
    }

    private func end(_ cause: WebSocketClosure.Cause, isClean: Bool) {
        guard state != .closed else { return }
        state = .closed
        loop.cancel(timer)
        loop.cancel(keepAlive)
        timer = nil
        client?.cancel()
        client = nil
        var ending = closure ?? WebSocketClosure(cause: cause, isClean: isClean)
        // A peer that reads nothing has not had our close frame, whatever it sent itself.
        if pendingOutput > 0 { ending.isClean = false }
        stream?.close()
        let told = handler
        handler = nil
        told?.webSocketClosed(self, ending)
    }
}

extension WebSocketConnection: StreamHandler {
    func streamReceived(_ stream: SocketStream) {
        lastReceivedAt = loop.now
        if state == .handshaking { continueHandshake(stream) }
        switch state {
        case .open, .closing: parse(stream)
        case .lingering, .closed: stream.input.removeAll()
        case .connecting, .handshaking: break
        }
    }

    func streamCaughtUp(_ stream: SocketStream) {
        if state == .open { handler?.webSocketCaughtUp(self) }
    }

    func streamDrained(_ stream: SocketStream) {
        if stream.isReadingPaused { stream.resumeReading() }
        if state == .open { handler?.webSocketDrained(self) }
    }

    func streamEnded(_ stream: SocketStream) {
        if state == .handshaking, let client {
            end(.handshake(client.ended()), isClean: false)
            return
        }
        end(.network(.endOfStream), isClean: false)
    }

    func streamFailed(_ stream: SocketStream, _ error: NetworkError) {
        end(state == .handshaking ? .handshake(.network(error)) : .network(error), isClean: false)
    }
}
