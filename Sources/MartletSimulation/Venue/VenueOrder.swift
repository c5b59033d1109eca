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
    package var reason: CancelReason?
    package var fees = OrderFees()
    package var takerCost: Money = .zero
    package var makerCost: Money = .zero
    package var takerFees: Money = .zero
    package var makerFees: Money = .zero

    /// Crowd contracts ahead in the level's queue; own and others' orders ahead are its links.
    var crowdAhead: Quantity = .zero
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

    /// The order as a look-up shows it.
    package var state: OrderState {
        let status: OrderState.Status =
            remaining.isPositive ? .resting : (reason == nil ? .executed : .cancelled)
        return OrderState(status: status, price: price, filled: filled, remaining: remaining, reason: reason)
    }
    package var venueOrderID: String { "V\(number)" }
}

/// Live orders in slots that are used again, so that links are small integers.
struct OrderStore {
    private(set) var slots: ContiguousArray<VenueOrder> = []
    private var free: ContiguousArray<Int32> = []

    var liveCount: Int { slots.count - free.count }

    mutating func insert(_ order: VenueOrder) -> Int32 {
        if let slot = free.popLast() {
            slots[Int(slot)] = order
            return slot
        }
        slots.append(order)
        return Int32(slots.count - 1)
    }
    mutating func remove(_ slot: Int32) {
        slots[Int(slot)].number = 0
        free.append(slot)
    }
    subscript(slot: Int32) -> VenueOrder {
        @inline(__always) _read { yield slots[Int(slot)] }
        @inline(__always) _modify { yield &slots[Int(slot)] }
    }
}

/// Orders that are over, the latest so many, by their client's name.
struct OrderMemory {
    private var orders: [OrderID: VenueOrder] = [:]
    private var ring: ContiguousArray<OrderID> = []
    private var oldest = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = max(capacity, 1) }

    mutating func remember(_ order: VenueOrder) {
        if orders.updateValue(order, forKey: order.id) != nil { return }
        if ring.count < capacity {
            ring.append(order.id)
        } else {
            orders[ring[oldest]] = nil
            ring[oldest] = order.id
            oldest = oldest + 1 == capacity ? 0 : oldest + 1
        }
    }
    subscript(id: OrderID) -> VenueOrder? { orders[id] }
    func contains(_ id: OrderID) -> Bool { orders[id] != nil }
    /// From the oldest to the latest.
    var all: [VenueOrder] {
        (0..<ring.count).compactMap { orders[ring[(oldest + $0) % ring.count]] }
    }
}
