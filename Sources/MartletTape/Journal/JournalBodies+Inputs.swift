import Martlet
import MartletEngine

// The engine's inputs, the venue's commands and reports, and (to be hashed alone) the engine's outputs.

extension VenueReport.Request {
    var tag: UInt8 {
        switch self {
        case .place: 0
        case .amend: 1
        case .decrease: 2
        case .cancel: 3
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .place
        case 1: self = .amend
        case 2: self = .decrease
        case 3: self = .cancel
        case let other: throw BodyError("request \(other)")
        }
    }
}

extension OrderState {
    func encode(into body: inout BodyWriter) {
        switch status {
        case .resting: body.integer(UInt8(0))
        case .executed: body.integer(UInt8(1))
        case .cancelled: body.integer(UInt8(2))
        case .unknown(let text):
            body.integer(UInt8(3))
            body.string(text)
        }
        body.price(price)
        body.quantity(filled)
        body.quantity(remaining)
        body.optional(reason) { $1.encode(into: &$0) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        let status: Status
        switch try body.integer(as: UInt8.self) {
        case 0: status = .resting
        case 1: status = .executed
        case 2: status = .cancelled
        case 3: status = .unknown(try body.string())
        case let other: throw BodyError("order state \(other)")
        }
        self.init(
            status: status, price: try body.price(), filled: try body.quantity(),
            remaining: try body.quantity(),
            reason: try body.optional { (body) throws(BodyError) in try CancelReason(from: &body) })
    }
}

extension VenueReport {
    func encode(into writer: inout BodyWriter) {
        writer.order(order)
        writer.market(market)
        writer.time(exchangeTime)
        writer.optional(venueOrderID) { $0.string($1) }
        body.encode(into: &writer)
    }
    init(from reader: inout BodyReader) throws(BodyError) {
        let (order, market, time) = (try reader.order(), try reader.market(), try reader.time())
        let id = try reader.optional { (reader) throws(BodyError) in try reader.string() }
        self.init(
            try Body(from: &reader), order: order, market: market, exchangeTime: time, venueOrderID: id)
    }
}

extension VenueReport.Body {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .accepted(let filled, let remaining, let end):
            body.integer(UInt8(0))
            body.quantity(filled)
            body.quantity(remaining)
            body.optional(end) { $1.encode(into: &$0) }
        case .rejected(let rejection):
            body.integer(UInt8(1))
            rejection.encode(into: &body)
        case .amended(let price, let quantity, let remaining):
            body.integer(UInt8(2))
            body.price(price)
            body.quantity(quantity)
            body.quantity(remaining)
        case .decreased(let remaining):
            body.integer(UInt8(3))
            body.quantity(remaining)
        case .cancelled(let by):
            body.integer(UInt8(4))
            body.quantity(by)
        case .changeRejected(let request, let rejection):
            body.integer(UInt8(5))
            body.integer(request.tag)
            rejection.encode(into: &body)
        case .ended(let reason):
            body.integer(UInt8(6))
            reason.encode(into: &body)
        case .filled(let fill):
            body.integer(UInt8(7))
            fill.encode(into: &body)
        case .unknown(let request):
            body.integer(UInt8(8))
            body.integer(request.tag)
        case .provenAbsent: body.integer(UInt8(9))
        case .state(let state):
            body.integer(UInt8(10))
            state.encode(into: &body)
        case .rateLimited(let request):
            body.integer(UInt8(11))
            body.integer(request.tag)
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0:
            self = .accepted(
                filled: try body.quantity(), remaining: try body.quantity(),
                end: try body.optional { (body) throws(BodyError) in try CancelReason(from: &body) })
        case 1: self = .rejected(try VenueRejection(from: &body))
        case 2:
            self = .amended(
                price: try body.price(), quantity: try body.quantity(), remaining: try body.quantity())
        case 3: self = .decreased(remaining: try body.quantity())
        case 4: self = .cancelled(by: try body.quantity())
        case 5:
            self = .changeRejected(
                try VenueReport.Request(from: &body), try VenueRejection(from: &body))
        case 6: self = .ended(try CancelReason(from: &body))
        case 7: self = .filled(try Fill(from: &body))
        case 8: self = .unknown(try VenueReport.Request(from: &body))
        case 9: self = .provenAbsent
        case 10: self = .state(try OrderState(from: &body))
        case 11: self = .rateLimited(try VenueReport.Request(from: &body))
        case let other: throw BodyError("report \(other)")
        }
    }
}

