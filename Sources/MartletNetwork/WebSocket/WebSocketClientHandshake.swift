/// A client's way to an open WebSocket: connection, request, answer.
final class WebSocketClientHandshake {
    private let url: HTTPURL
    private let headers: HTTPHeaders
    private let subprotocols: [String]
    private let configuration: WebSocketConfiguration
    private let key = WebSocketHandshake.makeKey()
    private var parser: HTTPResponseParser
    private var connector: Connector?
    private var refusal: HTTPResponseHead?
    private var body: [UInt8] = []
    private(set) var request: [UInt8] = []
    private(set) var subprotocol: String?

    init(
        _ url: HTTPURL, _ headers: HTTPHeaders, _ subprotocols: [String],
        _ configuration: WebSocketConfiguration
    ) {
        self.url = url
        self.headers = headers
        self.subprotocols = subprotocols
        self.configuration = configuration
        parser = HTTPResponseParser(method: "GET", limits: configuration.limits, allowsUpgrade: true)
    }

    /// Connects. `done` is called once, later.
    func start(
        _ loop: EventLoop, tls: TLSContext?,
        done: @escaping (Result<SocketStream, WebSocketHandshakeError>) -> Void
    ) {
        do throws(WebSocketHandshakeError) {
            guard url.isWebSocket else { throw .invalidURL(url.description) }
            request = try WebSocketHandshake.request(
                url, key: key, headers: headers, subprotocols: subprotocols)
        } catch {
            loop.defer { done(.failure(error)) }
            return
        }
        connector = Connector(
            loop, to: url.endpoint, tls: url.endpoint.isSecure ? tls : nil,
            timeout: configuration.handshakeTimeout
        ) { result in done(result.mapError { .network($0) }) }
    }

    func cancel() {
        connector?.cancel()
        connector = nil
    }

    /// Takes in what has come. True when the socket is open and what is left are frames.
    func received(_ input: inout ByteBuffer) throws(WebSocketHandshakeError) -> Bool {
        while true {
            let bytes = UnsafeRawBufferPointer(input.readable)
            let (consumed, event) = try next(bytes)
            if case .body(let from) = event {
                let room = max(0, configuration.refusalBodyMax - body.count)
                body.append(contentsOf: bytes[from..<consumed].prefix(room))
            }
            input.consume(consumed)
            switch event {
            case nil: return false
            case .interim, .body: continue
            case .head(let head):
                if head.status == 101 {
                    subprotocol = try WebSocketHandshake.check(
                        head.headers, key: key, subprotocols: subprotocols)
                    return true
                }
                refusal = head
            case .end: throw ended()
            }
        }
    }

    private func next(
        _ bytes: UnsafeRawBufferPointer
    ) throws(WebSocketHandshakeError) -> (consumed: Int, event: HTTPResponseParser.Event?) {
        do throws(HTTPParseError) {
            return try parser.next(bytes)
        } catch {
            throw .malformed(error)
        }
    }

    /// What it means that the stream, or the refusal, has ended.
    func ended() -> WebSocketHandshakeError {
        guard let refusal else { return .network(.endOfStream) }
        return .refused(status: refusal.status, headers: refusal.headers, body: body)
    }
}
