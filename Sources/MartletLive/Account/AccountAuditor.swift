import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork

/// Compares our account with the exchange's: positions, cash and resting orders, within the read budget.
///
/// REST trails the exchange's engine, so a comparison counts only if nothing of ours moved from a little before the
/// reading's own time on, and a difference only when two readings in a row show it, with all fills and orders asked
/// for over REST in between: what a feed that had died has not told is no difference. What follows from one is
/// ``LiveSettings/onDifference``.
final class AccountAuditor {
    /// What is compared.
    struct Reading: Sendable {
        /// How fresh the exchange says its reads are.
        var asOf: Timestamp
        var balance: Balance
        var positions: [MarketPosition]
        var resting: [RestOrder]
    }
    /// Nothing of ours may have moved for this long.
    private static let quiet = TimeSpan.seconds(2)
    private static let repeatAfter = TimeSpan.seconds(3)
    /// The same at a session's end, where nothing new is sent.
    private static let quietAtEnd = TimeSpan.seconds(1)

    private unowned let session: TradingSession
    private let client: KalshiClient
    private let gateway: RestGateway
    private let settings: LiveSettings
    /// Brings fills and orders since a time of the exchange from REST.
    private let catchUp: (Timestamp) -> Void
    /// Up to here the accounts agreed.
    private var agreedAt: Timestamp
    private var isReading = false
    private var nextReading: Timestamp
    /// The last reading's difference: it counts when the next one shows the same.
    private var suspected: String?
    private var isAgreed = true
    private(set) var agreements = 0
    private(set) var differences = 0
    /// Why the last attempt at a comparison proved nothing, for a person; nil after one that did.
    private(set) var obstacle: String?
    private var quiet: TimeSpan {
        session.isEnding ? AccountAuditor.quietAtEnd : AccountAuditor.quiet
    }
    private var repeatAfter: TimeSpan {
        session.isEnding ? AccountAuditor.quietAtEnd : AccountAuditor.repeatAfter
    }

    /// Clocks and the exchange's own delays may differ by so much in what is asked for again.
    private static let overlap = TimeSpan.seconds(60)

    init(
        _ session: TradingSession, _ client: KalshiClient, _ gateway: RestGateway, settings: LiveSettings,
        catchUp: @escaping (Timestamp) -> Void
    ) {
        self.catchUp = catchUp
        agreedAt = session.now
        self.session = session
        self.client = client
        self.gateway = gateway
        self.settings = settings
        nextReading = session.now + settings.auditInterval
    }

    /// Reads as soon as it is quiet: after a stop, a reconnect, an order that nobody knew.
    func hurry() { nextReading = min(nextReading, session.now + quiet) }

    func look(at now: Timestamp) {
        guard !isReading, now >= nextReading else { return }
        if let unrest = unrest(since: now - quiet) {
            obstacle = unrest
            return
        }
        isReading = true
        obstacle = "the exchange has not answered yet"
        let client = client
        let loop = session.loop
        let began = now
        let handBack = LoopReturn { [weak self] (result: Result<Reading, any Error>) in
            self?.took(result, began: began)
        }
        Task {
            let result: Result<Reading, any Error>
            do {
                result = .success(try await AccountAuditor.read(client))
            } catch {
                result = .failure(error)
            }
            loop.execute { handBack.body(result) }
        }
    }

    static func read(_ client: KalshiClient) async throws -> Reading {
        let asOf = try await client.send(Endpoints.userDataTimestamp())
        let balance = try await client.send(Endpoints.balance())
        var positions: [MarketPosition] = []
        for try await position in client.all(Endpoints.positions()) { positions.append(position) }
        var resting: [RestOrder] = []
        for try await order in client.all(Endpoints.orders(AccountFilter(status: "resting"))) {
            resting.append(order)
        }
        return Reading(asOf: asOf, balance: balance, positions: positions, resting: resting)
    }

    /// What of ours has moved since, or is under way; nil for nothing.
    private func unrest(since: Timestamp) -> String? {
        if session.account.lastActivity >= since { return "our orders or positions moved just before" }
        if gateway.inFlight > 0 { return "\(gateway.inFlight) requests are without an answer" }
        if !session.account.unclaimed.isEmpty {
            return "\(session.account.unclaimed.count) fills wait for the order that they belong to"
        }
        let unknown = session.engine.shared.trading.ordersToLookUp()
        return unknown.isEmpty ? nil : "\(unknown.count) orders are unknown"
    }

    private func took(_ result: Result<Reading, any Error>, began: Timestamp) {
        isReading = false
        let now = session.now
        nextReading = now + settings.auditInterval
        guard case .success(let reading) = result else {
            if case .failure(let error) = result {
                obstacle = "the exchange's account could not be read: \(error)"
                if session.isEnding { nextReading = now + repeatAfter }
                session.tell(.remark("cannot compare accounts: \(error)"))
            }
            return
        }
        // Something moved while it was read: it proves nothing.
        if let unrest = unrest(since: began - quiet) ?? staleness(reading) {
            obstacle = unrest
            nextReading = now + repeatAfter
            return
        }
        takeOverCash(reading, at: now)
        guard let difference = difference(reading) else {
            suspected = nil
            obstacle = nil
            agreements += 1
            agreedAt = began
            if !isAgreed { session.tell(.agreed) }
            isAgreed = true
            return
        }
        guard suspected == difference else {
            suspected = difference
            obstacle = "seen once so far: \(difference)"
            catchUp(agreedAt - AccountAuditor.overlap)
            nextReading = now + repeatAfter
            return
        }
        suspected = nil
        obstacle = nil
        isAgreed = false
        differences += 1
        session.tell(.difference(difference))
        follow(reading, difference, at: now)
    }

