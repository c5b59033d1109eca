import Foundation
import Martlet
import MartletEngine

/// A kind of event that the generated world holds, and how its markets look.
enum WorldKind: Int, CaseIterable {
    /// Six mutually exclusive brackets of a day's highest temperature, on a tapered grid.
    case weather
    /// Two teams, each a market.
    case game
    /// A coin up or down in fifteen minutes: the market that opens and closes all the time.
    case coin
    /// Two candidates, deci-cent grid, years away.
    case election
    /// Words in a speech, each by itself.
    case mention
    /// A combination with ticks of a hundredth of a cent at the edges.
    case combo

    var marketCount: Int {
        switch self {
        case .weather: 6
        case .game, .election: 2
        case .coin, .combo: 1
        case .mention: 5
        }
    }
    var isExclusive: Bool {
        switch self {
        case .weather, .game, .election: true
        case .coin, .mention, .combo: false
        }
    }
    var shard: Int {
        switch self {
        case .weather, .election, .mention: 0
        case .combo: 1
        case .coin: 2
        case .game: 3
        }
    }
    var category: String {
        switch self {
        case .weather: "Climate and Weather"
        case .game: "Sports"
        case .coin: "Crypto"
        case .election: "Elections"
        case .mention: "Mentions"
        case .combo: "Exotics"
        }
    }
    var structure: String {
        switch self {
        case .weather, .coin: "tapered_deci_cent"
        case .game, .mention: "linear_cent"
        case .election: "deci_cent"
        case .combo: "center_deci_edge_centi_cent"
        }
    }
    var fees: FeeTerms {
        switch self {
        case .weather, .coin, .mention: FeeTerms(type: .quadratic)
        case .game, .election: FeeTerms(type: .quadraticWithMakerFees)
        case .combo: FeeTerms(type: .quadraticWithComboMakerFees)
        }
    }
    /// From opening to close.
    var life: TimeSpan {
        switch self {
        case .weather: .hours(12)
        case .game: .hours(4)
        case .coin: .minutes(15)
        case .election: .hours(24 * 600)
        case .mention: .hours(8)
        case .combo: .hours(6)
        }
    }
    var settlementTimer: TimeSpan {
        switch self {
        case .coin: .seconds(10)
        case .game, .mention, .combo: .seconds(60)
        case .weather: .seconds(300)
        case .election: .seconds(3600)
        }
    }
    /// Half of what makers want between their best prices, in dollars.
    var halfSpread: Double {
        switch self {
        case .weather, .game, .coin, .mention: 0.012
        case .election: 0.004
        case .combo: 0.006
        }
    }
    /// Deviation of the logits' walk in a second.
    var volatility: Double {
        switch self {
        case .weather: 0.004
        case .game: 0.010
        case .coin: 0.030
        case .election: 0.0008
        case .mention: 0.002
        case .combo: 0.003
        }
    }
    var activity: Double {
        switch self {
        case .weather: 1
        case .game: 1.5
        case .coin: 4
        case .election: 1.2
        case .mention: 0.5
        case .combo: 0.7
        }
    }
}

/// The words and numbers of one event and its markets.
struct WorldListing {
    var series: SeriesRecord
    var event: EventRecord
    var markets: [MarketDescription]

    private static let cities = [
        ("NY", "New York"), ("CHI", "Chicago"), ("MIA", "Miami"), ("AUS", "Austin"), ("LAX", "Los Angeles"),
        ("DEN", "Denver"), ("PHIL", "Philadelphia"), ("SEA", "Seattle"), ("BOS", "Boston"),
        ("ATL", "Atlanta"),
    ]
    private static let coins = [("BTC", "Bitcoin"), ("ETH", "Ether"), ("SOL", "Solana"), ("XRP", "XRP")]
    private static let words = ["Aardvark", "Blockchain", "Comet", "Dirigible", "Eclipse"]

