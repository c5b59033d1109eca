import Martlet
import MartletEngine
import MartletSimulation

/// An account as the exchange itself has it, to the last unit, for a client in the same process; others ask for
/// `GET /sandbox/ledger`.
public struct SandboxLedger: Hashable, Sendable {
    public struct Holding: Hashable, Sendable {
        public var ticker: String
        /// Signed: YES positive.
        public var quantity: Quantity
        public var realized: Money
        public var fees: Money
    }
    public struct OrderLine: Hashable, Sendable {
        public var orderID: String
        public var clientOrderID: String
        public var ticker: String
        public var filled: Quantity
        public var remaining: Quantity
    }
    public struct FillLine: Hashable, Sendable {
        public var tradeID: String
        public var orderID: String
        public var clientOrderID: String
        public var ticker: String
        public var side: Side
        public var price: Price
        public var quantity: Quantity
        public var fee: Money
    }
    /// Cash by shard, before what resting orders tie up.
    public var cash: [Int: Money]
    /// Markets ever traded, by ticker.
    public var holdings: [Holding]
    /// All orders remembered, in order of creation.
    public var orders: [OrderLine]
    public var fills: [FillLine]
}

extension SandboxServer {
    /// The primary account of an API key; nil for a key that nobody has. On the loop's thread.
    public func ledger(_ keyID: String) -> SandboxLedger? {
        guard let (member, _) = exchange.registration(keyID) else { return nil }
        let (account, venue) = (member.accounts[0], exchange.venue)
        let orders = member.sequence.compactMap { number -> SandboxLedger.OrderLine? in
            guard let entry = member.entries[number], entry.account == account else { return nil }
            let order = venue.order(OrderID(number), account: account)
            return SandboxLedger.OrderLine(
                orderID: exchange.orderIDs.text(number), clientOrderID: entry.clientID,
                ticker: exchange.record(entry.market).ticker, filled: order?.filled ?? .zero,
                remaining: order?.remaining ?? .zero)
        }
        let fills = member.fills.filter { $0.subaccount == 0 }.map { record in
            SandboxLedger.FillLine(
                tradeID: exchange.tradeIDs.text(record.number), orderID: exchange.orderIDs.text(record.order),
                clientOrderID: record.clientID, ticker: exchange.record(record.fill.market).ticker,
                side: record.fill.side, price: record.fill.price, quantity: record.fill.quantity,
                fee: record.fill.fee)
        }
        let holdings = venue.markets(of: account).map { market in
            let position = venue.position(account, market)
            return SandboxLedger.Holding(
                ticker: exchange.record(market).ticker, quantity: position.quantity,
                realized: position.realized, fees: position.fees)
        }
        var cash: [Int: Money] = [:]
        for shard in venue.shards(account) { cash[shard.shard] = shard.cash }
        return SandboxLedger(
            cash: cash, holdings: holdings.sorted { $0.ticker < $1.ticker }, orders: orders, fills: fills)
    }
}
