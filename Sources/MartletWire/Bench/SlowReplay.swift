import Martlet

/// The books of recorded frames by the general parser and a dictionary: what a benchmark's result is checked
/// against. Slow, and with nothing in common with the quick ways but the values' types.
struct SlowReplay {
    struct Level: Hashable, Comparable, Sendable {
        var market: Int
        var side: Side
        var price: Price
        var size: Quantity

        static func < (a: Level, b: Level) -> Bool {
            (a.market, a.side.rawValue, a.price.micros) < (b.market, b.side.rawValue, b.price.micros)
        }
    }
    private struct Place: Hashable {
        var market: Int
        var side: Side
        var price: Price
    }

    /// In the order in which they were met.
    private(set) var tickers: [String] = []
    /// What snapshots gave before a market's first delta.
    private var initial: [Place: Int64] = [:]
    /// The sum of a place's changes, and the least that it ever was.
    private var changes: [Place: (sum: Int64, least: Int64)] = [:]
    private var decoder = MessageDecoder(usesYesPrice: false)

    /// Takes a parsed frame; returns its kind where it was a delta or a snapshot.
    mutating func take(_ value: JSONValue) -> WireFrame.Kind? {
        guard let frame = try? decoder.decode(value), frame.market >= 0 else { return nil }
        while tickers.count < decoder.tickers.count { tickers.append(decoder.tickers.ticker(tickers.count)) }
        switch frame.kind {
        case .snapshot:
            for level in decoder.levels {
                let place = Place(market: frame.market, side: level.side, price: level.price)
                if initial[place] == nil { initial[place] = level.quantity.hundredths }
            }
            return .snapshot
        case .delta:
            let place = Place(market: frame.market, side: frame.side, price: frame.price)
            var change = changes[place] ?? (0, 0)
            change.sum += frame.quantity.hundredths
            change.least = min(change.least, change.sum)
            changes[place] = change
            return .delta
        default: return nil
        }
    }

    /// The books before the first delta: the snapshots', raised where the deltas alone (those of a part of a
    /// session) would drive a level below zero.
    func start() -> [Level] {
        var sizes = initial
        for (place, change) in changes { sizes[place] = max(sizes[place] ?? 0, -change.least) }
        return SlowReplay.levels(sizes)
    }

    /// The books after the last delta.
    func end() -> [Level] {
        var sizes: [Place: Int64] = [:]
        for level in start() {
            sizes[Place(market: level.market, side: level.side, price: level.price)] = level.size.hundredths
        }
        for (place, change) in changes { sizes[place, default: 0] += change.sum }
        return SlowReplay.levels(sizes)
    }

    private static func levels(_ sizes: [Place: Int64]) -> [Level] {
        sizes.filter { $0.value != 0 }.map {
            Level(
                market: $0.key.market, side: $0.key.side, price: $0.key.price,
                size: Quantity(hundredths: $0.value))
        }.sorted()
    }

    /// FNV-1a (Fowler, Noll and Vo) over each level's ticker, side, price and size, in order.
    static func hash(_ levels: [Level], _ tickers: [String]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for level in levels.sorted() {
            let text = "\(tickers[level.market]) \(level.side) \(level.price) \(level.size)\n"
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return hash
    }
}
