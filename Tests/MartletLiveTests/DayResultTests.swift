import Martlet
import MartletEngine
import Testing

@testable import MartletLive

/// The day's limit of loss across sessions.
@Suite struct DayResultTests {
    private static func states(_ account: Money, endsIn span: TimeSpan, _ rig: AccountRig) throws -> [String:
        [UInt8]]
    {
        let day = DayResult(
            end: rig.session.now + span, realized: [.zero, .zero, account], strategies: ["hand"])
        return [DayResult.name: try #require(day.bytes)]
    }

    @Test func aLossOfThisDayHaltsTheNextSessionAtItsStart() async throws {
        try await AccountRig.play { rig in
            rig.session.carry(try Self.states(Money(dollars: -30_000), endsIn: .hours(1), rig))
            #expect(rig.risk == .halted)
            #expect(rig.told.count("halted") == 1)
        }
    }

    @Test func yesterdaysLossIsForgotten() async throws {
        try await AccountRig.play { rig in
            rig.session.carry(try Self.states(Money(dollars: -30_000), endsIn: .seconds(-1), rig))
            #expect(rig.risk == .active)
            rig.session.carry([DayResult.name: [1, 2, 3]])
            #expect(rig.risk == .active, "what cannot be read counts for nothing")
        }
    }
}
