import Martlet
import MartletEngine
import MartletNetwork
import MartletWire

/// Places an order at the best bid on each change of the book: the benchmark's strategy.
private struct OrderOnChange: Strategy {
    struct Parameters: StrategyParameters {
        init() {}
    }
    static let name = "order-on-change"
    private var isOpen = false

    init(parameters: Parameters) {}

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, book: .everyChange) }
    }
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        // The snapshot's change opens the market; from then on each delta is answered.
        guard isOpen else {
            isOpen = true
            return
        }
        guard let bid = context.book(market).bestBid else { return }
        context.place(OrderRequest(.bid, 1, at: bid, in: market, timeInForce: .immediateOrCancel))
    }
}

/// The trader's end of the latency benchmark: a WebSocket frame is decoded, goes through the engine with its risk gate
/// and router, and the order that comes out is written, over TLS on loopback.
final class LatencyTrader: WebSocketHandler {
    /// Nanoseconds of each part, a row a message.
    struct Sample {
        var read: Int64
        var decode: Int64
        var engine: Int64
        var encode: Int64
        var write: Int64
        var total: Int64 { read + decode + engine + encode + write }
    }

    private let loop: EventLoop
    private let client: HTTPClient
    private let endpoint: Endpoint
    private let tls: TLSContext
    private var engine: Engine
    private var decoder = MessageDecoder(usesYesPrice: false)
    private var tracker = SequenceTracker()
    private var delta = BookDelta()
    private var json = JSONBytes()
    private let head: [UInt8]
    private(set) var samples: [Sample] = []
    private(set) var lastRequest: [UInt8] = []
    private(set) var failure: String?
    private(set) var answered = 0

    init(port: UInt16, trusting authority: String, busyPolling: Int64) throws {
        loop = try EventLoop()
        loop.busyPolling = busyPolling
        tls = try TLSContext(clientTrusting: .pem(authority))
        client = HTTPClient(loop, tls: tls)
        endpoint = Endpoint(host: "localhost", port: port, isSecure: true)
        var settings = TradingSettings()
        settings.strategyLimits.maxOrdersPerSecond = 10_000_000
        settings.accountLimits.maxOrdersPerSecond = 10_000_000
        engine = Engine(
            seats: [StrategySeat(OrderOnChange(parameters: .init()))], settings: settings)
        let now = Timestamp(nanoseconds: Clocks.wall())
        engine.handle(.defined(Market(ticker: LatencyPeer.ticker)), at: now)
        engine.handle(.limits(.unlimited), at: now)
        engine.handle(.started(nonce: 1), at: now)
        // A signature of an RSA-2048 key has 344 characters; this one is made ahead and checked by nobody.
        let signature = String(repeating: "A", count: 342) + "=="
        head = Array(
            ("POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\nHost: localhost:\(port)\r\n"
                + "KALSHI-ACCESS-KEY: a952bcbe-ec3b-4b5b-b8f9-11dae589608c\r\n"
                + "KALSHI-ACCESS-TIMESTAMP: 1795442400700\r\nKALSHI-ACCESS-SIGNATURE: \(signature)\r\n"
                + "Content-Type: application/json\r\nAccept-Encoding: identity\r\nContent-Length: ").utf8)
    }

    /// Trades until so many deltas were answered. Throws when the peer cannot be reached or something was wrong.
    func run(_ count: Int, isInterrupted: () -> Bool) throws {
        guard let url = HTTPURL("wss://localhost:\(endpoint.port)/trade-api/ws/v2") else { return }
        samples.reserveCapacity(count)
        client.warm(endpoint, connections: 1)
        while client.idleConnections(endpoint) == 0 { try loop.runOnce(timeout: Nanoseconds.seconds(5)) }
        let socket = WebSocketConnection(loop, to: url, tls: tls, handler: self)
        while answered < count, failure == nil, !isInterrupted() {
            try loop.runOnce(timeout: Nanoseconds.seconds(5))
        }
        socket.drop()
        client.close()
        if let failure { throw CommandError("the benchmark has no result: \(failure)") }
    }

