import Foundation
import Martlet
import MartletKalshi
import MartletNetwork
import MartletWire
import Synchronization
import Testing

/// An account at an exchange on loopback, REST alone: what a test says it holds, and what becomes of requests.
///
/// Unchecked: sound because the server is touched on its loop's thread alone, and the rest is behind a lock.
final class FakeAccount: HTTPServerHandler, @unchecked Sendable {
    struct Order {
        var id: String
        var clientID: String
        var ticker: String
        var side: String
        var price: String
        var initial: Quantity
        var filled = Quantity.zero
        var remaining: Quantity
        var status = "resting"
        /// What `side` and `action` say beside `book_side`; nil: they agree.
        var outcome: String?
    }
    struct Trade {
        var id: String
        var order: String
        var ticker: String
        var side: String
        var price: String
        var quantity: Quantity
        var isTaker = false
        var fee = "0.000000"
    }
    /// What becomes of a write.
    enum Fate {
        case answered
        /// It is carried out and the connection cut.
        case lost
        /// The connection is cut before anything is done.
        case cut
        /// It is carried out and answered with a success that names no order.
        case answeredWithout(String)
    }
    struct State {
        var orders: [Order] = []
        /// In the historical tier, no longer where the present ones are.
        var old: [Order] = []
        var trades: [Trade] = []
        /// By ticker: contracts, and what they cost.
        var positions: [(ticker: String, quantity: Quantity, exposure: String)] = []
        var cash = "1000.0000"
        /// So many of a taken order's contracts trade at once.
        var fillsAtOnce = Quantity.zero
        var creates = Fate.answered
        var cancels = Fate.answered
        /// Reads are as of so long ago.
        var lag = TimeSpan.zero
        /// Its clock less ours.
        var skew = TimeSpan.zero
        /// Every read is answered so, where not nil.
        var readStatus: Int?
        /// Method and path of all that came.
        var requests: [String] = []
        var bodies: [String] = []
    }

    private let thread: EventLoopThread
    private let clock: @Sendable () -> Int64
    private let state = Mutex(State())
    private var server: HTTPServer?

    init(clock: @escaping @Sendable () -> Int64) throws {
        self.clock = clock
        thread = try EventLoopThread(name: "fake account")
    }
    func listen() async throws -> ExchangeEnvironment {
        let port = try await thread.run { [self] loop in
            Result {
                let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
                let server = try HTTPServer(loop, on: address, handler: self)
                self.server = server
                return server.address.port
            }
        }.get()
        return try ExchangeEnvironment("http://127.0.0.1:\(port)")
    }
    func close() async {
        await thread.run { [self] _ in
            server?.close()
            server = nil
        }
        thread.stop()
    }

    // MARK: What a test does

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }
    func read<Value: Sendable>(_ body: (State) -> Value) -> Value { state.withLock { body($0) } }
    /// Requests that would place an order.
    var creates: Int { read { $0.requests.count { $0.hasPrefix("POST ") } } }

    /// Contracts of an order trade.
    func trade(_ order: Int, _ quantity: Quantity) {
        change { FakeAccount.trade(&$0, order, quantity) }
    }
    private static func trade(_ state: inout State, _ index: Int, _ quantity: Quantity) {
        state.orders[index].filled += quantity
        state.orders[index].remaining -= quantity
        if state.orders[index].remaining.isZero { state.orders[index].status = "executed" }
        let order = state.orders[index]
        state.trades.append(
            Trade(
                id: "trade-\(state.trades.count + 1)", order: order.id, ticker: order.ticker,
                side: order.side, price: order.price, quantity: quantity))
    }
}

// MARK: - The server

