import Martlet
import MartletEngine

/// A desk that answers from a table of markets and writes down what a strategy asks for.
final class PracticeDesk: StrategyDesk {
    enum Asked: Equatable {
        case place(OrderID, OrderRequest)
        case quote(Market.ID, bid: Quote?, ask: Quote?)
    }

    let table = MarketTable()
    var asked: [Asked] = []
    var positions: [Market.ID: Position] = [:]
    var lines: [String] = []
    private var nextOrder: UInt64 = 1

    init() { table.now = Timestamp(seconds: 1_800_000_000) }

    func context() -> Context { Context(state: table.context, desk: self) }

    /// Defines a market with a whole book: levels as (cents, contracts).
    @discardableResult
    func market(
        _ ticker: String, exclusive: Bool = false, closeTime: Timestamp = .unknown,
        fees: FeeTerms = .standard,
        bids: [(Int, Int)], asks: [(Int, Int)]
    ) -> Market.ID {
        let id = table.define(
            Market(
                ticker: ticker, closeTime: closeTime, fees: fees, isMutuallyExclusive: exclusive)
        ).id
        setBook(id, bids: bids, asks: asks)
        return id
    }

    func setBook(_ market: Market.ID, bids: [(Int, Int)], asks: [(Int, Int)]) {
        let book = table.books + Int(market.index)
        book.pointee.clear()
        for (side, levels) in [(Side.bid, bids), (.ask, asks)] {
            for (cents, contracts) in levels {
                _ = book.pointee.set(Quantity(contracts), side: side, price: Price(cents: cents))
            }
        }
        table.setFault(market, nil)
    }

    /// The last quote asked for in a market.
    func quote(_ market: Market.ID) -> (bid: Quote?, ask: Quote?)? {
        for case .quote(market, let bid, let ask) in asked.reversed() { return (bid, ask) }
        return nil
    }
    var placed: [(id: OrderID, request: OrderRequest)] {
        asked.compactMap { if case .place(let id, let request) = $0 { (id, request) } else { nil } }
    }

    // MARK: StrategyDesk

    func random() -> UInt64 { 4 }
    func marketID(_ ticker: String) -> Market.ID? { table.id(of: ticker) }
    func markets(ofEvent event: String) -> [Market.ID] { table.markets(ofEvent: event) }
    func status(_ market: Market.ID) -> MarketStatus { table.status(market) }
    func subscribe(_ market: Market.ID, book: BookUpdates, trades: Bool) {}
    func unsubscribe(_ market: Market.ID) {}
    func isUsable(_ market: Market.ID) -> Bool { table.isUsable(market) }
    func ownResting(_ market: Market.ID, _ side: Side, _ price: Price) -> Quantity { .zero }
    func place(_ request: OrderRequest) -> OrderID {
        defer { nextOrder += 1 }
        asked.append(.place(OrderID(nextOrder), request))
        return OrderID(nextOrder)
    }
    func amend(_ order: OrderID, price: Price, quantity: Quantity) {}
    func decrease(_ order: OrderID, to remaining: Quantity) {}
    func cancel(_ order: OrderID) {}
    func cancelAll(_ market: Market.ID?) {}
    func quote(_ market: Market.ID, bid: Quote?, ask: Quote?) {
        asked.append(.quote(market, bid: bid, ask: ask))
    }
    func position(_ market: Market.ID) -> Position { positions[market] ?? Position() }
    func openOrders(_ market: Market.ID) -> [Order] { [] }
    func order(_ id: OrderID) -> Order? { nil }
    func availableCash() -> Money { 1000 }
    func riskState() -> RiskState { .active }
    func setTimer(at time: Timestamp) -> TimerID { TimerID(0) }
    func cancelTimer(_ timer: TimerID) {}
    func log(_ message: String) { lines.append(message) }
    func record(_ series: String, _ value: Double) {}
}

extension PracticeDesk {
    /// The fill and the final report of an immediate-or-cancel order.
    func answer(
        _ order: (id: OrderID, request: OrderRequest), filled: Quantity, to strategy: inout some Strategy
    ) {
        let request = order.request
        if filled.isPositive {
            strategy.filled(
                Fill(
                    tradeID: "t\(order.id.number)", order: order.id, market: request.market,
                    side: request.side, price: request.price, quantity: filled, isTaker: true, fee: .zero,
                    exchangeTime: table.now), context())
        }
        let status: OrderStatus =
            filled == request.quantity ? .filled : .cancelled(.immediateRemainder)
        var state = Order(id: order.id, request: request, status: status, requestTime: table.now)
        state.filled = filled
        strategy.orderChanged(state, context())
    }
}
