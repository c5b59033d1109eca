import Foundation

/// A trading strategy: a value with state that is told what happens and asks through its context.
///
/// Every callback has an empty default; implement what you need. A callback is called on the engine's one
/// thread, must not block, and must draw time and chance from its context alone, so that a session can be
/// replayed to the same decisions.
///
///     public struct Follower: Strategy {
///         public struct Parameters: StrategyParameters {
///             public var size: Quantity = 10
///             public init() {}
///         }
///         public static let name = "follower"
///         var parameters: Parameters
///         public init(parameters: Parameters) { self.parameters = parameters }
///
///         public mutating func started(_ context: borrowing Context) {
///             for market in context.markets { context.subscribe(to: market) }
///         }
///         public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
///             guard let bid = context.book(market).bestBid else { return }
///             context.quote(market, bid: Quote(bid, parameters.size), ask: nil)
///         }
///     }
public protocol Strategy {
    associatedtype Parameters: StrategyParameters

    /// Short and unique: the name in configurations and reports.
    static var name: String { get }
    /// One line for `martlet strategies`.
    static var summary: String { get }

    init(parameters: Parameters)

    /// Before the first event. Markets known so far are in `context.markets`; subscribe here.
    mutating func started(_ context: borrowing Context)
    /// A market became known, or its definition changed (grid, times, fees).
    mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context)
    /// A subscribed book changed: at the end of each exchange time-stamp group, or on each change if asked for.
    mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context)
    mutating func traded(_ trade: Trade, _ context: borrowing Context)
    mutating func tickerChanged(_ ticker: Ticker, _ context: borrowing Context)
    /// A reference index printed a new value.
    mutating func referenceChanged(_ value: ReferenceValue, _ context: borrowing Context)
    mutating func statusChanged(_ market: Market.ID, _ status: MarketStatus, _ context: borrowing Context)
    /// A position was paid out. Also called, with no position, for a subscribed market's result.
    mutating func settled(_ settlement: Settlement, _ context: borrowing Context)
    /// An order of this strategy changed its status, price or size.
    mutating func orderChanged(_ order: Order, _ context: borrowing Context)
    /// An order of this strategy traded. `orderChanged` follows.
    mutating func filled(_ fill: Fill, _ context: borrowing Context)
    mutating func timerFired(_ timer: TimerID, _ context: borrowing Context)
    /// A subscribed book can no longer be trusted; its quotes are pulled or held as configured.
    mutating func bookUnusable(_ market: Market.ID, _ fault: BookFault, _ context: borrowing Context)
    mutating func bookUsable(_ market: Market.ID, _ context: borrowing Context)
    mutating func riskChanged(_ state: RiskState, _ context: borrowing Context)
    /// The run ends; orders placed here go nowhere.
    mutating func stopped(_ context: borrowing Context)

    /// What a later run should know; nil for nothing.
    func savedState() -> Data?
    /// Called before `started` when a saved state exists.
    mutating func restore(_ state: Data) throws
}

extension Strategy {
    public static var summary: String { "" }
    public mutating func started(_ context: borrowing Context) {}
    public mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {}
    public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {}
    public mutating func traded(_ trade: Trade, _ context: borrowing Context) {}
    public mutating func tickerChanged(_ ticker: Ticker, _ context: borrowing Context) {}
    public mutating func referenceChanged(_ value: ReferenceValue, _ context: borrowing Context) {}
    public mutating func statusChanged(
        _ market: Market.ID, _ status: MarketStatus, _ context: borrowing Context
    ) {}
    public mutating func settled(_ settlement: Settlement, _ context: borrowing Context) {}
    public mutating func orderChanged(_ order: Order, _ context: borrowing Context) {}
    public mutating func filled(_ fill: Fill, _ context: borrowing Context) {}
    public mutating func timerFired(_ timer: TimerID, _ context: borrowing Context) {}
    public mutating func bookUnusable(
        _ market: Market.ID, _ fault: BookFault, _ context: borrowing Context
    ) {}
    public mutating func bookUsable(_ market: Market.ID, _ context: borrowing Context) {}
    public mutating func riskChanged(_ state: RiskState, _ context: borrowing Context) {}
    public mutating func stopped(_ context: borrowing Context) {}
    public func savedState() -> Data? { nil }
    public mutating func restore(_ state: Data) throws {}
}

/// A strategy's parameters: a `Codable` value whose defaults stand in `init()`.
///
/// Keys of a configuration are laid over the encoded defaults, so the defaults are also the list of known keys.
/// `Price`, `Quantity`, `Money` and `TimeSpan` are written as numbers: dollars, contracts, dollars, seconds.
public protocol StrategyParameters: Codable, Sendable {
    init()
    /// A line on each parameter, by name, for `martlet strategies NAME`.
    static var help: [String: String] { get }
    /// Whether the values make sense together; throw a ``ParameterError`` that says what to change.
    func validate() throws
}

extension StrategyParameters {
    public static var help: [String: String] { [:] }
    public func validate() throws {}
}

/// An impossible parameter value.
public struct ParameterError: Error, Hashable, Sendable, CustomStringConvertible {
    public var parameter: String
    public var problem: String
    public init(_ parameter: String, _ problem: String) {
        self.parameter = parameter
        self.problem = problem
    }
    public var description: String { "parameter '\(parameter)' \(problem)" }
}

/// A timer's name for the life of one run.
@frozen
public struct TimerID: Hashable, Sendable {
    public var number: UInt64
    @inlinable public init(_ number: UInt64) { self.number = number }
}

/// One side of a desired quote: how much should rest at which price.
public struct Quote: Hashable, Sendable {
    public var price: Price
    public var size: Quantity
    public init(_ price: Price, _ size: Quantity) {
        self.price = price
        self.size = size
    }
}