extension FakeAccount {
    func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        let target = request.head.target
        let mark = target.firstIndex(of: "?") ?? target.endIndex
        let path = String(target[..<mark].dropFirst(ExchangeEnvironment.apiPath.count))
        let query = FakeAccount.query(target[mark...].dropFirst())
        let body = (try? JSONParser.parse(request.body)) ?? .null
        let answer = state.withLock { state -> (status: Int, text: String)? in
            state.requests.append("\(request.method) \(path)")
            state.bodies.append(String(decoding: request.body, as: UTF8.self))
            switch request.method {
            case "POST": return create(body, &state)
            case "DELETE" where path.hasSuffix("/batched"): return cancel(body, &state)
            case "DELETE": return cancel(path.split(separator: "/").last.map(String.init) ?? "", &state)
            default: return read(path, query, state)
            }
        }
        guard let answer else { return responder.abort() }
        responder.respond(
            answer.status, headers: ["Content-Type": "application/json"], body: Array(answer.text.utf8))
    }

    private static func query(_ text: Substring) -> [String: String] {
        let pairs = text.split(separator: "&").compactMap { part -> (String, String)? in
            let halves = part.split(separator: "=", maxSplits: 1)
            return halves.count == 2 ? (String(halves[0]), String(halves[1])) : nil
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// Nil: no answer.
    private func settle(_ fate: Fate, _ text: String) -> (status: Int, text: String)? {
        switch fate {
        case .answered: (200, text)
        case .lost, .cut: nil
        case .answeredWithout(let other): (200, other)
        }
    }

    private func create(_ body: JSONValue, _ state: inout State) -> (status: Int, text: String)? {
        if case .cut = state.creates { return nil }
        let size = body["count"]?.string.flatMap { try? Quantity(parsing: $0) } ?? .zero
        let order = Order(
            id: "order-\(state.orders.count + 1)", clientID: body["client_order_id"]?.string ?? "",
            ticker: body["ticker"]?.string ?? "", side: body["side"]?.string ?? "",
            price: body["price"]?.string ?? "", initial: size, remaining: size)
        state.orders.append(order)
        let filled = min(state.fillsAtOnce, size)
        if filled.isPositive { FakeAccount.trade(&state, state.orders.count - 1, filled) }
        return settle(
            state.creates,
            """
            {"order_id":"\(order.id)","client_order_id":"\(order.clientID)","fill_count":"\(filled)",\
            "remaining_count":"\(size - filled)","ts_ms":\(clock() / 1_000_000)}
            """)
    }

    private func cancel(_ body: JSONValue, _ state: inout State) -> (status: Int, text: String)? {
        if case .cut = state.cancels { return nil }
        var parts: [String] = []
        for entry in body["orders"]?.array ?? [] {
            guard let id = entry["order_id"]?.string else { continue }
            guard let index = state.orders.firstIndex(where: { $0.id == id && $0.status == "resting" }) else {
                parts.append(
                    "{\"order_id\":\"\(id)\",\"error\":{\"code\":\"not_found\",\"message\":\"gone\"}}")
                continue
            }
            let taken = state.orders[index].remaining
            state.orders[index].remaining = .zero
            state.orders[index].status = "canceled"
            parts.append(
                "{\"order_id\":\"\(id)\",\"reduced_by\":\"\(taken)\",\"ts_ms\":\(clock() / 1_000_000)}")
        }
        return settle(state.cancels, "{\"orders\":[\(parts.joined(separator: ","))]}")
    }

    private func cancel(_ id: String, _ state: inout State) -> (status: Int, text: String)? {
        guard let index = state.orders.firstIndex(where: { $0.id == id && $0.status == "resting" }) else {
            return (404, "{\"error\":{\"code\":\"not_found\",\"message\":\"gone\"}}")
        }
        let taken = state.orders[index].remaining
        state.orders[index].remaining = .zero
        state.orders[index].status = "canceled"
        return (
            200, "{\"order_id\":\"\(id)\",\"reduced_by\":\"\(taken)\",\"ts_ms\":\(clock() / 1_000_000)}"
        )
    }

    private func read(_ path: String, _ query: [String: String], _ state: State) -> (Int, String) {
        if let status = state.readStatus { return (status, "{}") }
        let now = Timestamp(nanoseconds: clock()) + state.skew - state.lag
        switch path {
        case "/exchange/user_data_timestamp": return (200, "{\"as_of_time\":\"\(now)\"}")
        case "/portfolio/balance": return (200, "{\"balance_dollars\":\"\(state.cash)\"}")
        case "/portfolio/positions":
            let lines = state.positions.map {
                """
                {"ticker":"\($0.ticker)","position_fp":"\($0.quantity)","market_exposure_dollars":\
                "\($0.exposure)","realized_pnl_dollars":"0.0000","fees_paid_dollars":"0.0000"}
                """
            }
            return (200, "{\"market_positions\":[\(lines.joined(separator: ","))],\"cursor\":\"\"}")
        case "/portfolio/fills":
            let trades = state.trades.filter { query["order_id"] == nil || $0.order == query["order_id"] }
            let lines = trades.map { FakeAccount.text($0, now) }
            return (200, "{\"fills\":[\(lines.joined(separator: ","))],\"cursor\":\"\"}")
        case "/portfolio/orders":
            let orders = state.orders.filter {
                (query["status"] == nil || $0.status == query["status"])
                    && (query["ticker"] == nil || $0.ticker == query["ticker"])
            }
            return (200, FakeAccount.list(orders, now))
        case "/historical/orders": return (200, FakeAccount.list(state.old, now))
        default:
            let id = path.split(separator: "/").last.map(String.init)
            guard let order = state.orders.first(where: { $0.id == id }) else {
                return (404, "{\"error\":{\"code\":\"not_found\",\"message\":\"no such order\"}}")
            }
            return (200, "{\"order\":\(FakeAccount.text(order, now))}")
        }
    }

    private static func list(_ orders: [Order], _ now: Timestamp) -> String {
        "{\"orders\":[\(orders.map { text($0, now) }.joined(separator: ","))],\"cursor\":\"\"}"
    }
    private static func text(_ order: Order, _ now: Timestamp) -> String {
        """
        {"order_id":"\(order.id)","client_order_id":"\(order.clientID)","ticker":"\(order.ticker)",\
        "book_side":"\(order.side)","outcome_side":"\(order.outcome ?? (order.side == "bid" ? "yes" : "no"))",\
        "status":"\(order.status)","yes_price_dollars":"\(order.price)","initial_count_fp":"\(order.initial)",\
        "fill_count_fp":"\(order.filled)","remaining_count_fp":"\(order.remaining)",\
        "created_time":"\(now)","last_update_time":"\(now)","exchange_index":0}
        """
    }
    private static func text(_ trade: Trade, _ now: Timestamp) -> String {
        """
        {"trade_id":"\(trade.id)","order_id":"\(trade.order)","market_ticker":"\(trade.ticker)",\
        "book_side":"\(trade.side)","outcome_side":"\(trade.side == "bid" ? "yes" : "no")",\
        "yes_price_dollars":"\(trade.price)","count_fp":"\(trade.quantity)","is_taker":\(trade.isTaker),\
        "fee_cost":"\(trade.fee)","created_time":"\(now)","exchange_index":0}
        """
    }
}
