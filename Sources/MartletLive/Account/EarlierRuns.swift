import Foundation
import Martlet
import MartletKalshi
import MartletTape

/// The sessions of a configuration that ran before, as their journals tell: whose orders rest, whose positions are
/// whose, what strategies wanted known.
package struct EarlierRuns: Sendable {
    /// The newest session's journal.
    package private(set) var newest: JournalRecovery?
    package private(set) var newestFolder: String?
    /// Of all of them: an order of such a number is ours.
    private var nonces: [UInt64: Int] = [:]
    package private(set) var sessions = 0
    /// Whether the newest one ended in order.
    package private(set) var endedInOrder = true

    package init() {}

    /// - Parameters:
    ///   - folder: where sessions keep their folders.
    ///   - name: the configuration's; a session's folder is called so, with its time.
    ///   - isSame: whether a session was on this exchange and account.
    package init(under folder: String, name: String, where isSame: (SessionIdentity) -> Bool) throws {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        var known: [(path: String, identity: SessionIdentity)] = []
        for entry in names where EarlierRuns.isSession(entry, of: name) {
            let path = "\(folder)/\(entry)"
            guard let identity = try? SessionIdentity(folder: SessionFolder(path)), isSame(identity) else {
                continue
            }
            if identity.isRunning {
                throw ControlError(
                    "session \(identity.session) still runs (process \(identity.pid)): end it with 'martlet halt' and Ctrl-C"
                )
            }
            known.append((path, identity))
        }
        known.sort { $0.identity.started < $1.identity.started }
        sessions = known.count
        for (index, entry) in known.enumerated() { nonces[entry.identity.nonceValue] = index }
        guard let last = known.last else { return }
        endedInOrder = last.identity.ended != nil
        hold = last.identity.hold
        newestFolder = last.path
        newest = try? JournalRecovery(folder: last.path)
        // Killed, it could not give back what it had reserved.
        if !endedInOrder { JournalRoom.giveBack(last.path) }
    }

    /// Whether a folder is called as this configuration's sessions are, `maker-20261123T090000Z` or `…Z-2`: those of
    /// `maker-b` are not `maker`'s.
    static func isSession(_ folder: String, of name: String) -> Bool {
        guard folder.hasPrefix(name + "-") else { return false }
        let stamp = folder.dropFirst(name.count + 1)
        let (digits, rest) = (stamp.prefix(15), stamp.dropFirst(15))
        guard digits.count == 15, rest.first == "Z" else { return false }
        let isTime = digits.enumerated().allSatisfy { $0 == 8 ? $1 == "T" : $1.isNumber }
        let number = rest.dropFirst()
        return isTime
            && (number.isEmpty || number.first == "-" && number.dropFirst().allSatisfy(\.isNumber))
    }

    /// What the newest session's operator, or its own limits, kept from trading; nil when nothing did.
    package private(set) var hold: SessionIdentity.Hold?

    package var states: [String: [UInt8]] { newest?.states ?? [:] }

    /// Whether an order was placed by one of these sessions.
    package func isOurs(_ order: RestOrder) -> Bool {
        nonces.keys.contains { ClientOrderID.order(order.clientOrderID, nonce: $0) != nil }
    }
    package func adopts(_ order: RestOrder) -> Bool { isOurs(order) }

    /// The index in this run of the strategy that placed an order; nil where it is not known.
    package func owner(of order: RestOrder, among names: [String]) -> Int? {
        guard let newest, let nonce = newest.nonce,
            let id = ClientOrderID.order(order.clientOrderID, nonce: nonce),
            let placed = newest.orders.first(where: { $0.id == id })
        else { return names.count == 1 && isOurs(order) ? 0 : nil }
        let index = placed.strategy ?? 0
        guard index < newest.header.seats.count else { return nil }
        return names.firstIndex(of: newest.header.seats[index].name)
    }

    /// Whose a position is: as the journal says; what has changed since is the only strategy's, or nobody's.
    package func split(
        _ position: MarketPosition, among names: [String]
    ) -> [(strategy: Int?, position: Position)] {
        let total = position.position
        guard let newest else { return [(nil, Position(quantity: total, cost: position.exposure))] }
        var parts: [(strategy: Int?, quantity: Quantity)] = []
        for (index, seat) in newest.header.seats.enumerated() {
            guard let held = newest.positions[index]?[position.ticker]?.quantity, !held.isZero,
                let strategy = names.firstIndex(of: seat.name)
            else { continue }
            parts.append((strategy, held))
        }
        if parts.count == 1, newest.header.seats.count == 1, newest.positions[nil]?[position.ticker] == nil {
            return [(parts[0].strategy, Position(quantity: total, cost: position.exposure))]
        }
        var sum = Quantity.zero
        for part in parts { sum += part.quantity }
        if sum != total { parts.append((nil, total - sum)) }
        // Costs in proportion, what rounding leaves to the last: exact in sum where all lie on one side.
        let unit = position.exposure.raw / max(total.magnitude.hundredths, 1)
        var left = position.exposure.raw
        return parts.enumerated().map { index, part in
            let isLast = index == parts.count - 1
            let share = isLast && parts.count == 1 ? left : unit * part.quantity.magnitude.hundredths
            left -= share
            return (part.strategy, Position(quantity: part.quantity, cost: Money(raw: max(share, 0))))
        }
    }
}
