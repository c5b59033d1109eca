import Martlet
import MartletEngine

/// A rolling limit on what orders of one account may trade in 15 seconds (API.md §6.11).
package struct OrderGroup: Hashable, Sendable {
    package let account: Int
    package let shard: Int
    package internal(set) var limit: Quantity
    package internal(set) var isTriggered = false
    package internal(set) var isDeleted = false
    /// Trades of the last 15 seconds, oldest first.
    var trades: [(time: Timestamp, quantity: Quantity)] = []
    var sum: Quantity = .zero

    static let window = TimeSpan.seconds(15)

    package static func == (a: OrderGroup, b: OrderGroup) -> Bool {
        a.account == b.account && a.shard == b.shard && a.limit == b.limit
            && a.isTriggered == b.isTriggered && a.isDeleted == b.isDeleted && a.sum == b.sum
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(account)
        hasher.combine(limit)
    }

    mutating func roll(_ now: Timestamp) {
        var old = 0
        while old < trades.count, trades[old].time + OrderGroup.window <= now {
            sum -= trades[old].quantity
            old += 1
        }
        if old > 0 { trades.removeFirst(old) }
    }
}

extension Venue {
    /// Makes an order group and returns its number.
    package func createGroup(account: Int, shard: Int, limit: Quantity) -> Int {
        groups.append(OrderGroup(account: account, shard: shard, limit: limit))
        return groups.count - 1
    }
    package func group(_ number: Int, account: Int) -> OrderGroup? {
        guard groups.indices.contains(number), groups[number].account == account,
            !groups[number].isDeleted
        else { return nil }
        return groups[number]
    }
    /// Whose a group is, or was.
    package func groupAccount(_ number: Int) -> Int? {
        groups.indices.contains(number) ? groups[number].account : nil
    }
    /// Changes the limit; below what has traded, it triggers at once. False where there is no such group.
    package func setGroupLimit(_ number: Int, account: Int, to limit: Quantity, at now: Timestamp) -> Bool {
        guard group(number, account: account) != nil else { return false }
        groups[number].limit = limit
        judgeGroup(number, now)
        return true
    }
    /// Lets a triggered group take orders again, with an empty window.
    package func resetGroup(_ number: Int, account: Int) -> Bool {
        guard group(number, account: account) != nil else { return false }
        groups[number].isTriggered = false
        groups[number].trades = []
        groups[number].sum = .zero
        return true
    }
    /// Cancels everything in the group and refuses more until it is reset.
    package func triggerGroup(_ number: Int, account: Int, at now: Timestamp) -> Bool {
        guard group(number, account: account) != nil else { return false }
        trigger(number, now)
        return true
    }
    /// Cancels everything in the group and forgets it.
    package func deleteGroup(_ number: Int, account: Int, at now: Timestamp) -> Bool {
        guard group(number, account: account) != nil else { return false }
        cancelGroup(number, now)
        groups[number].isDeleted = true
        return true
    }
    /// The group's live orders by time priority.
    package func orders(inGroup number: Int) -> [VenueOrder] {
        guard groups.indices.contains(number) else { return [] }
        return liveOrders(of: groups[number].account).map { orders[$0] }.filter { $0.group == Int32(number) }
    }

    func judgeGroupEntry(_ number: Int, _ account: Int, _ market: Market.ID) -> VenueRejection? {
        guard let group = group(number, account: account),
            group.shard == definitions[Int(market.index)].shard
        else { return .groupNotFound }
        return group.isTriggered ? .groupTriggered : nil
    }

    func countInGroup(_ number: Int, _ contracts: Quantity, _ now: Timestamp) {
        guard number >= 0 else { return }
        groups[number].trades.append((now, contracts))
        groups[number].sum += contracts
        tradedGroups.append(number)
    }

    /// Judges the groups that have traded: not in the middle of a match, which holds on to queues.
    func judgeGroups(_ now: Timestamp) {
        while let number = tradedGroups.popLast() { judgeGroup(number, now) }
    }

    /// Triggers a group whose sum is above its limit.
    func judgeGroup(_ number: Int, _ now: Timestamp) {
        guard number >= 0, !groups[number].isTriggered else { return }
        groups[number].roll(now)
        if groups[number].sum > groups[number].limit { trigger(number, now) }
    }

    private func trigger(_ number: Int, _ now: Timestamp) {
        groups[number].isTriggered = true
        announcements.append(.groupTriggered(group: number, account: groups[number].account, at: now))
        cancelGroup(number, now)
    }

    private func cancelGroup(_ number: Int, _ now: Timestamp) {
        for slot in liveOrders(of: groups[number].account)
        where orders[slot].group == Int32(number) && orders[slot].isResting {
            let market = orders[slot].market
            end(slot, .orderGroup, now)
            publishEnd(market, now)
        }
    }
}
