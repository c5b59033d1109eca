import Foundation
import MartletNetwork
import Synchronization

/// Keeps signatures ready for the paths that orders take, made on a thread of its own.
///
///     let pool = SignaturePool(signer, settings: SignatureSettings())
///     let create = pool.path("POST", Endpoints.orders, .create)
///     let signature = try pool.signature(for: create, now: exchangeNow)
///
/// Each signature has a millisecond of its own and is used once. Both kinds of key gain: an Ed25519 signature takes
/// 30 µs in a loop that does nothing else, but was measured at 170 µs between two ticks of a live session, its tables
/// gone from the caches. `signature` never waits: with nothing ready it signs in place, and counts that.
public final class SignaturePool: Sendable {
    /// What the pool did.
    public struct Statistics: Hashable, Sendable {
        /// Taken ready-made.
        public var ready = 0
        /// Made on the order path, for want of a ready one.
        public var inPlace = 0
        /// Made ahead.
        public var ahead = 0
    }

    public let signer: RequestSigner
    public let settings: SignatureSettings
    /// Wall clock plus the exchange's offset, in nanoseconds since 1970.
    private let clock: @Sendable () -> Int64
    private let threadUse: @Sendable () -> Int64
    private let offset = Atomic<Int64>(0)
    private let posted = Mutex<[SignedPath]>([])
    private let isStopped = Atomic<Bool>(false)
    private let ready = Atomic<Int>(0)
    private let inPlace = Atomic<Int>(0)
    private let ahead = Atomic<Int>(0)
    /// Paths of single orders that are kept at present.
    private let orderPaths = Atomic<Int>(0)

    /// - Parameters:
    ///   - clock: nanoseconds since 1970, of this machine; ``setOffset(_:)`` adds the exchange's.
    ///   - threadUse: nanoseconds of a core that the calling thread has used.
    public init(
        _ signer: RequestSigner, settings: SignatureSettings = SignatureSettings(),
        clock: @escaping @Sendable () -> Int64 = { Clocks.wall() },
        threadUse: @escaping @Sendable () -> Int64 = { Clocks.threadUse() }
    ) {
        self.signer = signer
        self.settings = settings
        self.clock = clock
        self.threadUse = threadUse
    }

    public var statistics: Statistics {
        Statistics(
            ready: ready.load(ordering: .relaxed), inPlace: inPlace.load(ordering: .relaxed),
            ahead: ahead.load(ordering: .relaxed))
    }

    /// The exchange's clock less ours, in nanoseconds. From any thread.
    public func setOffset(_ nanoseconds: Int64) { offset.store(nanoseconds, ordering: .relaxed) }

    /// The exchange's time as it is believed to be.
    public var now: Int64 { clock() + offset.load(ordering: .relaxed) }

    // MARK: - The order path

    /// Begins to keep signatures for a path. Paths of single orders end with ``retire(_:)``; beyond
    /// `settings.ordersMax` of them, further ones are signed in place.
    public func path(_ method: String, _ path: String, _ priority: SignaturePriority) -> SignedPath {
        let depth =
            switch priority {
            case .create: settings.createDepth
            case .batchedCancel: settings.cancelDepth
            case .order: admitsOrder() ? settings.orderDepth : 0
            }
        let kept = SignedPath(method, path, priority, depth: depth)
        if !kept.slots.isEmpty { posted.withLock { $0.append(kept) } }
        return kept
    }

