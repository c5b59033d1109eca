import Martlet

/// Follows open orders and counts each once, by its end.
struct OrderTally {
    private struct Open {
        var order: Order
        var hasRested: Bool
        var hasFilled: Bool
    }
    private(set) var outcomes = OrderOutcomes()
    private var open: [OrderID: Open] = [:]
    private var untilFill = SpanHistogram()
    private var untilCancel = SpanHistogram()
    private var cancelReasons: [String: Int] = [:]
    private var rejections: [String: Int] = [:]
    /// Orders that ended lately: a late fill tells of one again.
    private var recent: Set<OrderID> = []
    private var recentOrder: [OrderID] = []
    private var recentNext = 0
    static let recentCapacity = 4096

    /// What a record meant for the market's and the rules' own counts.
    enum Event: Equatable {
        case asked
        case refused(Refusal)
        case other
    }

    mutating func take(_ order: Order, at time: Timestamp) -> Event {
        if recent.contains(order.id) { return .other }
        let known = open[order.id]
        if known == nil { outcomes.asked += 1 }
        var state = known ?? Open(order: order, hasRested: false, hasFilled: false)
        state.order = order
        if order.restTime.isKnown || order.status == .resting, !state.hasRested {
            state.hasRested = true
            outcomes.rested += 1
        }
        guard order.status.isFinal else {
            open[order.id] = state
            return known == nil ? .asked : .other
        }
        open[order.id] = nil
        forgetLater(order.id)
        end(state, at: time)
        if case .refused(let refusal) = order.status { return .refused(refusal) }
        return known == nil ? .asked : .other
    }

    /// A fill, which comes before its order's own record.
    mutating func take(_ fill: Fill, at time: Timestamp) {
        guard var state = open[fill.order], !state.hasFilled else { return }
        state.hasFilled = true
        open[fill.order] = state
        if !fill.isTaker, state.order.restTime.isKnown { untilFill.add(time - state.order.restTime) }
    }

    private mutating func forgetLater(_ id: OrderID) {
        recent.insert(id)
        if recentOrder.count < Self.recentCapacity {
            recentOrder.append(id)
        } else {
            recent.remove(recentOrder[recentNext])
            recentOrder[recentNext] = id
            recentNext = (recentNext + 1) % Self.recentCapacity
        }
    }

    private mutating func end(_ state: Open, at time: Timestamp) {
        let order = state.order
        switch order.status {
        case .refused: outcomes.refused += 1
        case .withdrawn: outcomes.withdrawn += 1
        case .filled: outcomes.filled += 1
        case .rejected(let rejection):
            outcomes.rejected += 1
            rejections[rejection.code.isEmpty ? "HTTP \(rejection.status)" : rejection.code, default: 0] += 1
        case .cancelled(let reason):
            if order.filled.isPositive { outcomes.partlyFilled += 1 } else { outcomes.cancelled += 1 }
            cancelReasons[reason.label, default: 0] += 1
            if !order.filled.isPositive, order.restTime.isKnown { untilCancel.add(time - order.restTime) }
        case .queued, .inFlight, .resting, .unknown: preconditionFailure("an order that has not ended")
        }
        count(order)
    }

    private mutating func count(_ order: Order) {
        switch order.status {
        case .refused, .withdrawn: break
        case .queued, .inFlight, .resting, .filled, .cancelled, .rejected, .unknown:
            outcomes.contractsSent += order.quantity
            outcomes.contractsFilled += order.filled
        }
    }

    /// The sum of several tallies, for ``finished()``.
    static func sum(_ tallies: [OrderTally]) -> OrderTally {
        var sum = OrderTally()
        for tally in tallies {
            sum.outcomes.add(tally.outcomes)
            sum.open.merge(tally.open) { first, _ in first }
            sum.untilFill.add(tally.untilFill)
            sum.untilCancel.add(tally.untilCancel)
            sum.cancelReasons.merge(tally.cancelReasons, uniquingKeysWith: +)
            sum.rejections.merge(tally.rejections, uniquingKeysWith: +)
        }
        return sum
    }

    /// All counts, with the orders still open at the end.
    func finished() -> OrderOutcomes {
        var copy = self
        for id in open.keys.sorted() {
            guard let state = open[id] else { continue }
            if state.order.status == .unknown { copy.outcomes.unknown += 1 } else { copy.outcomes.open += 1 }
            copy.count(state.order)
        }
        copy.outcomes.cancelReasons = OrderTally.sorted(cancelReasons)
        copy.outcomes.rejections = OrderTally.sorted(rejections)
        copy.outcomes.untilFill = SpanSummary(untilFill)
        copy.outcomes.untilCancel = SpanSummary(untilCancel)
        return copy.outcomes
    }

    private static func sorted(_ counts: [String: Int]) -> [Count] {
        counts.map { Count(name: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}

extension CancelReason {
    /// For people.
    var label: String {
        switch self {
        case .requested: "requested"
        case .immediateRemainder: "immediate remainder"
        case .expiry: "expired"
        case .marketClosed: "market closed"
        case .halt: "market paused"
        case .selfTrade: "self-trade"
        case .postOnlyCross: "post-only would cross"
        case .reduceOnly: "reduce-only"
        case .margin: "margin"
        case .orderGroup: "order group"
        case .settlementBounds: "settlement bounds"
        case .unknown(let text): text.isEmpty ? "unnamed" : text
        }
    }
}
