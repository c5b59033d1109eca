import Martlet
import MartletWire

/// What the exchange's `code` says. The documented and the recorded ones; any other is kept as it came.
public enum ErrorCode: Hashable, Sendable {
    case invalidOrder, invalidOrderSize, invalidPrice, invalidParameters
    case insufficientBalance
    /// `order_already_exists`: the client order id was used before.
    case duplicateClientOrderID
    case fillOrKillUnfillable, immediateOrCancelUnfillable, postOnlyCross
    case orderMismatch
    case notFound, marketNotFound
    case marketInactive
    case authentication, timestampExpired
    case invalidContentType
    case tooManyRequests
    case exchangeUnavailable, internalError
    /// A retired V1 endpoint.
    case retiredEndpoint
    /// The body gave none.
    case none
    case unknown(String)

    /// Some codes hold text that changes, so the beginning counts.
    public init(wire: String) {
        let code = wire.lowercased()
        guard !code.isEmpty else {
            self = .none
            return
        }
        let match = ErrorCode.known.first { code.hasPrefix($0.prefix) }
        self = match?.code ?? .unknown(wire)
    }

    // Longer beginnings stand before the shorter ones they begin with.
    private static let known: [(prefix: String, code: ErrorCode)] = [
        ("invalid_order_size", .invalidOrderSize), ("invalid_order", .invalidOrder),
        ("invalid_price", .invalidPrice), ("invalid_parameter", .invalidParameters),
        ("invalid_content_type", .invalidContentType),
        ("available_balance_too_low", .insufficientBalance), ("insufficient_balance", .insufficientBalance),
        ("order_already_exists", .duplicateClientOrderID),
        ("fill_or_kill_insufficient_resting_volume", .fillOrKillUnfillable),
        ("immediate_or_cancel_insufficient_resting_volume", .immediateOrCancelUnfillable),
        ("post_only_cross", .postOnlyCross),
        ("order_id_and_client_order_id_mismatch", .orderMismatch),
        ("order_side_mismatch", .orderMismatch), ("order_ticker_mismatch", .orderMismatch),
        ("market_not_found", .marketNotFound), ("not_found", .notFound), ("order_not_found", .notFound),
        ("market_inactive", .marketInactive),
        ("authentication_error", .authentication), ("header_timestamp_expired", .timestampExpired),
        ("too many requests", .tooManyRequests), ("too_many_requests", .tooManyRequests),
        ("exchange_unavailable", .exchangeUnavailable), ("internal_error", .internalError),
        ("internal_server_error", .internalError),
        ("deprecated_v1_order_endpoint", .retiredEndpoint),
    ]
}

/// A refusal in the exchange's own words.
public struct ExchangeError: Error, Hashable, Sendable {
    /// HTTP status; 200 to 299 where an answer was to hold an order and holds an error.
    public var status: Int
    public var code: ErrorCode
    /// `code` as it stood; empty where there was none.
    public var codeText: String
    public var message: String
    public var details: String

    public init(status: Int, code: String, message: String = "", details: String = "") {
        self.status = status
        self.code = ErrorCode(wire: code)
        codeText = code
        self.message = message
        self.details = details
    }

    /// Reads any of the four forms of API.md §4, and whatever else came: the beginning of the text then.
    public init(status: Int, body: some Collection<UInt8>) {
        if let value = try? JSONParser.parse(body), let found = ExchangeError(status: status, value: value) {
            self = found
            return
        }
        let text = String(decoding: body.prefix(200), as: UTF8.self)
        self.init(status: status, code: "", message: text.isEmpty ? "no body" : text)
    }

    /// Nil where a value is no error.
    public init?(status: Int, value: JSONValue) {
        let error = value["error"].flatMap { $0.isNull ? nil : $0 }
        if let error, error.object != nil {
            self.init(fields: error, status: status)
        } else if let text = error?.string {
            // {"error": "too many requests"}
            self.init(status: status, code: text, message: text)
        } else if value["code"]?.string != nil {
            self.init(fields: value, status: status)
        } else if let text = value["msg"]?.string ?? value["message"]?.string {
            self.init(status: status, code: "", message: text)
        } else {
            return nil
        }
    }

