import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// Finds out what became of orders whose outcome is not known, by asking: never by sending again.
///
/// Found: its state and its fills are told. Absent: only when that is proven (Ruling 4), which takes a reading of
/// the exchange's data that is younger than the request's last possible arrival, one full scan of orders of every
/// status and of fills, and no word of it on the private channels. Until then the order counts at full size.
final class OrderResolver {
    /// Beyond its deadline a request may still arrive for this long.
    static let lateArrival = TimeSpan.seconds(5)
    private static let pause = TimeSpan.milliseconds(500)
    private static let pauseMax = TimeSpan.seconds(10)

    private unowned let session: TradingSession
    private let client: KalshiClient
    private let gateway: RestGateway
    private let deadline: TimeSpan
    private var isAsking = false
    private var wait = OrderResolver.pause
    private var nextTry = Timestamp.distantPast
    /// When each order was first seen to be unknown, and whether that was told.
    private var since: [OrderID: (time: Timestamp, isTold: Bool)] = [:]
    private let patience: TimeSpan

    init(_ session: TradingSession, _ client: KalshiClient, _ gateway: RestGateway, settings: LiveSettings) {
        self.session = session
        self.client = client
        self.gateway = gateway
        deadline = settings.requestTimeout
        patience = .seconds(10)
    }

    var unknownCount: Int { since.count }

    /// Looks whether something is to be asked. Called several times a second.
    func look(at now: Timestamp) {
        let unknown = session.engine.shared.trading.ordersToLookUp()
        let names = Set(unknown.map(\.order))
        for order in since.keys.sorted() where !names.contains(order) {
            since[order] = nil
            session.tell(.resolved(order, "is resolved"))
        }
        guard !unknown.isEmpty else {
            wait = OrderResolver.pause
            return
        }
        for entry in unknown where since[entry.order] == nil { since[entry.order] = (now, false) }
        for (order, entry) in since where !entry.isTold && now - entry.time >= patience {
            since[order]?.isTold = true
            session.tell(.unknownOrder(order, now - entry.time))
        }
        guard !isAsking, now >= nextTry else { return }
        ask(unknown)
    }

    private func ask(_ unknown: [OrderReference]) {
        isAsking = true
        // The exchange's answers bear its own time.
        let correction = gateway.clockOffset.correction
        let questions = unknown.map { entry in
            var sent = gateway.orders.entry(entry.order)?.sent ?? .unknown
            if sent.isKnown { sent = sent + correction }
            return Question(
                order: entry.order, market: entry.market, ticker: session.directory.ticker(entry.market),
                venueID: gateway.orders.venueID(entry.order),
                clientOrderID: ClientOrderID.text(entry.order, nonce: gateway.orders.nonce), sent: sent,
                provenAfter: sent.isKnown ? sent + deadline + OrderResolver.lateArrival : .distantFuture)
        }
        let search = OrderSearch(client: client, questions: questions)
        let handBack = LoopReturn { [weak self] (result: Result<[OrderSearch.Finding], any Error>) in
            self?.found(result)
        }
        let loop = session.loop
        Task {
            let result: Result<[OrderSearch.Finding], any Error>
            do {
                result = .success(try await search.run())
            } catch {
                result = .failure(error)
            }
            loop.execute { handBack.body(result) }
        }
    }

    private func found(_ result: Result<[OrderSearch.Finding], any Error>) {
        isAsking = false
        let now = session.now
        nextTry = now + wait
        wait = min(wait + wait, OrderResolver.pauseMax)
        switch result {
        case .failure(let error): session.tell(.remark("cannot ask for unknown orders: \(error)"))
        case .success(let findings): for finding in findings { take(finding, at: now) }
        }
    }

    private func take(_ finding: OrderSearch.Finding, at now: Timestamp) {
        // The private channels may have settled it meanwhile.
        let (question, trading) = (finding.question, session.engine.shared.trading)
        guard trading.ordersToLookUp().contains(where: { $0.order == question.order }) else { return }
        session.take(finding)
        guard case .absent = finding.outcome, trading.isPlaceUnknown(question.order) else { return }
        session.take(
            .report(
                VenueReport(
                    .provenAbsent, order: question.order, market: question.market, exchangeTime: .unknown)),
            at: now)
    }

    struct Question: Sendable {
        var order: OrderID
        var market: Market.ID
        var ticker: String
        var venueID: String?
        var clientOrderID: String
        /// By the exchange's clock, like what follows.
        var sent: Timestamp
        /// An absence counts when the exchange's data is younger than this.
        var provenAfter: Timestamp
    }
}

/// A closure that is made on the loop's thread and called there alone, carried through a task.
///
/// Unchecked: sound for just that reason.
package struct LoopReturn<Value>: @unchecked Sendable {
    package let body: (Value) -> Void
    package init(_ body: @escaping (Value) -> Void) { self.body = body }
}

extension TradingSession {
    /// An order as the exchange has it, with its fills.
    func take(_ finding: OrderSearch.Finding) {
        guard case .order(let order, let fills) = finding.outcome else { return }
        let (question, now) = (finding.question, now)
        rest?.learn(question.order, question.market, venueID: order.orderID, at: now)
        for fill in fills { take(fill, at: now) }
        take(.report(VenueReport(order, order: question.order, market: question.market)), at: now)
        claimFills()
    }
}
