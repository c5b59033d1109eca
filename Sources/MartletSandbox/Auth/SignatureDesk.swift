import Dispatch
import MartletNetwork

/// Checks signatures on a thread of its own, in the order in which they came: an Ed25519 check takes longer than all
/// the rest of an order, and the exchange's thread has others to serve meanwhile.
///
/// Used on the loop's thread, where the outcomes come back.
final class SignatureDesk {
    /// Given a refusal, or nil for a genuine signature.
    typealias Outcome = (APIError?) -> Void

    // @unchecked Sendable is sound: what it leads to is touched on the loop's thread alone.
    private final class Door: @unchecked Sendable {
        weak var desk: SignatureDesk?
    }

    private let loop: EventLoop
    private let queue = DispatchQueue(label: "sandbox signatures")
    private let door = Door()
    private var waiting: [UInt64: Outcome] = [:]
    private var lastTicket: UInt64 = 0

    init(_ loop: EventLoop) {
        self.loop = loop
        door.desk = self
    }

    func check(_ claim: Claim, _ outcome: @escaping Outcome) {
        lastTicket += 1
        let ticket = lastTicket
        waiting[ticket] = outcome
        queue.async { [loop, door] in
            let refusal = claim.refusal
            loop.execute { door.desk?.waiting.removeValue(forKey: ticket)?(refusal) }
        }
    }
    /// Outcomes that are still to come do not.
    func close() { waiting = [:] }
}
