import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation

/// An order of a member, beside what the venue core keeps of it.
struct OrderEntry {
    let number: UInt64
    /// The venue's account number and the member's own of it.
    let account: Int
    let subaccount: Int
    let market: Market.ID
    var clientID: String
    var group: Int?
    var initial: Quantity
    /// `last_update_reason` of the next `user_order`.
    var reason: String?
    var created: Timestamp
}

/// A fill as `GET /portfolio/fills` shows it.
struct FillRecord {
    var number: UInt64
    var fill: Fill
    var order: UInt64
    var clientID: String
    var subaccount: Int
    /// The signed position after it.
    var position: Quantity
}

struct SettlementEntry {
    var number: UInt64
    var record: SettlementRecord
    var subaccount: Int
}

struct TransferRecord {
    var number: UInt64
    var id: String
    var clientID: String?
    /// In 10^-4 dollars.
    var amount: Int64
    var sourceShard: Int
    var destinationShard: Int
    var sourceSubaccount: Int
    var destinationSubaccount: Int
    var created: Timestamp
}

/// Somebody who trades: keys, subaccounts, budgets and history.
final class Member {
    static let subaccountsMax = 64
    /// Orders, fills and settlements remembered.
    static let historyKept = 65_536

    let index: Int
    /// As in `user_id`.
    let userID: String
    /// Venue account numbers by subaccount; 0 is the primary.
    var accounts: [Int]
    var limits: RateLimits
    var buckets: VenueBuckets
    var entries: [UInt64: OrderEntry] = [:]
    /// Order numbers in order of creation.
    private(set) var sequence: ContiguousArray<UInt64> = []
    private var clientIDs: [String: UInt64] = [:]
    private(set) var fills: ContiguousArray<FillRecord> = []
    private(set) var settlements: ContiguousArray<SettlementEntry> = []
    var transfers: [TransferRecord] = []
    var transferIDs: Set<String> = []
    var allocations: [(shard: Int, percent: Int)] = []
    var resting = "none"
    /// Order groups by the venue's number, in order of creation.
    var groups: [Int] = []
    var nets = [Bool](repeating: false, count: Member.subaccountsMax)
    /// When each market's position last changed.
    var touched: [Market.ID: Timestamp] = [:]

    init(index: Int, userID: String, account: Int, limits: RateLimits) {
        self.index = index
        self.userID = userID
        accounts = [account]
        self.limits = limits
        buckets = VenueBuckets(limits)
    }

    func hasUsed(_ clientID: String) -> Bool { clientIDs[clientID] != nil }
    func burn(_ clientID: String, _ number: UInt64) { clientIDs[clientID] = number }

    func remember(_ entry: OrderEntry) {
        entries[entry.number] = entry
        sequence.append(entry.number)
        if !entry.clientID.isEmpty { clientIDs[entry.clientID] = entry.number }
    }
    /// Undoes ``remember(_:)`` of the latest order.
    func dropLast(_ number: UInt64) {
        if sequence.last == number { sequence.removeLast() }
    }
    func release(_ clientID: String, _ number: UInt64) {
        if clientIDs[clientID] == number { clientIDs[clientID] = nil }
    }
    func rename(_ number: UInt64, to clientID: String) {
        guard let entry = entries[number] else { return }
        clientIDs[entry.clientID] = nil
        clientIDs[clientID] = number
        entries[number]?.clientID = clientID
    }
    /// Forgets the oldest orders beyond what is kept, those that are over first.
    func forget(where isOver: (OrderEntry) -> Bool) {
        guard sequence.count > Member.historyKept + Member.historyKept / 4 else { return }
        var excess = sequence.count - Member.historyKept
        sequence.removeAll { number in
            guard excess > 0, let entry = entries[number], isOver(entry) else { return false }
            excess -= 1
            entries[number] = nil
            if clientIDs[entry.clientID] == number { clientIDs[entry.clientID] = nil }
            return true
        }
    }
    func append(_ fill: FillRecord) {
        if fills.count > Member.historyKept + Member.historyKept / 4 {
            fills.removeFirst(fills.count - Member.historyKept)
        }
        fills.append(fill)
    }
    func append(_ settlement: SettlementEntry) {
        if settlements.count > Member.historyKept + Member.historyKept / 4 {
            settlements.removeFirst(settlements.count - Member.historyKept)
        }
        settlements.append(settlement)
    }
}
