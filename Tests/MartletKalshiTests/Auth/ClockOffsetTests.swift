import Martlet
import Testing

@testable import MartletKalshi

@Suite struct ClockOffsetTests {
    private func time(_ seconds: Double) -> Timestamp {
        Timestamp(nanoseconds: 1_795_442_400_000_000_000 + Int64((seconds * 1e9).rounded()))
    }

    @Test func startsWithoutAnEstimate() {
        #expect(ClockOffset().estimate == nil)
        #expect(ClockOffset().correction == .zero)
        #expect("\(ClockOffset())" == "unknown")
    }

    @Test func wholeSecondsNarrowTheOffsetDown() {
        // The exchange is 3.25 s ahead of us; its Date header has whole seconds; round trips take 20 ms.
        var offset = ClockOffset()
        for step in 0..<40 {
            let sent = Double(step) * 0.137
            let theirs = (sent + 0.01 + 3.25).rounded(.down)
            offset.observe(
                named: time(theirs), resolution: .seconds(1), sent: time(sent), received: time(sent + 0.02))
        }
        let estimate = offset.estimate?.seconds ?? 0
        #expect(abs(estimate - 3.25) < 0.1)
        #expect((offset.uncertainty?.seconds ?? 9) < 0.15)
        #expect(offset.correction.seconds <= 3.25 && offset.correction.seconds > 3)
        #expect(offset.steps == 0 && offset.samples == 40)
    }

    @Test func fieldNote27AClockThatMayBeRightIsNotCorrected() {
        var offset = ClockOffset()
        // Received before the exchange's own time: nothing breaks, and the proof is ±1 s at first.
        offset.observe(named: time(0), resolution: .seconds(1), sent: time(0.4), received: time(0.5))
        #expect(offset.correction == .zero)
        #expect(offset.estimate != nil)
    }

    @Test func aClockThatWasSetStartsOver() {
        var offset = ClockOffset()
        offset.observe(named: time(0), resolution: .milliseconds(1), sent: time(0), received: time(0.01))
        offset.observe(named: time(60), resolution: .milliseconds(1), sent: time(1), received: time(1.01))
        #expect(offset.steps == 1)
        #expect(abs((offset.estimate?.seconds ?? 0) - 59) < 0.02)
    }

    @Test func aMessageThatAnswersNothingBoundsOneSideOnly() {
        var offset = ClockOffset()
        offset.observe(named: time(5), resolution: .milliseconds(1), sent: nil, received: time(1))
        #expect(offset.estimate == nil)
        #expect(offset.correction == .seconds(4), "it was said before it arrived")
    }

    @Test func readsTheDatesOfServers() {
        #expect(
            HTTPDate.parse("Mon, 23 Nov 2026 14:00:00 GMT") == Timestamp(seconds: 1_795_442_400))
        for text in ["", "Mon, 23 Nov 2026 14:00:00", "23 Nov 2026", "Mon, 23 Nov 2026 14:00:00 CET"] {
            #expect(HTTPDate.parse(text) == nil)
        }
    }
}
