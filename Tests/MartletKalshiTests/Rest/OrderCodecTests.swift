import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Testing

@testable import MartletKalshi

@Suite struct OrderCodecTests {
    private static let nonce: UInt64 = 0x9f86_d081_884c_7d65

    private struct Directory: OrderDirectory {
        var ids: [OrderID: String] = [OrderID(7): "0c6f2f0e", OrderID(8): "1d"]
        func route(_ market: Market.ID) -> OrderRoute? {
            market.index < 4
                ? OrderRoute(
                    ticker: Sample.ticker, shard: Int(market.index), group: market.index == 3 ? "og" : nil)
                : nil
        }
        func venueID(_ order: OrderID) -> String? { ids[order] }
    }

    private let directory = Directory()

    private func encode(
        _ command: VenueCommand, subaccount: Int? = nil,
        change: (inout OrderRequestEncoder) -> Void = { _ in }
    ) throws -> (plan: OrderRequestPlan, head: [String], body: JSONValue, text: String) {
        var encoder = OrderRequestEncoder(
            try ExchangeEnvironment("https://127.0.0.1:8443"), keyID: "key", nonce: Self.nonce,
            subaccount: subaccount)
        change(&encoder)
        let plan = try encoder.plan(command, directory)
        var bytes = Array("left from before".utf8)
        try encoder.encode(
            command, plan, directory, RequestSignature(milliseconds: 1_795_442_400_123, signature: "c2ln"),
            into: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let head = parts[0].split(separator: "\r\n").map(String.init)
        let body = String(parts[1])
        if let length = head.first(where: { $0.hasPrefix("Content-Length: ") }) {
            #expect(length == "Content-Length: \(body.utf8.count)")
        } else {
            #expect(body.isEmpty)
        }
        return (plan, head, body.isEmpty ? .null : try JSONParser.parse(body), body)
    }

    private func place(_ request: OrderRequest, _ id: UInt64 = 42) -> PlaceOrder {
        PlaceOrder(id: OrderID(id), request: request)
    }

    @Test func aNewOrderIsOneRequest() throws {
        let request = OrderRequest(.bid, 10, at: 0.47, in: Market.ID(2), isPostOnly: true)
        let (plan, head, _, text) = try encode(.place(place(request)))
        #expect(plan.path == OrderRequestEncoder.createPath && plan.scope == .write(shard: 2))
        #expect(
            head == [
                "POST /trade-api/v2/portfolio/events/orders HTTP/1.1", "Host: 127.0.0.1:8443",
                "Accept: application/json", "Accept-Encoding: identity", "KALSHI-ACCESS-KEY: key",
                "KALSHI-ACCESS-TIMESTAMP: 1795442400123", "KALSHI-ACCESS-SIGNATURE: c2ln",
                "Content-Type: application/json", "Content-Length: \(text.utf8.count)",
            ])
        #expect(
            text
                == #"{"ticker":"KXHIGHNY-26NOV23-B54.5","client_order_id":"m-9f86d081884c7d65-42","side":"bid","#
                + #""count":"10.00","price":"0.4700","time_in_force":"good_till_canceled","#
                + #""self_trade_prevention_type":"taker_at_cross","post_only":true,"exchange_index":2}"#)
    }

