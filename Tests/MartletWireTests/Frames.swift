import Foundation
import Martlet
import Testing

@testable import MartletWire

/// One frame of each message type, shaped as the exchange documents it.
enum Frames {
    static let all = [
        fill, userOrder, position, created, activated, determined, settled, event, fee, orderGroup, benchmark,
        fastBenchmark, pyth, subscribed, ok, error, ticker, trade, snapshot, oldSnapshot, delta,
    ]
    static let fill =
        #"{"type":"fill","sid":4,"msg":{"trade_id":"7e0a2a36","order_id":"0c6f2f0e","client_order_id":"bot-1","market_ticker":"KXHIGHNY-26NOV23-B54.5","exchange_index":0,"is_taker":false,"side":"yes","yes_price_dollars":"0.4700","count_fp":"4.00","fee_cost":"0.012345","action":"buy","ts":1795442400,"ts_ms":1795442400700,"post_position_fp":"-4.00","purchased_side":"yes","outcome_side":"yes","book_side":"bid","subaccount":0},"sending_ts_ms":1795442400706}"#
    static let userOrder =
        #"{"type":"user_order","sid":5,"msg":{"order_id":"0c6f2f0e","user_id":"a3c1","ticker":"KXHIGHNY-1","exchange_index":0,"status":"canceled","side":"yes","is_yes":true,"outcome_side":"yes","book_side":"bid","yes_price_dollars":"0.4700","fill_count_fp":"4.00","remaining_count_fp":"0.00","initial_count_fp":"10.00","taker_fees_dollars":"0.000000","maker_fees_dollars":"0.000500","client_order_id":"bot-1","created_time":"2026-11-23T14:00:00.400Z","created_ts_ms":1795442400400,"subaccount_number":0,"last_update_time":"2026-11-23T14:00:02.000Z","last_updated_ts_ms":1795442402000,"last_update_reason":"Decrease"}}"#
    static let position =
        #"{"type":"market_position","sid":6,"msg":{"user_id":"a3c1","market_ticker":"KXHIGHNY-1","position_fp":"-4.00","position_cost_dollars":"1.8800","realized_pnl_dollars":"-0.0500","fees_paid_dollars":"0.0000","position_fee_cost_dollars":"0.0000","volume_fp":"4.00","subaccount":0}}"#
    static let created =
        #"{"type":"market_lifecycle_v2","sid":7,"seq":1,"msg":{"market_ticker":"M","exchange_index":1,"open_ts":1795416000,"close_ts":1795510800,"additional_metadata":{"name":"n","title":"Will it?","yes_sub_title":"54 to 55","no_sub_title":"not so","can_close_early":true,"event_ticker":"KXHIGHNY","floor_strike":54},"event_type":"created","price_level_structure":"linear_cent","price_ranges":[{"start":"0.0000","end":"1.0000","step":"0.0100"}]}}"#
    static let activated =
        #"{"type":"market_lifecycle_v2","sid":7,"seq":4,"msg":{"market_ticker":"M","event_type":"activated","is_deactivated":false}}"#
    static let determined =
        #"{"type":"market_lifecycle_v2","sid":7,"seq":7,"msg":{"market_ticker":"M","event_type":"determined","determination_ts":1795550800,"result":"yes","settlement_value":"1.0000"}}"#
    static let settled =
        #"{"type":"multivariate_market_lifecycle","sid":7,"seq":8,"msg":{"market_ticker":"M","event_type":"settled","settled_ts":1795554400}}"#
    static let event =
        #"{"type":"event_lifecycle","sid":7,"seq":9,"msg":{"event_ticker":"KXHIGHNY-26NOV23","exchange_index":0,"title":"t","subtitle":"s","collateral_return_type":"MECNET","series_ticker":"KXHIGHNY","strike_date":1795510800}}"#
    static let fee =
        #"{"type":"event_fee_update","sid":7,"seq":10,"msg":{"event_ticker":"E","fee_type_override":"quadratic_with_maker_fees","fee_multiplier_override":0.5}}"#
    static let orderGroup =
        #"{"type":"order_group_updates","sid":8,"seq":1,"msg":{"event_type":"created","order_group_id":"og-6f0c","contracts_limit_fp":"150.00","ts_ms":1795442400100}}"#
    static let benchmark =
        #"{"type":"cfbenchmarks_value","sid":11,"seq":1,"msg":{"index_id":"BRTI","received_at":1795442400123,"data":"{\"type\":\"value\",\"id\":\"BRTI\",\"time\":1795442400100,\"value\":\"68000.12\"}","avg_60s_data":{"value":"68000.01000000","window_size":59}}}"#
    static let fastBenchmark =
        #"{"type":"cfbenchmarks_value_5hz","sid":12,"seq":1,"msg":{"index_id":"BRTI","value_usd":"68000.12000000","source_ts_ms":1795442400100,"received_at":1795442400118,"data":"{}"}}"#
    static let pyth =
        #"{"type":"pyth_value","sid":13,"seq":1,"msg":{"underlying_ticker":"Metal.XAU/USD","value_usd":"4120.50000000","source_ts_ms":1795442400100,"received_at":1795442400123}}"#
    static let subscribed =
        #"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1},"sending_ts_ms":1795442400000}"#
    static let ok = #"{"type":"ok","id":10,"sid":1,"seq":4,"msg":{"market_tickers":["A","B"]}}"#
    static let error =
        #"{"type":"error","sid":1,"seq":8,"msg":{"code":25,"msg":"Subscription buffer overflow"}}"#
    static let ticker =
        #"{"type":"ticker","sid":3,"msg":{"market_id":"5b1f","market_ticker":"M","price_dollars":"0.4700","yes_bid_dollars":"0.4600","yes_ask_dollars":"0.4830","volume_fp":"15404.00","open_interest_fp":"8120.00","dollar_volume":7240,"yes_bid_size_fp":"6.00","yes_ask_size_fp":"150.00","last_trade_size_fp":"4.00","ts":1795442400,"ts_ms":1795442400700,"time":"2026-11-23T14:00:00.700Z"}}"#
    static let trade =
        #"{"type":"trade","sid":2,"seq":1,"msg":{"trade_id":"7e0a2a36","market_ticker":"M","yes_price_dollars":"0.4700","no_price_dollars":"0.5300","count_fp":"4.00","taker_side":"no","taker_outcome_side":"no","taker_book_side":"ask","is_block_trade":false,"ts":1795442400,"ts_ms":1795442400700}}"#
    static let snapshot =
        #"{"type":"orderbook_snapshot","id":12,"sid":1,"seq":6,"msg":{"market_ticker":"M","market_id":"5b1f","yes_dollars_fp":[["0.4500","300.00"],["0.4600","120.00"]],"no_dollars_fp":[["0.5000","80.00"]]}}"#
    static let oldSnapshot =
        #"{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{"market_ticker":"M","yes":[[45,300],[46,120]],"no":[[50,80]]}}"#
    static let delta =
        #"{"type":"orderbook_delta","sid":1,"seq":2,"msg":{"market_ticker":"M","market_id":"5b1f","price_dollars":"0.4700","delta_fp":"10.00","side":"no","client_order_id":"bot-1","subaccount":0,"ts":"2026-11-23T14:00:00.400Z","ts_ms":1795442400400},"sending_ts_ms":1795442400404}"#
}

