import Foundation
import Martlet
import Synchronization

/// What a scripted strategy has seen.
final class ScriptMemory {
    /// Each order as it was last told of, and everything that was told of it.
    var orders: [OrderID: Order] = [:]
    var history: [OrderID: [OrderStatus]] = [:]
    var fills: [Fill] = []
    /// Orders by the names that a test gives them.
    var named: [String: OrderID] = [:]
}

/// A test's hand inside a session: what it asks for runs in the strategy at its next timer, and runs at the same timer
/// again when the journal is replayed.
///
/// Unchecked: sound because session, replay and test share one thread.
final class ScriptDesk: @unchecked Sendable {
    typealias Action = (borrowing Context, ScriptMemory) -> Void
    private static let desks = Mutex<[String: ScriptDesk]>([:])
    static let none = ScriptDesk()

    static func make() -> (id: String, desk: ScriptDesk) {
        let made = (UUID().uuidString, ScriptDesk())
        desks.withLock { $0[made.0] = made.1 }
        return made
    }
    static func find(_ id: String) -> ScriptDesk { desks.withLock { $0[id] } ?? none }

    var pending: [Action] = []
    private var done: [Int: [Action]] = [:]
    /// Of the session first, then of each replay.
    var memories: [ScriptMemory] = []

    func join() -> (ScriptMemory, isLive: Bool) {
        let memory = ScriptMemory()
        memories.append(memory)
        return (memory, memories.count == 1)
    }
    func take(_ tick: Int, isLive: Bool) -> [Action] {
        guard isLive else { return done[tick] ?? [] }
        done[tick] = pending
        pending = []
        return done[tick] ?? []
    }
}

/// Follows all markets and does what a test says, through its ``ScriptDesk``.
struct ScriptedStrategy: Strategy {
    struct Parameters: StrategyParameters {
        var script = ""
        init() {}
    }
    static let name = "scripted"
    private let desk: ScriptDesk
    private let memory: ScriptMemory
    private let isLive: Bool
    private var tick = 0

    init(parameters: Parameters) {
        desk = ScriptDesk.find(parameters.script)
        (memory, isLive) = desk.join()
    }

    mutating func started(_ context: borrowing Context) {
        for market in context.markets { context.subscribe(to: market, trades: false) }
        context.setTimer(after: .milliseconds(10))
    }
    mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
        context.subscribe(to: market, trades: false)
    }
    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {
        tick += 1
        for action in desk.take(tick, isLive: isLive) { action(context, memory) }
        context.setTimer(after: .milliseconds(10))
    }
    mutating func orderChanged(_ order: Order, _ context: borrowing Context) {
        memory.orders[order.id] = order
        memory.history[order.id, default: []].append(order.status)
    }
    mutating func filled(_ fill: Fill, _ context: borrowing Context) { memory.fills.append(fill) }
}
