import Foundation
import Martlet
import Testing

@testable import MartletEngine

@Suite struct TokenBucketTests {
    @Test func meetsASlowModelInDecimals() {
        var random = SeededGenerator(seed: testSeed("meetsASlowModelInDecimals", default: 5))
        for _ in 0..<50 {
            let refill = Int(random.next() % 5_000) + 1
            let capacity = Int(random.next() % 20_000) + 10
            var now = Timestamp(seconds: 1_000)
            var bucket = TokenBucket(.init(refill: refill, capacity: capacity), now: now)
            var level = Decimal(capacity)
            for _ in 0..<500 {
                let step = Int64(random.next() % 50_000_000)
                now = now + .nanoseconds(step)
                bucket.refill(to: now)
                level = min(level + Decimal(refill) * Decimal(step) / 1_000_000_000, Decimal(capacity))
                let cost = Int(random.next() % 25) + 1
                let reserve = Int64(random.next() % 10)
                let needed = min(Decimal(cost) + Decimal(reserve), Decimal(capacity))
                #expect(bucket.affords(cost, leaving: reserve, now: now) == (level >= needed))
                let ready = bucket.time(for: cost, leaving: reserve)
                if level < needed {
                    var early = bucket
                    early.refill(to: ready - .nanoseconds(1))
                    #expect(!early.affords(cost, leaving: reserve, now: ready - .nanoseconds(1)))
                    early.refill(to: ready)
                    #expect(early.affords(cost, leaving: reserve, now: ready))
                } else {
                    bucket.spend(cost)
                    level -= Decimal(cost)
                }
            }
        }
    }

    @Test func timeRunningBackwardsRefillsNothing() {
        let start = Timestamp(seconds: 10)
        var bucket = TokenBucket(.init(refill: 10, capacity: 10), now: start)
        bucket.spend(10)
        bucket.refill(to: start - .seconds(5))
        #expect(bucket.available == 0)
        bucket.refill(to: start + .milliseconds(500))
        #expect(bucket.available == 5)
    }

    @Test func theUnlimitedBudgetNeitherOverflowsNorEnds() {
        var bucket = TokenBucket(RateLimits.unlimited.write, now: Timestamp(seconds: 0))
        for second in 1..<1_000 {
            let now = Timestamp(seconds: Int64(second) * 1_000_000)
            bucket.refill(to: now)
            #expect(bucket.affords(1_000_000, leaving: 0, now: now))
            bucket.spend(1_000_000)
        }
    }

    @Test func aRateWindowCountsAnyOneSecond() {
        var random = SeededGenerator(seed: 3)
        var window = RateWindow(limit: 5)
        var times: [Timestamp] = []
        var now = Timestamp(seconds: 100)
        for _ in 0..<2_000 {
            now = now + .milliseconds(Int64(random.next() % 300))
            let recent = times.filter { $0 > now - .seconds(1) }.count
            #expect(window.admits(at: now) == (recent < 5))
            if recent < 5 {
                window.count(at: now)
                times.append(now)
            }
        }
        #expect(!RateWindow(limit: 0).admits(at: now))
        #expect(RateWindow(limit: .max).admits(at: now))
    }

    @Test func whateverTheWayTakesTheExchangeIsNeverAskedForMoreThanItHas() {
        let seed = UInt64.random(in: 1 ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let margin = TimeSpan.milliseconds(100)
        for _ in 0..<200 {
            let limits = RateLimits.Bucket(
                refill: 1 + Int(generator.next() % 400), capacity: 100 + Int(generator.next() % 400))
            var now = Timestamp(seconds: 1_000)
            var ours = TokenBucket(limits, margin: margin, now: now)
            // The exchange's own, which starts full and knows only of arrivals.
            var arrivals: [(time: Timestamp, cost: Int)] = []
            for _ in 0..<300 {
                let cost = 1 + Int(generator.next() % 10)
                now = now + .milliseconds(Int64(generator.next() % 40))
                // Now and then it rests until it is full.
                if generator.next().isMultiple(of: 50) { now = now + .seconds(500) }
                ours.refill(to: now)
                guard ours.affords(cost, leaving: 0, now: now) else { continue }
                ours.spend(cost)
                arrivals.append(
                    (now + TimeSpan(nanoseconds: Int64(generator.next() % 100_000_000)), cost))
            }
            var theirs = TokenBucket(limits, now: Timestamp(seconds: 1_000))
            for arrival in arrivals.sorted(by: { $0.time < $1.time }) {
                theirs.refill(to: arrival.time)
                #expect(
                    theirs.affords(arrival.cost, leaving: 0, now: arrival.time),
                    "refused at \(arrival.time) with \(limits)")
                theirs.spend(arrival.cost)
            }
        }
    }
}
