import Martlet
import Testing

@testable import MartletWire

@Suite(.enabled(if: RecordedData.isThere, "recorded data is missing: set MARTLET_DATA"))
struct RecordedFramesTests {
    @Test func fieldNote05DemoSessionHasNoGapWhenControlFramesAreCounted() throws {
        var decoder = MessageDecoder(convention: .ownSide)
        var tracker = SequenceTracker()
        var kinds: [WireMessage.Kind: Int] = [:]
        for frame in try RecordedData.demoSession() {
            let message = try decoder.decode(frame)
            kinds[message.kind, default: 0] += 1
            let verdict = tracker.check(message)
            #expect(verdict == .inOrder || verdict == .untracked, "\(String(decoding: frame, as: UTF8.self))")
        }
        #expect(kinds == [.delta: 2885, .snapshot: 5, .ok: 4, .subscribed: 2, .fill: 2])
        #expect(tracker.last(sid: 1) == 2894)
        #expect(decoder.tickers.count == 5)
    }
}
