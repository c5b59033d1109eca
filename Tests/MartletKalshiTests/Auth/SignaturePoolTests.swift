import MartletNetwork
import Testing

@testable import MartletKalshi

@Suite struct SignaturePoolTests {
    private let clock = SimulatedClock()
    // One key for all: making an RSA key is slow in a debug build.
    private static let rsa = Result { try PrivateKey.generate(.rsa) }

    private func pool(_ change: (inout SignatureSettings) -> Void = { _ in }) throws -> SignaturePool {
        var settings = SignatureSettings()
        settings.createDepth = 3
        settings.cancelDepth = 2
        change(&settings)
        return SignaturePool(
            try .test(Self.rsa.get()), settings: settings, clock: { [clock] in clock.now },
            threadUse: { 0 })
    }

    /// Lets the signing thread's work run until nothing is due; the clock stands still meanwhile.
    private func fill(_ pool: SignaturePool, _ work: inout SignaturePool.Work) {
        for _ in 0..<100 { _ = pool.signDue(&work) }
    }

    @Test func keepsReadySignaturesEachUsedOnce() throws {
        let pool = try pool()
        var work = SignaturePool.Work(pool.settings)
        let create = pool.path("POST", "/trade-api/v2/portfolio/events/orders", .create)
        fill(pool, &work)
        #expect(pool.statistics.ahead == 3)
        let taken = try (0..<3).map { _ in try pool.signature(for: create) }
        #expect(Set(taken.map(\.milliseconds)).count == 3)
        #expect(Set(taken.map(\.signature)).count == 3)
        #expect(pool.statistics == .init(ready: 3, inPlace: 0, ahead: 3))
        // Nothing is left: the next is made in place, and counted.
        _ = try pool.signature(for: create)
        #expect(pool.statistics.inPlace == 1)
        for signature in taken {
            let bytes = try #require(Base64.decode(signature.signature))
            let message = "\(signature.milliseconds)POST/trade-api/v2/portfolio/events/orders"
            #expect(try Self.rsa.get().publicKey.verify(bytes, of: Array(message.utf8)))
        }
    }

    @Test func refreshesWhatAgesAndUsesNothingBeyondTheWindow() throws {
        let pool = try pool()
        var work = SignaturePool.Work(pool.settings)
        let create = pool.path("POST", "/trade-api/v2/a", .create)
        fill(pool, &work)
        clock.advance(Nanoseconds.milliseconds(1_300))
        fill(pool, &work)
        #expect(pool.statistics.ahead == 6, "all three were older than 60 % of two seconds")
        // With the thread asleep, three seconds later nothing ready is used any more.
        clock.advance(Nanoseconds.seconds(3))
        let signature = try pool.signature(for: create)
        #expect(signature.milliseconds >= clock.now / 1_000_000)
        #expect(pool.statistics.inPlace == 1)
    }

    @Test func signsInTheOrderCreateBatchedCancelSingleOrders() throws {
        let schedule = SignatureSchedule(SignatureSettings())
        func next(_ places: [(SignaturePriority, Int64?)], now: Int64 = 0) -> Int? {
            schedule.next(places.map { .init(priority: $0.0, madeAt: $0.1) }, now: now)
        }
        #expect(next([(.order, nil), (.batchedCancel, nil), (.create, nil)]) == 2)
        #expect(next([(.order, nil), (.batchedCancel, nil), (.create, 0)]) == 1)
        #expect(next([(.order, nil), (.batchedCancel, 0), (.create, 0)]) == 0)
        #expect(next([(.order, 0), (.batchedCancel, 0), (.create, 0)]) == nil)
        // An empty place goes before an aged one, whatever their ranks; of aged ones the first rank, then the oldest.
        let old = Nanoseconds.seconds(10)
        #expect(next([(.create, 0), (.order, nil)], now: old) == 1)
        #expect(next([(.order, 0), (.create, 5), (.create, 3)], now: old) == 2)
    }

