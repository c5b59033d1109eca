import Martlet
import MartletWire

/// Where a market's orders go. Made once for a market: what all its orders have in common is written down here.
public final class OrderRoute: Sendable {
    public let ticker: String
    /// The market's `exchange_index`. Always sent: an order id alone does not name its shard, and without it the
    /// exchange routes by ticker, slower, and bills every shard.
    public let shard: Int
    /// The order group that its orders join.
    public let group: String?

    /// The beginning of an order, up to its client order id.
    let opening: [UInt8]
    /// The member that names the group; empty without one.
    let joining: [UInt8]
    /// The shard, and the order's end.
    let ending: [UInt8]

    public init(ticker: String, shard: Int, group: String? = nil) {
        self.ticker = ticker
        self.shard = shard
        self.group = group
        opening = Array("{\"ticker\":\(JSONWriter.quoted(ticker)),\"client_order_id\":\"".utf8)
        joining = Array((group.map { ",\"order_group_id\":\(JSONWriter.quoted($0))" } ?? "").utf8)
        ending = Array(",\"exchange_index\":\(shard)}".utf8)
    }
}

/// The JSON of order requests, written straight into a buffer (API.md §6).
enum OrderBody {
    static func create(
        _ route: OrderRoute, _ order: OrderRequest, subaccount: Int?, into bytes: inout [UInt8],
        clientOrderID: (inout [UInt8]) -> Void
    ) {
        bytes += route.opening
        clientOrderID(&bytes)
        bytes.append(
            order.side == .bid ? "\",\"side\":\"bid\",\"count\":\"" : "\",\"side\":\"ask\",\"count\":\"")
        count(order.quantity, to: &bytes)
        bytes.append("\",\"price\":\"")
        price(order.price, to: &bytes)
        bytes.append("\",\"time_in_force\":\"")
        switch order.timeInForce {
        case .goodTillCancelled: bytes.append("good_till_canceled\"")
        case .goodTill(let time):
            bytes.append("good_till_canceled\",\"expiration_time\":")
            DecimalText.append(time.seconds, to: &bytes)
        case .immediateOrCancel: bytes.append("immediate_or_cancel\"")
        case .fillOrKill: bytes.append("fill_or_kill\"")
        }
        switch order.selfTradePrevention {
        case .takerAtCross: bytes.append(",\"self_trade_prevention_type\":\"taker_at_cross\"")
        case .maker: bytes.append(",\"self_trade_prevention_type\":\"maker\"")
        }
        if order.isPostOnly { bytes.append(",\"post_only\":true") }
        if order.isReduceOnly { bytes.append(",\"reduce_only\":true") }
        if order.cancelsOnPause { bytes.append(",\"cancel_order_on_pause\":true") }
        bytes += route.joining
        number("subaccount", subaccount, to: &bytes)
        bytes += route.ending
    }

    /// `count` is the whole size: filled and open (FIELD-NOTES 20), which is how the engine counts too.
    static func amend(_ route: OrderRoute, _ order: AmendedOrder, into bytes: inout [UInt8]) {
        bytes.append("{\"ticker\":")
        string(route.ticker, to: &bytes)
        bytes.append(order.side == .bid ? ",\"side\":\"bid\",\"price\":\"" : ",\"side\":\"ask\",\"price\":\"")
        price(order.price, to: &bytes)
        bytes.append("\",\"count\":\"")
        count(order.quantity, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes += route.ending
    }

    struct AmendedOrder {
        var side: Side
        var price: Price
        var quantity: Quantity
    }

    static func decrease(_ route: OrderRoute, to quantity: Quantity, into bytes: inout [UInt8]) {
        bytes.append("{\"reduce_to\":\"")
        count(quantity, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        bytes += route.ending
    }

    static func cancelEntry(_ venueID: String, shard: Int, subaccount: Int?, into bytes: inout [UInt8]) {
        bytes.append("{\"order_id\":")
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
        bytes.append(",\"")
        bytes.append(name)
        bytes.append("\":")
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

extension [UInt8] {
    /// Text of this program's own.
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }
}