    @Test func everyOptionHasItsField() throws {
        var request = OrderRequest(
            .ask, Quantity(hundredths: 1), at: 0.0001, in: Market.ID(3),
            timeInForce: .goodTill(Timestamp(milliseconds: 1_795_510_200_999)), selfTradePrevention: .maker,
            cancelsOnPause: true)
        var body = try encode(.place(place(request)), subaccount: 5).body
        #expect(body["side"]?.string == "ask" && body["count"]?.string == "0.01")
        #expect(body["price"]?.string == "0.0001")
        #expect(body["expiration_time"]?.int64 == 1_795_510_200)
        #expect(body["time_in_force"]?.string == "good_till_canceled")
        #expect(body["self_trade_prevention_type"]?.string == "maker")
        #expect(body["cancel_order_on_pause"]?.bool == true && body["order_group_id"]?.string == "og")
        #expect(body["subaccount"]?.int64 == 5 && body["exchange_index"]?.int64 == 3)
        request.timeInForce = .immediateOrCancel
        request.isReduceOnly = true
        body = try encode(.place(place(request))).body
        #expect(body["time_in_force"]?.string == "immediate_or_cancel" && body["reduce_only"]?.bool == true)
        request.timeInForce = .fillOrKill
        #expect(try encode(.place(place(request))).body["time_in_force"]?.string == "fill_or_kill")
    }

