import Martlet
import MartletLive
import MartletSandbox

/// A session's books against those of the exchange it ran on, to the last unit.
enum LedgerComparison {
    /// What differs, a line each; empty when the two are one.
    static func differences(_ ours: SessionLedger, _ theirs: SandboxLedger?) throws -> [String] {
        guard let theirs else { throw CommandError("the exchange has no ledger for this account") }
        var found: [String] = []
        for shard in Set(ours.cash.keys).union(theirs.cash.keys).sorted() {
            let (mine, other) = (ours.cash[shard] ?? .zero, theirs.cash[shard] ?? .zero)
            if mine != other { found.append("cash on shard \(shard) is \(mine) with us and \(other) there") }
        }
        var holdings = ours.holdings
        for holding in theirs.holdings {
            let mine = holdings.removeValue(forKey: holding.ticker)
            let isSame =
                (mine?.quantity ?? .zero) == holding.quantity && (mine?.fees ?? .zero) == holding.fees
                && (mine?.realized ?? .zero) == holding.realized
            guard !isSame else { continue }
            found.append(
                "\(holding.ticker): \(mine?.quantity ?? .zero), profit \(mine?.realized ?? .zero), fees "
                    + "\(mine?.fees ?? .zero) with us and \(holding.quantity), \(holding.realized), "
                    + "\(holding.fees) there")
        }
        for ticker in holdings.keys.sorted() { found.append("\(ticker) is held with us alone") }
        return found
    }
}
