import Martlet
import MartletEngine
import MartletNetwork
import MartletSimulation

/// What a private or public channel is told. Calls come in the order in which things happened.
protocol ExchangeAudience: AnyObject {
    func bookChanged(_ event: MarketEvent, by cause: Exchange.Cause?)
    func bookCleared(_ market: Market.ID)
    func traded(_ trade: TradeRecord)
    func filled(_ fill: FillRecord, of member: Member)
    func orderChanged(_ entry: OrderEntry, _ order: VenueOrder, of member: Member)
    func positionChanged(_ market: Market.ID, subaccount: Int, of member: Member)
    func lived(_ event: LifeEvent)
    func groupChanged(_ group: Int, _ change: GroupChange, of member: Member)
    /// A reference index has a new value, in hundredths of a dollar.
    func indexed(_ index: ReferenceIndex, _ value: Int64)
    /// All that one moment brought has been told.
    func momentEnded()
}

/// What the life cycle channels tell.
enum LifeEvent {
    case event(Int)
    case created(Market.ID)
    case activated(Market.ID)
    case deactivated(Market.ID)
    case closeChanged(Market.ID)
    case determined(Market.ID, MarketResult)
    case settled(Market.ID)
    case gridChanged(Market.ID)
}

/// A price outside the exchange, by its names at the two sources that the exchange passes on.
struct ReferenceIndex {
    var id: String
    var underlying: String
}

enum GroupChange {
    case created, triggered, reset, deleted, limitUpdated
}

/// Beside the agents: what makes time pass in the exchange's world.
protocol ExchangeWorld: AnyObject {
    /// When ``advance(to:)`` next has something to do.
    var nextDue: Timestamp { get }
    func advance(to now: Timestamp)
}

/// The exchange behind the protocol: members and their history, markets and their statistics, around the venue
/// core that trades. Knows nothing of HTTP, sockets and clocks: every call follows ``catchUp(to:)``.
///
/// For one thread.
final class Exchange {
    let settings: SandboxSettings
    let venue: Venue
    private(set) var now: Timestamp
    let orderIDs: Identifiers
    let tradeIDs: Identifiers
    let groupIDs: Identifiers
    let settlementIDs: Identifiers
    let userIDs: Identifiers
    let marketIDs: Identifiers
    let transferIDs: Identifiers
    private let keyIDTexts: Identifiers

    var members: [Member] = []
    private var keys: [String: KeyEntry] = [:]
    /// Keys made while the exchange ran.
    private var keyCount: UInt64 = 0
    /// Whose a venue account is, nil for agents and the crowd.
    private var owners: [(member: Int, subaccount: Int)?] = [nil]

    var markets: [MarketRecord] = []
    var events: [EventRecord] = []
    var series: [SeriesRecord] = []
    private var eventOfTicker: [String: Int] = [:]
    private var seriesOfTicker: [String: Int] = [:]
    var trades = TradeLog()
    /// The venue's number of the latest trade, and how many were published.
    var tradeCount: UInt64 = 0
    var publicTradeCount: UInt64 = 0
    /// Orders so far, agents' too.
    private var orderCount: UInt64 = 0
    private var transferCount: UInt64 = 0
    var settlementCount: UInt64 = 0
    /// Markets that are paused or closed, whose return is announced.
    var wasPaused: Set<Market.ID> = []

    weak var audience: (any ExchangeAudience)?
    var world: (any ExchangeWorld)?
    /// Shards (API.md §7).
    static let shards = ["Default", "Combos", "Crypto and commodities", "Tennis, baseball, basketball"]
    var pauses: [ExchangePause?] = [nil, nil, nil, nil]
    /// The recording, not the accounts, moves the book at present: its trades have no number of the venue's.
    var isReplaying = false
    /// Markets whose empty book has been told.
    var cleared: Set<Market.ID> = []

    /// When cash next moves between the shards of those who have set shares for them.
    var nextRebalance: Timestamp = .distantFuture

    /// How old what `user_data_timestamp` vouches for is (fault).
    var userDataLag = TimeSpan.zero

    /// Who is behind a change of the book.
    struct Cause {
        var member: Int
        var side: Side
        var clientID: String
        var subaccount: Int
    }

    init(settings: SandboxSettings, now: Timestamp) {
        self.settings = settings
        self.now = now
        var venueSettings = VenueSettings()
        venueSettings.publishes = true
        venueSettings.rejectsPostOnlyCross = settings.rules.rejectsPostOnlyCross
        venueSettings.rejectsEmptyImmediate = settings.rules.rejectsEmptyImmediate
        venueSettings.confirmsLateCancels = settings.rules.confirmsLateCancels
        if !settings.rules.cancelsAllForAMinute { venueSettings.cancelAllLingers = .zero }
        venue = Venue(settings: venueSettings)
        orderIDs = Identifiers(seed: settings.seed, kind: 1)
        tradeIDs = Identifiers(seed: settings.seed, kind: 2)
        groupIDs = Identifiers(seed: settings.seed, kind: 3)
        settlementIDs = Identifiers(seed: settings.seed, kind: 4)
        userIDs = Identifiers(seed: settings.seed, kind: 5)
        marketIDs = Identifiers(seed: settings.seed, kind: 6)
        transferIDs = Identifiers(seed: settings.seed, kind: 7)
        keyIDTexts = Identifiers(seed: settings.seed, kind: 8)
    }

    // MARK: Time

    /// When ``catchUp(to:)`` next has something to do.
    var nextDue: Timestamp { min(venue.nextTimer, world?.nextDue ?? .distantFuture, nextRebalance) }

