import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Synchronization
import Testing

@testable import MartletSandbox

/// A sandbox on a loop of its own thread, and clients that reach it through loopback alone.
///
/// The clock stands unless asked otherwise, so that nothing happens but what a test does.
final class SandboxRig: Sendable {
    struct Account: Sendable {
        let keyID: String
        let key: PrivateKey
    }
    struct Answer {
        let status: Int
        let json: JSONValue
        let headers: HTTPHeaders
        /// Of either form of error.
        var code: String? { (json["error"]?["code"] ?? json["code"])?.string }
        subscript(name: String) -> JSONValue? { json[name] }
    }

    // @unchecked Sendable is sound because the value is touched on the loop's thread alone.
    private final class OnLoop: @unchecked Sendable {
        var server: SandboxServer?
    }

    let thread: EventLoopThread
    private let held = OnLoop()
    let client: AsyncHTTPClient
    let alice: Account
    let bob: Account
    let token: String
    let endpoint: Endpoint
    let feedURL: HTTPURL
    let tls: TLSContext?
    let markets: [String]

    init(
        algorithm: KeyAlgorithm = .ed25519, isPlain: Bool = true,
        _ change: (inout SandboxSettings) -> Void = { _ in }
    ) async throws {
        alice = Account(keyID: "alice", key: try PrivateKey.generate(algorithm))
        bob = Account(keyID: "bob", key: try PrivateKey.generate(.ed25519))
        var settings = SandboxSettings()
        settings.isPlain = isPlain
        settings.isPaused = true
        settings.tier = "unlimited"
        settings.world.markets = 17
        settings.world.warmUpSeconds = 20
        for account in [alice, bob] {
            settings.accounts.append(.init(keyID: account.keyID, publicKeyPEM: account.key.publicKey.pem()))
        }
        change(&settings)
        thread = try EventLoopThread(name: "sandbox")
        let (final, held) = (settings, held)
        struct Started: Sendable {
            var rest = "", feed = "", token = "", problem = ""
            var authority: String?
            var markets: [String] = []
        }
        let started = await thread.run { loop -> Started in
            do {
                let server = try SandboxServer(final, loop: loop)
                held.server = server
                return Started(
                    rest: server.restURL, feed: server.webSocketURL, token: server.controlToken,
                    authority: server.authorityFile, markets: server.quotedMarkets)
            } catch {
                return Started(problem: "\(error)")
            }
        }
        if !started.problem.isEmpty { throw SandboxError(started.problem) }
        token = started.token
        endpoint = try #require(HTTPURL(started.rest)).endpoint
        feedURL = try #require(HTTPURL(started.feed))
        tls = try started.authority.map { try TLSContext(clientTrusting: .file($0)) }
        markets = started.markets
        client = try AsyncHTTPClient(tls: tls)
    }

    deinit {
        let (held, thread) = (held, thread)
        thread.loop.execute {
            held.server?.close()
            held.server = nil
            thread.stop()
        }
    }

    /// Looks at the server on its own thread.
    func inside<Value: Sendable>(_ body: @escaping @Sendable (SandboxServer) -> Value) async throws -> Value {
        let held = held
        return try #require(await thread.run { _ in held.server.map(body) })
    }

    // MARK: Requests

    static func sign(_ account: Account, _ method: String, _ path: String, at milliseconds: Int64? = nil)
        throws
        -> HTTPHeaders
    {
        let stamp = milliseconds ?? Clocks.wall() / 1_000_000
        let bare = String(path.prefix { $0 != "?" })
        let signature = try account.key.sign(Array("\(stamp)\(method)\(bare)".utf8))
        return [
            "KALSHI-ACCESS-KEY": account.keyID, "KALSHI-ACCESS-TIMESTAMP": "\(stamp)",
            "KALSHI-ACCESS-SIGNATURE": Base64.encode(signature),
        ]
    }

    /// `path` below `/trade-api/v2`.
    func call(
        _ method: String, _ path: String, _ body: String? = nil, as account: Account? = nil,
        headers extra: HTTPHeaders? = nil
    ) async throws -> Answer {
        let target = "/trade-api/v2/" + path
        var headers = try extra ?? account.map { try SandboxRig.sign($0, method, target) } ?? [:]
        if body != nil { headers.append("Content-Type", "application/json") }
        return try await raw(method, target, body, headers)
    }

