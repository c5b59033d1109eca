import Testing

@testable import MartletNetwork

/// Runs a response parser over bytes that come in the given pieces.
struct ParsedResponse: Equatable {
    var statuses: [Int] = []
    var body: [UInt8] = []
    var isComplete = false
    var leftOver = 0
    var error: HTTPParseError?

    static func of(
        _ bytes: [UInt8], pieces: [Int], method: String = "GET", limits: HTTPLimits = HTTPLimits(),
        thenEnds: Bool = true
    ) -> ParsedResponse {
        var result = ParsedResponse()
        var parser = HTTPResponseParser(method: method, limits: limits)
        var pending: [UInt8] = []
        var position = 0
        do throws(HTTPParseError) {
            for piece in pieces {
                let next = min(position + piece, bytes.count)
                pending += bytes[position..<next]
                position = next
                try result.drain(&parser, &pending)
            }
            if thenEnds, !result.isComplete, try parser.streamEnded() == .end { result.isComplete = true }
        } catch {
            // How much was passed on before the error depends on the cuts.
            result = ParsedResponse(error: error)
        }
        result.leftOver = result.isComplete ? pending.count + bytes.count - position : 0
        return result
    }

    private mutating func drain(
        _ parser: inout HTTPResponseParser, _ pending: inout [UInt8]
    ) throws(HTTPParseError) {
        while !isComplete {
            let step = pending.withUnsafeBytes { raw in
                Result { () throws(HTTPParseError) in try parser.next(raw) }
            }
            let (consumed, event) = try step.get()
            if case .body(let from) = event { body += pending[from..<consumed] }
            pending.removeFirst(consumed)
            switch event {
            case nil: return
            case .interim(let head), .head(let head): statuses.append(head.status)
            case .body: break
            case .end: isComplete = true
            }
        }
    }
}

@Suite struct HTTPResponseParserTests {
    /// However the bytes are cut, the outcome is the same.
    static func everyWay(
        _ text: String, method: String = "GET", limits: HTTPLimits = HTTPLimits()
    ) -> ParsedResponse {
        let bytes = text.bytes
        let whole = ParsedResponse.of(bytes, pieces: [bytes.count], method: method, limits: limits)
        for size in [1, 2, 3, 7] {
            let cut = ParsedResponse.of(
                bytes, pieces: Array(repeating: size, count: bytes.count / size + 1), method: method,
                limits: limits)
            #expect(cut == whole, "in pieces of \(size): \(text.debugDescription)")
        }
        for first in 0...bytes.count {
            let cut = ParsedResponse.of(
                bytes, pieces: [first, bytes.count - first], method: method, limits: limits)
            #expect(cut == whole, "cut at \(first): \(text.debugDescription)")
        }
        return whole
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 0),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA", "hello", 5),
        ("HTTP/1.1 200 OK\r\nContent-Length:\t0005 \r\n\r\nhello", "hello", 0),
        ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 0),
        ("HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok", "ok", 0),
        ("HTTP/1.0 200 OK\r\n\r\nuntil close", "until close", 0),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            "hello world", 0
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n00A;x=\"y\" ; z\r\n0123456789\r\n0\r\nA: b\r\n\r\n",
            "0123456789", 0
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            "x", 0
        ),
        ("HTTP/1.1 999 Strange\r\nContent-Length: 1\r\n\r\nx", "x", 0),
        ("HTTP/1.1 204 No Content\r\n\r\n", "", 0),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "", 0),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "", 0),
    ])
    func accepts(_ text: String, _ body: String, _ leftOver: Int) {
        let result = Self.everyWay(text)
        #expect(result.error == nil && result.isComplete)
        #expect(result.body == body.bytes)
        #expect(result.leftOver == leftOver)
    }

    @Test func headHasNoBody() {
        let result = Self.everyWay("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", method: "HEAD")
        #expect(result.isComplete && result.body.isEmpty && result.error == nil)
    }

    @Test(arguments: [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            HTTPParseError.repeatedContentLength
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", .repeatedContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", .repeatedContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551621\r\n\r\nhello", .badContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", .bodyTooLarge),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            .lengthAndTransferEncoding
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unsupportedTransferEncoding),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            .unsupportedTransferEncoding
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", .unsupportedTransferEncoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n", .unsupportedTransferEncoding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .unsupportedTransferEncoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n", .badChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", .chunkTooLong),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\n", .chunkTooLong),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", .bodyTooLarge),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n", .badHeaderName),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .foldedHeader),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", .badHeaderName),
        ("HTTP/1.1 200 OK\r\n: b\r\n\r\n", .badHeaderName),
        ("HTTP/1.1 200 OK\r\nnocolon\r\n\r\n", .badHeaderName),
        ("HTTP/1.1 200 OK\r\nA: b\u{0}c\r\n\r\n", .badHeaderValue),
        ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", .badHeaderValue),
        ("HTTP/1.1 200 OK\nA: b\n\n", .badLineEnd),
        ("HTTP/1.1 200 OK\r\nA: b\n\r\n", .badLineEnd),
        ("HTTP/1.1 2000 OK\r\n\r\n", .badStatus),
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatus),
        ("HTTP/1.1 099 OK\r\n\r\n", .badStatus),
        ("HTTP/1.1 +20 OK\r\n\r\n", .badStatus),
        ("HTTP/1.2 200 OK\r\n\r\n", .badVersion),
        ("HTTP/2.0 200 OK\r\n\r\n", .badVersion),
        ("ICY 200 OK\r\n\r\n", .badStartLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .badStartLine),
        ("HTTP/1.1  200 OK\r\n\r\n", .badStatus),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", .unexpectedUpgrade),
        ("HTTP/1.1 200 OK\r\nContent-Le", .unexpectedEnd),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", .unexpectedEnd),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .unexpectedEnd),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", .unexpectedEnd),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .unexpectedEnd),
        ("HTTP/1.1 100 Continue\r\n\r\n", .unexpectedEnd),
        ("", .unexpectedEnd),
    ])
    func refuses(_ text: String, _ error: HTTPParseError) {
        #expect(Self.everyWay(text).error == error, "\(text.debugDescription)")
    }

    @Test func limitsHold() {
        var limits = HTTPLimits()
        limits.headBytes = 200
        limits.headerCount = 3
        limits.bodyBytes = 10
        limits.trailerBytes = 30
        limits.chunkLineBytes = 20
        limits.chunkExtensionBytes = 10
        limits.interimResponses = 2
        func error(_ text: String) -> HTTPParseError? { Self.everyWay(text, limits: limits).error }
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let interim = "HTTP/1.1 100 C\r\n\r\n"
        #expect(error("HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 300))\r\n\r\n") == .headTooLarge)
        #expect(error("HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 300))") == .headTooLarge)
        #expect(error("HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n") == .tooManyHeaders)
        #expect(error("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n") == .bodyTooLarge)
        #expect(error("HTTP/1.0 200 OK\r\n\r\nabcdefghijkl") == .bodyTooLarge)
        #expect(error(chunked + "6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n") == .bodyTooLarge)
        #expect(error(chunked + "1;" + String(repeating: "e", count: 30)) == .chunkTooLong)
        #expect(error(chunked + "1;eeee\r\na\r\n1;eeee\r\na\r\n1;eeee\r\na\r\n0\r\n\r\n") == .chunkTooLong)
        #expect(error(chunked + "0\r\nA: \(String(repeating: "x", count: 50))\r\n\r\n") == .trailersTooLarge)
        #expect(error(interim + interim + interim) == .tooManyInterimResponses)
    }
}
