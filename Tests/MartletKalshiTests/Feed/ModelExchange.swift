import Martlet
import MartletEngine
import MartletWire

/// The exchange's side of the WebSocket as API.md §14 and the recorded sessions have it: subscriptions that merge,
/// one count a subscription, control answers counted. What a client sends goes in, frames come out.
final class ModelExchange {
    struct Subscription {
        var sid: Int
        var channel: String
        var tickers: [String]
        var isAll: Bool
        var usesYesPrice: Bool
        var sequence = 0
    }
    struct Book: Equatable {
        /// Hundredths of contracts by YES price in micro-dollars.
        var bids: [Int: Int] = [:]
        var asks: [Int: Int] = [:]
    }

    /// Every state of a market's book, by its version; a delta's `ts_ms` is the version that it made.
    private(set) var history: [String: [Book]] = [:]
    private(set) var subscriptions: [Subscription] = []
    private(set) var commands: [String] = []
    private(set) var trades = 0
    private var nextSID = 1
    let tickers: [String]

    // What it does wrong.
    var ignoresCommands = 0
    var badTickers: Set<String> = []
    var marketLimit: Int?
    var answersProbes = true
    /// Leaves these out of snapshots' answers.
    var silentSnapshots = 0
    var rateLimited = 0

    init(_ tickers: [String]) {
        self.tickers = tickers
        for ticker in tickers { history[ticker] = [Book()] }
    }

    /// A new connection: subscriptions and numbers start over.
    func reset() {
        subscriptions = []
        nextSID = 1
    }

    func version(_ ticker: String) -> Int { (history[ticker]?.count ?? 1) - 1 }
    func book(_ ticker: String) -> Book { history[ticker]?.last ?? Book() }

    // MARK: - Commands

