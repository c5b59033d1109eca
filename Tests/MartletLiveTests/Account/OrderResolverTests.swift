import Martlet
import MartletEngine
import MartletKalshi
import Testing

@testable import MartletLive

/// What became of orders whose answers were lost: found out by asking, never by sending again.
@Suite struct OrderResolverTests {
    @Test(
        "An order whose answer says nothing is found as it is, and is sent once",
        arguments: [0, 2, 5])
    func found(filled: Int) async throws {
        try await AccountRig.play { rig in
            rig.exchange.change {
                $0.creates = .lost
                $0.fillsAtOnce = Quantity(filled)
            }
            try rig.place()
            try rig.until("it is found") {
                rig.desk.order?.status == (filled == 5 ? .filled : .resting) && rig.unknown == 0
            }
            #expect(rig.desk.order?.filled == Quantity(filled))
            #expect(rig.position.quantity == Quantity(filled))
            #expect(rig.exchange.creates == 1)
            #expect(rig.gateway.orders.venueID(try #require(rig.desk.placed)) == "order-1")
            #expect(rig.told.count("resolved") == 1 && rig.told.count("unknown_order") == 0)
        }
    }

    /// FIELD-NOTES 15, 16: the feed may tell of a fill before the search does, or after it.
    @Test(arguments: [true, false])
    func fieldNote15AFillFoundAndToldCountsOnce(feedIsFirst: Bool) async throws {
        try await AccountRig.play { rig in
            rig.exchange.change {
                $0.creates = .lost
                $0.fillsAtOnce = 5
                if feedIsFirst { $0.readStatus = 503 }
            }
            try rig.place()
            try rig.until("its answer is lost") { rig.exchange.creates == 1 && rig.unknown == 1 }
            if feedIsFirst {
                try rig.tellTrade()
                #expect(rig.position.quantity == .zero, "whose it is cannot be known yet")
                rig.exchange.change { $0.readStatus = nil }
            }
            try rig.until("it is found") { rig.desk.order?.status == .filled }
            if !feedIsFirst { try rig.tellTrade() }
            for _ in 0..<20 { try rig.turn() }
            #expect(rig.desk.fills.map(\.quantity) == [5])
            #expect(rig.position.quantity == 5)
            #expect(rig.cash == Money(dollars: 1_000) - Money(cents: 150))
        }
    }

    @Test func anOrderThatTheExchangeEndedIsOver() async throws {
        try await AccountRig.play { rig in
            rig.exchange.change {
                $0.creates = .lost
                $0.fillsAtOnce = 2
                $0.readStatus = 503
            }
            try rig.place()
            try rig.until("its answer is lost") { rig.exchange.creates == 1 && rig.unknown == 1 }
            rig.exchange.change {
                $0.orders[0].remaining = .zero
                $0.orders[0].status = "canceled"
                $0.readStatus = nil
            }
            try rig.until("it is known to be over") { rig.desk.order?.status.isFinal == true }
            guard case .cancelled = rig.desk.order?.status else {
                Issue.record("\(String(describing: rig.desk.order?.status))")
                return
            }
            #expect(rig.desk.order?.filled == 2 && rig.position.quantity == 2)
        }
    }

    /// Ruling 4: that a search does not find it proves nothing as long as the request may still arrive, or the
    /// exchange's answers are older than that.
    @Test func anAbsenceCountsOnlyWhenItIsProven() async throws {
        try await AccountRig.play { rig in
            rig.exchange.change {
                $0.creates = .cut
                $0.lag = .seconds(60)
            }
            try rig.place()
            try rig.until("its answer is lost") { rig.unknown == 1 }
            try rig.searches(1)
            #expect(rig.unknown == 1, "it may still arrive")
            try rig.pass(.seconds(30))
            try rig.searches(1)
            #expect(rig.unknown == 1, "the exchange's answers are from before it left")
            #expect(rig.told.count("unknown_order") == 1)
            rig.exchange.change { $0.lag = .zero }
            try rig.pass(.seconds(30))
            try rig.until("it is known to be absent") { rig.unknown == 0 }
            #expect(rig.desk.order?.status == .rejected(.provenAbsent))
            #expect(rig.told.count("unknown_order") == 1 && rig.told.count("resolved") == 1)
            #expect(rig.exchange.creates == 1, "nobody sends it again")
        }
    }

