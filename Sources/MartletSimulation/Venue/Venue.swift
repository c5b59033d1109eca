import Martlet
import MartletEngine

/// A report and the account that it is for.
package struct AccountReport: Hashable, Sendable {
    package var account: Int
    package var report: VenueReport
}

/// A change in a market's life that the venue's own clock or an announcement brought.
package enum VenueAnnouncement: Hashable, Sendable {
    case status(Market.ID, MarketStatus, at: Timestamp)
    case result(Market.ID, MarketResult, at: Timestamp)
    case settled(Market.ID, MarketResult, at: Timestamp)
    case groupTriggered(group: Int, account: Int, at: Timestamp)
}

/// What one account was paid for one market.
package struct SettlementRecord: Hashable, Sendable {
    package var account: Int
    package var market: Market.ID
    package var result: MarketResult
    package var position: Quantity
    package var cost: Money
    package var payout: Money
    package var fees: Money
    package var time: Timestamp
}

/// An exchange: markets, accounts, order rules, matching, fees, ledger and life cycle, for backtest, paper and
/// sandbox alike.
///
/// Pure: every call is given its time, nothing is read from outside, chance has no place. At each price real
/// orders of any number of accounts queue in time priority; between them stands the *crowd*, contracts known
/// only by their sum from a recording, whose place ``QueueModel`` supposes. With nobody but real accounts the
/// crowd stays empty and this is a plain exchange.
///
/// Not thread safe. What happens is appended to ``reports``, ``announcements``, ``settlements`` and
/// ``published``; callers take and empty them.
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
package final class Venue {
    /// The account that holds the other side of every trade with a recorded crowd.
    package static let crowdAccount = 0

    /// What the feed touches on each record, at a fixed address.
    @usableFromInline
    struct Feed {
        @usableFromInline var lanes: UnsafeMutablePointer<Lane>
        @usableFromInline var count: Int
        /// Reports were written, or somebody waits for the end of a group: callers look.
        @usableFromInline var hasNews = false
    }
    /// Sound because the venue alone allocates, grows and frees what it points to, and a class's stored
    /// property would be checked for overlapping access on each record.
    @usableFromInline let feed: UnsafeMutablePointer<Feed>
    @exclusivity(unchecked) private var capacity = 16
    /// Whose books hold the crowd, if they are not the lanes' own.
    @exclusivity(unchecked) private var lender: MarketTable?

    package let settings: VenueSettings
    @exclusivity(unchecked) package internal(set) var definitions: [Market] = []
    @exclusivity(unchecked) package internal(set) var statuses: [MarketStatus] = []
    @exclusivity(unchecked) package internal(set) var results: [MarketResult?] = []
    @exclusivity(unchecked) var marketOfTicker: [String: Market.ID] = [:]
    @exclusivity(unchecked) var events: [[Market.ID]] = []
    @exclusivity(unchecked) private var eventOfTicker: [String: Int32] = [:]

    @exclusivity(unchecked) var accounts = AccountList()
    @exclusivity(unchecked) var orders = OrderStore()
    @exclusivity(unchecked) var groups: ContiguousArray<OrderGroup> = []
    /// Groups with trades that have not been judged yet.
    @exclusivity(unchecked) var tradedGroups: ContiguousArray<Int> = []
    @exclusivity(unchecked) var timers = VenueTimers()
    /// The next number of an order, and of a trade.
    @exclusivity(unchecked) var orderNumber: UInt64 = 0
    @exclusivity(unchecked) var tradeNumber: UInt64 = 0
    /// Shards on which trading, or everything, is paused.
    @exclusivity(unchecked) var pauses: [(shard: Int, pause: ExchangePause)] = []

    /// Net fees taken so far, and what rounding of payouts kept.
    @exclusivity(unchecked) package internal(set) var feesCollected: Money = .zero
    @exclusivity(unchecked) package internal(set) var payoutRemainder: Money = .zero
    /// Announcements that came twice or too late.
    @exclusivity(unchecked) package internal(set) var ignoredAnnouncements = 0

    @exclusivity(unchecked) package var reports = MoveQueue<AccountReport>()
    @exclusivity(unchecked) package var announcements: ContiguousArray<VenueAnnouncement> = []
    @exclusivity(unchecked) package var settlements: ContiguousArray<SettlementRecord> = []
    /// Changes of the public book and trades, where ``VenueSettings/publishes`` is set.
    @exclusivity(unchecked) package var published: ContiguousArray<MarketEvent> = []

    package init(settings: VenueSettings = VenueSettings()) {
        self.settings = settings
        feed = .allocate(capacity: 1)
        feed.initialize(to: Feed(lanes: .allocate(capacity: capacity), count: 0))
        accounts.append(Account(precision: .directMember, nets: false, remembered: 1))
    }

    deinit {
        feed.pointee.lanes.deinitialize(count: feed.pointee.count)
        feed.pointee.lanes.deallocate()
        feed.deallocate()
    }

    var lanes: UnsafeMutablePointer<Lane> { feed.pointee.lanes }
    package var marketCount: Int { feed.pointee.count }

    /// When ``advance(to:)`` next has something to do.
    package var nextTimer: Timestamp { timers.next }

    // MARK: Markets

    /// Adds a market, or takes over its changed definition: grid, times, fees. Ids are given in order of first
    /// appearance, as the engine gives them. Amortised O(1).
    @discardableResult
    package func define(_ market: Market, at now: Timestamp) -> Market.ID {
        if let id = marketOfTicker[market.ticker] {
            redefine(id, market, at: now)
            return id
        }
        if marketCount == capacity { grow() }
        let id = Market.ID(marketCount)
        (lanes + marketCount).initialize(to: Lane(unit: market.grid.unit))
        feed.pointee.count += 1
        definitions.append(market)
        statuses.append(.active)
        results.append(nil)
        marketOfTicker[market.ticker] = id
        let event = eventOfTicker[market.event] ?? Int32(events.count)
        if Int(event) == events.count {
            events.append([])
            eventOfTicker[market.event] = event
        }
        events[Int(event)].append(id)
        lanes[Int(id.index)].event = event
        if settings.publishes { lanes[Int(id.index)].isQuiet = false }
        setTimes(id, market, isNew: true, at: now)
        return id
    }

    private func redefine(_ id: Market.ID, _ market: Market, at now: Timestamp) {
        let before = definitions[Int(id.index)]
        definitions[Int(id.index)] = market
        guard before.openTime != market.openTime || before.closeTime != market.closeTime else { return }
        setTimes(id, market, isNew: false, at: now)
    }

    private func grow() {
        let moved = UnsafeMutablePointer<Lane>.allocate(capacity: capacity * 2)
        moved.moveInitialize(from: lanes, count: marketCount)
        lanes.deallocate()
        feed.pointee.lanes = moved
        capacity *= 2
    }

    /// The crowd of each market stands in the table's book of that market from now on. To be called after each
    /// ``define(_:at:)`` on both sides, for the table's books move as it grows; see ``apply(_:changing:)``.
    package func borrow(_ table: MarketTable) {
        // The books live as long as the table.
        lender = table
        let books = table.books
        for index in 0..<min(marketCount, table.count) where lanes[index].book != books + index {
            lanes[index].borrow(books + index)
        }
    }

    package func isKnown(_ market: Market.ID) -> Bool { Int(market.index) < marketCount }
    package func marketID(_ ticker: String) -> Market.ID? { marketOfTicker[ticker] }

    // MARK: Accounts

    /// Adds an account and returns its number. Cash is given by shard. `remembered`: finished orders kept, nil for
    /// the settings' number.
    package func addAccount(
        _ cash: [(shard: Int, amount: Money)], precision: BalancePrecision = .directMember,
        nets: Bool = false, remembered: Int? = nil
    ) -> Int {
        accounts.append(
            Account(
                precision: precision, nets: nets, remembered: remembered ?? settings.rememberedOrders))
        for entry in cash { deposit(entry.amount, shard: entry.shard, account: accounts.count - 1) }
        return accounts.count - 1
    }

    /// Pays cash in, or out with a negative amount.
    package func deposit(_ amount: Money, shard: Int, account: Int) {
        let index = accounts[account].shard(shard)
        accounts[account].shards[index].cash += amount
        accounts[account].deposited += amount
    }

    /// Moves cash between shards; false when the source has too little available.
    package func transfer(_ amount: Money, from source: Int, to destination: Int, account: Int) -> Bool {
        let from = accounts[account].shard(source)
        let to = accounts[account].shard(destination)
        guard amount.raw > 0, accounts[account].shards[from].available >= amount else { return false }
        accounts[account].shards[from].cash -= amount
        accounts[account].shards[to].cash += amount
        return true
    }

    // MARK: The feed

    /// Takes one record of a recorded market. Nothing changes on a fault, and the crowd counts as unknown until
    /// the next snapshot.
    ///
    /// A change that is away from real orders is a ladder's update.
    @inlinable @inline(__always)
    package func apply(_ event: MarketEvent) -> BookFault? {
        apply(event) { (book, event) in book.pointee.change(event) }
    }

    /// The same where the book is lent: `change` makes the event's change to it, and is called once at the right
    /// moment, if the venue has any use for the event.
    @inlinable @inline(__always)
    package func apply(_ event: MarketEvent, changing change: BookChange) -> BookFault? {
        let index = Int(event.market.index)
        guard index < feed.pointee.count else { return .unknownMarket }
        let lane = feed.pointee.lanes + index
        guard event.kind == .delta, lane.pointee.isQuiet else { return applyCarefully(event, change) }
        if Lane.watch(lane, event.side).pointee.concerns(event.side.distance(event.price)) {
            return applyCarefully(event, change)
        }
        lane.pointee.isInGroup = !event.flags.contains(.groupEnd)
        let fault = change(lane.pointee.book, event)
        return fault == nil ? nil : broke(event, fault)
    }

    /// Whether a change is of no consequence to any real order, so that the book, if lent, is all it concerns.
    /// Takes note of the event if so.
    @inlinable @inline(__always)
    package func isIndifferent(to event: MarketEvent) -> Bool {
        let index = Int(event.market.index)
        guard index < feed.pointee.count, !feed.pointee.hasNews else { return false }
        let lane = feed.pointee.lanes + index
        guard lane.pointee.isQuiet else { return false }
        if event.kind == .delta {
            let distance = event.side.distance(event.price)
            if Lane.watch(lane, event.side).pointee.concerns(distance) { return false }
        } else {
            guard event.kind == .trade, Lane.isFarTrade(event, lane) else { return false }
        }
        lane.pointee.isInGroup = !event.flags.contains(.groupEnd)
        return true
    }

    /// Makes the change that an event means to a book.
    package typealias BookChange = (UnsafeMutablePointer<OrderBook>, MarketEvent) -> BookFault?

    /// Between the first and the last record of a time-stamp group, when the crowd may be crossed.
    package func isInGroup(_ market: Market.ID) -> Bool { lanes[Int(market.index)].isInGroup }
}

/// What is paused on a shard beside its markets' own states (API.md §11).
package enum ExchangePause: Hashable, Sendable {
    /// No placing and amending; cancels are taken.
    case trading
    /// Nothing is taken.
    case everything
}
