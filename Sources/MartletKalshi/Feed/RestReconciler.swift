import Martlet
import MartletEngine
import MartletNetwork
import MartletWire

/// Asks the exchange's REST endpoints for what a feed may have missed while it was not connected.
///
/// Asked and answered on the loop's thread. Requests run on the client's own, within the read budget. What it
/// brings may be known already: fills and trades are told apart by their ids, the rest says how things stand.
public final class RestReconciler: FeedReconciler {
    private let client: KalshiClient
    private let loop: EventLoop
    /// The markets the feed is about, for channels that REST answers by market. Called on the loop's thread.
    private let markets: () -> [(ticker: String, id: Market.ID)]

    /// So many markets are named in one request.
    static let tickersPerRequest = 100

    public init(
        client: KalshiClient, loop: EventLoop, markets: @escaping () -> [(ticker: String, id: Market.ID)]
    ) {
        self.client = client
        self.loop = loop
        self.markets = markets
    }

    public func reconcile(
        _ channel: FeedChannel, since: Timestamp, done: @escaping (Result<Reconciliation, any Error>) -> Void
    ) {
        let question = Question(client: client, markets: markets().map { ($0.ticker, $0.id) })
        let (loop, answer) = (loop, Answer(done: done))
        Task {
            let result: Result<Reconciliation, any Error>
            do {
                result = .success(try await question.ask(channel, since: since))
            } catch {
                result = .failure(error)
            }
            loop.execute { answer.done(result) }
        }
    }

    /// Unchecked: sound because the closure is made on the loop's thread and called there alone.
    private struct Answer: @unchecked Sendable {
        let done: (Result<Reconciliation, any Error>) -> Void
    }
}

/// One channel's questions, asked away from the loop.
private struct Question: Sendable {
    let client: KalshiClient
    let markets: [(ticker: String, id: Market.ID)]

    func ask(_ channel: FeedChannel, since: Timestamp) async throws -> Reconciliation {
        switch channel {
        case .fills: Reconciliation(outputs: try await fills(since))
        case .userOrders: Reconciliation(outputs: try await orders(since))
        case .positions: Reconciliation(outputs: try await positions())
        case .orderGroups: Reconciliation(outputs: try await groups())
        case .lifecycle, .multivariateLifecycle: Reconciliation(outputs: try await lifecycles())
        case .trades: Reconciliation(trades: try await trades(since))
        // Told anew by the feed itself.
        case .book, .ticker, .cfBenchmarks, .cfBenchmarksFast, .pyth: Reconciliation()
        }
    }

    private func all<Element>(_ paged: PagedCall<Element>) async throws -> [Element] {
        var elements: [Element] = []
        for try await element in client.all(paged) { elements.append(element) }
        return elements
    }
    private func filter(since: Timestamp, status: String? = nil) -> AccountFilter {
        // The exchange filters by whole seconds.
        AccountFilter(status: status, from: since.isKnown ? Timestamp(seconds: since.seconds) : nil)
    }

    private func fills(_ since: Timestamp) async throws -> [FeedOutput] {
        let fills = try await all(Endpoints.fills(filter(since: since)))
        return fills.sorted { ($0.created, $0.tradeID) < ($1.created, $1.tradeID) }.map { fill in
            .fill(FillMessage(fill))
        }
    }

    /// All that rests, whenever it was placed, and what ended since.
    private func orders(_ since: Timestamp) async throws -> [FeedOutput] {
        var orders: [RestOrder] = []
        if since.isKnown {
            for status in ["executed", "canceled"] {
                orders += try await all(Endpoints.orders(filter(since: since, status: status)))
            }
        }
        // Last, so that an order that ends in between is told as ended by the channel and not missed by both.
        orders += try await all(Endpoints.orders(AccountFilter(status: "resting")))
        return orders.sorted { ($0.updated, $0.orderID) < ($1.updated, $1.orderID) }.map {
            .order(UserOrderMessage($0))
        }
    }

