import Testing

@testable import MartletNetwork

@Suite struct HTTPRequestParserTests {
    /// Methods and bodies of the requests in `text`, or the error, for one way of cutting it.
    static func parse(_ text: String, piece: Int) -> Result<[String], HTTPParseError> {
        let bytes = text.bytes
        var parser = HTTPRequestParser(limits: HTTPLimits())
        var found: [String] = []
        var pending: [UInt8] = []
        var head: HTTPRequestHead?
        var body: [UInt8] = []
        return Result { () throws(HTTPParseError) in
            for start in stride(from: 0, to: bytes.count, by: piece) {
                pending += bytes[start..<min(start + piece, bytes.count)]
                while true {
                    let step = pending.withUnsafeBytes { raw in
                        Result { () throws(HTTPParseError) in try parser.next(raw) }
                    }
                    let (consumed, event) = try step.get()
                    if case .body(let from) = event { body += pending[from..<consumed] }
                    pending.removeFirst(consumed)
                    guard let event else { break }
                    if case .head(let new) = event { head = new }
                    if case .end = event, let head {
                        found.append("\(head.method) \(head.target) \(String(decoding: body, as: UTF8.self))")
                        body = []
                    }
                }
            }
            return found
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET / "]),
        (
            "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /a?b=c ", "GET /d "]
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nokDELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",
            ["POST / ok", "DELETE /x "]
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            ["POST / ok!"]
        ),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET / "]),
        ("GET / HTTP/1.0\r\n\r\n", ["GET / "]),
    ])
    func accepts(_ text: String, _ requests: [String]) throws {
        for piece in [1, 2, 5, 1000] { #expect(try Self.parse(text, piece: piece).get() == requests) }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", HTTPParseError.badHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badStartLine),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .badStartLine),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .badStartLine),
        ("GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", .badStartLine),
        ("GET / HTTP/1.3\r\nHost: a\r\n\r\n", .badVersion),
        ("GET /\r\n\r\n", .badStartLine),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badStartLine),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .lengthAndTransferEncoding
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            .repeatedContentLength
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", .unsupportedTransferEncoding),
        ("GET / HTTP/1.1\nHost: a\n\n", .badLineEnd),
    ])
    func refuses(_ text: String, _ error: HTTPParseError) {
        for piece in [1, 2, 5, 1000] {
            #expect(throws: error) { try Self.parse(text, piece: piece).get() }
        }
    }

    @Test(
        arguments: [
            ("http://a", "a", 80, "/"), ("https://A.B:8443/x?y#z", "a.b", 8443, "/x?y"),
            ("ws://[::1]:9/s", "::1", 9, "/s"),
            ("wss://h?q", "h", 443, "/?q"),
        ] as [(String, String, Int, String)])
    func takesAddressesApart(_ text: String, _ host: String, _ port: Int, _ target: String) throws {
        let url = try #require(HTTPURL(text))
        #expect(url.endpoint.host == host && Int(url.endpoint.port) == port && url.target == target)
    }

    @Test(arguments: [
        "", "a", "http//a", "ftp://a", "http://", "http://u@h/", "http://h:0/", "http://h:65536",
        "http://h:x", "http://[::1",
        "http://[x]/", "http://h /", "http://a:1:2/", "http://h\u{7}/",
    ])
    func refusesAddresses(_ text: String) { #expect(HTTPURL(text) == nil) }

    @Test func headersCannotBeInjected() {
        let endpoint = Endpoint(host: "h", port: 80, isSecure: false)
        for (name, value) in [
            ("A", "b\r\nC: d"), ("A\r\nB", "c"), ("A", "b\u{0}"), ("A b", "c"), ("", "c"), ("Host", "x"),
        ] {
            var headers = HTTPHeaders()
            headers.append(name, value)
            #expect(throws: HTTPClientError.Kind.self) {
                try HTTPRequest("GET", endpoint, "/", headers: headers).encoded()
            }
        }
        for target in ["", "x", "/a b", "/a\r\n", "/\u{e9}"] {
            #expect(throws: HTTPClientError.Kind.self) { try HTTPRequest("GET", endpoint, target).encoded() }
        }
    }
}
