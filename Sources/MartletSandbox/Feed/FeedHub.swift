import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletWire

/// All WebSocket sessions, and who of them wants to hear what.
///
/// A message's body is written once and sent to each subscriber behind a head of its own (`sid`, `seq`).
/// Sockets are flushed once after each moment.
final class FeedHub {
    struct Counts {
        var frames = 0
        /// Book changes, whether anybody listened or not.
        var changes = 0
        var overflows = 0
    }

    let exchange: Exchange
    let settings: SandboxSettings
    let loop: EventLoop
    private(set) var sessions: [ObjectIdentifier: FeedSession] = [:]
    // Unchecked exclusivity of the hot ones is sound: all is on one thread, and no access spans a call back in.
    @exclusivity(unchecked) var dirty: [FeedSession] = []
    @exclusivity(unchecked) var counts = Counts()
    var dice: FaultDice {
        didSet { hasFaults = dice.faults != Faults() }
    }
    @exclusivity(unchecked) private(set) var hasFaults: Bool
    /// Subscribers of books, trades and tickers who named markets, by market.
    @exclusivity(unchecked) private var byMarket: [MarketListeners] = []
    /// Subscribers of everything of a channel, and of channels without markets.
    private var unfiltered: [Channel: [Subscription]] = [:]
    /// Private channels by member.
    private var ownChannels: [Int: [Subscription]] = [:]
    /// `sending_ts_ms` of this moment.
    private(set) var sending: Int64 = 0
    /// Longest pause between two flushes, in nanoseconds.
    private static let pauseMax: Int64 = 60_000_000
    private var quietUntil: Int64 = 0
    private var isFlushDue = false
    /// Taken from those that wait, and not yet flushed; the time that it has taken.
    private var flushing: [FeedSession] = []
    private var flushTime: Int64 = 0
    private static let sliceSize = 32
    private var body = FrameText()
    @exclusivity(unchecked) private var shared = SharedFrame()
    /// The exchange's time as text, made once a millisecond.
    private var stamp: (milliseconds: Int64, text: String) = (.min, "")
    /// Tickers and ids in quotes, by market.
    private var names: [(ticker: [UInt8], id: [UInt8])] = []

    init(_ exchange: Exchange, _ settings: SandboxSettings, _ loop: EventLoop) {
        self.exchange = exchange
        self.settings = settings
        self.loop = loop
        dice = FaultDice(settings.faults, seed: settings.seed ^ 0xFEED)
        hasFaults = settings.faults != Faults()
    }

    // MARK: Sessions

    func open(_ member: Member, _ key: KeyEntry) -> FeedSession {
        let session = FeedSession(self, member, key)
        sessions[ObjectIdentifier(session)] = session
        return session
    }
    func forget(_ session: FeedSession) { sessions[ObjectIdentifier(session)] = nil }
    /// O(sessions).
    func sessionCount(of member: Member) -> Int { sessions.values.count { $0.member === member } }
    func heartbeat() {
        for session in sessions.values { session.heartbeat() }
    }
    func close() {
        for session in sessions.values { session.close() }
    }

    // MARK: Subscribers

    func enter(_ subscription: Subscription) {
        switch subscription.channel {
        case .fill, .orders, .positions, .groups:
            ownChannels[subscription.session.member.index, default: []].append(subscription)
        case .book, .ticker, .trade:
            if let markets = subscription.markets {
                for market in markets { enter(subscription, market) }
            } else {
                unfiltered[subscription.channel, default: []].append(subscription)
            }
        case .life, .multivariateLife, .communications, .indexValues, .fastIndexValues, .prices:
            unfiltered[subscription.channel, default: []].append(subscription)
        }
    }
    func enter(_ subscription: Subscription, _ market: Market.ID) {
        switch subscription.channel {
        case .book, .ticker, .trade:
            while byMarket.count <= Int(market.index) { byMarket.append(MarketListeners()) }
            byMarket[Int(market.index)][subscription.channel].append(subscription)
        default: break
        }
    }
    func leave(_ subscription: Subscription, _ market: Market.ID) {
        guard Int(market.index) < byMarket.count else { return }
        byMarket[Int(market.index)][subscription.channel].removeAll { $0 === subscription }
    }
    func leave(_ subscription: Subscription) {
        for market in subscription.markets ?? [] { leave(subscription, market) }
        unfiltered[subscription.channel]?.removeAll { $0 === subscription }
        let member = subscription.session.member.index
        ownChannels[member]?.removeAll { $0 === subscription }
        if ownChannels[member]?.isEmpty == true { ownChannels[member] = nil }
    }

