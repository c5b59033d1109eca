import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletWire

/// Why a sandbox cannot start.
public struct SandboxError: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// The sandbox: REST and WebSocket of one exchange on one port of loopback.
///
///     let server = try SandboxServer(settings, loop: loop)
///     print(server.restURL, server.webSocketURL)
///     try loop.run()
///
/// Everything happens on the loop's thread; the exchange needs no lock.
public final class SandboxServer {
    static let webSocketPath = "/trade-api/ws/v2"

    let settings: SandboxSettings
    let loop: EventLoop
    let exchange: Exchange
    let hub: FeedHub
    let api: API
    var authenticator: Authenticator
    var dice: FaultDice
    private var http: HTTPServer?
    private let certificates: ThrowAwayCertificates?
    private var isClosed = false
    /// The generated world's agents; nil under a tape.
    private(set) var agents: GeneratedWorld?
    private(set) var churn: BookChurn?
    private var worldTimer: MartletNetwork.TimerID?
    /// Steps of the standing clock so far.
    private(set) var stepped = TimeSpan.zero
    private let startWall: Int64
    private let startMonotonic: Int64
    var requestCount = 0
    var dates = HTTPDate()
    private var skew = TimeSpan.zero
    private var skewTime: Timestamp
    let desk: SignatureDesk
    /// The word that the control endpoint asks for.
    public let controlToken: String

    /// Listens at once; ready when it returns.
    public init(_ settings: SandboxSettings, loop: EventLoop) throws {
        self.settings = settings
        self.loop = loop
        startWall = Clocks.wall()
        startMonotonic = Clocks.monotonic()
        let start = Timestamp(nanoseconds: startWall)
        skewTime = start
        // A generated world has run for a while; a recording begins now.
        let warmUp = settings.world.tape == nil ? settings.world.warmUpSeconds : 0
        exchange = Exchange(settings: settings, now: start - .seconds(warmUp))
        hub = FeedHub(exchange, settings, loop)
        authenticator = Authenticator(settings.rules)
        desk = SignatureDesk(loop)
        // The settings' faults come into force below, when there is an exchange to pause.
        dice = FaultDice(Faults(), seed: settings.seed)
        controlToken = String(UInt64.random(in: 1 << 60 ... .max), radix: 36)
        var now: () -> Timestamp = { start }
        api = API(exchange) { now() }
        certificates = settings.isPlain ? nil : try ThrowAwayCertificates()
        for account in settings.accounts {
            let key: PublicKey
            do {
                key = try PublicKey(pem: Array(account.publicKeyPEM.utf8))
            } catch {
                throw SandboxError("the public key of account '\(account.keyID)' cannot be used: \(error)")
            }
            guard exchange.registration(account.keyID) == nil else {
                throw SandboxError("account '\(account.keyID)' is given twice")
            }
            _ = exchange.addMember(keyID: account.keyID, key: key)
        }
        try makeWorld(start)
        now = { [unowned self] in
            Timestamp(nanoseconds: startWall + Clocks.monotonic() - startMonotonic) + stepped
        }
        api.budgetTime = now
        api.isInMaintenance = { [unowned self] in dice.faults.maintenance }
        apply(settings.faults)
        exchange.audience = hub
        hub.exchangeCaughtUp = { [unowned self] in catchUp() }
        try listen()
        schedule()
    }

    private func makeWorld(_ start: Timestamp) throws {
        if let tape = settings.world.tape {
            exchange.world = try TapeWorld(exchange, file: tape, speed: settings.world.speed)
            exchange.catchUp(to: start)
        } else {
            var busy = settings.world
            busy.activity = max(busy.activity, 1)
            let world = GeneratedWorld(exchange, settings: busy, seed: settings.seed)
            exchange.world = world
            exchange.catchUp(to: start)
            world.activity = settings.world.activity
            agents = world
        }
        guard let inner = exchange.world else { return }
        let churn = BookChurn(
            exchange, around: inner, rate: settings.world.changesPerSecond, seed: settings.seed)
        exchange.world = churn
        self.churn = churn
    }

    private func listen() throws {
        guard settings.port >= 0, settings.port <= 65_535,
            let address = SocketAddress(numeric: "127.0.0.1", port: UInt16(settings.port))
        else { throw SandboxError("\(settings.port) is no port") }
        var configuration = HTTPServerConfiguration()
        configuration.connectionsMax = settings.connectionsMax
        configuration.requestTimeout = Nanoseconds.seconds(Int64(settings.requestSeconds))
        configuration.limits.bodyBytes = 4 * 1024 * 1024
        let nested = settings.rules.nestedErrors
        configuration.refusal = { status, message in
            let body = APIError(status, "invalid_request", message).body(nested: nested)
            return (["Content-Type": "application/json"], Array(JSONWriter.text(body).utf8))
        }
        do {
            http = try HTTPServer(
                loop, on: address, tls: certificates?.server, configuration: configuration, handler: self)
        } catch {
            throw SandboxError("port \(settings.port) cannot be listened on: \(error); choose another, or 0")
        }
    }

