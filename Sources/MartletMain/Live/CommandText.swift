import Martlet
import MartletEngine
import MartletReport
import MartletWire

/// What a session asked of its venue, in words and as objects, with the markets' tickers.
struct CommandText {
    /// By market number, which the first definition of each ticker hands out in order.
    private var tickers: [String] = []
    private var known: Set<String> = []

    mutating func define(_ market: Market) {
        if known.insert(market.ticker).inserted { tickers.append(market.ticker) }
    }

    func ticker(_ market: Market.ID) -> String {
        let index = Int(market.index)
        return tickers.indices.contains(index) ? tickers[index] : "market \(index)"
    }

    /// `place #1 KXDEMO-26NOV23-T1 ask 10 @ 0.19 post-only`
    func line(_ command: VenueCommand) -> String {
        switch command {
        case .place(let order): return "place " + line(order)
        case .amend(let change):
            let words = [
                "amend", reference(change.id, change.market), "to", CommandText.name(change.side),
                CommandText.size(change.quantity, change.price),
            ]
            return words.joined(separator: " ")
        case .decrease(let order, let market, let quantity):
            return "decrease " + reference(order, market) + " to " + Show.terminal.contracts(quantity)
        case .cancel(let order, let market): return "cancel " + reference(order, market)
        case .placeBatch(let orders):
            let lines = orders.map { line($0) }
            return "place \(orders.count) at once: " + lines.joined(separator: "; ")
        case .cancelBatch(let orders):
            let lines = orders.map { reference($0.order, $0.market) }
            return "cancel \(orders.count) at once: " + lines.joined(separator: "; ")
        case .cancelEverything: return "cancel everything"
        }
    }

    private func reference(_ order: OrderID, _ market: Market.ID) -> String {
        "#\(order.number) \(ticker(market))"
    }

    private func line(_ order: PlaceOrder) -> String {
        let request = order.request
        var words = [
            "#\(order.id.number)", ticker(request.market), CommandText.name(request.side),
            CommandText.size(request.quantity, request.price),
        ]
        switch request.timeInForce {
        case .goodTillCancelled: break
        case .goodTill(let time): words.append("until \(time)")
        case .immediateOrCancel: words.append("immediate-or-cancel")
        case .fillOrKill: words.append("fill-or-kill")
        }
        if request.isPostOnly { words.append("post-only") }
        if request.isReduceOnly { words.append("reduce-only") }
        return words.joined(separator: " ")
    }

    /// Prices and counts as decimal text, as all commands write them.
    func object(_ command: VenueCommand) -> JSONValue {
        func fields(_ action: String, _ more: [(String, JSONValue)]) -> JSONValue {
            .fields([("action", .string(action))] + more)
        }
        switch command {
        case .place(let order): return fields("place", members(order))
        case .amend(let change):
            return fields(
                "amend",
                members(change.id, change.market) + [
                    ("side", .string(CommandText.name(change.side))),
                    ("count", .string("\(change.quantity)")), ("price", .string("\(change.price)")),
                ])
        case .decrease(let order, let market, let quantity):
            return fields("decrease", members(order, market) + [("count", .string("\(quantity)"))])
        case .cancel(let order, let market): return fields("cancel", members(order, market))
        case .placeBatch(let orders):
            return fields("place_batch", [("orders", .array(orders.map { .fields(members($0)) }))])
        case .cancelBatch(let orders):
            return fields(
                "cancel_batch", [("orders", .array(orders.map { .fields(members($0.order, $0.market)) }))])
        case .cancelEverything: return fields("cancel_everything", [])
        }
    }

    private func members(_ order: OrderID, _ market: Market.ID) -> [(String, JSONValue)] {
        [("order", .integer(order.number)), ("ticker", .string(ticker(market)))]
    }
    private func members(_ order: PlaceOrder) -> [(String, JSONValue)] {
        let request = order.request
        var members =
            members(order.id, request.market) + [
                ("side", .string(CommandText.name(request.side))),
                ("count", .string("\(request.quantity)")), ("price", .string("\(request.price)")),
            ]
        switch request.timeInForce {
        case .goodTillCancelled: members.append(("time_in_force", .string("good_till_canceled")))
        case .goodTill(let time): members.append(("expires", .string("\(time)")))
        case .immediateOrCancel: members.append(("time_in_force", .string("immediate_or_cancel")))
        case .fillOrKill: members.append(("time_in_force", .string("fill_or_kill")))
        }
        members.append(("post_only", .bool(request.isPostOnly)))
        members.append(("reduce_only", .bool(request.isReduceOnly)))
        return members
    }

    private static func size(_ quantity: Quantity, _ price: Price) -> String {
        "\(Show.terminal.contracts(quantity)) @ \(Show.terminal.price(price))"
    }
    private static func name(_ side: Side) -> String { side == .bid ? "bid" : "ask" }
}

extension VenueCommand {
    /// The orders that it is about; none for what is about all.
    var orders: [OrderID] {
        switch self {
        case .place(let order): [order.id]
        case .amend(let change): [change.id]
        case .decrease(let order, _, _), .cancel(let order, _): [order]
        case .placeBatch(let orders): orders.map(\.id)
        case .cancelBatch(let orders): orders.map(\.order)
        case .cancelEverything: []
        }
    }
}
