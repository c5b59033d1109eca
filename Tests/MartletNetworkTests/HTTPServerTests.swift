import Testing

@testable import MartletNetwork

@Suite struct HTTPServerTests {
    final class Fixture: HTTPServerHandler {
        let test: TestLoop
        var server: HTTPServer?
        var seen: [HTTPServerRequest] = []
        var answer: (HTTPServerRequest, HTTPResponder) -> Void = { request, responder in
            responder.respond(200, text: "\(request.method) \(request.path) \(request.body.count)")
        }

        init(_ change: (inout HTTPServerConfiguration) -> Void = { _ in }) throws {
            test = try TestLoop()
            var configuration = HTTPServerConfiguration()
            change(&configuration)
            server = try HTTPServer(
                test.loop, on: try Loopback.address(), configuration: configuration, handler: self)
        }

        func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
            seen.append(request)
            answer(request, responder)
        }

        var port: UInt16 { server?.address.port ?? 0 }

        func peer() throws -> RawPeer { try RawPeer(test, port) }
    }

    @Test func answersAPipelineInOrder() throws {
        let fixture = try Fixture()
        let peer = try fixture.peer()
        let requests = (0..<500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        peer.send(requests)
        try fixture.test.run { peer.responses == 500 }
        let text = peer.text
        let paths = text.split(separator: "GET /").dropFirst().map { $0.prefix { $0 != " " } }
        #expect(paths.map(String.init) == (0..<500).map(String.init))
    }

    @Test func lateAnswersKeepTheOrder() throws {
        let fixture = try Fixture()
        var held: [HTTPResponder] = []
        fixture.answer = { _, responder in held.append(responder) }
        let peer = try fixture.peer()
        peer.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        try fixture.test.run { held.count == 1 }
        try fixture.test.run(milliseconds: 20)
        #expect(held.count == 1, "the second waits for the first's answer")
        held[0].respond(200, text: "one")
        try fixture.test.run { held.count == 2 }
        held[1].respond(404, text: "two")
        try fixture.test.run { peer.text.hasSuffix("two") }
        #expect(peer.text.contains("one"))
    }

    @Test func bodiesComeWholeAndContinueIsSaid() throws {
        let fixture = try Fixture()
        let peer = try fixture.peer()
        peer.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        try fixture.test.run { peer.text == "HTTP/1.1 100 Continue\r\n\r\n" }
        peer.send("he")
        try fixture.test.run(milliseconds: 10)
        peer.send("lloPOST /q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        try fixture.test.run { fixture.seen.count == 2 && peer.responses == 3 }
        #expect(fixture.seen.map(\.body) == ["hello".bytes, "abc".bytes])
    }

    @Test func headGetsNoBodyAndOldClientsAreClosed() throws {
        let fixture = try Fixture()
        let peer = try fixture.peer()
        peer.send("HEAD /h HTTP/1.0\r\n\r\n")
        try fixture.test.run { peer.hasEnded }
        #expect(peer.text.hasSuffix("\r\n\r\n") && peer.text.contains("Content-Length: 9"))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505),
        ("nonsense\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 40000))\r\n\r\n", 431),
    ])
    func refusesAndCloses(_ text: String, _ status: Int) throws {
        let fixture = try Fixture()
        let peer = try fixture.peer()
        peer.send(text)
        try fixture.test.run { peer.hasEnded }
        #expect(peer.text.hasPrefix("HTTP/1.1 \(status) "))
        #expect(fixture.seen.isEmpty)
    }

    @Test func slowSendersAndIdlersAreCutOff() throws {
        let fixture = try Fixture {
            $0.requestTimeout = Nanoseconds.milliseconds(60)
            $0.idleTimeout = Nanoseconds.milliseconds(60)
            $0.lingerTimeout = Nanoseconds.milliseconds(10)
        }
        let (slow, idle) = (try fixture.peer(), try fixture.peer())
        slow.send("GET / HT")
        try fixture.test.run { slow.hasEnded && idle.hasEnded }
        #expect(slow.text.hasPrefix("HTTP/1.1 408 "))
        #expect(idle.text.isEmpty)
        try fixture.test.run { fixture.server?.connectionCount == 0 }
    }

    @Test func forgottenRequestsAreAnswered() throws {
        let fixture = try Fixture()
        fixture.answer = { _, _ in }
        let peer = try fixture.peer()
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try fixture.test.run { peer.hasEnded }
        #expect(peer.text.hasPrefix("HTTP/1.1 500 "))
    }

    @Test func peerThatDoesNotReadIsHeldBack() throws {
        let fixture = try Fixture {
            $0.outputHighWater = 100_000
            $0.writeTimeout = Nanoseconds.milliseconds(300)
        }
        fixture.answer = { _, responder in
            responder.respond(200, body: [UInt8](repeating: 1, count: 1_000_000))
        }
        let peer = try fixture.peer()
        peer.stream.pauseReading()
        for _ in 0..<200 { peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        try fixture.test.run { fixture.server?.connectionCount == 1 }
        try fixture.test.run { fixture.server?.connectionCount == 0 }
        #expect(fixture.seen.count < 30, "responses beyond the high water mark were not made")
    }

    @Test func connectionsAreLimited() throws {
        let fixture = try Fixture { $0.connectionsMax = 3 }
        let peers = try (0..<5).map { _ in try fixture.peer() }
        try fixture.test.run { peers.filter { $0.hasEnded || $0.failed }.count == 2 }
        #expect(fixture.server?.connectionCount == 3)
    }

    /// Full: who has asked nothing gives way to who comes, and where all have asked, who is idle.
    @Test func silentConnectionsGiveWay() throws {
        let fixture = try Fixture {
            $0.connectionsMax = 2
            $0.crowdedIdleTimeout = 0
        }
        func ask(_ peer: RawPeer) throws {
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try fixture.test.run { peer.responses == 1 }
        }
        let served = try fixture.peer()
        try ask(served)
        let silent = try fixture.peer()
        let second = try fixture.peer()
        try fixture.test.run { silent.hasEnded || silent.failed }
        try ask(second)
        #expect(!served.hasEnded && !served.failed)
        let third = try fixture.peer()
        try ask(third)
        #expect(served.hasEnded || served.failed, "the longest idle goes where all have asked")
    }

    @Test func refusalsAreWordedByTheOwner() throws {
        let fixture = try Fixture {
            $0.refusal = { status, _ in (["X-Kind": "own"], "told \(status)".bytes) }
        }
        let peer = try fixture.peer()
        peer.send("nonsense\r\n\r\n")
        try fixture.test.run { peer.hasEnded }
        #expect(peer.text.contains("X-Kind: own") && peer.text.hasSuffix("told 400"))
    }
}

/// A bare TCP client.
final class RawPeer: StreamHandler {
    let stream: SocketStream
    private(set) var received: [UInt8] = []
    private(set) var hasEnded = false
    private(set) var failed = false
    private var connector: Connector?

    init(_ test: TestLoop, _ port: UInt16) throws {
        var opened: SocketStream?
        var failure: NetworkError?
        let endpoint = Endpoint(host: "127.0.0.1", port: port, isSecure: false)
        Connector(test.loop, to: endpoint, tls: nil, timeout: Nanoseconds.seconds(5)) { result in
            switch result {
            case .success(let stream): opened = stream
            case .failure(let error): failure = error
            }
        }
        try test.run { opened != nil || failure != nil }
        stream = try #require(opened)
        stream.handler = self
    }

    deinit { stream.close() }

    var text: String { String(decoding: received, as: UTF8.self) }
    var responses: Int { text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: true).count }

    func send(_ text: String) { send(text.bytes) }
    func send(_ bytes: [UInt8]) { bytes.withUnsafeBytes { stream.write($0) } }

    func streamReceived(_ stream: SocketStream) {
        received += stream.input.readable
        stream.input.consume(stream.input.count)
    }
    func streamEnded(_ stream: SocketStream) { hasEnded = true }
    func streamFailed(_ stream: SocketStream, _ error: NetworkError) { failed = true }
}