    // MARK: Writing

    /// Lets the world come up to now before a command is looked at. Set by the server.
    var exchangeCaughtUp: () -> Void = {}

    /// Reads the exchange's clock, in milliseconds, for the frames of this moment.
    func touchClock(shownNow: Int64) { sending = shownNow }

    func name(_ market: Market.ID) -> (ticker: [UInt8], id: [UInt8]) {
        while names.count <= Int(market.index), names.count < exchange.markets.count {
            let record = exchange.markets[names.count]
            names.append(
                (Array(JSONWriter.quoted(record.ticker).utf8), Array(JSONWriter.quoted(record.uuid).utf8)))
        }
        return names[Int(market.index)]
    }

    /// Sends a body to a subscriber. `id`: of the command that it answers.
    func send(
        _ type: StaticString, _ body: [UInt8]?, to subscription: Subscription, id: Int64? = nil,
        sequenced: Bool? = nil, isData: Bool = true
    ) {
        shared.prepare(body, sending: sending)
        sendPrepared(type, to: subscription, id: id, sequenced: sequenced, isData: isData)
    }
    /// Sends the body that was prepared last.
    private func sendPrepared(
        _ type: StaticString, to subscription: Subscription, id: Int64? = nil, sequenced: Bool? = nil,
        isData: Bool = true
    ) {
        var number: Int?
        if sequenced ?? subscription.channel.isSequenced {
            subscription.sequence += 1
            number = subscription.sequence
        }
        shared.withFrame(type, id: id, sid: subscription.sid, sequence: number) { frame, header in
            subscription.session.send(frame, header: header, isData: isData)
        }
    }

    private func each(_ channel: Channel, _ market: Market.ID, _ body: (Subscription) -> Void) {
        if Int(market.index) < byMarket.count {
            for subscription in byMarket[Int(market.index)][channel] { body(subscription) }
        }
        for subscription in unfiltered[channel] ?? [] { body(subscription) }
    }
    private func hasListener(_ channel: Channel, _ market: Market.ID) -> Bool {
        if let all = unfiltered[channel], !all.isEmpty { return true }
        return Int(market.index) < byMarket.count && !byMarket[Int(market.index)][channel].isEmpty
    }

    /// The member's subscriptions to a private channel that want a market, by keys that may see the subaccount.
    private func each(
        _ channel: Channel, of member: Member, _ subaccount: Int, _ market: Market.ID?,
        _ body: (Subscription) -> Void
    ) {
        for subscription in ownChannels[member.index] ?? []
        where subscription.channel == channel && subscription.session.key.sees(subaccount) {
            if let market, !subscription.takes(market) { continue }
            body(subscription)
        }
    }

    /// Sends what waits, at once while there is little. A flush that took long is followed by none for eight times
    /// as long, at most ``pauseMax``: under load several frames leave in one system call, and requests get their
    /// share of the thread.
    func flush() {
        guard !dirty.isEmpty, !isFlushDue else { return }
        let now = Clocks.monotonic()
        if now >= quietUntil { return flushSlice() }
        isFlushDue = true
        loop.schedule(at: quietUntil) { [weak self] in self?.flushSlice() }
    }
    /// Some of those that wait; the others after whatever else is ready, so that no request waits for all of them.
    private func flushSlice() {
        let began = Clocks.monotonic()
        if flushing.isEmpty { swap(&flushing, &dirty) }
        for session in flushing.suffix(FeedHub.sliceSize) { session.flush() }
        flushing.removeLast(min(FeedHub.sliceSize, flushing.count))
        let ended = Clocks.monotonic()
        flushTime += ended - began
        isFlushDue = !flushing.isEmpty
        if isFlushDue {
            loop.schedule(at: ended) { [weak self] in self?.flushSlice() }
        } else {
            quietUntil = ended + min(flushTime * 8, FeedHub.pauseMax)
            flushTime = 0
            if !dirty.isEmpty { flush() }
        }
    }
}

/// Who named a market, by channel.
private struct MarketListeners {
    var books: [Subscription] = []
    var tickers: [Subscription] = []
    var trades: [Subscription] = []

