import Martlet
import MartletEngine
import MartletKalshi

/// One thing that our account and the exchange's may see differently.
enum AccountItem: Hashable {
    case position(Market.ID)
    case cash(shard: Int)
    /// An order that rests with us.
    case order(OrderID, Market.ID)
    /// An order of this run that rests at the exchange and not with us, by the exchange's id.
    case stranger(String)
}

/// A reading of the exchange's account held against ours: all of it, or what was quiet.
struct AccountComparison {
    private unowned let session: TradingSession
    private let gateway: RestGateway
    private let reading: AccountAuditor.Reading
    /// What has moved since is left out; nil: nothing has.
    private let quietFrom: Timestamp?
    private let knownForm: Bool?
    private(set) var found: [AccountItem: String] = [:]
    /// What was compared, of a part.
    private(set) var covered: Set<AccountItem> = []
    /// Whether the exchange's balance leaves out what resting orders tie up, where this reading shows it.
    private(set) var tellsWholeCash: Bool?
    private let unknown: Set<Market.ID>
    var isWhole: Bool { quietFrom == nil }

    init(
        _ session: TradingSession, _ gateway: RestGateway, _ reading: AccountAuditor.Reading,
        quietFrom: Timestamp?, tellsWholeCash: Bool?
    ) {
        self.session = session
        self.gateway = gateway
        self.reading = reading
        self.quietFrom = quietFrom
        knownForm = tellsWholeCash
        unknown = Set(session.engine.shared.trading.ordersToLookUp().map(\.market))
    }

    mutating func run() {
        let markets = (0..<session.directory.count).map { Market.ID($0) }.filter { isQuiet($0) }
        comparePositions(markets)
        compareCash(Set(markets))
        compareOrders(Set(markets))
    }

    // MARK: What may be compared

    private func isQuiet(_ market: Market.ID) -> Bool {
        guard let quietFrom else { return true }
        return !unknown.contains(market) && isSettled(session.account.lastMove(market), quietFrom)
            && !session.account.unclaimed.contains {
                session.directory.id(of: $0.fill.ticker) == market
            }
            && !session.engine.shared.trading.hasOpenRequests(in: market)
    }
    /// It was over before the reading began, and the reading is not from before it.
    private func isSettled(_ time: Timestamp, _ quietFrom: Timestamp) -> Bool {
        time < quietFrom
            && (time == .distantPast || reading.asOf >= time + gateway.clockOffset.correction)
    }

    // MARK: Positions and cash

    private mutating func comparePositions(_ markets: [Market.ID]) {
        var theirs: [String: Quantity] = [:]
        for position in reading.positions { theirs[position.ticker] = position.position }
        for market in markets {
            covered.insert(.position(market))
            let ours = session.engine.shared.trading.accountPosition(market).quantity
            let held = theirs[session.directory.ticker(market)] ?? .zero
            if ours != held {
                found[.position(market)] =
                    "\(session.directory.ticker(market)): we hold \(ours), the exchange says \(held)"
            }
        }
    }

    /// Whether the balance counts what resting orders tie up is not documented: either is agreement, until one
    /// reading shows which. With orders moving only the form that leaves them out says anything.
    private mutating func compareCash(_ quiet: Set<Market.ID>) {
        let (theirs, trading) = (AccountComparison.cash(reading.balance), session.engine.shared.trading)
        let precision = trading.settings.balancePrecision
        for shard in trading.cash.shards {
            guard let money = theirs[shard.number], !hasTraded(shard.number, quiet) else { continue }
            // Equal to the last unit beside what orders tie up: that is no chance.
            if shard.reserved.raw > 0, AccountComparison.agrees(money, shard.cash, precision) {
                tellsWholeCash = true
            }
            guard knownForm == true || tellsWholeCash == true || isQuiet(shard.number, quiet) else {
                continue
            }
            covered.insert(.cash(shard: shard.number))
            let isWhole = AccountComparison.agrees(money, shard.cash, precision)
            let isLess = AccountComparison.agrees(money, shard.cash - shard.reserved, precision)
            if isWhole != isLess, isQuiet(shard.number, quiet) { tellsWholeCash = isWhole }
            if !isWhole, !isLess {
                found[.cash(shard: shard.number)] =
                    "shard \(shard.number): we have \(shard.cash), the exchange says \(money)"
            }
        }
    }

    private func markets(on shard: Int) -> [Market.ID] {
        (0..<session.directory.count).map { Market.ID($0) }.filter {
            session.directory.market($0)?.shard == shard
        }
    }
    private func isQuiet(_ shard: Int, _ quiet: Set<Market.ID>) -> Bool {
        isWhole || markets(on: shard).allSatisfy { quiet.contains($0) }
    }
    /// Something may have moved a shard's cash too lately.
    private func hasTraded(_ shard: Int, _ quiet: Set<Market.ID>) -> Bool {
        guard let quietFrom else { return false }
        // Of fills whose market is not known nobody can say which shard's cash they moved.
        guard !session.account.movedOutside, session.account.unclaimed.isEmpty else { return true }
        return markets(on: shard).contains { market in
            !quiet.contains(market)
                && (unknown.contains(market) || !isSettled(session.account.lastTrade(market), quietFrom))
        }
    }

    static func agrees(_ theirs: Money, _ ours: Money, _ precision: BalancePrecision) -> Bool {
        abs(theirs.raw - ours.raw) < precision.unit.raw
    }
    static func cash(_ balance: Balance) -> [Int: Money] {
        guard !balance.shards.isEmpty else { return [0: balance.cash] }
        return Dictionary(balance.shards.map { ($0.index, $0.balance) }, uniquingKeysWith: { $1 })
    }

    // MARK: Orders

    private mutating func compareOrders(_ quiet: Set<Market.ID>) {
        var theirs: [String: RestOrder] = [:]
        for order in reading.resting { theirs[order.orderID] = order }
        for order in session.engine.shared.trading.openOrders() {
            guard let id = gateway.orders.venueID(order.id) else { continue }
            guard order.status == .resting, quiet.contains(order.market) else {
                theirs[id] = nil
                continue
            }
            covered.insert(.order(order.id, order.market))
            let item = AccountItem.order(order.id, order.market)
            guard let other = theirs.removeValue(forKey: id) else {
                found[item] = "\(order.id) rests with us and not at the exchange"
                continue
            }
            if other.remaining != order.remaining || other.price != order.price {
                found[item] =
                    "\(order.id): \(order.remaining) at \(order.price) with us, \(other.remaining) at "
                    + "\(other.price) at the exchange"
            }
        }
        for order in theirs.values
        where ClientOrderID.order(order.clientOrderID, nonce: gateway.orders.nonce) != nil {
            guard isWhole || session.directory.id(of: order.ticker).map({ quiet.contains($0) }) == true
            else { continue }
            found[.stranger(order.orderID)] =
                "an order of this run rests at the exchange and not with us: \(order.orderID)"
        }
    }
}
