import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire
import Synchronization
import Testing

@testable import MartletLive

/// A live session without a feed on a ``FakeAccount``: the test is its feed, and moves its clock.
final class AccountRig {
    static let ticker = "KXTEST-26NOV23-T1"
    static let market = Market.ID(0)

    let exchange: FakeAccount
    let session: TradingSession
    let gateway: RestGateway
    let desk: Desk
    /// What the session has told, but remarks.
    let told: Told
    private(set) var auditor: AccountAuditor?
    private(set) var resolver: OrderResolver?
    /// What REST is asked for again while a difference is only suspected.
    var onCatchUp: () -> Void = {}
    private(set) var catchUps = 0
    private let client: KalshiClient
    private let settings: LiveSettings
    private let ahead: Ahead

    final class Ahead: Sendable {
        private let nanoseconds = Atomic<Int64>(0)
        var now: Int64 { Clocks.wall() + nanoseconds.load(ordering: .relaxed) }
        func add(_ span: TimeSpan) { nanoseconds.wrappingAdd(span.nanoseconds, ordering: .relaxed) }
    }
    /// The test's hand in the strategy, and what the strategy saw.
    final class Desk {
        typealias Action = (borrowing Context, Desk) -> Void
        var pending: [Action] = []
        var orders: [OrderID: Order] = [:]
        var fills: [Fill] = []
        var placed: OrderID?
        var order: Order? { placed.flatMap { orders[$0] } }
    }
    final class Told: SessionObserver {
        var events: [SessionEvent] = []
        var remarks: [String] = []
        func session(_ event: SessionEvent, at time: Timestamp) {
            if case .remark(let text) = event { remarks.append(text) } else { events.append(event) }
        }
        func count(_ name: String) -> Int { events.count { $0.name == name } }
    }
    private struct Hand: Strategy {
        struct Parameters: StrategyParameters { init() {} }
        static let name = "hand"
        let desk: Desk
        init(parameters: Parameters) { self.init(Desk()) }
        init(_ desk: Desk) { self.desk = desk }

