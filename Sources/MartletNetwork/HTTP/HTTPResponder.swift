/// The way back for one request's answer. Loop-thread only; the first answer counts, later ones are ignored.
public final class HTTPResponder {
    private weak var connection: HTTPServerConnection?
    private let request: HTTPRequestHead
    public private(set) var isAnswered = false

    init(_ connection: HTTPServerConnection, _ request: HTTPRequestHead) {
        self.connection = connection
        self.request = request
    }

    deinit {
        // A handler that forgets a request must not leave its client waiting.
        if !isAnswered { connection?.answer(status: 500, headers: [:], body: [], closing: true) }
    }

    /// The peer is still there to be answered.
    public var isConnected: Bool { connection != nil }

    /// - Parameter closing: ends the connection after this response.
    public func respond(
        _ status: Int, headers: HTTPHeaders = [:], body: [UInt8] = [], closing: Bool = false
    ) {
        guard !isAnswered else { return }
        isAnswered = true
        connection?.answer(status: status, headers: headers, body: body, closing: closing)
        connection = nil
    }

    public func respond(_ status: Int, text: String, type: String = "text/plain; charset=utf-8") {
        respond(status, headers: ["Content-Type": type], body: Array(text.utf8))
    }

    /// Answers after the peer's input so far by closing the connection without a word: for a sandbox that
    /// simulates failures.
    public func abort() {
        guard !isAnswered else { return }
        isAnswered = true
        connection?.close()
        connection = nil
    }

    /// Completes a WebSocket's handshake and hands the connection over. Nil when the request is no right
    /// handshake (it has then been answered), or the peer is gone. No extension is ever accepted.
    /// - Parameter subprotocol: one of those the request offers, or nil.
    public func upgradeToWebSocket(
        subprotocol: String? = nil, headers: HTTPHeaders = [:],
        configuration: WebSocketConfiguration = WebSocketConfiguration(), handler: any WebSocketHandler
    ) -> WebSocketConnection? {
        guard !isAnswered, let connection else { return nil }
        switch WebSocketHandshake.judge(request) {
        case .refused(let status, let text):
            var refusal: HTTPHeaders = ["Content-Type": "text/plain", "Sec-WebSocket-Version": "13"]
            if status == 426 { refusal.append("Upgrade", "websocket") }
            respond(status, headers: refusal, body: Array(text.utf8))
            return nil
        case .accepted(let accept):
            isAnswered = true
            self.connection = nil
            var all: HTTPHeaders = [
                "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept,
            ]
            if let subprotocol { all.append("Sec-WebSocket-Protocol", subprotocol) }
            for field in headers.fields { all.append(field.name, field.value) }
            guard let stream = connection.handOver(all) else { return nil }
            return WebSocketConnection(stream, configuration: configuration, handler: handler)
        }
    }
}

/// Responses as bytes.
enum HTTPResponseEncoder {
    static let reasons: [Int: String] = [
        100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted",
        204: "No Content",
        301: "Moved Permanently", 302: "Found", 304: "Not Modified", 307: "Temporary Redirect",
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type",
        417: "Expectation Failed", 426: "Upgrade Required", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported",
    ]

    /// Head and body. Fields that could break out of their line are left out: they can only be a bug here.
    static func encode(
        _ status: Int, _ headers: HTTPHeaders, body: [UInt8], toHead: Bool, keepAlive: Bool
    ) -> [UInt8] {
        var bytes = Array("HTTP/1.1 \(status) \(reasons[status] ?? "Status")\r\n".utf8)
        bytes.reserveCapacity(256 + body.count)
        append(headers, to: &bytes)
        let mayHaveBody = status >= 200 && status != 204 && status != 304
        if mayHaveBody { bytes += "Content-Length: \(body.count)\r\n".utf8 }
        if status >= 200 && !keepAlive { bytes += "Connection: close\r\n".utf8 }
        bytes += "\r\n".utf8
        if mayHaveBody && !toHead { bytes += body }
        return bytes
    }

    private static func append(_ headers: HTTPHeaders, to bytes: inout [UInt8]) {
        for field in headers.fields where field.value.utf8.allSatisfy(ASCII.isFieldContent) {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(ASCII.isToken) else { continue }
            bytes += field.name.utf8
            bytes += ": ".utf8
            bytes += field.value.utf8
            bytes += "\r\n".utf8
        }
    }

    /// The status that tells a client what is wrong with its request.
    static func status(for error: HTTPParseError) -> Int {
        switch error {
        case .headTooLarge, .tooManyHeaders, .trailersTooLarge: 431
        case .bodyTooLarge: 413
        case .badVersion: 505
        case .unsupportedTransferEncoding: 501
        default: 400
        }
    }
}
