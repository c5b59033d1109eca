import MartletNetwork

/// What a key may do (API.md §2).
enum KeyScope: String, CaseIterable {
    case read
    /// The parent of all that write.
    case write
    case trade = "write::trade"
    case transfer = "write::transfer"
    case balance = "read::portfolio_balance"
    case blockTradeReads = "read::block_trade_accept"
    case blockTrades = "write::block_trade_accept"
    case brokerRisk = "write::fcm_risk"
}

/// A registered key: whose it is, and what it may do.
struct KeyEntry: Sendable {
    let member: Int
    let key: PublicKey
    var name: String
    var scopes: [KeyScope] = [.read, .write]
    /// The only subaccount that it may see and trade on; nil for all.
    var subaccount: Int?

    /// What an endpoint asks of a key.
    enum Need {
        case read, balance, trade
        /// What concerns all subaccounts: nothing for a key of one.
        case readAll, transfer, manage
    }

    func allows(_ need: Need) -> Bool {
        switch need {
        case .read: scopes.contains(.read)
        case .balance: scopes.contains(.read) || scopes.contains(.balance)
        case .trade: scopes.contains(.write) || scopes.contains(.trade)
        case .readAll: subaccount == nil && scopes.contains(.read)
        case .transfer: subaccount == nil && (scopes.contains(.write) || scopes.contains(.transfer))
        case .manage: subaccount == nil && scopes.contains(.write)
        }
    }
    func sees(_ other: Int) -> Bool { subaccount == nil || subaccount == other }
}

extension API.Route {
    private static let trades = ["portfolio/events/orders", "portfolio/orders", "portfolio/order_groups"]
    private static let transfers = [
        "portfolio/subaccounts/transfer", "portfolio/intra_exchange_instance_transfer",
        "portfolio/target_balance_allocation",
    ]
    private static let readsOfAll = [
        "portfolio/subaccounts", "portfolio/intra_exchange", "portfolio/target_balance", "portfolio/summary",
        "portfolio/deposits", "portfolio/withdrawals", "api_keys",
    ]

    /// What a key needs for it.
    var need: KeyEntry.Need {
        let path = pattern.joined(separator: "/")
        if method == "GET" {
            if path == "portfolio/balance" { return .balance }
            return Self.readsOfAll.contains(where: path.hasPrefix) ? .readAll : .read
        }
        if Self.trades.contains(where: path.hasPrefix) { return .trade }
        return Self.transfers.contains(path) ? .transfer : .manage
    }
}