    /// For the channels of public market data; the others have no lists by market.
    subscript(_ channel: Channel) -> [Subscription] {
        _read {
            switch channel {
            case .book: yield books
            case .ticker: yield tickers
            default: yield trades
            }
        }
        _modify {
            switch channel {
            case .book: yield &books
            case .ticker: yield &tickers
            default: yield &trades
            }
        }
    }
}

// MARK: - What the exchange tells

extension FeedHub: ExchangeAudience {
    func bookChanged(_ event: MarketEvent, by cause: Exchange.Cause?) {
        counts.changes += 1
        guard hasListener(.book, event.market) else { return }
        let own = cause.flatMap { $0.side == event.side && !$0.clientID.isEmpty ? $0 : nil }
        // At most four forms: NO levels at NO or YES prices, with or without the client's order id.
        var prepared = -1
        each(.book, event.market) { subscription in
            let isOwn =
                own.map {
                    $0.member == subscription.session.member.index
                        && subscription.session.key.sees($0.subaccount)
                } ?? false
            let form = (subscription.usesYesPrices ? 1 : 0) + (isOwn ? 2 : 0)
            if form != prepared {
                prepared = form
                let body = deltaBody(event, asYes: subscription.usesYesPrices, own: isOwn ? own : nil)
                shared.prepare(body, sending: sending)
            }
            sendPrepared("orderbook_delta", to: subscription)
        }
    }

    private func deltaBody(_ event: MarketEvent, asYes: Bool, own: Exchange.Cause?) -> [UInt8] {
        let (ticker, id) = name(event.market)
        let price = event.side == .ask && !asYes ? event.price.complement : event.price
        body.clear()
        body.raw("{\"market_ticker\":")
        body.raw(ticker)
        body.raw(",\"market_id\":")
        body.raw(id)
        body.raw(",\"price_dollars\":")
        body.price(price)
        body.raw(",\"delta_fp\":")
        body.count(event.quantity)
        body.raw(event.side == .bid ? ",\"side\":\"yes\"" : ",\"side\":\"no\"")
        if let own {
            body.raw(",\"client_order_id\":")
            body.quoted(own.clientID)
            body.raw(",\"subaccount\":")
            body.integer(Int64(own.subaccount))
        }
        body.raw(",\"ts\":\"")
        body.raw(timeText)
        body.raw("\",\"ts_ms\":")
        body.integer(exchange.now.milliseconds)
        body.raw("}")
        return body.bytes
    }

    private var timeText: String {
        let now = exchange.now.milliseconds
        if stamp.milliseconds != now { stamp = (now, exchange.now.wireText) }
        return stamp.text
    }

    func bookCleared(_ market: Market.ID) {
        each(.book, market) { sendSnapshot(market, to: $0) }
    }

    func sendSnapshot(_ market: Market.ID, to subscription: Subscription, id: Int64? = nil) {
        send("orderbook_snapshot", snapshotBody(market, subscription), to: subscription, id: id)
    }
    private func snapshotBody(_ market: Market.ID, _ subscription: Subscription) -> [UInt8] {
        let (ticker, id) = name(market)
        body.clear()
        body.raw("{\"market_ticker\":")
        body.raw(ticker)
        body.raw(",\"market_id\":")
        body.raw(id)
        if !exchange.venue.isClosed(market) {
            for side in [Side.bid, .ask] {
                let levels = exchange.levels(market, side, depth: 0, asYes: subscription.usesYesPrices)
                guard levels != .array([]) else { continue }
                body.raw(side == .bid ? ",\"yes_dollars_fp\":" : ",\"no_dollars_fp\":")
                body.value(levels)
            }
        }
        body.raw("}")
        return body.bytes
    }

    func traded(_ trade: TradeRecord) {
        guard hasListener(.trade, trade.market) else { return }
        let (ticker, _) = name(trade.market)
        body.clear()
        body.raw("{\"trade_id\":")
        body.plain(trade.id)
        body.raw(",\"market_ticker\":")
        body.raw(ticker)
        body.raw(",\"yes_price_dollars\":")
        body.price(trade.price)
        body.raw(",\"no_price_dollars\":")
        body.price(trade.price.complement)
        body.raw(",\"count_fp\":")
        body.count(trade.quantity)
        body.raw(
            trade.taker == .bid
                ? ",\"taker_side\":\"yes\",\"taker_outcome_side\":\"yes\",\"taker_book_side\":\"bid\""
                : ",\"taker_side\":\"no\",\"taker_outcome_side\":\"no\",\"taker_book_side\":\"ask\"")
        body.raw(trade.isBlock ? ",\"is_block_trade\":true" : ",\"is_block_trade\":false")
        body.raw(",\"ts\":")
        body.integer(trade.time.seconds)
        body.raw(",\"ts_ms\":")
        body.integer(trade.time.milliseconds)
        body.raw("}")
        let bytes = body.bytes
        each(.trade, trade.market) { send("trade", bytes, to: $0) }
    }

