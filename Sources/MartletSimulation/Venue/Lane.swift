import Martlet

/// What a venue keeps of one market. At a fixed address between definitions, for the feed's sake.
@usableFromInline
struct Lane: ~Copyable {
    /// The crowd: as recorded, or empty where all orders are real.
    @usableFromInline var crowd: OrderBook
    /// Nothing but the crowd is here: a record updates its ladder and that is all.
    @usableFromInline var isPlain = true
    /// Real orders are here, but only records within the watched prices concern them, and nothing is pending.
    var isQuiet = false
    var watchBids = Watch()
    var watchAsks = Watch()
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
    var groupTime: Timestamp = .unknown
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

    /// Which records of one side matter to real orders, by price as distance from the side's worst.
    struct Watch {
        /// From the least to the most aggressive price with real orders or taken contracts.
        var low = Int32.max
        var high = Int32.min
        /// From here on the side reaches real orders of the other.
        var crossing = Int32.max

        @inline(__always)
        func concerns(_ distance: Int32) -> Bool {
            (distance >= low && distance <= high) || distance >= crossing
        }
        mutating func include(_ distance: Int32) {
            low = min(low, distance)
            high = max(high, distance)
        }
    }

    /// Micro-dollars from the side's worst price.
    @inline(__always)
    static func distance(_ side: Side, _ price: Price) -> Int32 {
        side == .bid ? price.micros : 1_000_000 - price.micros
    }

    /// Draws the bounds of what concerns real orders anew.
    mutating func refreshWatch() {
        func watch(_ own: borrowing RealSide, _ other: borrowing RealSide) -> Watch {
            var watch = Watch()
            if let worst = own.levels.first, let best = own.levels.last {
                watch.include(Lane.distance(own.side, worst.price))
                watch.include(Lane.distance(own.side, best.price))
            }
            if let reached = other.best { watch.crossing = Lane.distance(own.side, reached) }
            return watch
        }
        watchBids = watch(bids, asks)
        watchAsks = watch(asks, bids)
        for entry in taken {
            if entry.side == .bid {
                watchBids.include(Lane.distance(.bid, entry.price))
            } else {
                watchAsks.include(Lane.distance(.ask, entry.price))
            }
        }
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
        isQuiet = false
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
