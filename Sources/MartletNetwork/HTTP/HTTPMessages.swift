/// A request to be sent.
public struct HTTPRequest: Sendable {
    public var method: String
    public var endpoint: Endpoint
    /// Path and query, already encoded.
    public var target: String
    /// `Host`, `Content-Length`, `Connection` and `Accept-Encoding` are the client's affair.
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// Whether it may be sent again when a connection that had been idle turns out to be dead. At first what
    /// RFC 9110 says of the method; never true for POST and PATCH unless set so.
    public var isIdempotent: Bool

    public init(
        _ method: String, _ endpoint: Endpoint, _ target: String, headers: HTTPHeaders = [:],
        body: [UInt8] = []
    ) {
        self.method = method
        self.endpoint = endpoint
        self.target = target
        self.headers = headers
        self.body = body
        isIdempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"].contains(method)
    }

    public init(_ method: String, _ url: HTTPURL, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.init(method, url.endpoint, url.target, headers: headers, body: body)
    }

    static let ownHeaders = [
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "Expect", "Upgrade",
    ]

    /// The request as bytes. Refused is whatever could end a line or a field early.
    func encoded() throws(HTTPClientError.Kind) -> [UInt8] {
        var bytes = try HTTPRequest.head(method, target, endpoint)
        for field in headers.fields {
            guard !HTTPRequest.ownHeaders.contains(where: { HTTPHeaders.same($0, field.name) }) else {
                throw .invalidRequest("\(field.name) is set by the client itself")
            }
            try HTTPRequest.append(field, to: &bytes)
        }
        bytes += "Accept-Encoding: identity\r\n".utf8
        if !body.isEmpty || method == "POST" || method == "PUT" || method == "PATCH" {
            bytes += "Content-Length: \(body.count)\r\n".utf8
        }
        bytes += "\r\n".utf8
        bytes += body
        return bytes
    }

    /// Request line and `Host`.
    static func head(
        _ method: String, _ target: String, _ endpoint: Endpoint
    ) throws(HTTPClientError.Kind) -> [UInt8] {
        guard !method.isEmpty, method.utf8.allSatisfy(ASCII.isToken), method != "CONNECT" else {
            throw .invalidRequest("the method \(method) cannot be sent")
        }
        guard target.hasPrefix("/") || target == "*", target.utf8.allSatisfy(ASCII.isVisible) else {
            throw .invalidRequest("the target must begin with / and hold no space or control character")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes += "\(method) \(target) HTTP/1.1\r\n".utf8
        try append(HTTPHeaders.Field("Host", endpoint.hostHeader), to: &bytes)
        return bytes
    }

    static func append(_ field: HTTPHeaders.Field, to bytes: inout [UInt8]) throws(HTTPClientError.Kind) {
        guard !field.name.isEmpty, field.name.utf8.allSatisfy(ASCII.isToken),
            field.value.utf8.allSatisfy(ASCII.isFieldContent)
        else { throw .invalidRequest("the header \(field.name) cannot be sent") }
        bytes += field.name.utf8
        bytes += ": ".utf8
        bytes += field.value.utf8
        bytes += "\r\n".utf8
    }
}

/// A response with its whole body, undecoded. Redirects come as they are.
public struct HTTPResponse: Sendable {
    public let status: Int
    public let reason: String
    public let headers: HTTPHeaders
    public let body: [UInt8]
    /// The loop's monotonic time when the request went out and when the response's first byte came.
    public let sentAt: Int64
    public let firstByteAt: Int64
}

/// Why a request has no response.
public struct HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: Error, Equatable, Sendable, CustomStringConvertible {
        case network(NetworkError)
        /// The server's answer is not HTTP/1.1 as it should be.
        case malformed(HTTPParseError)
        case invalidRequest(String)
        /// All connections are busy and the queue is full.
        case poolExhausted
        case cancelled

        public var description: String {
            switch self {
            case .network(let error): error.description
            case .malformed(let error): "the response is refused: \(error)"
            case .invalidRequest(let text): "the request cannot be sent: \(text)"
            case .poolExhausted: "too many requests wait for a connection"
            case .cancelled: "cancelled"
            }
        }
    }

    public let kind: Kind
    /// False only where it is certain that no byte of the request left. True is "unknown": the server may
    /// or may not have acted on it.
    public let requestMayHaveReachedServer: Bool

    public var description: String { kind.description }
}
