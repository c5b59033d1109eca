/// How far a peer may go before it is refused.
public struct HTTPLimits: Equatable, Sendable {
    /// Start line and fields together.
    public var headBytes = 64 * 1024
    public var headerCount = 256
    /// One chunk's size with its extensions.
    public var chunkLineBytes = 1024
    /// All chunk extensions of one body: they carry nothing, so much of them is an attack.
    public var chunkExtensionBytes = 16 * 1024
    public var trailerBytes = 8 * 1024
    public var bodyBytes = 256 * 1024 * 1024
    /// Interim (1xx) responses before the real one.
    public var interimResponses = 16

    public init() {}
}

/// What is wrong with an HTTP/1.1 message.
public enum HTTPParseError: Error, Equatable, Sendable, CustomStringConvertible {
    case badStartLine
    case badVersion
    case badStatus
    case badHeaderName
    case badHeaderValue
    /// A field continued on a second line, which is a way to smuggle.
    case foldedHeader
    /// A line that does not end in CR LF.
    case badLineEnd
    case headTooLarge
    case tooManyHeaders
    case badContentLength
    case repeatedContentLength
    case lengthAndTransferEncoding
    case unsupportedTransferEncoding
    case badChunk
    case chunkTooLong
    case trailersTooLarge
    case bodyTooLarge
    case tooManyInterimResponses
    case unexpectedUpgrade
    /// The stream ended before the message did.
    case unexpectedEnd
    case badHost

    public var description: String {
        switch self {
        case .badStartLine: "the start line is malformed"
        case .badVersion: "the version is not HTTP/1.0 or HTTP/1.1"
        case .badStatus: "the status is malformed"
        case .badHeaderName: "a header's name is malformed"
        case .badHeaderValue: "a header's value holds a forbidden character"
        case .foldedHeader: "a header is continued on a second line"
        case .badLineEnd: "a line does not end in CR LF"
        case .headTooLarge: "the headers are too large"
        case .tooManyHeaders: "there are too many headers"
        case .badContentLength: "Content-Length is no plain number in range"
        case .repeatedContentLength: "Content-Length is given more than once"
        case .lengthAndTransferEncoding: "Content-Length and Transfer-Encoding are both given"
        case .unsupportedTransferEncoding: "Transfer-Encoding is not plainly chunked"
        case .badChunk: "a chunk is malformed"
        case .chunkTooLong: "a chunk's size or extensions are too long"
        case .trailersTooLarge: "the trailers are too large"
        case .bodyTooLarge: "the body is larger than allowed"
        case .tooManyInterimResponses: "there are too many interim responses"
        case .unexpectedUpgrade: "the peer switched protocols unasked"
        case .unexpectedEnd: "the stream ended inside a message"
        case .badHost: "the Host header is missing, repeated or malformed"
        }
    }
}
