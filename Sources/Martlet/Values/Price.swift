/// A price of one contract in YES terms, as an integer of micro-dollars (10^-6 dollar).
///
/// An order's price lies strictly between 0 and 1 dollar; the type also holds differences and limits.
/// Whether a price stands on a market's grid is what ``PriceGrid`` answers.
@frozen
public struct Price: Hashable, Comparable, Sendable {
    /// Micro-dollars.
    public var micros: Int32

    @inlinable public init(micros: Int32) { self.micros = micros }
    /// Micro-dollars; the caller knows that they fit (traps beyond ±2,147 dollars).
    @inlinable public init(micros: Int) { self.micros = Int32(micros) }
    /// Whole cents.
    @inlinable public init(cents: Int) { micros = Int32(cents * 10_000) }

    /// One dollar: what a winning contract pays.
    @inlinable public static var one: Price { Price(micros: Int32(1_000_000)) }
    @inlinable public static var zero: Price { Price(micros: Int32(0)) }
    /// The finest step any market quotes: $0.0001.
    @inlinable public static var finestStep: Price { Price(micros: Int32(100)) }

    @inlinable public static func < (a: Price, b: Price) -> Bool { a.micros < b.micros }
    @inlinable public static func + (a: Price, b: Price) -> Price { Price(micros: a.micros + b.micros) }
    @inlinable public static func - (a: Price, b: Price) -> Price { Price(micros: a.micros - b.micros) }
    @inlinable public static prefix func - (a: Price) -> Price { Price(micros: -a.micros) }
    @inlinable public static func * (a: Price, n: Int) -> Price { Price(micros: Int32(Int(a.micros) * n)) }

    /// The other side of the contract: a NO price from a YES price, or back.
    @inlinable public var complement: Price { Price(micros: 1_000_000 - micros) }
    /// Strictly between 0 and 1 dollar, as every order price is.
    @inlinable public var isTradable: Bool { micros > 0 && micros < 1_000_000 }
    /// Dollars, for statistics and strategies; never for accounting.
    @inlinable public var dollars: Double { Double(micros) / 1e6 }

    /// The nearest micro-dollar to a number of dollars, or nil when it is not a number or out of range.
    @inlinable public init?(rounding dollars: Double) {
        let micros = (dollars * 1e6).rounded()
        guard micros.isFinite, abs(micros) < 2e9 else { return nil }
        self.micros = Int32(micros)
    }

    /// Exact from decimal text in dollars such as `0.5600`.
    @inlinable public init(parsing text: some Sequence<UInt8>) throws(FixedPoint.ParseError) {
        let value = try FixedPoint.parse(text, decimals: 6)
        guard let micros = Int32(exactly: value) else { throw .outOfRange(FixedPoint.describe(text)) }
        self.micros = micros
    }
    @inlinable public init(parsing text: String) throws(FixedPoint.ParseError) {
        try self.init(parsing: text.utf8)
    }
}

extension Price: ExpressibleByFloatLiteral {
    /// For literals in source only (`let edge: Price = 0.02`): rounded to the nearest micro-dollar.
    @inlinable public init(floatLiteral value: Double) { micros = Int32((value * 1e6).rounded()) }
}

extension Price: CustomStringConvertible {
    /// Dollars with four decimals, up to six where needed: `0.5600`.
    public var description: String { FixedPoint.format(Int64(micros), decimals: 6, minimum: 4) }
}
