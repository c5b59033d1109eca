import CSystem
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a descriptor is ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let readable = Readiness(rawValue: UInt32(csystem_readable))
    public static let writable = Readiness(rawValue: UInt32(csystem_writable))
    public static let failed = Readiness(rawValue: UInt32(csystem_failed))
    public static let hungUp = Readiness(rawValue: UInt32(csystem_hung_up))
}

/// Takes a descriptor's readiness reports. Level-triggered: what is left unread is reported again.
public protocol EventHandler: AnyObject {
    func ready(_ readiness: Readiness)
}

/// Names one registered descriptor. A report for a registration that has ended is dropped, even if the
/// descriptor's number is in use again.
public struct Registration: Equatable, Sendable {
    let slot: UInt32
    let generation: UInt32
    var token: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// One thread's sockets and timers, on epoll.
///
///     let loop = try EventLoop()
///     loop.schedule(after: Nanoseconds.seconds(1)) { loop.stop() }
///     try loop.run()
///
/// Everything but `execute` and `stop` belongs to the loop's thread: the one that is in `run`, or, before
/// the first `run`, the one that sets things up. Handlers run there, one at a time; nothing else does.
//
// @unchecked Sendable is sound because the unlocked state is touched on the loop's thread alone, which the
// entry points check; what other threads may call goes through `posted`'s lock and the wake-up descriptor.
public final class EventLoop: @unchecked Sendable {
    /// Descriptors reported in one pass at most; the rest come in the next.
    static let eventsPerPass = 128

    private struct Slot {
        var generation: UInt32 = 1
        var descriptor: Int32 = -1
        var handler: (any EventHandler)?
        /// When it was last said what it is watched for.
        var watchedSince: Int64 = 0
    }

    private let poller: Int32
    private let wakeup: Int32
    private let clock: @Sendable () -> Int64
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var timers = TimerQueue()
    private var deferred: [() -> Void] = []
    private var events: [csystem_event]
    private var owner: pthread_t?
    private let posted = Mutex<[@Sendable () -> Void]>([])
    private let stopping = Atomic<Bool>(false)

    /// The loop's time in nanoseconds, read once a pass and by `refreshNow`.
    public private(set) var now: Int64

    /// Nanoseconds for which a pass polls before it sleeps; 0, the default, sleeps at once. A sleeping thread costs
    /// whoever sends to it from this machine the wake-up (20 µs on a virtual machine), and itself the way back to a
    /// processor that has gone cold. Polling costs a core instead.
    public var busyPolling: Int64 = 0

    /// Called again and again while the loop polls and nothing is ready, with the time: for work that can wait for
    /// ever. Short work, for what becomes ready meanwhile has to wait for it. False when there was nothing to do.
    public var whilePolling: ((Int64) -> Bool)?

    /// When what this pass serves became ready, at the earliest: the poller's return, or the beginning of what
    /// ``whilePolling`` did just before it.
    public private(set) var readyAt: Int64 = 0
    private var idleWorkBegan: Int64?
    /// When this pass's poll returned, whatever the clock says since.
    private var polledAt: Int64 = 0
    /// Reports of this pass that are still to be delivered; nil between passes.
    private var undelivered: Range<Int>?
    /// For so long after a poll its reports are news.
    private static let pollIsNews = Nanoseconds.milliseconds(1)

    /// - Parameter clock: nanoseconds that never go back; timers are judged by it.
    public init(clock: @escaping @Sendable () -> Int64 = { Clocks.monotonic() }) throws(SystemError) {
        // A peer that is gone is an error from write, never the end of the process.
        signal(SIGPIPE, SIG_IGN)
        poller = csystem_poller_create()
        guard poller >= 0 else { throw .last("epoll_create1") }
        wakeup = csystem_wakeup_create()
        guard wakeup >= 0 else {
            let error = SystemError.last("eventfd")
            close(poller)
            throw error
        }
        self.clock = clock
        now = clock()
        events = Array(repeating: csystem_event(), count: EventLoop.eventsPerPass)
        guard csystem_poller_control(poller, 0, wakeup, Readiness.readable.rawValue, .max) == 0 else {
            let error = SystemError.last("epoll_ctl")
            close(poller)
            close(wakeup)
            throw error
        }
    }

