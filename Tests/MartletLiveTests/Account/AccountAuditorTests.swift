import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import Testing

@testable import MartletLive

/// Our account against the exchange's: what counts as a difference, and what follows from one.
@Suite struct AccountAuditorTests {
    /// Lets readings happen until `isSo`; each begins only after a quiet while, which the test's clock skips.
    private static func readings(_ rig: AccountRig, _ what: String, _ isSo: () -> Bool) throws {
        for _ in 0..<40 where !isSo() {
            rig.auditor?.hurry()
            try rig.pass(.seconds(4))
        }
        try rig.until(what, isSo)
    }
    private static func fill(_ rig: AccountRig) throws {
        try rig.place()
        try rig.until("it rests") { rig.desk.order?.status == .resting }
        rig.exchange.trade(0, 5)
        try rig.tellTrade()
        try rig.until("it is filled") { rig.desk.order?.status == .filled }
        rig.exchange.change {
            $0.positions = [(AccountRig.ticker, 5, "1.5000")]
            $0.cash = "998.5000"
        }
    }

    @Test func accountsThatAgreeSaySoAndNothingFollows() async throws {
        try await AccountRig.play { rig in
            try Self.fill(rig)
            try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 2 }
            #expect(rig.auditor?.differences == 0 && rig.auditor?.obstacle == nil)
            #expect(rig.risk == .active && rig.catchUps == 0)
        }
    }

    @Test(
        "A difference counts when a second reading shows the same; then the policy is followed",
        arguments: [LiveSettings.DifferencePolicy.adopt, .reduceOnly, .halt])
    func differs(policy: LiveSettings.DifferencePolicy) async throws {
        try await AccountRig.play({ $0.onDifference = policy }) { rig in
            try Self.fill(rig)
            rig.exchange.change {
                $0.positions = [(AccountRig.ticker, 8, "2.4000")]
                $0.cash = "997.6000"
            }
            try Self.readings(rig, "it is suspected") { rig.catchUps == 1 }
            #expect(rig.auditor?.differences == 0 && rig.risk == .active, "once is no proof")
            try Self.readings(rig, "it is told") { rig.auditor?.differences == 1 }
            #expect(rig.told.count("difference") == 1)
            switch policy {
            case .halt: #expect(rig.risk == .halted && rig.position.quantity == 5)
            case .reduceOnly: #expect(rig.risk == .reduceOnly && rig.position.quantity == 5)
            case .adopt:
                #expect(rig.risk == .active)
                #expect(rig.position.quantity == 8 && rig.position.cost == Money(cents: 240))
                #expect(rig.cash == Money(dollars: 1_000) - Money(cents: 240))
                try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 1 }
                #expect(rig.told.count("difference") == 1)
            }
        }
    }

    /// What a feed that had died has not told is no difference: it is asked for before anything counts.
    @Test func aFillThatTheFeedHasNotToldIsAskedFor() async throws {
        try await AccountRig.play({ $0.onDifference = .halt }) { rig in
            try rig.place()
            try rig.until("it rests") { rig.desk.order?.status == .resting }
            rig.exchange.trade(0, 5)
            rig.exchange.change {
                $0.positions = [(AccountRig.ticker, 5, "1.5000")]
                $0.cash = "998.5000"
            }
            rig.onCatchUp = { try? rig.tellTrade() }
            try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 1 }
            #expect(rig.catchUps == 1 && rig.auditor?.differences == 0)
            #expect(rig.position.quantity == 5 && rig.risk == .active)
        }
    }

    @Test func anOrderThatIsGoneAtTheExchangeIsADifference() async throws {
        try await AccountRig.play({ $0.onDifference = .reduceOnly }) { rig in
            try rig.place()
            try rig.until("it rests") { rig.desk.order?.status == .resting }
            rig.exchange.change { $0.orders = [] }
            try Self.readings(rig, "it is told") { rig.auditor?.differences == 1 }
            #expect(rig.risk == .reduceOnly)
        }
    }

    /// An order of somebody else's program is nobody's difference; one that bears this run's names is.
    @Test(arguments: [true, false]) func ordersThatRestThereAlone(isOurs: Bool) async throws {
        try await AccountRig.play({ $0.onDifference = .reduceOnly }) { rig in
            let name = isOurs ? ClientOrderID.text(OrderID(77), nonce: 7) : "somebody-else"
            rig.exchange.change {
                $0.orders.append(
                    .init(
                        id: "order-9", clientID: name, ticker: AccountRig.ticker, side: "bid",
                        price: "0.2000", initial: 3, remaining: 3))
            }
            try Self.readings(rig, "a reading counts") {
                isOurs ? rig.auditor?.differences == 1 : rig.auditor?.agreements ?? 0 >= 1
            }
            #expect(rig.risk == (isOurs ? .reduceOnly : .active))
            // What we do not know of may not rest; what is another's is left alone.
            try rig.until("it is taken off") {
                rig.exchange.read { $0.orders[0].status } == (isOurs ? "canceled" : "resting")
            }
        }
    }

    /// Reads trail the engine: an answer from before our last move proves nothing, either way.
    @Test func whatIsOlderThanOurLastMoveProvesNothing() async throws {
        try await AccountRig.play({ $0.onDifference = .halt }) { rig in
            rig.exchange.change { $0.lag = .seconds(3_600) }
            try Self.fill(rig)
            rig.exchange.change { $0.positions = [] }
            let asked = "GET /portfolio/balance"
            try Self.readings(rig, "three readings have come") {
                rig.exchange.read { $0.requests.count { $0 == asked } } >= 3
            }
            try Self.readings(rig, "it is said why") {
                rig.auditor?.obstacle?.contains("before our last activity") == true
            }
            #expect(rig.auditor?.agreements == 0 && rig.auditor?.differences == 0 && rig.risk == .active)
        }
    }

    @Test func anExchangeThatCannotBeReadIsToldAndNothingFollows() async throws {
        try await AccountRig.play({ $0.onDifference = .halt }) { rig in
            rig.exchange.change { $0.readStatus = 503 }
            try Self.readings(rig, "that is told") {
                rig.told.remarks.contains { $0.hasPrefix("cannot compare accounts") }
            }
            #expect(rig.auditor?.differences == 0 && rig.risk == .active)
            rig.exchange.change { $0.readStatus = nil }
            try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 1 }
        }
    }

    /// Whether the balance counts what resting orders tie up is not documented: either is agreement.
    @Test(arguments: ["1000.0000", "998.5000"]) func cashWithOrWithoutWhatOrdersTieUp(cash: String)
        async throws
    {
        try await AccountRig.play { rig in
            try rig.place()
            try rig.until("it rests") { rig.desk.order?.status == .resting }
            rig.exchange.change { $0.cash = cash }
            try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 1 }
            #expect(rig.auditor?.differences == 0)
        }
    }

    /// An order each second until it is so. On a busy machine the answers to the audit's questions take many of them.
    private static func trade(_ rig: AccountRig, _ isSo: () -> Bool) throws {
        let end = Clocks.monotonic() + Nanoseconds.seconds(60)
        while !isSo(), Clocks.monotonic() < end {
            try rig.place(.bid, 1, at: 0.30)
            try rig.pass(.seconds(1))
        }
    }

    /// A market maker is never quiet: what does not move is compared all the same.
    @Test func inAnAccountThatIsNeverQuietTheQuietMarketsAreCompared() async throws {
        try await AccountRig.play({
            $0.onDifference = .reduceOnly
            $0.auditInterval = .seconds(10)
        }) { rig in
            let quiet = "KXTEST-26NOV23-T2"
            rig.session.define(Market(ticker: quiet, fees: FeeTerms(type: .none)))
            try Self.trade(rig) { rig.auditor?.partialAgreements ?? 0 >= 1 }
            #expect(rig.auditor?.partialAgreements ?? 0 >= 1 && rig.auditor?.agreements == 0)
            #expect(rig.auditor?.differences == 0 && rig.risk == .active)
            rig.exchange.change { $0.positions = [(quiet, 3, "0.9000")] }
            try Self.trade(rig) { rig.auditor?.differences ?? 0 >= 1 }
            #expect(rig.auditor?.differences == 1 && rig.risk == .reduceOnly)
            let texts = rig.told.events.compactMap {
                if case .difference(let text) = $0 { text } else { nil }
            }
            #expect(texts == ["\(quiet): we hold 0.00, the exchange says 3.00"])
        }
    }

    /// Orders that come and go move no cash: trades do, and deposits, and mistakes.
    @Test func inAnAccountThatIsNeverQuietCashIsComparedAsLongAsNothingTrades() async throws {
        try await AccountRig.play({
            $0.onDifference = .reduceOnly
            $0.auditInterval = .seconds(10)
        }) { rig in
            try Self.trade(rig) { rig.auditor?.partialAgreements ?? 0 >= 1 }
            rig.exchange.change { $0.cash = "900.0000" }
            try Self.trade(rig) { rig.auditor?.differences ?? 0 >= 1 }
            #expect(rig.auditor?.differences == 1 && rig.risk == .reduceOnly)
        }
    }

    /// An order that the exchange ended, of which no message came, is asked for by its id: no difference is left.
    @Test func anOrderThatEndedUnheardIsAskedFor() async throws {
        try await AccountRig.play({ $0.onDifference = .halt }) { rig in
            try rig.place()
            try rig.until("it rests") { rig.desk.order?.status == .resting }
            rig.exchange.change {
                $0.orders[0].status = "canceled"
                $0.orders[0].remaining = .zero
            }
            try Self.readings(rig, "they agree") { rig.auditor?.agreements ?? 0 >= 1 }
            #expect(rig.desk.order?.status.isFinal == true)
            #expect(rig.auditor?.differences == 0 && rig.risk == .active)
        }
    }
}
