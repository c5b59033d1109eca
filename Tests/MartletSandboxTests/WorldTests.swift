import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation
import MartletTape
import MartletWire
import Testing

@testable import MartletSandbox

struct WorldTests {
    private func exchange(seed: UInt64, markets: Int) -> (Exchange, GeneratedWorld) {
        var settings = SandboxSettings()
        settings.seed = seed
        settings.world.markets = markets
        let exchange = Exchange(settings: settings, now: Timestamp(seconds: 1_795_435_000))
        let world = GeneratedWorld(exchange, settings: settings.world, seed: seed)
        exchange.world = world
        return (exchange, world)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func marketsAreQuotedSoonAndMoneyIsConserved(_ seed: UInt64) {
        let (exchange, _) = exchange(seed: seed, markets: 17)
        exchange.catchUp(to: exchange.now + .seconds(20))
        for market in exchange.markets where exchange.venue.isOpen(market.id) {
            #expect(exchange.isQuoted(market.id), "seed \(seed): \(market.ticker)")
        }
        exchange.catchUp(to: exchange.now + .seconds(120))
        exchange.venue.checkInvariants()
        for market in exchange.markets {
            let open = (0..<exchange.venue.accountCount).reduce(Quantity.zero) {
                $0 + max(exchange.venue.position($1, market.id).quantity, .zero)
            }
            #expect(market.openInterest == open, "seed \(seed): \(market.ticker)")
            let traded = market.minutes.candles.reduce(Quantity.zero) { $0 + $1.volume }
            #expect(traded == market.volume)
        }
    }

    @Test func theSameSeedGivesTheSameWorld() {
        func trades(_ seed: UInt64) -> [String] {
            let (exchange, _) = exchange(seed: seed, markets: 12)
            exchange.catchUp(to: exchange.now + .seconds(40))
            return exchange.trades.trades.map {
                "\($0.id) \($0.market) \($0.price) \($0.quantity) \($0.time)"
            }
        }
        let first = trades(7)
        #expect(first.count > 20 && first == trades(7) && first != trades(8))
    }

    /// One seed gives the same books at any time of day: only the markets named by the clock differ.
    @Test func theHourOfTheStartDoesNotMatter() {
        func books(_ later: TimeSpan) -> [String] {
            var settings = SandboxSettings()
            settings.world.markets = 17
            let exchange = Exchange(settings: settings, now: Timestamp(seconds: 1_795_435_000) + later)
            let world = GeneratedWorld(exchange, settings: settings.world, seed: 7)
            exchange.world = world
            exchange.catchUp(to: exchange.now + .seconds(90))
            return exchange.markets.filter { !$0.ticker.hasPrefix("KXBTC") }.map { market in
                let sides = [Side.bid, .ask].map { "\(exchange.venue.levels(market.id, $0))" }
                return "\(market.ticker.suffix(4)) \(sides) \(market.volume)"
            }
        }
        let first = books(.zero)
        #expect(first.count > 10 && first == books(.milliseconds(437_123)))
    }

    /// Whatever the speed, nothing of the recording is over before anybody can connect.
    @Test func aFastTapeBeginsAtItsBeginning() async throws {
        let folder = try ScratchFolder()
        let file = folder.path + "/day.tape"
        try TapeFixture.write(to: file)
        let rig = try await SandboxRig {
            $0.world.tape = file
            $0.world.speed = 60
        }
        #expect(rig.markets == ["KXTAPE-1-A"])
        let before = try await rig.call("GET", "markets/trades")
        #expect(before["trades"]?.array?.isEmpty == true)
        try await rig.step(seconds: 1)
        #expect(try await rig.call("GET", "markets/trades")["trades"]?.array?.count == 1)
    }

    /// A market of fifteen minutes opens, closes, is determined and paid, and the next one follows.
    @Test func shortMarketsFollowEachOther() throws {
        let (exchange, world) = exchange(seed: 5, markets: 9)
        exchange.catchUp(to: exchange.now + .seconds(10))
        world.activity = 0
        exchange.catchUp(to: exchange.now + .seconds(1200))
        let coins = exchange.markets.filter { $0.ticker.hasPrefix("KXBTC") }
        #expect(coins.count >= 2)
        let statuses = coins.map { exchange.venue.statuses[Int($0.id.index)] }
        #expect(statuses.first == .finalized && statuses.contains(.active))
        exchange.venue.checkInvariants()
    }

    @Test func identifiersAreReadBack() {
        let orders = Identifiers(seed: 9, kind: 1)
        let trades = Identifiers(seed: 9, kind: 2)
        for number in [0, 1, 2, 77, 1 << 40, (1 << 48) - 1] as [UInt64] {
            let text = orders.text(number)
            #expect(text.utf8.count == 36 && orders.number(text) == number)
            #expect(trades.number(text) == nil)
        }
        #expect(Set((0..<5000).map { orders.text($0) }).count == 5000)
        for text in ["", "x", "00000000-0000-4000-a000-000000000000", String(repeating: "f", count: 36)] {
            #expect(orders.number(text) == nil)
        }
    }

    /// A recorded day as the crowd: its books come to pass, and members trade in it.
    @Test func aTapeIsTheCrowd() async throws {
        let folder = try ScratchFolder()
        let file = folder.path + "/day.tape"
        try TapeFixture.write(to: file)
        let rig = try await SandboxRig {
            $0.world.tape = file
            $0.world.warmUpSeconds = 5
        }
        #expect(rig.markets == ["KXTAPE-1-A"])
        let taken = try await rig.place(
            SandboxRig.order("KXTAPE-1-A", "bid", "5", at: "0.45", "immediate_or_cancel"), as: rig.alice)
        #expect(taken["fill_count"]?.string == "5.00" && taken["average_fill_price"]?.string == "0.4200")
        let queued = try await rig.place(
            SandboxRig.order("KXTAPE-1-A", "bid", "5", at: "0.40"), as: rig.alice)
        let id = try #require(queued["order_id"]?.string)
        let ahead = try await rig.call("GET", "portfolio/orders/\(id)/queue_position", as: rig.alice)
        #expect(ahead["queue_position_fp"]?.string == "100.00")
        // The recorded taker of 103 contracts reaches us with three.
        try await rig.step(seconds: 60)
        let order = try await rig.call("GET", "portfolio/orders/\(id)", as: rig.alice)
        #expect(order["order"]?["fill_count_fp"]?.string == "3.00")
        try await rig.inside { $0.exchange.venue.checkInvariants() }
    }
}
