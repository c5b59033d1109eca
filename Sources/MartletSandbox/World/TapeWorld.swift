import Martlet
import MartletEngine
import MartletSimulation
import MartletTape

/// A recorded day as the crowd: its markets, books and trades come to pass again, at real speed or faster, while
/// members' orders queue among them as the queue model supposes.
///
/// What the recording begins with (definitions, and the first two seconds of books) has happened when the exchange
/// opens; the rest follows from then on. Opening and closing times move along.
final class TapeWorld: ExchangeWorld {
    unowned let exchange: Exchange
    private var source: TapeSource
    private let speed: Double
    private let origin: Timestamp
    /// The recorded time that is the exchange's first moment.
    private let first: Timestamp
    private static let preface = TimeSpan.seconds(2)
    /// What comes next, and when; nil at the end of the tape.
    private var pending: (step: RunStep, time: Timestamp)?
    private var markets: [Market.ID] = []
    /// What ended the replay early.
    private(set) var problem: String?

    init(_ exchange: Exchange, file: String, speed: Double) throws {
        self.exchange = exchange
        self.speed = speed
        origin = exchange.now
        first = try TapeWorld.opening(file)
        source = TapeSource(try TapeReader(path: file))
        fetch()
        if let problem { throw SandboxError("tape \(file): \(problem)") }
    }

    /// The time of the last record within two seconds of the first book or trade.
    private static func opening(_ file: String) throws -> Timestamp {
        var scout = TapeSource(try TapeReader(path: file))
        var (first, latest) = (Timestamp.unknown, Timestamp.unknown)
        do {
            while true {
                let step = try scout.next()
                if case .end = step { return latest }
                var time = scout.time
                if case .market = step {
                    time = scout.event.receiveTime
                    if !first.isKnown { first = time }
                }
                guard time.isKnown else { continue }
                if first.isKnown, time > first + preface { return latest }
                latest = max(time, latest)
            }
        } catch {
            throw SandboxError("tape \(file): \(error)")
        }
    }

    var nextDue: Timestamp { pending?.time ?? .distantFuture }

    func advance(to now: Timestamp) {
        exchange.isReplaying = true
        defer { exchange.isReplaying = false }
        while let next = pending, next.time <= now {
            switch next.step {
            case .market: apply(source.event, at: next.time)
            case .input: take(source.input)
            case .end: break
            }
            fetch()
        }
        exchange.flush()
    }

    private func fetch() {
        do {
            let step = try source.next()
            if case .end = step {
                pending = nil
                return
            }
            if case .market = step {
                pending = (step, moved(source.event.receiveTime))
            } else {
                pending = (step, moved(source.time))
            }
        } catch {
            problem = "\(error)"
            pending = nil
        }
    }

    /// When a recorded time comes to pass here.
    private func moved(_ time: Timestamp) -> Timestamp {
        guard time.isKnown, first.isKnown else { return time }
        return origin + .nanoseconds(Int64(Double((time - first).nanoseconds) / speed))
    }

    private func apply(_ recorded: MarketEvent, at time: Timestamp) {
        guard Int(recorded.market.index) < markets.count else { return }
        var event = recorded
        event.market = markets[Int(recorded.market.index)]
        event.exchangeTime = recorded.exchangeTime.isKnown ? moved(recorded.exchangeTime) : time
        event.receiveTime = time
        _ = exchange.venue.apply(event)
        if event.flags.contains(.groupEnd) || event.kind == .groupEnd { exchange.flush() }
    }

    private func take(_ input: EngineInput) {
        let venue = exchange.venue
        switch input {
        case .defined(let market): define(market)
        case .status(let market, let status):
            ifKnown(market) { venue.setStatus($0, status, at: exchange.now) }
        case .result(let market, let result):
            ifKnown(market) { venue.setResult($0, result, at: exchange.now) }
        case .settled(let market, let result): ifKnown(market) { venue.settle($0, result, at: exchange.now) }
        case .unusable(let market, _): ifKnown(market) { venue.setUnusable($0) }
        case .started, .market, .ticker, .reference, .report, .balance, .adoptedOrder, .adoptedPosition,
            .limits, .clock, .command, .stopped:
            break
        }
        exchange.flush()
    }

    private func ifKnown(_ market: Market.ID, _ body: (Market.ID) -> Void) {
        guard Int(market.index) < markets.count else { return }
        body(markets[Int(market.index)])
    }

    private func define(_ recorded: Market) {
        var market = recorded
        market.openTime = moved(recorded.openTime)
        market.closeTime = moved(recorded.closeTime)
        market.shard = Exchange.shards.indices.contains(market.shard) ? market.shard : 0
        exchange.add(
            SeriesRecord(
                ticker: market.series, title: market.title, category: "Recorded", frequency: "custom",
                tags: [],
                fees: market.fees, shard: market.shard, created: exchange.now))
        exchange.add(
            EventRecord(
                ticker: market.event, series: market.series, title: market.title, subtitle: "",
                category: "Recorded", isMutuallyExclusive: market.isMutuallyExclusive,
                collateralReturn: market.collateralReturn, shard: market.shard, strikeDate: market.closeTime,
                updated: exchange.now))
        let id = exchange.add(
            MarketDescription(
                definition: market, noSubtitle: market.subtitle, rules: "As recorded.",
                structure: PriceGrid.knownStructures.first { PriceGrid.labelled($0) == market.grid } ?? ""))
        if !markets.contains(id) { markets.append(id) }
    }
}
