import CSystem

/// What a stream tells its user. Never called from inside `write`, `flush` or `close`.
protocol StreamHandler: AnyObject {
    /// TCP is connected and TLS, if any, agreed.
    func streamOpened(_ stream: SocketStream)
    /// New bytes are at the end of `stream.input`; what the handler is done with it consumes.
    func streamReceived(_ stream: SocketStream)
    /// What was readable has been handed over; the peer has sent no more yet.
    func streamCaughtUp(_ stream: SocketStream)
    /// All output has been given to the kernel, after some had to wait.
    func streamDrained(_ stream: SocketStream)
    /// The peer ended its side in good order. This side can still write.
    func streamEnded(_ stream: SocketStream)
    /// The stream broke; it is closed after this call.
    func streamFailed(_ stream: SocketStream, _ error: NetworkError)
}

extension StreamHandler {
    func streamOpened(_ stream: SocketStream) {}
    func streamCaughtUp(_ stream: SocketStream) {}
    func streamDrained(_ stream: SocketStream) {}
}

/// One connected TCP socket, plain or TLS, on an event loop: a receive buffer read in place, and writes that
/// go straight to the kernel and wait in a buffer only when it is full. Loop-thread only.
final class SocketStream: EventHandler {
    /// Room made for one read: a TLS record and more.
    static let readSize = 64 * 1024
    /// A receive buffer of more than this many reads is given back once it is empty.
    static let keptInput = 16
    /// Reads of one stream in one pass; then the other streams have their turn.
    static let readsPerPass = 16

    private enum State {
        case handshaking
        case open
        case closed
    }

    let loop: EventLoop
    private(set) var descriptor: Int32
    /// The user, kept alive while the stream is open.
    var handler: (any StreamHandler)?
    private var tls: TLSSession?
    private var state: State
    private var registration: Registration?
    private var interest: Readiness = []
    var input: ByteBuffer
    private var output: ByteBuffer
    private var receivedEnd = false
    private var failure: NetworkError?
    private var shutdownRequested = false
    private var followUpDue = false
    private let readSize: Int

    /// Moves on whenever bytes may have left: the kernel took some, or TLS has a record half written.
    private(set) var sentMark: Int64 = 0
    /// Acknowledges what was read once it has been acted on, rather than from inside the read: for a stream of
    /// messages whose answers go elsewhere. Saves the reader 3 µs.
    var acknowledgesLate = false
    /// Reading stops while this is set; the peer is held back by TCP.
    private(set) var isReadingPaused = false

    /// Takes over a connected descriptor, and closes it in the end.
    init(
        _ loop: EventLoop, descriptor: Int32, tls: TLSSession?, handler: (any StreamHandler)?,
        readSize: Int = SocketStream.readSize
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.tls = tls
        self.handler = handler
        self.readSize = readSize
        state = tls == nil ? .open : .handshaking
        input = ByteBuffer(capacity: readSize)
        output = ByteBuffer(capacity: 4 * 1024)
        SocketOperations.setNoDelay(descriptor)
    }

    deinit {
        if descriptor >= 0 { SocketOperations.close(descriptor) }
    }

    /// Registers with the loop and begins the handshake. A plain stream is open at once, without a call.
    func start() throws(SystemError) {
        interest = .readable
        registration = try loop.register(descriptor, for: interest, self)
        if state == .handshaking { continueHandshake() }
    }

    var isOpen: Bool { state == .open && failure == nil }
    var pendingOutput: Int { output.count }
    var peerHasEnded: Bool { receivedEnd }
    var wasResumed: Bool { tls?.wasResumed ?? false }
    var tlsVersion: String? { tls?.version }

    // MARK: - Events

    func ready(_ readiness: Readiness) {
        switch state {
        case .closed: return
        case .handshaking: continueHandshake()
        case .open:
            if readiness.contains(.writable) { flushOutput() }
            if !readiness.isDisjoint(with: [.readable, .failed, .hungUp]) { readAvailable() }
        }
    }

    private func continueHandshake() {
        guard let tls else { return }
        switch tls.handshake() {
        case .wantsRead: watch(.readable)
        case .wantsWrite: watch(.writable)
        case .failed(let error): fail(error)
        case .done:
            state = .open
            watch(.readable)
            handler?.streamOpened(self)
            flushOutput()
            // The peer's first bytes may have come along with its last of the handshake.
            if state == .open, tls.hasPending { readLater() }
        }
    }

    /// Nothing waits to be read, and the peer has not ended. Asks the system, unless the poller has just told.
    var isQuiet: Bool {
        guard state == .open, failure == nil, !receivedEnd, tls?.hasPending != true else { return false }
        if interest.contains(.readable), let registration, let waits = loop.waits(registration) {
            return !waits
        }
        return SocketOperations.isQuiet(descriptor)
    }

