import Foundation
import Martlet
import MartletEngine
import MartletNetwork
import Testing

@testable import MartletKalshi

@Suite struct KalshiClientTests {
    private static let key = Result { try PrivateKey.generate(.ed25519) }
    private static func signer() throws -> RequestSigner { try .test(key.get()) }
    private let order = OrderRequest(.bid, 10, at: 0.47, in: Market.ID(0))

    // MARK: - Writes

    enum Fault: CaseIterable { case drop, unavailable, limited, silence }

    @Test(arguments: Fault.allCases)
    func fieldNote01AWriteIsSentOnceWhateverHappens(_ fault: Fault) async throws {
        let exchange = try await FakeExchange { request, _ in
            if request.method == "GET" { return .ok(#"{"market":\#(Sample.market)}"#) }
            switch fault {
            case .drop: return .drop
            case .unavailable: return .json(503, "")
            case .limited: return .json(429, #"{"error":"too many requests"}"#)
            case .silence: return .silence
            }
        }
        let client = try exchange.client(signer: Self.signer()) { $0.timeout = Nanoseconds.milliseconds(300) }
        let error = await #expect(throws: RestError.self) {
            try await client.place(order, ticker: Sample.ticker, clientOrderID: "c-1")
        }
        #expect(error?.leavesOutcomeUnknown == (fault != .limited))
        let writes = exchange.requests.filter { $0.method == "POST" }
        #expect(writes.count == 1)
        #expect(writes.first?.body.contains(#""client_order_id":"c-1""#) == true)
    }

    @Test func ordersAndCancelsGoToTheirMarketsShard() async throws {
        let exchange = try await FakeExchange { request, _ in
            switch request.method {
            case "GET": .ok(#"{"market":\#(Sample.market)}"#)
            case "POST": .json(201, Sample.answer)
            default: .ok(#"{"order_id":"0c6f2f0e","reduced_by":"6.00","ts_ms":1}"#)
            }
        }
        let client = try exchange.client(signer: Self.signer())
        let answer = try await client.place(order, ticker: Sample.ticker, clientOrderID: "c-1")
        #expect(answer.orderID == "0c6f2f0e" && answer.remaining == 10)
        let cancelled = try await client.cancel("0c6f2f0e", ticker: Sample.ticker)
        #expect(cancelled.reducedBy == 6)
        let requests = exchange.requests
        #expect(requests.map(\.method) == ["GET", "POST", "DELETE"], "the market is asked for once")
        #expect(requests[1].body.contains(#""exchange_index":2"#))
        #expect(requests[1].headers["Content-Type"] == "application/json")
        #expect(requests[2].query == "exchange_index=2")
    }

    @Test func anExchangeThatIsDownSaysSoItself() async throws {
        let down = #"{"exchange_active":false,"trading_active":false,"exchange_index_statuses":[]}"#
        let exchange = try await FakeExchange { request, _ in
            .json(
                503, request.path.hasSuffix("/exchange/status") ? down : #"{"code":"exchange_unavailable"}"#)
        }
        let client = try exchange.client(signer: Self.signer()) { $0.attempts = 2 }
        let status = try await client.send(Endpoints.exchangeStatus())
        #expect(!status.isActive && !status.isTrading && exchange.requests.count == 1)
        await #expect(throws: RestError.self) { try await client.send(Endpoints.historicalCutoff()) }
        #expect(exchange.requests.count == 3, "any other 503 is a fault")
    }

    @Test func fieldNote19SuccessWithoutAnOrderIsAFailure() async throws {
        let exchange = try await FakeExchange { _, number in
            number == 1
                ? .ok(#"{"error":{"code":"deprecated_v1_order_endpoint","message":"Please switch"}}"#)
                : .ok("{}")
        }
        let client = try exchange.client(signer: Self.signer())
        let new = NewOrder(ticker: "T", shard: 0, request: order, clientOrderID: "c")
        let first = await #expect(throws: RestError.self) {
            try await client.send(Endpoints.createOrder(new))
        }
        guard case .refused(let refusal) = first else {
            Issue.record("\(String(describing: first))")
            return
        }
        #expect(refusal.code == .retiredEndpoint)
        let second = await #expect(throws: RestError.self) {
            try await client.send(Endpoints.createOrder(new))
        }
        #expect("\(try #require(second))".contains("without 'order_id'"))
    }

    // MARK: - Reads

    @Test func aReadIsRepeatedWithAFreshSignature() async throws {
        let exchange = try await FakeExchange { _, number in
            switch number {
            case 1: .json(503, "upstream")
            case 2: .drop
            case 3: .json(429, #"{"error":"too many requests"}"#)
            default: .ok(#"{"exchange_active":true,"trading_active":true}"#)
            }
        }
        let client = try exchange.client(signer: Self.signer())
        #expect(try await client.send(Endpoints.exchangeStatus()).isTrading)
        let requests = exchange.requests
        #expect(requests.count >= 4)
        let key = try Self.key.get()
        #expect(requests.allSatisfy { $0.isSigned(by: key) })
        let dates = requests.compactMap { $0.headers[RequestSigner.timestampHeader] }
        #expect(Set(dates).count == dates.count)
        #expect(client.statistics.rateLimited == 1)
    }

    @Test func fieldNote06NothingHangs() async throws {
        let exchange = try await FakeExchange { _, _ in .silence }
        let client = try exchange.client {
            $0.timeout = Nanoseconds.milliseconds(100)
            $0.attempts = 2
        }
        let error = await #expect(throws: RestError.self) {
            try await client.send(Endpoints.exchangeStatus())
        }
        #expect("\(try #require(error))".contains("timed out"))
    }

    @Test func fieldNote12AStormOf429EndsAndIsSpread() async throws {
        let exchange = try await FakeExchange { _, _ in .json(429, #"{"error":"too many requests"}"#) }
        let client = try exchange.client { $0.attempts = 3 }
        await #expect(throws: RestError.self) { try await client.send(Endpoints.exchangeStatus()) }
        #expect(exchange.requests.count == 3)
        #expect(client.statistics.rateLimited == 3)
        #expect(client.statistics.waited > 0)
    }

    @Test func whatA429SaysOfWhenToComeBackIsHonoured() async throws {
        let exchange = try await FakeExchange { _, _ in
            .json(429, #"{"error":"too many requests"}"#, headers: ["Retry-After": "30"])
        }
        let client = try exchange.client { $0.budgetWaitMax = Nanoseconds.seconds(1) }
        let error = await #expect(throws: RestError.self) {
            try await client.send(Endpoints.exchangeStatus())
        }
        #expect("\(try #require(error))".contains("rate limit"))
        #expect(exchange.requests.count == 1)
    }

    @Test func aRefusalIsNotAskedAgain() async throws {
        let exchange = try await FakeExchange { _, _ in .json(404, #"{"code":"not_found","message":"no"}"#) }
        let client = try exchange.client()
        let error = await #expect(throws: RestError.self) { try await client.send(Endpoints.market("X")) }
        #expect("\(try #require(error))" == "the exchange refused (404): not_found: no")
        #expect(exchange.requests.count == 1)
        #expect(exchange.requests[0].headers[RequestSigner.keyHeader] == nil, "public calls need no key")
        await #expect(throws: RestError.self) { try await client.send(Endpoints.balance()) }
        #expect(exchange.requests.count == 1, "a private call without a key never leaves")
    }

    // MARK: - Pages

    @Test func pagesFollowTheCursorAndTellNothingTwice() async throws {
        let exchange = try await FakeExchange { request, number in
            let ids = number == 1 ? ["a", "b"] : number == 2 ? ["b", "c"] : ["d"]
            let trades = ids.map { Sample.trade.replacing("7e0a2a36", with: $0) }.joined(separator: ",")
            return .ok(#"{"trades":[\#(trades)],"cursor":"\#(number < 3 ? "page \(number + 1)" : "")"}"#)
        }
        let client = try exchange.client()
        var ids: [String] = []
        for try await trade in client.all(Endpoints.trades("T")) { ids.append(trade.tradeID) }
        #expect(ids == ["a", "b", "c", "d"])
        #expect(
            exchange.requests.map(\.query) == [
                "limit=1000&ticker=T", "limit=1000&ticker=T&cursor=page%202",
                "limit=1000&ticker=T&cursor=page%203",
            ])
    }

    @Test func pagesThatLeadInACircleEnd() async throws {
        let exchange = try await FakeExchange { _, number in
            .ok(#"{"trades":[],"cursor":"\#(number % 3)"}"#)
        }
        let client = try exchange.client()
        await #expect(throws: RestError.self) {
            for try await _ in client.all(Endpoints.trades("T")) {}
        }
        #expect(exchange.requests.count == 4)
    }

    // MARK: - Limits and clock

    @Test func keepsToTheExchangesFigures() async throws {
        let exchange = try await FakeExchange { request, _ in
            request.path.hasSuffix("endpoint_costs")
                ? .ok(
                    #"{"default_cost":7,"endpoint_costs":[{"method":"DELETE","path":"/trade-api/v2/portfolio/events/orders/:id","cost":2}]}"#
                )
                : .ok(
                    #"{"usage_tier":"prime","read":{"refill_rate":4800,"bucket_capacity":4800},"write":{"refill_rate":4800,"bucket_capacity":14400}}"#
                )
        }
        let client = try exchange.client(signer: Self.signer())
        #expect(client.limits.tier == "basic")
        let limits = try await client.refreshLimits()
        #expect(limits.tier == "prime" && client.limits == limits)
        #expect(limits.costs.place == 7 && limits.write.capacity == 14_400)
        #expect(client.costs.defaultCost == 7)
    }

    @Test func aCallThatTheBudgetHoldsBackTooLongFails() async throws {
        let exchange = try await FakeExchange { _, _ in .ok("{}") }
        let client = try exchange.client(signer: Self.signer()) {
            $0.budgetWaitMax = Nanoseconds.milliseconds(1)
        }
        // The lowest tier holds 100 write tokens, ten resets of a group, and refills 100 a second: on a machine that is
        // too slow to spend them as fast, the loop goes on until it was.
        var failure: RestError?
        for _ in 0..<10_000 where failure == nil {
            do throws(RestError) {
                try await client.send(Endpoints.resetOrderGroup("og", shard: 1))
            } catch {
                failure = error
            }
        }
        guard case .budget = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func fieldNote27AClockThatIsOffIsFoundAndDatesAreCorrected() async throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        let dates = formatter
        let exchange = try await FakeExchange { request, _ in
            let date = dates.string(from: Date(timeIntervalSince1970: Double(Clocks.wall() / 1_000_000_000)))
            let signed = Int64(request.headers[RequestSigner.timestampHeader] ?? "") ?? 0
            guard abs(signed - Clocks.wall() / 1_000_000) < 30_000 else {
                return .json(
                    401,
                    #"{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}"#,
                    headers: ["Date": date])
            }
            return .json(200, #"{"exchange_active":true,"trading_active":true}"#, headers: ["Date": date])
        }
        // Our clock is a minute behind: the first answer proves it, the second attempt is dated right.
        let client = try exchange.client(
            signer: Self.signer(), clock: SimulatedWall(error: -Nanoseconds.seconds(60)))
        #expect(try await client.send(Endpoints.exchangeStatus()).isTrading)
        #expect(exchange.requests.count == 2)
        let offset = try #require(client.clockOffset.estimate)
        // A slow machine's round trips blur it.
        #expect(abs(offset.seconds - 60) < 20)
        #expect(client.clockOffset.correction > .seconds(30))
    }

    // MARK: - TLS

    @Test func anAuthorityGivenIsTheOnlyOneTrusted() async throws {
        let authority = try CertificateMaker.authority(named: "tests")
        let key = try PrivateKey.generate(.ecdsaP256)
        let certificate = try authority.issue(CertificateRequest(names: ["localhost"]), key)
        let exchange = try await FakeExchange(certificate: (certificate, key)) { _, _ in
            .ok(#"{"exchange_active":true,"trading_active":true}"#)
        }
        let trusting = try exchange.client(
            signer: Self.signer(),
            tls: TLSContext(clientTrusting: .pem(authority.certificate.pem)))
        #expect(try await trusting.send(Endpoints.exchangeStatus()).isTrading)
        let doubting = try exchange.client(signer: Self.signer(), tls: TLSContext(clientTrusting: .none))
        let error = await #expect(throws: RestError.self) {
            try await doubting.send(Endpoints.exchangeStatus())
        }
        #expect(error?.leavesOutcomeUnknown == false)
        #expect(
            exchange.requests.count == 1, "nothing was signed and sent to a stranger, and not tried again")
    }
}