    deinit {
        close(poller)
        close(wakeup)
    }

    // MARK: - Descriptors

    /// Reports `descriptor`'s readiness to `handler`, which the loop keeps alive until `unregister`.
    public func register(
        _ descriptor: Int32, for interest: Readiness, _ handler: any EventHandler
    ) throws(SystemError) -> Registration {
        checkThread()
        let slot: UInt32
        if let reused = freeSlots.popLast() {
            slot = reused
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        let registration = Registration(slot: slot, generation: slots[Int(slot)].generation)
        guard csystem_poller_control(poller, 0, descriptor, interest.rawValue, registration.token) == 0 else {
            let error = SystemError.last("epoll_ctl")
            freeSlots.append(slot)
            throw error
        }
        slots[Int(slot)].descriptor = descriptor
        slots[Int(slot)].handler = handler
        slots[Int(slot)].watchedSince = refreshNow()
        return registration
    }

    /// Changes what a registered descriptor is watched for.
    public func update(_ registration: Registration, for interest: Readiness) {
        checkThread()
        guard isLive(registration) else { return }
        let descriptor = slots[Int(registration.slot)].descriptor
        let result = csystem_poller_control(poller, 1, descriptor, interest.rawValue, registration.token)
        precondition(result == 0, "a registered descriptor was closed before it was unregistered")
        slots[Int(registration.slot)].watchedSince = refreshNow()
    }

    /// Ends the reports. To be called before the descriptor is closed.
    public func unregister(_ registration: Registration) {
        checkThread()
        guard isLive(registration) else { return }
        let slot = Int(registration.slot)
        _ = csystem_poller_control(poller, 2, slots[slot].descriptor, 0, 0)
        slots[slot].handler = nil
        slots[slot].descriptor = -1
        slots[slot].generation &+= 1
        freeSlots.append(registration.slot)
    }

    /// Descriptors registered now, without the loop's own.
    public var registeredCount: Int { slots.count - freeSlots.count }

    private func isLive(_ registration: Registration) -> Bool {
        slots[Int(registration.slot)].generation == registration.generation
            && slots[Int(registration.slot)].handler != nil
    }

    // MARK: - Timers

    /// Calls `handler` once, `delay` nanoseconds from now.
    @discardableResult
    public func schedule(after delay: Int64, _ handler: @escaping () -> Void) -> TimerID {
        schedule(at: refreshNow() + max(0, delay), handler)
    }

    /// Calls `handler` once when the loop's clock has reached `deadline`.
    @discardableResult
    public func schedule(at deadline: Int64, _ handler: @escaping () -> Void) -> TimerID {
        checkThread()
        return timers.schedule(at: deadline, handler)
    }

    public func cancel(_ timer: TimerID?) {
        checkThread()
        if let timer { timers.cancel(timer) }
    }

    /// Reads the clock anew, for a caller whose pass has taken long.
    @discardableResult
    public func refreshNow() -> Int64 {
        now = clock()
        return now
    }

    // MARK: - Work

    /// Runs `work` on the loop's thread after the present handler, before the loop waits again.
    public func `defer`(_ work: @escaping () -> Void) {
        checkThread()
        deferred.append(work)
    }

    /// Runs `work` on the loop's thread soon. From any thread, in the order given.
    public func execute(_ work: @escaping @Sendable () -> Void) {
        let first = posted.withLock { queue in
            queue.append(work)
            return queue.count == 1
        }
        if first { csystem_wake(wakeup) }
    }

    /// Ends `run` after the present pass. From any thread.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        csystem_wake(wakeup)
    }

