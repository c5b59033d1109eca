import Martlet
import MartletEngine

/// One market of the demonstration world: its definition, when it lives, and what it is about. Times in seconds
/// from the world's start.
struct DemoMarket {
    enum Subject {
        case bracket(low: Double, high: Double)
        case coin(from: Int, to: Int)
        case home, visitors
        case candidate(first: Bool)
        case mention(Int)
    }
    var definition: Market
    var subject: Subject
    /// When it becomes known.
    var listed: Int
    var opens: Int
    /// Nil: beyond the day.
    var closes: Int?
    /// Half of what makers want between their best prices.
    var halfSpread: Double
    /// How busy its agents are; 1 is usual.
    var activity: Double
    var id = Market.ID(0)

    /// The true chance that it settles yes.
    func chance(_ truth: DemoTruth, at second: Int) -> Double {
        switch subject {
        case .bracket(let low, let high): truth.bracket(low, high, at: second, until: closes ?? second)
        case .coin(let from, let to): truth.above(from: from, to: to, at: second)
        case .home: truth.homeWins(at: second)
        case .visitors: 1 - truth.homeWins(at: second)
        case .candidate(let first):
            first ? truth.firstCandidate(at: second) : 1 - truth.firstCandidate(at: second)
        case .mention(let index): truth.mentions[index].chance
        }
    }
    /// What the crowd believes: long shots are thought likelier than they are, favourites less so.
    func opinion(_ truth: DemoTruth, at second: Int) -> Double {
        let chance = chance(truth, at: second)
        if case .mention = subject { return 0.5 + (chance - 0.5) * 0.88 }
        return chance
    }
    /// How it comes out; nil when it is not decided on this day.
    func result(_ truth: DemoTruth) -> MarketResult? {
        guard let closes else { return nil }
        switch subject {
        case .bracket(let low, let high):
            let degrees = truth.finalTemperature(at: closes)
            return degrees >= low && degrees < high ? .yes : .no
        case .coin(let from, let to):
            return truth.coinPrice(at: to) >= truth.coinPrice(at: from) ? .yes : .no
        case .home: return truth.score(at: closes) > 0 ? .yes : .no
        case .visitors: return truth.score(at: closes) < 0 ? .yes : .no
        case .candidate: return nil
        case .mention(let index): return truth.mentions[index].happens ? .yes : .no
        }
    }
    /// Whether something is expected within the next minute: makers step back.
    func isNervous(at second: Int) -> Bool {
        switch subject {
        case .bracket: DemoTruth.observations.contains { $0 > second && $0 - second <= 60 }
        case .candidate: DemoTruth.electionNews > second && DemoTruth.electionNews - second <= 60
        case .coin, .home, .visitors, .mention: false
        }
    }

    // MARK: The day's list

    /// 2026-11-23, 12:00 UTC.
    static let start = Timestamp(seconds: 1_795_435_200)
    static func time(_ second: Int) -> Timestamp { start + .seconds(Int64(second)) }

    static func all(_ truth: DemoTruth) -> [DemoMarket] {
        weather() + [true, false].map(candidate) + [true, false].map(team) + (0..<12).map(mention)
            + (0..<8).map { coin($0, truth) }
    }

    private static func weather() -> [DemoMarket] {
        let edges = [-100, 50, 52, 54, 56, 58, 200]
        return (0..<6).map { index in
            let (low, high) = (edges[index], edges[index + 1])
            let name =
                index == 0 ? "T50" : index == 5 ? "T57" : "B\(low).5"
            let text = index == 0 ? "below 50°" : index == 5 ? "58° or above" : "\(low)° to \(high - 1)°"
            return DemoMarket(
                definition: Market(
                    ticker: "KXHIGHNY-26NOV23-\(name)", event: "KXHIGHNY-26NOV23", series: "KXHIGHNY",
                    title: "Highest temperature in New York on Nov 23", subtitle: text,
                    grid: PriceGrid.labelled("tapered_deci_cent") ?? .cent, openTime: time(-86_400),
                    closeTime: time(12_600), isMutuallyExclusive: true,
                    collateralReturn: .mutuallyExclusive, settlementTimer: .seconds(300)),
                subject: .bracket(low: Double(low), high: Double(high)), listed: -120, opens: -120,
                closes: 12_600, halfSpread: 0.011, activity: 1)
        }
    }

    private static func candidate(_ first: Bool) -> DemoMarket {
        DemoMarket(
            definition: Market(
                ticker: "KXMAYOR-28-\(first ? "ADA" : "BEN")", event: "KXMAYOR-28", series: "KXMAYOR",
                title: "Who will be elected mayor?", subtitle: first ? "Ada Lovell" : "Ben Okafor",
                grid: .deciCent, openTime: time(-90 * 86_400), closeTime: time(700 * 86_400),
                fees: FeeTerms(type: .quadraticWithMakerFees), isMutuallyExclusive: true,
                collateralReturn: .mutuallyExclusive, settlementTimer: .seconds(3600)),
            subject: .candidate(first: first), listed: -120, opens: -120, closes: nil, halfSpread: 0.004,
            activity: 1.2)
    }

    private static func team(_ home: Bool) -> DemoMarket {
        DemoMarket(
            definition: Market(
                ticker: "KXNFLGAME-26NOV23-\(home ? "NYJ" : "MIA")", event: "KXNFLGAME-26NOV23",
                series: "KXNFLGAME", title: "Miami at New York", subtitle: home ? "New York" : "Miami",
                grid: .cent, openTime: time(-3 * 86_400), closeTime: time(13_860),
                fees: FeeTerms(type: .quadraticWithMakerFees), isMutuallyExclusive: true,
                settlementTimer: .seconds(60)),
            subject: home ? .home : .visitors, listed: -120, opens: -120, closes: 13_860,
            halfSpread: 0.012, activity: 1.5)
    }

    private static func mention(_ index: Int) -> DemoMarket {
        let words = [
            "Aardvark", "Blockchain", "Comet", "Dirigible", "Eclipse", "Falcon", "Glacier", "Harvest",
            "Inflation", "Jobs", "Kids", "Law",
        ]
        return DemoMarket(
            definition: Market(
                ticker: "KXMENTION-26NOV23-\(words[index].uppercased().prefix(4))",
                event: "KXMENTION-26NOV23", series: "KXMENTION", title: "What will be said in the speech?",
                subtitle: words[index], grid: .cent, openTime: time(-86_400), closeTime: time(13_200),
                settlementTimer: .seconds(120)),
            subject: .mention(index), listed: -120, opens: -120, closes: 13_200, halfSpread: 0.013,
            activity: 0.45)
    }

    private static func coin(_ window: Int, _ truth: DemoTruth) -> DemoMarket {
        let from = 7200 + window * 900
        let hour = 14 + window / 4
        let minute = window % 4 * 15
        let name = "26NOV23\(hour)\(minute == 0 ? "00" : "\(minute)")"
        let strike = Int(truth.coinPrice(at: from))
        return DemoMarket(
            definition: Market(
                ticker: "KXBTC15M-\(name)-\(minute)", event: "KXBTC15M-\(name)", series: "KXBTC15M",
                title: "Bitcoin up in the next 15 minutes?", subtitle: "at or above $\(strike)",
                grid: PriceGrid.labelled("tapered_deci_cent") ?? .cent, openTime: time(from),
                closeTime: time(from + 900), shard: 2, settlementTimer: .seconds(20)),
            subject: .coin(from: from, to: from + 900), listed: from - 60, opens: from, closes: from + 900,
            halfSpread: 0.012, activity: 5)
    }
}
