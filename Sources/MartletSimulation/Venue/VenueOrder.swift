import Martlet
import MartletEngine

/// An order as the venue keeps it: flat, so that thousands are kept in one block.
package struct VenueOrder: Sendable {
    package var id: OrderID
    /// The venue's own number: also its time priority until an amend gives it a newer one.
    package var number: UInt64
    package var account: Int32
    package var market: Market.ID
    package var side: Side
    package var price: Price
    /// Filled and open, reduced by decreases.
    package var quantity: Quantity
    package var filled: Quantity = .zero
    package var remaining: Quantity
    package var timeInForce: TimeInForce
    package var selfTradePrevention: SelfTradePrevention
    package var isPostOnly: Bool
    package var isReduceOnly: Bool
    package var cancelsOnPause: Bool
    /// The order group, or -1.
    package var group: Int32
    package var created: Timestamp
    package var updated: Timestamp
    private var ending: Ending?
    package var fees = OrderFees()
    package var takerCost: Money = .zero
    package var makerCost: Money = .zero
    package var takerFees: Money = .zero
    package var makerFees: Money = .zero

    /// Crowd contracts ahead in the level's queue; own and others' orders ahead are its links.
    var crowdAhead: Quantity = .zero
    /// It rested when contracts left its level without a trade, lately (``RealLevel/vanished``), and so many of
    /// them were taken for contracts ahead of it.
    var sawVanished = false
    var vanishedAhead: Quantity = .zero
    var isResting = false
    /// Neighbours in the level's queue, and among the account's orders of this side of the market; -1 for none.
    var next: Int32 = -1
    var previous: Int32 = -1
    var accountNext: Int32 = -1
    var accountPrevious: Int32 = -1

    init(_ place: PlaceOrder, number: UInt64, account: Int, group: Int, at time: Timestamp) {
        let request = place.request
        id = place.id
        self.number = number
        self.account = Int32(account)
        market = request.market
        side = request.side
        price = request.price
        quantity = request.quantity
        remaining = request.quantity
        timeInForce = request.timeInForce
        selfTradePrevention = request.selfTradePrevention
        isPostOnly = request.isPostOnly
        isReduceOnly = request.isReduceOnly
        cancelsOnPause = request.cancelsOnPause
        self.group = Int32(group)
        created = time
        updated = time
    }

    /// ``CancelReason`` without its text, so that an order is plain memory.
    private enum Ending: UInt8 {
        case requested, immediateRemainder, expiry, marketClosed, halt, selfTrade, postOnlyCross, reduceOnly,
            margin, orderGroup, settlementBounds
    }

    /// Why the order left unfilled; nil while it lives or when it filled. The venue itself never gives a reason
    /// that it does not know.
    package var reason: CancelReason? {
        get {
            switch ending {
            case nil: nil
            case .requested: .requested
            case .immediateRemainder: .immediateRemainder
            case .expiry: .expiry
            case .marketClosed: .marketClosed
            case .halt: .halt
            case .selfTrade: .selfTrade
            case .postOnlyCross: .postOnlyCross
            case .reduceOnly: .reduceOnly
            case .margin: .margin
            case .orderGroup: .orderGroup
            case .settlementBounds: .settlementBounds
            }
        }
        set {
            switch newValue {
            case nil: ending = nil
            case .requested, .unknown: ending = .requested
            case .immediateRemainder: ending = .immediateRemainder
            case .expiry: ending = .expiry
            case .marketClosed: ending = .marketClosed
            case .halt: ending = .halt
            case .selfTrade: ending = .selfTrade
            case .postOnlyCross: ending = .postOnlyCross
            case .reduceOnly: ending = .reduceOnly
            case .margin: ending = .margin
            case .orderGroup: ending = .orderGroup
            case .settlementBounds: ending = .settlementBounds
            }
        }
    }

    /// The order as a look-up shows it.
    package var state: OrderState {
        let status: OrderState.Status =
            remaining.isPositive ? .resting : (reason == nil ? .executed : .cancelled)
        return OrderState(status: status, price: price, filled: filled, remaining: remaining, reason: reason)
    }
    package var venueOrderID: String { String(letter: UInt8(ascii: "V"), number: number) }
}

extension String {
    /// A letter and a decimal number, as the venue names its orders and trades: one of each for every fill, so that
    /// it is written without the machinery of interpolation.
    init(letter: UInt8, number: UInt64) {
        guard number < 100_000_000_000_000 else {
            self = "\(Character(UnicodeScalar(letter)))\(number)"
            return
        }
        self.init(unsafeUninitializedCapacity: 15) { buffer in
            var (left, digits) = (number, 1)
            while left >= 10 {
                left /= 10
                digits += 1
            }
            left = number
            for place in stride(from: digits, to: 0, by: -1) {
                buffer[place] = UInt8(ascii: "0") + UInt8(left % 10)
                left /= 10
            }
            buffer[0] = letter
            return digits + 1
        }
    }
}

/// Live orders in slots that are used again, so that links are small integers.
///
/// A block behind a pointer: matching touches orders in every step, and an array in a class is checked for
/// overlapping access each time. Sound because the store owns the block alone and orders are plain memory.
struct OrderStore: ~Copyable {
    private var slots: UnsafeMutablePointer<VenueOrder>
    private var capacity = 64
    private(set) var count = 0
    private var free: ContiguousArray<Int32> = []

    init() { slots = .allocate(capacity: capacity) }
    deinit { slots.deallocate() }

    mutating func insert(_ order: VenueOrder) -> Int32 {
        if let slot = free.popLast() {
            slots[Int(slot)] = order
            return slot
        }
        if count == capacity { grow() }
        (slots + count).initialize(to: order)
        count += 1
        return Int32(count - 1)
    }
    mutating func remove(_ slot: Int32) {
        self[slot].number = 0
        free.append(slot)
    }
    private mutating func grow() {
        let wider = UnsafeMutablePointer<VenueOrder>.allocate(capacity: capacity * 2)
        wider.moveInitialize(from: slots, count: count)
        slots.deallocate()
        slots = wider
        capacity *= 2
    }
    subscript(slot: Int32) -> VenueOrder {
        @inline(__always) unsafeAddress {
            precondition(slot >= 0 && slot < count)
            return UnsafePointer(slots + Int(slot))
        }
        @inline(__always) unsafeMutableAddress {
            precondition(slot >= 0 && slot < count)
            return slots + Int(slot)
        }
    }
}

/// Orders that are over, the latest so many, by their client's name.
struct OrderMemory: ~Copyable {
    private var places = OrderTable()
    private var ring = Row<VenueOrder>()
    private var oldest = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    mutating func remember(_ order: VenueOrder) {
        if ring.count < capacity {
            places[order.id] = Int32(ring.count)
            ring.append(order)
            return
        }
        places[ring[oldest].id] = nil
        places[order.id] = Int32(oldest)
        ring[oldest] = order
        oldest = oldest + 1 == capacity ? 0 : oldest + 1
    }
    subscript(id: OrderID) -> VenueOrder? { places[id].map { ring[Int($0)] } }
    func contains(_ id: OrderID) -> Bool { places.contains(id) }
    /// From the oldest to the latest.
    var all: [VenueOrder] { (0..<ring.count).map { ring[(oldest + $0) % ring.count] } }
}
