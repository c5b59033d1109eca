import Martlet
import MartletEngine
import MartletNetwork
import MartletWire

/// How a feed's connections behave.
public struct FeedConnectionSettings: Sendable {
    public var session = FeedSettings()
    public var backoff = Backoff.Settings()
    public var webSocket: WebSocketConfiguration = {
        var configuration = WebSocketConfiguration()
        // The exchange allows itself messages of 64 MiB.
        configuration.messageMax = 64 * 1024 * 1024
        // The exchange pings every ten seconds, we too: with neither answered the other end is gone.
        configuration.pingInterval = Nanoseconds.seconds(10)
        configuration.idleTimeout = Nanoseconds.seconds(25)
        configuration.closeTimeout = Nanoseconds.seconds(2)
        return configuration
    }()
    /// A connection is replaced when it is this old, with a fresh signature; nil: never. Its books are unusable
    /// while the new one subscribes.
    public var lifetimeMax: TimeSpan?
    /// Seeds the jitter of reconnects.
    public var seed: UInt64 = 1

    public init() {}
}

/// Is told what a feed has to tell. Calls come on the loop's thread; hot events without any allocation.
public protocol FeedReceiver: AnyObject {
    /// A book event or a trade.
    func feed(_ event: MarketEvent)
    func feed(_ output: FeedOutput, at time: Timestamp)
    /// Whether the book is locked or crossed now, after all events so far.
    func isCrossed(_ market: Market.ID) -> Bool
    /// All that had arrived has been delivered: a moment to flush and to draw.
    func feedDrained(at time: Timestamp)
    func feed(_ change: FeedConnection.Change, connection: Int)
}

/// One WebSocket to the exchange, kept up: signed handshake, subscriptions, liveness, reconnects.
///
/// Everything happens on the loop's thread. Deltas go from the receive buffer through the session to the receiver
/// without a copy or an allocation.
public final class FeedConnection {
    /// What becomes of the connection, for logs and status lines.
    public enum Change: Hashable, Sendable {
        case connecting
        case open
        /// Lost, and tried again after the wait.
        case lost(reason: String, retryAfter: TimeSpan)
        /// The exchange refuses the key: tried again all the same, for keys can be mended.
        case refused(status: Int, reason: String, retryAfter: TimeSpan)
    }

    public let number: Int
    public private(set) var session: FeedSession
    private let loop: EventLoop
    private let url: HTTPURL
    private let tls: TLSContext?
    private let settings: FeedConnectionSettings
    /// Headers of the handshake, signed for the time given (nanoseconds since 1970).
    private let headers: (Int64) throws -> HTTPHeaders
    private let clock: () -> Int64
    private weak var receiver: (any FeedReceiver)?
    private var socket: WebSocketConnection?
    private var backoff: Backoff
    private var retryTimer: MartletNetwork.TimerID?
    private var wakeTimer: MartletNetwork.TimerID?
    private var wakeAt: Timestamp = .distantFuture
    private var openedAt: Timestamp = .unknown
    private var time: Timestamp = .distantPast
    private var spare = FeedBatch()
    private var isDelivering = false
    private var isStopped = true

    /// - Parameters:
    ///   - headers: makes the handshake's headers, called for each attempt.
    ///   - clock: nanoseconds since 1970.
    public init(
        _ loop: EventLoop, number: Int = 0, to url: HTTPURL, tls: TLSContext?,
        settings: FeedConnectionSettings = FeedConnectionSettings(), receiver: any FeedReceiver,
        clock: @escaping () -> Int64 = { Clocks.wall() },
        headers: @escaping (Int64) throws -> HTTPHeaders
    ) {
        self.loop = loop
        self.number = number
        self.url = url
        self.tls = tls
        self.settings = settings
        self.receiver = receiver
        self.clock = clock
        self.headers = headers
        session = FeedSession(settings.session)
        backoff = Backoff(settings.backoff, seed: settings.seed &+ UInt64(number) &* 0x9E37_79B9)
    }

    public var isOpen: Bool { session.isOpen }

    // MARK: - For its owner

    /// Connects, and stays connected until `stop`.
    public func start() {
        guard isStopped else { return }
        isStopped = false
        connect()
    }

    /// Ends it. The receiver is told of unusable books, and of nothing after.
    public func stop() {
        isStopped = true
        loop.cancel(retryTimer)
        loop.cancel(wakeTimer)
        retryTimer = nil
        wakeTimer = nil
        socket?.close()
        socket = nil
        session.closed(at: now())
        deliver()
    }

    /// Changes what is wanted; the commands go out at once.
    public func update(_ body: (inout FeedSession) -> Void) {
        body(&session)
        if !isDelivering { finish() }
    }

    /// Drops the connection and makes a new one.
    public func reconnect(_ reason: String) { lost(reason, status: nil) }