    /// The `round`th event of a kind in place `place` (which city, which coin).
    init(_ kind: WorldKind, place: Int, round: Int, opens: Timestamp, closes: Timestamp) {
        let date = WorldListing.date(kind == .coin ? closes : opens)
        let (series, title, subtitle): (String, String, String)
        switch kind {
        case .weather:
            let (code, city) = WorldListing.cities[place % WorldListing.cities.count]
            series = WorldListing.numbered("KXHIGH\(code)", place / WorldListing.cities.count)
            (title, subtitle) = ("Highest temperature in \(city)?", "On \(date.words)")
        case .game:
            series = WorldListing.numbered("KXNBAGAME", place)
            let (home, visitors) = (
                WorldListing.cities[place % 10].1, WorldListing.cities[(place + 3) % 10].1
            )
            (title, subtitle) = ("\(visitors) at \(home)", date.words)
        case .coin:
            let (code, name) = WorldListing.coins[place % WorldListing.coins.count]
            series = WorldListing.numbered("KX\(code)15M", place / WorldListing.coins.count)
            (title, subtitle) = ("\(name) up in the next 15 minutes?", date.clock + " UTC")
        case .election:
            series = WorldListing.numbered("KXMAYOR", place)
            (title, subtitle) = ("Who will be elected mayor?", "District \(place + 1)")
        case .mention:
            series = WorldListing.numbered("KXMENTION", place)
            (title, subtitle) = ("What will be said in the speech?", date.words)
        case .combo:
            series = WorldListing.numbered("KXMVECROSSCATEGORY", place)
            (title, subtitle) = ("Combo", "")
        }
        let suffix =
            kind == .coin ? date.day + date.clockDigits : round == 0 ? date.day : "\(date.day)R\(round)"
        let event = "\(series)-\(suffix)"
        self.series = SeriesRecord(
            ticker: series, title: title, category: kind.category,
            frequency: kind == .coin ? "fifteen_min" : kind == .election ? "one_off" : "daily",
            tags: kind == .game ? ["Basketball"] : [], fees: kind.fees, shard: kind.shard, created: opens)
        self.event = EventRecord(
            ticker: event, series: series, title: title, subtitle: subtitle, category: kind.category,
            isMutuallyExclusive: kind.isExclusive,
            collateralReturn: kind.isExclusive ? .mutuallyExclusive : .none, shard: kind.shard,
            strikeDate: closes, updated: opens)
        markets = (0..<kind.marketCount).map { index in
            WorldListing.market(kind, event, series, title, index, opens: opens, closes: closes)
        }
    }

    private static func numbered(_ name: String, _ number: Int) -> String {
        number == 0 ? name : "\(name)\(number + 1)"
    }

    private static func market(
        _ kind: WorldKind, _ event: String, _ series: String, _ title: String, _ index: Int,
        opens: Timestamp, closes: Timestamp
    ) -> MarketDescription {
        var strike: (type: String?, floor: String?, cap: String?) = (nil, nil, nil)
        let (name, text): (String, String)
        switch kind {
        case .weather:
            let low = 50 + 2 * (index - 1)
            switch index {
            case 0: (name, text, strike) = ("T50", "49° or below", ("less", nil, "50"))
            case 5: (name, text, strike) = ("T57", "58° or above", ("greater", "57", nil))
            default:
                (name, text, strike) = (
                    "B\(low).5", "\(low)° to \(low + 1)°", ("between", "\(low)", "\(low + 1)")
                )
            }
        case .game: (name, text) = index == 0 ? ("HOM", "Home") : ("VIS", "Visitors")
        case .coin: (name, text, strike) = ("UP", "Up", ("greater_or_equal", "0", nil))
        case .election: (name, text) = index == 0 ? ("ADA", "Ada Lovell") : ("BEN", "Ben Okafor")
        case .mention: (name, text) = (words[index].uppercased().prefix(4).description, words[index])
        case .combo: (name, text) = ("M1", "All of them")
        }
        return MarketDescription(
            definition: Market(
                ticker: "\(event)-\(name)", event: event, series: series, title: title, subtitle: text,
                grid: PriceGrid.labelled(kind.structure) ?? .cent, openTime: opens, closeTime: closes,
                shard: kind.shard, fees: kind.fees, isMutuallyExclusive: kind.isExclusive,
                collateralReturn: kind.isExclusive ? .mutuallyExclusive : .none,
                settlementTimer: kind.settlementTimer),
            noSubtitle: text, rules: "If the outcome is \(text), the market resolves to Yes.",
            strikeType: strike.type, floorStrike: strike.floor, capStrike: strike.cap,
            structure: kind.structure)
    }

    private struct DateText {
        var day: String
        var words: String
        var clock: String
        var clockDigits: String
    }
    /// `26NOV23`, `Nov 23, 2026`, `14:15`.
    private static func date(_ time: Timestamp) -> DateText {
        let text = time.description
        let parts = text.prefix(10).split(separator: "-")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(parts.count > 1 ? (Int(parts[1]) ?? 1) : 1) - 1]
        let (year, day) = (parts.first ?? "2026", parts.last ?? "01")
        let clock = String(text.dropFirst(11).prefix(5))
        return DateText(
            day: "\(year.suffix(2))\(month.uppercased())\(day)", words: "\(month) \(day), \(year)",
            clock: clock,
            clockDigits: clock.replacing(":", with: ""))
    }
}