    /// Reads trail the engine: what is older than our last activity proves nothing.
    private func staleness(_ reading: Reading) -> String? {
        let wanted = session.account.lastActivity + gateway.clockOffset.correction
        if reading.asOf >= wanted { return nil }
        return "the exchange's answers are as of \(reading.asOf), before our last activity at \(wanted)"
    }

    /// Trades of others in markets that are not ours move cash, and so does a deposit: where positions and orders
    /// agree, and something moved outside, the exchange's word is right.
    private func takeOverCash(_ reading: Reading, at now: Timestamp) {
        guard session.account.movedOutside else { return }
        session.account.movedOutside = false
        for (shard, money) in cash(reading.balance).sorted(by: { $0.key < $1.key }) {
            let ours = session.engine.shared.trading.cash.shards.first { $0.number == shard }
            if let ours, agrees(money, ours.cash) || agrees(money, ours.cash - ours.reserved) { continue }
            session.tell(
                .remark("cash on shard \(shard) moved by trades outside this session: \(money) from now on"))
            session.take(.balance(shard: shard, money + (ours?.reserved ?? .zero)), at: now)
        }
    }

    // MARK: - Comparing

    private func difference(_ reading: Reading) -> String? {
        var found: [String] = []
        for (market, theirs) in positions(reading) {
            let ours = session.engine.shared.trading.accountPosition(market).quantity
            if ours != theirs {
                found.append(
                    "\(session.directory.ticker(market)): we hold \(ours), the exchange says \(theirs)")
            }
        }
        let cash = cash(reading.balance)
        for shard in session.engine.shared.trading.cash.shards {
            guard let theirs = cash[shard.number] else { continue }
            // Whether the balance counts what resting orders tie up is not documented: either is agreement.
            let isSame = agrees(theirs, shard.cash) || agrees(theirs, shard.cash - shard.reserved)
            if !isSame {
                found.append("shard \(shard.number): we have \(shard.cash), the exchange says \(theirs)")
            }
        }
        found += orders(reading)
        return found.isEmpty ? nil : found.sorted().joined(separator: "; ")
    }

    /// The exchange tells money to the account's precision, we keep it exactly.
    private func agrees(_ theirs: Money, _ ours: Money) -> Bool {
        let unit = session.engine.shared.trading.settings.balancePrecision.unit
        return abs(theirs.raw - ours.raw) < unit.raw
    }

    private func positions(_ reading: Reading) -> [(Market.ID, Quantity)] {
        var theirs: [String: Quantity] = [:]
        for position in reading.positions { theirs[position.ticker] = position.position }
        return (0..<session.directory.count).map { index in
            let market = Market.ID(index)
            return (market, theirs[session.directory.ticker(market)] ?? .zero)
        }
    }

    private func cash(_ balance: Balance) -> [Int: Money] {
        guard !balance.shards.isEmpty else { return [0: balance.cash] }
        return Dictionary(balance.shards.map { ($0.index, $0.balance) }, uniquingKeysWith: { $1 })
    }

    private func orders(_ reading: Reading) -> [String] {
        var found: [String] = []
        var theirs: [String: RestOrder] = [:]
        for order in reading.resting { theirs[order.orderID] = order }
        for order in session.engine.shared.trading.openOrders() {
            guard order.status == .resting, let id = gateway.orders.venueID(order.id) else { continue }
            guard let other = theirs.removeValue(forKey: id) else {
                found.append("\(order.id) rests with us and not at the exchange")
                continue
            }
            if other.remaining != order.remaining || other.price != order.price {
                found.append(
                    "\(order.id): \(order.remaining) at \(order.price) with us, \(other.remaining) at "
                        + "\(other.price) at the exchange")
            }
        }
        for order in theirs.values.sorted(by: { $0.orderID < $1.orderID })
        where ClientOrderID.order(order.clientOrderID, nonce: gateway.orders.nonce) != nil {
            found.append("an order of this run rests at the exchange and not with us: \(order.orderID)")
        }
        return found
    }

    // MARK: - Following

    private func follow(_ reading: Reading, _ difference: String, at now: Timestamp) {
        switch settings.onDifference {
        case .halt: session.take(.command(.halt(reason: "accounts differ: \(difference)")), at: now)
        case .reduceOnly:
            session.take(.command(.reduceOnly(reason: "accounts differ: \(difference)")), at: now)
        case .adopt: adopt(reading, at: now)
        }
    }

    /// The exchange's word wins.
    private func adopt(_ reading: Reading, at now: Timestamp) {
        var exposures: [String: Money] = [:]
        for position in reading.positions { exposures[position.ticker] = position.exposure }
        for (market, theirs) in positions(reading) {
            let ours = session.engine.shared.trading.accountPosition(market)
            let missing = theirs - ours.quantity
            guard !missing.isZero else { continue }
            let exposure = exposures[session.directory.ticker(market)] ?? .zero
            let unit =
                theirs.isZero
                ? Int(ours.averagePrice?.micros ?? 500_000) : Int(exposure.raw / theirs.magnitude.hundredths)
            let price = Price(micros: min(max(Int(unit), 1), 999_999))
            session.take(
                .adoptedPosition(
                    market, Position(quantity: missing, cost: price * missing.magnitude), strategy: nil),
                at: now)
        }
        for (shard, money) in cash(reading.balance).sorted(by: { $0.key < $1.key }) {
            session.take(.balance(shard: shard, money), at: now)
        }
    }
}
