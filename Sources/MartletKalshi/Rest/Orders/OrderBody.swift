import Martlet
import MartletWire

/// Where a market's orders go.
public struct OrderRoute: Hashable, Sendable {
    public var ticker: String
    /// The market's `exchange_index`. Always sent: an order id alone does not name its shard, and without it the
    /// exchange routes by ticker, slower, and bills every shard.
    public var shard: Int
    /// The order group that its orders join.
    public var group: String?

    public init(ticker: String, shard: Int, group: String? = nil) {
        self.ticker = ticker
        self.shard = shard
        self.group = group
    }
}

/// The JSON of order requests, written straight into a buffer (API.md §6).
enum OrderBody {
    static func create(
        _ route: OrderRoute, _ order: OrderRequest, subaccount: Int?, into bytes: inout [UInt8],
        clientOrderID: (inout [UInt8]) -> Void
    ) {
        bytes += "{\"ticker\":".utf8
        string(route.ticker, to: &bytes)
        bytes += ",\"client_order_id\":\"".utf8
        clientOrderID(&bytes)
        bytes +=
            order.side == .bid
            ? "\",\"side\":\"bid\",\"count\":\"".utf8 : "\",\"side\":\"ask\",\"count\":\"".utf8
        count(order.quantity, to: &bytes)
        bytes += "\",\"price\":\"".utf8
        price(order.price, to: &bytes)
        bytes += "\",\"time_in_force\":\"".utf8
        switch order.timeInForce {
        case .goodTillCancelled: bytes += "good_till_canceled\"".utf8
        case .goodTill(let time):
            bytes += "good_till_canceled\",\"expiration_time\":".utf8
            DecimalText.append(time.seconds, to: &bytes)
        case .immediateOrCancel: bytes += "immediate_or_cancel\"".utf8
        case .fillOrKill: bytes += "fill_or_kill\"".utf8
        }
        bytes += ",\"self_trade_prevention_type\":".utf8
        switch order.selfTradePrevention {
        case .takerAtCross: bytes += "\"taker_at_cross\"".utf8
        case .maker: bytes += "\"maker\"".utf8
        }
        if order.isPostOnly { bytes += ",\"post_only\":true".utf8 }
        if order.isReduceOnly { bytes += ",\"reduce_only\":true".utf8 }
        if order.cancelsOnPause { bytes += ",\"cancel_order_on_pause\":true".utf8 }
        if let group = route.group {
            bytes += ",\"order_group_id\":".utf8
            string(group, to: &bytes)
        }
        number("subaccount", subaccount, to: &bytes)
        number("exchange_index", route.shard, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    /// `count` is the whole size: filled and open (FIELD-NOTES 20), which is how the engine counts too.
    static func amend(_ route: OrderRoute, _ order: AmendedOrder, into bytes: inout [UInt8]) {
        bytes += "{\"ticker\":".utf8
        string(route.ticker, to: &bytes)
        bytes +=
            order.side == .bid ? ",\"side\":\"bid\",\"price\":\"".utf8 : ",\"side\":\"ask\",\"price\":\"".utf8
        price(order.price, to: &bytes)
        bytes += "\",\"count\":\"".utf8
        count(order.quantity, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        number("exchange_index", route.shard, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    struct AmendedOrder {
        var side: Side
        var price: Price
        var quantity: Quantity
    }

    static func decrease(_ route: OrderRoute, to quantity: Quantity, into bytes: inout [UInt8]) {
        bytes += "{\"reduce_to\":\"".utf8
        count(quantity, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        number("exchange_index", route.shard, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    static func cancelEntry(_ venueID: String, shard: Int, subaccount: Int?, into bytes: inout [UInt8]) {
        bytes += "{\"order_id\":".utf8
        string(venueID, to: &bytes)
        number("subaccount", subaccount, to: &bytes)
        number("exchange_index", shard, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    // MARK: - Values

    /// Four decimals: no grid of the exchange is finer.
    private static func price(_ price: Price, to bytes: inout [UInt8]) {
        precondition(price.isTradable && price.micros % 100 == 0, "a price that no grid has: \(price)")
        DecimalText.append(Int64(price.micros) / 100, decimals: 4, to: &bytes)
    }
    private static func count(_ quantity: Quantity, to bytes: inout [UInt8]) {
        precondition(quantity.hundredths >= 0, "a count below zero: \(quantity)")
        DecimalText.append(quantity.hundredths, decimals: 2, to: &bytes)
    }
    private static func number(_ name: StaticString, _ value: Int?, to bytes: inout [UInt8]) {
        guard let value else { return }
        bytes += ",\"".utf8
        name.withUTF8Buffer { bytes += $0 }
        bytes += "\":".utf8
        DecimalText.append(Int64(value), to: &bytes)
    }
    /// Tickers and ids are plain text, copied as they are; anything else is escaped.
    private static func string(_ text: String, to bytes: inout [UInt8]) {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c }) {
            bytes.append(UInt8(ascii: "\""))
            bytes += text.utf8
            bytes.append(UInt8(ascii: "\""))
        } else {
            bytes += JSONWriter.quoted(text).utf8
        }
    }
}