    private init(fields: JSONValue, status: Int) {
        self.init(
            status: status, code: fields["code"]?.decimalText ?? "",
            message: (fields["message"] ?? fields["msg"])?.string ?? "",
            details: fields["details"].flatMap { $0.string ?? ($0.isNull ? nil : JSONWriter.text($0)) } ?? "")
        if message.contains("switch to the V2 endpoints") { code = .retiredEndpoint }
    }

    /// Whether the request may have had its effect all the same: a fault of the server proves nothing.
    public var leavesOutcomeUnknown: Bool { status >= 500 || status == 408 || status < 400 }

    /// For the engine.
    public var rejection: VenueRejection {
        let text = details.isEmpty || details == message ? message : "\(message): \(details)"
        return VenueRejection(
            status: status, code: codeText.isEmpty ? "http_\(status)" : codeText, message: text)
    }
}

extension ExchangeError: CustomStringConvertible {
    public var description: String {
        var parts: [String] = []
        if !codeText.isEmpty { parts.append(codeText) }
        if !message.isEmpty, message.lowercased() != codeText.lowercased() { parts.append(message) }
        if !details.isEmpty { parts.append(details) }
        return "the exchange refused (\(status)): " + parts.joined(separator: ": ")
    }
}

/// Why a call has no answer.
public enum RestError: Error, Sendable {
    /// The exchange said no. With ``ExchangeError/leavesOutcomeUnknown`` a write may have had its effect.
    case refused(ExchangeError)
    /// A 2xx answer that cannot be read, or says nothing of what was asked for.
    case unreadable(WireError, request: String, status: Int)
    case transport(HTTPFailure)
    case key(String)
    /// The call needs a signature and there is no key.
    case needsKey(request: String)
    /// The budget would not have admitted it in time.
    case budget(request: String, seconds: Int)
    /// A list's cursor led back to a page that had been read.
    case cursorLoop(request: String)
    case cancelled

    /// A failure on the wire.
    public struct HTTPFailure: Hashable, Sendable {
        public var request: String
        public var reason: String
        /// False only where it is certain that nothing reached the exchange.
        public var mayHaveReachedExchange: Bool
        /// Worth another attempt: not so a certificate that is refused.
        var isPassing = true
    }

    /// Whether a write may have had its effect: then it is to be looked for, never sent again.
    public var leavesOutcomeUnknown: Bool {
        switch self {
        case .refused(let error): error.leavesOutcomeUnknown
        case .unreadable: true
        case .transport(let failure): failure.mayHaveReachedExchange
        case .key, .needsKey, .budget, .cursorLoop, .cancelled: false
        }
    }
}

extension RestError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let error): RestError.advice(error).map { "\(error); \($0)" } ?? "\(error)"
        case .unreadable(let error, let request, let status):
            "\(request) was answered with \(status) and something unreadable: \(error)"
        case .transport(let failure): "\(failure.request): \(failure.reason)"
        case .key(let text): text
        case .needsKey(let request): "\(request) needs an API key"
        case .budget(let request, let seconds):
            "\(request) would wait longer than \(seconds) s for the rate limit"
        case .cursorLoop(let request): "\(request): the exchange's list of pages leads back to itself"
        case .cancelled: "cancelled"
        }
    }

    /// What mends a refusal.
    static func advice(_ error: ExchangeError) -> String? {
        switch error.code {
        case .timestampExpired: return "this machine's clock differs from the exchange's: set it (NTP)"
        case .authentication where error.details.contains("NOT_FOUND"):
            return "the key id is unknown there: demo and production have keys of their own"
        case .authentication:
            return "the private key does not belong to the key id"
        case .insufficientBalance: return "cash is held per shard: see 'balance_breakdown'"
        case .retiredEndpoint: return "an endpoint that the exchange has retired"
        default:
            return error.status == 403 ? "the key's scope or subaccount does not allow it" : nil
        }
    }
}
