import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletWire

// The control endpoint, `/sandbox/…`: what a test does to the exchange behind its clients' backs. It asks for the
// token that the sandbox prints at its start, so that no client under test reaches it by accident.
extension SandboxServer {
    static let tokenHeader = "Sandbox-Token"

    func control(_ request: HTTPServerRequest, _ responder: HTTPResponder) {
        let response: APIResponse
        do throws(APIError) {
            guard request.headers[SandboxServer.tokenHeader] == controlToken else {
                throw APIError(
                    403, "forbidden",
                    "the header \(SandboxServer.tokenHeader) must hold the token printed at start")
            }
            catchUp()
            response = try carryOut(request)
        } catch {
            response = APIResponse(status: error.status, body: error.body(nested: true))
        }
        responder.respond(
            response.status, headers: ["Content-Type": "application/json"],
            body: Array(JSONWriter.text(response.body ?? .object([])).utf8))
    }

    private func carryOut(_ request: HTTPServerRequest) throws(APIError) -> APIResponse {
        guard var read = APIRequest(request) else { throw .notFound }
        // `curl -d` calls everything a form.
        read.demandsContentType = false
        let path = Array(read.segments.dropFirst())
        switch (request.method, path.first, path.count) {
        case ("GET", nil, 0): return .ok(SandboxServer.controlList)
        case ("GET", "state", 1): return .ok(state)
        case ("GET", "ledger", 1):
            guard let ledger = ledger(account: read.text("account")) else { throw .notFound }
            return .ok(ledger)
        case ("GET", "faults", 1): return .ok(dice.faults.json)
        case ("POST", "faults", 1):
            try setFaults(try read.optionalObject())
            return .ok(dice.faults.json)
        case ("DELETE", "faults", 1):
            apply(Faults())
            return .ok(dice.faults.json)
        case ("POST", "world", 1):
            try setWorld(try read.object())
            return .ok(state)
        case ("POST", "advance", 1):
            try advance(try read.object())
            return .ok(state)
        case ("POST", "pause", 1):
            try pause(try read.object())
            return .ok(api.statusBody())
        case ("POST", "markets", 3):
            try change(path[1], path[2], try read.optionalObject())
            return .ok(state)
        case ("POST", "disconnect", 1):
            cutFeeds()
            return .ok(state)
        case ("POST", "deposit", 1):
            try deposit(try read.object())
            return .ok(state)
        default: throw .notFound
        }
    }

