import Martlet
import MartletEngine
import MartletKalshi
import MartletWire

/// The questions themselves, asked away from the loop.
struct OrderSearch: Sendable {
    struct Finding: Sendable {
        var question: OrderResolver.Question
        var outcome: Outcome
    }
    enum Outcome: Sendable {
        case order(UserOrderMessage, fills: [FillMessage])
        case absent
        case undecided
    }

    let client: KalshiClient
    let questions: [OrderResolver.Question]

    func run() async throws -> [Finding] {
        // First, so that what is scanned afterwards is at least as young.
        let asOf = try await client.send(Endpoints.userDataTimestamp())
        var findings: [Finding] = []
        var listed: [String: [RestOrder]] = [:]
        for question in questions {
            if let id = question.venueID {
                findings.append(Finding(question: question, outcome: try await byID(id)))
                continue
            }
            let orders: [RestOrder]
            if let known = listed[question.ticker] {
                orders = known
            } else {
                orders = try await scan(question)
                listed[question.ticker] = orders
            }
            if let order = orders.first(where: { $0.clientOrderID == question.clientOrderID }) {
                let fills = try await fills(of: order.orderID)
                findings.append(
                    Finding(question: question, outcome: .order(UserOrderMessage(order), fills: fills)))
            } else {
                let isProven = asOf > question.provenAfter
                findings.append(Finding(question: question, outcome: isProven ? .absent : .undecided))
            }
        }
        return findings
    }

    private func byID(_ id: String) async throws -> Outcome {
        let order: RestOrder
        do throws(RestError) {
            order = try await client.send(Endpoints.order(id))
        } catch {
            guard case .refused(let refusal) = error, refusal.status == 404 else { throw error }
            // It was there: reads trail the engine, or it has moved to the historical tier.
            for try await old in client.all(Endpoints.historicalOrders()) where old.orderID == id {
                return .order(UserOrderMessage(old), fills: try await fills(of: id))
            }
            return .undecided
        }
        return .order(UserOrderMessage(order), fills: try await fills(of: id))
    }

    /// Orders of every status since shortly before the request left.
    private func scan(_ question: OrderResolver.Question) async throws -> [RestOrder] {
        var filter = AccountFilter(tickers: [question.ticker])
        if question.sent.isKnown { filter.from = question.sent - .seconds(60) }
        var orders: [RestOrder] = []
        for try await order in client.all(Endpoints.orders(filter)) { orders.append(order) }
        return orders
    }

    private func fills(of id: String) async throws -> [FillMessage] {
        var filter = AccountFilter()
        filter.orderID = id
        var fills: [FillMessage] = []
        for try await fill in client.all(Endpoints.fills(filter)) { fills.append(FillMessage(fill)) }
        return fills.sorted { ($0.exchangeTime, $0.tradeID) < ($1.exchangeTime, $1.tradeID) }
    }
}
