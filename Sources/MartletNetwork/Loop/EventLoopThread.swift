import CSystem
import Foundation

/// An event loop on a thread of its own, for callers that wait: command-line tools, tests.
///
/// The thread ends with `stop`, or when this value goes.
public final class EventLoopThread: Sendable {
    public let loop: EventLoop

    /// - Parameter givesWay: a thread of this process that is at work is not interrupted when this one is woken: for
    ///   everything that may not cost a trading loop a microsecond.
    /// - Parameter busyPolling: see `EventLoop`.
    public init(name: String = "network", givesWay: Bool = false, busyPolling: Int64 = 0) throws(SystemError)
    {
        let loop = try EventLoop()
        loop.busyPolling = busyPolling
        self.loop = loop
        let thread = Thread {
            if givesWay { csystem_yield_to_others() }
            try? loop.run()
        }
        thread.name = name
        thread.start()
    }

    deinit { loop.stop() }

    public func stop() { loop.stop() }

    /// Makes or uses a loop's values on its thread and brings back what is sendable of the outcome.
    public func run<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.execute { [loop] in continuation.resume(returning: body(loop)) }
        }
    }
}

/// Carries a value that belongs to a loop's thread through sendable closures that run there.
//
// @unchecked Sendable is sound as long as `value` is read on the loop's thread alone, which is its use.
struct LoopBound<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