    /// Lets everything happen that is due at `time` or before, in its order. Time never goes back.
    func catchUp(to time: Timestamp) {
        while true {
            let next = nextDue
            guard next <= time else { break }
            now = max(now, next)
            if venue.nextTimer <= next {
                venue.advance(to: now)
                flush()
            } else if nextRebalance <= next {
                rebalance()
            } else {
                world?.advance(to: now)
            }
        }
        now = max(now, time)
    }

    // MARK: Members

    /// Registers a key for a new member with cash on every shard.
    func addMember(keyID: String, key: PublicKey) -> Member {
        let limits = RateLimits.tier(settings.tier) ?? .basic
        let cash = Money(dollars: settings.balanceDollars)
        let account = venue.addAccount(Exchange.shards.indices.map { ($0, cash) })
        let member = Member(
            index: members.count, userID: userIDs.text(UInt64(members.count + 1)), account: account,
            limits: limits)
        members.append(member)
        own(account, member.index, 0)
        keys[keyID] = KeyEntry(member: member.index, key: key, name: keyID)
        return member
    }
    /// An agent's account: it trades and nobody hears of it.
    func addAgent(_ cash: Money, shard: Int) -> Int {
        let account = venue.addAccount([(shard, cash)], remembered: 64)
        while owners.count <= account { owners.append(nil) }
        return account
    }
    private func own(_ account: Int, _ member: Int, _ subaccount: Int) {
        while owners.count <= account { owners.append(nil) }
        owners[account] = (member, subaccount)
    }
    func registration(_ keyID: String) -> (member: Member, entry: KeyEntry)? {
        keys[keyID].map { (members[$0.member], $0) }
    }
    /// A member's keys by their ids, in order.
    func keys(of member: Member) -> [(id: String, entry: KeyEntry)] {
        keys.filter { $0.value.member == member.index }.sorted { $0.key < $1.key }
            .map { (id: $0.key, entry: $0.value) }
    }
    func keyIDs(of member: Member) -> [String] { keys(of: member).map(\.id) }
    /// Returns the new key's id.
    func register(_ entry: KeyEntry) -> String {
        keyCount += 1
        let id = keyIDTexts.text(keyCount)
        keys[id] = entry
        return id
    }
    /// False where the member has no such key.
    func removeKey(_ id: String, of member: Member) -> Bool {
        guard keys[id]?.member == member.index else { return false }
        keys[id] = nil
        return true
    }
    func owner(_ account: Int) -> (member: Member, subaccount: Int)? {
        guard owners.indices.contains(account), let owner = owners[account] else { return nil }
        return (members[owner.member], owner.subaccount)
    }
    /// Opens the member's next subaccount; nil when all are open.
    func addSubaccount(_ member: Member) -> Int? {
        guard member.accounts.count < Member.subaccountsMax else { return nil }
        let account = venue.addAccount([])
        member.accounts.append(account)
        own(account, member.index, member.accounts.count - 1)
        return member.accounts.count - 1
    }

    func nextOrder() -> UInt64 {
        orderCount += 1
        return orderCount
    }
    func nextTransfer() -> UInt64 {
        transferCount += 1
        return transferCount
    }

    // MARK: Markets

    func seriesIndex(_ ticker: String) -> Int? { seriesOfTicker[ticker] }
    func eventIndex(_ ticker: String) -> Int? { eventOfTicker[ticker] }
    func market(_ ticker: String) -> Market.ID? { venue.marketID(ticker) }

    func add(_ record: SeriesRecord) {
        guard seriesOfTicker[record.ticker] == nil else { return }
        seriesOfTicker[record.ticker] = series.count
        series.append(record)
    }
    func add(_ record: EventRecord) {
        guard eventOfTicker[record.ticker] == nil else { return }
        eventOfTicker[record.ticker] = events.count
        events.append(record)
        audience?.lived(.event(events.count - 1))
    }
    /// Lists a market, whose event and series are known, or takes over its changed description.
    @discardableResult
    func add(_ description: MarketDescription) -> Market.ID {
        let definition = description.definition
        let id = venue.define(definition, at: now)
        if Int(id.index) < markets.count {
            let before = markets[Int(id.index)].definition
            markets[Int(id.index)].description = description
            markets[Int(id.index)].updated = now
            if before.closeTime != definition.closeTime { audience?.lived(.closeChanged(id)) }
            if before.grid != definition.grid { audience?.lived(.gridChanged(id)) }
            flush()
            return id
        }
        let event = eventOfTicker[definition.event] ?? 0
        markets.append(
            MarketRecord(
                id: id, uuid: marketIDs.text(UInt64(id.index) + 1), description: description, created: now,
                updated: now, event: event, series: seriesOfTicker[definition.series] ?? 0))
        if events.indices.contains(event) { events[event].markets.append(id) }
        audience?.lived(.created(id))
        flush()
        return id
    }

    func record(_ market: Market.ID) -> MarketRecord { markets[Int(market.index)] }
    /// Best prices as quoted: 0 and 1 where a side is empty.
    func quotes(_ market: Market.ID) -> (bid: Price, ask: Price) {
        (venue.best(market, .bid) ?? .zero, venue.best(market, .ask) ?? .one)
    }
    /// Trading now, with a bid and an ask.
    func isQuoted(_ market: Market.ID) -> Bool {
        venue.isOpen(market) && venue.best(market, .bid) != nil && venue.best(market, .ask) != nil
    }

    // MARK: Pauses

    func pause(_ pause: ExchangePause?, shard: Int) {
        pauses[shard] = pause
        venue.setPause(pause, shard: shard, at: now)
        flush()
    }
}
