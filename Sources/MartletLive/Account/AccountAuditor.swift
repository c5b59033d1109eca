import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork

/// Compares our account with the exchange's: positions, cash and resting orders, within the read budget.
///
/// REST trails the exchange's engine, so a comparison counts only for what has not moved from a little before the
/// reading's own time on: all of it once the account is quiet; in a session that never is, the markets that are. A
/// difference counts only when two readings in a row show it, with all fills and orders asked for over REST in
/// between: what a feed that had died has not told is no difference. What follows from one is
/// ``LiveSettings/onDifference``; an order of ours that we do not know of is cancelled in any case.
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
    private var suspected: [AccountItem: String] = [:]
    private var isAgreed = true
    /// Whether the exchange's balance leaves out what resting orders tie up; nil until an agreement has shown it.
    private var tellsWholeCash: Bool?
    private(set) var agreements = 0
    /// Comparisons of what was quiet in an account that was not.
    private(set) var partialAgreements = 0
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
        agreedAt = session.now + gateway.clockOffset.correction
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
        let unrest = unrest(since: now - quiet)
        obstacle = unrest ?? "the exchange has not answered yet"
        if unrest != nil {
            // A market maker may never be quiet: after a while what is will do. The last word needs it all.
            let isLate = now >= nextReading + settings.auditInterval || !suspected.isEmpty
            guard isLate, !session.isEnding else { return }
        }
        isReading = true
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
        // What moved while it was read proves nothing.
        let unrest = unrest(since: began - quiet) ?? staleness(reading)
        obstacle = unrest
        if unrest != nil, session.isEnding {
            nextReading = now + repeatAfter
            return
        }
        if unrest == nil { takeOverCash(reading, at: now) }
        judge(compare(reading, unrest == nil ? nil : began), reading, began: began, at: now)
    }

    private func compare(_ reading: Reading, _ busySince: Timestamp?) -> AccountComparison {
        var comparison = AccountComparison(
            session, gateway, reading, quietFrom: busySince.map { $0 - quiet },
            tellsWholeCash: tellsWholeCash)
        comparison.run()
        return comparison
    }

    private func judge(_ seen: AccountComparison, _ reading: Reading, began: Timestamp, at now: Timestamp) {
        let confirmed = seen.found.filter { suspected[$0.key] == $0.value }
        suspected = suspected.filter { !seen.covered.contains($0.key) && !seen.isWhole }
        guard confirmed.isEmpty else {
            isAgreed = false
            differences += 1
            obstacle = nil
            let text = confirmed.values.sorted().joined(separator: "; ")
            session.tell(.difference(text))
            follow(confirmed, reading, text, at: now)
            return
        }
        guard seen.found.isEmpty else {
            suspected.merge(seen.found) { $1 }
            if seen.isWhole {
                obstacle = "seen once so far: \(seen.found.values.sorted().joined(separator: "; "))"
            }
            catchUp(agreedAt - AccountAuditor.overlap)
            ask(about: seen.found.keys)
            nextReading = now + repeatAfter
            return
        }
        tellsWholeCash = seen.tellsWholeCash ?? tellsWholeCash
        guard seen.isWhole else {
            if !seen.covered.isEmpty { partialAgreements += 1 }
            return
        }
        agreements += 1
        agreedAt = began + gateway.clockOffset.correction
        if !isAgreed { session.tell(.agreed) }
        isAgreed = true
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
        for (shard, money) in AccountComparison.cash(reading.balance).sorted(by: { $0.key < $1.key }) {
            let ours = session.engine.shared.trading.cash.shards.first { $0.number == shard }
            if let ours, agrees(money, ours.cash) || agrees(money, ours.cash - ours.reserved) { continue }
            session.tell(
                .remark("cash on shard \(shard) moved by trades outside this session: \(money) from now on"))
            session.take(.balance(shard: shard, money + (ours?.reserved ?? .zero)), at: now)
        }
    }

    /// The exchange tells money to the account's precision, we keep it exactly.
    private func agrees(_ theirs: Money, _ ours: Money) -> Bool {
        AccountComparison.agrees(theirs, ours, session.engine.shared.trading.settings.balancePrecision)
    }

    /// What became of orders that look otherwise at the exchange, by their own ids.
    private func ask(about items: some Sequence<AccountItem>) {
        let questions = items.compactMap { item -> OrderResolver.Question? in
            guard case .order(let order, let market) = item, let id = gateway.orders.venueID(order) else {
                return nil
            }
            return OrderResolver.Question(
                order: order, market: market, ticker: session.directory.ticker(market), venueID: id,
                clientOrderID: ClientOrderID.text(order, nonce: gateway.orders.nonce), sent: .unknown,
                provenAfter: .distantFuture)
        }
        guard !questions.isEmpty else { return }
        let (loop, search) = (session.loop, OrderSearch(client: client, questions: questions))
        let handBack = LoopReturn { [weak session] (findings: [OrderSearch.Finding]) in
            for finding in findings { session?.take(finding) }
        }
        Task {
            guard let findings = try? await search.run() else { return }
            loop.execute { handBack.body(findings) }
        }
    }

    // MARK: - Following

    private func follow(
        _ confirmed: [AccountItem: String], _ reading: Reading, _ text: String, at now: Timestamp
    ) {
        for case .stranger(let id) in confirmed.keys {
            if let order = reading.resting.first(where: { $0.orderID == id }) { cancel(order) }
        }
        switch settings.onDifference {
        case .halt: session.take(.command(.halt(reason: "accounts differ: \(text)")), at: now)
        case .reduceOnly: session.take(.command(.reduceOnly(reason: "accounts differ: \(text)")), at: now)
        case .adopt: adopt(confirmed, reading, at: now)
        }
    }

    /// Nothing may rest that we do not know of.
    private func cancel(_ order: RestOrder) {
        let (client, loop) = (client, session.loop)
        let handBack = LoopReturn { [weak session] (text: String) in session?.tell(.remark(text)) }
        Task {
            let wanted = OrderToCancel(
                orderID: order.orderID, shard: order.shard, subaccount: order.subaccount)
            do {
                _ = try await client.send(Endpoints.cancelOrder(wanted))
                loop.execute { handBack.body("cancelled order \(order.orderID), which we did not know of") }
            } catch {
                loop.execute {
                    handBack.body(
                        "order \(order.orderID), which we do not know of, cannot be cancelled: \(error)")
                }
            }
        }
    }

    /// The exchange's word wins.
    private func adopt(_ confirmed: [AccountItem: String], _ reading: Reading, at now: Timestamp) {
        var theirs: [String: MarketPosition] = [:]
        for position in reading.positions { theirs[position.ticker] = position }
        for index in 0..<session.directory.count where confirmed[.position(Market.ID(index))] != nil {
            let market = Market.ID(index)
            let held = theirs[session.directory.ticker(market)]
            let ours = session.engine.shared.trading.accountPosition(market)
            let quantity = held?.position ?? .zero
            let missing = quantity - ours.quantity
            guard !missing.isZero else { continue }
            let unit =
                quantity.isZero
                ? Int(ours.averagePrice?.micros ?? 500_000)
                : Int((held?.exposure ?? .zero).raw / quantity.magnitude.hundredths)
            let price = Price(micros: min(max(Int(unit), 1), 999_999))
            session.take(
                .adoptedPosition(
                    market, Position(quantity: missing, cost: price * missing.magnitude), strategy: nil),
                at: now)
        }
        for (shard, money) in AccountComparison.cash(reading.balance).sorted(by: { $0.key < $1.key })
        where confirmed[.cash(shard: shard)] != nil {
            session.take(.balance(shard: shard, money), at: now)
        }
    }
}
