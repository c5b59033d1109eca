import Martlet
import MartletEngine
import MartletSimulation

/// Somebody who trades in one market of the generated world, with an account like everybody's.
struct WorldAgent {
    enum Kind {
        /// Quotes both sides around what was true `lag` seconds ago.
        case maker(levels: Int, size: Int, lag: Int, width: Double)
        /// Trades for reasons of its own.
        case noise
        /// Knows the truth and takes what is wrong by more than its edge.
        case informed
    }
    var kind: Kind
    /// Mean seconds between actions, and seconds from the market's start to the first.
    var interval: Double
    var start: Int
    var live = 0
    var place = 0
    var market = Market.ID(0)
    var account = 0
    private var orders: [(id: OrderID, side: Side, price: Price)] = []
    private var quoted = -1.0

    private init(_ kind: Kind, every interval: Double, after start: Int) {
        self.kind = kind
        self.interval = interval
        self.start = start
    }

    /// Who trades in a market.
    static func crew(_ kind: WorldKind) -> [WorldAgent] {
        [
            WorldAgent(.maker(levels: 4, size: 900, lag: 20, width: 4), every: 60, after: 0),
            WorldAgent(.maker(levels: 4, size: 220, lag: 5, width: 1.8), every: 16, after: 1),
            WorldAgent(.maker(levels: 3, size: 60, lag: 2, width: 1), every: 6, after: 2),
            WorldAgent(.noise, every: 9, after: 5),
            WorldAgent(.noise, every: 20, after: 7),
            WorldAgent(.informed, every: 10, after: 6),
        ]
    }

    mutating func act(_ world: GeneratedWorld) {
        topUp(world)
        switch kind {
        case .maker(let levels, let size, let lag, let width): quote(world, levels, size, lag, width)
        case .noise: takeAtRandom(world)
        case .informed: take(world)
        }
    }

    /// The world's money does not run out.
    private func topUp(_ world: GeneratedWorld) {
        let exchange = world.exchange
        let shard = exchange.venue.definitions[Int(market.index)].shard
        if exchange.venue.available(account, shard: shard) < Money(dollars: 100_000) {
            exchange.venue.deposit(Money(dollars: 1_000_000), shard: shard, account: account)
        }
    }

    // MARK: Makers

    private mutating func quote(
        _ world: GeneratedWorld, _ levels: Int, _ size: Int, _ lag: Int, _ width: Double
    ) {
        let venue = world.exchange.venue
        let held = venue.position(account, market).quantity.contracts
        let belief = world.chance(live, place, secondsAgo: lag)
        let fair = min(max(belief - held * 0.000004, 0.04), 0.96)
        orders.removeAll { (venue.order($0.id, account: account)?.remaining ?? .zero).isZero }
        let half = world.lives[live].kind.halfSpread * width * min(1, 0.25 + 6 * fair * (1 - fair))
        let isFull = orders.count >= 2 * levels - 1
        if isFull, abs(fair - quoted) < half * 0.3, world.unit(live) > 0.1 { return }
        quoted = fair
        let wanted = wantedQuotes(world, levels, fair, half)
        for order in orders
        where !wanted.contains(where: { $0.side == order.side && $0.price == order.price }) {
            venue.cancel(order.id, market: market, account: account, at: world.exchange.now)
        }
        orders.removeAll { order in
            !wanted.contains { $0.side == order.side && $0.price == order.price }
        }
        for want in wanted
        where !orders.contains(where: { $0.side == want.side && $0.price == want.price }) {
            let contracts = size * (50 + Int(world.draw(live) % 101)) / 100
            let fraction = world.unit(live) < 0.08 ? Int64(world.draw(live) % 100) : 0
            place(
                world, want.side, Quantity(contracts) + Quantity(hundredths: fraction), want.price,
                .goodTillCancelled, postOnly: true)
        }
    }

    private func wantedQuotes(_ world: GeneratedWorld, _ levels: Int, _ fair: Double, _ half: Double)
        -> [(side: Side, price: Price)]
    {
        let grid = world.exchange.venue.definitions[Int(market.index)].grid
        var wanted: [(side: Side, price: Price)] = []
        for level in 0..<levels {
            let distance = half * (1 + 0.9 * Double(level))
            for side in [Side.bid, .ask] {
                let raw = min(max(side == .bid ? fair - distance : fair + distance, 0.001), 0.999)
                guard let price = Price(rounding: raw).flatMap({ grid.roundedPassively($0, side) }),
                    !wanted.contains(where: { $0.side == side && $0.price == price })
                else { continue }
                wanted.append((side, price))
            }
        }
        return wanted
    }

    // MARK: Takers

    private mutating func takeAtRandom(_ world: GeneratedWorld) {
        let side: Side = world.unit(live) < 0.5 ? .bid : .ask
        guard let touch = world.exchange.venue.best(market, side.opposite) else { return }
        let sizes = [1, 2, 5, 5, 10, 10, 20, 25, 50, 100, 250]
        var size = Quantity(sizes[Int(world.draw(live) % UInt64(sizes.count))])
        if world.unit(live) < 0.15 {
            size += Quantity(hundredths: Int64(world.draw(live) % 100))
        }
        place(world, side, size, touch, .immediateOrCancel)
    }

    private mutating func take(_ world: GeneratedWorld) {
        let truth = world.chance(live, place, secondsAgo: 0)
        let edge = world.lives[live].kind.halfSpread * 1.3
        for side in [Side.bid, .ask] {
            guard let touch = world.exchange.venue.best(market, side.opposite) else { continue }
            let gain = side == .bid ? truth - touch.dollars : touch.dollars - truth
            guard gain > edge else { continue }
            place(world, side, Quantity(20 + Int(world.draw(live) % 120)), touch, .immediateOrCancel)
        }
    }

    private mutating func place(
        _ world: GeneratedWorld, _ side: Side, _ size: Quantity, _ price: Price, _ timeInForce: TimeInForce,
        postOnly: Bool = false
    ) {
        let id = OrderID(world.exchange.nextOrder())
        world.exchange.venue.place(
            PlaceOrder(
                id: id,
                request: OrderRequest(
                    side, size, at: price, in: market, timeInForce: timeInForce, isPostOnly: postOnly,
                    selfTradePrevention: .maker)),
            account: account, at: world.exchange.now)
        if timeInForce.rests { orders.append((id, side, price)) }
    }
}
