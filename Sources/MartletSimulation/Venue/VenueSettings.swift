import Martlet

/// How a venue behaves where the exchange's rules are not documented, and how it treats a recorded crowd.
package struct VenueSettings: Hashable, Sendable {
    // MARK: The recorded crowd
    package var queue = QueueModel.tradesOnly
    package var taken = TakenRule.untilRemoved
    package var crossing = CrossingRule.quantity

    // MARK: Behaviour that API.md calls unverified

    /// A post-only order that would cross: taken and ended at once (false), or refused (true).
    package var rejectsPostOnlyCross = false
    /// An immediate-or-cancel order that meets nothing: taken with nothing filled (false), or refused (true).
    package var rejectsEmptyImmediate = false
    /// A change of an order that is filled or cancelled: 404 (false), or a cancel of nothing (true).
    package var confirmsLateCancels = false
    /// From the close, when every request is refused, to the death of what rests.
    package var closeCancelDelay = TimeSpan.milliseconds(500)
    /// After a cancel of everything, new orders are cancelled for so long (API.md §6.8).
    package var cancelAllLingers = TimeSpan.seconds(60)
    package var payoutRounding = PayoutRounding.cent

    // MARK: Limits

    /// Orders over that are remembered, for look-ups and duplicate client order ids.
    package var rememberedOrders = 65_536
    package var largestOrder = Quantity(10_000_000)
    /// Resting orders of one account in one market: what they hold back is summed over all of them at each change,
    /// and one account's thousands must not slow the others.
    package var openOrdersMax = 10_000
    /// Whether orders need cash behind them.
    package var checksBalance = true
    /// Whether changes of the public book and trades are written to ``Venue/published``.
    package var publishes = false

    package init() {}
}

extension VenueRejection {
    // The exchange's own codes (API.md §4). Where only FIX names one, that name.
    static func invalidOrder(_ message: String) -> VenueRejection {
        VenueRejection(status: 400, code: "invalid_order", message: message)
    }
    static let invalidPrice = VenueRejection(status: 400, code: "invalid_price", message: "invalid price")
    static let invalidSize = VenueRejection(
        status: 400, code: "invalid_order_size", message: "invalid order size")
    static let tooManyOrders = invalidOrder("too many open orders in this market")
    static let insufficientBalance = VenueRejection(
        status: 400, code: "insufficient_balance", message: "insufficient balance")
    static let marketInactive = VenueRejection(
        status: 400, code: "MARKET_INACTIVE", message: "market is not active")
    static let tradingPaused = VenueRejection(
        status: 400, code: "trading_is_paused", message: "trading is paused")
    static let exchangePaused = VenueRejection(
        status: 503, code: "exchange_unavailable", message: "the exchange is paused")
    static let marketNotFound = VenueRejection(
        status: 404, code: "market_not_found", message: "market not found")
    static let notFound = VenueRejection(status: 404, code: "not_found", message: "not found")
    static let alreadyExists = VenueRejection(
        status: 409, code: "order_already_exists", message: "order already exists")
    static let fillOrKill = VenueRejection(
        status: 409, code: "fill_or_kill_insufficient_resting_volume",
        message: "fill or kill insufficient resting volume")
    static let immediateOrCancel = VenueRejection(
        status: 409, code: "immediate_or_cancel_insufficient_resting_volume",
        message: "immediate or cancel insufficient resting volume")
    static let postOnlyCross = VenueRejection(
        status: 400, code: "post_only_cross", message: "post only cross")
    static let sideMismatch = VenueRejection(
        status: 400, code: "order_side_mismatch", message: "order side mismatch")
    static let tickerMismatch = VenueRejection(
        status: 400, code: "order_ticker_mismatch", message: "order ticker mismatch")
    static let groupTriggered = VenueRejection(
        status: 400, code: "order_group_triggered", message: "order group was triggered: reset it first")
    static let groupNotFound = VenueRejection(
        status: 404, code: "order_group_not_found", message: "order group not found")
}
