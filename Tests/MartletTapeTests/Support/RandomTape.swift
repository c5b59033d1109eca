import Martlet
import MartletEngine
import MartletTape

/// Random things for a tape to say: every kind of record, valid in itself though not as a market.
struct RandomTape {
    private var random: SeededGenerator
    private var now = Timestamp(milliseconds: 1_780_000_000_000)
    private(set) var markets = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func make(_ count: Int) -> [Said] {
        var said: [Said] = [.input(.defined(definition(0)), at: now)]
        markets = 1
        while said.count < count { said.append(one()) }
        return said
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    private mutating func flip() -> Bool { Bool.random(using: &random) }
    private mutating func market() -> Market.ID { Market.ID(below(markets)) }
    private mutating func price() -> Price { Price(micros: 100 * (1 + below(9_999))) }
    private mutating func quantity() -> Quantity {
        Quantity(hundredths: Int64.random(in: -(1 << 43)...(1 << 43) - 1, using: &random))
    }
    private mutating func optional<T>(_ make: (inout RandomTape) -> T) -> T? { flip() ? make(&self) : nil }
    private mutating func exchangeTime() -> Timestamp {
        flip() ? .unknown : now + .microseconds(Int64(below(1_000_000)) - 500_000)
    }
    private mutating func word(_ length: Int) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABC -0123456789äß€🐦")
        return String((0..<below(length + 1)).map { _ in letters[below(letters.count)] })
    }

    mutating func definition(_ index: Int) -> Market {
        let structure = PriceGrid.knownStructures[below(PriceGrid.knownStructures.count)]
        return Market(
            ticker: "KXTEST-\(index / 3)-M\(index)", title: word(40), subtitle: word(10),
            grid: PriceGrid.labelled(structure) ?? .cent, openTime: exchangeTime(), closeTime: exchangeTime(),
            shard: below(3),
            fees: FeeTerms(type: flip() ? .quadratic : .unknown("flat"), multiplierMillionths: 500_000),
            isMutuallyExclusive: flip(), collateralReturn: flip() ? .mutuallyExclusive : .unknown("NEW"),
            settlementTimer: .seconds(Int64(below(3600))), assumptions: flip() ? [] : ["grid", word(20)])
    }

    private mutating func one() -> Said {
        if below(3) == 0 { now = now + .nanoseconds(Int64(below(5_000_000))) }
        switch below(20) {
        case 0: return .input(.defined(nextDefinition()), at: now)
        case 1:
            let ticker = Ticker(
                market: market(), lastPrice: optional { $0.price() }, bestBid: optional { $0.price() },
                bestAsk: optional { $0.price() }, bidSize: optional { $0.quantity() },
                askSize: optional { $0.quantity() }, volume: optional { $0.quantity() },
                openInterest: optional { $0.quantity() }, exchangeTime: exchangeTime())
            return .input(.ticker(ticker), at: now)
        case 2:
            let value = ReferenceValue(
                index: "cfbenchmarks:" + word(6), value: Int64.random(in: .min ... .max, using: &random),
                settlementAverage: optional { Int64($0.below(1000)) }, exchangeTime: exchangeTime())
            return .input(.reference(value), at: now)
        case 3: return .input(.status(market(), flip() ? .inactive : .unknown(word(9) + "x")), at: now)
        case 4: return .input(.result(market(), flip() ? .yes : .scalar(price())), at: now)
        case 5: return .input(.settled(market(), .no), at: now)
        case 6: return .input(.unusable(market(), fault()), at: now)
        case 7:
            return .note(TapeNote(TapeNote.Topic.allCases[below(5)], word(60)), at: now)
        case 8:
            let id = flip() ? "351da2be-4c23-716e-0bc5-96ff0c823ceb" : word(20) + "!"
            return .event(event(.trade), id: id)
        default:
            let kinds: [MarketEvent.Kind] = [
                .delta, .trade, .snapshotStart, .snapshotLevel, .groupEnd,
            ]
            return .event(event(kinds[below(kinds.count)]), id: nil)
        }
    }

    private mutating func nextDefinition() -> Market {
        guard flip() else { return definition(below(markets)) }
        markets += 1
        return definition(markets - 1)
    }

    private mutating func fault() -> BookFault {
        switch below(6) {
        case 0: .gap
        case 1: .negativeSize(side: .ask, price: price(), size: quantity())
        case 2: .invalidPrice(side: .bid, price: Price(micros: below(2_000_000) - 500_000))
        case 3: .unknownMarket
        case 4: .crossed
        default: .noSnapshot
        }
    }

    private mutating func event(_ kind: MarketEvent.Kind) -> MarketEvent {
        let hasPrice = kind != .snapshotStart && kind != .groupEnd
        return MarketEvent(
            kind, market: market(), side: flip() ? .bid : .ask, price: hasPrice ? price() : .zero,
            quantity: quantity(), flags: MarketEvent.Flags(rawValue: UInt8(below(256))),
            exchangeTime: exchangeTime(), receiveTime: now)
    }
}
