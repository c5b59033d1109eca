import Foundation
import Martlet
import MartletEngine
import Testing

@testable import MartletKalshi
@testable import MartletNetwork

/// A WebSocket server with the model exchange behind it that misbehaves as it is told. It has a loop of its own,
/// turned by the test: not turning it is a half-open connection.
final class FeedServer: HTTPServerHandler {
    let exchange: ModelExchange
    let loop: EventLoop
    private var http: HTTPServer?
    private(set) var peers: [Peer] = []
    /// Heads of the handshakes that came.
    private(set) var handshakes: [HTTPServerRequest] = []
    var refuses: Int?
    /// Commands are taken but answered by nobody.
    var isDeaf = false
    /// Changes frames on their way out.
    var alter: ([String]) -> [String] = { $0 }

    final class Peer: WebSocketHandler {
        weak var server: FeedServer?
        var socket: WebSocketConnection?
        let exchange: ModelExchange
        var isOpen = true
        init(_ server: FeedServer, _ exchange: ModelExchange) {
            self.server = server
            self.exchange = exchange
        }
        func webSocket(
            _ socket: WebSocketConnection, received kind: WebSocketMessageKind,
            _ bytes: UnsafeRawBufferPointer
        ) {
            guard let server, !server.isDeaf else { return }
            send(server.alter(exchange.take(String(decoding: bytes, as: UTF8.self))))
        }
        func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) { isOpen = false }
        func send(_ frames: [String]) {
            for frame in frames { socket?.send(text: frame) }
        }
    }

    init(_ exchange: ModelExchange) throws {
        self.exchange = exchange
        loop = try EventLoop()
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        http = try HTTPServer(loop, on: address, handler: self)
    }

    func url() throws -> HTTPURL {
        try #require(HTTPURL("ws://127.0.0.1:\(http?.address.port ?? 0)\(ExchangeEnvironment.feedPath)"))
    }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        handshakes.append(request)
        if let refuses {
            return responder.respond(refuses, body: Array(#"{"error":{"code":"authentication_error"}}"#.utf8))
        }
        // The first connection has the test's exchange; one more at the same time has its own.
        if !peers.contains(where: { $0.isOpen }) { exchange.reset() }
        let peer = Peer(self, exchange)
        peer.socket = responder.upgradeToWebSocket(handler: peer)
        peers.append(peer)
    }

    var last: Peer? { peers.last }
    func push(_ frames: [String]) { last?.send(alter(frames)) }
    /// Ends the connection without a word.
    func drop() {
        last?.isOpen = false
        last?.socket?.drop()
    }
    func close() {
        for peer in peers { peer.socket?.drop() }
        http?.close()
        http = nil
    }
}

/// A feed connection against a server of that kind, both turned by the test.
final class FeedRig: FeedReceiver {
    let server: FeedServer
    let loop: EventLoop
    let keeper: BookKeeper
    private(set) var changes: [FeedConnection.Change] = []
    var connection: FeedConnection?
    var isServerFrozen = false
    private(set) var drains = 0

    static func settings() -> FeedConnectionSettings {
        var settings = FeedConnectionSettings()
        settings.backoff.first = .milliseconds(4)
        settings.backoff.most = .milliseconds(50)
        settings.session.replyTimeout = .milliseconds(300)
        settings.session.retryDelay = .milliseconds(20)
        settings.webSocket.pingInterval = Nanoseconds.milliseconds(50)
        settings.webSocket.idleTimeout = Nanoseconds.milliseconds(400)
        return settings
    }

    init(
        _ tickers: [String] = ["M0", "M1"], settings: FeedConnectionSettings = FeedRig.settings(),
        channels: [FeedChannel] = [.book], headers: @escaping (Int64) throws -> HTTPHeaders = { _ in [:] }
    ) throws {
        let exchange = ModelExchange(tickers)
        server = try FeedServer(exchange)
        loop = try EventLoop()
        keeper = BookKeeper(tickers, exchange)
        let connection = FeedConnection(
            loop, to: try server.url(), tls: nil, settings: settings, receiver: self, headers: headers)
        self.connection = connection
        connection.update { session in
            for (index, ticker) in tickers.enumerated() {
                session.register(ticker, as: Market.ID(index))
                for channel in channels { session.subscribe(channel, Market.ID(index)) }
            }
        }
        connection.start()
    }

    deinit {
        connection?.stop()
        server.close()
    }

    func feed(_ event: MarketEvent) { keeper.take(event) }
    func feed(_ output: FeedOutput, at time: Timestamp) { keeper.take(output) }
    func isCrossed(_ market: Market.ID) -> Bool { keeper.isCrossed(market) }
    func feedDrained(at time: Timestamp) { drains += 1 }
    func feed(_ change: FeedConnection.Change, connection: Int) { changes.append(change) }

    var session: FeedSession { connection?.session ?? FeedSession() }
    var reasons: [String] {
        changes.compactMap {
            switch $0 {
            case .lost(let reason, _), .refused(_, let reason, _): reason
            case .connecting, .open: nil
            }
        }
    }

    func run(
        _ location: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) throws {
        let deadline = Clocks.monotonic() + Nanoseconds.seconds(20)
        while !condition() {
            guard Clocks.monotonic() < deadline else {
                Issue.record("waited in vain; \(reasons)", sourceLocation: location)
                return
            }
            if !isServerFrozen { try server.loop.runOnce(timeout: 0) }
            try loop.runOnce(timeout: Nanoseconds.milliseconds(1))
        }
    }
    func runUntilLevel(_ location: SourceLocation = #_sourceLocation) throws {
        try run(location) { self.keeper.isLevel }
    }
    func change(_ ticker: String = "M0", isBid: Bool = true, cents: Int = 40, by: Int = 100) {
        server.push(server.exchange.change(ticker, isBid: isBid, cents: cents, by: by))
    }
}
