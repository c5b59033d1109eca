import Foundation
import MartletNetwork
import Synchronization

/// A small exchange on loopback for the commands: two markets of one series, one settled; 25 trades in pages of
/// five, the newest first, of which the oldest ten are in the historical tier; and a key.
final class LoopbackExchange: Sendable {
    static let keyID = "a952bcbe-ec3b-4b5b-b8f9-11dae589608c"
    static let settled = "KXTEST-24NOV22-T1"
    static let open = "KXTEST-24NOV23-T1"

    private let thread: EventLoopThread
    private let handler: Handler
    let key: PrivateKey
    let address: String

    /// Requests as `GET /trade-api/v2/markets?limit=1000`.
    var requests: [String] { handler.requests.withLock { $0 } }
    /// The request with this number is refused, and all after it; nil: none.
    var failsFrom: Int? {
        get { handler.failsFrom.withLock { $0 } }
        set { handler.failsFrom.withLock { $0 = newValue } }
    }

    init() async throws {
        key = try PrivateKey.generate(.ed25519)
        let thread = try EventLoopThread(name: "loopback exchange")
        let handler = Handler(key.publicKey)
        let port = try await thread.run { loop in handler.listen(loop) }.get()
        address = "http://127.0.0.1:\(port)"
        self.thread = thread
        self.handler = handler
    }

    deinit {
        let (thread, handler) = (thread, handler)
        thread.loop.execute {
            handler.close()
            thread.stop()
        }
    }

    // @unchecked Sendable is sound because the server is touched on the loop's thread alone.
    private final class Handler: HTTPServerHandler, @unchecked Sendable {
        let requests = Mutex<[String]>([])
        let failsFrom = Mutex<Int?>(nil)
        private let key: PublicKey
        private var server: HTTPServer?

        init(_ key: PublicKey) { self.key = key }

        func listen(_ loop: EventLoop) -> Result<UInt16, SystemError> {
            Result { () throws(SystemError) in
                guard let address = SocketAddress(numeric: "127.0.0.1", port: 0) else {
                    throw SystemError("address", 22)
                }
                let server = try HTTPServer(loop, on: address, handler: self)
                self.server = server
                return server.address.port
            }
        }

        func close() {
            server?.close()
            server = nil
        }

        func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
            let number = requests.withLock { list in
                list.append("\(request.method) \(request.head.target)")
                return list.count
            }
            if let limit = failsFrom.withLock({ $0 }), number >= limit {
                return responder.respond(400, text: #"{"msg":"out of order"}"#, type: "application/json")
            }
            let parts = request.head.target.split(separator: "?", maxSplits: 1)
            let path = String(parts[0].dropFirst("/trade-api/v2".count))
            var query: [String: String] = [:]
            for item in parts.dropFirst().joined().split(separator: "&") {
                let pair = item.split(separator: "=", maxSplits: 1)
                query[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
            }
            if Answers.isPrivate(path), let refusal = refusal(request, "/trade-api/v2" + path) {
                return responder.respond(401, text: refusal, type: "application/json")
            }
            guard let text = Answers.text(path, query) else {
                return responder.respond(
                    404, text: #"{"code":"not_found","message":"not found"}"#, type: "application/json")
            }
            responder.respond(200, text: text, type: "application/json")
        }

        private func refusal(_ request: HTTPServerRequest, _ path: String) -> String? {
            func error(_ details: String) -> String {
                #"{"error":{"code":"authentication_error","message":"authentication_error","details":"\#(details)"}}"#
            }
            guard request.headers["KALSHI-ACCESS-KEY"] == LoopbackExchange.keyID else {
                return error("NOT_FOUND")
            }
            let date = request.headers["KALSHI-ACCESS-TIMESTAMP"] ?? ""
            let signature = Base64.decode(request.headers["KALSHI-ACCESS-SIGNATURE"] ?? "") ?? []
            let isRight = key.verify(signature, of: Array("\(date)\(request.method)\(path)".utf8))
            return isRight ? nil : error("INCORRECT_API_KEY_SIGNATURE")
        }
    }
}

private enum Answers {
    static func isPrivate(_ path: String) -> Bool {
        path.hasPrefix("/portfolio") || path == "/account/limits"
    }

    static func market(_ ticker: String) -> String {
        let isSettled = ticker == LoopbackExchange.settled
        let day = isSettled ? "22" : "23"
        let end =
            isSettled
            ? #""status":"finalized","result":"yes","settlement_value_dollars":"1.0000","settlement_ts":"2024-11-22T21:00:00Z""#
            : #""status":"active","result":"""#
        return """
            {"ticker":"\(ticker)","event_ticker":"KXTEST-24NOV\(day)","title":"Will it rain on Nov \(day)?",
            "yes_sub_title":"Rain","open_time":"2024-11-\(day)T06:00:00Z","close_time":"2024-11-\(day)T20:00:00Z",
            "settlement_timer_seconds":3600,\(end),"yes_bid_dollars":"0.4700","yes_ask_dollars":"0.4800",
            "last_price_dollars":"0.4700","volume_fp":"15404.00","open_interest_fp":"8120.00",
            "price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0100"}],"exchange_index":2}
            """
    }

