import Martlet
import MartletEngine

/// The exchange as one engine meets it: the venue behind a line with latency, budgets and faults.
///
///     engine ── submit ──► [entry latency] ──► budget ──► venue ──► [report latency] ──► nextReport ──► engine
///
/// A driver hands on recorded events with ``apply(_:)``. Before each, while ``nextDue`` is not after the event's
/// time, it calls ``advance(to:)`` with `nextDue` and gives the reports that are due to the engine, whose answers
/// it submits: everything happens in the order of its time, and an order meets the book as it stood when the
/// order arrived. The venue's clock is the recording's receive time, so the feed's own latency belongs into the
/// entry latency.
///
/// Between the records of one exchange time stamp the recorded book may be crossed: a command that arrives there
/// waits for the end of the group, at the exchange a single moment, or for ``groupPatience``.
///
/// Properties are unchecked for overlapping access, which at run time costs as much as their use: sound because
/// one thread owns the whole, and no access to one of them is still open when another begins.
package final class SimulatedExchange {
    package struct Settings: Hashable, Sendable {
        package var venue = VenueSettings()
        package var entryLatency = LatencyModel.zero
        package var reportLatency = LatencyModel.zero
        package var limits = RateLimits.basic
        package var faults = FaultSettings()
        /// Of latencies and faults.
        package var seed: UInt64 = 1
        package init() {}
    }

    /// A report on its way to the engine.
    package struct DueReport: Hashable, Sendable {
        package var time: Timestamp
        package var report: VenueReport
    }

    private struct Arrival {
        var command: VenueCommand
        var sent: Timestamp
    }
    private enum Delivery {
        case report(VenueReport)
        /// The driver looks an order up whose outcome it does not know.
        case lookUp(VenueReport.Request, OrderID, Market.ID)
    }

    /// How long a command waits for a time-stamp group to end.
    package static let groupPatience = TimeSpan.milliseconds(20)

    package let settings: Settings
    package let venue: Venue
    /// The engine's account at the venue.
    package let account: Int
    @exclusivity(unchecked) package private(set) var buckets: VenueBuckets
    @exclusivity(unchecked) package private(set) var counts = ExchangeCounts()
    @exclusivity(unchecked) private var generator: SeededGenerator
    @exclusivity(unchecked) private var faultGenerator: SeededGenerator
    @exclusivity(unchecked) private var arrivals = DueLine<Arrival>()
    @exclusivity(unchecked) private var deliveries = DueLine<Delivery>()
    /// Where reports take no time and nothing goes wrong with them: those that are not yet told, in order.
    @exclusivity(unchecked) private var ready = MoveQueue<DueReport>()
    private let isImmediate: Bool
    @exclusivity(unchecked) private var held: [(arrival: Arrival, until: Timestamp)] = []
    @exclusivity(unchecked) private var lastArrival: Timestamp = .distantPast
    @exclusivity(unchecked) private var lastDelivery: Timestamp = .distantPast
    /// At a fixed address: read on each record, where a class's property would be checked for overlapping access.
    @usableFromInline let due: UnsafeMutablePointer<Timestamp>

    package init(
        settings: Settings, cash: [(shard: Int, amount: Money)],
        precision: BalancePrecision = .directMember, nets: Bool = false
    ) {
        self.settings = settings
        venue = Venue(settings: settings.venue)
        account = venue.addAccount(cash, precision: precision, nets: nets)
        buckets = VenueBuckets(settings.limits)
        generator = SeededGenerator(seed: settings.seed)
        faultGenerator = SeededGenerator(seed: settings.seed ^ 0xFA17)
        isImmediate = settings.reportLatency == .zero && settings.faults == FaultSettings()
        due = .allocate(capacity: 1)
        due.initialize(to: .distantFuture)
    }

    deinit { due.deallocate() }

    /// When ``advance(to:)`` or ``nextReport(at:)`` next has something; `.distantFuture` for nothing in sight.
    @inlinable @inline(__always) package var nextDue: Timestamp { due.pointee }

    // MARK: What the recording brings

    /// Takes a recorded event. Call after everything due before it has run.
    @inlinable @inline(__always)
    package func apply(_ event: MarketEvent) -> BookFault? {
        let fault = venue.apply(event)
        if venue.feed.pointee.hasNews { took(event) }
        return fault
    }
    /// The same where the books are an engine's (``borrow(_:)``).
    @inlinable @inline(__always)
    package func apply(_ event: MarketEvent, changing change: Venue.BookChange) -> BookFault? {
        let fault = venue.apply(event, changing: change)
        if venue.feed.pointee.hasNews { took(event) }
        return fault
    }
    /// See ``Venue/isIndifferent(to:)``.
    @inlinable @inline(__always)
    package func isIndifferent(to event: MarketEvent) -> Bool { venue.isIndifferent(to: event) }
    /// The engine's books, which hold what is recorded, serve as the crowd's too. After each ``define(_:at:)``.
    package func borrow(_ table: MarketTable) { venue.borrow(table) }

    @usableFromInline @inline(never)
    func took(_ event: MarketEvent) {
        if !held.isEmpty, !venue.isInGroup(event.market) { release(event.market, at: event.receiveTime) }
        collect(at: event.receiveTime, answering: nil)
    }

    @discardableResult
    package func define(_ market: Market, at now: Timestamp) -> Market.ID {
        let id = venue.define(market, at: now)
        collect(at: now, answering: nil)
        return id
    }
    package func setStatus(_ market: Market.ID, _ status: MarketStatus, at now: Timestamp) {
        venue.setStatus(market, status, at: now)
        collect(at: now, answering: nil)
    }
    package func setResult(_ market: Market.ID, _ result: MarketResult, at now: Timestamp) {
        venue.setResult(market, result, at: now)
        collect(at: now, answering: nil)
    }
    package func settle(_ market: Market.ID, _ result: MarketResult, at now: Timestamp) {
        venue.settle(market, result, at: now)
        collect(at: now, answering: nil)
    }
    package func setUnusable(_ market: Market.ID) { venue.setUnusable(market) }

    /// What the venue's clock did to its markets since the last call.
    package func takeAnnouncements() -> ContiguousArray<VenueAnnouncement> {
        let taken = venue.announcements
        venue.announcements.removeAll(keepingCapacity: true)
        return taken
    }
    package var hasAnnouncements: Bool { !venue.announcements.isEmpty }

    // MARK: The engine's side

    /// Sends a command. Commands arrive in the order in which they were sent.
    package func submit(_ command: VenueCommand, at now: Timestamp) {
        counts.commands += 1
        let arrival = max(now + settings.entryLatency.draw(&generator), lastArrival)
        lastArrival = arrival
        if arrival == now, arrivals.isEmpty, held.isEmpty, venue.nextTimer > now {
            // Nothing comes before it: it is there.
            arrive(Arrival(command: command, sent: now), at: now)
        } else {
            arrivals.insert(Arrival(command: command, sent: now), at: arrival)
        }
        refreshDue()
    }

    /// Runs everything that is due at `now` or before, in the order of its time.
    package func advance(to now: Timestamp) {
        while true {
            let arrival = arrivals.next
            let timer = venue.nextTimer
            let patience = held.isEmpty ? Timestamp.distantFuture : held[0].until
            let next = min(arrival, timer, patience)
            guard next <= now else { break }
            if timer == next {
                venue.advance(to: next)
                collect(at: next, answering: nil)
            } else if patience == next {
                let first = held.removeFirst()
                execute(first.arrival, at: next)
            } else {
                let first = arrivals.removeFirst()
                arrive(first.element, at: first.time)
            }
        }
        refreshDue()
    }

    /// The next report that is due at `now` or before, in order of time.
    package func nextReport(at now: Timestamp) -> DueReport? {
        if isImmediate {
            if ready.isEmpty { return nil }
            defer { if ready.isEmpty { refreshDue() } }
            return ready.removeFirst()
        }
        guard deliveries.next <= now, !deliveries.isEmpty else { return nil }
        let first = deliveries.removeFirst()
        refreshDue()
        switch first.element {
        case .report(let report): return DueReport(time: first.time, report: report)
        case .lookUp(let request, let order, let market):
            return DueReport(time: first.time, report: lookUp(request, order, market, at: first.time))
        }
    }

    private func refreshDue() {
        let patience = held.isEmpty ? Timestamp.distantFuture : held[0].until
        let delivery = isImmediate ? (ready.isEmpty ? .distantFuture : ready[0].time) : deliveries.next
        due.pointee = min(min(arrivals.next, delivery), min(venue.nextTimer, patience))
    }

    // MARK: Arrival

    private func arrive(_ arrival: Arrival, at now: Timestamp) {
        if meetsOpenGroup(arrival.command) {
            counts.held += 1
            held.append((arrival, now + SimulatedExchange.groupPatience))
            venue.feed.pointee.hasNews = true
            return
        }
        // What came before it still waits: keep the order.
        if !held.isEmpty {
            held.append((arrival, now + SimulatedExchange.groupPatience))
            return
        }
        execute(arrival, at: now)
    }

    private func release(_ market: Market.ID, at now: Timestamp) {
        while let first = held.first, !meetsOpenGroup(first.arrival.command) {
            held.removeFirst()
            execute(first.arrival, at: now)
        }
    }

    /// Whether a command names a market in the midst of a time-stamp group.
    private func meetsOpenGroup(_ command: VenueCommand) -> Bool {
        func isOpen(_ market: Market.ID) -> Bool { venue.isKnown(market) && venue.isInGroup(market) }
        return switch command {
        case .place(let place): isOpen(place.request.market)
        case .amend(let amend): isOpen(amend.market)
        case .decrease(_, let market, _), .cancel(_, let market): isOpen(market)
        case .placeBatch(let places): places.contains { isOpen($0.request.market) }
        case .cancelBatch(let orders): orders.contains { isOpen($0.market) }
        case .cancelEverything: false
        }
    }

    private func execute(_ arrival: Arrival, at now: Timestamp) {
        let faults = settings.faults
        if faultGenerator.chance(faults.lostRequest) {
            counts.lostRequests += 1
            loseAnswers(arrival, at: arrival.sent + faults.deadline)
            refreshDue()
            return
        }
        let isAdmitted = buckets.admit(arrival.command, at: now) {
            venue.isKnown($0) ? venue.definitions[Int($0.index)].shard : 0
        }
        if !isAdmitted || faultGenerator.chance(faults.spuriousLimit) {
            counts.rateLimited += 1
            answerAll(arrival.command, at: now) { .rateLimited($0) }
            refreshDue()
            return
        }
        if faultGenerator.chance(faults.serverError) {
            counts.serverErrors += 1
            if faultGenerator.chance(0.5) {
                venue.execute(arrival.command, account: account, at: now)
                collect(at: now, answering: nil, dropping: true)
            }
            loseAnswers(arrival, at: now + settings.reportLatency.draw(&generator))
            refreshDue()
            return
        }
        venue.execute(arrival.command, account: account, at: now)
        let isLost = faultGenerator.chance(faults.lostAnswer)
        collect(at: now, answering: arrival.command, dropping: isLost)
        if isLost {
            counts.lostAnswers += 1
            loseAnswers(arrival, at: arrival.sent + faults.deadline)
        }
        refreshDue()
    }

    private func answerAll(
        _ command: VenueCommand, at now: Timestamp, _ body: (VenueReport.Request) -> VenueReport.Body
    ) {
        for (request, order, market) in command.requests {
            deliver(
                VenueReport(body(request), order: order, market: market, exchangeTime: .unknown), at: now)
        }
    }

    /// No answer came: the driver gives up, and looks the orders up later.
    private func loseAnswers(_ arrival: Arrival, at time: Timestamp) {
        for (request, order, market) in arrival.command.requests {
            let report = VenueReport(
                .unknown(request), order: order, market: market, exchangeTime: .unknown)
            deliveries.insert(.report(report), at: time)
            deliveries.insert(
                .lookUp(request, order, market), at: time + settings.faults.lookUp)
        }
    }

    private func lookUp(
        _ request: VenueReport.Request, _ id: OrderID, _ market: Market.ID, at now: Timestamp
    ) -> VenueReport {
        guard let order = venue.order(id, account: account), order.number != 0 else {
            let body: VenueReport.Body =
                request == .place ? .provenAbsent : .changeRejected(request, .notFound)
            return VenueReport(body, order: id, market: market, exchangeTime: now)
        }
        return VenueReport(
            .state(order.state), order: id, market: market, exchangeTime: now,
            venueOrderID: order.venueOrderID)
    }

    // MARK: Reports

    /// Sends the venue's reports for this account on their way. With `dropping`, answers are lost and only what
    /// the private channels tell (fills, endings) is sent.
    private func collect(at now: Timestamp, answering command: VenueCommand?, dropping: Bool = false) {
        venue.feed.pointee.hasNews = !held.isEmpty
        guard !venue.reports.isEmpty else {
            refreshDue()
            return
        }
        var answers: [VenueReport] = []
        let swaps = command != nil && faultGenerator.chance(settings.faults.fillsFirst)
        while !venue.reports.isEmpty {
            let entry = venue.reports.removeFirst()
            guard entry.account == account else { continue }
            if dropping || swaps, entry.report.isAnswer {
                if swaps, !dropping { answers.append(entry.report) }
                continue
            }
            deliver(entry.report, at: now)
        }
        for report in answers { deliver(report, at: now) }
        refreshDue()
    }

    @inline(__always)
    private func deliver(_ report: consuming VenueReport, at now: Timestamp) {
        if isImmediate {
            ready.append(DueReport(time: now, report: report))
        } else {
            sendOff(report, at: now)
        }
    }

    @inline(never)
    private func sendOff(_ report: VenueReport, at now: Timestamp) {
        let faults = settings.faults
        let time = now + settings.reportLatency.draw(&generator)
        if faultGenerator.chance(faults.delayedReport) {
            counts.delays += 1
            let late = TimeSpan.nanoseconds(
                Int64(Double(faults.longestDelay.nanoseconds) * faultGenerator.unit()))
            deliveries.insert(.report(report), at: time + late)
            return
        }
        // Reports keep their order: one line.
        lastDelivery = max(time, lastDelivery)
        deliveries.insert(.report(report), at: lastDelivery)
        if faultGenerator.chance(faults.duplicateReport) {
            counts.duplicates += 1
            let late = TimeSpan.nanoseconds(
                Int64(Double(faults.longestDelay.nanoseconds) * faultGenerator.unit()))
            deliveries.insert(.report(report), at: lastDelivery + late)
        }
    }
}

extension VenueCommand {
    /// The requests in a command, one an order. A cancel of everything names none.
    package var requests: [(VenueReport.Request, OrderID, Market.ID)] {
        switch self {
        case .place(let place): [(.place, place.id, place.request.market)]
        case .amend(let amend): [(.amend, amend.id, amend.market)]
        case .decrease(let order, let market, _): [(.decrease, order, market)]
        case .cancel(let order, let market): [(.cancel, order, market)]
        case .placeBatch(let places): places.map { (.place, $0.id, $0.request.market) }
        case .cancelBatch(let orders): orders.map { (.cancel, $0.order, $0.market) }
        case .cancelEverything: []
        }
    }
}

extension VenueReport {
    /// Whether it answers a request, rather than telling what happened.
    var isAnswer: Bool {
        switch body {
        case .accepted, .rejected, .amended, .decreased, .cancelled, .changeRejected, .unknown,
            .rateLimited, .provenAbsent:
            true
        case .ended, .filled, .state: false
        }
    }
}
