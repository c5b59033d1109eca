import Foundation
import Testing

@testable import MartletNetwork

/// How fast the room is. Run in release, on a machine that is otherwise idle:
///
///     MARTLET_SPEED=1 swift test -c release -Xswiftc -enable-testing --filter MartletNetworkTests.SpeedTests
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["MARTLET_SPEED"] != nil, "skipped: MARTLET_SPEED is not set"))
struct SpeedTests {
    static func report(_ name: String, _ nanoseconds: [Int64]) {
        let sorted = nanoseconds.sorted()
        func at(_ share: Double) -> Double { Double(sorted[Int(Double(sorted.count - 1) * share)]) / 1000 }
        print(String(format: "%@: median %.1f µs, p99 %.1f µs, of %d", name, at(0.5), at(0.99), sorted.count))
    }

    @Test func frames() {
        let payload = [UInt8](repeating: 0x61, count: 240)
        var bytes: [UInt8] = []
        let count = 4000
        for _ in 0..<count { bytes += Frames.raw(0x81, payload) }
        var parser = WebSocketParser(role: .client, messageMax: 1 << 20)
        let rounds = 1000
        var messages = 0
        let start = Clocks.monotonic()
        for _ in 0..<rounds {
            bytes.withUnsafeMutableBytes { raw in
                var rest = raw
                while let (consumed, event) = try? parser.next(rest) {
                    guard case .message = event else { break }
                    messages += 1
                    rest = UnsafeMutableRawBufferPointer(rebasing: rest[consumed...])
                }
            }
        }
        let seconds = Double(Clocks.monotonic() - start) / 1e9
        #expect(messages == count * rounds)
        print(
            String(
                format: "frames of 240 bytes, UTF-8 checked: %.1f million a second",
                Double(messages) / seconds / 1e6))
    }

    private final class Echo: HTTPServerHandler, WebSocketHandler {
        func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
            if request.wantsWebSocket {
                _ = responder.upgradeToWebSocket(handler: self)
            } else {
                responder.respond(200, body: request.body)
            }
        }
        func webSocket(
            _ socket: WebSocketConnection, received kind: WebSocketMessageKind,
            _ bytes: UnsafeRawBufferPointer
        ) {
            socket.send(kind, bytes)
        }
        func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {}
    }

    /// Starts an echoing TLS server on a thread of its own; its port and what trusts it.
    private func serve() async throws -> (EventLoopThread, UInt16, TLSContext) {
        let authority = try CertificateMaker.authority(named: "speed")
        let key = try PrivateKey.generate(.ecdsaP256)
        let leaf = try authority.issue(TLSTests.good, key)
        let context = try TLSContext(serverCertificates: [leaf], key: key)
        let address = try Loopback.address()
        let thread = try EventLoopThread()
        let port = await thread.run { loop in
            let server = try? HTTPServer(loop, on: address, tls: context, handler: Echo())
            loop.schedule(after: Nanoseconds.seconds(600)) { server?.close() }
            return server?.address.port ?? 0
        }
        return (thread, port, try TLSContext(clientTrusting: .pem(authority.certificate.pem)))
    }

    @Test func roundTrips() async throws {
        let (thread, port, trust) = try await serve()
        try measure(port, trust)
        thread.stop()
    }

    private func measure(_ port: UInt16, _ trust: TLSContext) throws {
        let test = try TestLoop()
        let client = HTTPClient(test.loop, tls: trust)
        let endpoint = Endpoint(host: "localhost", port: port, isSecure: true)
        let body = [UInt8](repeating: 0x61, count: 300)
        var request = HTTPRequest("POST", endpoint, "/trade-api/v2/portfolio/orders", body: body)
        for index in 0..<4 { request.headers.append("X-HEADER-\(index)", String(repeating: "v", count: 60)) }
        var times: [Int64] = []
        var writes: [Int64] = []
        for _ in 0..<20_000 {
            var done = false
            let start = Clocks.monotonic()
            try client.send(request) { _ in done = true }
            writes.append(Clocks.monotonic() - start)
            while !done { try test.loop.runOnce(timeout: nil) }
            times.append(Clocks.monotonic() - start)
        }
        Self.report("HTTPS POST round trip", Array(times.dropFirst(1000)))
        Self.report("  of which encode, encrypt and write", Array(writes.dropFirst(1000)))

        times = []
        for _ in 0..<20_000 {
            let start = Clocks.monotonic()
            _ = try request.encoded()
            times.append(Clocks.monotonic() - start)
        }
        Self.report("  of which encode", times)

        let log = WebSocketLog()
        let url = try #require(HTTPURL("wss://localhost:\(port)/"))
        let socket = WebSocketConnection(test.loop, to: url, tls: trust, handler: log)
        try test.run { log.opened == 1 }
        let text = String(repeating: "a", count: 240)
        writes = []
        times = []
        for index in 0..<20_000 {
            let start = Clocks.monotonic()
            socket.send(text: text)
            writes.append(Clocks.monotonic() - start)
            while log.messages == index { try test.loop.runOnce(timeout: nil) }
            times.append(Clocks.monotonic() - start)
        }
        Self.report("wss echo of 240 bytes", Array(times.dropFirst(1000)))
        Self.report("  of which encrypt and write", writes)
        let order = try request.encoded()
        var answered = 0
        times = []
        log.onMessage = { _, _, _ in
            client.send(encoded: order, method: "POST", to: endpoint, isIdempotent: false) { _ in
                answered += 1
            }
            times.append(Clocks.monotonic() - test.loop.now)
        }
        for index in 0..<20_000 {
            socket.send(text: text)
            while answered == index { try test.loop.runOnce(timeout: nil) }
        }
        Self.report("wss frame readable to order written", Array(times.dropFirst(1000)))
        socket.drop()
        client.close()
    }
}