    private func positions() async throws -> [FeedOutput] {
        try await all(Endpoints.positions()).map { position in
            var message = PositionMessage(ticker: position.ticker, position: position.position)
            message.cost = position.exposure
            message.realized = position.realized
            message.fees = position.fees
            return .position(message)
        }
    }

    private func groups() async throws -> [FeedOutput] {
        try await client.send(Endpoints.orderGroups()).map { group in
            .orderGroup(
                OrderGroupMessage(
                    group: group.id, event: "limit_updated", limit: group.limit, exchangeTime: .unknown))
        }
    }

    /// How each market stands now, in the words in which the feed tells of it.
    private func lifecycles() async throws -> [FeedOutput] {
        var outputs: [FeedOutput] = []
        for start in stride(from: 0, to: markets.count, by: RestReconciler.tickersPerRequest) {
            let part = markets[start..<min(start + RestReconciler.tickersPerRequest, markets.count)]
            let listed = try await all(Endpoints.markets(MarketFilter(tickers: part.map(\.ticker))))
            for market in listed { outputs += lifecycle(market) }
        }
        return outputs
    }

    private func lifecycle(_ listed: ListedMarket) -> [FeedOutput] {
        var times = MarketLifecycleMessage(ticker: listed.ticker, event: .closeDateUpdated)
        times.shard = listed.market.shard
        times.openTime = listed.market.openTime
        times.closeTime = listed.market.closeTime
        var outputs: [FeedOutput] = listed.market.closeTime.isKnown ? [.lifecycle(times)] : []
        func tell(_ event: MarketLifecycleMessage.Event) {
            var message = MarketLifecycleMessage(ticker: listed.ticker, event: event)
            message.shard = listed.market.shard
            message.result = listed.definition.result
            outputs.append(.lifecycle(message))
        }
        switch listed.status {
        case .active: tell(.activated)
        case .inactive: tell(.deactivated)
        case .determined, .disputed, .amended: tell(.determined)
        case .finalized:
            tell(.determined)
            tell(.settled)
        // The clock says so itself.
        case .initialized, .closed, .unknown: break
        }
        return outputs
    }

    private func trades(_ since: Timestamp) async throws -> [Reconciliation.IdentifiedTrade] {
        // Without a time there is nothing that was missed, only history.
        guard since.isKnown else { return [] }
        var trades: [(trade: ListedTrade, market: Market.ID)] = []
        for (ticker, id) in markets {
            let from = Timestamp(seconds: since.seconds)
            trades += try await all(Endpoints.trades(ticker, from: from)).map { ($0, id) }
        }
        return trades.sorted { ($0.trade.created, $0.trade.tradeID) < ($1.trade.created, $1.trade.tradeID) }
            .compactMap { trade, market in
                guard let side = trade.takerSide else { return nil }
                var event = MarketEvent(
                    .trade, market: market, side: side, price: trade.price, quantity: trade.quantity,
                    flags: .groupEnd, exchangeTime: trade.created, receiveTime: client.exchangeNow)
                if trade.isBlock { event.flags.insert(.block) }
                return Reconciliation.IdentifiedTrade(id: trade.tradeID, event: event)
            }
    }
}

extension FillMessage {
    /// A fill as REST has it, in the words of the feed.
    public init(_ fill: AccountFill) {
        self.init(
            tradeID: fill.tradeID, orderID: fill.orderID, ticker: fill.ticker, side: fill.side,
            price: fill.price, quantity: fill.quantity, isTaker: fill.isTaker, fee: fill.fee,
            exchangeTime: fill.created)
    }
}

extension UserOrderMessage {
    /// An order as REST has it, in the words of the feed.
    public init(_ order: RestOrder) {
        self.init(
            orderID: order.orderID, ticker: order.ticker, status: order.status, side: order.side,
            price: order.price, filled: order.filled, remaining: order.remaining,
            createdTime: order.created, updatedTime: order.updated)
        clientOrderID = order.clientOrderID.isEmpty ? nil : order.clientOrderID
        initial = order.initial
        takerFees = order.takerFees
        makerFees = order.makerFees
        expirationTime = order.expires
        reason = order.reason
        orderGroup = order.orderGroup
        subaccount = order.subaccount
    }
}
