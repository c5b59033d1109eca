import Foundation
import MartletKalshi
import MartletNetwork
import MartletWire
import Synchronization
import Testing

/// A little exchange on a thread of its own, for commands run as processes: definitions over HTTP, one book that
/// changes a hundred times a second and one trade with each change over the WebSocket.
final class LiveExchange: HTTPServerHandler, @unchecked Sendable {
    // @unchecked Sendable is sound because everything but `port`, `refuses` and `drops` is used on the loop's
    // thread alone; those are set before the thread starts or atomic.
    static let ticker = "KXHIGHNY-26NOV23-B54.5"
    let thread: EventLoopThread
    private var http: HTTPServer?
    private(set) var port: UInt16 = 0
    let refuses = Atomic<Bool>(false)
    let drops = Atomic<Bool>(false)
    /// So many requests are answered 429 first.
    let limited = Atomic<Int>(0)
    /// Seconds that this exchange's clock is ahead; a handshake dated five seconds off it is refused.
    let ahead = Atomic<Int>(0)
    /// The market is told of by the feed alone until it has been, and then listed.
    let isHidden = Atomic<Bool>(false)
    /// The market is over: REST says so, the feed never does.
    let isSettled = Atomic<Bool>(false)
    let signatures = Atomic<Int>(0)
    let handshakes = Atomic<Int>(0)
    private let key: PublicKey
    private var peers: [Peer] = []

