import MartletNetwork

/// Orders over REST at an even rate, from one account after the other: nine of ten rest far from the market and are
/// cancelled in batches, one of ten takes a contract.
///
/// Each has a time at which it is due, and its acknowledgement is timed from there: a late client or a busy
/// connection counts against the exchange.
final class LoadOrders {
    /// An account's orders that are cancelled with one request.
    private static let batch = 8

    private let loop: EventLoop
    private let client: HTTPClient
    private let endpoint: Endpoint
    private let accounts: [SandboxProcess.Account]
    private let markets: [String]
    private var resting: [[(id: String, market: String)]]
    private var turn = 0
    private(set) var sent = 0
    private(set) var accepted = 0
    private(set) var cancelled = 0
    private(set) var refused = 0
    private(set) var lost = 0
    private(set) var inFlight = 0
    /// The first answer that was no acceptance.
    private(set) var firstRefusal: String?
    /// Nanoseconds from due to acknowledged, of creates.
    var latencies: [Int64] = []
    /// Nanoseconds from written to acknowledged.
    var roundTrips: [Int64] = []

    init(_ loop: EventLoop, _ sandbox: SandboxProcess) {
        self.loop = loop
        var configuration = HTTPClientConfiguration()
        configuration.connectionsPerEndpoint = 64
        configuration.waitingMax = 100_000
        client = HTTPClient(loop, tls: sandbox.tls, configuration: configuration)
        endpoint = sandbox.rest.endpoint
        accounts = sandbox.accounts
        markets = sandbox.markets
        resting = Array(repeating: [], count: sandbox.accounts.count)
        client.warm(endpoint, connections: 64)
    }

    /// Sends the next order, due at `time` on the loop's clock.
    func sendNext(dueAt time: Int64) {
        let account = turn % accounts.count
        let market = markets[(turn * 7) % markets.count]
        let takes = turn % 10 == 9
        turn += 1
        let body =
            takes
            ? Self.order(market, "0.9800", "immediate_or_cancel")
            : Self.order(market, "0.0100", "good_till_canceled")
        sent += 1
        post("/trade-api/v2/portfolio/events/orders", "POST", body, account) { [weak self] response, began in
            guard let self else { return }
            guard let response, response.status == 201 else { return self.note(response) }
            self.accepted += 1
            let now = Clocks.monotonic()
            self.latencies.append(now - time)
            self.roundTrips.append(now - began)
            if !takes { self.rested(response.body, market, account) }
        }
    }

    private func note(_ response: HTTPResponse?) {
        guard let response else {
            lost += 1
            return
        }
        refused += 1
        if firstRefusal == nil { firstRefusal = String(decoding: response.body.prefix(300), as: UTF8.self) }
    }

    private static func order(_ market: String, _ price: String, _ timeInForce: String) -> String {
        """
        {"ticker":"\(market)","side":"bid","count":"1.00","price":"\(price)","time_in_force":"\(timeInForce)",\
        "self_trade_prevention_type":"taker_at_cross"}
        """
    }

    /// `{"order_id":"36 characters", …`
    private func rested(_ body: [UInt8], _ market: String, _ account: Int) {
        guard body.count > 50 else { return }
        resting[account].append((String(decoding: body[13..<49], as: UTF8.self), market))
        guard resting[account].count >= LoadOrders.batch else { return }
        let items = resting[account].map { #"{"order_id":"\#($0.id)","market_ticker":"\#($0.market)"}"# }
        resting[account] = []
        post(
            "/trade-api/v2/portfolio/events/orders/batched", "DELETE",
            #"{"orders":[\#(items.joined(separator: ","))]}"#, account
        ) { [weak self] response, _ in
            guard let self else { return }
            guard let response, response.status == 200 else { return self.note(response) }
            self.cancelled += items.count
        }
    }

    private func post(
        _ path: String, _ method: String, _ body: String, _ account: Int,
        _ done: @escaping (HTTPResponse?, Int64) -> Void
    ) {
        let account = accounts[account]
        let stamp = "\(Clocks.wall() / 1_000_000)"
        guard let signature = try? account.key.sign(Array((stamp + method + path).utf8)) else { return }
        let head = """
            \(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
            Content-Length: \(body.utf8.count)\r\nKALSHI-ACCESS-KEY: \(account.keyID)\r\n\
            KALSHI-ACCESS-TIMESTAMP: \(stamp)\r\n\
            KALSHI-ACCESS-SIGNATURE: \(Base64.encode(signature))\r\n\r\n
            """
        inFlight += 1
        let began = Clocks.monotonic()
        client.send(
            encoded: Array((head + body).utf8), method: method, to: endpoint, isIdempotent: false
        ) { [weak self] result in
            self?.inFlight -= 1
            done(try? result.get(), began)
        }
    }

    /// A request of the control endpoint.
    func control(
        _ method: String, _ path: String, _ body: String, token: String,
        _ done: @escaping ([UInt8]) -> Void
    ) {
        let head = """
            \(method) /sandbox/\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
            Content-Length: \(body.utf8.count)\r\nSandbox-Token: \(token)\r\n\r\n
            """
        client.send(encoded: Array((head + body).utf8), method: method, to: endpoint, isIdempotent: false) {
            done((try? $0.get())?.body ?? [])
        }
    }
    func close() { client.close() }
}
