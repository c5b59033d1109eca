/// Why a WebSocket did not open.
public enum WebSocketHandshakeError: Error, Equatable, Sendable, CustomStringConvertible {
    case invalidURL(String)
    case network(NetworkError)
    case malformed(HTTPParseError)
    /// The server answered with another status than 101. The body is cut at a limit.
    case refused(status: Int, headers: HTTPHeaders, body: [UInt8])
    case badUpgrade
    case badConnection
    case badAccept
    /// The server chose an extension; none is ever offered.
    case unofferedExtension(String)
    case unofferedSubprotocol(String)
    case invalidRequest(String)

    public var description: String {
        switch self {
        case .invalidURL(let text): "\(text) is no WebSocket address"
        case .network(let error): error.description
        case .malformed(let error): "the handshake's answer is refused: \(error)"
        case .refused(let status, _, _): "the server refused the WebSocket with status \(status)"
        case .badUpgrade: "the handshake's answer has no right Upgrade header"
        case .badConnection: "the handshake's answer has no right Connection header"
        case .badAccept: "the handshake's answer has no right Sec-WebSocket-Accept header"
        case .unofferedExtension(let name): "the server chose the extension \(name), which was not offered"
        case .unofferedSubprotocol(let name):
            "the server chose the subprotocol \(name), which was not offered"
        case .invalidRequest(let text): "the handshake cannot be sent: \(text)"
        }
    }
}

/// The opening handshake of RFC 6455 §4, both sides, as pure functions.
enum WebSocketHandshake {
    static let identifier = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    static func makeKey() -> String { Base64.encode(SecureRandom.bytes(16)) }

    static func accept(for key: String) -> String {
        Base64.encode(Digest.sha1((key + identifier).utf8))
    }

    static func request(
        _ url: HTTPURL, key: String, headers: HTTPHeaders, subprotocols: [String]
    ) throws(WebSocketHandshakeError) -> [UInt8] {
        do throws(HTTPClientError.Kind) {
            var bytes = try HTTPRequest.head("GET", url.target, url.endpoint)
            bytes += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n".utf8
            bytes += "Sec-WebSocket-Key: \(key)\r\n".utf8
            if !subprotocols.isEmpty {
                let list = HTTPHeaders.Field("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", "))
                try HTTPRequest.append(list, to: &bytes)
            }
            for field in headers.fields {
                let isOwn = HTTPRequest.ownHeaders.contains { HTTPHeaders.same($0, field.name) }
                guard !isOwn, !field.name.lowercased().hasPrefix("sec-websocket-") else {
                    throw .invalidRequest("\(field.name) is set by the handshake itself")
                }
                try HTTPRequest.append(field, to: &bytes)
            }
            bytes += "\r\n".utf8
            return bytes
        } catch {
            throw .invalidRequest(error.description)
        }
    }

    /// Checks a 101's headers. The subprotocol chosen, if any.
    static func check(
        _ headers: HTTPHeaders, key: String, subprotocols: [String]
    ) throws(WebSocketHandshakeError) -> String? {
        guard headers.tokens("Upgrade") == ["websocket"] else { throw .badUpgrade }
        guard headers.tokens("Connection").contains("upgrade") else { throw .badConnection }
        guard headers.all("Sec-WebSocket-Accept") == [accept(for: key)] else { throw .badAccept }
        if let named = headers.tokens("Sec-WebSocket-Extensions").first { throw .unofferedExtension(named) }
        let chosen = headers.all("Sec-WebSocket-Protocol")
        guard let first = chosen.first else { return nil }
        guard chosen.count == 1, subprotocols.contains(first) else { throw .unofferedSubprotocol(first) }
        return first
    }

    /// What a server makes of a request to upgrade.
    enum Judgement: Equatable {
        /// The value of `Sec-WebSocket-Accept`.
        case accepted(String)
        case refused(status: Int, String)
    }

    static func judge(_ request: HTTPRequestHead) -> Judgement {
        let headers = request.headers
        guard request.method == "GET", request.minorVersion == 1 else {
            return .refused(status: 400, "a WebSocket opens with GET and HTTP/1.1")
        }
        guard headers.tokens("Upgrade").contains("websocket"),
            headers.tokens("Connection").contains("upgrade")
        else { return .refused(status: 426, "Upgrade: websocket and Connection: Upgrade are needed") }
        guard headers.all("Sec-WebSocket-Version") == ["13"] else {
            return .refused(status: 426, "Sec-WebSocket-Version must be 13")
        }
        let keys = headers.all("Sec-WebSocket-Key")
        guard keys.count == 1, let key = keys.first, Base64.decode(key)?.count == 16 else {
            return .refused(status: 400, "Sec-WebSocket-Key must be 16 bytes in base64")
        }
        return .accepted(accept(for: key))
    }
}