    @Test func anOrderThatArrivesLateIsFoundAndNotAbsent() async throws {
        try await AccountRig.play { rig in
            rig.exchange.change { $0.creates = .cut }
            try rig.place()
            try rig.until("its answer is lost") { rig.unknown == 1 }
            try rig.searches(1)
            #expect(rig.unknown == 1)
            let name = ClientOrderID.text(try #require(rig.desk.placed), nonce: 7)
            rig.exchange.change {
                $0.orders.append(
                    .init(
                        id: "order-1", clientID: name, ticker: AccountRig.ticker, side: "bid",
                        price: "0.3000", initial: 5, remaining: 5))
            }
            try rig.until("it is found") { rig.desk.order?.status == .resting }
            #expect(rig.exchange.creates == 1)
        }
    }

    @Test func whileTheExchangeCannotBeAskedItStaysUnknownAndThatIsToldOnce() async throws {
        try await AccountRig.play { rig in
            rig.exchange.change {
                $0.creates = .lost
                $0.readStatus = 503
            }
            try rig.place()
            try rig.until("its answer is lost") { rig.unknown == 1 }
            for _ in 0..<3 { try rig.pass(.seconds(15)) }
            try rig.until("that is told") { !rig.told.remarks.isEmpty }
            #expect(rig.unknown == 1 && rig.told.count("unknown_order") == 1)
            rig.exchange.change { $0.readStatus = nil }
            try rig.pass(.seconds(15))
            try rig.until("it is found") { rig.desk.order?.status == .resting }
        }
    }

    /// FIELD-NOTES 19.
    @Test(arguments: [
        "{}", #"{"error":{"code":"deprecated_v1_order_endpoint","message":"Please switch"}}"#, "not JSON",
    ])
    func fieldNote19SuccessWithoutAnOrderIsLookedInto(answer: String) async throws {
        try await AccountRig.play { rig in
            rig.exchange.change { $0.creates = .answeredWithout(answer) }
            try rig.place()
            try rig.until("it is found") { rig.desk.order?.status == .resting }
            #expect(rig.exchange.creates == 1)
        }
    }

    /// FIELD-NOTES 32: an order whose fields contradict each other is not believed.
    @Test func fieldNote32AContradictionProvesNothing() async throws {
        try await AccountRig.play { rig in
            rig.exchange.change { $0.creates = .lost }
            try rig.place()
            try rig.until("it is there") { rig.exchange.creates == 1 }
            rig.exchange.change { $0.orders[0].outcome = "no" }
            try rig.until("that is told") { rig.told.remarks.contains { $0.contains("outcome_side") } }
            #expect(rig.unknown == 1 && rig.desk.order?.status != .resting)
            rig.exchange.change { $0.orders[0].outcome = nil }
            try rig.until("it is found") { rig.desk.order?.status == .resting }
        }
    }

    // MARK: Cancels

    private static func resting(_ rig: AccountRig) throws {
        try rig.place()
        try rig.until("it rests") { rig.desk.order?.status == .resting }
    }

    @Test func aCancelWhoseAnswerIsLostIsLookedUp() async throws {
        try await AccountRig.play { rig in
            try Self.resting(rig)
            rig.exchange.change { $0.cancels = .lost }
            try rig.cancel()
            try rig.until("it is known to be over") { rig.desk.order?.status.isFinal == true }
            guard case .cancelled = rig.desk.order?.status else {
                Issue.record("\(String(describing: rig.desk.order?.status))")
                return
            }
        }
    }

    @Test func aCancelThatNeverArrivedCanBeSentAgain() async throws {
        try await AccountRig.play { rig in
            try Self.resting(rig)
            rig.exchange.change { $0.cancels = .cut }
            try rig.cancel()
            try rig.until("it is known to rest") { rig.told.count("resolved") == 1 }
            #expect(rig.desk.order?.status.isFinal == false)
            rig.exchange.change { $0.cancels = .answered }
            try rig.cancel()
            try rig.until("it is over") { rig.desk.order?.status.isFinal == true }
            #expect(rig.exchange.creates == 1)
        }
    }

    /// FIELD-NOTES 14, from the other side: it had filled, and has left the present tier.
    @Test func fieldNote14AnOrderThatIsGoneIsFoundInHistoryAndNowhereElse() async throws {
        try await AccountRig.play { rig in
            try Self.resting(rig)
            rig.exchange.change {
                $0.cancels = .cut
                $0.readStatus = 503
            }
            try rig.cancel()
            try rig.until("its outcome is unknown") { rig.unknown == 1 }
            rig.exchange.trade(0, 5)
            rig.exchange.change { state in
                state.readStatus = nil
                state.cancels = .answered
            }
            let gone = rig.exchange.read { $0.orders[0] }
            rig.exchange.change { $0.orders = [] }
            try rig.searches(2, jump: .seconds(10))
            #expect(rig.unknown == 1, "gone is no outcome")
            rig.exchange.change { $0.old = [gone] }
            try rig.until("it is found") { rig.desk.order?.status == .filled }
            #expect(rig.position.quantity == 5 && rig.desk.fills.count == 1)
        }
    }

    /// FIELD-NOTES 27: our clock may be a minute behind. "Younger than its last possible arrival" is by the exchange's.
    @Test func fieldNote27AClockBehindTheExchangesProvesNoAbsenceEarly() async throws {
        try await AccountRig.play(skew: .seconds(60)) { rig in
            rig.exchange.change { $0.creates = .cut }
            try rig.place()
            try rig.searches(3)
            #expect(rig.unknown == 1, "it may still arrive")
            try rig.pass(.seconds(10))
            try rig.until("its absence is proven") { rig.unknown == 0 }
            #expect(rig.desk.order?.status == .rejected(.provenAbsent))
        }
    }
}
