import Foundation
import Martlet
import MartletEngine
import MartletSimulation

/// A world of events from a seed, traded by simple agents with real orders: makers, noise takers, informed
/// traders. Events end, are determined by what was true, and new ones follow.
///
/// Each event's truth is a walk of its markets' logits with a jump now and then (news). Each event has dice of its own,
/// so that one seed gives the same books at any time of day, whatever the clock's quarters do to other events.
final class GeneratedWorld: ExchangeWorld {
    private enum Moment {
        case agent(Int)
        case walk(Int)
        case list(WorldKind, place: Int, round: Int, opens: Timestamp)
        case determine(Int)
    }

    /// An event's truth.
    struct Live {
        var kind: WorldKind
        var place: Int
        var round: Int
        var markets: [Market.ID]
        var logits: [Double]
        var closes: Timestamp
        /// Truth some seconds ago, latest last: makers see it late.
        var past: [[Double]] = []
        var generator: SeededGenerator
        var isOver = false
    }

    unowned let exchange: Exchange
    private let seed: UInt64
    var agents: [WorldAgent] = []
    private(set) var lives: [Live] = []
    private var moments = DueQueue<Moment>()
    /// Busy accounts of ended events, used again so that hours of rotation cost no memory.
    private var spare: [[Int]] = []
    /// Places in `agents` of those who have gone, once nothing is due for them any more.
    private var vacant: [Int] = []
    private var settings: WorldSettings
    private(set) var now: Timestamp
    /// As ``WorldSettings/activity``: 0 lets the agents stand still.
    var activity: Double {
        get { settings.activity }
        set { settings.activity = newValue }
    }
    private var isFrozen: Bool { settings.activity <= 0 }

    init(_ exchange: Exchange, settings: WorldSettings, seed: UInt64) {
        self.exchange = exchange
        self.settings = settings
        self.seed = seed
        now = exchange.now
        var left = settings.markets
        var place = 0
        // One event of each kind, again and again, until there are enough markets.
        while left > 0 {
            for kind in WorldKind.allCases where left > 0 {
                list(kind, place: place, round: 0, opens: opening(kind, place))
                left -= kind.marketCount
            }
            place += 1
        }
    }

    /// Events of the first round have begun some time ago.
    private func opening(_ kind: WorldKind, _ place: Int) -> Timestamp {
        let quarter: Int64 = 900
        if kind == .coin { return Timestamp(seconds: now.seconds / quarter * quarter) }
        return Timestamp(seconds: now.seconds - 3600)
    }

    var nextDue: Timestamp { moments.next }

    func advance(to time: Timestamp) {
        now = time
        while moments.next <= time, let (_, moment) = moments.removeFirst() {
            switch moment {
            case .agent(let index): wake(index)
            case .walk(let index): walk(index)
            case .list(let kind, let place, let round, let opens):
                list(kind, place: place, round: round, opens: opens)
            case .determine(let index): determine(index)
            }
        }
    }

    // MARK: Events

    private func list(_ kind: WorldKind, place: Int, round: Int, opens: Timestamp) {
        let closes = opens + kind.life
        let listing = WorldListing(kind, place: place, round: round, opens: opens, closes: closes)
        exchange.add(listing.series)
        exchange.add(listing.event)
        let markets = listing.markets.map { exchange.add($0) }
        let index = lives.count
        let name = UInt64(kind.rawValue) << 48 | UInt64(place & 0xFFFF) << 32 | UInt64(round & 0xFFFF_FFFF)
        lives.append(
            Live(
                kind: kind, place: place, round: round, markets: markets, logits: [], closes: closes,
                generator: SeededGenerator(seed: seed ^ (name &* 0x9E37_79B9_7F4A_7C15))))
        for _ in markets { lives[index].logits.append(normal(index) * (kind.isExclusive ? 0.6 : 1.1)) }
        moments.insert(.walk(index), at: now + .seconds(1))
        moments.insert(.determine(index), at: closes + .seconds(5))
        let start = max(opens, now)
        // Contracts of fifteen minutes are listed a minute before they open; the others follow at once.
        let next = kind == .coin ? closes - .seconds(60) : closes
        moments.insert(
            .list(kind, place: place, round: round + 1, opens: closes), at: max(next, now + .seconds(1)))
        populate(index, from: start)
    }

