import Martlet
import MartletEngine
import Testing

@testable import MartletLive

/// What strategies see of a book never holds our own contracts for long: random orders of ours and of others, our fills
/// told by the feed and by their own message in either order, marked as ours or not, against a plain model.
@Suite struct OwnBookTests {
    /// The exchange's levels, and what the engine's book shows of them.
    private struct World {
        var others: [Int: Int64] = [:]
        var own: [Int: Int64] = [:]
        /// Ours by our orders' state: answers and fills as far as they have come.
        var truth: [Int: Int64] = [:]
        var shown: [Int: Int64] = [:]
        var book = OwnBook()
        var now = Timestamp(seconds: 1_000)
    }
    private enum Message {
        case delta(Int, Int64, isOwn: Bool)
        case answer(Int, Int64)
        case fill(Int, Int64)
    }
    private static let market = Market.ID(0)
    private static func price(_ level: Int) -> Price { Price(cents: 10 + level) }

    private func below(_ count: Int, _ chance: inout SeededGenerator) -> Int {
        Int(chance.next() as UInt64 % UInt64(count))
    }

    @Test(arguments: [true, false])
    func whatIsQuietShowsOthersAlone(marksFills: Bool) {
        let seed = UInt64.random(in: 1 ... .max)
        print("seed \(seed)")
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var world = World()
            var waiting: [[Message]] = []
            for _ in 0..<60 {
                act(&world, &waiting, marksFills, &chance)
                while !waiting.isEmpty, below(3, &chance) != 0 { deliver(&world, &waiting, &chance) }
            }
            while !waiting.isEmpty { deliver(&world, &waiting, &chance) }
            world.now = world.now + .seconds(5)
            settle(&world)
            for level in 0..<6 {
                #expect(world.shown[level, default: 0] == world.others[level, default: 0], "level \(level)")
            }
        }
    }

    /// Something happens at the exchange; what it tells comes later, each way in its own order.
    private func act(
        _ world: inout World, _ waiting: inout [[Message]], _ marksFills: Bool,
        _ chance: inout SeededGenerator
    ) {
        let level = below(6, &chance)
        let size: Int64 = 100 * Int64(1 + below(5, &chance))
        if waiting.isEmpty { waiting = [[], []] }
        switch below(5, &chance) {
        case 0:
            world.own[level, default: 0] += size
            waiting[0].append(.delta(level, size, isOwn: true))
            waiting[1].append(.answer(level, size))
        case 1 where world.own[level, default: 0] >= size:
            world.own[level, default: 0] -= size
            waiting[0].append(.delta(level, -size, isOwn: true))
            waiting[1].append(.answer(level, -size))
        case 2 where world.own[level, default: 0] >= size:
            world.own[level, default: 0] -= size
            waiting[0].append(.delta(level, -size, isOwn: marksFills))
            waiting[1].append(.fill(level, size))
        case 3 where world.others[level, default: 0] >= size:
            world.others[level, default: 0] -= size
            waiting[0].append(.delta(level, -size, isOwn: false))
        default:
            world.others[level, default: 0] += size
            waiting[0].append(.delta(level, size, isOwn: false))
        }
    }

    private func deliver(_ world: inout World, _ waiting: inout [[Message]], _ chance: inout SeededGenerator)
    {
        let ready = waiting.indices.filter { !waiting[$0].isEmpty }
        guard !ready.isEmpty else {
            waiting = []
            return
        }
        world.now = world.now + .milliseconds(Int64(below(5, &chance)))
        switch waiting[ready[below(ready.count, &chance)]].removeFirst() {
        case .delta(let level, let size, let isOwn):
            let event = MarketEvent(
                .delta, market: Self.market, side: .bid, price: Self.price(level),
                quantity: Quantity(hundredths: size), flags: isOwn ? .own : [], receiveTime: world.now)
            let shown = Quantity(hundredths: world.shown[level, default: 0])
            let change =
                isOwn || world.book.hasLevels(Self.market)
                ? world.book.change(event, shown: shown) : event.quantity
            world.shown[level, default: 0] += change.hundredths
        case .answer(let level, let size):
            world.truth[level, default: 0] += size
            world.book.touch(Self.market, at: world.now)
        case .fill(let level, let size):
            world.truth[level, default: 0] -= size
            let fill = Fill(
                tradeID: "t", order: OrderID(1), market: Self.market, side: .bid, price: Self.price(level),
                quantity: Quantity(hundredths: size), isTaker: false, fee: .zero, exchangeTime: world.now)
            let change = world.book.filled(
                fill, truth: Quantity(hundredths: max(world.truth[level, default: 0], 0)),
                shown: Quantity(hundredths: world.shown[level, default: 0]), at: world.now)
            world.shown[level, default: 0] += change.hundredths
        }
    }

    private func settle(_ world: inout World) {
        for market in world.book.takeQuiet(at: world.now) {
            let resting = world.truth.sorted { $0.key < $1.key }.filter { $0.value > 0 }.map {
                (side: Side.bid, price: Self.price($0.key), size: Quantity(hundredths: $0.value))
            }
            let before = world.shown
            var changes: [(Price, Quantity)] = []
            world.book.settle(
                market, resting: resting,
                shown: { _, price in
                    let level = (0..<6).first { Self.price($0) == price } ?? 0
                    return Quantity(hundredths: before[level, default: 0])
                }, change: { changes.append(($1, $2)) })
            for (price, change) in changes {
                let level = (0..<6).first { Self.price($0) == price } ?? 0
                world.shown[level, default: 0] += change.hundredths
            }
        }
    }
}
