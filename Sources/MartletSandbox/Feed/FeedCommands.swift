import Martlet
import MartletWire

/// Why a command is refused: the exchange's code and words (API.md §14.5).
struct CommandError: Error {
    var code: Int
    var message: String
    var ticker: String?
    init(_ code: Int, _ message: String, ticker: String? = nil) {
        self.code = code
        self.message = message
        self.ticker = ticker
    }
    static let unparsable = CommandError(1, "Unable to process message")
    static let paramsRequired = CommandError(2, "Params required")
    static let channelsRequired = CommandError(3, "Channels required")
    static let sidsRequired = CommandError(4, "Subscription IDs required")
    static let unknownCommand = CommandError(5, "Unknown command")
    static let unknownSID = CommandError(7, "Unknown subscription ID")
    static let unknownChannel = CommandError(8, "Unknown channel name")
    static func invalid(_ what: String) -> CommandError { CommandError(11, "Invalid parameter: \(what)") }
    static let oneSID = CommandError(12, "Exactly one subscription ID is required")
    static let unsupportedAction = CommandError(13, "Unsupported action")
    static let marketRequired = CommandError(14, "Market ticker required")
    static let actionRequired = CommandError(15, "Action required")
    static let tooManyMarkets = CommandError(26, "Too many markets for one session")
    static let tooManyCommands = CommandError(27, "Too many commands")
}

// Commands of clients (API.md §14.2).
extension FeedHub {
    func command(_ bytes: UnsafeRawBufferPointer, from session: FeedSession) {
        exchangeCaughtUp()
        let parsed = try? JSONParser.parse(bytes)
        guard let value = parsed, value.object != nil else {
            return refuse(.unparsable, nil, session)
        }
        let number = value["id"]?.int64
        // Zero stands for none.
        let id = number == 0 ? nil : number
        do throws(CommandError) {
            if let given = value["id"], !given.isNull, number == nil { throw .unparsable }
            guard session.admitsCommand(loop.now) else { throw .tooManyCommands }
            try run(value, id, session)
        } catch {
            refuse(error, id, session)
        }
        flush()
    }

    private func refuse(_ error: CommandError, _ id: Int64?, _ session: FeedSession) {
        session.send(
            FeedFrames.error(error.code, error.message, id: id, ticker: error.ticker, at: sending),
            isData: false)
        flush()
    }

    private func run(_ value: JSONValue, _ id: Int64?, _ session: FeedSession) throws(CommandError) {
        switch value["cmd"]?.string {
        case "subscribe": try subscribe(try params(value), id, session)
        case "unsubscribe": try unsubscribe(try params(value), id, session)
        case "update_subscription": try update(try params(value), id, session)
        case "list_subscriptions": list(id, session)
        default: throw .unknownCommand
        }
    }

    private func params(_ value: JSONValue) throws(CommandError) -> JSONValue {
        guard let params = value["params"], params.object != nil else { throw .paramsRequired }
        return params
    }

    /// An answer without a subscription around it.
    private func reply(_ type: String, _ id: Int64?, _ body: JSONValue, _ session: FeedSession) {
        let value = JSONValue.of([
            "type": .string(type), "id": id.map { .integer($0) }, "msg": body,
            "sending_ts_ms": .integer(sending),
        ])
        session.send(Array(JSONWriter.text(value).utf8), isData: false)
    }

    // MARK: Parameters

    private func strings(_ params: JSONValue, one: String, many: String) throws(CommandError) -> [String]? {
        let single = params[one].flatMap { $0.isNull ? nil : $0 }
        let plural = params[many].flatMap { $0.isNull ? nil : $0 }
        if single != nil, plural != nil { throw .invalid("\(one) and \(many) exclude each other") }
        if let single {
            guard let text = single.string else { throw .invalid("\(one) must be a string") }
            return [text]
        }
        guard let plural else { return nil }
        guard let values = plural.array else { throw .invalid("\(many) must be a list") }
        var texts: [String] = []
        for value in values {
            guard let text = value.string else { throw .invalid("\(many) must hold strings") }
            texts.append(text)
        }
        return texts
    }

    private func namesByID(_ params: JSONValue) -> Bool {
        ["market_id", "market_ids"].contains { params[$0].map { !$0.isNull } ?? false }
    }

