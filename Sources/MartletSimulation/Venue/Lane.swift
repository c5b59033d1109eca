import Martlet

/// What a venue keeps of one market. At a fixed address between definitions, for the feed's sake.
@usableFromInline
struct Lane: ~Copyable {
    /// The crowd: as recorded, or empty where all orders are real.
    @usableFromInline var crowd: OrderBook
    /// Nothing but the crowd is here: a record updates its ladder and that is all.
    @usableFromInline var isPlain = true
    /// Real orders are here, but nothing is pending: a record that touches none of them (``isQuiet(_:)``)
    /// updates the crowd's ladder and that is all.
    @usableFromInline var isCalm = false
    /// The worst and the best real price of the bids, of the asks; an empty interval for none.
    @usableFromInline var lowestBid = Int32.max
    @usableFromInline var highestBid = Int32.min
    @usableFromInline var lowestAsk = Int32.max
    @usableFromInline var highestAsk = Int32.min
    /// The last record did not end its time-stamp group.
    @usableFromInline var isInGroup = false
    /// The recording cannot be trusted until its next snapshot; the crowd is taken to be empty.
    var isBroken = false
    var isInSnapshot = false
    /// A level lost crowd contracts in the open group.
    var isDirty = false
    /// A record of the open group may have put the crowd through a real order.
    var mayCross = false
    var isOpen = true
    /// Past its close: every request is refused.
    var isClosed = false
    var isSettled = false
    /// A change was published for this market since its last group end.
    var isPublishing = false
    @usableFromInline var groupTime: Timestamp = .unknown
    var bids = RealSide(.bid)
    var asks = RealSide(.ask)
    var taken: ContiguousArray<Taken> = []
    var openTime: Timestamp = .unknown
    var closeTime: Timestamp = .unknown
    var event: Int32 = 0
    /// Generation of the settlement timer: an older one that fires is void.
    var settlement: UInt32 = 0

    init(unit: Price) { crowd = OrderBook(unit: unit) }

    @inline(__always)
    subscript(side: Side) -> RealSide {
        _read { if side == .bid { yield bids } else { yield asks } }
        _modify { if side == .bid { yield &bids } else { yield &asks } }
    }

    /// Whether a change or a trade is away from every real order: at none of their prices, and crossing none.
    @inlinable @inline(__always)
    func isQuiet(_ event: MarketEvent) -> Bool {
        let price = event.price.micros
        let isDelta = event.kind == .delta
        if event.side == .bid {
            // A bid through an ask of ours; a taker that bought at its price or beyond.
            return price < lowestAsk && !(isDelta && price >= lowestBid && price <= highestBid)
        }
        return price > highestBid && !(isDelta && price >= lowestAsk && price <= highestAsk)
    }

    /// Notes where the real orders are.
    mutating func refreshBand() {
        lowestBid = bids.levels.first?.price.micros ?? .max
        highestBid = bids.levels.last?.price.micros ?? .min
        lowestAsk = asks.levels.last?.price.micros ?? .max
        highestAsk = asks.levels.first?.price.micros ?? .min
    }

    var hasRealOrders: Bool { !bids.isEmpty || !asks.isEmpty }

    // MARK: The crowd less what was taken from it

    func taken(_ side: Side, _ price: Price) -> Quantity {
        for entry in taken where entry.price == price && entry.side == side { return entry.quantity }
        return .zero
    }
    @inline(__always)
    func crowdSize(_ side: Side, _ price: Price) -> Quantity {
        let size = crowd.size(side, at: price)
        return taken.isEmpty ? size : size - taken(side, price)
    }
    /// The crowd's best price where something is left.
    func bestCrowd(_ side: Side) -> Price? {
        var price = crowd.best(side)
        if taken.isEmpty { return price }
        while let candidate = price, !crowdSize(side, candidate).isPositive {
            price = crowd.next(side, behind: candidate)
        }
        return price
    }
    func nextCrowd(_ side: Side, behind: Price) -> Price? {
        var price = crowd.next(side, behind: behind)
        while let candidate = price, !crowdSize(side, candidate).isPositive {
            price = crowd.next(side, behind: candidate)
        }
        return price
    }
    mutating func take(_ quantity: Quantity, _ side: Side, _ price: Price) {
        for index in taken.indices where taken[index].price == price && taken[index].side == side {
            taken[index].quantity += quantity
            return
        }
        taken.append(Taken(side: side, price: price, quantity: quantity))
        isPlain = false
        isCalm = false
    }
    /// Brings what is taken at a level down to `quantity`.
    mutating func limitTaken(_ side: Side, _ price: Price, to quantity: Quantity) {
        for index in taken.indices where taken[index].price == price && taken[index].side == side {
            taken[index].quantity = min(taken[index].quantity, quantity)
            if !taken[index].quantity.isPositive { taken.remove(at: index) }
            return
        }
    }

    /// The best price of a side over crowd and real orders.
    func best(_ side: Side) -> Price? {
        guard let real = self[side].best else { return bestCrowd(side) }
        guard let crowd = bestCrowd(side) else { return real }
        return side.isBetter(crowd, than: real) ? crowd : real
    }
    /// All contracts shown at a price.
    func size(_ side: Side, _ price: Price) -> Quantity {
        let real = self[side].find(price).map { self[side].levels[$0].quantity } ?? .zero
        return real + crowdSize(side, price)
    }
}
