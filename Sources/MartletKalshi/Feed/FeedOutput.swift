import Martlet
import MartletEngine
import MartletWire

/// What a feed tells beside the hot book events and trades.
public enum FeedOutput: Hashable, Sendable {
    /// The market's book may not be used from here on, until its next snapshot.
    case unusable(Market.ID, BookFault)
    case ticker(Ticker)
    case reference(ReferenceValue)
    /// The id of the trade that follows as the next market event.
    case tradeID(String)
    case lifecycle(MarketLifecycleMessage)
    case event(EventLifecycleMessage)
    case fees(EventFeeMessage)
    case fill(FillMessage)
    case order(UserOrderMessage)
    case position(PositionMessage)
    case orderGroup(OrderGroupMessage)

    /// The channel is subscribed, with all that was wanted of it.
    case subscribed(FeedChannel)
    /// What may have been missed on a channel must be asked for over REST: everything after `since`, or
    /// everything there is when that is `.unknown`. Comes when the channel is live (again), so that nothing falls
    /// between the answer and the feed; what both tell is told apart by its id.
    case reconcile(FeedChannel, since: Timestamp)
    /// The exchange does not take this subscription; it is not asked for again on this connection.
    case refused(FeedChannel, tickers: [String], code: Int, reason: String)
    /// The subscription takes no more markets: these belong on another connection.
    case overLimit(FeedChannel, [Market.ID])
    /// A market that nobody named, told once: its definition may be wanted.
    case unknownMarket(ticker: String)
    /// The exchange answers no more though the connection stands: it is to be replaced.
    case stalled
    /// Something was not understood or went wrong; the session went on. For logs.
    case remark(String)
}

/// Outputs in their order: hot events flat, the others between them. Reused from batch to batch.
public struct FeedBatch: Sendable {
    struct Cold: Sendable {
        /// So many hot events come before it.
        var position: Int
        var output: FeedOutput
    }
    var hot: [MarketEvent] = []
    var cold: [Cold] = []

    public init() {}
    public var isEmpty: Bool { hot.isEmpty && cold.isEmpty }

    mutating func clear() {
        // Emptying what is empty costs sixty instructions all the same.
        if !hot.isEmpty { hot.removeAll(keepingCapacity: true) }
        if !cold.isEmpty { cold.removeAll(keepingCapacity: true) }
    }

    /// Hands everything over in order.
    @inline(__always)
    public func forEach(event: (MarketEvent) -> Void, output: (FeedOutput) -> Void) {
        if cold.isEmpty {
            for item in hot { event(item) }
            return
        }
        var next = 0
        for index in 0...hot.count {
            while next < cold.count, cold[next].position == index {
                output(cold[next].output)
                next += 1
            }
            if index < hot.count { event(hot[index]) }
        }
    }
}
