import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where a client connects to, and how.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A name or a numeric address, without brackets.
    public var host: String
    public var port: UInt16
    public var isSecure: Bool

    public init(host: String, port: UInt16, isSecure: Bool) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
    }

    public var description: String { "\(isSecure ? "tls" : "tcp")://\(host):\(port)" }
}

/// Brings one connection up: name, TCP (each address in turn), TLS, all within one time limit.
final class Connector: EventHandler, StreamHandler {
    private static let resolverQueue = DispatchQueue(label: "martlet.resolver", attributes: .concurrent)

    private let loop: EventLoop
    private let endpoint: Endpoint
    private let context: TLSContext?
    private var completion: ((Result<SocketStream, NetworkError>) -> Void)?
    private var addresses: ArraySlice<SocketAddress> = []
    private var descriptor: Int32 = -1
    private var registration: Registration?
    private var stream: SocketStream?
    private var timer: TimerID?
    private var attemptTimer: TimerID?
    private let deadline: Int64
    private var isHandshaking = false

    /// Begins. `completion` is called once, later, with an open stream whose handler is still to be set.
    @discardableResult
    init(
        _ loop: EventLoop, to endpoint: Endpoint, tls context: TLSContext?, timeout: Int64,
        completion: @escaping (Result<SocketStream, NetworkError>) -> Void
    ) {
        self.loop = loop
        self.endpoint = endpoint
        self.context = context
        self.completion = completion
        deadline = loop.refreshNow() + timeout
        timer = loop.schedule(at: deadline) { [self] in
            finish(.failure(.timedOut(isHandshaking ? .handshake : .connect)))
        }
        loop.defer { [self] in resolve() }
    }

    /// Gives up; `completion` is not called.
    func cancel() {
        completion = nil
        release()
    }

    // MARK: - Name

    private func resolve() {
        guard completion != nil else { return }
        if endpoint.isSecure && context == nil {
            finish(.failure(.tls(.configuration("no TLS settings for \(endpoint)"))))
            return
        }
        if SocketAddress.isNumeric(endpoint.host) {
            resolved(
                Result { () throws(NetworkError) in
                    try SocketAddress.resolve(endpoint.host, port: endpoint.port, flags: AI_NUMERICHOST)
                })
            return
        }
        let bound = LoopBound(self)
        Connector.resolverQueue.async { [loop, endpoint] in
            let result = Result { () throws(NetworkError) in
                try SocketAddress.resolve(endpoint.host, port: endpoint.port)
            }
            loop.execute { bound.value.resolved(result) }
        }
    }

    private func resolved(_ result: Result<[SocketAddress], NetworkError>) {
        guard completion != nil else { return }
        switch result {
        case .success(let found):
            addresses = found[...]
            connectNext(after: .unresolved(host: endpoint.host, reason: "no address"))
        case .failure(let error): finish(.failure(error))
        }
    }

    // MARK: - TCP

    private func connectNext(after error: NetworkError) {
        closeAttempt()
        guard let address = addresses.popFirst() else {
            finish(.failure(error))
            return
        }
        do {
            descriptor = try SocketOperations.open(family: address.family)
            SocketOperations.setNoDelay(descriptor)
            let result = address.withSockaddr { connect(descriptor, $0, $1) }
            if result == 0 {
                connected()
                return
            }
            let code = errno
            guard code == EINPROGRESS || code == EINTR else {
                connectNext(after: .system(SystemError("connect", code)))
                return
            }
            registration = try loop.register(descriptor, for: .writable, self)
        } catch {
            connectNext(after: .system(error))
            return
        }
        guard !addresses.isEmpty else { return }
        // A silent address leaves the others their share of the time.
        let share = (deadline - loop.refreshNow()) / Int64(addresses.count + 1)
        attemptTimer = loop.schedule(after: share) { [self] in connectNext(after: .timedOut(.connect)) }
    }

    func ready(_ readiness: Readiness) {
        let code = SocketOperations.pendingError(descriptor)
        guard code == 0 else {
            connectNext(after: .system(SystemError("connect", code)))
            return
        }
        connected()
    }

    private func connected() {
        if let registration { loop.unregister(registration) }
        registration = nil
        loop.cancel(attemptTimer)
        let connected = descriptor
        descriptor = -1
        do throws(SystemError) {
            var session: TLSSession?
            if endpoint.isSecure, let context {
                do throws(TLSError) {
                    session = try TLSSession(
                        context, descriptor: connected, host: endpoint.host, port: endpoint.port)
                } catch {
                    SocketOperations.close(connected)
                    finish(.failure(.tls(error)))
                    return
                }
            }
            isHandshaking = session != nil
            let stream = SocketStream(loop, descriptor: connected, tls: session, handler: self)
            self.stream = stream
            try stream.start()
            if session == nil { streamOpened(stream) }
        } catch {
            finish(.failure(.system(error)))
        }
    }

    // MARK: - TLS

    func streamOpened(_ stream: SocketStream) {
        finish(.success(stream))
    }

    func streamReceived(_ stream: SocketStream) {}
    func streamEnded(_ stream: SocketStream) { finish(.failure(.endOfStream)) }
    func streamFailed(_ stream: SocketStream, _ error: NetworkError) { finish(.failure(error)) }

    // MARK: - End

    private func finish(_ result: Result<SocketStream, NetworkError>) {
        guard let completion else { return }
        self.completion = nil
        if case .success = result { stream = nil }
        release()
        completion(result)
    }

    private func release() {
        loop.cancel(timer)
        timer = nil
        addresses = []
        closeAttempt()
        stream?.close()
        stream = nil
    }

    private func closeAttempt() {
        loop.cancel(attemptTimer)
        attemptTimer = nil
        if let registration { loop.unregister(registration) }
        registration = nil
        if descriptor >= 0 { SocketOperations.close(descriptor) }
        descriptor = -1
    }
}