    static func text(_ path: String, _ query: [String: String]) -> String? {
        switch path {
        case "/exchange/status":
            #"{"exchange_active":true,"trading_active":true,"exchange_index_statuses":[]}"#
        case "/portfolio/balance":
            #"{"balance":99314,"balance_dollars":"993.1452","portfolio_value":658,"updated_ts":1,"balance_breakdown":[{"exchange_index":2,"balance":"993.1452"}]}"#
        case "/account/limits":
            #"{"usage_tier":"advanced","read":{"refill_rate":300,"bucket_capacity":900},"write":{"refill_rate":300,"bucket_capacity":900},"grants":[]}"#
        case "/account/endpoint_costs": #"{"default_cost":10,"endpoint_costs":[]}"#
        case "/historical/cutoff":
            #"{"market_settled_ts":"2024-11-01T00:00:00Z","trades_created_ts":"2024-11-22T10:00:00Z","orders_updated_ts":"2024-11-01T00:00:00Z"}"#
        case "/markets": markets(query)
        case "/historical/markets": #"{"markets":[],"cursor":""}"#
        case "/markets/\(LoopbackExchange.open)": #"{"market":\#(market(LoopbackExchange.open))}"#
        case "/markets/\(LoopbackExchange.settled)": #"{"market":\#(market(LoopbackExchange.settled))}"#
        case "/events/KXTEST-24NOV22", "/events/KXTEST-24NOV23":
            #"{"event":{"event_ticker":"\#(path.dropFirst(8))","series_ticker":"KXTEST","mutually_exclusive":true,"collateral_return_type":"MECNET"}}"#
        case "/series/KXTEST":
            #"{"series":{"ticker":"KXTEST","title":"Rain","fee_type":"quadratic_with_maker_fees","fee_multiplier":1}}"#
        case "/markets/trades": trades(query, historical: false)
        case "/historical/trades": trades(query, historical: true)
        case "/series/KXTEST/markets/\(LoopbackExchange.settled)/candlesticks",
            "/series/KXTEST/markets/\(LoopbackExchange.open)/candlesticks":
            candlesticks(query)
        default: nil
        }
    }

    private static func markets(_ query: [String: String]) -> String {
        guard query["series_ticker"] == "KXTEST" || query["series_ticker"] == nil else {
            return #"{"markets":[],"cursor":""}"#
        }
        let pages = [LoopbackExchange.open, LoopbackExchange.settled]
        let page = Int(query["cursor"] ?? "0") ?? 0
        return #"{"markets":[\#(market(pages[page]))],"cursor":"\#(page == 0 ? "1" : "")"}"#
    }

    /// Trade n of 1...25 is made at n·20 minutes past 06:00; the two tiers overlap in one.
    private static func trades(_ query: [String: String], historical: Bool) -> String {
        guard query["ticker"] == LoopbackExchange.settled else { return #"{"trades":[],"cursor":""}"# }
        let all = Array((historical ? Array(1...11) : Array(11...25)).reversed())
        let start = Int(query["cursor"] ?? "0") ?? 0
        let page = all[start..<min(start + 5, all.count)].map { number in
            let minutes = 360 + number * 20
            func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
            return """
                {"trade_id":"t\(number)","ticker":"\(LoopbackExchange.settled)","count_fp":"\(number).00",
                "yes_price_dollars":"0.\(two(40 + number))00","no_price_dollars":"0.\(two(60 - number))00",
                "taker_outcome_side":"\(number % 2 == 0 ? "yes" : "no")","created_time":
                "2024-11-22T\(two(minutes / 60)):\(two(minutes % 60)):00.500Z","is_block_trade":\(number == 3)}
                """
        }
        let next = start + 5 < all.count ? "\(start + 5)" : ""
        return #"{"trades":[\#(page.joined(separator: ","))],"cursor":"\#(next)"}"#
    }

    private static func candlesticks(_ query: [String: String]) -> String {
        let (start, end) = (Int(query["start_ts"] ?? "") ?? 0, Int(query["end_ts"] ?? "") ?? 0)
        let candles = stride(from: (start + 3599) / 3600 * 3600, through: end, by: 3600).map { time in
            """
            {"end_period_ts":\(time),"yes_bid":{"close_dollars":"0.4600"},"yes_ask":{"close_dollars":"0.4800"},
            "price":{"close_dollars":"0.4700"},"volume_fp":"14.00","open_interest_fp":"8130.00"}
            """
        }
        return #"{"ticker":"x","candlesticks":[\#(candles.joined(separator: ","))]}"#
    }
}