    /// The markets that a command names; by their ids for the ticker channel alone.
    private func markets(_ params: JSONValue, for channels: [Channel]) throws(CommandError) -> [Market.ID]? {
        if namesByID(params), channels != [.ticker] { throw .marketRequired }
        if let tickers = try strings(params, one: "market_ticker", many: "market_tickers") {
            var found: [Market.ID] = []
            for ticker in tickers {
                guard let market = exchange.market(ticker) else {
                    throw CommandError(11, "Invalid parameter: unknown market ticker", ticker: ticker)
                }
                found.append(market)
            }
            return found
        }
        guard let ids = try strings(params, one: "market_id", many: "market_ids") else { return nil }
        var found: [Market.ID] = []
        for id in ids {
            guard let number = exchange.marketIDs.number(id), number > 0,
                Int(number) <= exchange.markets.count
            else { throw .invalid("unknown market id") }
            found.append(Market.ID(Int(number) - 1))
        }
        return found
    }

    private func flag(_ params: JSONValue, _ name: String) throws(CommandError) -> Bool? {
        guard let value = params[name], !value.isNull else { return nil }
        guard let flag = value.bool else { throw .invalid("\(name) must be true or false") }
        return flag
    }

    // MARK: Subscribe

    private func subscribe(_ params: JSONValue, _ id: Int64?, _ session: FeedSession) throws(CommandError) {
        guard let names = params["channels"]?.array, !names.isEmpty else { throw .channelsRequired }
        var channels: [Channel] = []
        for name in names {
            guard let channel = name.string.flatMap(Channel.init(rawValue:)) else { throw .unknownChannel }
            if !channels.contains(channel) { channels.append(channel) }
        }
        let markets = try markets(params, for: channels)
        if channels.contains(.book), markets?.isEmpty ?? true { throw .marketRequired }
        if channels.contains(.communications) { try checkSharding(params) }
        var indexes: [String]?
        if channels.contains(where: \.takesIndexes) {
            indexes = try strings(params, one: "index_id", many: "index_ids")
            if indexes?.isEmpty ?? true { throw CommandError(24, "Index IDs required") }
        }
        var underlyings: [String]?
        if channels.contains(.prices) {
            underlyings = try strings(params, one: "underlying_ticker", many: "underlying_tickers")
            if underlyings?.isEmpty ?? true { throw CommandError(28, "Underlying tickers required") }
        }
        guard session.marketCount + channels.count * (markets?.count ?? 0) <= FeedSession.marketsMax else {
            throw .tooManyMarkets
        }
        let yes = try flag(params, "use_yes_price") ?? settings.rules.yesPricesByDefault
        let skips = try flag(params, "skip_ticker_ack") ?? false
        let snapshots = try flag(params, "send_initial_snapshot") ?? false
        for channel in channels {
            let wanted = channel.takesMarkets ? markets : nil
            if settings.rules.mergesSubscriptions, let old = session.subscription(to: channel) {
                try add(wanted ?? [], to: old, id, snapshots, byID: namesByID(params))
                continue
            }
            let new = session.subscribe(channel, wanted, usesYesPrices: yes, skipsAck: skips)
            if let chosen = channel.takesIndexes ? indexes : channel == .prices ? underlyings : nil {
                new.names = chosen.contains("all") ? nil : chosen
            }
            reply(
                "subscribed", id,
                .of(["channel": .string(channel.rawValue), "sid": .integer(new.sid)]), session)
            show(new.markets ?? [], to: new, snapshots)
        }
    }

    private func checkSharding(_ params: JSONValue) throws(CommandError) {
        if let filter = params["user_filter"], !filter.isNull, !["", "self"].contains(filter.string) {
            throw .invalid("user_filter must be empty or self")
        }
        let (factor, key) = (params["shard_factor"]?.int64, params["shard_key"]?.int64)
        if let factor, factor <= 0 { throw CommandError(19, "shard_factor must be greater than 0") }
        if let factor, factor > 100 { throw CommandError(22, "shard_factor must be at most 100") }
        if key != nil, factor == nil { throw CommandError(20, "shard_factor is required with shard_key") }
        if let key, let factor, key < 0 || key >= factor {
            throw CommandError(21, "shard_key is out of range")
        }
    }

