import Testing

@testable import MartletNetwork

/// Notes what happens to a WebSocket.
final class WebSocketLog: WebSocketHandler {
    var opened = 0
    var texts: [String] = []
    var binaryBytes = 0
    var messages = 0
    var pings: [[UInt8]] = []
    var pongs: [[UInt8]] = []
    var caughtUp = 0
    var closure: WebSocketClosure?
    var onMessage: ((WebSocketConnection, WebSocketMessageKind, UnsafeRawBufferPointer) -> Void)?

    func webSocketOpened(_ socket: WebSocketConnection) { opened += 1 }
    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        messages += 1
        if kind == .text {
            texts.append(String(decoding: bytes, as: UTF8.self))
        } else {
            binaryBytes += bytes.count
        }
        onMessage?(socket, kind, bytes)
    }
    func webSocketCaughtUp(_ socket: WebSocketConnection) { caughtUp += 1 }
    func webSocket(_ socket: WebSocketConnection, ping payload: UnsafeRawBufferPointer) {
        pings.append(Array(payload))
    }
    func webSocket(_ socket: WebSocketConnection, pong payload: UnsafeRawBufferPointer) {
        pongs.append(Array(payload))
    }
    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        self.closure = closure
    }
}

/// Both sides in one loop.
final class WebSocketPair: HTTPServerHandler {
    let test: TestLoop
    let clientLog = WebSocketLog()
    let serverLog = WebSocketLog()
    var client: WebSocketConnection?
    var server: WebSocketConnection?
    var configuration: WebSocketConfiguration
    private var http: HTTPServer?

    init(
        tls: (client: TLSContext, server: TLSContext)? = nil, connect: Bool = true,
        _ change: (inout WebSocketConfiguration) -> Void = { _ in }
    ) throws {
        test = try TestLoop()
        configuration = WebSocketConfiguration()
        configuration.closeTimeout = Nanoseconds.milliseconds(300)
        change(&configuration)
        http = try HTTPServer(test.loop, on: try Loopback.address(), tls: tls?.server, handler: self)
        guard connect else { return }
        let url = try #require(HTTPURL("\(tls == nil ? "ws" : "wss")://localhost:\(port)/feed"))
        client = WebSocketConnection(
            test.loop, to: url, tls: tls?.client, configuration: configuration, handler: clientLog)
        try test.run { clientLog.opened == 1 && serverLog.opened == 1 }
    }

    var port: UInt16 { http?.address.port ?? 0 }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        server = responder.upgradeToWebSocket(configuration: configuration, handler: serverLog)
    }

    func peer() throws -> RawPeer {
        let peer = try RawPeer(test, port)
        peer.send(
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        try test.run { peer.text.hasSuffix("\r\n\r\n") }
        return peer
    }
}

@Suite struct WebSocketTests {
    let mask: [UInt8] = [1, 2, 3, 4]

