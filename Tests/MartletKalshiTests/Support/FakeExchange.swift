import Foundation
import Martlet
import MartletNetwork
import MartletWire
import Synchronization

@testable import MartletKalshi

/// An exchange on loopback that answers as a test says.
final class FakeExchange: Sendable {
    /// A request as it came.
    struct Received: Sendable {
        var method: String
        var path: String
        var query: String
        var headers: HTTPHeaders
        var body: String

        /// Whether its signature is that of `key` over its own timestamp, method and path.
        func isSigned(by key: PrivateKey) -> Bool {
            guard let date = headers[RequestSigner.timestampHeader],
                let signature = headers[RequestSigner.signatureHeader].flatMap({ Base64.decode($0) })
            else { return false }
            return key.publicKey.verify(signature, of: Array("\(date)\(method)\(path)".utf8))
        }
    }

    enum Answer: Sendable {
        case json(Int, String, headers: HTTPHeaders = [:])
        /// Closes the connection without a word.
        case drop
        /// Says nothing for ever.
        case silence

        static func ok(_ text: String) -> Answer { .json(200, text) }
    }

    typealias Script = @Sendable (_ request: Received, _ number: Int) -> Answer

    private let thread: EventLoopThread
    private let holder: Holder
    let port: UInt16
    let isSecure: Bool

    var requests: [Received] { holder.requests.withLock { $0 } }

    init(certificate: (Certificate, PrivateKey)? = nil, _ script: @escaping Script) async throws {
        thread = try EventLoopThread(name: "fake exchange")
        let tls = try certificate.map { try TLSContext(serverCertificates: [$0.0], key: $0.1) }
        isSecure = tls != nil
        let holder = Holder(script)
        self.holder = holder
        port = try await thread.run { loop in holder.listen(loop, tls) }.get()
    }

    deinit {
        let (thread, holder) = (thread, holder)
        thread.loop.execute {
            holder.close()
            thread.stop()
        }
    }

    var environment: ExchangeEnvironment {
        get throws {
            try ExchangeEnvironment(isSecure ? "https://localhost:\(port)" : "http://127.0.0.1:\(port)")
        }
    }

    /// A client that does not wait long.
    func client(
        signer: RequestSigner? = nil, tls: TLSContext? = nil, clock: SimulatedWall? = nil,
        _ change: (inout ClientSettings) -> Void = { _ in }
    ) throws -> KalshiClient {
        var settings = ClientSettings()
        settings.backOff = Nanoseconds.milliseconds(2)
        settings.backOffMax = Nanoseconds.milliseconds(8)
        settings.timeout = Nanoseconds.seconds(10)
        settings.seed = 7
        change(&settings)
        let exact = clock ?? SimulatedWall(error: 0)
        let wall: @Sendable () -> Int64 = { exact.now }
        return try KalshiClient(environment, signer: signer, tls: tls, settings: settings, clock: wall)
    }

    // @unchecked Sendable is sound because the server is touched on the loop's thread alone.
    private final class Holder: HTTPServerHandler, @unchecked Sendable {
        let requests = Mutex<[Received]>([])
        private let script: Script
        private var server: HTTPServer?
        private var silent: [HTTPResponder] = []

        init(_ script: @escaping Script) { self.script = script }

        func listen(_ loop: EventLoop, _ tls: TLSContext?) -> Result<UInt16, SystemError> {
            Result { () throws(SystemError) in
                guard let address = SocketAddress(numeric: "127.0.0.1", port: 0) else {
                    throw SystemError("address", 22)
                }
                let server = try HTTPServer(loop, on: address, tls: tls, handler: self)
                self.server = server
                return server.address.port
            }
        }

        func close() {
            server?.close()
            server = nil
            silent = []
        }

        func handle(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
            let target = request.head.target
            let mark = target.firstIndex(of: "?") ?? target.endIndex
            let received = Received(
                method: request.method, path: String(target[..<mark]),
                query: String(target[mark...].dropFirst()), headers: request.headers,
                body: String(decoding: request.body, as: UTF8.self))
            let number = requests.withLock { list in
                list.append(received)
                return list.count
            }
            switch script(received, number) {
            case .json(let status, let text, var headers):
                headers.append("Content-Type", "application/json")
                responder.respond(status, headers: headers, body: Array(text.utf8))
            case .drop: responder.abort()
            case .silence: silent.append(responder)
            }
        }
    }
}

/// This machine's clock, off by so much.
final class SimulatedWall: Sendable {
    private let error: Int64
    init(error: Int64) { self.error = error }
    var now: Int64 { Clocks.wall() + error }
}

/// The order of the documentation's samples.
enum Sample {
    static let ticker = "KXHIGHNY-26NOV23-B54.5"
    static let market = """
        {"ticker":"KXHIGHNY-26NOV23-B54.5","event_ticker":"KXHIGHNY-26NOV23","market_type":"binary",
        "title":"Will the high temp in NYC be 54-55?","yes_sub_title":"54 to 55","no_sub_title":"54 to 55",
        "open_time":"2026-11-23T06:40:00.000Z","close_time":"2026-11-24T09:00:00.000Z",
        "settlement_timer_seconds":3600,"status":"active","yes_bid_dollars":"0.4700","yes_bid_size_fp":"6.00",
        "yes_ask_dollars":"0.4800","yes_ask_size_fp":"150.00","last_price_dollars":"0.4700",
        "volume_fp":"15404.00","volume_24h_fp":"15404.00","result":"","open_interest_fp":"8120.00",
        "price_level_structure":"linear_cent","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0100"}],
        "exchange_index":2}
        """
    static let order = """
        {"order_id":"0c6f2f0e","user_id":"a3c1e0d4","client_order_id":"bot-1","ticker":"KXHIGHNY-26NOV23-B54.5",
        "side":"no","action":"sell","outcome_side":"yes","book_side":"bid","type":"limit","status":"resting",
        "yes_price_dollars":"0.4700","no_price_dollars":"0.5300","fill_count_fp":"4.00",
        "remaining_count_fp":"6.00","initial_count_fp":"10.00","taker_fill_cost_dollars":"0.000000",
        "maker_fill_cost_dollars":"1.880000","taker_fees_dollars":"0.000000","maker_fees_dollars":"0.000000",
        "expiration_time":null,"created_time":"2026-11-23T14:00:00.400Z",
        "last_update_time":"2026-11-23T14:00:00.700Z","self_trade_prevention_type":"taker_at_cross",
        "cancel_order_on_pause":false,"subaccount_number":0,"exchange_index":2}
        """
    static let trade = """
        {"trade_id":"7e0a2a36","ticker":"KXHIGHNY-26NOV23-B54.5","count_fp":"4.00",
        "yes_price_dollars":"0.4700","no_price_dollars":"0.5300","taker_side":"no","taker_outcome_side":"no",
        "taker_book_side":"ask","created_time":"2026-11-23T14:00:00.700Z","is_block_trade":false}
        """
    static let answer = """
        {"order_id":"0c6f2f0e","client_order_id":"bot-1","fill_count":"0.00","remaining_count":"10.00",
        "ts_ms":1795442400400}
        """
}

extension RestCall {
    func read(_ text: String) throws -> Response { try decode(JSONParser.parse(text)) }
}