        mutating func started(_ context: borrowing Context) {
            for market in context.markets { context.subscribe(to: market, trades: false) }
            context.setTimer(after: .milliseconds(5))
        }
        mutating func timerFired(_ timer: Martlet.TimerID, _ context: borrowing Context) {
            let actions = desk.pending
            desk.pending = []
            for action in actions { action(context, desk) }
            context.setTimer(after: .milliseconds(5))
        }
        mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
            desk.orders[order.id] = order
        }
        mutating func filled(_ fill: Fill, _ context: borrowing Context) { desk.fills.append(fill) }
    }

    /// Plays on a thread of its own, not on one of the test's few, and clears up.
    /// - Parameter skew: the exchange's clock less ours, which the session has found out.
    static func play(
        _ change: @escaping @Sendable (inout LiveSettings) -> Void = { _ in }, skew: TimeSpan = .zero,
        _ body: @escaping @Sendable (AccountRig) throws -> Void
    ) async throws {
        let ahead = Ahead()
        let exchange = try FakeAccount(clock: { ahead.now })
        let environment = try await exchange.listen()
        var settings = LiveSettings()
        settings.requestTimeout = .milliseconds(500)
        settings.connections = 1
        change(&settings)
        let chosen = settings
        let result = await withCheckedContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    returning: Result {
                        let rig = try AccountRig(exchange, environment, chosen, ahead, skew)
                        defer { rig.gateway.close() }
                        try body(rig)
                    })
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        await exchange.close()
        try result.get()
    }

    private init(
        _ exchange: FakeAccount, _ environment: ExchangeEnvironment, _ settings: LiveSettings, _ ahead: Ahead,
        _ skew: TimeSpan
    ) throws {
        self.exchange = exchange
        self.settings = settings
        self.ahead = ahead
        let loop = try EventLoop()
        let key = try SecretKey(PrivateKey.generate(.ed25519))
        let signer = RequestSigner(try Credentials(keyID: "account-rig", key: key))
        var clientSettings = ClientSettings()
        clientSettings.attempts = 1
        client = try KalshiClient(
            environment, signer: signer, tls: nil, settings: clientSettings, clock: { ahead.now })
        exchange.change { $0.skew = skew }
        var offset = ClockOffset()
        let now = Timestamp(nanoseconds: ahead.now)
        offset.observe(named: now + skew, resolution: .milliseconds(1), sent: now, received: now)
        gateway = RestGateway(
            loop, environment, signer: signer, tls: nil, nonce: 7, settings: settings, offset: offset,
            clock: { ahead.now })
        desk = Desk()
        told = Told()
        var trading = TradingSettings()
        trading.startingCash = .zero
        session = TradingSession(
            loop: loop, engine: Engine(seats: [StrategySeat(Hand(desk))], settings: trading),
            gateway: gateway, journal: NoJournal(), settings: settings, hidesOwn: true,
            clock: { ahead.now })
        gateway.owner = session
        session.watcher = told
        open()
        resolver = OrderResolver(session, client, gateway, settings: settings)
        auditor = AccountAuditor(session, client, gateway, settings: settings) { [unowned self] _ in
            catchUps += 1
            onCatchUp()
        }
    }

    /// An account of $1000, and one market at 0.40 to 0.45.
    private func open() {
        session.take(.limits(.basic), at: session.now)
        session.define(Market(ticker: AccountRig.ticker, fees: FeeTerms(type: .none)))
        session.take(.balance(shard: 0, 1_000), at: session.now)
        session.take(.started(nonce: 7), at: session.now)
        func event(_ kind: MarketEvent.Kind, _ side: Side, _ price: Price, _ flags: MarketEvent.Flags) {
            session.feed(
                MarketEvent(
                    kind, market: AccountRig.market, side: side, price: price, quantity: 100, flags: flags,
                    receiveTime: session.now))
        }
        event(.snapshotStart, .bid, .zero, [])
        event(.snapshotLevel, .bid, 0.40, [])
        event(.snapshotLevel, .ask, 0.45, [.snapshotEnd, .groupEnd])
    }

    // MARK: Time

    func turn() throws {
        try session.loop.runOnce(timeout: Nanoseconds.milliseconds(2))
        session.advance()
        session.claimFills()
        resolver?.look(at: session.now)
        auditor?.look(at: session.now)
    }
    func until(_ what: String, seconds: Double = 20, _ isSo: () -> Bool) throws {
        let end = Clocks.monotonic() + Int64(seconds * 1e9)
        while !isSo() {
            guard Clocks.monotonic() < end else {
                Issue.record(
                    "waited in vain until \(what); \(told.events) \(told.remarks) \(auditor?.obstacle ?? "")")
                throw CancellationError()
            }
            try turn()
        }
    }
    /// Lets so much time pass at once, and all happen that it brings.
    func pass(_ span: TimeSpan) throws {
        ahead.add(span)
        for _ in 0..<20 { try turn() }
    }
    /// So many searches for what is unknown come to their end, `jump` passing before each: one begins only when
    /// that before it has ended.
    func searches(_ count: Int, jump: TimeSpan = .zero) throws {
        let asked = "GET /exchange/user_data_timestamp"
        let before = exchange.read { $0.requests.count { $0 == asked } }
        for step in 1...count + 1 {
            ahead.add(jump)
            try until("it is searched again") {
                exchange.read { $0.requests.count { $0 == asked } } >= before + step
            }
        }
    }

    // MARK: Orders and messages

    func act(_ action: @escaping Desk.Action) throws {
        desk.pending.append(action)
        try until("the strategy acts") { desk.pending.isEmpty }
    }
    func place(_ side: Side = .bid, _ quantity: Quantity = 5, at price: Price = 0.30) throws {
        try act { context, desk in
            desk.placed = context.place(
                OrderRequest(side, quantity, at: price, in: AccountRig.market))
        }
    }
    func cancel() throws {
        try act { context, desk in desk.placed.map { context.cancel($0) } }
    }
    /// The feed tells of one of the exchange's trades.
    func tellTrade(_ index: Int = 0) throws {
        let trade = try #require(exchange.read { $0.trades.count > index ? $0.trades[index] : nil })
        session.take(
            FillMessage(
                tradeID: trade.id, orderID: trade.order, ticker: trade.ticker,
                side: trade.side == "bid" ? .bid : .ask, price: try Price(parsing: trade.price),
                quantity: trade.quantity, isTaker: trade.isTaker, fee: .zero, exchangeTime: session.now),
            at: session.now)
    }

    var position: Position { session.engine.shared.trading.accountPosition(AccountRig.market) }
    var cash: Money { session.ledger.cash[0] ?? .zero }
    var unknown: Int { session.unresolvedOrders }
    var risk: RiskState { session.engine.shared.trading.accountRiskState }
}
