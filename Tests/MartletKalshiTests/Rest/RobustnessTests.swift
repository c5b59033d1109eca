import Martlet
import MartletEngine
import MartletNetwork
import MartletWire
import Testing

@testable import MartletKalshi

/// What comes from outside may be anything: it is read, or refused with an error, and never ends the program.
@Suite struct RobustnessTests {
    private static let bodies = [
        #"{"market":\#(Sample.market)}"#, #"{"markets":[\#(Sample.market)],"cursor":"a"}"#,
        #"{"order":\#(Sample.order)}"#, #"{"orders":[\#(Sample.answer),{"error":{"code":"x"}}]}"#,
        Sample.answer,
        #"{"trades":[\#(Sample.trade)],"cursor":""}"#,
        #"{"error":{"code":"authentication_error","message":"m","details":"d"}}"#,
        #"{"balance":99314,"balance_dollars":"993.1452","portfolio_value":658,"updated_ts":1795442401}"#,
        #"{"usage_tier":"x","read":{"refill_rate":1,"bucket_capacity":1},"write":{"refill_rate":1,"bucket_capacity":1}}"#,
        #"{"orderbook_fp":{"yes_dollars":[["0.45","300.00"]],"no_dollars":[["0.5","80.00"]]}}"#,
        #"{"candlesticks":[{"end_period_ts":1795442460,"yes_bid":{"close":"0.4"},"volume":"1"}]}"#,
        #"{"transfers":[{"transfer_id":"t","amount":120000}]}"#,
    ]
    private static let values = [
        "null", "-1", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e308", "0.1",
        "\"\"",
        "\"9999-12-31T23:59:59Z\"", "[]", "{}", "true", "\"NaN\"", "\"-0.5\"", "\"92233720368547758.07\"",
    ]

    /// Swaps values, drops, doubles and changes bytes.
    private func mutate(_ text: String, _ random: inout Jitter) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0...random.next() % 3 {
            guard bytes.count > 2 else { break }
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 5 {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 8)))
            case 2: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
            default:
                guard let colon = bytes[place...].firstIndex(of: UInt8(ascii: ":")) else { continue }
                let end = bytes[colon...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") }
                let value = Self.values[Int(random.next() % UInt64(Self.values.count))]
                bytes.replaceSubrange(colon + 1..<(end ?? bytes.endIndex), with: value.utf8)
            }
        }
        return bytes
    }

    @Test func anyBodyIsReadOrRefused() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = Jitter(seed)
        let time = Timestamp(seconds: 0)
        let decoder = OrderResponseDecoder(nonce: 1)
        let place = VenueCommand.place(
            PlaceOrder(id: OrderID(1), request: OrderRequest(.bid, 10, at: 0.47, in: Market.ID(0))))
        var read = 0
        for round in 0..<6_000 {
            let body = mutate(Self.bodies[round % Self.bodies.count], &random)
            let status = [200, 201, 400, 404, 429, 503][Int(random.next() % 6)]
            _ = ExchangeError(status: status, body: body).rejection
            let reports = decoder.reports(to: place, status: status, body: body)
            #expect(reports.count == 1, "seed \(seed)")
            _ = decoder.reports(to: .placeBatch([]), status: status, body: body)
            guard let value = try? JSONParser.parse(body) else { continue }
            read += 1
            _ = try? Endpoints.market("x").decode(value)
            _ = try? Endpoints.markets().call.decode(value)
            _ = try? Endpoints.order("x").decode(value)
            _ = try? Endpoints.createOrders([]).decode(value)
            _ = try? Endpoints.trades().call.decode(value)
            _ = try? Endpoints.balance().decode(value)
            _ = try? Endpoints.accountLimits().decode(value)
            _ = try? Endpoints.orderBook("x").decode(value)
            _ = try? Endpoints.historicalCandlesticks("x", from: time, to: time, period: .day).decode(value)
            _ = try? Endpoints.transfers().call.decode(value)
        }
        #expect(read > 500)
    }

    /// The order path end to end: pool, encoder, raw client, a server that checks the signature, decoder.
    @Test func theHotPathsBytesAreARightRequest() async throws {
        struct Directory: OrderDirectory {
            func route(_ market: Market.ID) -> OrderRoute? { OrderRoute(ticker: Sample.ticker, shard: 2) }
            func venueID(_ order: OrderID) -> String? { "0c6f2f0e" }
        }
        let exchange = try await FakeExchange { request, _ in
            request.method == "POST"
                ? .json(201, Sample.answer)
                : .ok(#"{"order_id":"0c6f2f0e","reduced_by":"10.00","ts_ms":1795442400500}"#)
        }
        let key = try PrivateKey.generate(.rsa)
        let signer = try RequestSigner.test(key)
        let pool = SignaturePool(signer)
        let create = pool.path("POST", OrderRequestEncoder.createPath, .create)
        let cancel = pool.path("DELETE", OrderRequestEncoder.createPath + "/0c6f2f0e", .order)
        let environment = try exchange.environment
        let commands: [(VenueCommand, SignedPath)] = [
            (
                .place(
                    PlaceOrder(id: OrderID(1), request: OrderRequest(.bid, 10, at: 0.47, in: Market.ID(0)))),
                create
            ),
            (.cancel(OrderID(1), market: Market.ID(0)), cancel),
        ]
        let reports = try send(commands, pool, environment)
        #expect(
            reports.map(\.body) == [.accepted(filled: 0, remaining: 10, end: nil), .cancelled(by: 10)])
        let requests = exchange.requests
        #expect(requests.count == 2 && requests.allSatisfy { $0.isSigned(by: key) })
        #expect(try JSONParser.parse(requests[0].body)["exchange_index"]?.int64 == 2)

        func send(
            _ commands: [(VenueCommand, SignedPath)], _ pool: SignaturePool,
            _ environment: ExchangeEnvironment
        ) throws -> [VenueReport] {
            let loop = try EventLoop()
            let client = HTTPClient(loop, tls: nil)
            defer { client.close() }
            var encoder = OrderRequestEncoder(environment, keyID: RequestSigner.testKeyID, nonce: 9)
            let decoder = OrderResponseDecoder(nonce: 9)
            let directory = Directory()
            var bytes: [UInt8] = []
            var reports: [VenueReport] = []
            for (command, path) in commands {
                let plan = try encoder.plan(command, directory)
                #expect(plan.path == path.path && plan.method == path.method)
                try encoder.encode(command, plan, directory, pool.signature(for: path), into: &bytes)
                var answer: Result<HTTPResponse, HTTPClientError>?
                client.send(encoded: bytes, method: plan.method, to: encoder.endpoint, isIdempotent: false) {
                    answer = $0
                }
                while answer == nil { try loop.runOnce(timeout: Nanoseconds.milliseconds(50)) }
                let response = try #require(try answer?.get())
                reports += decoder.reports(
                    to: command, status: response.status, body: response.body, venueID: directory.venueID)
            }
            return reports
        }
    }
}
