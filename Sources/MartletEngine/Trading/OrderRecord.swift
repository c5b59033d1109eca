import Martlet

/// All that is kept of an order.
struct OrderRecord {
    /// As its strategy sees it.
    var order: Order
    var life: OrderLife
    /// The strategy's index; the number of strategies for an adopted order.
    var strategy: Int32
    /// Contracts that the venue has said are filled, reported as fills or not yet.
    var venueFilled: Quantity = .zero
    /// Approved and not sent: at most one, a newer one replaces it.
    var pending: Approved?
    /// The amend that was sent and not answered, or whose answer was lost.
    var sentPrice: Price
    var sentQuantity: Quantity
    /// The venue's time of the newest statement on price and size.
    var venueTime: Timestamp = .unknown
    /// The venue's time of the last decrease: fills before it came off the size before.
    var decreaseTime: Timestamp = .unknown
    /// What risk and collateral count for it now.
    var held = Held()
    /// The queue entry with this token is its own; 0 for none.
    var token: UInt64 = 0
    /// The token of the first time that its request was queued: what was refused for want of budget, or was held
    /// back, returns to its place.
    var age: UInt64 = 0
    /// Waits for an order of unknown outcome in its market.
    var isParked = false
    /// To be cancelled as soon as its place is answered.
    var wantsCancel = false
    /// The desired quote that it serves (index × 2 + side), or -1.
    var quote: Int32 = -1
    /// Neighbours in the list of all open orders and in its market's, oldest first; -1 at the ends.
    var links = (all: Link(), market: Link())

    struct Held: Hashable {
        var quantity: Quantity = .zero
        var cost: Money = .zero
        var fee: Money = .zero
    }
    struct Link {
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    var isOpen: Bool { !life.isDone }
    /// Contracts that may still trade, or traded without our having been told of the fill.
    var outstanding: Quantity {
        switch life {
        case .done: return .zero
        case .finishing: return max(venueFilled - order.filled, .zero)
        case .queued, .placing, .resting, .changing, .unknown, .missing:
            return max(order.quantity - order.filled, .zero)
        }
    }
}

/// Orders by id and in lists. Slots are reused; an order keeps its slot as long as it can be looked up.
struct OrderStore: ~Copyable {
    /// By slot, used directly. Behind a pointer, for an array's elements are copied whole to look at one field.
    /// Sound because the store alone allocates, grows and frees it, and slots come from the store.
    private(set) var records: UnsafeMutablePointer<OrderRecord>
    /// Slots ever used.
    private(set) var count = 0
    private var capacity = 64
    private var free: [Int32] = []
    /// Slot by order number, from `firstNumber` on; -1 for forgotten or never used.
    private var slots: [Int32] = []
    private var head = 0
    private var firstNumber: UInt64 = 1
    /// Finished orders, oldest first, in a ring.
    private var finished: [Int32] = []
    private var finishedNext = 0
    private let finishedLimit: Int
    /// First and last of all open orders, and of each market's.
    private(set) var all = (first: Int32(-1), last: Int32(-1))
    private(set) var markets: ContiguousArray<(first: Int32, last: Int32)> = []
    private(set) var openCount = 0

    /// What ends within one input must outlive it.
    static let fewestKept = 256

    init(finishedLimit: Int) {
        self.finishedLimit = max(OrderStore.fewestKept, finishedLimit)
        records = .allocate(capacity: capacity)
    }
    deinit {
        records.deinitialize(count: count)
        records.deallocate()
    }

    mutating func addMarket() { markets.append((-1, -1)) }

    func slot(of id: OrderID) -> Int? {
        guard id.number >= firstNumber else { return nil }
        let index = id.number - firstNumber + UInt64(head)
        guard index < UInt64(slots.count) else { return nil }
        let slot = slots[Int(index)]
        return slot < 0 ? nil : Int(slot)
    }

