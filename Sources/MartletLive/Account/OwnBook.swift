import Martlet

/// Takes our own resting contracts out of the exchange's book, so that strategies see others' alone in every mode
/// (Ruling 2).
///
/// The exchange marks the changes that our own orders cause; whether a fill of a resting order is marked is not
/// documented. So a fill's own message counts as well, whichever comes first, and when a market has been quiet
/// the orders' state has the last word. Sizes in hundredths of a contract.
struct OwnBook {
    /// A price at which something of ours rests, or rested lately.
    private struct Level {
        let side: Side
        let price: Price
        /// Ours, by what the feed has told.
        var own: Int64 = 0
        /// Kept from the engine's book: ours, as far as the exchange's level holds it.
        var hidden: Int64 = 0
        /// Fills told by their own message whose marked change may still come.
        var credit: Int64 = 0
        var creditEnds: Timestamp = .distantPast
    }
    private struct Desk {
        var levels: [Level] = []
        /// When something of ours last moved; nil when all is settled.
        var touched: Timestamp?
    }

    /// A marked change comes within this time of the fill that caused it, or not at all.
    static let creditLife = TimeSpan.seconds(1)
    /// So long after the last move of ours the orders' state is the truth.
    static let settling = TimeSpan.milliseconds(500)

    private var desks: [Desk] = []
    private(set) var touchedMarkets: [Market.ID] = []

    private mutating func reserve(_ market: Market.ID) {
        while desks.count <= Int(market.index) { desks.append(Desk()) }
    }
    func hasLevels(_ market: Market.ID) -> Bool {
        Int(market.index) < desks.count && !desks[Int(market.index)].levels.isEmpty
    }

    private mutating func index(_ side: Side, _ price: Price, _ market: Int, creates: Bool) -> Int? {
        if let found = desks[market].levels.firstIndex(where: { $0.price == price && $0.side == side }) {
            return found
        }
        guard creates else { return nil }
        desks[market].levels.append(Level(side: side, price: price))
        return desks[market].levels.count - 1
    }

    /// Something of ours moves in a market: it is looked at again once it is quiet.
    mutating func touch(_ market: Market.ID, at now: Timestamp) {
        reserve(market)
        if desks[Int(market.index)].touched == nil { touchedMarkets.append(market) }
        desks[Int(market.index)].touched = now
    }

    // MARK: - The feed

    /// What the engine's book is to be told in place of a change.
    /// - Parameter shown: the engine's size at that level now.
    mutating func change(_ event: MarketEvent, shown: Quantity) -> Quantity {
        let isOwn = event.flags.contains(.own)
        reserve(event.market)
        let market = Int(event.market.index)
        guard let index = index(event.side, event.price, market, creates: isOwn) else {
            return event.quantity
        }
        if isOwn {
            touch(event.market, at: event.receiveTime)
            desks[market].levels[index].own = owned(
                desks[market].levels[index], event.quantity.hundredths, at: event.receiveTime)
            spend(&desks[market].levels[index], event.quantity.hundredths, at: event.receiveTime)
        }
        let full = shown.hundredths + desks[market].levels[index].hidden + event.quantity.hundredths
        return show(&desks[market].levels[index], full: full, shown: shown)
    }

    private func owned(_ level: Level, _ change: Int64, at now: Timestamp) -> Int64 {
        let credit = now <= level.creditEnds ? level.credit : 0
        return max(0, level.own + change + (change < 0 ? min(credit, -change) : 0))
    }
    private func spend(_ level: inout Level, _ change: Int64, at now: Timestamp) {
        guard change < 0 else { return }
        level.credit = now <= level.creditEnds ? max(0, level.credit + change) : 0
    }

    /// Splits a level's whole size; returns by how much the shown part changes.
    private func show(_ level: inout Level, full: Int64, shown: Quantity) -> Quantity {
        // Below zero the book contradicts itself: the engine is to see that.
        level.hidden = min(level.own, max(full, 0))
        return Quantity(hundredths: full - level.hidden - shown.hundredths)
    }

    /// A snapshot begins: what is ours is what our orders' state says.
    mutating func beginSnapshot(_ market: Market.ID, resting: [(side: Side, price: Price, size: Quantity)]) {
        reserve(market)
        desks[Int(market.index)].levels.removeAll(keepingCapacity: true)
        for part in resting {
            guard let index = index(part.side, part.price, Int(market.index), creates: true) else { continue }
            desks[Int(market.index)].levels[index].own += part.size.hundredths
        }
    }
    /// A snapshot's level without what is ours of it.
    mutating func snapshotLevel(_ event: MarketEvent) -> Quantity {
        let market = Int(event.market.index)
        guard market < desks.count,
            let index = index(event.side, event.price, market, creates: false)
        else { return event.quantity }
        return show(&desks[market].levels[index], full: event.quantity.hundredths, shown: .zero)
    }

    // MARK: - Orders

    /// A resting order of ours traded. Returns how the engine's book changes, zero for not at all.
    /// - Parameter truth: what rests of ours at that level now, by the orders' state.
    mutating func filled(
        _ fill: Fill, truth: Quantity, shown: Quantity, at now: Timestamp
    ) -> Quantity {
        touch(fill.market, at: now)
        let market = Int(fill.market.index)
        guard let index = index(fill.side, fill.price, market, creates: false),
            desks[market].levels[index].own > truth.hundredths
        else { return .zero }
        // The book has not shown it yet, or has without a mark.
        let taken = min(fill.quantity.hundredths, desks[market].levels[index].own - truth.hundredths)
        desks[market].levels[index].own -= taken
        desks[market].levels[index].credit += taken
        desks[market].levels[index].creditEnds = now + OwnBook.creditLife
        let full = shown.hundredths + desks[market].levels[index].hidden
        return show(&desks[market].levels[index], full: full, shown: shown)
    }

    /// Markets that have been quiet long enough to be settled.
    mutating func takeQuiet(at now: Timestamp) -> [Market.ID] {
        guard !touchedMarkets.isEmpty else { return [] }
        let quiet = touchedMarkets.filter { market in
            desks[Int(market.index)].touched.map { now - $0 >= OwnBook.settling } ?? true
        }
        guard !quiet.isEmpty else { return [] }
        for market in quiet { desks[Int(market.index)].touched = nil }
        touchedMarkets.removeAll { desks[Int($0.index)].touched == nil }
        return quiet
    }

    /// Brings a quiet market's levels to what our orders' state says; hands over each change for the engine's book.
    mutating func settle(
        _ market: Market.ID, resting: [(side: Side, price: Price, size: Quantity)],
        shown: (Side, Price) -> Quantity, change: (Side, Price, Quantity) -> Void
    ) {
        let desk = Int(market.index)
        for part in resting { _ = index(part.side, part.price, desk, creates: true) }
        for index in desks[desk].levels.indices {
            let (side, price) = (desks[desk].levels[index].side, desks[desk].levels[index].price)
            let truth = resting.reduce(Int64(0)) {
                $0 + ($1.side == side && $1.price == price ? $1.size.hundredths : 0)
            }
            guard truth != desks[desk].levels[index].own else { continue }
            desks[desk].levels[index].own = truth
            desks[desk].levels[index].credit = 0
            let size = shown(side, price)
            let full = size.hundredths + desks[desk].levels[index].hidden
            let difference = show(&desks[desk].levels[index], full: full, shown: size)
            if !difference.isZero { change(side, price, difference) }
        }
        desks[desk].levels.removeAll { $0.own == 0 && $0.hidden == 0 }
    }
}