    /// What there is, for whoever asks `GET CONTROL`.
    private static let controlList = JSONValue.of([
        "header": .string(tokenHeader),
        "endpoints": .fields(
            [
                ("GET /state", "clocks, markets with both sides quoted, counters"),
                ("GET /ledger?account=KEYID", "accounts as the exchange itself has them"),
                ("GET /faults", "the faults in force"),
                ("POST /faults", #"changes those named: {"latency_ms": 20, "too_many_requests": 0.1}"#),
                ("DELETE /faults", "ends them all"),
                ("POST /world", #"{"activity": 0.5, "changes_per_second": 100}"#),
                ("POST /advance", #"{"seconds": 60}: with --paused"#),
                ("POST /pause", #"{"what": "trading", "exchange_index": 0}; everything, or none to resume"#),
                ("POST /markets/TICKER/pause", "resume, close ({\"close_ts\": SECONDS} moves it)"),
                (
                    "POST /markets/TICKER/settle",
                    #"{"result": "yes"}; no, or a value in dollars; also determine"#
                ),
                ("POST /markets/TICKER/grid", #"{"price_level_structure": "deci_cent"}"#),
                ("POST /disconnect", "cuts every WebSocket"),
                ("POST /deposit", #"{"key": "KEYID", "dollars": "100.00", "exchange_index": 0}"#),
            ].map { ($0.0, .string($0.1)) }),
    ])

    private var state: JSONValue {
        .of([
            "now": .time(exchange.now), "now_ns": .integer(exchange.now.nanoseconds),
            "paused": .bool(settings.isPaused),
            "markets": .array(quotedMarkets.map { .string($0) }),
            "accounts": .integer(exchange.members.count), "feeds": .integer(hub.sessions.count),
            "requests": .integer(requestCount), "frames": .integer(hub.counts.frames),
            "overflows": .integer(hub.counts.overflows),
            "changes": .integer(hub.counts.changes), "trades": .integer(exchange.publicTradeCount),
        ])
    }

    private func setFaults(_ value: JSONValue) throws(APIError) {
        var faults = dice.faults
        for member in value.object ?? [] {
            let text =
                switch member.value {
                case .number(let text), .string(let text): text
                case .bool(let flag): "\(flag)"
                case .null, .array, .object: ""
                }
            do throws(Faults.Problem) {
                try faults.set(member.key, to: text)
            } catch {
                throw .badRequest(error.description)
            }
        }
        apply(faults)
    }

    private func cutFeeds() {
        for session in Array(hub.sessions.values) { session.cutNow() }
    }

    /// Puts faults into force everywhere.
    func apply(_ faults: Faults) {
        let before = dice.faults
        if faults.pause != before.pause {
            for shard in Exchange.shards.indices { exchange.pause(faults.pause, shard: shard) }
        }
        if faults.maintenance, !before.maintenance { cutFeeds() }
        dice.faults = faults
        hub.dice.faults = faults
        exchange.userDataLag = .nanoseconds(Int64(faults.userDataLagMilliseconds * 1e6))
    }

    /// `{"activity": 0.5}` of the agents, `{"changes_per_second": 20000}` on top of theirs.
    private func setWorld(_ value: JSONValue) throws(APIError) {
        for member in value.object ?? [] {
            guard case .number(let text) = member.value, let number = Double(text), number >= 0 else {
                throw .badRequest("\(member.key) must be a number from 0")
            }
            switch member.key {
            case "activity" where number <= 1000: agents?.activity = number
            case "changes_per_second" where number <= 1_000_000: churn?.rate = number
            case "activity", "changes_per_second": throw .badRequest("\(member.key) is too large")
            default:
                throw .badRequest("no '\(member.key)'; there are activity, changes_per_second")
            }
        }
        wakeWorld()
    }

    /// `{"seconds": 5}` or `{"milliseconds": 250}`: at most a day at once.
    private func advance(_ value: JSONValue) throws(APIError) {
        let reader = BodyReader(value)
        let seconds = try reader.whole("seconds", in: 0...86_400) ?? 0
        let milliseconds = try reader.whole("milliseconds", in: 0...86_400_000) ?? 0
        let span = TimeSpan.seconds(seconds) + .milliseconds(milliseconds)
        guard span > .zero else { throw .badRequest("seconds or milliseconds is required") }
        step(span)
    }

    /// `{"exchange_index": 0, "what": "trading"}`; `everything`, or `none` to resume; all shards without an index.
    private func pause(_ value: JSONValue) throws(APIError) {
        let reader = BodyReader(value)
        let pause: ExchangePause?
        switch try reader.required("what") {
        case "trading": pause = .trading
        case "everything": pause = .everything
        case "none": pause = nil
        case let other: throw .badRequest("what is '\(other)'; one of trading, everything, none")
        }
        let shard = try reader.shard()
        for index in Exchange.shards.indices where shard == nil || shard == index {
            exchange.pause(pause, shard: index)
        }
    }

    /// `pause`, `resume`, `close`, `settle` (`{"result": "yes"}`, or a value in dollars), `grid`.
    private func change(_ ticker: String, _ what: String, _ value: JSONValue) throws(APIError) {
        guard let market = exchange.market(ticker) else { throw .marketNotFound }
        let venue = exchange.venue
        switch what {
        case "pause": venue.setStatus(market, .inactive, at: exchange.now)
        case "resume": venue.setStatus(market, .active, at: exchange.now)
        case "close": try close(market, value)
        case "determine", "settle":
            let result: MarketResult
            switch try BodyReader(value).required("result") {
            case "yes": result = .yes
            case "no": result = .no
            case let text:
                guard let price = try? Price(parsing: text), price >= .zero, price <= .one else {
                    throw .badRequest("result is '\(text)'; yes, no or a value in dollars")
                }
                result = .scalar(price)
            }
            venue.setResult(market, result, at: exchange.now)
            if what == "settle" { venue.settle(market, result, at: exchange.now) }
        case "grid":
            let structure = try BodyReader(value).required("price_level_structure")
            guard let grid = PriceGrid.labelled(structure) else {
                throw .badRequest("price_level_structure is '\(structure)'")
            }
            var description = exchange.record(market).description
            description.structure = structure
            description.definition.grid = grid
            exchange.add(description)
        default: throw .notFound
        }
        exchange.flush()
    }

    /// Closes a market now, or moves its close to `close_ts`.
    private func close(_ market: Market.ID, _ value: JSONValue) throws(APIError) {
        var description = exchange.record(market).description
        let time = try BodyReader(value).whole("close_ts", in: 0...9_000_000_000)
        description.definition.closeTime = time.map { Timestamp(seconds: $0) } ?? exchange.now
        exchange.add(description)
        exchange.venue.setStatus(
            market, time == nil ? .closed : exchange.venue.statuses[Int(market.index)], at: exchange.now)
    }

    /// `{"key": "…", "dollars": "100.00", "exchange_index": 0}`.
    private func deposit(_ value: JSONValue) throws(APIError) {
        let reader = BodyReader(value)
        guard let (member, _) = exchange.registration(try reader.required("key")) else { throw .notFound }
        guard let amount = try? Money(parsing: try reader.required("dollars")) else {
            throw .badRequest("dollars must be an amount as text")
        }
        let held = exchange.venue.cash(member.accounts[0])
        let most = Money(dollars: 10_000_000_000)
        guard amount <= most, amount >= .zero - most, held + amount <= most, held + amount >= .zero - most
        else {
            throw .badRequest("an account holds at most 10000000000 dollars")
        }
        exchange.venue.deposit(amount, shard: max(try reader.shard() ?? 0, 0), account: member.accounts[0])
    }
}
