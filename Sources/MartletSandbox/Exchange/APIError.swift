import MartletEngine
import Martlet

/// An answer that is no success, as the exchange gives it (API.md §4).
struct APIError: Error, Hashable {
    var status: Int
    var code: String
    var message: String
    var details: String?

    init(_ status: Int, _ code: String, _ message: String, details: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
    }
    init(_ rejection: VenueRejection) {
        self.init(rejection.status, rejection.code, rejection.message)
    }

    static func badRequest(_ details: String) -> APIError {
        APIError(400, "invalid_parameters", "invalid parameters", details: details)
    }
    static func invalidOrder(_ details: String) -> APIError {
        APIError(400, "invalid_order", "invalid order", details: details)
    }
    static let notFound = APIError(404, "not_found", "not found")
    static let marketNotFound = APIError(404, "market_not_found", "market not found")
    static let alreadyExists = APIError(409, "order_already_exists", "order already exists")
    static func authentication(_ details: String) -> APIError {
        APIError(401, "authentication_error", "authentication_error", details: details)
    }
    static let expired = APIError(401, "header_timestamp_expired", "header timestamp expired")
    static let forbidden = APIError(403, "forbidden", "forbidden")
    static let inMaintenance = APIError(503, "exchange_unavailable", "the exchange is in maintenance")
    static let tooManyRequests = APIError(429, "too_many_requests", "too many requests")
}
