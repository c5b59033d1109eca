import Martlet
import MartletEngine

/// "Why is it not trading?": what keeps orders from leaving or from being taken, in words.
struct OrderObstacles {
    /// An order refused within this time still is an obstacle.
    static let memory = TimeSpan.seconds(60)
    private static let most = 4

    /// What the risk states were changed for since they were last active.
    private var reasons: [String] = []
    private var refused: [RiskRule: Last] = [:]
    private var rejected: [String: Last] = [:]
    private struct Last {
        var time: Timestamp
        var text: String
        var count = 0
    }

    mutating func riskChanged(_ state: RiskState, _ reason: String) {
        if state == .active {
            reasons = []
        } else if !reasons.contains("\(state.rawValue): \(reason)"), reasons.count < OrderObstacles.most {
            reasons.append("\(state.rawValue): \(reason)")
        }
    }

    /// True for an order that the exchange refused for good.
    mutating func note(_ order: Order, at time: Timestamp) -> Bool {
        switch order.status {
        case .refused(let refusal):
            note(refusal, at: time)
            return false
        case .rejected(let rejection) where rejection != .provenAbsent:
            let text = "\(rejection.status) \(rejection.code) \(rejection.message)"
            let count = (rejected[rejection.code]?.count ?? 0) + 1
            // An exchange may put anything into its codes.
            if rejected.count > 20 { rejected = [:] }
            rejected[rejection.code] = Last(time: time, text: text, count: count)
            return true
        default: return false
        }
    }
    mutating func note(_ refusal: Refusal, at time: Timestamp) {
        let count = (refused[refusal.rule]?.count ?? 0) + 1
        refused[refusal.rule] = Last(
            time: time, text: "\(refusal.value) against \(refusal.limit)", count: count)
    }

    /// A line each; what refused lately last.
    func lines(at now: Timestamp) -> [String] {
        func isLate(_ last: Last) -> Bool { now - last.time < OrderObstacles.memory }
        // A halt refuses everything, and is told already.
        let rules = RiskRule.allCases.filter { $0 != .halted && $0 != .reduceOnly }
        let own = rules.compactMap { rule in
            refused[rule].flatMap { last in
                isLate(last) ? "the risk gate refuses: \(rule.rawValue), \(last.text)" : nil
            }
        }
        let theirs = rejected.values.filter(isLate).sorted { $0.text < $1.text }.map {
            "the exchange refused \($0.count) orders, the last with: \($0.text)"
        }
        return reasons + Array(theirs.prefix(OrderObstacles.most)) + Array(own.prefix(OrderObstacles.most))
    }
}
