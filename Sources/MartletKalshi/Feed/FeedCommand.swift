import MartletWire

/// Writes the client's commands (API.md §14.2).
enum FeedCommand {
    static func subscribe(
        id: Int64, _ channel: FeedChannel, tickers: [String], indices: [String], usesYesPrice: Bool
    ) -> String {
        var text = head(id, "subscribe") + "\"channels\":[" + JSONWriter.quoted(channel.wire) + "]"
        if !tickers.isEmpty { text += ",\"market_tickers\":" + list(tickers) }
        switch channel {
        // The exchange has announced that its default will turn round: it is never relied on.
        case .book: text += ",\"use_yes_price\":\(usesYesPrice)"
        case .ticker: text += ",\"send_initial_snapshot\":true"
        case .cfBenchmarks, .cfBenchmarksFast: text += ",\"index_ids\":" + list(indices)
        case .pyth: text += ",\"underlying_tickers\":" + list(indices)
        case .fills, .userOrders, .positions, .orderGroups, .lifecycle, .multivariateLifecycle, .trades: break
        }
        return text + "}}"
    }

    enum Action: String {
        case add = "add_markets"
        case remove = "delete_markets"
        case snapshot = "get_snapshot"
    }

    static func update(
        id: Int64, sid: Int64, _ action: Action, tickers: [String], channel: FeedChannel
    ) -> String {
        var text = head(id, "update_subscription") + "\"sids\":[\(sid)],\"market_tickers\":" + list(tickers)
        if channel == .ticker, action == .add { text += ",\"send_initial_snapshot\":true" }
        return text + ",\"action\":\"\(action.rawValue)\"}}"
    }

    static func unsubscribe(id: Int64, sid: Int64) -> String {
        head(id, "unsubscribe") + "\"sids\":[\(sid)]}}"
    }

    static func listSubscriptions(id: Int64) -> String { "{\"id\":\(id),\"cmd\":\"list_subscriptions\"}" }

    private static func head(_ id: Int64, _ command: String) -> String {
        "{\"id\":\(id),\"cmd\":\"\(command)\",\"params\":{"
    }
    private static func list(_ items: [String]) -> String {
        "[" + items.map { JSONWriter.quoted($0) }.joined(separator: ",") + "]"
    }
}