    @Test func messagesAndPingsGoBothWays() throws {
        let pair = try WebSocketPair()
        pair.client?.send(text: "hello")
        pair.server?.send(text: "grüß")
        pair.client?.ping("heartbeat".bytes)
        pair.server?.ping("heartbeat".bytes)
        try pair.test.run { pair.clientLog.pongs.count == 1 && pair.serverLog.pongs.count == 1 }
        #expect(pair.serverLog.texts == ["hello"] && pair.clientLog.texts == ["grüß"])
        #expect(pair.clientLog.pings == ["heartbeat".bytes] && pair.clientLog.pongs == ["heartbeat".bytes])
        #expect(pair.clientLog.caughtUp > 0)
        pair.client?.close(1000, reason: "done")
        try pair.test.run { pair.clientLog.closure != nil && pair.serverLog.closure != nil }
        #expect(
            pair.serverLog.closure
                == WebSocketClosure(cause: .closeFrame(1000, reason: "done"), isClean: true))
        #expect(pair.clientLog.closure?.isClean == true)
    }

    @Test func largeMessagesEchoOverTLS() throws {
        let authority = try CertificateMaker.authority(named: "a")
        let key = try PrivateKey.generate(.ecdsaP256)
        let leaf = try authority.issue(TLSTests.good, key)
        let pair = try WebSocketPair(
            tls: (
                try TLSContext(clientTrusting: .pem(authority.certificate.pem)),
                try TLSContext(serverCertificates: [leaf], key: key)
            ))
        pair.serverLog.onMessage = { $0.send($1, $2) }
        let body = (0..<16 * 1024 * 1024).map { UInt8(truncatingIfNeeded: $0) }
        body.withUnsafeBytes { _ = pair.client?.send(.binary, $0) }
        try pair.test.run(seconds: 60) { pair.clientLog.messages == 1 || pair.clientLog.closure != nil }
        #expect(pair.clientLog.binaryBytes == body.count)
        pair.server?.close(1001)
        try pair.test.run { pair.clientLog.closure != nil }
        #expect(pair.clientLog.closure?.isClean == true)
    }

    @Test func manySmallMessagesInOneWrite() throws {
        let pair = try WebSocketPair()
        let frame = "tick".bytes.withUnsafeBytes { WebSocketConnection.serverFrame(.text, $0) }
        for _ in 0..<100_000 { _ = frame.withUnsafeBytes { pair.server?.send(prepared: $0, flush: false) } }
        pair.server?.flush()
        try pair.test.run { pair.clientLog.messages == 100_000 }
    }

    @Test func peersThatDoNotReadAreDropped() throws {
        let pair = try WebSocketPair(connect: false) { $0.outputMax = 100_000 }
        let peer = try pair.peer()
        peer.stream.pauseReading()
        let big = [UInt8](repeating: 1, count: 50_000)
        var taken = 0
        while big.withUnsafeBytes({ pair.server?.send(.binary, $0) }) == true, taken < 10_000 { taken += 1 }
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(pair.serverLog.closure?.cause == .network(.outputOverflow(limit: 100_000)))
    }

    @Test func floodOfPingsDoesNotFillMemory() throws {
        let pair = try WebSocketPair(connect: false) {
            $0.pauseReadingAbove = 50_000
            $0.outputMax = 1_000_000
        }
        let peer = try pair.peer()
        peer.stream.pauseReading()
        let ping = Frames.raw(0x89, [UInt8](repeating: 0x41, count: 125), mask: mask)
        for _ in 0..<100_000 { peer.send(ping) }
        try pair.test.run(milliseconds: 500)
        #expect(pair.serverLog.closure == nil)
        #expect((pair.server?.pendingOutput ?? 0) < 200_000)
        peer.stream.resumeReading()
        try pair.test.run { pair.serverLog.pings.count == 100_000 }
    }

    @Test func violationsAreAnsweredWithTheirCode() throws {
        let cases: [([UInt8], UInt16)] = [
            (Frames.raw(0x81, "x".bytes), 1002), (Frames.raw(0x83, [], mask: mask), 1002),
            (Frames.raw(0xc1, [], mask: mask), 1002), (Frames.raw(0x81, [0xff], mask: mask), 1007),
            ([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1009),
            (Frames.raw(0x88, [1], mask: mask), 1002),
            (Frames.raw(0x88, [0x03, 0xed], mask: mask), 1002),
        ]
        for (bytes, code) in cases {
            let pair = try WebSocketPair(connect: false)
            let peer = try pair.peer()
            let start = peer.received.count
            peer.send(bytes)
            try pair.test.run { peer.hasEnded }
            let answer = Array(peer.received[start...])
            #expect(answer.count >= 4 && answer[0] == 0x88)
            #expect(Int(answer[2]) << 8 | Int(answer[3]) == Int(code))
            peer.stream.close()
            try pair.test.run { pair.serverLog.closure != nil }
            #expect(pair.serverLog.closure?.isClean == false)
        }
    }

    @Test func aMessageOf65536FragmentsComesWhole() throws {
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        var bytes = Frames.raw(0x02, [7], mask: mask)
        for _ in 0..<65_534 { bytes += Frames.raw(0x00, [7], mask: mask) }
        bytes += Frames.raw(0x89, "in between".bytes, mask: mask)
        peer.send(bytes + Frames.raw(0x80, [7], mask: mask))
        try pair.test.run { pair.serverLog.messages == 1 || pair.serverLog.closure != nil }
        #expect(pair.serverLog.binaryBytes == 65_536)
        #expect(pair.serverLog.closure == nil)
        peer.stream.close()
        try pair.test.run { pair.serverLog.closure != nil }
    }

    @Test func closeFramesAreEchoedAndNothingBehindThemCounts() throws {
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        let start = peer.received.count
        peer.send(
            Frames.raw(0x88, [0x0b, 0xb8] + "why".bytes, mask: mask)
                + Frames.raw(0x81, "late".bytes, mask: mask))
        try pair.test.run { peer.hasEnded }
        #expect(Array(peer.received[start...]) == [0x88, 2, 0x0b, 0xb8])
        peer.stream.close()
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(
            pair.serverLog.closure == WebSocketClosure(cause: .closeFrame(3000, reason: "why"), isClean: true)
        )
        #expect(pair.serverLog.texts.isEmpty)
    }

    @Test func aCloseThatCouldNotBeAnsweredIsNotClean() throws {
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        peer.stream.pauseReading()
        let server = try #require(pair.server)
        let message = [UInt8](repeating: 7, count: 64 * 1024)
        // Until the kernel takes no more: the answer stands behind it.
        while server.pendingOutput == 0 { message.withUnsafeBytes { _ = server.send(.binary, $0) } }
        peer.send(Frames.raw(0x88, [0x03, 0xe8], mask: mask))
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(
            pair.serverLog.closure == WebSocketClosure(cause: .closeFrame(1000, reason: ""), isClean: false))
        peer.stream.close()
    }

    @Test func endWithoutCloseFrameIsNotClean() throws {
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        peer.stream.close()
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(pair.serverLog.closure == WebSocketClosure(cause: .network(.endOfStream), isClean: false))
    }

    @Test func unansweredCloseTimesOut() throws {
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        pair.server?.close()
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(
            pair.serverLog.closure == WebSocketClosure(cause: .network(.timedOut(.close)), isClean: false))
        withExtendedLifetime(peer) {}
    }

    @Test func silentPeersAreFoundOutByPing() throws {
        let pair = try WebSocketPair(connect: false) {
            $0.pingInterval = Nanoseconds.milliseconds(20)
            $0.idleTimeout = Nanoseconds.milliseconds(100)
        }
        let peer = try pair.peer()
        try pair.test.run { pair.serverLog.closure != nil }
        #expect(pair.serverLog.closure?.cause == .network(.timedOut(.idle)))
        #expect(peer.received.suffix(2) == [0x89, 0])
        let live = try WebSocketPair {
            $0.pingInterval = Nanoseconds.milliseconds(20)
            $0.idleTimeout = Nanoseconds.milliseconds(100)
        }
        try live.test.run(milliseconds: 300)
        #expect(live.clientLog.closure == nil && live.serverLog.closure == nil)
    }

    // MARK: - Handshakes

    /// What a client makes of a handshake's answer; `ACCEPT` in it is replaced by the right value.
    func handshake(_ answer: String, subprotocols: [String] = []) throws -> WebSocketLog {
        let test = try TestLoop()
        let log = WebSocketLog()
        let listener = HandshakeServer(answer)
        let server = try Listener(test.loop, on: try Loopback.address()) { listener.accept(test.loop, $0) }
        let url = try #require(HTTPURL("ws://127.0.0.1:\(server.address.port)/"))
        var configuration = WebSocketConfiguration()
        configuration.handshakeTimeout = Nanoseconds.milliseconds(400)
        let socket = WebSocketConnection(
            test.loop, to: url, subprotocols: subprotocols, tls: nil, configuration: configuration,
            handler: log)
        try test.run { log.opened > 0 || log.closure != nil }
        try test.run(milliseconds: 5)
        server.close()
        withExtendedLifetime(socket) {}
        return log
    }

    static let head = "HTTP/1.1 101 Switching Protocols\r\n"
    static let upgrade = "Upgrade: WebSocket\r\nConnection: foo, UPGRADE\r\n"
    static let accept = "Sec-WebSocket-Accept: ACCEPT\r\n"

    @Test func goodHandshakesOpen() throws {
        let plain = try handshake(
            Self.head + Self.upgrade + Self.accept + "\r\n\u{1}\u{2}".replacing("\u{1}\u{2}", with: ""))
        #expect(plain.opened == 1)
        let interim = try handshake(
            "HTTP/1.1 103 Early Hints\r\n\r\n" + Self.head + Self.upgrade + Self.accept + "\r\n")
        #expect(interim.opened == 1)
        let named = try handshake(
            Self.head + Self.upgrade + Self.accept + "Sec-WebSocket-Protocol: b\r\n\r\n",
            subprotocols: ["a", "b"])
        #expect(named.opened == 1)
    }

    @Test func badHandshakesFail() throws {
        let cases: [(String, WebSocketHandshakeError)] = [
            (Self.head + "Connection: upgrade\r\n" + Self.accept + "\r\n", .badUpgrade),
            (
                Self.head + "Upgrade: websocket2\r\nConnection: upgrade\r\n" + Self.accept + "\r\n",
                .badUpgrade
            ),
            (Self.head + "Upgrade: websocket\r\n" + Self.accept + "\r\n", .badConnection),
            (
                Self.head + "Upgrade: websocket\r\nConnection: keep-alive\r\n" + Self.accept + "\r\n",
                .badConnection
            ),
            (Self.head + Self.upgrade + "\r\n", .badAccept),
            (
                Self.head + Self.upgrade + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                .badAccept
            ),
            (Self.head + Self.upgrade + Self.accept + Self.accept + "\r\n", .badAccept),
            (
                Self.head + Self.upgrade + Self.accept
                    + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                .unofferedExtension("permessage-deflate")
            ),
            (
                Self.head + Self.upgrade + Self.accept + "Sec-WebSocket-Protocol: x\r\n\r\n",
                .unofferedSubprotocol("x")
            ),
            (
                "HTTP/1.0 101 Switching Protocols\r\n" + Self.upgrade + Self.accept + "\r\n",
                .malformed(.unexpectedUpgrade)
            ),
            ("garbage\r\n\r\n", .malformed(.badStartLine)),
            (Self.head + Self.upgrade, .network(.timedOut(.handshake))),
            (
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope",
                .refused(status: 401, headers: ["Content-Length": "4"], body: "nope".bytes)
            ),
        ]
        for (answer, error) in cases {
            let log = try handshake(answer)
            #expect(log.opened == 0)
            #expect(log.closure == WebSocketClosure(cause: .handshake(error), isClean: false), "\(answer)")
        }
    }

    @Test func serverRefusesBadHandshakes() throws {
        let good = [
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for (left, put, status) in [
            (0, "X: y", 426), (1, "Connection: close-ish", 426), (2, "Sec-WebSocket-Version: 8", 426),
            (2, "X: y", 426),
            (3, "X: y", 400), (3, "Sec-WebSocket-Key: short", 400),
            (3, good[3] + "\r\n" + good[3], 400),
        ] {
            let pair = try WebSocketPair(connect: false)
            let peer = try RawPeer(pair.test, pair.port)
            var lines = good
            lines[left] = put
            peer.send("GET / HTTP/1.1\r\nHost: a\r\n" + lines.joined(separator: "\r\n") + "\r\n\r\n")
            try pair.test.run { peer.text.contains("\r\n\r\n") }
            #expect(peer.text.hasPrefix("HTTP/1.1 \(status) "), "\(put)")
        }
        let pair = try WebSocketPair(connect: false)
        let peer = try pair.peer()
        #expect(peer.text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(!peer.text.lowercased().contains("extensions"))
    }

    /// Answers every handshake with the same text.
    private final class HandshakeServer: StreamHandler {
        private let answer: String
        private var streams: [SocketStream] = []

        init(_ answer: String) { self.answer = answer }

        func accept(_ loop: EventLoop, _ descriptor: Int32) {
            let stream = SocketStream(loop, descriptor: descriptor, tls: nil, handler: self)
            streams.append(stream)
            try? stream.start()
        }

        func streamReceived(_ stream: SocketStream) {
            let text = String(decoding: stream.input.readable, as: UTF8.self)
            guard text.hasSuffix("\r\n\r\n") else { return }
            stream.input.removeAll()
            let key = text.split(separator: "Sec-WebSocket-Key: ").last?.prefix { $0 != "\r\n" } ?? ""
            let right = WebSocketHandshake.accept(for: String(key))
            answer.replacing("ACCEPT", with: right).bytes.withUnsafeBytes { stream.write($0) }
        }
        func streamEnded(_ stream: SocketStream) { stream.close() }
        func streamFailed(_ stream: SocketStream, _ error: NetworkError) {}
    }
}
