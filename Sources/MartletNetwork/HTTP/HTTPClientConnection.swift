/// One HTTP/1.1 connection of a client, with one request in flight at most. Loop-thread only.
final class HTTPClientConnection: StreamHandler {
    /// What became of the request in flight.
    enum Outcome {
        case response(HTTPResponse)
        /// - Parameter deadIdle: the connection had served before and broke without a byte of response.
        case failure(HTTPClientError.Kind, deadIdle: Bool)
    }

    private struct Flight {
        let exchange: HTTPExchange
        var parser: HTTPResponseParser
        var head: HTTPResponseHead?
        var body: [UInt8] = []
        let markBefore: Int64
        let sentAt: Int64
        var firstByteAt: Int64 = 0
        var isWritten: Bool
    }

    private let loop: EventLoop
    private let configuration: HTTPClientConfiguration
    private let stream: SocketStream
    private var flight: Flight?
    private var timer: TimerID?
    private(set) var isUsable = true
    private(set) var served = 0
    private(set) var idleSince: Int64
    /// Told when a request is done (the connection can be used again or not), or an idle one has died.
    private let ended: (HTTPClientConnection, HTTPExchange?, Outcome?) -> Void

    init(
        _ stream: SocketStream, _ configuration: HTTPClientConfiguration,
        ended: @escaping (HTTPClientConnection, HTTPExchange?, Outcome?) -> Void
    ) {
        loop = stream.loop
        self.stream = stream
        self.configuration = configuration
        self.ended = ended
        idleSince = loop.now
        stream.handler = self
    }

    /// Looks whether the server has closed an idle connection, or sent what nobody asked for, in the
    /// meantime.
    func checkIdle() -> Bool {
        if loop.now - idleSince > configuration.idleTimeout { retire() }
        if isUsable, !stream.isQuiet { stream.readAvailable() }
        if !stream.isOpen || stream.peerHasEnded { retire() }
        return isUsable
    }

    /// Sends the request. Its outcome comes through `ended`, never from inside this call.
    func send(_ exchange: HTTPExchange) {
        precondition(flight == nil && isUsable, "one request in flight a connection")
        let (now, mark) = (loop.refreshNow(), stream.sentMark)
        // The stream calls nobody from inside a write: what awaits the answer is made while the request is on its way.
        exchange.bytes.withUnsafeBytes { stream.write($0) }
        let isWritten = stream.pendingOutput == 0
        if isWritten { exchange.writtenAt = Clocks.monotonic() }
        flight = Flight(
            exchange: exchange,
            parser: HTTPResponseParser(method: exchange.method, limits: configuration.limits),
            markBefore: mark, sentAt: now, isWritten: isWritten)
        exchange.place = .active(self)
        noteSent()
        if isWritten {
            limit(.firstByte, configuration.firstByteTimeout)
        } else {
            limit(.write, configuration.writeTimeout)
        }
    }

    /// Closes without a word to `ended`, for the owner.
    func close() { _ = release() }

    /// Closes, and gives the request in flight back to the owner to be ended.
    func release() -> HTTPExchange? {
        noteSent()
        let exchange = flight?.exchange
        flight = nil
        retire()
        return exchange
    }

    /// Ends the request in flight with `kind`, and the connection with it.
    func interrupt(_ kind: HTTPClientError.Kind) { fail(kind, byUser: true) }

    private func retire() {
        isUsable = false
        loop.cancel(timer)
        timer = nil
        stream.close()
    }

    private func noteSent() {
        guard let flight, stream.sentMark != flight.markBefore else { return }
        flight.exchange.mayHaveLeft = true
    }

    private func limit(_ phase: NetworkPhase, _ timeout: Int64) {
        loop.cancel(timer)
        timer = loop.schedule(at: loop.now + timeout) { [self] in fail(.network(.timedOut(phase))) }
    }

    // MARK: - Stream

    func streamReceived(_ stream: SocketStream) {
        guard flight != nil else {
            // Nothing was asked: whatever this is, it must not become the answer to the next request.
            retire()
            ended(self, nil, nil)
            return
        }
        if flight?.firstByteAt == 0 {
            flight?.firstByteAt = loop.now
            if flight?.isWritten == true {
                loop.cancel(timer)
                timer = nil
            }
        }
        do throws(HTTPParseError) {
            try parse()
        } catch {
            fail(.malformed(error))
        }
    }

    private func parse() throws(HTTPParseError) {
        while flight != nil {
            let bytes = UnsafeRawBufferPointer(stream.input.readable)
            guard let (consumed, event) = try flight?.parser.next(bytes) else { return }
            if case .body(let from) = event {
                flight?.body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[from..<consumed]))
            }
            stream.input.consume(consumed)
            switch event {
            case nil: return
            case .interim, .body: continue
            case .head(let head):
                flight?.head = head
                if let text = head.headers["Content-Length"], let length = Int(text), length < 1 << 20 {
                    flight?.body.reserveCapacity(length)
                }
            case .end: complete()
            }
        }
    }

    func streamDrained(_ stream: SocketStream) {
        guard flight != nil, flight?.isWritten == false else { return }
        noteSent()
        flight?.exchange.writtenAt = Clocks.monotonic()
        flight?.isWritten = true
        if flight?.firstByteAt == 0 {
            limit(.firstByte, configuration.firstByteTimeout)
        } else {
            loop.cancel(timer)
        }
    }

    func streamEnded(_ stream: SocketStream) {
        guard flight != nil else {
            retire()
            ended(self, nil, nil)
            return
        }
        do throws(HTTPParseError) {
            if try flight?.parser.streamEnded() == .end { complete() }
        } catch {
            guard flight?.parser.hasStarted == false else {
                fail(.malformed(error))
                return
            }
            fail(.network(.endOfStream))
        }
    }

    func streamFailed(_ stream: SocketStream, _ error: NetworkError) {
        guard flight != nil else {
            retire()
            ended(self, nil, nil)
            return
        }
        fail(.network(error))
    }

    // MARK: - Outcome

    private func complete() {
        guard let done = flight, let head = done.head else { return }
        flight = nil
        noteSent()
        loop.cancel(timer)
        timer = nil
        served += 1
        idleSince = loop.now
        // Kept only if nothing is left over on either side: no unsent request, no byte after the response.
        let isClean = stream.pendingOutput == 0 && stream.input.isEmpty && done.parser.isSelfDelimited
        if !isClean || !head.keepsAlive || !stream.isOpen || stream.peerHasEnded { retire() }
        let response = HTTPResponse(
            status: head.status, reason: head.reason, headers: head.headers, body: done.body,
            sentAt: done.sentAt, firstByteAt: done.firstByteAt)
        done.exchange.mayHaveLeft = true
        ended(self, done.exchange, .response(response))
    }

    private func fail(_ kind: HTTPClientError.Kind, byUser: Bool = false) {
        guard let broken = flight else { return }
        noteSent()
        flight = nil
        retire()
        var isDisconnect = false
        if case .network(let error) = kind {
            if case .timedOut = error {} else { isDisconnect = true }
        }
        let deadIdle = !byUser && served > 0 && isDisconnect && !broken.parser.hasStarted
        ended(self, broken.exchange, .failure(kind, deadIdle: deadIdle))
    }
}
