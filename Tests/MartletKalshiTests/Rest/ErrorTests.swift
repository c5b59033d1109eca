import Testing

@testable import MartletKalshi

@Suite struct ErrorTests {
    private func error(_ status: Int, _ body: String) -> ExchangeError {
        ExchangeError(status: status, body: Array(body.utf8))
    }

    @Test func allFormsOfABodyAreRead() {
        let flat = error(400, #"{"code":"invalid_order","message":"invalid order","details":"off the grid"}"#)
        #expect(flat.code == .invalidOrder && flat.details == "off the grid")
        #expect("\(flat)" == "the exchange refused (400): invalid_order: invalid order: off the grid")
        let nested = error(
            401,
            #"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#
        )
        #expect(nested.code == .authentication && nested.details == "NOT_FOUND")
        let bare = error(400, #"{"msg":"start_ts is required"}"#)
        #expect(bare.code == .none && bare.message == "start_ts is required")
        let limited = error(429, #"{"error":"too many requests"}"#)
        #expect(limited.code == .tooManyRequests)
        for (body, message) in [
            ("", "no body"), ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"), ("[1]", "[1]"),
            ("{\"error\":null}", "{\"error\":null}"),
        ] {
            #expect(error(502, body).message == message)
            #expect(error(502, body).code == .none)
        }
        #expect(error(400, String(repeating: "x", count: 5_000)).message.count == 200)
    }

    @Test func everyDocumentedCodeHasAMeaning() {
        let table: [(String, ErrorCode)] = [
            ("invalid_order_size", .invalidOrderSize), ("available_balance_too_low", .insufficientBalance),
            ("order_id_and_client_order_id_mismatch", .orderMismatch),
            ("order_side_mismatch", .orderMismatch),
            ("order_ticker_mismatch", .orderMismatch), ("invalid_order", .invalidOrder),
            ("order_already_exists", .duplicateClientOrderID),
            ("ORDER_ALREADY_EXISTS", .duplicateClientOrderID),
            ("fill_or_kill_insufficient_resting_volume", .fillOrKillUnfillable),
            ("immediate_or_cancel_insufficient_resting_volume", .immediateOrCancelUnfillable),
            ("insufficient_balance", .insufficientBalance), ("authentication_error", .authentication),
            ("header_timestamp_expired", .timestampExpired), ("invalid_content_type", .invalidContentType),
            ("MARKET_INACTIVE", .marketInactive), ("INVALID_PRICE", .invalidPrice),
            ("MARKET_NOT_FOUND", .marketNotFound), ("EXCHANGE_UNAVAILABLE", .exchangeUnavailable),
            ("INTERNAL_ERROR", .internalError), ("POST_ONLY_CROSS", .postOnlyCross), ("not_found", .notFound),
            ("invalid_order: price 0.123 is off", .invalidOrder), ("brand_new", .unknown("brand_new")),
        ]
        for (text, code) in table { #expect(ErrorCode(wire: text) == code, "\(text)") }
    }

    @Test func aFaultOfTheServerProvesNothing() {
        for status in [500, 502, 503, 504, 408, 200] { #expect(error(status, "{}").leavesOutcomeUnknown) }
        for status in [400, 401, 403, 404, 409, 429] { #expect(!error(status, "{}").leavesOutcomeUnknown) }
    }

    @Test func fieldNote26WhatMendsAnAuthenticationErrorIsSaid() {
        let table: [(String, String)] = [
            (#"{"error":{"code":"header_timestamp_expired","message":"header timestamp expired"}}"#, "clock"),
            (
                #"{"error":{"code":"authentication_error","message":"x","details":"INCORRECT_API_KEY_SIGNATURE"}}"#,
                "does not belong to the key id"
            ),
            (
                #"{"error":{"code":"authentication_error","message":"x","details":"NOT_FOUND"}}"#,
                "demo and production"
            ),
        ]
        for (body, hint) in table {
            #expect("\(RestError.refused(error(401, body)))".contains(hint))
        }
        #expect(error(400, #"{"message":"Please switch to the V2 endpoints"}"#).message.contains("V2"))
    }
}
