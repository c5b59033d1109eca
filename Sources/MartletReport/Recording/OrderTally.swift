import Martlet

/// Follows open orders and counts each once, by its end.
struct OrderTally {
    /// What must be known of an order until it is forgotten.
    private struct Followed {
        var quantity: Quantity
        var filled: Quantity
        var restTime: Timestamp = .unknown
        var hasRested = false
        var hasFilled = false
        var hasEnded = false
        var isUnknown = false
    }
    private(set) var outcomes = OrderOutcomes()
    /// Open orders, and the latest that ended: a late fill tells of one again.
    private var followed: [OrderID: Followed] = [:]
    private var untilFill = SpanHistogram()
    private var untilCancel = SpanHistogram()
    private var cancelReasons: [String: Int] = [:]
    private var rejections: [String: Int] = [:]
    /// Those that ended, in a ring: the oldest is forgotten.
    private var ended: [OrderID] = []
    private var oldest = 0
    static let endedCapacity = 4096

    /// What a record meant for the market's and the rules' own counts.
    enum Event: Equatable {
        case asked
        case refused(Refusal)
        case other
    }

    mutating func take(_ order: Order, at time: Timestamp) -> Event {
        let known = followed[order.id]
        if known?.hasEnded == true { return .other }
        if known == nil { outcomes.asked += 1 }
        var state = known ?? Followed(quantity: order.quantity, filled: order.filled)
        state.quantity = order.quantity
        state.filled = order.filled
        if order.restTime.isKnown || order.status == .resting, !state.hasRested {
            state.hasRested = true
            outcomes.rested += 1
        }
        state.restTime = order.restTime
        state.isUnknown = order.status == .unknown
        state.hasEnded = order.status.isFinal
        followed[order.id] = state
        guard state.hasEnded else { return known == nil ? .asked : .other }
        forgetLater(order.id)
        end(order, at: time)
        if case .refused(let refusal) = order.status { return .refused(refusal) }
        return known == nil ? .asked : .other
    }

    /// A fill, which comes before its order's own record.
    mutating func take(_ fill: Fill, at time: Timestamp) {
        guard let state = followed[fill.order], !state.hasEnded, !state.hasFilled else { return }
        followed[fill.order]?.hasFilled = true
        if !fill.isTaker, state.restTime.isKnown { untilFill.add(time - state.restTime) }
    }

    private mutating func forgetLater(_ id: OrderID) {
        guard ended.count == Self.endedCapacity else {
            ended.append(id)
            return
        }
        followed[ended[oldest]] = nil
        ended[oldest] = id
        oldest = (oldest + 1) % Self.endedCapacity
    }

    private mutating func end(_ order: Order, at time: Timestamp) {
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
        switch order.status {
        case .refused, .withdrawn: break
        case .queued, .inFlight, .resting, .filled, .cancelled, .rejected, .unknown:
            count(order.quantity, filled: order.filled)
        }
    }

    private mutating func count(_ quantity: Quantity, filled: Quantity) {
        outcomes.contractsSent += quantity
        outcomes.contractsFilled += filled
    }

    /// The sum of several tallies, for ``finished()``.
    static func sum(_ tallies: [OrderTally]) -> OrderTally {
        var sum = OrderTally()
        for tally in tallies {
            sum.outcomes.add(tally.outcomes)
            sum.followed.merge(tally.followed) { first, _ in first }
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
        // Sums alone: the order in which they are met does not matter.
        for state in followed.values where !state.hasEnded {
            if state.isUnknown { copy.outcomes.unknown += 1 } else { copy.outcomes.open += 1 }
            copy.count(state.quantity, filled: state.filled)
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