    func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        try await raw(
            method, "/sandbox/" + path, body,
            ["Sandbox-Token": token, "Content-Type": "application/json"])
    }
    func step(seconds: Int) async throws {
        let answer = try await control("POST", "advance", #"{"seconds":\#(seconds)}"#)
        #expect(answer.status == 200)
    }

    func raw(_ method: String, _ target: String, _ body: String?, _ headers: HTTPHeaders) async throws
        -> Answer
    {
        var request = HTTPRequest(method, endpoint, target, headers: headers, body: Array((body ?? "").utf8))
        request.isIdempotent = false
        let response = try await client.send(request, timeout: Nanoseconds.seconds(20))
        let json = response.body.isEmpty ? JSONValue.null : (try? JSONParser.parse(response.body)) ?? .null
        return Answer(status: response.status, json: json, headers: response.headers)
    }

    // MARK: Orders

    static func order(
        _ ticker: String, _ side: String = "bid", _ count: String = "10", at price: String,
        _ timeInForce: String = "good_till_canceled", _ more: String = ""
    ) -> String {
        """
        {"ticker":"\(ticker)","side":"\(side)","count":"\(count)","price":"\(price)",\
        "time_in_force":"\(timeInForce)","self_trade_prevention_type":"taker_at_cross"\(more)}
        """
    }
    func place(_ body: String, as account: Account) async throws -> Answer {
        try await call("POST", "portfolio/events/orders", body, as: account)
    }
    /// A market of the first shard whose grid has whole cents in the middle.
    var market: String { markets.first { $0.hasPrefix("KXMENTION") } ?? "" }
    var coin: String { markets.first { $0.hasPrefix("KXBTC") } ?? "" }

    func feed(_ account: Account) async throws -> FeedClient {
        let headers = try SandboxRig.sign(account, "GET", "/trade-api/ws/v2")
        return try await FeedClient(feedURL, headers, tls)
    }
}

/// A WebSocket client that keeps all frames until they are asked for.
final class FeedClient: Sendable {
    private struct State {
        var frames: [JSONValue] = []
        var isOpen = false
        var closure: WebSocketClosure?
        var pings: [String] = []
    }
    // @unchecked Sendable is sound: the socket is touched on the loop's thread, the state behind its mutex.
    private final class Handler: WebSocketHandler, @unchecked Sendable {
        let state = Mutex(State())
        var socket: WebSocketConnection?

        func webSocketOpened(_ socket: WebSocketConnection) { state.withLock { $0.isOpen = true } }
        func webSocket(
            _ socket: WebSocketConnection, received kind: WebSocketMessageKind,
            _ bytes: UnsafeRawBufferPointer
        ) {
            let value = (try? JSONParser.parse(bytes)) ?? .null
            state.withLock { $0.frames.append(value) }
        }
        func webSocket(_ socket: WebSocketConnection, ping payload: UnsafeRawBufferPointer) {
            let text = String(decoding: payload, as: UTF8.self)
            state.withLock { $0.pings.append(text) }
        }
        func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
            state.withLock { $0.closure = closure }
        }
    }

    struct TimedOut: Error {}
    private let thread: EventLoopThread
    private let handler = Handler()

    init(_ url: HTTPURL, _ headers: HTTPHeaders, _ tls: TLSContext?) async throws {
        thread = try EventLoopThread(name: "feed client")
        let handler = handler
        await thread.run { loop in
            handler.socket = WebSocketConnection(loop, to: url, headers: headers, tls: tls, handler: handler)
        }
        try await wait { $0.isOpen || $0.closure != nil }
    }
    deinit {
        let (handler, thread) = (handler, thread)
        thread.loop.execute {
            handler.socket?.drop()
            handler.socket = nil
            thread.stop()
        }
    }

    private func wait(_ condition: (borrowing State) -> Bool) async throws {
        for _ in 0..<2000 {
            if handler.state.withLock({ condition($0) }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut()
    }

    var isOpen: Bool { handler.state.withLock { $0.isOpen && $0.closure == nil } }
    var closure: WebSocketClosure? { handler.state.withLock { $0.closure } }
    var pings: [String] { handler.state.withLock { $0.pings } }

    func send(_ text: String) async {
        let handler = handler
        await thread.run { _ in _ = handler.socket?.send(text: text) }
    }
    /// Stops or goes on reading at all.
    func waitForClosure() async throws { try await wait { $0.closure != nil } }
    func waitForPing() async throws { try await wait { !$0.pings.isEmpty } }

    /// Takes the first frame that fits, waiting for it; those before it stay.
    func next(_ fits: @Sendable (JSONValue) -> Bool) async throws -> JSONValue {
        var found = JSONValue.null
        for _ in 0..<2000 {
            let hit = handler.state.withLock { state -> JSONValue? in
                guard let index = state.frames.firstIndex(where: fits) else { return nil }
                return state.frames.remove(at: index)
            }
            if let hit {
                found = hit
                return found
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TimedOut()
    }
    func next(_ type: String) async throws -> JSONValue { try await next { $0["type"]?.string == type } }
    /// Everything that has come and was not asked for, in order.
    func take() -> [JSONValue] {
        handler.state.withLock { state in
            defer { state.frames = [] }
            return state.frames
        }
    }
    /// Asks for the list of subscriptions and waits for it: what was sent before it has then come in.
    func settle() async throws {
        let id = Int64.random(in: 1_000_000...9_000_000)
        await send(#"{"id":\#(id),"cmd":"list_subscriptions"}"#)
        _ = try await next { $0["id"]?.int64 == id }
    }
}
