import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletLive
import MartletNetwork
import MartletSimulation
import MartletWire

/// Places one order as soon as there is a bid: the cold start's strategy.
private struct OrderOnFirstBook: Strategy {
    struct Parameters: StrategyParameters {
        init() {}
    }
    static let name = "order-on-first-book"
    private var isDone = false

    init(parameters: Parameters) {}

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market) }
    }
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        guard !isDone, let bid = context.book(market).bestBid else { return }
        isDone = true
        context.place(OrderRequest(.bid, 1, at: bid, in: market, timeInForce: .immediateOrCancel))
    }
}

/// What `martlet live` does from its first instruction to its first order, with the moments in between. Runs in a
/// process of its own, which the benchmark starts.
final class ColdStart: RunObserver {
    /// The steps in their order; each one's time is from the end of the one before.
    enum Step: String, CaseIterable {
        /// The program is loaded and has read its arguments.
        case process
        /// The key is read and the certificates are loaded.
        case key
        /// The account and the market are read over REST: TLS, status, limits, balance, positions, orders, fills.
        case account
        /// The connections that orders take stand.
        case connections
        /// The first order's last byte is with the kernel: WebSocket, subscription, snapshot, strategy, gate.
        case order
    }

    private let access: ExchangeAccess
    private let ticker: String
    /// Nanoseconds on the monotonic clock, one for each step.
    private var moments: [Int64]
    private var sent: Int64?
    private var outcome: OrderStatus?

    /// - Parameter started: when the process was asked for, on the monotonic clock.
    init(_ invocation: Invocation, ticker: String, started: Int64) throws {
        moments = [started, Clocks.monotonic()]
        self.ticker = ticker
        access = try ExchangeAccess(invocation)
    }

    /// - Returns: nanoseconds of each step.
    func run() throws -> [(Step, Int64)] {
        let signer = try access.signer("the benchmark has a key")
        moments.append(Clocks.monotonic())
        let client = try KalshiClient(access.environment, signer: signer, tls: access.tls)
        let loop = try EventLoop()
        let ticker = ticker
        let (opening, markets) = try AsyncWork.run {
            async let markets = MarketLoader(client).markets([ticker])
            let opening = try await AccountOpening.read(client)
            return (opening, try await markets)
        }
        moments.append(Clocks.monotonic())
        let nonce = UInt64.random(in: 1 ... .max)
        let gateway = RestGateway(
            loop, access.environment, signer: signer, tls: access.tls, nonce: nonce, settings: LiveSettings(),
            offset: opening.clockOffset, clock: { Clocks.wall() })
        var trading = TradingSettings()
        trading.startingCash = .zero
        let session = TradingSession(
            loop: loop,
            engine: Engine(seats: [StrategySeat(OrderOnFirstBook(parameters: .init()))], settings: trading),
            gateway: gateway, journal: NoJournal(), settings: LiveSettings(), hidesOwn: true)
        gateway.owner = session
        session.observer = self
        session.take(.limits(opening.limits), at: session.now)
        for market in markets { session.define(market) }
        session.adopt(opening, earlier: EarlierRuns())
        let driver = LiveDriver(
            session, environment: access.environment, signer: signer, tls: access.tls, client: client,
            rest: gateway, began: opening.began, seed: nonce)
        driver.start()
        let deadline = Clocks.monotonic() + Nanoseconds.seconds(10)
        func wait(_ what: String, _ isDone: () -> Bool) throws {
            while !isDone() {
                try loop.runOnce(timeout: Nanoseconds.milliseconds(50))
                guard Clocks.monotonic() < deadline else { throw CommandError("\(what) within ten seconds") }
            }
        }
        try wait("no connection stood") { gateway.warmConnections > 0 }
        moments.append(Clocks.monotonic())
        session.take(.started(nonce: nonce), at: session.now)
        try wait("no order left") { sent != nil }
        moments.append(sent ?? 0)
        // A start that ends in a refused order was none.
        try wait("no answer came") { outcome != nil }
        guard case .cancelled = outcome else {
            throw CommandError("the first order was not taken: \(outcome.map { "\($0)" } ?? "")")
        }
        session.stop()
        driver.close()
        return zip(Step.allCases, zip(moments, moments.dropFirst())).map { ($0, $1.1 - $1.0) }
    }

    // MARK: - RunObserver

    func sent(_ command: VenueCommand, at time: Timestamp) {
        if case .place = command, sent == nil { sent = Clocks.monotonic() }
    }
    func recorded(_ record: EngineRecord, at time: Timestamp) {
        if case .order(let order, _) = record, order.status.isFinal { outcome = order.status }
    }
    func defined(_ market: Market.ID, _ definition: Market, at time: Timestamp) {}
    func sampled(_ sample: RunSample) {}
    func progressed(_ progress: RunProgress) -> Bool { true }
}