    func take(_ text: String) -> [String] {
        commands.append(text)
        guard let value = try? JSONParser.parse(text), let id = value["id"]?.int64 else {
            return [#"{"type":"error","msg":{"code":1,"msg":"Unable to process message"}}"#]
        }
        if ignoresCommands > 0 {
            ignoresCommands -= 1
            return []
        }
        let params = value["params"]
        let named =
            params?["market_tickers"]?.array?.compactMap(\.string)
            ?? params?["market_ticker"]?.string.map { [$0] }
        switch value["cmd"]?.string {
        case "subscribe": return subscribe(Int(id), params, named)
        case "unsubscribe":
            return (params?["sids"]?.array ?? []).flatMap { unsubscribe(Int(id), Int($0.int64 ?? -1)) }
        case "update_subscription":
            let sid = params?["sid"]?.int64 ?? params?["sids"]?.array?.first?.int64 ?? -1
            return update(Int(id), Int(sid), params?["action"]?.string ?? "", named ?? [])
        case "list_subscriptions":
            guard answersProbes else { return [] }
            let list = subscriptions.map { #"{"channel":"\#($0.channel)","sid":\#($0.sid)}"# }
            return [#"{"type":"ok","id":\#(id),"msg":[\#(list.joined(separator: ","))]}"#]
        default: return [error(Int(id), 5, "Unknown command")]
        }
    }

    private func subscribe(_ id: Int, _ params: JSONValue?, _ named: [String]?) -> [String] {
        if let refusal = refusal(id, named ?? [], in: nil) { return [refusal] }
        var frames: [String] = []
        for channel in (params?["channels"]?.array ?? []).compactMap(\.string) {
            guard channel != "orderbook_delta" || named != nil else {
                frames.append(error(id, 14, "Market ticker required"))
                continue
            }
            if let index = subscriptions.firstIndex(where: { $0.channel == channel }) {
                frames += add(id, index, named ?? [])
                continue
            }
            subscriptions.append(
                Subscription(
                    sid: nextSID, channel: channel, tickers: named ?? [], isAll: named == nil,
                    usesYesPrice: params?["use_yes_price"]?.bool ?? false))
            frames.append(
                #"{"type":"subscribed","id":\#(id),"msg":{"channel":"\#(channel)","sid":\#(nextSID)}}"#)
            nextSID += 1
            if channel == "orderbook_delta" {
                frames += (named ?? []).map { snapshot(subscriptions.count - 1, $0, id: nil) }
            }
        }
        return frames
    }

    /// Several markets' answer: `ok` with all of them, then a snapshot each.
    private func add(_ id: Int, _ index: Int, _ named: [String]) -> [String] {
        for ticker in named where !subscriptions[index].tickers.contains(ticker) {
            subscriptions[index].tickers.append(ticker)
        }
        var frames = [ok(id, index)]
        if subscriptions[index].channel == "orderbook_delta" {
            frames += named.map { snapshot(index, $0, id: nil) }
        }
        return frames
    }

    private func refusal(_ id: Int, _ named: [String], in index: Int?) -> String? {
        if rateLimited > 0 {
            rateLimited -= 1
            return error(id, 27, "Too many commands")
        }
        if named.contains(where: badTickers.contains) { return error(id, 11, "Invalid parameter") }
        let had = index.map { subscriptions[$0].tickers.count } ?? 0
        if let marketLimit, had + named.count > marketLimit { return error(id, 26, "Market limit") }
        return nil
    }

    private func update(_ id: Int, _ sid: Int, _ action: String, _ named: [String]) -> [String] {
        guard let index = subscriptions.firstIndex(where: { $0.sid == sid }) else {
            return [error(id, 7, "Unknown sid")]
        }
        if action != "delete_markets", let refusal = refusal(id, named, in: index) { return [refusal] }
        switch action {
        case "add_markets": return add(id, index, named)
        case "delete_markets":
            subscriptions[index].tickers.removeAll { named.contains($0) }
            return [ok(id, index)]
        case "get_snapshot":
            if silentSnapshots > 0 {
                silentSnapshots -= 1
                return []
            }
            return named.map { snapshot(index, $0, id: id) }
        default: return [error(id, 13, "Unsupported action")]
        }
    }

    private func unsubscribe(_ id: Int, _ sid: Int) -> [String] {
        guard let index = subscriptions.firstIndex(where: { $0.sid == sid }) else {
            return [error(id, 7, "Unknown sid")]
        }
        let sequence = next(index)
        subscriptions.remove(at: index)
        return [#"{"type":"unsubscribed","id":\#(id),"sid":\#(sid),"seq":\#(sequence)}"#]
    }

    // MARK: - Frames

    private func next(_ index: Int) -> Int {
        subscriptions[index].sequence += 1
        return subscriptions[index].sequence
    }
    private func error(_ id: Int, _ code: Int, _ text: String) -> String {
        #"{"type":"error","id":\#(id),"msg":{"code":\#(code),"msg":"\#(text)"}}"#
    }
    private func ok(_ id: Int, _ index: Int) -> String {
        let list = subscriptions[index].tickers.map { "\"\($0)\"" }.joined(separator: ",")
        let subscription = subscriptions[index]
        // Channels without numbers carry none here either.
        let sequence = subscription.channel == "ticker" ? "" : #","seq":\#(next(index))"#
        return
            #"{"type":"ok","id":\#(id),"sid":\#(subscription.sid)\#(sequence),"msg":{"market_tickers":[\#(list)]}}"#
    }
    private func snapshot(_ index: Int, _ ticker: String, id: Int?) -> String {
        let subscription = subscriptions[index]
        func ladder(_ side: [Int: Int], isAsk: Bool) -> String {
            side.sorted { $0.key < $1.key }.map {
                #"["\#(price($0.key, isAsk: isAsk, subscription))","\#(count($0.value))"]"#
            }.joined(separator: ",")
        }
        let book = book(ticker)
        // A side without levels is left out.
        let yes = book.bids.isEmpty ? "" : #","yes_dollars_fp":[\#(ladder(book.bids, isAsk: false))]"#
        let no = book.asks.isEmpty ? "" : #","no_dollars_fp":[\#(ladder(book.asks, isAsk: true))]"#
        let reply = id.map { #""id":\#($0),"# } ?? ""
        return
            #"{"type":"orderbook_snapshot",\#(reply)"sid":\#(subscription.sid),"seq":\#(next(index)),"msg":{"market_ticker":"\#(ticker)","market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa"\#(yes)\#(no)}}"#
    }
    private func price(_ micros: Int, isAsk: Bool, _ subscription: Subscription) -> String {
        let quoted = isAsk && !subscription.usesYesPrice ? 1_000_000 - micros : micros
        return FixedPoint.format(Int64(quoted / 100), decimals: 4, minimum: 4)
    }
    private func count(_ hundredths: Int) -> String {
        FixedPoint.format(Int64(hundredths), decimals: 2, minimum: 2)
    }

    // MARK: - The market

    /// Changes a level (never below zero) and tells whoever is subscribed.
    func change(_ ticker: String, isBid: Bool, cents: Int, by wanted: Int) -> [String] {
        var book = book(ticker)
        let micros = cents * 10_000
        let had = (isBid ? book.bids[micros] : book.asks[micros]) ?? 0
        let change = max(wanted, -had)
        let now = had + change == 0 ? nil : had + change
        if isBid { book.bids[micros] = now } else { book.asks[micros] = now }
        history[ticker]?.append(book)
        let version = version(ticker)
        return subscriptions.indices.filter {
            subscriptions[$0].channel == "orderbook_delta" && subscriptions[$0].tickers.contains(ticker)
        }.map { index in
            let sid = subscriptions[index].sid
            let text = price(micros, isAsk: !isBid, subscriptions[index])
            return
                #"{"type":"orderbook_delta","sid":\#(sid),"seq":\#(next(index)),"msg":{"market_ticker":"\#(ticker)","market_id":"5b1f6a52-8f0e-4c57-9a3d-2d7c9b3f10aa","price_dollars":"\#(text)","delta_fp":"\#(count(change))","side":"\#(isBid ? "yes" : "no")","ts_ms":\#(version)}}"#
        }
    }

    func trade(_ ticker: String) -> [String] {
        trades += 1
        return subscriptions.indices.filter {
            subscriptions[$0].channel == "trade"
                && (subscriptions[$0].isAll || subscriptions[$0].tickers.contains(ticker))
        }.map { index in
            #"{"type":"trade","sid":\#(subscriptions[index].sid),"seq":\#(next(index)),"msg":{"trade_id":"t\#(trades)","market_ticker":"\#(ticker)","yes_price_dollars":"0.4700","no_price_dollars":"0.5300","count_fp":"4.00","taker_side":"no","taker_outcome_side":"no","taker_book_side":"ask","is_block_trade":false,"ts_ms":1795442400700}}"#
        }
    }

    /// Ends a subscription as the exchange does when its buffer overflows.
    func overflow(_ channel: String) -> [String] {
        guard let index = subscriptions.firstIndex(where: { $0.channel == channel }) else { return [] }
        let sid = subscriptions[index].sid
        let sequence = next(index)
        subscriptions.remove(at: index)
        return [
            #"{"type":"error","sid":\#(sid),"seq":\#(sequence),"msg":{"code":25,"msg":"Subscription buffer overflow"}}"#
        ]
    }
    /// Uses up a number without telling anybody: a lost message.
    func lose(_ channel: String) {
        guard let index = subscriptions.firstIndex(where: { $0.channel == channel }) else { return }
        _ = next(index)
    }
    func sid(_ channel: String) -> Int { subscriptions.first { $0.channel == channel }?.sid ?? -1 }
}