extension VenueCommand {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .place(let order):
            body.integer(UInt8(0))
            order.encode(into: &body)
        case .amend(let amend):
            body.integer(UInt8(1))
            body.order(amend.id)
            body.market(amend.market)
            body.integer(amend.side.rawValue)
            body.price(amend.price)
            body.quantity(amend.quantity)
        case .decrease(let order, let market, let quantity):
            body.integer(UInt8(2))
            body.order(order)
            body.market(market)
            body.quantity(quantity)
        case .cancel(let order, let market):
            body.integer(UInt8(3))
            body.order(order)
            body.market(market)
        case .placeBatch(let orders):
            body.integer(UInt8(4))
            body.integer(UInt32(orders.count))
            for order in orders { order.encode(into: &body) }
        case .cancelBatch(let orders):
            body.integer(UInt8(5))
            body.integer(UInt32(orders.count))
            for entry in orders {
                body.order(entry.order)
                body.market(entry.market)
            }
        case .cancelEverything: body.integer(UInt8(6))
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .place(try PlaceOrder(from: &body))
        case 1:
            self = .amend(
                AmendOrder(
                    id: try body.order(), market: try body.market(), side: try body.side(),
                    price: try body.price(), quantity: try body.quantity()))
        case 2: self = .decrease(try body.order(), market: try body.market(), to: try body.quantity())
        case 3: self = .cancel(try body.order(), market: try body.market())
        case 4:
            var orders: [PlaceOrder] = []
            for _ in 0..<(try body.count()) { orders.append(try PlaceOrder(from: &body)) }
            self = .placeBatch(orders)
        case 5:
            var orders: [OrderReference] = []
            for _ in 0..<(try body.count()) {
                orders.append(OrderReference(try body.order(), market: try body.market()))
            }
            self = .cancelBatch(orders)
        case 6: self = .cancelEverything
        case let other: throw BodyError("command \(other)")
        }
    }
}

extension PlaceOrder {
    func encode(into body: inout BodyWriter) {
        body.order(id)
        request.encode(into: &body)
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init(id: try body.order(), request: try OrderRequest(from: &body))
    }
}

extension OperatorCommand {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .halt(let reason):
            body.integer(UInt8(0))
            body.string(reason)
        case .reduceOnly(let reason):
            body.integer(UInt8(1))
            body.string(reason)
        case .resume: body.integer(UInt8(2))
        case .tighten(let account, let strategies):
            body.integer(UInt8(3))
            body.optional(account) { $1.encode(into: &$0) }
            body.optional(strategies) { $1.encode(into: &$0) }
        case .carry(let profit, let strategy):
            body.integer(UInt8(4))
            body.money(profit)
            body.integer(Int64(strategy ?? -1))
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .halt(reason: try body.string())
        case 1: self = .reduceOnly(reason: try body.string())
        case 2: self = .resume
        case 3:
            self = .tighten(
                account: try body.optional { (body) throws(BodyError) in try RiskLimits(from: &body) },
                strategies: try body.optional { (body) throws(BodyError) in try RiskLimits(from: &body) })
        case 4:
            let profit = try body.money()
            let strategy = try body.integer(as: Int64.self)
            self = .carry(profit, strategy: strategy < 0 ? nil : Int(truncatingIfNeeded: strategy))
        case let other: throw BodyError("operator's command \(other)")
        }
    }
}

