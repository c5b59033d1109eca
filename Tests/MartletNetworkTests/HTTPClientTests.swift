import Foundation
import Testing

@testable import MartletNetwork

/// The client against servers that behave, and against those that do not, on real sockets.
@Suite struct HTTPClientTests {
    static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".bytes

    /// A client with short time limits and the outcomes of its requests.
    final class Fixture {
        let test: TestLoop
        let client: HTTPClient
        var outcomes: [Result<HTTPResponse, HTTPClientError>] = []

        init(tls: TLSContext? = nil, _ change: (inout HTTPClientConfiguration) -> Void = { _ in }) throws {
            test = try TestLoop()
            var configuration = HTTPClientConfiguration()
            configuration.wholeTimeout = Nanoseconds.seconds(10)
            change(&configuration)
            client = HTTPClient(test.loop, tls: tls, configuration: configuration)
        }

        @discardableResult
        func send(_ method: String, _ endpoint: Endpoint, body: [UInt8] = []) throws -> HTTPExchange {
            try client.send(HTTPRequest(method, endpoint, "/x", body: body)) { self.outcomes.append($0) }
        }

        /// One request, and what came of it.
        func ask(
            _ method: String, _ endpoint: Endpoint, body: [UInt8] = []
        ) throws -> Result<HTTPResponse, HTTPClientError> {
            let count = outcomes.count
            try send(method, endpoint, body: body)
            try test.run { outcomes.count > count }
            return try #require(outcomes.last)
        }
    }

    static func failure(_ result: Result<HTTPResponse, HTTPClientError>) -> HTTPClientError? {
        if case .failure(let error) = result { return error }
        return nil
    }

