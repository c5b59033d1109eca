/// The start line and fields of a response.
public struct HTTPResponseHead: Equatable, Sendable {
    public let status: Int
    public let reason: String
    public let headers: HTTPHeaders
    let minorVersion: Int

    /// Whether the server means to keep the connection after this response.
    var keepsAlive: Bool {
        let tokens = headers.tokens("Connection")
        if tokens.contains("close") { return false }
        return minorVersion == 1 || tokens.contains("keep-alive")
    }
}

/// A pure reader of one response: bytes in, events out. It keeps no bytes.
///
/// `next` is given what has not been consumed yet and says how much of it the event took.
struct HTTPResponseParser {
    enum Event: Equatable {
        case interim(HTTPResponseHead)
        case head(HTTPResponseHead)
        /// The consumed bytes are body from `from` on.
        case body(from: Int)
        case end
    }

    private enum State {
        case head(HTTPHeadReader)
        case body(HTTPBodyReader)
        case done
    }

    private let method: String
    private let limits: HTTPLimits
    private let allowsUpgrade: Bool
    private var state: State
    private var interims = 0
    /// The body's end is told by the framing and not by the stream's end.
    private(set) var isSelfDelimited = true
    private(set) var hasStarted = false

    init(method: String, limits: HTTPLimits = HTTPLimits(), allowsUpgrade: Bool = false) {
        self.method = method
        self.limits = limits
        self.allowsUpgrade = allowsUpgrade
        state = .head(HTTPHeadReader(bytesMax: limits.headBytes))
    }

    mutating func next(
        _ bytes: UnsafeRawBufferPointer
    ) throws(HTTPParseError) -> (consumed: Int, event: Event?) {
        if !bytes.isEmpty { hasStarted = true }
        switch state {
        case .head(var reader):
            guard let length = try reader.length(bytes) else {
                state = .head(reader)
                try HTTPResponseParser.checkStart(bytes)
                return (0, nil)
            }
            let head = try parseHead(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            return (length, try begin(head))
        case .body(var reader):
            let step = try reader.next(bytes)
            state = .body(reader)
            switch step {
            case .needsMore: return (0, nil)
            case .skip(let count):
                let (more, event) = try next(UnsafeRawBufferPointer(rebasing: bytes[count...]))
                if case .body(let from) = event { return (count + more, .body(from: count + from)) }
                return (count + more, event)
            case .data(let count): return (count, .body(from: 0))
            case .end:
                state = .done
                return (0, .end)
            }
        case .done: return (0, nil)
        }
    }

    /// The stream has ended in good order: `end` where that ends the body, an error inside a message.
    mutating func streamEnded() throws(HTTPParseError) -> Event? {
        switch state {
        case .head: throw .unexpectedEnd
        case .body(let reader):
            try reader.end()
            state = .done
            return .end
        case .done: return nil
        }
    }

    /// A peer that does not speak HTTP is found out at its first bytes.
    private static func checkStart(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) {
        guard zip(bytes, "HTTP/".utf8).allSatisfy({ $0 == $1 }) else { throw .badStartLine }
        guard zip(bytes.dropFirst(5), "1.".utf8).allSatisfy({ $0 == $1 }) else { throw .badVersion }
    }

    private func parseHead(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> HTTPResponseHead {
        let (start, headers) = try HTTPHeadReader.split(bytes, headerCountMax: limits.headerCount)
        guard start.count >= 12 else { throw .badStartLine }
        let minor = try HTTPHeadReader.minorVersion(UnsafeRawBufferPointer(rebasing: start[..<8]))
        guard start[8] == ASCII.space else { throw .badStartLine }
        let digits = start[9..<12]
        guard digits.allSatisfy(ASCII.isDigit) else { throw .badStatus }
        let status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        // Above 599 means nothing, and is to be taken as 5xx (RFC 9110 §15).
        guard status >= 100 else { throw .badStatus }
        guard start.count == 12 || start[12] == ASCII.space else { throw .badStatus }
        let reason = start.dropFirst(13)
        guard reason.allSatisfy(ASCII.isFieldContent) else { throw .badStartLine }
        return HTTPResponseHead(
            status: status, reason: String(decoding: reason, as: UTF8.self), headers: headers,
            minorVersion: minor)
    }

    private mutating func begin(_ head: HTTPResponseHead) throws(HTTPParseError) -> Event {
        if head.status == 101 {
            guard allowsUpgrade, head.minorVersion == 1 else { throw .unexpectedUpgrade }
            state = .done
            return .head(head)
        }
        if head.status < 200 {
            interims += 1
            guard interims <= limits.interimResponses else { throw .tooManyInterimResponses }
            state = .head(HTTPHeadReader(bytesMax: limits.headBytes))
            return .interim(head)
        }
        // Judged even where no body follows: a contradiction shows a broken or hostile server.
        let stated = try HTTPBodyReader.framing(head.headers, minorVersion: head.minorVersion)
        let hasBody = method != "HEAD" && head.status != 204 && head.status != 304
        let framing: HTTPBodyReader.Framing = hasBody ? stated ?? .untilClose : .none
        isSelfDelimited = framing != .untilClose
        state = .body(try HTTPBodyReader(framing, limits: limits))
        return .head(head)
    }
}