    func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        // The poller's return; taken now, since sending refreshes it.
        let woken = loop.now
        let read = Clocks.monotonic()
        let frame = bytes.assumingMemoryBound(to: UInt8.self)
        guard decoder.decodeDelta(frame, into: &delta) else { return takeSnapshot(frame, socket) }
        guard tracker.check(sid: delta.sid, sequence: delta.sequence) == .inOrder else {
            failure = "a message was missing"
            return
        }
        let event = delta.event(receiveTime: Timestamp(nanoseconds: Clocks.wall()))
        let decoded = Clocks.monotonic()
        engine.handle(event)
        var placed: PlaceOrder?
        engine.drainOutputs { output in
            if case .command(.place(let order)) = output { placed = order }
        }
        let decided = Clocks.monotonic()
        guard let placed else {
            failure = "the engine placed no order"
            return
        }
        let request = encoded(placed)
        let written = Clocks.monotonic()
        let exchange = client.send(encoded: request, method: "POST", to: endpoint, isIdempotent: false) {
            [unowned self, unowned socket] result in
            answer(result, placed, socket)
        }
        let sent = exchange.writtenAt
        guard sent > 0 else {
            failure = "the kernel did not take an order whole"
            return
        }
        samples.append(
            Sample(
                read: read - woken, decode: decoded - read, engine: decided - decoded,
                encode: written - decided, write: sent - written))
        lastRequest = request
    }

    func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        if failure == nil { failure = "the peer closed: \(closure.cause)" }
    }

    private func takeSnapshot(_ frame: UnsafeBufferPointer<UInt8>, _ socket: WebSocketConnection) {
        let now = Timestamp(nanoseconds: Clocks.wall())
        guard let snapshot = try? decoder.decode(frame), snapshot.kind == .snapshot else {
            failure = "the peer sent something else than a book"
            return
        }
        _ = tracker.check(snapshot)
        let market = Market.ID(snapshot.market)
        engine.handle(MarketEvent(.snapshotStart, market: market, receiveTime: now))
        for (index, level) in decoder.levels.enumerated() {
            let isLast = index == decoder.levels.count - 1
            engine.handle(
                MarketEvent(
                    .snapshotLevel, market: market, side: level.side, price: level.price,
                    quantity: level.quantity, flags: isLast ? [.snapshotEnd, .groupEnd] : [],
                    receiveTime: now))
        }
        engine.drainOutputs { _ in }
        socket.send(text: "next")
    }

    private func answer(
        _ result: Result<HTTPResponse, HTTPClientError>, _ placed: PlaceOrder, _ socket: WebSocketConnection
    ) {
        guard case .success(let response) = result, response.status == 201 else {
            failure = "an order was not taken: \(result)"
            return
        }
        let now = Timestamp(nanoseconds: Clocks.wall())
        let report = VenueReport(
            .accepted(filled: .zero, remaining: .zero, end: .immediateRemainder), order: placed.id,
            market: placed.request.market, exchangeTime: now)
        engine.handle(.report(report), at: now)
        engine.drainOutputs { _ in }
        answered += 1
        socket.send(text: "next")
    }

    /// The whole request: head, length and body.
    private func encoded(_ order: PlaceOrder) -> [UInt8] {
        json.clear()
        json.beginObject()
        json.key("ticker")
        json.string(LatencyPeer.ticker)
        json.key("client_order_id")
        json.string("1-\(order.id.number)")
        json.key("side")
        json.string(order.request.side == .bid ? "bid" : "ask")
        json.key("count")
        json.quantity(order.request.quantity)
        json.key("price")
        json.price(order.request.price)
        json.key("time_in_force")
        json.string("immediate_or_cancel")
        json.key("self_trade_prevention_type")
        json.string("taker_at_cross")
        json.endObject()
        var request: [UInt8] = []
        request.reserveCapacity(head.count + json.count + 16)
        request.append(contentsOf: head)
        request.append(contentsOf: "\(json.count)\r\n\r\n".utf8)
        json.withBytes { request.append(contentsOf: $0) }
        return request
    }
}