    private func populate(_ live: Int, from start: Timestamp) {
        var crews = spare.popLast() ?? []
        let kind = lives[live].kind
        for place in lives[live].markets.indices {
            for var agent in WorldAgent.crew(kind) {
                agent.live = live
                agent.place = place
                agent.market = lives[live].markets[place]
                if let account = crews.popLast() {
                    agent.account = account
                } else {
                    agent.account = exchange.addAgent(Money(dollars: 1_000_000), shard: kind.shard)
                }
                let place = vacant.popLast() ?? agents.count
                if place < agents.count { agents[place] = agent } else { agents.append(agent) }
                let wait = TimeSpan.milliseconds(Int64(Double(agent.start) * 1000 + unit(live) * 900))
                moments.insert(.agent(place), at: start + wait)
            }
        }
    }

    private func walk(_ index: Int) {
        guard !lives[index].isOver else { return }
        let kind = lives[index].kind
        for place in lives[index].logits.indices {
            lives[index].logits[place] += kind.volatility * normal(index)
            // News: about once in twenty minutes.
            if unit(index) < 1.0 / 1200 { lives[index].logits[place] += 0.4 * normal(index) }
            lives[index].logits[place] = min(max(lives[index].logits[place], -3.2), 3.2)
        }
        if kind == .coin { tellIndex(lives[index]) }
        lives[index].past.append(lives[index].logits)
        if lives[index].past.count > 32 { lives[index].past.removeFirst(16) }
        moments.insert(.walk(index), at: now + .seconds(1))
    }

    /// The coin's price, which moves with the chance that it ends above where it began.
    private func tellIndex(_ live: Live) {
        let index = GeneratedWorld.indexes[live.place % GeneratedWorld.indexes.count]
        let value = Double(index.cents) * (1 + 0.002 * live.logits[0])
        exchange.audience?.indexed(index.names, Int64(value))
    }
    private static let indexes: [(names: ReferenceIndex, cents: Int64)] = [
        (ReferenceIndex(id: "BRTI", underlying: "Crypto.BTC/USD"), 8_100_000),
        (ReferenceIndex(id: "ETHUSD_RTI", underlying: "Crypto.ETH/USD"), 310_000),
        (ReferenceIndex(id: "SOLUSD_RTI", underlying: "Crypto.SOL/USD"), 14_000),
        (ReferenceIndex(id: "XRPUSD_RTI", underlying: "Crypto.XRP/USD"), 215),
    ]

    private func determine(_ index: Int) {
        lives[index].isOver = true
        let live = lives[index]
        let chances = live.markets.indices.map { chance(index, $0, secondsAgo: 0) }
        var winner = -1
        if live.kind.isExclusive {
            var draw = unit(index) * chances.reduce(0, +)
            winner = chances.count - 1
            for (place, chance) in chances.enumerated() {
                draw -= chance
                if draw <= 0 {
                    winner = place
                    break
                }
            }
        }
        for (place, market) in live.markets.enumerated() {
            let happens = live.kind.isExclusive ? place == winner : unit(index) < chances[place]
            exchange.venue.setResult(market, happens ? .yes : .no, at: exchange.now)
            exchange.markets[Int(market.index)].expirationValue = happens ? "yes" : "no"
            exchange.flush()
        }
        spare.append(agents.filter { $0.live == index }.map(\.account))
        lives[index].past = []
    }

    /// The true chance of a market of an event, or what it was some seconds ago.
    func chance(_ live: Int, _ place: Int, secondsAgo: Int) -> Double {
        let past = lives[live].past
        let logits =
            secondsAgo == 0 || past.isEmpty ? lives[live].logits : past[max(past.count - secondsAgo, 0)]
        if lives[live].kind.isExclusive {
            let sum = logits.reduce(0) { $0 + exp($1) }
            return exp(logits[place]) / sum
        }
        return 1 / (1 + exp(-logits[place]))
    }

    // MARK: Agents

    private func wake(_ index: Int) {
        guard !lives[agents[index].live].isOver else { return vacant.append(index) }
        if exchange.venue.isOpen(agents[index].market), !isFrozen {
            agents[index].act(self)
            exchange.flush()
        } else if isFrozen {
            moments.insert(.agent(index), at: now + .seconds(5))
            return
        }
        let pace = agents[index].interval / lives[agents[index].live].kind.activity
        let wait = pace / max(settings.activity, 0.001) * 2 * (0.05 + 0.95 * unit(agents[index].live))
        moments.insert(.agent(index), at: now + .nanoseconds(Int64(max(wait, 0.001) * 1e9)))
    }

    // MARK: An event's dice

    func unit(_ live: Int) -> Double { lives[live].generator.unit() }
    func draw(_ live: Int) -> UInt64 { lives[live].generator.next() }
    /// Standard normal to a good approximation: the sum of twelve uniforms less six.
    private func normal(_ live: Int) -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit(live) }
        return sum
    }
}