    private func admitsOrder() -> Bool {
        if orderPaths.wrappingAdd(1, ordering: .relaxed).newValue <= settings.ordersMax { return true }
        orderPaths.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// The path's order is gone, or no longer near the touch.
    public func retire(_ path: SignedPath) {
        let isFirst = !path.isRetired.exchange(true, ordering: .relaxed)
        if isFirst, path.priority == .order, !path.slots.isEmpty {
            orderPaths.wrappingSubtract(1, ordering: .relaxed)
        }
    }

    /// A signature for one request, ready-made where there is one.
    public func signature(for path: SignedPath) throws(KeyError) -> RequestSignature {
        let now = self.now
        for slot in path.slots {
            guard let signature = slot.take() else { continue }
            guard isUsable(signature, now) else { continue }
            ready.wrappingAdd(1, ordering: .relaxed)
            return signature
        }
        inPlace.wrappingAdd(1, ordering: .relaxed)
        return try signer.signNext(method: path.method, path: path.path, notBefore: now / 1_000_000)
    }

    /// A signature for a path that is not kept.
    public func signature(method: String, path: String) throws(KeyError) -> RequestSignature {
        try signer.signNext(method: method, path: path, notBefore: now / 1_000_000)
    }

    /// Hands in a signature made elsewhere.
    package func provide(_ signature: RequestSignature, for path: SignedPath) {
        path.slots.first?.put(signature)
    }

    private func isUsable(_ signature: RequestSignature, _ now: Int64) -> Bool {
        abs(now - signature.milliseconds * 1_000_000) <= settings.window
    }

    // MARK: - The signing thread

    /// Starts the signing thread. It holds the pool until ``stop()``.
    public func start() {
        let thread = Thread { [self] in
            SystemThread.giveWay()
            var work = Work(settings)
            while !isStopped.load(ordering: .relaxed) {
                let wait = signDue(&work)
                Thread.sleep(forTimeInterval: Double(wait) / 1e9)
            }
        }
        thread.name = "signatures"
        thread.qualityOfService = .utility
        thread.start()
    }

    public func stop() { isStopped.store(true, ordering: .relaxed) }

    /// What the signing thread alone knows.
    struct Work {
        var schedule: SignatureSchedule
        var paths: [SignedPath] = []
        /// For each slot of each path in turn, when its signature was made.
        var madeAt: [[Int64]] = []

        init(_ settings: SignatureSettings) { schedule = SignatureSchedule(settings) }
    }

    /// Signs what is due. Returns how long to wait before the next look, in nanoseconds.
    func signDue(_ work: inout Work) -> Int64 {
        adopt(&work)
        let (started, used) = (clock(), threadUse())
        work.schedule.noticeClockSet(now: started)
        var places: [SignatureSchedule.Place] = []
        var owners: [(path: Int, slot: Int)] = []
        for (index, path) in work.paths.enumerated() {
            for (slot, content) in path.slots.enumerated() {
                let madeAt = content.isEmpty ? nil : work.madeAt[index][slot]
                places.append(.init(priority: path.priority, madeAt: madeAt))
                owners.append((index, slot))
            }
        }
        guard let next = work.schedule.next(places, now: started) else {
            return max(0, min(settings.pollInterval, work.schedule.notBefore - started + 1))
                .ifZero(settings.pollInterval)
        }
        let (index, slot) = owners[next]
        let path = work.paths[index]
        let date = (now + min(max(settings.datedAhead, 0), settings.window)) / 1_000_000
        // A failure can only be want of memory; the order path then signs, and reports its own.
        if let signature = try? signer.signNext(method: path.method, path: path.path, notBefore: date) {
            path.slots[slot].put(signature)
            work.madeAt[index][slot] = started
            ahead.wrappingAdd(1, ordering: .relaxed)
        }
        work.schedule.signed(startedAt: started, duration: threadUse() - used)
        return min(settings.pollInterval, max(0, work.schedule.notBefore - clock()))
    }

    private func adopt(_ work: inout Work) {
        let fresh = posted.withLock { queue in
            let all = queue
            queue.removeAll(keepingCapacity: true)
            return all
        }
        for path in fresh {
            work.paths.append(path)
            work.madeAt.append(Array(repeating: 0, count: path.slots.count))
        }
        for index in work.paths.indices.reversed()
        where work.paths[index].isRetired.load(ordering: .relaxed) {
            work.paths.remove(at: index)
            work.madeAt.remove(at: index)
        }
    }
}

extension Int64 {
    fileprivate func ifZero(_ other: Int64) -> Int64 { self == 0 ? other : self }
}
