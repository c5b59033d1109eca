import Martlet
import MartletKalshi

/// Takes everything off the exchange that a session left there: its order groups are triggered, what still rests is
/// cancelled by id, and the exchange is asked until it lists none of it any more.
public struct SessionSweep: Sendable {
    public struct Outcome: Hashable, Sendable {
        /// Orders cancelled one by one, after the groups.
        public var cancelled = 0
        public var groupsTriggered = 0
        /// Still listed at the end.
        public var left: [String] = []
        /// Nothing rests: the exchange said so.
        public var isConfirmed = false
        public var problems: [String] = []
        public init() {}
    }

    private let client: KalshiClient
    private let nonce: UInt64
    private let groups: [SessionIdentity.Group]
    /// Rounds at most, half a second apart.
    private static let rounds = 20

    public init(_ client: KalshiClient, nonce: UInt64, groups: [SessionIdentity.Group]) {
        self.client = client
        self.nonce = nonce
        self.groups = groups
    }

    /// - Parameter everything: cancels all of the account's orders, other programs' too: the last resort.
    public func run(everything: Bool = false) async -> Outcome {
        var outcome = Outcome()
        // Every step is tried whatever became of the one before (FIELD-NOTES 22).
        if everything {
            do throws(RestError) {
                try await client.send(Endpoints.cancelAllOrders())
            } catch {
                outcome.problems.append("cancel all: \(error)")
            }
        }
        for group in groups {
            do throws(RestError) {
                try await client.send(Endpoints.triggerOrderGroup(group.id, shard: group.shard))
                outcome.groupsTriggered += 1
            } catch {
                outcome.problems.append("order group \(group.id): \(error)")
            }
        }
        var empty = 0
        for round in 0..<SessionSweep.rounds {
            if round > 0 { try? await Task.sleep(for: .milliseconds(round < 4 ? 50 : 500)) }
            guard let resting = await resting(everything: everything, &outcome) else { continue }
            outcome.left = resting.map(\.orderID)
            if resting.isEmpty {
                // Reads trail the exchange's engine: twice is sure.
                empty += 1
                if empty == 2 {
                    outcome.isConfirmed = true
                    return outcome
                }
                continue
            }
            empty = 0
            for order in resting { await cancel(order, &outcome) }
        }
        return outcome
    }

    private func resting(everything: Bool, _ outcome: inout Outcome) async -> [RestOrder]? {
        var found: [RestOrder] = []
        do {
            for try await order in client.all(Endpoints.orders(AccountFilter(status: "resting"))) {
                if everything || ClientOrderID.order(order.clientOrderID, nonce: nonce) != nil {
                    found.append(order)
                }
            }
            return found
        } catch {
            outcome.problems.append("list of resting orders: \(error)")
            return nil
        }
    }

    private func cancel(_ order: RestOrder, _ outcome: inout Outcome) async {
        do throws(RestError) {
            let wanted = OrderToCancel(
                orderID: order.orderID, shard: order.shard, subaccount: order.subaccount)
            _ = try await client.send(Endpoints.cancelOrder(wanted))
            outcome.cancelled += 1
        } catch {
            // It filled or ended meanwhile.
            if case .refused(let refusal) = error, refusal.status == 404 { return }
            outcome.problems.append("cancel of \(order.orderID): \(error)")
        }
    }
}
