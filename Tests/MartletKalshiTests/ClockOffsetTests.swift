import Testing

@testable import MartletKalshi

struct ClockOffsetTests {
    @Test func startsWithoutAnEstimate() {
        #expect(ClockOffset().estimate == nil)
        #expect(ClockOffset().correction == .zero)
    }
}
