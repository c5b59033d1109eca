import Martlet

/// The limits of the risk gate, for one strategy or for the account. A value at its limit passes; one beyond
/// it is refused.
///
/// Sizes count worst cases: a position with every resting, queued and unanswered order of one side filled.
/// Losses are what is lost at settlement in the worst outcome, without what was already realised.
public struct RiskLimits: Codable, Hashable, Sendable {
    /// Contracts in one order.
    public var maxOrderSize: Quantity = 5_000
    /// How far beyond the opposite side's best price an order may go, in dollars; with that side empty, how far
    /// beyond the best of its own.
    public var priceCollar: Price = 0.20
    /// Lets the first order into a book with both sides empty, where there is no price to judge by.
    public var allowsEmptyBook: Bool = false
    /// Contracts long or short in one market.
    public var maxMarketPosition: Quantity = 25_000
    /// Contracts long or short, summed over the markets of one event.
    public var maxEventPosition: Quantity = 100_000
    /// Contracts long or short, summed over all markets.
    public var maxTotalPosition: Quantity = 500_000
    /// Orders that may still trade.
    public var maxOpenOrders: Int = 1_000
    /// New orders and amends within any one second. Cancels are not counted.
    public var maxOrdersPerSecond: Int = 1_000
    /// Dollars lost in the worst outcome of one market.
    public var maxMarketLoss: Money = 10_000
    /// Dollars lost in the worst outcome of one event: at most one winner when its markets exclude each other.
    public var maxEventLoss: Money = 25_000
    /// Dollars lost when the worst happens in every event.
    public var maxTotalLoss: Money = 100_000
    /// Dollars lost since the day began, realised and not, fees included. Reaching it halts.
    public var maxDailyLoss: Money = 25_000
    /// The UTC hour at which the day of `maxDailyLoss` begins, 0…23.
    public var dayStartHour: Int = 0
    /// The age of the book's last change beyond which no order goes out; 0 for no limit (a quiet market's book
    /// is old and good, and feeds report their own failures).
    public var maxBookAge: TimeSpan = .zero
    /// No new orders this long before a market's close.
    public var closeMargin: TimeSpan = .seconds(1)

    public init() {}

    /// Takes over every value of `other` that is stricter.
    public mutating func tighten(to other: RiskLimits) {
        maxOrderSize = min(maxOrderSize, other.maxOrderSize)
        priceCollar = min(priceCollar, other.priceCollar)
        allowsEmptyBook = allowsEmptyBook && other.allowsEmptyBook
        maxMarketPosition = min(maxMarketPosition, other.maxMarketPosition)
        maxEventPosition = min(maxEventPosition, other.maxEventPosition)
        maxTotalPosition = min(maxTotalPosition, other.maxTotalPosition)
        maxOpenOrders = min(maxOpenOrders, other.maxOpenOrders)
        maxOrdersPerSecond = min(maxOrdersPerSecond, other.maxOrdersPerSecond)
        maxMarketLoss = min(maxMarketLoss, other.maxMarketLoss)
        maxEventLoss = min(maxEventLoss, other.maxEventLoss)
        maxTotalLoss = min(maxTotalLoss, other.maxTotalLoss)
        maxDailyLoss = min(maxDailyLoss, other.maxDailyLoss)
        if other.maxBookAge > .zero {
            maxBookAge = maxBookAge > .zero ? min(maxBookAge, other.maxBookAge) : other.maxBookAge
        }
        closeMargin = max(closeMargin, other.closeMargin)
    }

    /// Nothing is refused but what the exchange itself could not take.
    public static let unlimited: RiskLimits = {
        var limits = RiskLimits()
        let contracts = Quantity(hundredths: .max / 8)
        limits.maxOrderSize = 10_000_000
        limits.priceCollar = .one
        limits.allowsEmptyBook = true
        limits.maxMarketPosition = contracts
        limits.maxEventPosition = contracts
        limits.maxTotalPosition = contracts
        limits.maxOpenOrders = .max
        limits.maxOrdersPerSecond = .max
        limits.maxMarketLoss = Money(raw: .max)
        limits.maxEventLoss = Money(raw: .max)
        limits.maxTotalLoss = Money(raw: .max)
        limits.maxDailyLoss = Money(raw: .max)
        limits.closeMargin = .zero
        return limits
    }()
}
