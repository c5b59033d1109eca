import Martlet
import MartletSimulation
import MartletWire

// Status, schedule, freshness and fee changes (API.md §9, §11, §13).
extension API {
    static var exchangeRoutes: [Route] {
        [
            route("GET", "exchange/status", .open, .read(10), API.status),
            route("GET", "exchange/schedule", .open, .read(10), API.schedule),
            route("GET", "exchange/user_data_timestamp", .open, .read(10), API.userDataTimestamp),
            route("GET", "series/fee_changes", .open, .read(10), API.seriesFeeChanges),
            route("GET", "events/fee_changes", .open, .read(10), API.eventFeeChanges),
        ]
    }

    func statusBody() -> JSONValue {
        func state(_ pause: ExchangePause?) -> (exchange: Bool, trading: Bool) {
            if isInMaintenance() { return (false, false) }
            return switch pause {
            case nil: (true, true)
            case .trading: (true, false)
            case .everything: (false, false)
            }
        }
        let first = state(exchange.pauses[0])
        let shards = Exchange.shards.indices.map { index -> JSONValue in
            let (active, trading) = state(exchange.pauses[index])
            return .of([
                "exchange_index": .integer(index), "description": .string(Exchange.shards[index]),
                "exchange_active": .bool(active), "trading_active": .bool(trading),
                "intra_exchange_transfers_active": .bool(active),
            ])
        }
        return .of([
            "exchange_active": .bool(first.exchange), "trading_active": .bool(first.trading),
            "intra_exchange_transfers_active": .bool(first.exchange),
            "exchange_index_statuses": .array(shards),
        ])
    }

    private func status(_ request: APIRequest) throws(APIError) -> APIResponse { .ok(statusBody()) }

    private func schedule(_ request: APIRequest) throws(APIError) -> APIResponse {
        let whole: [(String, String)] = [("00:00", "00:00")]
        // Thursday's maintenance, 03:00 to 05:00 in New York.
        let thursday = [("00:00", "03:00"), ("05:00", "00:00")]
        func sessions(_ list: [(String, String)]) -> JSONValue {
            .array(list.map { .of(["open_time": .string($0.0), "close_time": .string($0.1)]) })
        }
        let year = exchange.now.wireText.prefix(4)
        let next = (Int(year) ?? 2026) + 1
        let hours = JSONValue.of([
            "start_time": .string("\(year)-01-01T00:00:00Z"), "end_time": .string("\(next)-01-01T00:00:00Z"),
            "monday": sessions(whole), "tuesday": sessions(whole), "wednesday": sessions(whole),
            "thursday": sessions(thursday), "friday": sessions(whole), "saturday": sessions(whole),
            "sunday": sessions(whole),
        ])
        return .ok(
            .of([
                "schedule": .of([
                    "standard_hours": .array([hours]), "maintenance_windows": .array([]),
                ])
            ]))
    }

    private func userDataTimestamp(_ request: APIRequest) throws(APIError) -> APIResponse {
        .ok(.of(["as_of_time": .time(exchange.userDataTime)]))
    }
    private func seriesFeeChanges(_ request: APIRequest) throws(APIError) -> APIResponse {
        _ = try request.flag("show_historical")
        return .ok(.of(["series_fee_change_arr": .array([])]))
    }
    private func eventFeeChanges(_ request: APIRequest) throws(APIError) -> APIResponse {
        _ = try Page(request)
        return .ok(.of(["event_fee_changes": .array([]), "cursor": .string("")]))
    }
}