/// A frame's detail was another than expected.
struct Unexpected: Error {}

func detail(_ text: String) throws -> WireDetail {
    var decoder = MessageDecoder(usesYesPrice: false)
    return try decoder.decode(text).detail()
}

/// All that the decoder makes of a frame, to compare.
struct Reading: Hashable {
    var detail: WireDetail
    var numbers: [Int64?]
    var kind: WireFrame.Kind
    var levels: [MessageDecoder.Level]
    var ticker: String
    var summary: Ticker?
}

func reading(_ text: String) throws -> Reading {
    var decoder = MessageDecoder(usesYesPrice: false)
    let frame = try decoder.decode(text)
    let levels = frame.kind == .snapshot ? decoder.levels : []
    return Reading(
        detail: try frame.detail(),
        numbers: [
            frame.id, frame.sid, frame.seq, frame.sendingTime.nanoseconds, Int64(frame.price.micros),
            frame.quantity.hundredths, Int64(frame.side.rawValue), frame.exchangeTime.nanoseconds,
            frame.isOwn ? 1 : 0,
        ], kind: frame.kind,
        levels: levels.sorted { ($0.side.rawValue, $0.price) < ($1.side.rawValue, $1.price) },
        ticker: frame.market >= 0 ? decoder.tickers.ticker(frame.market) : "", summary: frame.summary)
}

/// Members in another order, with new ones among them; arrays as they are.
func shuffled(_ value: JSONValue, _ random: inout SplitMix64) -> JSONValue {
    switch value {
    case .object(var members):
        for index in members.indices { members[index].value = shuffled(members[index].value, &random) }
        members.append(.init("zzz_new", .object([.init("deep", .array([.null, .number("1e9")]))])))
        members.append(.init("zzz_é\n", .string("\u{1}\"")))
        members.shuffle(using: &random)
        return .object(members)
    case .array(let values):
        var changed: [JSONValue] = []
        for value in values { changed.append(shuffled(value, &random)) }
        return .array(changed)
    default: return value
    }
}

/// Of all members of all objects within objects.
func paths(_ value: JSONValue) -> [[String]] {
    (value.object ?? []).flatMap { member in [[member.key]] + paths(member.value).map { [member.key] + $0 } }
}

/// With a member replaced, or without it.
func changed(_ value: JSONValue, _ path: [String], to other: JSONValue?) -> JSONValue {
    guard var members = value.object, let index = members.firstIndex(where: { $0.key == path[0] }) else {
        return value
    }
    if path.count > 1 {
        members[index].value = changed(members[index].value, Array(path.dropFirst()), to: other)
    } else if let other {
        members[index].value = other
    } else {
        members.remove(at: index)
    }
    return .object(members)
}
