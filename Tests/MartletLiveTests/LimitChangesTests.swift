import Martlet
import MartletEngine
import MartletWire
import Testing

@testable import MartletLive

/// `martlet halt --tighten` and the dashboard's door: stricter limits while a session runs.
@Suite struct LimitChangesTests {
    private static func changes(_ text: String) throws -> LimitChanges {
        try LimitChanges(JSONParser.parse(Array(text.utf8)))
    }
    private static func problem(_ text: String) -> String {
        do {
            _ = try changes(text)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func whatIsNotNamedStaysAsItIs() throws {
        let limits = try Self.changes(
            """
            {"maxOrderSize": 5, "priceCollar": "0.05", "maxDailyLoss": 12.5, "maxOpenOrders": 0, "closeMargin": 60,
             "maxBookAge": 2, "allowsEmptyBook": false}
            """
        ).limits
        var present = RiskLimits()
        present.tighten(to: limits)
        var wanted = RiskLimits()
        wanted.maxOrderSize = 5
        wanted.priceCollar = 0.05
        wanted.maxDailyLoss = Money(cents: 1250)
        wanted.maxOpenOrders = 0
        wanted.closeMargin = .seconds(60)
        wanted.maxBookAge = .seconds(2)
        #expect(present == wanted)
    }

    @Test(arguments: [
        ("{}", "name the limits"), ("5", "name the limits"),
        (#"{"maxOrderSiz": 5}"#, "no limit 'maxOrderSiz'"),
        (#"{"maxOrderSize": -1}"#, "'maxOrderSize' cannot be -1"),
        (#"{"maxOrderSize": "x"}"#, "maxOrderSize"),
        (#"{"dayStartHour": 5}"#, "no limit 'dayStartHour'"), (#"{"allowsEmptyBook": true}"#, "restart"),
        (#"{"maxBookAge": 0}"#, "restart"), (#"{"maxOpenOrders": 1.5}"#, "maxOpenOrders"),
    ]) func whatCannotBeIsNamed(text: String, part: String) {
        #expect(Self.problem(text).contains(part), "\(Self.problem(text))")
    }

    @Test func theLogNamesWhatWasTightened() throws {
        let limits = try Self.changes(#"{"maxOrderSize": 5, "maxDailyLoss": 12.5}"#).limits
        #expect(LimitChanges.text(limits) == "maxOrderSize 5.00, maxDailyLoss 12.50")
    }

    @Test func whatWouldLoosenIsNamedWithBothValues() throws {
        var present = RiskLimits()
        present.maxOrderSize = 5
        let looser = try #require(try Self.changes(#"{"maxOrderSize": 100}"#).looser(than: present))
        #expect(looser.contains("5") && looser.contains("100") && looser.contains("maxOrderSize"))
        #expect(try Self.changes(#"{"maxOrderSize": 5}"#).looser(than: present) == nil)
        #expect(try Self.changes(#"{"closeMargin": 0}"#).looser(than: present) != nil)
    }
}
