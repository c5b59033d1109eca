import Martlet
import MartletEngine

/// A holding in one market as the venue's ledger keeps it. Written apart from the engine's portfolio, so that
/// their agreement means something.
package struct LedgerPosition: Hashable, Sendable {
    /// Signed: YES above zero, NO below.
    package var quantity: Quantity = .zero
    /// What the open contracts cost, in terms of the side held.
    package var cost: Money = .zero
    package var realized: Money = .zero
    package var fees: Money = .zero
    /// All contracts ever traded.
    package var volume: Quantity = .zero
    package var traded: Money = .zero

    /// Takes a fill and returns the change of cash before fees.
    ///
    /// Contracts against the holding close it: they bring one dollar less what the opposite contract costs, and
    /// take ⌊cost × closed ÷ held⌋ off the basis. The others open, at the cost of their own side.
    mutating func apply(_ side: Side, _ contracts: Quantity, at price: Price) -> Money {
        let price = side.cost(price)
        let against = Quantity(hundredths: max(0, -quantity.hundredths * side.sign))
        let closed = min(contracts, against)
        var cash = Money.zero
        if closed.isPositive {
            let basis = Money(
                raw: Int64(
                    Int128(cost.raw) * Int128(closed.hundredths) / Int128(against.hundredths)))
            let proceeds = price.complement * closed
            cost -= basis
            realized += proceeds - basis
            cash += proceeds
        }
        let opened = contracts - closed
        cost += price * opened
        cash -= price * opened
        quantity += Quantity(hundredths: contracts.hundredths * side.sign)
        volume += contracts
        traded += price * contracts
        return cash
    }
}

/// Cash of one account on one shard.
package struct ShardCash: Hashable, Sendable {
    package let shard: Int
    package var cash: Money
    /// Held back for resting orders.
    package var reserved: Money = .zero
    /// Collateral that mutually exclusive positions give back.
    package var returned: Money = .zero
    package var available: Money { cash - reserved + returned }
}

/// An account's holding and orders in one market.
struct AccountMarket: Sendable {
    var market: Market.ID
    var position = LedgerPosition()
    /// The account's orders of each side, best price and oldest first.
    var firstBid: Int32 = -1
    var firstAsk: Int32 = -1
    var openBids: Quantity = .zero
    var openAsks: Quantity = .zero
    /// Orders in the two lists.
    var openCount = 0
    var reserved: Money = .zero

    subscript(first side: Side) -> Int32 {
        get { side == .bid ? firstBid : firstAsk }
        set { if side == .bid { firstBid = newValue } else { firstAsk = newValue } }
    }
    subscript(open side: Side) -> Quantity {
        get { side == .bid ? openBids : openAsks }
        set { if side == .bid { openBids = newValue } else { openAsks = newValue } }
    }
    /// Contracts that an order of this side would close.
    func closable(_ side: Side) -> Quantity {
        Quantity(hundredths: max(0, -position.quantity.hundredths * side.sign))
    }
}

/// One account: cash by shard, holdings, live orders and the latest that are over.
struct Account: ~Copyable {
    var shards = Row<ShardCash>()
    var precision: BalancePrecision
    /// Mutually exclusive positions free each other's collateral.
    var nets: Bool
    /// All that was paid in.
    var deposited: Money = .zero
    /// Position in `markets` by market index, -1 for none.
    var place: ContiguousArray<Int32> = []
    var markets = Row<AccountMarket>()
    var live = OrderTable()
    var memory: OrderMemory
    /// Collateral given back, by event.
    var returned: [Int32: Money] = [:]
    /// New orders are cancelled until then.
    var cancelsUntil: Timestamp = .distantPast

    init(precision: BalancePrecision, nets: Bool, remembered: Int) {
        self.precision = precision
        self.nets = nets
        memory = OrderMemory(capacity: remembered)
    }

    mutating func shard(_ number: Int) -> Int {
        if !shards.isEmpty, shards[0].shard == number { return 0 }
        for index in shards.indices where shards[index].shard == number { return index }
        shards.append(ShardCash(shard: number, cash: .zero))
        return shards.count - 1
    }
    func entry(_ market: Market.ID) -> Int? {
        let index = Int(market.index)
        guard index < place.count, place[index] >= 0 else { return nil }
        return Int(place[index])
    }
    mutating func makeEntry(_ market: Market.ID) -> Int {
        if let entry = entry(market) { return entry }
        let index = Int(market.index)
        while place.count <= index { place.append(-1) }
        place[index] = Int32(markets.count)
        markets.append(AccountMarket(market: market))
        return markets.count - 1
    }
}

/// All accounts of a venue, at fixed addresses between additions.
///
/// Sound because the list alone allocates, grows and frees its storage, the first `count` places are initialised,
/// and an index is checked against them.
struct AccountList: ~Copyable {
    private var storage: UnsafeMutablePointer<Account>
    private var capacity = 4
    private(set) var count = 0

    init() { storage = .allocate(capacity: capacity) }
    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    var indices: Range<Int> { 0..<count }
    subscript(index: Int) -> Account {
        @inline(__always) unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return UnsafePointer(storage + index)
        }
        @inline(__always) nonmutating unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
            return storage + index
        }
    }

    mutating func append(_ account: consuming Account) {
        if count == capacity {
            capacity *= 2
            let wider = UnsafeMutablePointer<Account>.allocate(capacity: capacity)
            wider.moveInitialize(from: storage, count: count)
            storage.deallocate()
            storage = wider
        }
        (storage + count).initialize(to: account)
        count += 1
    }
}
