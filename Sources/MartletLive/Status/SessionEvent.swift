import Martlet
import MartletEngine

/// Something that happened in a session beside what the engine records: for logs, alerts and the report.
package enum SessionEvent: Hashable, Sendable {
    case connected(connection: Int)
    case disconnected(connection: Int, reason: String)
    /// The feed told nothing for longer than allowed.
    case silent(TimeSpan)
    /// The exchange does not take a subscription.
    case refused(channel: String, tickers: [String], reason: String)
    case halted(reason: String)
    /// A hard limit was reached: the engine changed the risk state by itself.
    case limit(reason: String)
    /// Our account and the exchange's differ.
    case difference(String)
    case agreed
    /// An order's outcome has been unknown for so long.
    case unknownOrder(OrderID, TimeSpan)
    case resolved(OrderID, String)
    /// A fill or an order that this run did not place.
    case stranger(String)
    case groupTriggered(String)
    case exchangePaused(shard: Int)
    case exchangeResumed(shard: Int)
    case journalFull(String)
    case remark(String)

    package var level: LogLevel {
        switch self {
        case .connected, .agreed, .resolved, .exchangeResumed, .remark: .info
        case .disconnected, .refused, .stranger, .exchangePaused: .warning
        case .silent, .halted, .limit, .difference, .unknownOrder, .groupTriggered, .journalFull: .error
        }
    }
    /// A stable word for machines.
    package var name: String {
        switch self {
        case .connected: "connected"
        case .disconnected: "disconnected"
        case .silent: "silent"
        case .refused: "refused"
        case .halted: "halted"
        case .limit: "limit"
        case .difference: "difference"
        case .agreed: "agreed"
        case .unknownOrder: "unknown_order"
        case .resolved: "resolved"
        case .stranger: "stranger"
        case .groupTriggered: "group_triggered"
        case .exchangePaused: "exchange_paused"
        case .exchangeResumed: "exchange_resumed"
        case .journalFull: "journal_full"
        case .remark: "remark"
        }
    }
    package var text: String {
        switch self {
        case .connected(let number): "connection \(number) is open"
        case .disconnected(let number, let reason): "connection \(number) is lost: \(reason)"
        case .silent(let span): "the feed has been silent for \(Int(span.seconds)) s"
        case .refused(let channel, let tickers, let reason):
            "the exchange refuses \(tickers.isEmpty ? channel : tickers.joined(separator: ", ")): \(reason)"
        case .halted(let reason): "halted: \(reason)"
        case .limit(let reason): "a limit is reached: \(reason)"
        case .difference(let text): "our account and the exchange's differ: \(text)"
        case .agreed: "our account and the exchange's agree"
        case .unknownOrder(let order, let span):
            "the outcome of \(order) has been unknown for \(Int(span.seconds)) s"
        case .resolved(let order, let text): "\(order) \(text)"
        case .stranger(let text): text
        case .groupTriggered(let id): "order group \(id) reached its limit: the exchange cancelled its orders"
        case .exchangePaused(let shard): "the exchange has paused shard \(shard)"
        case .exchangeResumed(let shard): "the exchange trades on shard \(shard) again"
        case .journalFull(let reason): "the journal has no room left (\(reason)): trading halts"
        case .remark(let text): text
        }
    }
}

/// Who is told what happens in a session. On the loop's thread.
package protocol SessionObserver: AnyObject {
    func session(_ event: SessionEvent, at time: Timestamp)
}
