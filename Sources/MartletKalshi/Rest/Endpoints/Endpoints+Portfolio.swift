import Martlet
import MartletWire

/// Which of the account's orders, fills or settlements to list.
public struct AccountFilter: Hashable, Sendable {
    public var tickers: [String] = []
    public var event: String?
    public var from: Timestamp?
    public var to: Timestamp?
    /// Of orders: `resting`, `canceled`, `executed`.
    public var status: String?
    /// Of fills.
    public var orderID: String?
    /// Nil: all.
    public var subaccount: Int?
    public var shard: Int?

    public init(status: String? = nil, tickers: [String] = [], from: Timestamp? = nil) {
        self.status = status
        self.tickers = tickers
        self.from = from
    }
}

extension Endpoints {
    public static func balance(subaccount: Int? = nil, shard: Int? = nil) -> RestCall<Balance> {
        let request = RestRequest(.get, "/portfolio/balance").with("subaccount", subaccount)
            .with("exchange_index", shard)
        return RestCall(object: request) { (fields) throws(WireError) in try Balance(fields) }
    }

    /// Markets; a second call of the same pages gives the events.
    public static func positions(
        settlement: String? = nil, event: String? = nil, subaccount: Int? = nil, shard: Int? = nil
    ) -> PagedCall<MarketPosition> {
        PagedCall(positions("/portfolio/positions", settlement, event, subaccount, shard), \.ticker) {
            (fields) throws(WireError) in
            try fields.entities("market_positions") { (entry) throws(WireError) in try MarketPosition(entry) }
        }
    }
    public static func eventPositions(event: String? = nil, subaccount: Int? = nil) -> PagedCall<
        EventPosition
    > {
        PagedCall(positions("/portfolio/positions", nil, event, subaccount, nil), \.event) {
            (fields) throws(WireError) in
            try fields.entities("event_positions") { (entry) throws(WireError) in try EventPosition(entry) }
        }
    }
    public static func historicalPositions(
        event: String? = nil, subaccount: Int? = nil
    ) -> PagedCall<MarketPosition> {
        PagedCall(positions("/historical/positions", nil, event, subaccount, nil), \.ticker) {
            (fields) throws(WireError) in
            try fields.entities("market_positions") { (entry) throws(WireError) in try MarketPosition(entry) }
        }
    }
    private static func positions(
        _ path: String, _ settlement: String?, _ event: String?, _ subaccount: Int?, _ shard: Int?
    ) -> RestRequest {
        RestRequest(.get, path).with("limit", pageLimit).with("settlement_status", settlement)
            .with("event_ticker", event).with("subaccount", subaccount).with("exchange_index", shard)
    }

    public static func fills(_ filter: AccountFilter = AccountFilter()) -> PagedCall<AccountFill> {
        fills("/portfolio/fills", filter)
    }
    public static func historicalFills(_ filter: AccountFilter = AccountFilter()) -> PagedCall<AccountFill> {
        fills("/historical/fills", filter)
    }
    private static func fills(_ path: String, _ filter: AccountFilter) -> PagedCall<AccountFill> {
        let request = account(path, filter).with("ticker", list: filter.tickers)
            .with("order_id", filter.orderID).with("exchange_index", filter.shard)
        return PagedCall(request, \.tradeID) { (fields) throws(WireError) in
            try fields.entities("fills") { (entry) throws(WireError) in try AccountFill(entry) }
        }
    }

    public static func settlements(_ filter: AccountFilter = AccountFilter()) -> PagedCall<AccountSettlement>
    {
        let request = account("/portfolio/settlements", filter).with("ticker", list: filter.tickers)
            .with("event_ticker", filter.event)
        // Two subaccounts settle in one market at one time, and nothing names them.
        return PagedCall(
            request, { "\($0.ticker) \($0.settled) \($0.yesCount) \($0.noCount) \($0.revenue) \($0.fee)" }
        ) { (fields) throws(WireError) in
            try fields.entities("settlements") { (entry) throws(WireError) in try AccountSettlement(entry) }
        }
    }

