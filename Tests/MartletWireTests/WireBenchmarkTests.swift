import Testing

@testable import MartletWire

@Suite struct WireBenchmarkTests {
    @Test(arguments: [nil, 7] as [UInt64?])
    func madeFramesEndInTheBooksOfTheSlowReplay(_ shuffleSeed: UInt64?) throws {
        let benchmark = try WireBenchmark(frames: MadeFrames.deltas(500, seed: 3), shuffleSeed: shuffleSeed)
        let figures = try benchmark.run(seconds: 0, clock: { 0 })
        #expect(figures.messages == 500 && figures.markets == 5)
        #expect(figures.bytes / figures.messages > 225)
    }

    @Test(.enabled(if: !RecordedData.isMissing, "set MARTLET_DATA"))
    func recordedFramesInAnyOrderOfKeysEndInTheSameBooks() throws {
        let frames = try RecordedData.lines("kalshi/demo-session/session.jsonl.gz")
        var hashes: Set<UInt64> = []
        for seed in [nil, 1, 2] as [UInt64?] {
            let figures = try WireBenchmark(frames: frames, shuffleSeed: seed).run(seconds: 0, clock: { 0 })
            #expect(figures.messages == 2885)
            hashes.insert(figures.bookHash)
        }
        #expect(hashes.count == 1)
    }

    @Test func thereIsNoRateWithoutDeltas() {
        #expect(throws: WireBenchmark.Failure.noDeltas) { try WireBenchmark(frames: [Array("{}".utf8)]) }
    }
}
