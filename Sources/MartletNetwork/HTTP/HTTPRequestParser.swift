/// The start line and fields of a request.
public struct HTTPRequestHead: Equatable, Sendable {
    public let method: String
    /// The target as sent: path and query, undecoded.
    public let target: String
    public let headers: HTTPHeaders
    let minorVersion: Int

    /// The target up to the query.
    public var path: String { String(Substring(target.utf8.prefix { $0 != UInt8(ascii: "?") })) }
    /// The query without its question mark; nil without one.
    public var query: String? {
        target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
    }

    var keepsAlive: Bool {
        let tokens = headers.tokens("Connection")
        if tokens.contains("close") { return false }
        return minorVersion == 1 || tokens.contains("keep-alive")
    }

    var expectsContinue: Bool { minorVersion == 1 && headers.tokens("Expect").contains("100-continue") }
}

/// A pure reader of the requests of one connection, one after the other.
struct HTTPRequestParser {
    enum Event: Equatable {
        case head(HTTPRequestHead)
        /// The consumed bytes are body from `from` on.
        case body(from: Int)
        case end
    }

    private enum State {
        case head(HTTPHeadReader)
        case body(HTTPBodyReader)
    }

    /// Empty lines that may stand before a request line, as some clients send after a body.
    static let blankLinesMax = 1

    private let limits: HTTPLimits
    private var state: State
    private var blankLines = 0

    init(limits: HTTPLimits) {
        self.limits = limits
        state = .head(HTTPHeadReader(bytesMax: limits.headBytes))
    }

    /// No byte of a further request has been taken in.
    var isBetweenRequests: Bool {
        if case .head = state { return true }
        return false
    }

    mutating func next(
        _ bytes: UnsafeRawBufferPointer
    ) throws(HTTPParseError) -> (consumed: Int, event: Event?) {
        switch state {
        case .head(var reader):
            guard let length = try reader.length(bytes) else {
                state = .head(reader)
                return (0, nil)
            }
            if length == 2 {
                blankLines += 1
                guard blankLines <= HTTPRequestParser.blankLinesMax else { throw .badStartLine }
                state = .head(HTTPHeadReader(bytesMax: limits.headBytes))
                let (more, event) = try next(UnsafeRawBufferPointer(rebasing: bytes[2...]))
                return (2 + more, event)
            }
            blankLines = 0
            let head = try parseHead(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            let framing = try HTTPBodyReader.framing(head.headers, minorVersion: head.minorVersion) ?? .none
            state = .body(try HTTPBodyReader(framing, limits: limits))
            return (length, .head(head))
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
                state = .head(HTTPHeadReader(bytesMax: limits.headBytes))
                return (0, .end)
            }
        }
    }

    private func parseHead(_ bytes: UnsafeRawBufferPointer) throws(HTTPParseError) -> HTTPRequestHead {
        let (start, headers) = try HTTPHeadReader.split(bytes, headerCountMax: limits.headerCount)
        let parts = start.split(separator: ASCII.space, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .badStartLine }
        let (method, target) = (parts[0], parts[1])
        guard !method.isEmpty, method.allSatisfy(ASCII.isToken) else { throw .badStartLine }
        guard !target.isEmpty, target.allSatisfy(ASCII.isVisible) else { throw .badStartLine }
        let minor = try HTTPHeadReader.minorVersion(UnsafeRawBufferPointer(rebasing: parts[2]))
        let hosts = headers.all("Host")
        guard hosts.count <= 1, minor == 0 || hosts.count == 1 else { throw .badHost }
        if let host = hosts.first, !host.utf8.allSatisfy(ASCII.isVisible) { throw .badHost }
        return HTTPRequestHead(
            method: String(decoding: method, as: UTF8.self), target: String(decoding: target, as: UTF8.self),
            headers: headers, minorVersion: minor)
    }
}
