import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork

/// A live feed with its books, for commands without an engine. One thread: the command's own.
final class FeedDesk: FeedReceiver {
    let loop: EventLoop
    let books = FeedBooks()
    private(set) var directory = MarketDirectory()
    private(set) var group: FeedGroup?
    /// Receive time of the last thing that came.
    private(set) var now: Timestamp = .distantPast
    /// What the connections last said, for status lines.
    private(set) var trouble: String?
    private var lastTradeID: String?
    /// Knows the exchange's clock from its answers.
    private var client: KalshiClient?

    var onEvent: (MarketEvent, _ tradeID: String?) -> Void = { _, _ in }
    var onOutput: (FeedOutput, Timestamp) -> Void = { _, _ in }
    var onDrained: (Timestamp) -> Void = { _ in }
    var onChange: (FeedConnection.Change, Int) -> Void = { _, _ in }

    init(_ loop: EventLoop) { self.loop = loop }

    /// - Parameters:
    ///   - client: has asked the exchange something before, so that the handshake's date is by the exchange's clock.
    ///   - reconciler: held weakly.
    func connect(
        _ access: ExchangeAccess, _ signer: RequestSigner, _ client: KalshiClient,
        reconciler: (any FeedReconciler)? = nil
    ) {
        self.client = client
        var settings = FeedConnectionSettings()
        settings.seed = UInt64(bitPattern: Clocks.monotonic())
        group = FeedGroup(
            loop, to: access.environment.feed, tls: access.tls, settings: settings, receiver: self,
            reconciler: reconciler
        ) {
            try signer.feedHeaders(milliseconds: ($0 + client.clockOffset.correction.nanoseconds) / 1_000_000)
        }
    }

    /// Adds a market, or a changed definition.
    @discardableResult
    func add(_ market: Market) -> Market.ID {
        let before = directory.count
        let id = directory.add(market)
        if directory.count > before { books.add(market) }
        return id
    }
    /// A market that has ended: its book is given back. A recorder meets tens of thousands in its life.
    func leave(_ market: Market.ID, _ channels: [FeedChannel]) {
        group?.unsubscribe(channels, market)
        books.forget(market)
    }
    func follow(_ market: Market, _ channels: [FeedChannel]) {
        group?.subscribe(channels, add(market), market.ticker)
    }
    /// What a message about markets means, taken over into the directory.
    func inputs(of output: FeedOutput) -> [EngineInput] {
        switch output {
        case .lifecycle(let message): directory.apply(message)
        case .event(let message): directory.apply(message)
        case .fees(let message): directory.apply(message)
        default: []
        }
    }

    /// Turns the loop until `isDone`, a signal, or the time is over. `tick` is called about ten times a second.
    func run(seconds: Int? = nil, tick: () throws -> Void = {}, until isDone: () -> Bool) throws {
        group?.start()
        defer { group?.stop() }
        let end = seconds.map { Clocks.monotonic() + Nanoseconds.seconds(Int64($0)) }
        var nextTick = Clocks.monotonic()
        while !isDone(), !Interrupt.isRequested {
            let time = Clocks.monotonic()
            if let end, time >= end { return }
            if time >= nextTick {
                nextTick = time + Nanoseconds.milliseconds(100)
                try tick()
            }
            try loop.runOnce(timeout: max(0, nextTick - Clocks.monotonic()))
        }
    }

    // MARK: - FeedReceiver

    func feed(_ event: MarketEvent) {
        if event.receiveTime > now { now = event.receiveTime }
        if let fault = books.take(event), fault != .unknownMarket {
            // The book contradicts itself: it is fetched anew, after this delivery.
            let market = event.market
            loop.defer { [weak self] in self?.group?.refresh(market) }
        }
        let id = event.kind == .trade ? lastTradeID : nil
        if event.kind == .trade { lastTradeID = nil }
        onEvent(event, id)
    }
    func feed(_ output: FeedOutput, at time: Timestamp) {
        if time > now { now = time }
        switch output {
        case .unusable(let market, _): books.unusable(market)
        case .tradeID(let id): lastTradeID = id
        default: break
        }
        onOutput(output, time)
    }
    func isCrossed(_ market: Market.ID) -> Bool { books.isCrossed(market) }
    func feedDrained(at time: Timestamp) { onDrained(time) }
    func feed(_ change: FeedConnection.Change, connection: Int) {
        switch change {
        case .connecting: break
        case .open: trouble = nil
        case .lost(let reason, _): trouble = reason
        case .refused(_, let reason, _):
            trouble = reason
            // A clock may have been set since: the answer's date tells for the next attempt.
            if let client { Task { _ = try? await client.send(Endpoints.exchangeStatus()) } }
        }
        onChange(change, connection)
    }
}
