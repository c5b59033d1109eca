import Martlet
import MartletEngine

// The parts that journal records are made of, each written and read beside the other.

extension BodyWriter {
    mutating func flag(_ value: Bool) { integer(UInt8(value ? 1 : 0)) }
    mutating func price(_ value: Price) { integer(value.micros) }
    mutating func quantity(_ value: Quantity) { integer(value.hundredths) }
    mutating func money(_ value: Money) { integer(value.raw) }
    mutating func time(_ value: Timestamp) { integer(value.nanoseconds) }
    mutating func market(_ value: Market.ID) { integer(value.index) }
    mutating func order(_ value: OrderID) { integer(value.number) }
    /// A mark whether it is there, then the value.
    mutating func optional<Value>(_ value: Value?, _ write: (inout BodyWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }
}

extension BodyReader {
    mutating func flag() throws(BodyError) -> Bool {
        switch try integer(as: UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw BodyError("a mark of \(other)")
        }
    }
    mutating func quantity() throws(BodyError) -> Quantity {
        Quantity(hundredths: try integer(as: Int64.self))
    }
    mutating func money() throws(BodyError) -> Money { Money(raw: try integer(as: Int64.self)) }
    mutating func market() throws(BodyError) -> Market.ID {
        Market.ID(Int(try integer(as: UInt32.self)))
    }
    mutating func order() throws(BodyError) -> OrderID { OrderID(try integer(as: UInt64.self)) }
    mutating func side() throws(BodyError) -> Side {
        let raw = try integer(as: UInt8.self)
        guard let side = Side(rawValue: raw) else { throw BodyError("side \(raw)") }
        return side
    }
    mutating func optional<Value>(
        _ read: (inout BodyReader) throws(BodyError) -> Value
    ) throws(BodyError) -> Value? {
        try flag() ? try read(&self) : nil
    }
    mutating func word<Word: RawRepresentable>(_ type: Word.Type) throws(BodyError) -> Word
    where Word.RawValue == String {
        let text = try string()
        guard let word = Word(rawValue: text) else { throw BodyError("'\(text)' is no \(type)") }
        return word
    }
}

extension TimeInForce {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .goodTillCancelled: body.integer(UInt8(0))
        case .goodTill(let time):
            body.integer(UInt8(1))
            body.time(time)
        case .immediateOrCancel: body.integer(UInt8(2))
        case .fillOrKill: body.integer(UInt8(3))
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .goodTillCancelled
        case 1: self = .goodTill(try body.time())
        case 2: self = .immediateOrCancel
        case 3: self = .fillOrKill
        case let other: throw BodyError("time in force \(other)")
        }
    }
}

extension SelfTradePrevention {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .takerAtCross: body.integer(UInt8(0))
        case .maker: body.integer(UInt8(1))
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .takerAtCross
        case 1: self = .maker
        case let other: throw BodyError("self-trade prevention \(other)")
        }
    }
}

extension OrderRequest {
    func encode(into body: inout BodyWriter) {
        body.market(market)
        body.integer(side.rawValue)
        body.price(price)
        body.quantity(quantity)
        timeInForce.encode(into: &body)
        for mark in [isPostOnly, isReduceOnly, cancelsOnPause] { body.flag(mark) }
        selfTradePrevention.encode(into: &body)
    }
    init(from body: inout BodyReader) throws(BodyError) {
        let (market, side) = (try body.market(), try body.side())
        let (price, quantity) = (try body.price(), try body.quantity())
        let time = try TimeInForce(from: &body)
        let (post, reduce, pause) = (try body.flag(), try body.flag(), try body.flag())
        self.init(
            side, quantity, at: price, in: market, timeInForce: time, isPostOnly: post, isReduceOnly: reduce,
            selfTradePrevention: try SelfTradePrevention(from: &body), cancelsOnPause: pause)
    }
}