    public static func orders(_ filter: AccountFilter = AccountFilter()) -> PagedCall<RestOrder> {
        orders("/portfolio/orders", filter)
    }
    public static func historicalOrders(_ filter: AccountFilter = AccountFilter()) -> PagedCall<RestOrder> {
        orders("/historical/orders", filter)
    }
    private static func orders(_ path: String, _ filter: AccountFilter) -> PagedCall<RestOrder> {
        let request = account(path, filter).with("ticker", filter.tickers.first)
            .with("event_ticker", filter.event).with("status", filter.status)
            .with("exchange_index", filter.shard)
        return PagedCall(request, \.orderID) { (fields) throws(WireError) in
            try fields.entities("orders") { (entry) throws(WireError) in try RestOrder(entry) }
        }
    }
    private static func account(_ path: String, _ filter: AccountFilter) -> RestRequest {
        RestRequest(.get, path).with("limit", pageLimit).with("min_ts", seconds: filter.from)
            .with("max_ts", seconds: filter.to).with("subaccount", filter.subaccount)
    }
    public static func order(_ id: String) -> RestCall<RestOrder> {
        RestCall(object: RestRequest(.get, "/portfolio/orders/\(segment(id))")) {
            (fields) throws(WireError) in
            try fields.entity("order") { (entry) throws(WireError) in try RestOrder(entry) }
        }
    }

    public static func queuePosition(_ orderID: String) -> RestCall<Quantity> {
        let request = RestRequest(.get, "/portfolio/orders/\(segment(orderID))/queue_position")
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.needQuantity("queue_position_fp")
        }
    }
    public static func queuePositions(
        markets: [String] = [], event: String? = nil, subaccount: Int? = nil
    ) -> RestCall<[QueuePosition]> {
        let request = RestRequest(.get, "/portfolio/orders/queue_positions")
            .with("market_tickers", list: markets).with("event_ticker", event).with("subaccount", subaccount)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("queue_positions") { (entry) throws(WireError) in try QueuePosition(entry) }
        }
    }

    // MARK: - Shards

    public static func subaccountBalances() -> RestCall<[SubaccountBalance]> {
        RestCall(object: RestRequest(.get, "/portfolio/subaccounts/balances")) { (fields) throws(WireError) in
            try fields.entities("subaccount_balances") { (entry) throws(WireError) in
                try SubaccountBalance(entry)
            }
        }
    }

    /// Moves cash between shards. The amount goes out in centicents; anything finer is refused.
    /// - Parameter id: a UUID: the same transfer sent again is made once.
    public static func transfer(
        _ amount: Money, fromShard source: Int, toShard destination: Int, id: String? = nil
    ) -> RestCall<String> {
        precondition(amount.raw > 0 && amount.raw % 10_000 == 0, "a transfer is whole centicents")
        let request = RestRequest(
            .post, "/portfolio/intra_exchange_instance_transfer", scope: .write(shard: 0)
        )
        .sending([
            ("source", .string("event_contract")), ("destination", .string("event_contract")),
            ("amount", .number(String(amount.raw / 10_000))),
            ("source_exchange_shard", .number(String(source))),
            ("destination_exchange_shard", .number(String(destination))),
            ("client_transfer_id", id.map { .string($0) }),
        ])
        return RestCall(object: request) { (fields) throws(WireError) in try fields.name("transfer_id") }
    }
    public static func transfers() -> PagedCall<ShardTransfer> {
        let request = RestRequest(.get, "/portfolio/intra_exchange_instance_transfers").with("limit", 500)
        return PagedCall(request, \.id) { (fields) throws(WireError) in
            let named = try fields.entities("transfers") { (entry) throws(WireError) in
                try ShardTransfer(entry)
            }
            guard named.isEmpty else { return named }
            return try fields.entities("intra_exchange_instance_transfers") { (entry) throws(WireError) in
                try ShardTransfer(entry)
            }
        }
    }
    /// Lets the exchange keep cash spread over the shards by itself, every ten seconds.
    /// - Parameter percents: of each shard; 100 in all.
    /// - Parameter marginReservation: `none`, `max` or `sum`.
    public static func setTargetAllocation(
        _ percents: [(shard: Int, percent: Int)], marginReservation: String
    ) -> RestCall<Void> {
        precondition(percents.reduce(0) { $0 + $1.percent } == 100, "the percents must be 100 in all")
        let allocations = percents.map { entry in
            JSONValue.object([
                .init("exchange_index", .number(String(entry.shard))),
                .init("percent", .number(String(entry.percent))),
            ])
        }
        return RestCall(
            accepted: RestRequest(.post, "/portfolio/target_balance_allocation", scope: .write(shard: 0))
                .sending([
                    ("allocations", .array(allocations)),
                    ("resting_margin_reservation", .string(marginReservation)),
                ]))
    }
}