    // MARK: What clients need to know

    public var port: Int { Int(http?.address.port ?? 0) }
    private var secure: String { certificates == nil ? "" : "s" }
    public var restURL: String { "http\(secure)://127.0.0.1:\(port)/trade-api/v2" }
    public var webSocketURL: String { "ws\(secure)://127.0.0.1:\(port)\(SandboxServer.webSocketPath)" }
    public var controlURL: String { "http\(secure)://127.0.0.1:\(port)/sandbox" }
    /// The throw-away authority's certificate; nil without TLS.
    public var authorityFile: String? { certificates?.file }
    /// Markets that trade now, with a bid and an ask.
    public var quotedMarkets: [String] {
        exchange.markets.filter { exchange.isQuoted($0.id) }.map(\.ticker)
    }
    /// One line for people: what is going on.
    public var statusLine: String {
        let open = exchange.markets.count { exchange.venue.isOpen($0.id) }
        return "\(open) markets open, \(exchange.publicTradeCount) trades, \(hub.sessions.count) feeds, "
            + "\(requestCount) requests, \(hub.counts.frames) frames"
    }

    // MARK: Time

    /// The exchange's clock: the wall's, or where it was stepped to.
    var wallNow: Timestamp {
        if settings.isPaused { return Timestamp(nanoseconds: startWall) + stepped }
        return Timestamp(nanoseconds: startWall + Clocks.monotonic() - startMonotonic) + stepped
    }
    /// What a client's time stamp is judged by, in milliseconds.
    var authenticationNow: Int64 {
        Clocks.wall() / 1_000_000 + Int64(dice.faults.clockSkewMilliseconds)
    }

    /// What the exchange's clock shows: ours and the fault of its skew.
    var shownNow: Timestamp { wallNow + wantedSkew }
    private var wantedSkew: TimeSpan { .nanoseconds(Int64(dice.faults.clockSkewMilliseconds * 1e6)) }

    /// Where the exchange's world is: at ``shownNow``, or on its way back to it at half the usual pace, for its time
    /// must neither stand nor go back when the skew gets less.
    private var worldNow: Timestamp {
        let wall = wallNow
        skew = max(wantedSkew, skew - .nanoseconds(max((wall - skewTime).nanoseconds, 0) / 2))
        skewTime = wall
        return wall + skew
    }

    func catchUp() {
        hub.touchClock(shownNow: authenticationNow)
        exchange.catchUp(to: worldNow)
    }

    /// Moves the clock ahead of itself: the standing one is stepped, the running one jumps.
    func step(_ span: TimeSpan) {
        stepped += span
        catchUp()
        hub.sendTickers()
        wakeWorld()
    }

    private func schedule() {
        let beat = Int64(max(settings.heartbeatSeconds, 1)) * 1_000_000_000
        func heartbeat() {
            guard !isClosed else { return }
            hub.heartbeat()
            loop.schedule(after: beat, heartbeat)
        }
        loop.schedule(after: beat, heartbeat)
        func tickers() {
            guard !isClosed else { return }
            catchUp()
            hub.sendTickers()
            loop.schedule(after: Nanoseconds.milliseconds(100), tickers)
        }
        loop.schedule(after: Nanoseconds.milliseconds(100), tickers)
        wakeWorld()
    }

    /// Wakes when the world next has something to do.
    func wakeWorld() {
        guard !settings.isPaused, !isClosed else { return }
        let due = exchange.nextDue
        guard due < .distantFuture else { return }
        let wait = max((due - worldNow).nanoseconds, 0)
        loop.cancel(worldTimer)
        worldTimer = loop.schedule(after: min(wait, Nanoseconds.seconds(1))) { [weak self] in
            guard let self, !self.isClosed else { return }
            self.catchUp()
            self.wakeWorld()
        }
    }

    /// Ends everything: sockets closed with a word, files removed.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        hub.exchangeCaughtUp = {}
        desk.close()
        hub.close()
        loop.cancel(worldTimer)
        http?.close()
        http = nil
        certificates?.remove()
    }

    var sessionCount: Int { hub.sessions.count }
}