    @Test func keepsToItsShareOfACore() throws {
        var settings = SignatureSettings()
        settings.cpuShare = 0.2
        var schedule = SignatureSchedule(settings)
        let place = SignatureSchedule.Place(priority: .create, madeAt: nil)
        // A signature of 1 ms is paid for by 5 ms; 10 ms are there from the start.
        let millisecond = Nanoseconds.milliseconds(1)
        schedule.signed(startedAt: 0, duration: millisecond)
        #expect(schedule.next([place], now: 0) == 0)
        schedule.signed(startedAt: 0, duration: 2 * millisecond)
        #expect(schedule.next([place], now: 5 * millisecond - 1) == nil)
        #expect(schedule.next([place], now: 5 * millisecond) == 0)
        // Over a simulated second of hunger, a signature of 0.5 ms is made 400 times, a fifth of the time, and
        // four times for what was there from the start.
        var now: Int64 = 0
        var made = 0
        schedule = SignatureSchedule(settings)
        while now < Nanoseconds.seconds(1) {
            if schedule.next([place], now: now) != nil {
                schedule.signed(startedAt: now, duration: 500_000)
                made += 1
                now += 500_000
            }
            now += 100_000
        }
        #expect(made <= 404 && made > 350)
        // A clock that was set back does not stop it.
        schedule.noticeClockSet(now: -Nanoseconds.seconds(3600))
        #expect(schedule.next([place], now: -Nanoseconds.seconds(3600)) == 0)
    }

    @Test func datesFollowTheExchangesClockAndTheSettingThatDatesAhead() throws {
        let pool = try pool { $0.datedAhead = Nanoseconds.seconds(1) }
        pool.setOffset(Nanoseconds.seconds(-7))
        var work = SignaturePool.Work(pool.settings)
        let create = pool.path("POST", "/trade-api/v2/a", .create)
        fill(pool, &work)
        let expected = clock.now / 1_000_000 - 7_000 + 1_000
        let dates = try (0..<3).map { _ in try pool.signature(for: create).milliseconds }
        #expect(dates.sorted() == [expected, expected + 1, expected + 2])
    }

    @Test func pathsOfSingleOrdersAreBoundedAndForgotten() throws {
        let pool = try pool { $0.ordersMax = 2 }
        var work = SignaturePool.Work(pool.settings)
        let paths = (0..<3).map { pool.path("DELETE", "/trade-api/v2/portfolio/events/orders/\($0)", .order) }
        fill(pool, &work)
        #expect(paths.map(\.slots.count) == [1, 1, 0])
        #expect(pool.statistics.ahead == 2)
        _ = try pool.signature(for: paths[2])
        #expect(pool.statistics.inPlace == 1)
        pool.retire(paths[0])
        pool.retire(paths[0])
        fill(pool, &work)
        #expect(work.paths.count == 1)
        #expect(pool.path("DELETE", "/trade-api/v2/x", .order).slots.count == 1)
        #expect(pool.path("DELETE", "/trade-api/v2/y", .order).slots.isEmpty)
    }

    @Test func withNothingReadyItIsSignedInPlace() throws {
        let pool = SignaturePool(
            try .test(PrivateKey.generate(.ed25519)), clock: { [clock] in clock.now })
        let create = pool.path("POST", "/trade-api/v2/a", .create)
        let first = try pool.signature(for: create)
        let second = try pool.signature(for: create)
        #expect(first.milliseconds == clock.now / 1_000_000)
        #expect(second.milliseconds == first.milliseconds + 1)
        #expect(first.signature != second.signature)
    }

    @Test func theSigningThreadFillsThePoolAndEnds() async throws {
        let pool = SignaturePool(try .test(Self.rsa.get()))
        let create = pool.path("POST", "/trade-api/v2/a", .create)
        pool.start()
        defer { pool.stop() }
        for _ in 0..<2_000 where pool.statistics.ahead == 0 {
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(pool.statistics.ahead > 0)
        _ = try pool.signature(for: create)
    }
}