    /// What a subscription begins with.
    private func show(
        _ markets: [Market.ID], to subscription: Subscription, _ snapshots: Bool, id: Int64? = nil
    ) {
        switch subscription.channel {
        case .book: for market in markets { sendSnapshot(market, to: subscription, id: id) }
        case .ticker where snapshots:
            let all = subscription.markets == nil ? exchange.markets.map(\.id) : markets
            for market in all { sendTicker(market, to: subscription) }
        default: break
        }
    }

    // MARK: Change

    private func target(_ params: JSONValue, _ session: FeedSession) throws(CommandError) -> Subscription {
        let sid: Int64
        if let single = params["sid"]?.int64 {
            sid = single
        } else {
            guard let sids = params["sids"]?.array, sids.count == 1, let only = sids[0].int64 else {
                throw .oneSID
            }
            sid = only
        }
        guard let subscription = session.subscription(sid) else { throw .unknownSID }
        return subscription
    }

    private func update(_ params: JSONValue, _ id: Int64?, _ session: FeedSession) throws(CommandError) {
        let subscription = try target(params, session)
        guard let action = params["action"]?.string else { throw .actionRequired }
        guard ["add_markets", "delete_markets", "get_snapshot"].contains(action) else {
            throw .unsupportedAction
        }
        guard subscription.channel.takesMarkets else { throw .unsupportedAction }
        guard let markets = try markets(params, for: [subscription.channel]), !markets.isEmpty else {
            throw .marketRequired
        }
        switch action {
        case "add_markets":
            guard session.marketCount + markets.count <= FeedSession.marketsMax else { throw .tooManyMarkets }
            try add(
                markets, to: subscription, id, try flag(params, "send_initial_snapshot") ?? false,
                byID: namesByID(params))
        case "delete_markets":
            guard subscription.markets != nil else { throw .invalid("the subscription names no markets") }
            for market in markets { leave(subscription, market) }
            subscription.remove(markets)
            acknowledge(subscription, id, byID: namesByID(params))
        default:
            guard subscription.channel == .book else { throw .unsupportedAction }
            for market in markets where !subscription.takes(market) {
                throw CommandError(
                    11, "Invalid parameter: the market is not subscribed to",
                    ticker: exchange.record(market).ticker)
            }
            for market in markets { sendSnapshot(market, to: subscription, id: id) }
        }
    }

    private func add(
        _ markets: [Market.ID], to subscription: Subscription, _ id: Int64?, _ snapshots: Bool, byID: Bool
    ) throws(CommandError) {
        let new = subscription.add(markets)
        for market in new { enter(subscription, market) }
        acknowledge(subscription, id, byID: byID)
        show(new, to: subscription, snapshots)
    }

    /// The full list after the change, in the command's own terms.
    private func acknowledge(_ subscription: Subscription, _ id: Int64?, byID: Bool) {
        var body: [UInt8]?
        if !subscription.skipsAck {
            let names = (subscription.markets ?? []).map { market -> JSONValue in
                let record = exchange.record(market)
                return .string(byID ? record.uuid : record.ticker)
            }
            let list = JSONValue.of([byID ? "market_ids" : "market_tickers": .array(names)])
            body = Array(JSONWriter.text(list).utf8)
        }
        send("ok", body, to: subscription, id: id, sequenced: true, isData: false)
    }

    private func unsubscribe(_ params: JSONValue, _ id: Int64?, _ session: FeedSession) throws(CommandError) {
        var sids = params["sids"]?.array ?? []
        if sids.isEmpty, let single = params["sid"] { sids = [single] }
        guard !sids.isEmpty else { throw .sidsRequired }
        var found: [Subscription] = []
        for sid in sids {
            guard let number = sid.int64, let subscription = session.subscription(number) else {
                throw .unknownSID
            }
            found.append(subscription)
        }
        for subscription in found {
            send("unsubscribed", nil, to: subscription, id: id, sequenced: true, isData: false)
            session.end(subscription)
        }
    }

    private func list(_ id: Int64?, _ session: FeedSession) {
        let rows = session.subscriptions.map { subscription -> JSONValue in
            .of([
                "channel": .string(subscription.channel.rawValue), "sid": .integer(subscription.sid),
            ])
        }
        reply("ok", id, .array(rows), session)
    }
}
