import Martlet
import MartletWire

/// The exchange's REST interface, named as its documentation names it (API.md §6 to §13): each function is a value
/// that says what to ask and how to read the answer. Nothing here travels; ``KalshiClient/send(_:)`` does.
public enum Endpoints {
    /// The most a list gives at once.
    static let pageLimit = 1000
    static let eventPageLimit = 200

    static func segment(_ text: String) -> String { URLText.encode(text) }

    // MARK: - Exchange

    /// While the exchange is down it says so with a 500, 503 or 504, whose body is the same.
    public static func exchangeStatus() -> RestCall<ExchangeStatus> {
        var request = RestRequest(.get, "/exchange/status").open()
        request.faultMember = "exchange_active"
        return RestCall(object: request) { (fields) throws(WireError) in try ExchangeStatus(fields) }
    }
    public static func exchangeSchedule() -> RestCall<ExchangeSchedule> {
        RestCall(object: RestRequest(.get, "/exchange/schedule").open()) { (fields) throws(WireError) in
            try fields.entity("schedule") { (inner) throws(WireError) in try ExchangeSchedule(inner) }
        }
    }
    /// How fresh the reads of balance, orders, fills and positions are.
    public static func userDataTimestamp() -> RestCall<Timestamp> {
        RestCall(object: RestRequest(.get, "/exchange/user_data_timestamp").open()) {
            (fields) throws(WireError) in try fields.needTime("as_of_time")
        }
    }

    // MARK: - Account

    public static func accountLimits() -> RestCall<AccountLimits> {
        RestCall(object: RestRequest(.get, "/account/limits")) { (fields) throws(WireError) in
            try AccountLimits(fields)
        }
    }
    public static func endpointCosts() -> RestCall<EndpointCosts> {
        RestCall(object: RestRequest(.get, "/account/endpoint_costs").open()) { (fields) throws(WireError) in
            try EndpointCosts(fields)
        }
    }

    // MARK: - Series and events

    public static func series(category: String? = nil, tags: [String] = []) -> RestCall<[ListedSeries]> {
        let request = RestRequest(.get, "/series").open().with("category", category).with("tags", list: tags)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("series") { (entry) throws(WireError) in try ListedSeries(entry) }
        }
    }
    public static func series(_ ticker: String) -> RestCall<ListedSeries> {
        RestCall(object: RestRequest(.get, "/series/\(segment(ticker))").open()) {
            (fields) throws(WireError) in
            try fields.entity("series") { (entry) throws(WireError) in try ListedSeries(entry) }
        }
    }
    public static func seriesFeeChanges(series: String? = nil, historical: Bool? = nil) -> RestCall<
        [FeeChange]
    > {
        let request = RestRequest(.get, "/series/fee_changes").open().with("series_ticker", series)
            .with("show_historical", historical)
        return RestCall(object: request) { (fields) throws(WireError) in
            try fields.entities("series_fee_change_arr") { (entry) throws(WireError) in try FeeChange(entry) }
        }
    }
    public static func eventFeeChanges(event: String? = nil) -> PagedCall<FeeChange> {
        let request = RestRequest(.get, "/events/fee_changes").open().with("event_ticker", event)
        return PagedCall(request, \.id) { (fields) throws(WireError) in
            try fields.entities("event_fee_changes") { (entry) throws(WireError) in try FeeChange(entry) }
        }
    }
    /// Combos (`KXMVE…`) are left out by the exchange; see ``multivariateEvents(series:nestedMarkets:)``.
    public static func events(
        series: String? = nil, status: String? = nil, tickers: [String] = [], nestedMarkets: Bool = false
    ) -> PagedCall<ListedEvent> {
        let request = RestRequest(.get, "/events").open().with("limit", eventPageLimit)
            .with("with_nested_markets", nestedMarkets ? true : nil).with("status", status)
            .with("series_ticker", series).with("tickers", list: tickers)
        return events(request)
    }
    public static func multivariateEvents(
        series: String? = nil, nestedMarkets: Bool = false
    ) -> PagedCall<ListedEvent> {
        events(
            RestRequest(.get, "/events/multivariate").open().with("limit", eventPageLimit)
                .with("series_ticker", series).with("with_nested_markets", nestedMarkets ? true : nil))
    }
    private static func events(_ request: RestRequest) -> PagedCall<ListedEvent> {
        PagedCall(request, \.ticker) { (fields) throws(WireError) in
            try fields.entities("events") { (entry) throws(WireError) in try ListedEvent(entry) }
        }
    }
    public static func event(_ ticker: String, nestedMarkets: Bool = true) -> RestCall<ListedEvent> {
        let request = RestRequest(.get, "/events/\(segment(ticker))").open()
            .with("with_nested_markets", nestedMarkets)
        return RestCall(object: request) { (fields) throws(WireError) in
            let beside = try fields.asMarkets
            return try fields.entity("event") { (entry) throws(WireError) in
                try ListedEvent(entry, markets: beside)
            }
        }
    }
}
