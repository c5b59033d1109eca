import Martlet
import MartletEngine
import MartletWire

/// `GET /account/limits`.
public struct AccountLimits: Hashable, Sendable {
    public struct Grant: Hashable, Sendable {
        /// `event_contract`, `margined`, …: an open list.
        public var instance: String
        public var level: String
        /// `.unknown`: permanent.
        public var expires: Timestamp
        public var source: String
    }

    public var tier: String
    public var read: RateLimits.Bucket
    public var write: RateLimits.Bucket
    public var grants: [Grant]

    init(_ fields: FieldReader) throws(WireError) {
        func bucket(_ name: String) throws(WireError) -> RateLimits.Bucket {
            try fields.entity(name) { (bucket) throws(WireError) in
                let refill = try bucket.needInt("refill_rate")
                let capacity = try bucket.needInt("bucket_capacity")
                // A bucket that never fills would stop everything without a word.
                guard refill > 0, capacity > 0, refill <= 1 << 30, capacity <= 1 << 30 else {
                    throw WireError.invalid(
                        field: name, value: "\(refill), \(capacity)", problem: "not a rate limit")
                }
                return RateLimits.Bucket(refill: refill, capacity: capacity)
            }
        }
        tier = try fields.name("usage_tier")
        read = try bucket("read")
        write = try bucket("write")
        grants = try fields.entities("grants") { (grant) throws(WireError) in
            Grant(
                instance: try grant.string("exchange_instance") ?? "", level: try grant.string("level") ?? "",
                expires: try grant.optionalTime("expires_ts"), source: try grant.string("source") ?? "")
        }
    }

    /// As the engine takes them.
    public func rateLimits(_ costs: EndpointCosts) -> RateLimits {
        RateLimits(tier: tier, read: read, write: write, costs: costs.orderCosts)
    }
}

extension EndpointCosts {
    init(_ fields: FieldReader) throws(WireError) {
        self.init(
            defaultCost: try fields.needInt("default_cost"),
            entries: try fields.entities("endpoint_costs") { (entry) throws(WireError) in
                Entry(
                    method: try entry.name("method"), pattern: try entry.name("path"),
                    cost: try entry.needInt("cost"))
            })
    }
}

/// `GET /portfolio/balance`.
public struct Balance: Hashable, Sendable {
    public struct Shard: Hashable, Sendable {
        public var index: Int
        public var balance: Money
    }

    /// Cash, from `balance_dollars`; whole cents where the exchange gave nothing finer.
    public var cash: Money
    /// Positions at market value, to the cent.
    public var portfolioValue: Money
    public var updated: Timestamp
    /// Cash is held per shard, and an order needs it on its own.
    public var shards: [Shard]

    init(_ fields: FieldReader) throws(WireError) {
        let exact = try fields.money("balance_dollars")
        let rounded = try fields.cents("balance")
        cash = try fields.required(exact ?? rounded, "balance_dollars")
        portfolioValue = try fields.cents("portfolio_value") ?? .zero
        updated = try fields.optionalTime("updated_ts")
        shards = try fields.entities("balance_breakdown") { (shard) throws(WireError) in
            Shard(index: try shard.needInt("exchange_index"), balance: try shard.needMoney("balance"))
        }
    }
}

/// `GET /portfolio/subaccounts/balances`.
public struct SubaccountBalance: Hashable, Sendable {
    public var subaccount: Int
    public var shard: Int
    public var balance: Money
    public var updated: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        subaccount = try fields.needInt("subaccount_number")
        shard = try fields.int("exchange_index") ?? 0
        balance = try fields.needMoney("balance")
        updated = try fields.optionalTime("updated_ts")
    }
}

/// A holding in one market, as `GET /portfolio/positions` has it.
public struct MarketPosition: Hashable, Sendable {
    public var ticker: String
    public var shard: Int
    /// Signed: YES positive.
    public var position: Quantity
    /// What the open contracts cost.
    public var exposure: Money
    public var totalTraded: Money
    public var realized: Money
    public var fees: Money
    public var updated: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        ticker = try fields.name("ticker")
        shard = try fields.int("exchange_index") ?? 0
        position = try fields.needQuantity("position_fp")
        exposure = try fields.needMoney("market_exposure_dollars")
        totalTraded = try fields.money("total_traded_dollars") ?? .zero
        realized = try fields.needMoney("realized_pnl_dollars")
        fees = try fields.needMoney("fees_paid_dollars")
        updated = try fields.optionalTime("last_updated_ts")
    }
}

/// The same of a whole event.
public struct EventPosition: Hashable, Sendable {
    public var event: String
    public var cost: Money
    public var shares: Quantity
    public var exposure: Money
    public var realized: Money
    public var fees: Money

    init(_ fields: FieldReader) throws(WireError) {
        event = try fields.name("event_ticker")
        cost = try fields.needMoney("total_cost_dollars")
        shares = try fields.quantity("total_cost_shares_fp") ?? .zero
        exposure = try fields.needMoney("event_exposure_dollars")
        realized = try fields.needMoney("realized_pnl_dollars")
        fees = try fields.needMoney("fees_paid_dollars")
    }
}

/// A trade of one's own, as `GET /portfolio/fills` has it. It names no client order id: join by `orderID`.
public struct AccountFill: Hashable, Sendable {
    public var tradeID: String
    public var orderID: String
    public var ticker: String
    public var shard: Int
    /// The order's side in YES terms.
    public var side: Side
    /// YES price.
    public var price: Price
    public var quantity: Quantity
    public var isTaker: Bool
    /// This fill's fee; nil where not told.
    public var fee: Money?
    public var created: Timestamp
    public var subaccount: Int?

    init(_ fields: FieldReader) throws(WireError) {
        tradeID = try fields.required(try fields.string(fields.either("trade_id", "fill_id")), "trade_id")
        orderID = try fields.name("order_id")
        ticker = try fields.required(
            try fields.string(fields.either("market_ticker", "ticker")), "market_ticker")
        shard = try fields.int("exchange_index") ?? 0
        side = try fields.side()
        price = try fields.yesPrice()
        quantity = try fields.needQuantity("count_fp")
        isTaker = try fields.needBool("is_taker")
        fee = try fields.money("fee_cost")
        created = try fields.optionalTime(fields.either("created_time", "ts"))
        subaccount = try fields.int("subaccount_number")
    }
}

/// A market that paid out, as `GET /portfolio/settlements` has it.
public struct AccountSettlement: Hashable, Sendable {
    public var ticker: String
    public var event: String
    public var shard: Int
    /// `yes`, `no`, `scalar`: an open list.
    public var result: String
    public var yesCount: Quantity
    public var yesCost: Money
    public var noCount: Quantity
    public var noCost: Money
    public var revenue: Money
    public var fee: Money
    /// What a YES contract paid, to the cent; nil where not told.
    public var value: Money?
    public var settled: Timestamp

    init(_ fields: FieldReader) throws(WireError) {
        ticker = try fields.name("ticker")
        event = try fields.string("event_ticker") ?? ""
        shard = try fields.int("exchange_index") ?? 0
        result = try fields.string("market_result") ?? ""
        yesCount = try fields.needQuantity("yes_count_fp")
        yesCost = try fields.needMoney("yes_total_cost_dollars")
        noCount = try fields.needQuantity("no_count_fp")
        noCost = try fields.needMoney("no_total_cost_dollars")
        revenue = try fields.required(try fields.cents("revenue"), "revenue")
        fee = try fields.money("fee_cost") ?? .zero
        value = try fields.cents("value")
        settled = try fields.needTime("settled_time")
    }
}