    @Test func fieldNote20AnAmendSendsTheWholeSize() throws {
        let amend = AmendOrder(id: OrderID(7), market: Market.ID(1), side: .ask, price: 0.46, quantity: 12)
        let (plan, _, _, text) = try encode(.amend(amend))
        #expect(plan.path == "/trade-api/v2/portfolio/events/orders/0c6f2f0e/amend")
        #expect(
            text
                == #"{"ticker":"KXHIGHNY-26NOV23-B54.5","side":"ask","price":"0.4600","count":"12.00","exchange_index":1}"#
        )
        let decrease = try encode(.decrease(OrderID(7), market: Market.ID(1), to: 3), subaccount: 0)
        #expect(decrease.text == #"{"reduce_to":"3.00","exchange_index":1}"#)
        #expect(decrease.head[0].contains("/decrease?subaccount=0 "))
    }

    @Test func everyCancelNamesItsShard() throws {
        let single = try encode(.cancel(OrderID(7), market: Market.ID(0)))
        #expect(single.head[0] == "DELETE /trade-api/v2/portfolio/events/orders/batched HTTP/1.1")
        #expect(single.text == #"{"orders":[{"order_id":"0c6f2f0e","exchange_index":0}]}"#)
        #expect(single.plan.scope == .write(shard: 0))
        // As a batch it would be billed to shard 0's bucket, while the router spends shard 2's.
        let byID = try encode(.cancel(OrderID(7), market: Market.ID(2)))
        #expect(byID.plan.scope == .write(shard: 2))
        #expect(
            byID.head[0] == "DELETE /trade-api/v2/portfolio/events/orders/0c6f2f0e?exchange_index=2 HTTP/1.1")
        #expect(byID.plan.path == "/trade-api/v2/portfolio/events/orders/0c6f2f0e")
        let batch = try encode(
            .cancelBatch([
                OrderReference(OrderID(7), market: Market.ID(0)),
                OrderReference(OrderID(8), market: Market.ID(1)),
            ]))
        #expect(batch.body["orders"]?.array?.map { $0["exchange_index"]?.int64 } == [0, 1])
        #expect(batch.plan.items == 2)
        #expect(
            try encode(.cancelEverything).head[0] == "DELETE /trade-api/v2/portfolio/events/orders HTTP/1.1")
    }

    @Test func whatCannotBeSentSaysWhy() throws {
        #expect(throws: OrderEncodingError.noVenueID(OrderID(1))) {
            try encode(.cancel(OrderID(1), market: Market.ID(0)))
        }
        #expect(throws: OrderEncodingError.unknownMarket(Market.ID(9))) {
            try encode(.place(place(OrderRequest(.bid, 1, at: 0.5, in: Market.ID(9)))))
        }
        #expect(throws: OrderEncodingError.emptyBatch) { try encode(.placeBatch([])) }
    }

    @Test func clientOrderIDsReadBack() {
        for number in [0, 1, 42, UInt64.max] {
            let text = ClientOrderID.text(OrderID(number), nonce: Self.nonce)
            #expect(ClientOrderID.order(text, nonce: Self.nonce) == OrderID(number))
            #expect(ClientOrderID.order(text, nonce: 1) == nil)
        }
        for text in ["", "bot-1", "m-9f86d081884c7d65-", "m-9f86d081884c7d65-007", "m-9f86d081884c7d65--1"] {
            #expect(ClientOrderID.order(text, nonce: Self.nonce) == nil)
        }
    }

    @Test func randomOrdersReadBackExactly() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Jitter(seed)
        for _ in 0..<500 {
            let micros = Int32(100 * (1 + random.next() % 9_999))
            let size = Quantity(hundredths: Int64(1 + random.next() % 100_000_000))
            let request = OrderRequest(
                random.next() % 2 == 0 ? .bid : .ask, size, at: Price(micros: micros),
                in: Market.ID(Int(random.next() % 4)))
            let body = try encode(.place(place(request, random.next()))).body
            #expect(try Price(parsing: body["price"]?.string ?? "") == request.price, "seed \(seed)")
            #expect(try Quantity(parsing: body["count"]?.string ?? "") == size, "seed \(seed)")
        }
    }

    // MARK: - Answers

    private let decoder = OrderResponseDecoder(nonce: Self.nonce)
    private let order = PlaceOrder(
        id: OrderID(42), request: OrderRequest(.bid, 10, at: 0.47, in: Market.ID(2)))

    private func bodies(_ command: VenueCommand, _ status: Int, _ text: String) -> [VenueReport.Body] {
        decoder.reports(to: command, status: status, body: Array(text.utf8), venueID: directory.venueID)
            .map(\.body)
    }

    @Test func anAcceptedOrderIsReportedWithItsTimeAndId() {
        let reports = decoder.reports(to: .place(order), status: 201, body: Array(Sample.answer.utf8))
        #expect(
            reports == [
                VenueReport(
                    .accepted(filled: 0, remaining: 10, end: nil), order: OrderID(42), market: Market.ID(2),
                    exchangeTime: Timestamp(milliseconds: 1_795_442_400_400), venueOrderID: "0c6f2f0e")
            ])
    }

    @Test func whyAnOrderDoesNotRestFollowsFromWhatItWas() {
        func end(_ change: (inout OrderRequest) -> Void) -> VenueReport.Body? {
            var order = order
            change(&order.request)
            return bodies(
                .place(order), 201, #"{"order_id":"x","fill_count":"4.00","remaining_count":"0.00"}"#
            ).first
        }
        #expect(end { $0.isPostOnly = true } == .accepted(filled: 4, remaining: 0, end: .postOnlyCross))
        #expect(
            end { $0.timeInForce = .immediateOrCancel }
                == .accepted(filled: 4, remaining: 0, end: .immediateRemainder))
        #expect(end { _ in } == .accepted(filled: 4, remaining: 0, end: .selfTrade))
        #expect(end { $0.quantity = 4 } == .accepted(filled: 4, remaining: 0, end: nil))
    }

    @Test func fieldNote19SuccessWithoutAnOrderIsNone() {
        for text in [
            "", "{}", "null", "[]", #"{"order_id":""}"#,
            #"{"error":{"code":"deprecated_v1_order_endpoint"}}"#,
            #"{"order_id":"x","error":{"code":"y"}}"#, #"{"order_id":"x"}"#, "<html>",
        ] {
            #expect(bodies(.place(order), 200, text) == [.unknown(.place)], "\(text)")
        }
    }

    @Test func aRefusalIsProofAndAFaultIsNone() {
        let place = VenueCommand.place(order)
        #expect(
            bodies(place, 400, #"{"error":{"code":"insufficient_balance","message":"too poor"}}"#)
                == [.rejected(VenueRejection(status: 400, code: "insufficient_balance", message: "too poor"))]
        )
        for status in [500, 503, 504, 408] { #expect(bodies(place, status, "{}") == [.unknown(.place)]) }
        #expect(bodies(place, 429, #"{"error":"too many requests"}"#) == [.rateLimited(.place)])
        #expect(bodies(place, 409, #"{"error":{"code":"order_already_exists"}}"#) == [.unknown(.place)])
        #expect(
            bodies(
                place, 409, #"{"error":{"code":"fill_or_kill_insufficient_resting_volume","message":"m"}}"#)
                == [
                    .rejected(
                        VenueRejection(
                            status: 409, code: "fill_or_kill_insufficient_resting_volume", message: "m"))
                ])
        #expect(
            bodies(place, 409, #"{"error":{"code":"immediate_or_cancel_insufficient_resting_volume"}}"#)
                == [.accepted(filled: 0, remaining: 0, end: .immediateRemainder)])
        let lost = decoder.reports(to: place, mayHaveReachedExchange: true, reason: "reset").map(\.body)
        #expect(lost == [.unknown(.place)])
        let unsent = decoder.reports(to: place, mayHaveReachedExchange: false, reason: "no route").map(\.body)
        #expect(unsent == [.rejected(VenueRejection(status: 0, code: "not_sent", message: "no route"))])
    }

    @Test func fieldNote14ACancelOfAnOrderThatIsGoneIsAnAnswer() {
        let cancel = VenueCommand.cancel(OrderID(7), market: Market.ID(2))
        #expect(
            bodies(cancel, 200, #"{"orders":[{"order_id":"0c6f2f0e","reduced_by":"6.00"}]}"#)
                == [.cancelled(by: 6)])
        #expect(bodies(cancel, 200, #"{"order_id":"0c6f2f0e","reduced_by":"0.00"}"#) == [.cancelled(by: 0)])
        #expect(
            bodies(
                cancel, 200,
                #"{"orders":[{"order_id":"0c6f2f0e","reduced_by":"0.00","error":{"code":"not_found","message":"gone"}}]}"#
            ) == [.changeRejected(.cancel, VenueRejection(status: 404, code: "not_found", message: "gone"))])
        #expect(
            bodies(cancel, 404, #"{"error":{"code":"not_found","message":"gone"}}"#)
                == [.changeRejected(.cancel, VenueRejection(status: 404, code: "not_found", message: "gone"))]
        )
        #expect(
            bodies(cancel, 200, #"{"orders":[{"order_id":"other","reduced_by":"1"}]}"#) == [.unknown(.cancel)]
        )
    }

    @Test func changesAndBatchesAreMatchedById() {
        let amend = VenueCommand.amend(
            AmendOrder(id: OrderID(7), market: Market.ID(1), side: .bid, price: 0.46, quantity: 12))
        #expect(
            bodies(amend, 200, #"{"order_id":"0c6f2f0e","remaining_count":"8.00","fill_count":"0.00"}"#)
                == [.amended(price: 0.46, quantity: 12, remaining: 8)])
        #expect(bodies(amend, 200, #"{"order_id":"0c6f2f0e"}"#) == [.unknown(.amend)])
        #expect(
            bodies(
                .decrease(OrderID(7), market: Market.ID(1), to: 3), 200,
                #"{"order_id":"0c6f2f0e","remaining_count":"3.00"}"#) == [.decreased(remaining: 3)])
        var second = order
        second.id = OrderID(43)
        // In another order than they were sent in.
        let text = """
            {"orders":[{"client_order_id":"m-9f86d081884c7d65-43","error":{"code":"invalid_price","message":"p"}},
            {"order_id":"a","client_order_id":"m-9f86d081884c7d65-42","fill_count":"0","remaining_count":"10"}]}
            """
        #expect(
            bodies(.placeBatch([order, second]), 201, text) == [
                .accepted(filled: 0, remaining: 10, end: nil),
                .rejected(VenueRejection(status: 400, code: "invalid_price", message: "p")),
            ])
        #expect(
            bodies(.placeBatch([order, second]), 201, #"{"orders":[]}"#) == [
                .unknown(.place), .unknown(.place),
            ])
    }
}
