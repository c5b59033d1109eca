import Foundation
import Martlet

/// How contracts that leave a recorded level without a trade are shared between those ahead of our order and
/// those behind it. A recording says how much left, never from where.
package enum QueueModel: Hashable, Sendable {
    /// All of it from behind, as long as there is something behind: an order advances by trades alone.
    /// The pessimist's choice and the default.
    case tradesOnly
    /// From both in proportion to their size.
    case proportional
    /// From behind with probability f(behind) / (f(behind) + f(ahead)), f(x) = x^n: with n above 1, orders are
    /// thought to be cancelled mostly on the longer side. The model of hftbacktest's documentation ("Probability
    /// queue position models", power function); its expected value is taken, there is no dice.
    case power(Double)

    /// The contracts ahead of an order after `removed` contracts left a level without trading.
    ///
    /// `level` is the level's size before. Fractions of a hundredth stay ahead: never optimistic.
    package func ahead(after removed: Quantity, ahead: Quantity, level: Quantity) -> Quantity {
        let ahead = min(ahead, level)
        let behind = level - ahead
        let left = max(level - removed, .zero)
        let fromAhead: Quantity
        switch self {
        case .tradesOnly: fromAhead = max(removed - behind, .zero)
        case .proportional:
            guard level.isPositive else { return .zero }
            let share =
                Int128(removed.hundredths) * Int128(ahead.hundredths) / Int128(level.hundredths)
            fromAhead = Quantity(hundredths: Int64(share))
        case .power(let n):
            let front = pow(ahead.contracts, n)
            let back = pow(behind.contracts, n)
            let probability = front + back > 0 ? back / (front + back) : 1
            let share = (1 - probability) * removed.contracts * 100
            fromAhead = max(Quantity(hundredths: Int64(share)), removed - behind)
        }
        return max(min(ahead - fromAhead, left), .zero)
    }
}

extension QueueModel {
    /// `back`, `proportional`, or `power` with its exponent behind a colon (`power:3`; 2 where none is given).
    package init?(name: String) {
        switch name {
        case "back": self = .tradesOnly
        case "proportional": self = .proportional
        case "power": self = .power(2)
        default:
            guard name.hasPrefix("power:"), let n = Double(name.dropFirst(6)), n.isFinite, n > 0 else {
                return nil
            }
            self = .power(n)
        }
    }
    package var name: String {
        switch self {
        case .tradesOnly: "back"
        case .proportional: "proportional"
        case .power(let n): "power:\(n)"
        }
    }
    package static let names = ["back", "proportional", "power", "power:EXPONENT"]
}

/// How long contracts that our orders took from a recorded book stay taken. The recording knows nothing of us
/// and goes on showing them.
package enum TakenRule: String, Hashable, Sendable, CaseIterable, Codable {
    /// Not at all: the recorded size is there again for the next order.
    case off
    /// Until any record of the level.
    case untilChange
    /// Each contract that leaves the level in the recording is one of those that we took; what comes is new.
    case untilRemoved
    /// Until the level is empty, or smaller than what we took.
    case untilEmpty
}

/// What fills when the recorded crowd trades or quotes through the price of an order of ours: in the world with
/// our order it would have met us first.
package enum CrossingRule: String, Hashable, Sendable, CaseIterable, Codable {
    /// As much as traded or was quoted there.
    case quantity
    /// All of our order.
    case whole
    /// Nothing: orders fill by trades at their own price alone.
    case none
}
