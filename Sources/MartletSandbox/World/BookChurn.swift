import Martlet
import MartletEngine
import MartletSimulation

/// Another world with so many book changes a second on top: orders behind the best prices that come and go, spread
/// evenly over all open markets. For load: prices and trades stay what they were.
final class BookChurn: ExchangeWorld {
    /// Changes come in lots this far apart.
    private static let step = TimeSpan.milliseconds(1)
    /// More than this is not made up for after a standstill.
    private static let lotMax = 1_000.0

    private struct Place {
        let market: Market.ID
        var bid: OrderID?
        var ask: OrderID?

        subscript(_ side: Side) -> OrderID? {
            get { side == .bid ? bid : ask }
            set { if side == .bid { bid = newValue } else { ask = newValue } }
        }
    }

    let inner: any ExchangeWorld
    /// Book changes a second; 0 for none.
    var rate: Double
    private unowned let exchange: Exchange
    private var generator: SeededGenerator
    private var places: [Place] = []
    private var knownMarkets = 0
    private var turn = 0
    private var owed = 0.0
    private var next: Timestamp
    /// Accounts by shard.
    private var accounts: [Int?]

    init(_ exchange: Exchange, around inner: any ExchangeWorld, rate: Double, seed: UInt64) {
        self.exchange = exchange
        self.inner = inner
        self.rate = rate
        generator = SeededGenerator(seed: seed ^ 0xC407)
        next = exchange.now
        accounts = Array(repeating: nil, count: Exchange.shards.count)
    }

    var nextDue: Timestamp { rate > 0 ? min(inner.nextDue, next) : inner.nextDue }

    func advance(to now: Timestamp) {
        if inner.nextDue <= now { inner.advance(to: now) }
        guard rate > 0, next <= now else { return }
        let span = now - next + BookChurn.step
        next = now + BookChurn.step
        owed = min(owed + rate * Double(span.nanoseconds) / 1e9, BookChurn.lotMax)
        lookForMarkets()
        while owed >= 1 {
            owed -= 1
            changeNext()
        }
        exchange.flush()
    }

    private func lookForMarkets() {
        // Events come and go some times a minute: the whole list is looked through then alone.
        if turn >= places.count {
            turn = 0
            places.removeAll { exchange.venue.isClosed($0.market) }
        }
        while knownMarkets < exchange.markets.count {
            places.append(Place(market: Market.ID(knownMarkets)))
            knownMarkets += 1
        }
    }

    /// One change in the next open market in turn.
    private func changeNext() {
        for _ in places.indices {
            if turn >= places.count { turn = 0 }
            let index = turn
            turn += 1
            if exchange.venue.isOpen(places[index].market) { return change(index) }
        }
    }

    private func change(_ index: Int) {
        let market = places[index].market
        let side: Side = generator.next() & 1 == 0 ? .bid : .ask
        let account = account(of: market)
        if let order = places[index][side] {
            places[index][side] = nil
            exchange.venue.cancel(order, market: market, account: account, at: exchange.now)
            return
        }
        let away = Price(cents: 2 + Int(generator.next() % 3))
        let touch = exchange.venue.best(market, side) ?? Price(cents: side == .bid ? 40 : 60)
        let wanted = side == .bid ? touch - away : touch + away
        guard wanted > Price(cents: 1), wanted < Price(cents: 99),
            let price = exchange.venue.definitions[Int(market.index)].grid.roundedPassively(wanted, side)
        else { return }
        let id = OrderID(exchange.nextOrder())
        let request = OrderRequest(
            side, Quantity(1 + Int(generator.next() % 40)), at: price, in: market,
            timeInForce: .goodTillCancelled, isPostOnly: true)
        exchange.venue.place(PlaceOrder(id: id, request: request), account: account, at: exchange.now)
        places[index][side] = id
    }

    private func account(of market: Market.ID) -> Int {
        let shard = exchange.venue.definitions[Int(market.index)].shard
        if let account = accounts[shard] { return account }
        let account = exchange.addAgent(Money(dollars: 1_000_000_000), shard: shard)
        accounts[shard] = account
        return account
    }
}