    /// Summaries of the markets that changed since the last call. The server calls it ten times a second.
    func sendTickers() {
        for index in exchange.markets.indices where exchange.markets[index].isStale {
            exchange.markets[index].isStale = false
            let market = Market.ID(index)
            guard hasListener(.ticker, market) else { continue }
            let bytes = tickerBody(market)
            each(.ticker, market) { send("ticker", bytes, to: $0) }
        }
        flush()
    }
    func sendTicker(_ market: Market.ID, to subscription: Subscription) {
        send("ticker", tickerBody(market), to: subscription)
    }
    private func tickerBody(_ market: Market.ID) -> [UInt8] {
        Array(JSONWriter.text(FeedFrames.ticker(exchange, market)).utf8)
    }

    func filled(_ fill: FillRecord, of member: Member) {
        var bytes: [UInt8]?
        each(.fill, of: member, fill.subaccount, fill.fill.market) { subscription in
            let text = bytes ?? Array(JSONWriter.text(FeedFrames.fill(exchange, fill)).utf8)
            bytes = text
            send("fill", text, to: subscription)
        }
    }
    func orderChanged(_ entry: OrderEntry, _ order: VenueOrder, of member: Member) {
        var bytes: [UInt8]?
        each(.orders, of: member, entry.subaccount, entry.market) { subscription in
            let text = bytes ?? Array(JSONWriter.text(FeedFrames.order(exchange, entry, order, member)).utf8)
            bytes = text
            send("user_order", text, to: subscription)
        }
    }
    func positionChanged(_ market: Market.ID, subaccount: Int, of member: Member) {
        each(.positions, of: member, subaccount, market) { subscription in
            let value = FeedFrames.position(exchange, market, subaccount, member)
            send("market_position", Array(JSONWriter.text(value).utf8), to: subscription)
        }
    }
    func groupChanged(_ group: Int, _ change: GroupChange, of member: Member) {
        let subaccount =
            exchange.venue.groupAccount(group).flatMap { exchange.owner($0)?.subaccount } ?? 0
        each(.groups, of: member, subaccount, nil) { subscription in
            let value = FeedFrames.group(exchange, group, change, member)
            send("order_group_updates", Array(JSONWriter.text(value).utf8), to: subscription)
        }
    }

    func lived(_ event: LifeEvent) {
        let (series, type, value) = FeedFrames.life(exchange, event)
        let isMultivariate = series.hasPrefix("KXMVE")
        let listeners = unfiltered[isMultivariate ? .multivariateLife : .life] ?? []
        guard !listeners.isEmpty else { return }
        let bytes = Array(JSONWriter.text(value).utf8)
        for subscription in listeners {
            switch type {
            case .event: send("event_lifecycle", bytes, to: subscription)
            case .market:
                if isMultivariate {
                    send("multivariate_market_lifecycle", bytes, to: subscription)
                } else {
                    send("market_lifecycle_v2", bytes, to: subscription)
                }
            }
        }
    }

    func momentEnded() { flush() }

    func indexed(_ index: ReferenceIndex, _ value: Int64) {
        let now = exchange.now.milliseconds
        for channel in [Channel.indexValues, .fastIndexValues, .prices] {
            let name = channel == .prices ? index.underlying : index.id
            let listeners = (unfiltered[channel] ?? []).filter { $0.names?.contains(name) ?? true }
            guard !listeners.isEmpty else { continue }
            let body = FeedFrames.reference(channel, name, value, now)
            let bytes = Array(JSONWriter.text(body).utf8)
            for subscription in listeners {
                switch channel {
                case .indexValues: send("cfbenchmarks_value", bytes, to: subscription)
                case .fastIndexValues: send("cfbenchmarks_value_5hz", bytes, to: subscription)
                default: send("pyth_value", bytes, to: subscription)
                }
            }
        }
    }
}