    /// Serves until `stop`. The calling thread becomes the loop's.
    public func run() throws(SystemError) {
        owner = pthread_self()
        while !stopping.exchange(false, ordering: .acquiringAndReleasing) {
            try runOnce(timeout: nil)
        }
    }

    /// One pass: waits at most `timeout` nanoseconds (nil: until something happens), then serves what is
    /// ready, the timers that are due and the work handed in. For drivers that have a loop of their own.
    public func runOnce(timeout: Int64?) throws(SystemError) {
        owner = pthread_self()
        let count = waitForEvents(waitTime(timeout))
        guard count >= 0 else { throw .last("epoll_wait") }
        polledAt = refreshNow()
        readyAt = idleWorkBegan ?? now
        idleWorkBegan = nil
        for index in 0..<Int(count) {
            undelivered = index + 1..<Int(count)
            deliver(events[index])
        }
        // What these schedule in turn waits for the next pass, so that none can starve the sockets.
        let mark = timers.mark
        while let handler = timers.popDue(now, before: mark) { handler() }
        runPosted()
        runDeferred()
        undelivered = nil
    }

    /// Whether a descriptor that is watched for reading has something to read, where the poller has just told: true
    /// with a report that is not delivered yet, false without one; nil where the poll is no news any more, and where
    /// the report has been delivered, for more may have come since.
    func waits(_ registration: Registration) -> Bool? {
        guard let undelivered, undelivered.upperBound < EventLoop.eventsPerPass,
            now - polledAt < EventLoop.pollIsNews, slots[Int(registration.slot)].watchedSince < polledAt
        else { return nil }
        let token = registration.token
        guard let index = events[..<undelivered.upperBound].firstIndex(where: { $0.token == token }) else {
            return false
        }
        return undelivered.contains(index) ? true : nil
    }

    /// - Parameter time: nanoseconds; below 0 for ever.
    private func waitForEvents(_ time: Int64) -> Int32 {
        var left = time
        if busyPolling > 0, time != 0 {
            let began = clock()
            let span = time < 0 ? busyPolling : min(busyPolling, time)
            repeat {
                let count = csystem_poller_wait(poller, &events, Int32(EventLoop.eventsPerPass), 0)
                if count != 0 { return count }
                let idle = refreshNow()
                idleWorkBegan = whilePolling?(idle) == true ? idle : nil
            } while now - began < span
            idleWorkBegan = nil
            if time > 0 { left = time - span }
        }
        return csystem_poller_wait(poller, &events, Int32(EventLoop.eventsPerPass), left)
    }

    private func waitTime(_ timeout: Int64?) -> Int64 {
        if !deferred.isEmpty { return 0 }
        var wait = timeout.map { max(0, $0) } ?? -1
        if let deadline = timers.nextDeadline() {
            let left = max(0, deadline - refreshNow())
            wait = wait < 0 ? left : min(wait, left)
        }
        return wait
    }

    private func deliver(_ event: csystem_event) {
        if event.token == .max {
            csystem_wakeup_clear(wakeup)
            return
        }
        let slot = Int(event.token & 0xffff_ffff)
        guard slots[slot].generation == UInt32(event.token >> 32), let handler = slots[slot].handler else {
            return
        }
        handler.ready(Readiness(rawValue: event.events))
    }

    private func runPosted() {
        let work = posted.withLock { queue in
            let all = queue
            queue.removeAll(keepingCapacity: true)
            return all
        }
        for item in work { item() }
    }

    private func runDeferred() {
        // What these defer in turn waits for the next pass, so that none can starve the sockets.
        if deferred.isEmpty { return }
        let work = deferred
        deferred.removeAll(keepingCapacity: true)
        for item in work { item() }
    }

    private func checkThread() {
        guard let owner else { return }
        precondition(pthread_equal(owner, pthread_self()) != 0, "used off the loop's thread")
    }
}
