import Martlet
import MartletWire
import Testing

@testable import MartletKalshi

@Suite struct EndpointTests {
    @Test func pathsAndQueriesAreTheDocumentations() {
        var filter = MarketFilter(series: "KXHIGHNY", status: "open")
        filter.minCloseTime = Timestamp(seconds: 1_795_442_400)
        let time = Timestamp(seconds: 60)
        let table: [(RestRequest, String)] = [
            (Endpoints.exchangeStatus().request, "GET /trade-api/v2/exchange/status"),
            (
                Endpoints.markets(filter).call.request,
                "GET /trade-api/v2/markets?limit=1000&series_ticker=KXHIGHNY&status=open&min_close_ts=1795442400"
            ),
            (Endpoints.market(Sample.ticker).request, "GET /trade-api/v2/markets/KXHIGHNY-26NOV23-B54.5"),
            (
                Endpoints.orderBook("A/B?c", depth: 5).request,
                "GET /trade-api/v2/markets/A%2FB%3Fc/orderbook?depth=5"
            ),
            (
                Endpoints.orderBooks(["A", "B"]).request,
                "GET /trade-api/v2/markets/orderbooks?tickers=A&tickers=B"
            ),
            (
                Endpoints.candlesticks("M", series: "S", from: time, to: time, period: .hour).request,
                "GET /trade-api/v2/series/S/markets/M/candlesticks?start_ts=60&end_ts=60&period_interval=60"
            ),
            (
                Endpoints.candlesticks(event: "E", series: "S", from: time, to: time, period: .day).request,
                "GET /trade-api/v2/series/S/events/E/candlesticks?start_ts=60&end_ts=60&period_interval=1440"
            ),
            (
                Endpoints.candlesticks(
                    of: ["A", "B"], from: time, to: time, period: .minute, includesLatestBefore: true
                ).request,
                "GET /trade-api/v2/markets/candlesticks?market_tickers=A,B&start_ts=60&end_ts=60"
                    + "&period_interval=1&include_latest_before_start=true"
            ),
            (
                Endpoints.historicalTrades("M", from: time).call.request,
                "GET /trade-api/v2/historical/trades?limit=1000&ticker=M&min_ts=60"
            ),
            (
                Endpoints.events(series: "S", nestedMarkets: true).call.request,
                "GET /trade-api/v2/events?limit=200&with_nested_markets=true&series_ticker=S"
            ),
            (
                Endpoints.orders(AccountFilter(status: "resting")).call.request,
                "GET /trade-api/v2/portfolio/orders?limit=1000&status=resting"
            ),
            (
                Endpoints.fills(AccountFilter(tickers: ["A", "B"])).call.request,
                "GET /trade-api/v2/portfolio/fills?limit=1000&ticker=A,B"
            ),
            (
                Endpoints.cancelOrder(OrderToCancel(orderID: "abc", shard: 2)).request,
                "DELETE /trade-api/v2/portfolio/events/orders/abc?exchange_index=2"
            ),
            (
                Endpoints.triggerOrderGroup("og", shard: 1).request,
                "PUT /trade-api/v2/portfolio/order_groups/og/trigger?exchange_index=1"
            ),
            (Endpoints.cancelAllOrders().request, "DELETE /trade-api/v2/portfolio/events/orders"),
            (
                Endpoints.historicalPositions().call.request,
                "GET /trade-api/v2/historical/positions?limit=1000"
            ),
        ]
        for (request, expected) in table {
            #expect("\(request.method.rawValue) \(request.target)" == expected)
            #expect(!request.fullPath.contains("?"))
        }
        #expect(Endpoints.order("..").request.fullPath.hasSuffix("/%2E%2E"))
    }

    @Test func bodiesAndBillingOfWrites() throws {
        let reset = Endpoints.resetOrderGroup("og", shard: 1).request
        #expect(String(decoding: reset.bodyBytes, as: UTF8.self) == "{}", "a PUT is never without a body")
        #expect(reset.scope == .write(shard: 1))
        let cancels = Endpoints.cancelOrders([
            OrderToCancel(orderID: "a", shard: 2), OrderToCancel(orderID: "b", shard: 0, subaccount: 3),
        ]).request
        #expect(
            String(decoding: cancels.bodyBytes, as: UTF8.self)
                == #"{"orders":[{"order_id":"a","exchange_index":2},{"order_id":"b","exchange_index":0,"subaccount":3}]}"#
        )
        #expect(cancels.items == 2 && cancels.scope == .write(shard: 0))
        let transfer = Endpoints.transfer(12, fromShard: 0, toShard: 2, id: "u").request
        #expect(
            try JSONParser.parse(transfer.bodyBytes)["amount"]?.int64 == 120_000, "centicents")
        let request = OrderRequest(.bid, 5, at: 0.45, in: Market.ID(0))
        let orders = (1...2).map {
            NewOrder(ticker: "T", shard: 1, request: request, clientOrderID: "c\"\($0)")
        }
        let batch = Endpoints.createOrders(orders).request
        let entries = try JSONParser.parse(batch.bodyBytes)["orders"]?.array ?? []
        #expect(entries.map { $0["client_order_id"]?.string } == ["c1", "c2"])
        #expect(entries.map { $0["exchange_index"]?.int64 } == [1, 1])
        #expect(batch.items == 2)
    }
}
