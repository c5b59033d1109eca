import Martlet
import MartletEngine
import MartletLive
import Testing

@testable import MartletMain

/// Field note 28: markets of a quarter of an hour follow each other to the second; others traded on closed ones and
/// missed new ones for minutes.
@Suite(.serialized) struct FieldNoteRotationTests {
    @Test(
        "fieldNote28: the next market is traded as soon as it opens, and the closed one no more",
        arguments: ["live", "paper"])
    func fieldNote28(name: String) async throws {
        let mode = try #require(SessionSetup.Mode(rawValue: name))
        let settings = ["live.markets": "[]", "live.series": "[\"KXBTC15M\"]"]
        try await LiveRig.play(
            mode, markets: 24, settings: settings,
            adjust: {
                $0.isPaused = true
                $0.world.activity = 1
                $0.rules.skewToleranceMilliseconds = 86_400_000
            }
        ) { try FieldNoteRotationTests.rotate($0) }
    }

    private static func rotate(_ rig: LiveRig) throws {
        let first = Set(rig.status.markets.map(\.ticker))
        let old = try #require(rig.status.markets.first { $0.bid != nil && $0.ask != nil })
        let oldID = try rig.id(old.ticker)
        let oldBid = try #require(old.bid)
        try rig.place("old", .bid, 2, at: oldBid, in: oldID)
        try rig.until("it rests") { rig.order("old")?.status == .resting }
        let new = try #require(try nextMarket(rig, after: first), "no new market is followed")
        try rig.until("the old market is not active") {
            rig.status.markets.first { $0.ticker == old.ticker }?.status != "active"
        }
        try rig.until("what rested in it is over") { rig.order("old")?.status.isFinal == true }
        let newBid = try #require(new.bid)
        try rig.place("new", .bid, 2, at: newBid, in: try rig.id(new.ticker))
        try rig.place("late", .bid, 2, at: oldBid, in: oldID)
        try rig.until("the new market is traded") {
            rig.order("new").map { $0.status == .resting || $0.status == .filled } ?? false
        }
        guard case .refused = rig.order("late")?.status else {
            Issue.record(
                "a closed market is not traded: \(String(describing: rig.order("late")?.status))")
            return
        }
        // Determined and settled: nothing ends with it.
        for _ in 1...4 {
            try rig.advance(seconds: 60)
            try rig.pass(100)
        }
        _ = try rig.run.finish()
        let replay = try ReplayCommand.verify(rig.run.setup.folder.path, try LiveRig.registry())
        #expect(replay.isIdentical, "\(String(describing: replay.difference))")
    }

    private static func nextMarket(_ rig: LiveRig, after first: Set<String>) throws
        -> StatusSnapshot.MarketLine?
    {
        for _ in 1...17 {
            try rig.advance(seconds: 60)
            try rig.pass(200)
            let found = rig.status.markets.first {
                !first.contains($0.ticker) && $0.status == "active" && $0.bid != nil && $0.ask != nil
            }
            if let found { return found }
        }
        return nil
    }
}
