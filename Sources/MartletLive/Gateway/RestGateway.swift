import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// Sends the engine's commands to the exchange as signed requests, and turns the answers into reports.
///
/// One request for each command, sent once: an answer that is lost becomes ``VenueReport/Body/unknown(_:)``, and
/// asking what became of it is the ``OrderResolver``'s part. Loop-thread only.
package final class RestGateway: OrderGateway {
    /// How the requests fared.
    package struct Statistics: Hashable, Sendable {
        package var sent = 0
        package var answered = 0
        package var rateLimited = 0
        /// Answers that did not come, or said nothing.
        package var lost = 0
        /// Could not be sent at all.
        package var failed = 0
        /// From the write of a request to its answer, in nanoseconds.
        package var roundTrip = LatencyHistogram()
        /// Encoding, encrypting and the kernel's taking of the last byte.
        package var write = LatencyHistogram()
        package init() {}
    }

    /// What is kept ready, and for how long.
    package struct Upkeep: Hashable, Sendable {
        package var signing = SignatureSettings()
        /// Finished orders that keep their names.
        package var finishedKept = OrderTable.finishedKept
        package init() {}

        /// One signature for ever, none made ahead.
        static func rehearsal(finishedKept: Int) -> Upkeep {
            var upkeep = Upkeep()
            upkeep.signing.window = .max / 2
            upkeep.signing.createDepth = 1
            upkeep.signing.orderDepth = 0
            upkeep.finishedKept = finishedKept
            return upkeep
        }
    }

    private let loop: EventLoop
    private let environment: ExchangeEnvironment
    private let http: HTTPClient
    package let pool: SignaturePool
    let createPath: SignedPath
    private let cancelPath: SignedPath
    private let timeout: Int64
    private let clock: () -> Int64
    private var encoder: OrderRequestEncoder
    private let decoder: OrderResponseDecoder
    private var buffer: [UInt8] = []
    var orders: OrderTable
    private var offset = ClockOffset()
    /// The last answer's date, as it stood and as it was read.
    private var lastDate: (text: String, time: Timestamp)?
    package private(set) var statistics = Statistics()
    package private(set) var inFlight = 0
    /// When the kernel took the last request's last byte, on the monotonic clock.
    package private(set) var lastWrite: Int64 = 0
    /// Requests in a row that did not reach the exchange.
    private var unreachable = 0
    private static let unreachablePause = Nanoseconds.milliseconds(50)
    /// Places without an answer, by market: a fill of an order that nobody knows may be one of theirs.
    private var openPlaces: [Market.ID: Int] = [:]
    package weak var owner: (any GatewayOwner)?
    /// Told of each name as it is learnt, for the journal.
    var onName: (OrderID, String, Timestamp) -> Void = { _, _, _ in }

    package init(
        _ loop: EventLoop, _ environment: ExchangeEnvironment, signer: RequestSigner, tls: TLSContext?,
        nonce: UInt64, settings: LiveSettings, offset: ClockOffset, upkeep: Upkeep = Upkeep(),
        clock: @escaping () -> Int64
    ) {
        self.loop = loop
        self.environment = environment
        self.clock = clock
        self.offset = offset
        timeout = settings.requestTimeout.nanoseconds
        var configuration = HTTPClientConfiguration()
        configuration.connectionsPerEndpoint = max(settings.connections, 1)
        configuration.wholeTimeout = timeout
        configuration.firstByteTimeout = timeout
        http = HTTPClient(loop, tls: tls, configuration: configuration)
        pool = SignaturePool(signer, settings: upkeep.signing)
        createPath = pool.path("POST", OrderRequestEncoder.createPath, .create)
        cancelPath = pool.path("DELETE", OrderRequestEncoder.batchPath, .batchedCancel)
        encoder = OrderRequestEncoder(environment, keyID: signer.credentials.keyID, nonce: nonce)
        decoder = OrderResponseDecoder(nonce: nonce)
        orders = OrderTable(nonce: nonce, finishedKept: upkeep.finishedKept)
        pool.setOffset(offset.correction.nanoseconds)
    }

    /// Opens the connections and begins to sign ahead.
    package func start(connections: Int) {
        pool.start()
        warm(connections)
    }
    /// Opens connections.
    func warm(_ connections: Int) { http.warm(environment.endpoint, connections: connections) }
    package func close() {
        pool.stop()
        http.close()
    }
    package var warmConnections: Int { http.idleConnections(environment.endpoint) }
    package var clockOffset: ClockOffset { offset }

    // MARK: - OrderGateway

    package func define(_ market: Market, as id: Market.ID, at time: Timestamp) {
        orders.define(market, as: id)
    }
    package func observe(_ event: MarketEvent) {}
    package func observe(_ input: EngineInput, at time: Timestamp) -> EngineInput? { input }
    package var nextDue: Timestamp { .distantFuture }
    package func advance(to time: Timestamp) {}
    /// Whether a request that may place an order in this market has no answer yet.
    package func awaitsPlace(in market: Market.ID) -> Bool { openPlaces[market, default: 0] > 0 }

    package func submit(_ command: VenueCommand, at time: Timestamp) {
        let began = Clocks.monotonic()
        do {
            let plan = try encoder.plan(command, orders)
            let signature = try signature(plan, command)
            try encoder.encode(command, plan, orders, signature, into: &buffer)
            inFlight += 1
            statistics.sent += 1
            let exchange = http.send(
                encoded: buffer, method: plan.method, to: environment.endpoint, isIdempotent: false,
                timeout: timeout
            ) { [weak self] result in self?.answered(command, result, sent: time, written: began) }
            // Its answer comes later, whatever it is.
            note(command, 1, at: time)
            if exchange.writtenAt > 0 {
                lastWrite = exchange.writtenAt
                statistics.write.record(exchange.writtenAt - began)
            }
        } catch {
            statistics.failed += 1
            let reports = decoder.reports(to: command, mayHaveReachedExchange: false, reason: "\(error)")
            loop.defer { [weak self] in self?.deliver(reports) }
        }
    }

    private func signature(_ plan: OrderRequestPlan, _ command: VenueCommand) throws -> RequestSignature {
        switch plan.kind {
        case .create: return try pool.signature(for: createPath)
        case .cancelBatch: return try pool.signature(for: cancelPath)
        case .amend:
            if case .amend(let amend) = command, let path = orders.entry(amend.id)?.amendPath {
                return try pool.signature(for: path)
            }
            return try pool.signature(method: plan.method, path: plan.path)
        case .cancel:
            if case .cancel(let order, _) = command, let path = orders.entry(order)?.cancelPath {
                return try pool.signature(for: path)
            }
            return try pool.signature(method: plan.method, path: plan.path)
        case .createBatch, .decrease, .cancelAll:
            return try pool.signature(method: plan.method, path: plan.path)
        }
    }

    /// Takes down what a command places; with -1, that it was answered.
    private func note(_ command: VenueCommand, _ change: Int, at time: Timestamp) {
        func place(_ order: PlaceOrder) {
            if change > 0 { orders.sending(order.id, order.request.market, at: time) }
            openPlaces[order.request.market, default: 0] += change
        }
        switch command {
        case .place(let order): place(order)
        case .placeBatch(let batch): for order in batch { place(order) }
        case .amend, .decrease, .cancel, .cancelBatch, .cancelEverything: break
        }
    }

    // MARK: - Answers

    private func answered(
        _ command: VenueCommand, _ result: Result<HTTPResponse, HTTPClientError>, sent: Timestamp,
        written: Int64
    ) {
        inFlight -= 1
        note(command, -1, at: sent)
        let reports: [VenueReport]
        switch result {
        case .success(let response):
            statistics.answered += 1
            unreachable = 0
            statistics.roundTrip.record(Clocks.monotonic() - written)
            if response.status == 429 { statistics.rateLimited += 1 }
            observe(response, sent: sent)
            reports = decoder.reports(
                to: command, status: response.status, body: response.body,
                venueID: { [orders] in orders.venueID($0) })
        case .failure(let error):
            if !error.requestMayHaveReachedServer {
                unreachable += 1
                let pause = min(
                    RestGateway.unreachablePause << Int64(min(unreachable, 6)), Nanoseconds.seconds(5))
                let late = decoder.reports(to: command, mayHaveReachedExchange: false, reason: "\(error)")
                // Told at once it would be sent again at once.
                inFlight += 1
                loop.schedule(after: pause) { [weak self] in
                    self?.inFlight -= 1
                    self?.deliver(late)
                }
                return
            }
            reports = decoder.reports(
                to: command, mayHaveReachedExchange: error.requestMayHaveReachedServer, reason: "\(error)")
        }
        deliver(reports)
    }

    private func deliver(_ reports: [VenueReport]) {
        let now = Timestamp(nanoseconds: clock())
        for report in reports {
            if case .unknown = report.body { statistics.lost += 1 }
            if let id = report.venueOrderID { learn(report.order, report.market, venueID: id, at: now) }
            owner?.gateway(.report(report), at: now)
        }
    }

    package func journalNames(to journal: any SessionJournal) {
        onName = { [unowned journal] in journal.named($0, venueOrderID: $1, at: $2) }
    }

    /// The exchange's id of an order, from whatever tells it first.
    func learn(_ order: OrderID, _ market: Market.ID, venueID: String, at time: Timestamp) {
        guard orders.learn(order, market, venueID: venueID) else { return }
        onName(order, venueID, time)
        // What may be asked of a resting order is signed ahead.
        guard let id = orders.venueID(order) else { return }
        let path = "\(OrderRequestEncoder.createPath)/\(id)"
        let shard = orders.route(market)?.shard ?? 0
        orders.keep(
            amend: pool.path("POST", path + "/amend", .order),
            cancel: shard < 1 ? nil : pool.path("DELETE", path, .order), for: order)
    }
    func finished(_ order: OrderID) {
        for path in orders.finished(order) { pool.retire(path) }
    }

    private func observe(_ response: HTTPResponse, sent: Timestamp) {
        guard let text = response.headers["Date"] else { return }
        // It changes once a second, and answers come by the hundred.
        if lastDate?.text != text {
            guard let time = HTTPDate.parse(text) else { return }
            lastDate = (text, time)
        }
        guard let named = lastDate?.time else { return }
        let received = Timestamp(nanoseconds: clock())
        offset.observe(named: named, resolution: .seconds(1), sent: sent, received: received)
        pool.setOffset(offset.correction.nanoseconds)
    }
}
