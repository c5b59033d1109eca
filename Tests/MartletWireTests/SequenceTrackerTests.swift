import Testing

@testable import MartletWire

@Suite struct SequenceTrackerTests {
    @Test func eachSubscriptionCountsForItself() {
        var tracker = SequenceTracker()
        #expect(tracker.check(sid: 1, sequence: 1) == .inOrder)
        #expect(tracker.check(sid: 2, sequence: 1) == .inOrder)
        #expect(tracker.check(sid: 1, sequence: 2) == .inOrder)
        #expect(tracker.check(sid: 2, sequence: 2) == .inOrder)
        #expect(tracker.check(sid: 1, sequence: 2) == .duplicate)
        #expect(tracker.check(sid: 1, sequence: 5) == .gap(missing: 3...4))
        #expect(tracker.check(sid: 1, sequence: 4) == .duplicate)
        #expect(tracker.check(sid: 1, sequence: 6) == .inOrder)
        #expect(tracker.check(sid: -1, sequence: 6) == .untracked)
        #expect(tracker.check(sid: 3, sequence: -1) == .untracked)
    }

    @Test func aSubscriptionThatStartsLateHasAGap() {
        var tracker = SequenceTracker()
        #expect(tracker.check(sid: 1, sequence: 3) == .gap(missing: 1...2))
        tracker.forget(sid: 1)
        #expect(tracker.check(sid: 1, sequence: 1) == .inOrder)
        #expect(tracker.last(sid: 1) == 1)
    }

    @Test(.enabled(if: !RecordedData.isMissing, "set MARTLET_DATA"))
    func fieldNote05_demoSessionHasNoGapWhenControlFramesAreCounted() throws {
        var decoder = MessageDecoder(usesYesPrice: false)
        var tracker = SequenceTracker()
        var kinds: [WireFrame.Kind: Int] = [:]
        for line in try RecordedData.lines("kalshi/demo-session/session.jsonl.gz") {
            let frame = try decoder.decode(String(decoding: line, as: UTF8.self))
            kinds[frame.kind, default: 0] += 1
            let verdict = tracker.check(frame)
            #expect(verdict == .inOrder || verdict == .untracked, "\(frame)")
        }
        #expect(kinds == [.delta: 2885, .snapshot: 5, .ok: 4, .subscribed: 2, .fill: 2])
        #expect(tracker.last(sid: 1) == 2894)
    }
}
