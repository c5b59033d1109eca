import Foundation
import Testing

@testable import MartletNetwork

@Suite struct TimerQueueTests {
    @Test func firesInOrderOfDeadlineThenOfScheduling() {
        var queue = TimerQueue()
        var fired: [Int] = []
        for (index, deadline) in [30, 10, 20, 10, 30, 10].enumerated() {
            _ = queue.schedule(at: Int64(deadline)) { fired.append(index) }
        }
        while let handler = queue.popDue(20) { handler() }
        #expect(fired == [1, 3, 5, 2])
        #expect(queue.nextDeadline() == 30)
    }

    @Test func cancelledTimersNeverFireAndLeaveNothing() {
        var queue = TimerQueue()
        var fired = 0
        let kept = queue.schedule(at: 5) { fired += 1 }
        for index in 0..<100_000 {
            let id = queue.schedule(at: Int64(10 + index)) { fired += 1000 }
            queue.cancel(id)
            queue.cancel(id)
        }
        #expect(queue.live == 1)
        while let handler = queue.popDue(.max) { handler() }
        #expect(fired == 1)
        queue.cancel(kept)
        #expect(queue.live == 0)
    }

    @Test func agreesWithASortedListUnderRandomUse() {
        var random = SeededRandom(7)
        var queue = TimerQueue()
        var model: [(deadline: Int64, order: Int, id: TimerID)] = []
        var fired: [Int] = []
        var expected: [Int] = []
        for order in 0..<20_000 {
            switch random.next() % 4 {
            case 0, 1:
                let deadline = Int64(random.next() % 1000)
                model.append((deadline, order, queue.schedule(at: deadline) { fired.append(order) }))
            case 2:
                guard !model.isEmpty else { continue }
                queue.cancel(model.remove(at: Int(random.next() % UInt64(model.count))).id)
            default:
                let now = Int64(random.next() % 1000)
                while let handler = queue.popDue(now) { handler() }
                let due = model.filter { $0.deadline <= now }.sorted {
                    ($0.deadline, $0.order) < ($1.deadline, $1.order)
                }
                expected += due.map(\.order)
                model.removeAll { $0.deadline <= now }
                #expect(queue.live == model.count)
            }
        }
        #expect(fired == expected)
    }
}

@Suite struct EventLoopTests {
    @Test func timersFollowTheClockHandedIn() throws {
        let clock = ManualClock()
        let loop = try EventLoop(clock: { clock.now })
        var fired: [String] = []
        loop.schedule(after: 100) { fired.append("a") }
        loop.schedule(after: 200) { fired.append("b") }
        try loop.runOnce(timeout: 0)
        #expect(fired.isEmpty)
        clock.now = 150
        try loop.runOnce(timeout: 0)
        #expect(fired == ["a"])
        clock.now = 1000
        try loop.runOnce(timeout: 0)
        #expect(fired == ["a", "b"])
    }

    @Test func aTimerThatSetsItselfAtOnceStarvesNothing() throws {
        let loop = try EventLoop()
        var rounds = 0
        func again() {
            rounds += 1
            // Bounded, so that a loop that starves ends and fails here.
            if rounds < 1_000_000 { loop.schedule(after: 0, again) }
        }
        loop.schedule(after: 0, again)
        loop.execute { loop.stop() }
        try loop.run()
        #expect(rounds < 1_000)
    }

    @Test func executesFromOtherThreadsInOrder() async throws {
        let thread = try EventLoopThread()
        for _ in 0..<100 {
            let sum = await thread.run { _ in 1 + 1 }
            #expect(sum == 2)
        }
        thread.stop()
    }

    @Test func aLoopThatPollsServesTimersOtherThreadsAndItsEndLikeOneThatSleeps() async throws {
        for busyPolling in [Nanoseconds.milliseconds(1), Nanoseconds.seconds(3600)] {
            let thread = try EventLoopThread(busyPolling: busyPolling)
            for _ in 0..<100 {
                let sum = await thread.run { _ in 1 + 1 }
                #expect(sum == 2)
            }
            await withCheckedContinuation { continuation in
                thread.loop.execute { [loop = thread.loop] in
                    loop.schedule(after: Nanoseconds.milliseconds(5)) { continuation.resume() }
                }
            }
            thread.stop()
        }
        let loop = try EventLoop()
        loop.busyPolling = Nanoseconds.seconds(3600)
        // Comes back with nothing done.
        try loop.runOnce(timeout: Nanoseconds.milliseconds(5))
    }

    @Test func workWhilePollingRunsOnlyThenAndCountsAsWaitingForWhatItKeepsUp() throws {
        let loop = try EventLoop()
        var began: [Int64] = []
        loop.whilePolling = { now in
            began.append(now)
            // What becomes ready meanwhile has waited since this began.
            if began.count == 3 { loop.execute {} }
            return began.count >= 3
        }
        try loop.runOnce(timeout: Nanoseconds.milliseconds(2))
        #expect(began.isEmpty)
        loop.busyPolling = Nanoseconds.seconds(3600)
        try loop.runOnce(timeout: nil)
        #expect(began.count == 3)
        #expect(loop.readyAt == began[2])
        // Without such work it is the poller's return.
        loop.whilePolling = { _ in
            loop.execute {}
            return false
        }
        let before = Clocks.monotonic()
        try loop.runOnce(timeout: nil)
        #expect(loop.readyAt >= before && loop.readyAt <= loop.now)
    }

    @Test func deferredWorkRunsOnceAfterTheHandler() throws {
        let test = try TestLoop()
        var order: [Int] = []
        test.loop.defer {
            order.append(1)
            test.loop.defer { order.append(3) }
            order.append(2)
        }
        try test.loop.runOnce(timeout: 0)
        #expect(order == [1, 2])
        try test.loop.runOnce(timeout: 0)
        #expect(order == [1, 2, 3])
    }

    // @unchecked Sendable is sound because one thread uses it.
    private final class ManualClock: @unchecked Sendable { var now: Int64 = 0 }
}

@Suite struct ByteBufferTests {
    @Test func agreesWithAnArrayUnderRandomUse() {
        var random = SeededRandom(11)
        var buffer = ByteBuffer(capacity: 64)
        var model: [UInt8] = []
        for _ in 0..<5000 {
            switch random.next() % 5 {
            case 0, 1, 2:
                let bytes = (0..<Int(random.next() % 200)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes.withUnsafeBytes { buffer.append($0) }
                model += bytes
            case 3:
                let count = Int(random.next() % UInt64(model.count + 1))
                buffer.consume(count)
                model.removeFirst(count)
            default: buffer.shrinkIfEmpty()
            }
            #expect(buffer.readable.elementsEqual(model))
        }
    }
}
