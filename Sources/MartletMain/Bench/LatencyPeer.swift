import Foundation
import MartletNetwork
import MartletWire
import Synchronization

/// The exchange's end of the latency benchmark, on a thread of its own: a book's deltas over a WebSocket, one for
/// each time it is asked, and an answer to each order.
final class LatencyPeer: HTTPServerHandler, WebSocketHandler {
    static let ticker = "KXHIGHNY-26NOV23-B54.5"

    /// What the peer saw; read when all is over.
    struct Tally: Sendable {
        var orders = 0
        /// Orders that were no whole JSON order for the market.
        var badOrders = 0
        var deltas = 0
    }
    /// Shared with the thread that measures, which reads it at the end only.
    final class Shared: Sendable {
        let tally = Mutex(Tally())
    }

    private let shared: Shared
    private let loop: EventLoop
    /// Nanoseconds from being asked for a delta to sending it.
    private let pause: Int64
    private var sequence = 1

    init(_ shared: Shared, _ loop: EventLoop, pause: Int64) {
        self.shared = shared
        self.loop = loop
        self.pause = pause
    }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        if request.wantsWebSocket {
            sequence = 1
            _ = responder.upgradeToWebSocket(handler: self)
            return
        }
        let order = try? JSONParser.parse(request.body)
        let isGood =
            order?["ticker"]?.string == LatencyPeer.ticker && order?["price"]?.string == "0.4600"
            && order?["count"]?.string == "1.00" && request.headers["KALSHI-ACCESS-SIGNATURE"] != nil
        shared.tally.withLock {
            $0.orders += 1
            if !isGood { $0.badOrders += 1 }
        }
        let answer =
            #"{"order_id":"0c6f2f0e-1f3b-4a67-8d0e-6b1c1f6d9a01","fill_count":"0.00","remaining_count":"0.00"}"#
        responder.respond(201, headers: ["Content-Type": "application/json"], body: Array(answer.utf8))
    }

    func webSocketOpened(_ socket: WebSocketConnection) {
        socket.send(
            text:
                #"{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"\#(LatencyPeer.ticker)","#
                + #""market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa","yes_dollars_fp":[["0.4500","300.00"],"#
                + #"["0.4600","120.00"]],"no_dollars_fp":[["0.5000","80.00"],["0.5200","150.00"]]}}"#)
    }

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        if pause == 0 { return sendDelta(socket) }
        loop.schedule(after: pause) { [self] in sendDelta(socket) }
    }

    private func sendDelta(_ socket: WebSocketConnection) {
        sequence += 1
        shared.tally.withLock { $0.deltas += 1 }
        let change = sequence % 2 == 0 ? "4.00" : "-4.00"
        socket.send(
            text: #"{"type":"orderbook_delta","sid":1,"seq":\#(sequence),"msg":{"market_ticker":"#
                + #""\#(LatencyPeer.ticker)","market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa","#
                + #""price_dollars":"0.4500","delta_fp":"\#(change)","side":"yes","#
                + #""ts":"2026-11-23T14:00:00.700123Z","ts_ms":1795442400700}}"#)
    }

    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {}
}

/// The peer's thread, its port and the authority that its certificate is from.
final class LatencyServer {
    let port: UInt16
    let authorityPEM: String
    let shared = LatencyPeer.Shared()
    private let thread: EventLoopThread

    /// - Parameters:
    ///   - busyPolling: see `EventLoop`.
    ///   - pause: nanoseconds before each delta.
    init(busyPolling: Int64, pause: Int64) throws {
        let authority = try CertificateMaker.authority(named: "martlet bench")
        let key = try PrivateKey.generate(.ecdsaP256)
        let leaf = try authority.issue(
            CertificateRequest(names: ["localhost"], addresses: ["127.0.0.1"]), key)
        let tls = try TLSContext(serverCertificates: [leaf], key: key)
        authorityPEM = authority.certificate.pem
        guard let address = SocketAddress(numeric: "127.0.0.1", port: 0) else {
            throw CommandError("there is no loopback address")
        }
        // It stands for another machine: woken by an order, it must not take the trader's processor from it in the
        // midst of what is measured.
        let thread = try EventLoopThread(name: "peer", givesWay: true, busyPolling: busyPolling)
        let started = DispatchSemaphore(value: 0)
        let box = PortBox()
        let shared = self.shared
        thread.loop.execute { [loop = thread.loop] in
            let server = try? HTTPServer(
                loop, on: address, tls: tls,
                handler: LatencyPeer(shared, loop, pause: pause))
            box.port.withLock { $0 = server?.address.port ?? 0 }
            // Held for as long as the loop runs.
            loop.schedule(after: Nanoseconds.seconds(24 * 3600)) { server?.close() }
            started.signal()
        }
        started.wait()
        self.thread = thread
        port = box.port.withLock { $0 }
        guard port != 0 else { throw CommandError("no port could be opened on loopback") }
    }

    deinit { thread.stop() }

    private final class PortBox: Sendable {
        let port = Mutex<UInt16>(0)
    }
}