extension CancelReason {
    private static let plain: [CancelReason] = [
        .requested, .immediateRemainder, .expiry, .marketClosed, .halt, .selfTrade, .postOnlyCross,
        .reduceOnly, .margin, .orderGroup, .settlementBounds,
    ]
    private var tag: UInt8 {
        switch self {
        case .requested: 0
        case .immediateRemainder: 1
        case .expiry: 2
        case .marketClosed: 3
        case .halt: 4
        case .selfTrade: 5
        case .postOnlyCross: 6
        case .reduceOnly: 7
        case .margin: 8
        case .orderGroup: 9
        case .settlementBounds: 10
        case .unknown: 11
        }
    }
    func encode(into body: inout BodyWriter) {
        body.integer(tag)
        if case .unknown(let text) = self { body.string(text) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        let tag = Int(try body.integer(as: UInt8.self))
        if tag < CancelReason.plain.count {
            self = CancelReason.plain[tag]
        } else if tag == CancelReason.plain.count {
            self = .unknown(try body.string())
        } else {
            throw BodyError("cancel reason \(tag)")
        }
    }
}

extension VenueRejection {
    func encode(into body: inout BodyWriter) {
        body.integer(Int64(status))
        body.string(code)
        body.string(message)
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init(
            status: Int(try body.integer(as: Int64.self)), code: try body.string(),
            message: try body.string())
    }
}

extension Refusal {
    func encode(into body: inout BodyWriter) {
        for text in [rule.rawValue, value, limit] { body.string(text) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init(
            try body.word(RiskRule.self), value: try body.string(), limit: try body.string())
    }
}

extension OrderStatus {
    func encode(into body: inout BodyWriter) {
        switch self {
        case .queued: body.integer(UInt8(0))
        case .inFlight: body.integer(UInt8(1))
        case .resting: body.integer(UInt8(2))
        case .filled: body.integer(UInt8(3))
        case .cancelled(let reason):
            body.integer(UInt8(4))
            reason.encode(into: &body)
        case .rejected(let rejection):
            body.integer(UInt8(5))
            rejection.encode(into: &body)
        case .refused(let refusal):
            body.integer(UInt8(6))
            refusal.encode(into: &body)
        case .withdrawn: body.integer(UInt8(7))
        case .unknown: body.integer(UInt8(8))
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .queued
        case 1: self = .inFlight
        case 2: self = .resting
        case 3: self = .filled
        case 4: self = .cancelled(try CancelReason(from: &body))
        case 5: self = .rejected(try VenueRejection(from: &body))
        case 6: self = .refused(try Refusal(from: &body))
        case 7: self = .withdrawn
        case 8: self = .unknown
        case let other: throw BodyError("order status \(other)")
        }
    }
}

extension Order {
    func encode(into body: inout BodyWriter) {
        body.order(id)
        request.encode(into: &body)
        status.encode(into: &body)
        body.price(price)
        body.quantity(quantity)
        body.quantity(filled)
        body.flag(isChanging)
        body.time(requestTime)
        body.time(restTime)
    }
    init(from body: inout BodyReader) throws(BodyError) {
        let id = try body.order()
        let request = try OrderRequest(from: &body)
        let status = try OrderStatus(from: &body)
        let (price, quantity, filled) = (try body.price(), try body.quantity(), try body.quantity())
        let isChanging = try body.flag()
        let (requested, rested) = (try body.time(), try body.time())
        self.init(id: id, request: request, status: status, requestTime: requested)
        self.price = price
        self.quantity = quantity
        self.filled = filled
        self.isChanging = isChanging
        restTime = rested
    }
}

extension Fill {
    func encode(into body: inout BodyWriter) {
        body.string(tradeID)
        body.order(order)
        body.market(market)
        body.integer(side.rawValue)
        body.price(price)
        body.quantity(quantity)
        body.flag(isTaker)
        body.money(fee)
        body.time(exchangeTime)
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init(
            tradeID: try body.string(), order: try body.order(), market: try body.market(),
            side: try body.side(), price: try body.price(), quantity: try body.quantity(),
            isTaker: try body.flag(), fee: try body.money(), exchangeTime: try body.time())
    }
}

extension Position {
    func encode(into body: inout BodyWriter) {
        body.quantity(quantity)
        for amount in [cost, realized, fees] { body.money(amount) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init(
            quantity: try body.quantity(), cost: try body.money(), realized: try body.money(),
            fees: try body.money())
    }
}

extension RateLimits {
    func encode(into body: inout BodyWriter) {
        body.string(tier)
        for number in [
            read.refill, read.capacity, write.refill, write.capacity, costs.place, costs.amend,
            costs.decrease, costs.cancel, costs.cancelEverything,
        ] { body.integer(Int64(number)) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        func number(_ body: inout BodyReader) throws(BodyError) -> Int {
            Int(try body.integer(as: Int64.self))
        }
        func bucket(_ body: inout BodyReader) throws(BodyError) -> Bucket {
            Bucket(refill: try number(&body), capacity: try number(&body))
        }
        self.init(tier: try body.string(), read: try bucket(&body), write: try bucket(&body))
        costs.place = try number(&body)
        costs.amend = try number(&body)
        costs.decrease = try number(&body)
        costs.cancel = try number(&body)
        costs.cancelEverything = try number(&body)
    }
}

extension RiskLimits {
    func encode(into body: inout BodyWriter) {
        body.quantity(maxOrderSize)
        body.price(priceCollar)
        body.flag(allowsEmptyBook)
        for size in [maxMarketPosition, maxEventPosition, maxTotalPosition] { body.quantity(size) }
        for number in [maxOpenOrders, maxOrdersPerSecond, dayStartHour] { body.integer(Int64(number)) }
        for amount in [maxMarketLoss, maxEventLoss, maxTotalLoss, maxDailyLoss] { body.money(amount) }
        for span in [maxBookAge, closeMargin] { body.integer(span.nanoseconds) }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        self.init()
        maxOrderSize = try body.quantity()
        priceCollar = try body.price()
        allowsEmptyBook = try body.flag()
        maxMarketPosition = try body.quantity()
        maxEventPosition = try body.quantity()
        maxTotalPosition = try body.quantity()
        maxOpenOrders = Int(try body.integer(as: Int64.self))
        maxOrdersPerSecond = Int(try body.integer(as: Int64.self))
        dayStartHour = Int(try body.integer(as: Int64.self))
        maxMarketLoss = try body.money()
        maxEventLoss = try body.money()
        maxTotalLoss = try body.money()
        maxDailyLoss = try body.money()
        maxBookAge = TimeSpan(nanoseconds: try body.integer(as: Int64.self))
        closeMargin = TimeSpan(nanoseconds: try body.integer(as: Int64.self))
    }
}