    @Test func reusesOneConnection() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop,
            [[.request, .send(Self.ok), .request, .send(Self.ok), .request, .send(Self.ok)]])
        for _ in 0..<3 {
            let response = try fixture.ask("GET", server.endpoint()).get()
            #expect(response.status == 200 && response.body == "ok".bytes)
        }
        #expect(server.received.count == 1)
        let sent = String(decoding: server.received[0], as: UTF8.self)
        #expect(
            sent.hasPrefix(
                "GET /x HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nAccept-Encoding: identity\r\n"))
    }

    @Test func warmConnectionsAreMadeAheadAndRenewed() throws {
        let fixture = try Fixture { $0.rewarmPause = Nanoseconds.milliseconds(10) }
        let server = try ScriptedServer(
            fixture.test.loop, [[.pause(milliseconds: 100), .close], [.request, .send(Self.ok)]])
        fixture.client.warm(server.endpoint(), connections: 2)
        try fixture.test.run { fixture.client.idleConnections(server.endpoint()) == 2 }
        try fixture.test.run { server.received.count == 3 }
        try fixture.test.run { fixture.client.idleConnections(server.endpoint()) == 2 }
        #expect(try fixture.ask("POST", server.endpoint()).get().status == 200)
        #expect(server.received.count == 3)
    }

    @Test func warmConnectionsAreRenewedBeforeTheyAreOld() throws {
        let fixture = try Fixture { $0.idleTimeout = Nanoseconds.milliseconds(200) }
        let server = try ScriptedServer(fixture.test.loop, [[.request, .send(Self.ok)]])
        fixture.client.warm(server.endpoint(), connections: 1)
        try fixture.test.run { server.received.count == 3 }
        try fixture.test.run { fixture.client.idleConnections(server.endpoint()) == 1 }
        #expect(try fixture.ask("POST", server.endpoint()).get().status == 200)
        #expect(server.received.count == 3)
    }

    @Test func idempotentRequestOnDeadIdleConnectionIsSentAgainOnce() throws {
        let fixture = try Fixture()
        // The second request is read and then dropped: its bytes have left.
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(Self.ok), .request, .close], [.request, .send(Self.ok)]])
        _ = try fixture.ask("GET", server.endpoint()).get()
        #expect(try fixture.ask("GET", server.endpoint()).get().status == 200)
        #expect(server.requests == 3)
    }

    @Test func idempotentRequestIsNotSentAThirdTime() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(Self.ok), .request, .close], [.request, .close]])
        _ = try fixture.ask("GET", server.endpoint()).get()
        let error = try #require(Self.failure(try fixture.ask("GET", server.endpoint())))
        #expect(error.kind == .network(.endOfStream) && error.requestMayHaveReachedServer)
        #expect(server.requests == 3)
    }

    @Test func postIsNeverSentAgain() throws {
        for end in [ScriptedServer.Step.close, .reset] {
            let fixture = try Fixture()
            let server = try ScriptedServer(
                fixture.test.loop, [[.request, .send(Self.ok), .request, end], [.request, .send(Self.ok)]])
            _ = try fixture.ask("POST", server.endpoint(), body: [1]).get()
            let error = try #require(Self.failure(try fixture.ask("POST", server.endpoint(), body: [1])))
            #expect(error.requestMayHaveReachedServer)
            #expect(server.requests == 2)
        }
    }

    @Test func postFindsIdleConnectionClosedBeforeItSendsAByte() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(Self.ok), .close], [.request, .send(Self.ok)]])
        _ = try fixture.ask("POST", server.endpoint()).get()
        #expect(try fixture.ask("POST", server.endpoint()).get().status == 200)
        #expect(server.requests == 2 && server.received.count == 2)
    }

    /// Two things in one pass of the loop: what makes us send, and the end of the connection that we would send on.
    @Test func postFindsAnEndThatCameInTheSamePass() throws {
        for isEndFirst in [true, false] {
            let fixture = try Fixture()
            let server = try ScriptedServer(fixture.test.loop, [[.request, .send(Self.ok)]])
            var pipe: [Int32] = [0, 0]
            #expect(Foundation.pipe(&pipe) == 0)
            defer { for end in pipe { close(end) } }
            let trigger = Trigger(pipe[0]) { _ = try? fixture.send("POST", server.endpoint()) }
            _ = try fixture.test.loop.register(pipe[0], for: .readable, trigger)
            _ = try fixture.ask("POST", server.endpoint()).get()
            if isEndFirst { server.closeConnections() }
            write(pipe[1], "!", 1)
            if !isEndFirst { server.closeConnections() }
            try fixture.test.run { fixture.outcomes.count == 2 }
            #expect(try fixture.outcomes[1].get().status == 200)
            #expect(server.requests == 2)
        }
    }
    private final class Trigger: EventHandler {
        let descriptor: Int32
        let action: () -> Void
        init(_ descriptor: Int32, _ action: @escaping () -> Void) {
            self.descriptor = descriptor
            self.action = action
        }
        func ready(_ readiness: Readiness) {
            var byte: UInt8 = 0
            read(descriptor, &byte, 1)
            action()
        }
    }

    @Test func waitingPostIsNotSentDownAConnectionThatIsClosing() throws {
        let fixture = try Fixture { $0.connectionsPerEndpoint = 1 }
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(Self.ok), .close], [.request, .send(Self.ok)]])
        for _ in 0..<2 { try fixture.send("POST", server.endpoint()) }
        try fixture.test.run { fixture.outcomes.count == 2 }
        #expect(fixture.outcomes.allSatisfy { (try? $0.get().status) == 200 })
        #expect(server.requests == 2 && server.received.count == 2)
    }

    @Test func bytesBehindAResponseSpoilTheConnection() throws {
        let fixture = try Fixture()
        let smuggled = Self.ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".bytes
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(smuggled)], [.request, .send(Self.ok)]])
        #expect(try fixture.ask("GET", server.endpoint()).get().body == "ok".bytes)
        #expect(try fixture.ask("GET", server.endpoint()).get().body == "ok".bytes)
        #expect(server.received.count == 2)
    }

    @Test func lateBytesBehindAResponseSpoilTheConnection() throws {
        let fixture = try Fixture()
        let late: [ScriptedServer.Step] = [
            .request, .send(Self.ok), .pause(milliseconds: 20), .send("HTTP/1.1 200 OK\r\n\r\n".bytes),
        ]
        let server = try ScriptedServer(fixture.test.loop, [late, [.request, .send(Self.ok)]])
        #expect(try fixture.ask("GET", server.endpoint()).get().body == "ok".bytes)
        try fixture.test.run(milliseconds: 60)
        #expect(fixture.client.idleConnections(server.endpoint()) == 0)
        #expect(try fixture.ask("GET", server.endpoint()).get().body == "ok".bytes)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ])
    func connectionIsNotReusedWhenTheServerSaysSo(_ text: String) throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(fixture.test.loop, [[.request, .send(text.bytes)]])
        for _ in 0..<2 { #expect(try fixture.ask("POST", server.endpoint()).get().body == "ok".bytes) }
        #expect(server.received.count == 2)
    }

    @Test func redirectsComeAsTheyAre() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop,
            [[.request, .send("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n".bytes)]])
        let response = try fixture.ask("GET", server.endpoint()).get()
        #expect(response.status == 302 && response.headers["location"] == "/y" && server.requests == 1)
    }

    @Test func encodedBodiesAreNotDecoded() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop,
            [
                [
                    .request,
                    .send(
                        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n".bytes + [
                            31, 139, 8,
                        ]),
                ]
            ])
        #expect(try fixture.ask("GET", server.endpoint()).get().body == [31, 139, 8])
    }

    @Test func bodyUntilCloseIsWholeOnlyAtTheEnd() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(
            fixture.test.loop,
            [
                [
                    .request, .send("HTTP/1.1 200 OK\r\n\r\nab".bytes), .pause(milliseconds: 10),
                    .send("cd".bytes), .halfClose,
                ]
            ])
        #expect(try fixture.ask("GET", server.endpoint()).get().body == "abcd".bytes)
    }

    @Test(arguments: [ScriptedServer.Step.close, .halfClose, .reset])
    func cutResponsesAreErrors(_ end: ScriptedServer.Step) throws {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "HTTP/1.1 200 OK\r\nContent",
            "HTTP/1.1 100 Continue\r\n\r\n",
        ] {
            let fixture = try Fixture()
            let server = try ScriptedServer(
                fixture.test.loop, [[.request, .send(text.bytes), .pause(milliseconds: 5), end]])
            let error = try #require(Self.failure(try fixture.ask("GET", server.endpoint())))
            #expect(error.requestMayHaveReachedServer)
            #expect(server.requests == 1)
        }
    }

    @Test func earlyResponseBeforeTheRequestIsAllWritten() throws {
        let fixture = try Fixture()
        let early = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno".bytes
        let server = try ScriptedServer(
            fixture.test.loop, [[.request, .send(early)], [.request, .send(Self.ok)]])
        let body = [UInt8](repeating: 7, count: 64 * 1024 * 1024)
        #expect(try fixture.ask("POST", server.endpoint(), body: body).get().status == 413)
        #expect(try fixture.ask("POST", server.endpoint()).get().status == 200)
    }

    @Test func refusedConnectionCertainlySentNothing() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(fixture.test.loop, [[]])
        server.close()
        let error = try #require(Self.failure(try fixture.ask("POST", server.endpoint())))
        #expect(!error.requestMayHaveReachedServer)
    }

    @Test func timeOutsSayWhichAndWhetherTheRequestLeft() throws {
        let fixture = try Fixture {
            $0.firstByteTimeout = Nanoseconds.milliseconds(50)
            $0.wholeTimeout = Nanoseconds.milliseconds(200)
        }
        let silent = try ScriptedServer(fixture.test.loop, [[.request]])
        let first = try #require(Self.failure(try fixture.ask("GET", silent.endpoint())))
        #expect(first.kind == .network(.timedOut(.firstByte)) && first.requestMayHaveReachedServer)
        let slow = try ScriptedServer(fixture.test.loop, [[.request, .send("HTTP/1.1 200 OK\r\n".bytes)]])
        let whole = try #require(Self.failure(try fixture.ask("GET", slow.endpoint())))
        #expect(whole.kind == .network(.timedOut(.whole)) && whole.requestMayHaveReachedServer)
    }

    @Test func requestsWaitForTheSmallPoolInOrder() throws {
        let fixture = try Fixture { $0.connectionsPerEndpoint = 2 }
        let script = Array(repeating: [ScriptedServer.Step.request, .send(Self.ok)], count: 20).flatMap { $0 }
        let server = try ScriptedServer(fixture.test.loop, [script])
        for _ in 0..<20 { try fixture.send("GET", server.endpoint()) }
        try fixture.test.run { fixture.outcomes.count == 20 }
        #expect(server.received.count == 2)
        #expect(fixture.outcomes.allSatisfy { (try? $0.get().status) == 200 })
    }

    @Test func fullQueueRefuses() throws {
        let fixture = try Fixture {
            $0.connectionsPerEndpoint = 1
            $0.waitingMax = 2
        }
        let server = try ScriptedServer(fixture.test.loop, [[.request]])
        for _ in 0..<4 { try fixture.send("POST", server.endpoint()) }
        try fixture.test.run { fixture.outcomes.count == 2 }
        for outcome in fixture.outcomes {
            let error = Self.failure(outcome)
            #expect(error?.kind == .poolExhausted && error?.requestMayHaveReachedServer == false)
        }
    }

    @Test func cancelledRequestClosesItsConnection() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(fixture.test.loop, [[.request], [.request, .send(Self.ok)]])
        let exchange = try fixture.send("GET", server.endpoint())
        try fixture.test.run { server.requests == 1 }
        exchange.cancel()
        #expect(Self.failure(fixture.outcomes[0])?.kind == .cancelled)
        #expect(try fixture.ask("GET", server.endpoint()).get().status == 200)
    }

    @Test func closingFailsWhatIsUnderWay() throws {
        let fixture = try Fixture()
        let server = try ScriptedServer(fixture.test.loop, [[.request]])
        try fixture.send("GET", server.endpoint())
        try fixture.test.run { server.requests == 1 }
        fixture.client.close()
        #expect(fixture.outcomes.count == 1)
        #expect(fixture.test.loop.registeredCount == 2, "the server's listener and connection only")
    }

    @Test func whatIsDroppedClosesItself() throws {
        let test = try TestLoop()
        var result: Result<HTTPResponse, HTTPClientError>?
        var server: ScriptedServer? = try ScriptedServer(test.loop, [[.request]])
        var client: HTTPClient? = HTTPClient(test.loop, tls: nil)
        let endpoint = try #require(server?.endpoint())
        try client?.send(HTTPRequest("GET", endpoint, "/")) { result = $0 }
        try test.run { server?.requests == 1 }
        client = nil
        #expect(Self.failure(try #require(result))?.kind == .network(.closed))
        server?.close()
        server = nil
        final class Silent: HTTPServerHandler {
            var held: [HTTPResponder] = []
            func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) { held.append(responder) }
        }
        let handler = Silent()
        var http: HTTPServer? = try HTTPServer(test.loop, on: try Loopback.address(), handler: handler)
        let peer = try RawPeer(test, try #require(http?.address.port))
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try test.run { handler.held.count == 1 }
        http = nil
        try test.run { peer.hasEnded || peer.failed }
        handler.held = []
        #expect(test.loop.registeredCount <= 1)
    }

    @Test func asyncFaceDrivesTheSameCode() async throws {
        let thread = try EventLoopThread()
        let ports = await thread.run { loop in
            // The second never answers.
            let servers = [
                try? ScriptedServer(loop, [[.request, .send(Self.ok), .request, .send(Self.ok)]]),
                try? ScriptedServer(loop, [[.request]]),
            ]
            // Kept by the loop for as long as it lives.
            loop.schedule(after: Nanoseconds.seconds(86_400)) { for server in servers { server?.close() } }
            return servers.map { $0?.port ?? 0 }
        }
        let client = try AsyncHTTPClient(tls: nil)
        let url = try #require(HTTPURL("http://127.0.0.1:\(ports[0])/"))
        let silent = try #require(HTTPURL("http://127.0.0.1:\(ports[1])/"))
        for _ in 0..<2 { #expect(try await client.send(HTTPRequest("GET", url)).status == 200) }
        let hanging = Task { try await client.send(HTTPRequest("GET", silent)) }
        try await Task.sleep(for: .milliseconds(30))
        hanging.cancel()
        await #expect(throws: HTTPClientError.self) { _ = try await hanging.value }
        thread.stop()
    }
}
