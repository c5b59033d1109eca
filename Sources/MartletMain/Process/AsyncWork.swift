import Foundation
import Synchronization

/// Waits on the main thread for work that is asynchronous, drawing and listening for Ctrl-C meanwhile.
enum AsyncWork {
    /// Runs `body` in a task of its own and returns its outcome. `poll` is called twenty times a second on this
    /// thread; Ctrl-C cancels the task, which then ends as it can, unless it is what Ctrl-C asks for.
    static func run<Value: Sendable>(
        poll: () -> Void = {}, isInterruptible: Bool = true,
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome = Outcome<Value>()
        let done = DispatchSemaphore(value: 0)
        let task = Task {
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            outcome.value.withLock { $0 = result }
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            poll()
            if isInterruptible, Interrupt.isRequested { task.cancel() }
        }
        guard let result = outcome.value.withLock({ $0 }) else {
            preconditionFailure("a task ended without an outcome")
        }
        return try result.get()
    }

    private final class Outcome<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }
}