    /// Reads what is there, at most a pass's share, and hands it over.
    func readAvailable() {
        var reads = 0
        while state == .open && !isReadingPaused && !receivedEnd {
            if reads == SocketStream.readsPerPass {
                readLater()
                return
            }
            reads += 1
            input.reserve(readSize)
            let space = input.writable
            let result = tls?.read(into: space) ?? SocketOperations.receive(descriptor, space)
            switch result {
            case .bytes(let count):
                input.produced(count)
                handler?.streamReceived(self)
                let mayHaveMore = tls.map(\.hasPending) ?? (count == space.count)
                if mayHaveMore { continue }
                caughtUp()
                return
            case .wouldBlock:
                caughtUp()
                return
            case .end:
                receivedEnd = true
                watchAsNeeded()
                handler?.streamEnded(self)
            case .failed(let error):
                fail(error)
            }
        }
    }

    private func caughtUp() {
        // One huge message must not hold its memory for the connection's whole life.
        if input.capacity > readSize * SocketStream.keptInput { input.shrinkIfEmpty() }
        if state == .open { handler?.streamCaughtUp(self) }
        if acknowledgesLate, state == .open { csystem_acknowledge(descriptor) }
    }

    /// Comes back to reading in the next pass, for bytes of which the kernel will not tell.
    private func readLater() {
        if followUpDue { return }
        followUpDue = true
        loop.defer { [self] in
            followUpDue = false
            if state == .open { readAvailable() }
        }
    }

    private func fail(_ error: NetworkError) {
        if state == .closed { return }
        let told = handler
        close()
        told?.streamFailed(self, error)
    }

    // MARK: - Reading

    func pauseReading() {
        isReadingPaused = true
        watchAsNeeded()
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        watchAsNeeded()
        // Bytes may wait in the input or inside TLS.
        loop.defer { [self] in
            guard state == .open, !isReadingPaused else { return }
            if !input.isEmpty { handler?.streamReceived(self) }
            if state == .open { readAvailable() }
        }
    }

    // MARK: - Writing

    /// Sends `bytes`: as much as the kernel takes at once, the rest when it can. A failure is told later,
    /// through the handler.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard state != .closed, failure == nil, !shutdownRequested else { return }
        guard state == .open, output.isEmpty else {
            output.append(bytes)
            flush()
            return
        }
        var rest = bytes
        while !rest.isEmpty {
            switch writeOnce(rest) {
            case .bytes(let count): rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            case .wouldBlock, .end:
                output.append(rest)
                watchAsNeeded()
                return
            case .failed(let error):
                failLater(error)
                return
            }
        }
    }

    /// Puts `bytes` behind what waits, to leave with the next `flush` or `write` in one system call.
    func enqueue(_ bytes: UnsafeRawBufferPointer) {
        guard state != .closed, failure == nil, !shutdownRequested else { return }
        output.append(bytes)
    }

    func flush() {
        guard state == .open, failure == nil, !output.isEmpty, !interest.contains(.writable) else { return }
        flushOutput()
    }

    private func flushOutput() {
        if output.isEmpty && !shutdownRequested { return }
        let waited = interest.contains(.writable)
        while !output.isEmpty {
            switch writeOnce(UnsafeRawBufferPointer(output.readable)) {
            case .bytes(let count): output.consume(count)
            case .wouldBlock, .end:
                watchAsNeeded()
                return
            case .failed(let error):
                failLater(error)
                return
            }
        }
        output.shrinkIfEmpty()
        watchAsNeeded()
        if shutdownRequested { finishWriting() }
        if waited { handler?.streamDrained(self) }
    }

    private func writeOnce(_ bytes: UnsafeRawBufferPointer) -> IOResult {
        let result = tls?.write(bytes) ?? SocketOperations.send(descriptor, bytes)
        switch result {
        case .bytes(let count): sentMark += Int64(count)
        case .wouldBlock where tls != nil: sentMark += 1
        default: break
        }
        return result
    }

    /// A failed write is not the end yet: the peer's last words may still be readable.
    private func failLater(_ error: NetworkError) {
        failure = error
        output.removeAll()
        watchAsNeeded()
        loop.defer { [self] in
            readAvailable()
            fail(error)
        }
    }

    /// Ends this side after what waits has been sent; the peer can still send.
    func shutdownWriting() {
        guard state == .open, !shutdownRequested else { return }
        shutdownRequested = true
        if output.isEmpty { finishWriting() }
    }

    private func finishWriting() {
        tls?.shutdown()
        SocketOperations.shutdownWriting(descriptor)
    }

    // MARK: - Closing

    /// Closes at once, without a call to the handler. What still waited is lost.
    func close() { close(politely: true) }

    /// Closes without TLS's closing word, as a broken or hostile peer does.
    func abandon() { close(politely: false) }

    private func close(politely: Bool) {
        guard state != .closed else { return }
        if politely && state == .open && !shutdownRequested && failure == nil { tls?.shutdown() }
        state = .closed
        if let registration { loop.unregister(registration) }
        registration = nil
        SocketOperations.close(descriptor)
        descriptor = -1
        handler = nil
    }

    private func watchAsNeeded() {
        guard state == .open else { return }
        var wanted: Readiness = []
        if !isReadingPaused && !receivedEnd { wanted.insert(.readable) }
        if !output.isEmpty && failure == nil { wanted.insert(.writable) }
        watch(wanted)
    }

    private func watch(_ wanted: Readiness) {
        guard wanted != interest, let registration else { return }
        interest = wanted
        loop.update(registration, for: wanted)
    }
}
