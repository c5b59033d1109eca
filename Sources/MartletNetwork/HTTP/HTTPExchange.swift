/// One request's way through the client. Loop-thread only.
public final class HTTPExchange {
    enum Place {
        case waiting
        case active(HTTPClientConnection)
        case finished
    }

    let method: String
    let endpoint: Endpoint
    let isIdempotent: Bool
    let bytes: [UInt8]
    var place = Place.waiting
    /// Set once bytes of it may have left, on whatever connection.
    var mayHaveLeft = false
    /// When the kernel had taken the request's last byte, on the monotonic clock; 0 before.
    public internal(set) var writtenAt: Int64 = 0
    var wasRetried = false
    /// After a retry: only a connection made since will do.
    var needsFreshConnection = false
    var deadline: TimerID?
    private var completion: ((Result<HTTPResponse, HTTPClientError>) -> Void)?
    private weak var client: HTTPClient?

    init(
        _ client: HTTPClient?, method: String, endpoint: Endpoint, isIdempotent: Bool, bytes: [UInt8],
        completion: @escaping (Result<HTTPResponse, HTTPClientError>) -> Void
    ) {
        self.client = client
        self.method = method
        self.endpoint = endpoint
        self.isIdempotent = isIdempotent
        self.bytes = bytes
        self.completion = completion
    }

    /// Gives up. The completion is called with `cancelled`; a connection in use is closed.
    public func cancel() { client?.abandon(self, .cancelled) }

    func finish(_ result: Result<HTTPResponse, HTTPClientError>) {
        place = .finished
        guard let completion else { return }
        self.completion = nil
        completion(result)
    }

    func fail(_ kind: HTTPClientError.Kind) {
        finish(.failure(HTTPClientError(kind: kind, requestMayHaveReachedServer: mayHaveLeft)))
    }
}
