import Martlet

/// What a venue keeps of one market. At a fixed address between definitions, for the feed's sake.
@usableFromInline
struct Lane: ~Copyable {
    /// The crowd's book: the lane's own, or one that whoever replays the recording keeps anyway and lends. Sound
    /// because the lane frees its own alone, and a lender says where its books are whenever they move.
    @usableFromInline var book: UnsafeMutablePointer<OrderBook>
    private var ownsBook: Bool
    /// Nothing is pending, and only records within the watched prices concern real orders (none where there are no
    /// real orders): for others the ladder's update is all.
    @usableFromInline var isQuiet = true
    @usableFromInline var watches = (bids: Watch(), asks: Watch())
    /// Levels came or went, or what is taken changed, since the watched prices were drawn.
    var isWatchStale = false
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
    /// The real orders' levels, bids first. Behind a pointer: a subscript that yields a property copies it to look
    /// at one price. Sound because the lane alone allocates and frees the two.
    let sides: UnsafeMutablePointer<RealSide>
    var taken: ContiguousArray<Taken> = []
    var openTime: Timestamp = .unknown
    var closeTime: Timestamp = .unknown
    var event: Int32 = 0
    /// Generation of the settlement timer: an older one that fires is void.
    var settlement: UInt32 = 0

    init(unit: Price) {
        book = .allocate(capacity: 1)
        book.initialize(to: OrderBook(unit: unit))
        ownsBook = true
        sides = .allocate(capacity: 2)
        sides.initialize(to: RealSide(.bid))
        (sides + 1).initialize(to: RealSide(.ask))
    }
    deinit {
        if ownsBook {
            book.deinitialize(count: 1)
            book.deallocate()
        }
        sides.deinitialize(count: 2)
        sides.deallocate()
    }

    /// From now on the crowd stands in `lent`.
    mutating func borrow(_ lent: UnsafeMutablePointer<OrderBook>) {
        if ownsBook {
            book.deinitialize(count: 1)
            book.deallocate()
        }
        ownsBook = false
        book = lent
    }
    /// A lent book is its lender's to empty.
    func clearCrowd() { if ownsBook { book.pointee.clear() } }

    /// The crowd: as recorded, or empty where all orders are real. Not to be looked at while ``isBroken``.
    @inlinable
    var crowd: OrderBook {
        @inline(__always) unsafeAddress { UnsafePointer(book) }
        @inline(__always) nonmutating unsafeMutableAddress { book }
    }

    subscript(side: Side) -> RealSide {
        @inline(__always) unsafeAddress { UnsafePointer(sides + Int(side.rawValue)) }
        @inline(__always) nonmutating unsafeMutableAddress { sides + Int(side.rawValue) }
    }

    /// Which records of one side matter to real orders, by price as distance from the side's worst.
    @usableFromInline
    struct Watch: Equatable {
        /// From the least to the most aggressive price with real orders or taken contracts.
        @usableFromInline var low = Int32.max
        @usableFromInline var high = Int32.min
        /// From here on the side reaches real orders of the other.
        @usableFromInline var crossing = Int32.max

        @usableFromInline init() {}

        @inlinable @inline(__always)
        func concerns(_ distance: Int32) -> Bool {
            // One comparison for both ends. With nothing to watch they are the ends of all numbers, and no price
            // lies between them.
            UInt32(bitPattern: distance &- low) <= UInt32(bitPattern: high &- low)
                || distance >= crossing
        }
        mutating func include(_ distance: Int32) {
            low = min(low, distance)
            high = max(high, distance)
        }
    }

    /// The watch of a side, found without a branch: a record's side is as good as random.
    /// Sound: the elements of a tuple of one type lie one behind the other, bids first as in ``Side``.
    @inlinable @inline(__always)
    static func watch(_ lane: UnsafeMutablePointer<Lane>, _ side: Side) -> UnsafeMutablePointer<Watch> {
        withUnsafeMutablePointer(to: &lane.pointee.watches) {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: Watch.self) + Int(side.rawValue)
        }
    }

    /// A trade behind every real order of its side: it met nobody's.
    @inlinable @inline(__always)
    static func isFarTrade(_ event: MarketEvent, _ lane: UnsafeMutablePointer<Lane>) -> Bool {
        let side = event.side.opposite
        return side.distance(event.price) > watch(lane, side).pointee.high
    }

    /// Draws the bounds of what concerns real orders anew.
    static func refreshWatch(_ lane: UnsafeMutablePointer<Lane>) {
        lane.pointee.isWatchStale = false
        for side in [Side.bid, .ask] {
            var watch = Watch()
            let last = lane.pointee[side].levels.count - 1
            if last >= 0 {
                watch.include(side.distance(lane.pointee[side].levels[0].price))
                watch.include(side.distance(lane.pointee[side].levels[last].price))
            }
            if let reached = lane.pointee[side.opposite].best { watch.crossing = side.distance(reached) }
            Lane.watch(lane, side).pointee = watch
        }
        for index in lane.pointee.taken.indices {
            let entry = lane.pointee.taken[index]
            Lane.watch(lane, entry.side).pointee.include(entry.side.distance(entry.price))
        }
    }

    var hasRealOrders: Bool { !self[.bid].isEmpty || !self[.ask].isEmpty }

    // MARK: The crowd less what was taken from it

    func taken(_ side: Side, _ price: Price) -> Quantity {
        for entry in taken where entry.price == price && entry.side == side { return entry.quantity }
        return .zero
    }
    @inline(__always)
    func crowdSize(_ side: Side, _ price: Price) -> Quantity {
        if isBroken { return .zero }
        let size = crowd.size(side, at: price)
        return taken.isEmpty ? size : size - taken(side, price)
    }
    /// The crowd's best price where something is left.
    func bestCrowd(_ side: Side) -> Price? {
        if isBroken { return nil }
        var price = crowd.best(side)
        if taken.isEmpty { return price }
        while let candidate = price, !crowdSize(side, candidate).isPositive {
            price = crowd.next(side, behind: candidate)
        }
        return price
    }
    func nextCrowd(_ side: Side, behind: Price) -> Price? {
        if isBroken { return nil }
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
        isQuiet = false
        isWatchStale = true
    }
    /// Brings what is taken at a level down to `quantity`.
    mutating func limitTaken(_ side: Side, _ price: Price, to quantity: Quantity) {
        for index in taken.indices where taken[index].price == price && taken[index].side == side {
            taken[index].quantity = min(taken[index].quantity, quantity)
            if !taken[index].quantity.isPositive {
                taken.remove(at: index)
                isWatchStale = true
            }
            return
        }
    }

    mutating func forgetTaken() {
        guard !taken.isEmpty else { return }
        taken.removeAll(keepingCapacity: true)
        isWatchStale = true
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