    /// Takes a record in; an open one goes to the end of the lists.
    mutating func insert(_ record: OrderRecord) -> Int {
        let slot: Int
        if let reused = free.popLast() {
            slot = Int(reused)
            records[slot] = record
        } else {
            if count == capacity { grow() }
            slot = count
            (records + count).initialize(to: record)
            count += 1
        }
        name(record.order.id, slot)
        if record.isOpen { open(slot) } else { keepFinished(slot) }
        return slot
    }

    private mutating func grow() {
        let wider = UnsafeMutablePointer<OrderRecord>.allocate(capacity: capacity * 2)
        wider.moveInitialize(from: records, count: count)
        records.deallocate()
        records = wider
        capacity *= 2
    }

    private mutating func name(_ id: OrderID, _ slot: Int) {
        if slots.count == head { firstNumber = id.number }
        precondition(id.number >= firstNumber, "order numbers only grow")
        let index = Int(id.number - firstNumber) + head
        while slots.count < index { slots.append(-1) }
        precondition(slots.count == index, "\(id) was used before")
        slots.append(Int32(slot))
    }

    // MARK: Lists

    private mutating func open(_ slot: Int) {
        let market = Int(records[slot].order.market.index)
        let link = Int32(slot)
        records[slot].links.all = .init(previous: all.last, next: -1)
        if all.last >= 0 { records[Int(all.last)].links.all.next = link } else { all.first = link }
        all.last = link
        let last = markets[market].last
        records[slot].links.market = .init(previous: last, next: -1)
        if last >= 0 { records[Int(last)].links.market.next = link } else { markets[market].first = link }
        markets[market].last = link
        openCount += 1
    }

    /// Takes a finished order off the lists; it can be looked up until newer ones push it out.
    mutating func close(_ slot: Int) {
        let market = Int(records[slot].order.market.index)
        let (whole, own) = records[slot].links
        if whole.previous >= 0 { records[Int(whole.previous)].links.all.next = whole.next }
        if whole.next >= 0 { records[Int(whole.next)].links.all.previous = whole.previous }
        if all.first == slot { all.first = whole.next }
        if all.last == slot { all.last = whole.previous }
        if own.previous >= 0 { records[Int(own.previous)].links.market.next = own.next }
        if own.next >= 0 { records[Int(own.next)].links.market.previous = own.previous }
        if markets[market].first == slot { markets[market].first = own.next }
        if markets[market].last == slot { markets[market].last = own.previous }
        openCount -= 1
        keepFinished(slot)
    }

    /// Brings back an order that was thought finished.
    mutating func reopen(_ slot: Int) {
        if let index = finished.firstIndex(of: Int32(slot)) { finished[index] = -1 }
        open(slot)
    }

    private mutating func keepFinished(_ slot: Int) {
        if finished.count < finishedLimit {
            finished.append(Int32(slot))
            return
        }
        let oldest = finished[finishedNext]
        if oldest >= 0 { forget(Int(oldest)) }
        finished[finishedNext] = Int32(slot)
        finishedNext = finishedNext + 1 == finishedLimit ? 0 : finishedNext + 1
    }

    private mutating func forget(_ slot: Int) {
        let number = records[slot].order.id.number
        slots[Int(number - firstNumber) + head] = -1
        free.append(Int32(slot))
        while head < slots.count, slots[head] < 0 {
            head += 1
            firstNumber += 1
        }
        if head > 4096, head > slots.count / 2 {
            slots.removeFirst(head)
            head = 0
        }
    }

    func checkInvariants() {
        var open = 0
        var slot = all.first
        while slot >= 0 {
            precondition(records[Int(slot)].isOpen)
            precondition(self.slot(of: records[Int(slot)].order.id) == Int(slot))
            open += 1
            slot = records[Int(slot)].links.all.next
        }
        precondition(open == openCount)
        for market in markets {
            var slot = market.first
            while slot >= 0 {
                open -= 1
                slot = records[Int(slot)].links.market.next
            }
        }
        precondition(open == 0)
        precondition(count - free.count - openCount <= finishedLimit)
    }
}