    init(_ key: PublicKey) async throws {
        self.key = key
        thread = try EventLoopThread(name: "exchange")
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        port = await thread.run { loop in
            self.http = try? HTTPServer(loop, on: address, handler: self)
            return self.http?.address.port ?? 0
        }
    }
    deinit { thread.stop() }
    func close() async {
        _ = await thread.run { _ in
            self.http?.close()
            self.http = nil
            for peer in self.peers { peer.socket?.drop() }
            return true
        }
    }

    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        if request.wantsWebSocket { return upgrade(request, responder) }
        if limited.load(ordering: .relaxed) > 0 {
            limited.subtract(1, ordering: .relaxed)
            return responder.respond(429, body: Array(#"{"error":"too many requests"}"#.utf8))
        }
        let path = String(request.head.target.prefix { $0 != "?" })
        let ticker = LiveExchange.ticker
        switch path {
        case "/trade-api/v2/markets":
            guard
                request.head.target.contains("B54.5")
                    || request.head.target.contains("series_ticker=KXHIGHNY"),
                !isHidden.load(ordering: .relaxed)
            else {
                return responder.respond(200, headers: date, body: Array(#"{"markets":[],"cursor":""}"#.utf8))
            }
            let (status, result) = isSettled.load(ordering: .relaxed) ? ("finalized", "yes") : ("active", "")
            responder.respond(
                200, headers: date,
                body: Array(
                    #"{"cursor":"","markets":[{"ticker":"\#(ticker)","event_ticker":"KXHIGHNY-26NOV23","market_type":"binary","title":"New York","yes_sub_title":"54 to 55","status":"\#(status)","open_time":"2026-11-22T14:00:00Z","close_time":"2099-11-24T05:00:00Z","result":"\#(result)","price_level_structure":"linear_cent","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0100"}],"exchange_index":0}]}"#
                        .utf8))
        case "/trade-api/v2/events/KXHIGHNY-26NOV23":
            responder.respond(
                200,
                body: Array(
                    #"{"event":{"event_ticker":"KXHIGHNY-26NOV23","series_ticker":"KXHIGHNY","title":"t","sub_title":"s","mutually_exclusive":true,"collateral_return_type":"MECNET"}}"#
                        .utf8))
        case "/trade-api/v2/series/KXHIGHNY":
            responder.respond(
                200,
                body: Array(
                    #"{"series":{"ticker":"KXHIGHNY","fee_type":"quadratic","fee_multiplier":1}}"#.utf8))
        default: responder.respond(404, body: Array(#"{"error":{"code":"not_found"}}"#.utf8))
        }
    }

    private var exchangeSeconds: Int { Int(Date().timeIntervalSince1970) + ahead.load(ordering: .relaxed) }
    private var date: HTTPHeaders {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return ["Date": formatter.string(from: Date(timeIntervalSince1970: Double(exchangeSeconds)))]
    }

    private func upgrade(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        handshakes.add(1, ordering: .relaxed)
        let headers = request.headers
        let message = (headers[RequestSigner.timestampHeader] ?? "") + "GET" + ExchangeEnvironment.feedPath
        let signature = headers[RequestSigner.signatureHeader].flatMap { Data(base64Encoded: $0) } ?? Data()
        guard !refuses.load(ordering: .relaxed), key.verify(Array(signature), of: Array(message.utf8)) else {
            return responder.respond(401, body: Array(#"{"error":{"code":"authentication_error"}}"#.utf8))
        }
        let dated = headers[RequestSigner.timestampHeader].flatMap { Int($0) } ?? 0
        guard abs(dated / 1000 - exchangeSeconds) <= 5 else {
            return responder.respond(401, body: Array(#"{"error":{"code":"header_timestamp_expired"}}"#.utf8))
        }
        signatures.add(1, ordering: .relaxed)
        let peer = Peer(self)
        peers.append(peer)
        peer.socket = responder.upgradeToWebSocket(handler: peer)
        peer.tick()
    }

    final class Peer: WebSocketHandler {
        let exchange: LiveExchange
        var socket: WebSocketConnection?
        private var sids: [String: Int] = [:]
        private var sequences: [Int: Int] = [:]
        private var size = 100
        private var count = 0
        init(_ exchange: LiveExchange) { self.exchange = exchange }

        func webSocket(
            _ socket: WebSocketConnection, received kind: WebSocketMessageKind,
            _ bytes: UnsafeRawBufferPointer
        ) {
            guard let command = try? JSONParser.parse(String(decoding: bytes, as: UTF8.self)),
                let id = command["id"]?.int64, command["cmd"]?.string == "subscribe",
                let channel = command["params"]?["channels"]?.array?.first?.string
            else { return }
            let sid = sids.count + 1
            sids[channel] = sid
            socket.send(
                text: #"{"type":"subscribed","id":\#(id),"msg":{"channel":"\#(channel)","sid":\#(sid)}}"#)
            if channel == "market_lifecycle_v2", exchange.isHidden.exchange(false, ordering: .relaxed) {
                socket.send(
                    text:
                        #"{"type":"market_lifecycle_v2","sid":\#(sid),"seq":\#(next(sid)),"msg":{"market_ticker":"\#(LiveExchange.ticker)","event_type":"activated","is_deactivated":false}}"#
                )
            }
            guard channel == "orderbook_delta" else { return }
            socket.send(
                text:
                    #"{"type":"orderbook_snapshot","sid":\#(sid),"seq":\#(next(sid)),"msg":{"market_ticker":"\#(LiveExchange.ticker)","yes_dollars_fp":[["0.4500","\#(size).00"]],"no_dollars_fp":[["0.5200","150.00"]]}}"#
            )
        }
        func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) { self.socket = nil }

        private func next(_ sid: Int) -> Int {
            sequences[sid, default: 0] += 1
            return sequences[sid] ?? 0
        }

        func tick() {
            guard let socket else { return }
            if exchange.drops.exchange(false, ordering: .relaxed) {
                self.socket = nil
                return socket.drop()
            }
            count += 1
            let time = 1_795_442_400_000 + count
            if let sid = sids["orderbook_delta"] {
                size += 1
                socket.send(
                    text:
                        #"{"type":"orderbook_delta","sid":\#(sid),"seq":\#(next(sid)),"msg":{"market_ticker":"\#(LiveExchange.ticker)","price_dollars":"0.4500","delta_fp":"1.00","side":"yes","ts_ms":\#(time)}}"#
                )
            }
            if let sid = sids["trade"] {
                socket.send(
                    text:
                        #"{"type":"trade","sid":\#(sid),"seq":\#(next(sid)),"msg":{"trade_id":"7e0a2a36-5a2b-4b0f-8a7d-\#(100_000_000_000 + count)","market_ticker":"\#(LiveExchange.ticker)","yes_price_dollars":"0.4700","no_price_dollars":"0.5300","count_fp":"4.00","taker_outcome_side":"no","taker_book_side":"ask","is_block_trade":false,"ts_ms":\#(time)}}"#
                )
            }
            socket.loop.schedule(after: 10_000_000) { [self] in tick() }
        }
    }
}