extension EngineInput {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .started(let nonce):
            body.integer(UInt8(0))
            body.integer(nonce)
        case .defined(let market):
            body.integer(UInt8(1))
            market.encode(into: &body)
        case .market(let event):
            body.integer(UInt8(2))
            withUnsafeBytes(of: JournalEvent(event)) { body.append($0) }
        case .ticker(let ticker):
            body.integer(UInt8(3))
            body.market(ticker.market)
            body.time(ticker.exchangeTime)
            ticker.encode(into: &body)
        case .reference(let value):
            body.integer(UInt8(4))
            body.time(value.exchangeTime)
            value.encode(into: &body)
        case .status(let market, let status):
            body.integer(UInt8(5))
            body.market(market)
            body.string(status.wire)
        case .result(let market, let result):
            body.integer(UInt8(6))
            body.market(market)
            result.encode(into: &body)
        case .settled(let market, let result):
            body.integer(UInt8(7))
            body.market(market)
            result.encode(into: &body)
        case .unusable(let market, let fault):
            body.integer(UInt8(8))
            body.market(market)
            fault.encode(into: &body)
        case .report(let report):
            body.integer(UInt8(9))
            report.encode(into: &body)
        case .balance(let shard, let cash):
            body.integer(UInt8(10))
            body.optional(shard) { $0.integer(Int64($1)) }
            body.money(cash)
        case .adoptedOrder(let order, let strategy):
            body.integer(UInt8(11))
            order.encode(into: &body)
            body.optional(strategy) { $0.integer(Int64($1)) }
        case .adoptedPosition(let market, let position, let strategy):
            body.integer(UInt8(12))
            body.market(market)
            position.encode(into: &body)
            body.optional(strategy) { $0.integer(Int64($1)) }
        case .limits(let limits):
            body.integer(UInt8(13))
            limits.encode(into: &body)
        case .clock: body.integer(UInt8(14))
        case .command(let command):
            body.integer(UInt8(15))
            command.encode(into: &body)
        case .stopped: body.integer(UInt8(16))
        }
    }

    init(from body: inout BodyReader) throws(BodyError) {
        func index(_ body: inout BodyReader) throws(BodyError) -> Int? {
            try body.optional { (body) throws(BodyError) in Int(try body.integer(as: Int64.self)) }
        }
        switch try body.integer(as: UInt8.self) {
        case 0: self = .started(nonce: try body.integer(as: UInt64.self))
        case 1: self = .defined(try Market(from: &body))
        case 2: self = .market(try JournalEvent.read(from: &body))
        case 3:
            let (market, time) = (try body.market(), try body.time())
            self = .ticker(try Ticker(from: &body, market: market, exchangeTime: time))
        case 4:
            let time = try body.time()
            self = .reference(try ReferenceValue(from: &body, exchangeTime: time))
        case 5: self = .status(try body.market(), MarketStatus(wire: try body.string()))
        case 6: self = .result(try body.market(), try MarketResult(from: &body))
        case 7: self = .settled(try body.market(), try MarketResult(from: &body))
        case 8: self = .unusable(try body.market(), try BookFault(from: &body))
        case 9: self = .report(try VenueReport(from: &body))
        case 10: self = .balance(shard: try index(&body), try body.money())
        case 11: self = .adoptedOrder(try Order(from: &body), strategy: try index(&body))
        case 12:
            self = .adoptedPosition(
                try body.market(), try Position(from: &body), strategy: try index(&body))
        case 13: self = .limits(try RateLimits(from: &body))
        case 14: self = .clock
        case 15: self = .command(try OperatorCommand(from: &body))
        case 16: self = .stopped
        case let other: throw BodyError("input \(other)")
        }
    }
}

extension EngineOutput {
    /// Its canonical bytes: what the running hash is made of.
    func encode(into body: inout BodyWriter) {
        switch self {
        case .command(let command):
            body.integer(UInt8(0))
            command.encode(into: &body)
        case .subscribe(let market):
            body.integer(UInt8(1))
            body.market(market)
        case .unsubscribe(let market):
            body.integer(UInt8(2))
            body.market(market)
        case .record(let record):
            body.integer(UInt8(3))
            record.encode(into: &body)
        }
    }
}

extension EngineRecord {
    fileprivate func encode(into body: inout BodyWriter) {
        switch self {
        case .order(let order, let strategy):
            body.integer(UInt8(0))
            order.encode(into: &body)
            body.integer(Int64(strategy))
        case .fill(let fill, let strategy, let position):
            body.integer(UInt8(1))
            fill.encode(into: &body)
            body.integer(Int64(strategy))
            position.encode(into: &body)
        case .settlement(let settlement, let strategy):
            body.integer(UInt8(2))
            body.market(settlement.market)
            settlement.result.encode(into: &body)
            body.quantity(settlement.position)
            body.money(settlement.payout)
            body.money(settlement.profit)
            body.time(settlement.time)
            body.integer(Int64(strategy))
        case .status(let market, let status):
            body.integer(UInt8(3))
            body.market(market)
            body.string(status.wire)
        case .result(let market, let result):
            body.integer(UInt8(4))
            body.market(market)
            result.encode(into: &body)
        case .bookUnusable(let market, let fault):
            body.integer(UInt8(5))
            body.market(market)
            fault.encode(into: &body)
        case .bookUsable(let market):
            body.integer(UInt8(6))
            body.market(market)
        case .risk(let state, let reason):
            body.integer(UInt8(7))
            body.string(state.rawValue)
            body.string(reason)
        case .refused(let order, let refusal, let strategy):
            body.integer(UInt8(8))
            body.order(order)
            refusal.encode(into: &body)
            body.integer(Int64(strategy))
        case .log(let level, let text, let strategy):
            body.integer(UInt8(9))
            body.string(level.rawValue)
            body.string(text)
            body.optional(strategy) { $0.integer(Int64($1)) }
        case .series(let name, let value, let strategy):
            body.integer(UInt8(10))
            body.string(name)
            body.integer(value.bitPattern)
            body.integer(Int64(strategy))
        }
    }
}