    /// Receive time: never runs backwards, whatever the clock does.
    private func now() -> Timestamp {
        let read = Timestamp(nanoseconds: clock())
        if read > time { time = read }
        return time
    }

    // MARK: - Connecting

    private func connect() {
        retryTimer = nil
        guard !isStopped else { return }
        let signed: HTTPHeaders
        do {
            signed = try headers(clock())
        } catch {
            return lost("the handshake cannot be signed: \(error)", status: nil)
        }
        receiver?.feed(.connecting, connection: number)
        socket = WebSocketConnection(
            loop, to: url, headers: signed, tls: tls, configuration: settings.webSocket, handler: self)
    }

    private func lost(_ reason: String, status: Int?) {
        socket?.drop()
        socket = nil
        let time = now()
        let lifetime = openedAt.isKnown ? time - openedAt : .zero
        openedAt = .unknown
        session.closed(at: time)
        deliver()
        guard !isStopped, retryTimer == nil else { return }
        loop.cancel(wakeTimer)
        wakeTimer = nil
        let wait = backoff.next(after: lifetime)
        retryTimer = loop.schedule(after: wait.nanoseconds) { [weak self] in self?.connect() }
        let change: Change =
            status.map { .refused(status: $0, reason: reason, retryAfter: wait) }
            ?? .lost(reason: reason, retryAfter: wait)
        receiver?.feed(change, connection: number)
    }

    // MARK: - Delivering

    /// Hands on what the session has to tell. What the receiver asks for meanwhile is done after.
    private func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        var hasStalled = false
        while session.hasOutputs {
            var batch = FeedBatch()
            swap(&batch, &spare)
            session.exchange(&batch)
            guard let receiver else { return }
            batch.forEach(
                event: { receiver.feed($0) },
                output: { output in
                    if case .stalled = output { hasStalled = true }
                    receiver.feed(output, at: time)
                })
            swap(&batch, &spare)
        }
        if hasStalled {
            loop.defer { [weak self] in
                self?.lost("the exchange answers no more though the connection stands", status: nil)
            }
        }
    }

    /// Sends what is to be sent and sees to the next wake-up. After each pass of messages, not after each message.
    private func finish() {
        deliver()
        guard let socket, session.isOpen else { return }
        for command in session.takeCommands(at: now()) { socket.send(text: command) }
        deliver()
        schedule()
    }

    private func schedule() {
        var wake = session.nextWake
        if let limit = settings.lifetimeMax, openedAt.isKnown { wake = min(wake, openedAt + limit) }
        // The wake-up set earlier serves as well if it comes first.
        if wakeTimer != nil, wakeAt <= wake { return }
        loop.cancel(wakeTimer)
        wakeTimer = nil
        guard wake < .distantFuture else { return }
        wakeAt = wake
        let wait = wake <= time ? 0 : (wake - time).nanoseconds
        wakeTimer = loop.schedule(after: max(wait, Nanoseconds.milliseconds(1))) { [weak self] in
            self?.wakeUp()
        }
    }

    private func wakeUp() {
        wakeTimer = nil
        guard session.isOpen else { return }
        let time = now()
        if let limit = settings.lifetimeMax, openedAt.isKnown, time - openedAt >= limit {
            return lost("the connection has reached its age", status: nil)
        }
        session.advance(to: time)
        finish()
        receiver?.feedDrained(at: time)
    }
}

extension FeedConnection: WebSocketHandler {
    public func webSocketOpened(_ socket: WebSocketConnection) {
        guard socket === self.socket else { return }
        openedAt = now()
        session.opened(at: openedAt)
        receiver?.feed(.open, connection: number)
        finish()
    }

    public func webSocket(
        _ socket: WebSocketConnection, received kind: WebSocketMessageKind, _ bytes: UnsafeRawBufferPointer
    ) {
        guard socket === self.socket, session.isOpen else { return }
        let bytes = UnsafeBufferPointer(
            start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        session.receive(bytes, at: now())
        deliver()
    }

    public func webSocketCaughtUp(_ socket: WebSocketConnection) {
        guard socket === self.socket, session.isOpen else { return }
        let receiver = receiver
        session.drained(at: time) { receiver?.isCrossed($0) ?? false }
        finish()
        receiver?.feedDrained(at: time)
    }

    public func webSocketClosed(_ socket: WebSocketConnection, _ closure: WebSocketClosure) {
        guard socket === self.socket else { return }
        switch closure.cause {
        case .closeFrame(let code, let reason):
            lost("the exchange closed the connection (\(code ?? 1005)) \(reason)", status: nil)
        case .violation(let violation): lost("protocol error: \(violation)", status: nil)
        case .network(let error): lost("\(error)", status: nil)
        case .handshake(.refused(let status, _, let body)):
            let text = String(decoding: body.prefix(200), as: UTF8.self)
            lost("the exchange refused the connection (\(status)) \(text)", status: status)
        case .handshake(let error): lost("\(error)", status: nil)
        }
    }
}
