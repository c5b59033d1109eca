import MartletKalshi
import MartletNetwork
import MartletWire

/// The other end of a ``Rehearsal``: a market whose book changes when it is asked to, and an answer to every order.
final class RehearsalExchange: HTTPServerHandler, WebSocketHandler {
    static let ticker = "KXREHEARSAL-26NOV23-B54.5"
    private static let host = "127.0.0.1"

    /// Of the certificate that it shows.
    let authority: String
    private(set) var address = ""
    private var server: HTTPServer?
    private var socket: WebSocketConnection?
    private var subscriptions: Int64 = 0
    private var bookSubscription: Int64 = -1
    private var sequence = 0
    private var upgrades = 0
    private var orders = 0

    init(_ loop: EventLoop) throws {
        let maker = try CertificateMaker.authority(named: "martlet rehearsal")
        let key = try PrivateKey.generate(.ecdsaP256)
        let leaf = try maker.issue(CertificateRequest(addresses: [RehearsalExchange.host]), key)
        authority = maker.certificate.pem
        guard let loopback = SocketAddress(numeric: RehearsalExchange.host, port: 0) else {
            throw RehearsalError.noConnection
        }
        let tls = try TLSContext(serverCertificates: [leaf], key: key)
        let server = try HTTPServer(loop, on: loopback, tls: tls, handler: self)
        self.server = server
        address = "https://\(RehearsalExchange.host):\(server.address.port)"
    }

    /// Takes nobody in any more. False when somebody other than the client has come.
    func stopListening() -> Bool {
        server?.stopListening()
        return server?.connectionCount == 1 && socket != nil && upgrades == 1
    }

    func close() {
        socket?.drop()
        socket = nil
        server?.close()
        server = nil
    }

    /// The best bid grows or shrinks. False where nobody has subscribed.
    func changeBook() -> Bool {
        guard let socket, bookSubscription >= 0 else { return false }
        sequence += 1
        let change = sequence.isMultiple(of: 2) ? "4.00" : "-4.00"
        return socket.send(
            text: #"{"type":"orderbook_delta","sid":\#(bookSubscription),"seq":\#(sequence),"msg":"#
                + #"{"market_ticker":"\#(RehearsalExchange.ticker)","market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa","#
                + #""price_dollars":"0.4500","delta_fp":"\#(change)","side":"yes","#
                + #""ts":"2026-11-23T14:00:00.700123Z","ts_ms":1795442400700}}"#)
    }

    // MARK: - Orders

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        if request.wantsWebSocket {
            upgrades += 1
            socket = responder.upgradeToWebSocket(handler: self)
            return
        }
        orders += 1
        let id = "0c6f2f0e-1f3b-4a67-8d0e-\(String(1_000_000_000_000 + orders).suffix(12))"
        let body = #"{"order_id":"\#(id)","fill_count":"0.00","remaining_count":"0.00"}"#
        responder.respond(201, headers: ["Content-Type": "application/json"], body: Array(body.utf8))
    }

    // MARK: - Subscriptions

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        guard let command = try? JSONParser.parse(Array(bytes)), let id = command["id"]?.int64 else { return }
        for channel in command["params"]?["channels"]?.array ?? [] {
            guard let name = channel.string else { continue }
            subscriptions += 1
            socket.send(
                text:
                    #"{"id":\#(id),"type":"subscribed","msg":{"channel":"\#(name)","sid":\#(subscriptions)}}"#
            )
            if FeedChannel(wire: name) == .book { sendSnapshot(socket) }
        }
    }

    private func sendSnapshot(_ socket: WebSocketConnection) {
        bookSubscription = subscriptions
        sequence = 1
        socket.send(
            text: #"{"type":"orderbook_snapshot","sid":\#(bookSubscription),"seq":1,"msg":{"market_ticker":"#
                + #""\#(RehearsalExchange.ticker)","market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa","#
                + #""yes_dollars_fp":[["0.4500","300.00"],["0.4600","120.00"]],"#
                + #""no_dollars_fp":[["0.5000","80.00"],["0.5200","150.00"]]}}"#)
    }

    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        if socket === self.socket { self.socket = nil }
    }
}
