import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletTape

/// Practises the way from a frame to its order while a session's loop polls and nothing is ready.
///
/// In a quiet market the code of that way leaves the processor's caches and its branch predictors between two
/// orders, and the next order pays for it: half of its time from frame to kernel was measured to be this. So
/// the way is walked again and again, with a session, an engine, a journal and connections of the rehearsal's own,
/// against an exchange of its own (``RehearsalExchange``) over TLS on loopback. Nothing of the real session is
/// touched: its engine, its journal and its exchange know nothing of it.
///
/// It goes step by step, a pass of its own loop each (10 to 25 µs), and between two steps the real sockets are looked
/// at. A rehearsal that breaks off is over for good. Loop-thread only.
package final class Rehearsal {
    /// Passes that one order may take from the change of its book to its answer.
    private static let passesMax = 64
    private static let openTimeout = Nanoseconds.seconds(5)
    private static let journalSize = 64 << 10
    private static let finishedKept = 64

    private let loop: EventLoop
    let exchange: RehearsalExchange
    private let gateway: RestGateway
    private let session: TradingSession
    private let feed: FeedGroup
    private let interval: Int64
    /// When the kernel took the real session's last order.
    private let lastOrder: () -> Int64
    /// One for all: nobody checks it.
    private let signature: RequestSignature
    private var due: Int64 = 0
    /// Passes of the order that is under way; nil between two.
    private var passes: Int?
    package private(set) var isOver = false

    /// Orders that went the whole way and back.
    package private(set) var count = 0
    private var answered = 0

    /// Opens the connections, and goes the way often enough for the caches: takes some 30 ms.
    /// - Parameters:
    ///   - interval: nanoseconds between two orders, real ones included.
    ///   - lastOrder: when the last real order left, on the monotonic clock; 0 for never.
    package init(every interval: Int64, lastOrder: @escaping () -> Int64 = { 0 }) throws {
        self.interval = interval
        self.lastOrder = lastOrder
        loop = try EventLoop()
        exchange = try RehearsalExchange(loop)
        let environment = try ExchangeEnvironment(exchange.address)
        let tls = try TLSContext(clientTrusting: .pem(exchange.authority))
        let key = try SecretKey(try PrivateKey.generate(.ed25519))
        let signer = RequestSigner(try Credentials(keyID: "rehearsal", key: key))
        signature = try signer.signNext(
            method: "POST", path: OrderRequestEncoder.createPath, notBefore: Clocks.wall() / 1_000_000)
        var settings = LiveSettings()
        settings.connections = 1
        gateway = RestGateway(
            loop, environment, signer: signer, tls: tls, nonce: 1, settings: settings, offset: ClockOffset(),
            upkeep: .rehearsal(finishedKept: Rehearsal.finishedKept), clock: { Clocks.wall() })
        session = TradingSession(
            loop: loop,
            engine: Engine(seats: [StrategySeat(Rehearsed(parameters: .init()))], settings: .rehearsal),
            gateway: gateway, journal: try JournalWriter(inMemory: Rehearsal.journalSize), settings: settings,
            hidesOwn: true)
        var connection = FeedConnectionSettings()
        // Time stands still here while the real session is busy.
        connection.webSocket.pingInterval = nil
        connection.webSocket.idleTimeout = nil
        feed = FeedGroup(loop, to: environment.feed, tls: tls, settings: connection, receiver: session) { _ in
            [:]
        }
        do {
            try open()
            for _ in 0..<Rehearsal.warmUp where !isOver { goOnce() }
            guard !isOver else { throw RehearsalError.brokenOff }
        } catch {
            close()
            throw error
        }
    }
    private static let warmUp = 100

    private func open() throws {
        gateway.owner = session
        session.group = feed
        session.take(.limits(.unlimited), at: session.now)
        session.define(Market(ticker: RehearsalExchange.ticker))
        feed.start()
        gateway.warm(1)
        session.take(.started(nonce: 1), at: session.now)
        let deadline = Clocks.monotonic() + Rehearsal.openTimeout
        // The book's first snapshot is answered with an order, too.
        while gateway.warmConnections == 0 || feed.liveBooks == 0 || gateway.inFlight > 0 {
            guard Clocks.monotonic() < deadline else { throw RehearsalError.noConnection }
            try loop.runOnce(timeout: Nanoseconds.milliseconds(10))
        }
        answered = gateway.statistics.answered
        // Nobody else's business.
        guard exchange.stopListening() else { throw RehearsalError.stranger }
    }

    package func close() {
        guard !isOver else { return }
        isOver = true
        session.stop()
        feed.stop()
        gateway.close()
        exchange.close()
    }

    /// Goes a step further if one is due. False when there was nothing to do.
    /// - Parameter now: the monotonic clock.
    package func step(at now: Int64) -> Bool {
        if isOver { return false }
        if passes != nil {
            goOn()
            return true
        }
        guard now >= max(due, lastOrder() + interval) else { return false }
        due = now + interval
        begin()
        return true
    }

    private func goOnce() {
        begin()
        while passes != nil { goOn() }
    }

    /// The exchange's part: a change of the book.
    private func begin() {
        gateway.pool.provide(signature, for: gateway.createPath)
        guard exchange.changeBook() else { return close() }
        passes = 0
    }

    /// The feed's frame that becomes an order, the order that is answered, the answer.
    private func goOn() {
        guard let done = passes, done < Rehearsal.passesMax, (try? loop.runOnce(timeout: 0)) != nil else {
            passes = nil
            return close()
        }
        passes = done + 1
        guard gateway.statistics.answered > answered else { return }
        answered = gateway.statistics.answered
        count += 1
        passes = nil
    }
}

/// Why there is no rehearsal. The session does without.
enum RehearsalError: Error, CustomStringConvertible {
    case noConnection, stranger, brokenOff
    var description: String {
        switch self {
        case .noConnection: "its connections on loopback do not come about"
        case .stranger: "somebody else has connected to it"
        case .brokenOff: "its order was not answered"
        }
    }
}

extension TradingSettings {
    /// Nothing is refused, and little is kept.
    fileprivate static var rehearsal: TradingSettings {
        var settings = TradingSettings()
        settings.finishedOrdersKept = 0
        settings.strategyLimits.maxOrdersPerSecond = 1_000_000
        settings.accountLimits.maxOrdersPerSecond = 1_000_000
        return settings
    }
}

/// Answers each change of the book with an order.
private struct Rehearsed: Strategy {
    struct Parameters: StrategyParameters { init() {} }
    static let name = "rehearsed"
    init(parameters: Parameters) {}

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
    }
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
        guard context.isUsable(market), let bid = context.book(market).bestBid else { return }
        context.place(OrderRequest(.bid, 1, at: bid, in: market, timeInForce: .immediateOrCancel))
    }
}
