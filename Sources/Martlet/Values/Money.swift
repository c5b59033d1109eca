/// An amount of money as an integer of 10^-8 dollars, so that ``Price`` × ``Quantity`` is exact.
///
/// Holds about ±92 billion dollars; arithmetic traps beyond.
@frozen
public struct Money: Hashable, Comparable, Sendable, AdditiveArithmetic {
    /// 10^-8 dollars.
    public var raw: Int64

    @inlinable public init(raw: Int64) { self.raw = raw }
    @inlinable public init(cents: Int) { raw = Int64(cents) * 1_000_000 }
    @inlinable public init(dollars: Int) { raw = Int64(dollars) * 100_000_000 }
    /// 10^-6 dollars, the unit of the exchange's fees.
    @inlinable public init(micros: Int64) { raw = micros * 100 }

    @inlinable public static var zero: Money { Money(raw: 0) }

    @inlinable public static func < (a: Money, b: Money) -> Bool { a.raw < b.raw }
    @inlinable public static func + (a: Money, b: Money) -> Money { Money(raw: a.raw + b.raw) }
    @inlinable public static func - (a: Money, b: Money) -> Money { Money(raw: a.raw - b.raw) }
    @inlinable public static prefix func - (a: Money) -> Money { Money(raw: -a.raw) }
    @inlinable public static func += (a: inout Money, b: Money) { a.raw += b.raw }
    @inlinable public static func -= (a: inout Money, b: Money) { a.raw -= b.raw }

    /// Dollars, for statistics and strategies; never for accounting.
    @inlinable public var dollars: Double { Double(raw) / 1e8 }
    @inlinable public var magnitude: Money { Money(raw: Int64(raw.magnitude)) }

    /// The nearest 10^-8 dollar, or nil when it is not a number or out of range.
    @inlinable public init?(rounding dollars: Double) {
        let raw = (dollars * 1e8).rounded()
        guard raw.isFinite, abs(raw) < 9e18 else { return nil }
        self.raw = Int64(raw)
    }
    /// Exact from decimal text in dollars.
    @inlinable public init(parsing text: some Sequence<UInt8>) throws(FixedPoint.ParseError) {
        raw = try FixedPoint.parse(text, decimals: 8)
    }
    @inlinable public init(parsing text: String) throws(FixedPoint.ParseError) {
        try self.init(parsing: text.utf8)
    }

    /// The largest multiple of `unit` that is not above this amount (toward minus infinity).
    @inlinable public func roundedDown(to unit: Money) -> Money {
        let remainder = raw % unit.raw
        return Money(raw: raw - (remainder < 0 ? remainder + unit.raw : remainder))
    }
    /// The smallest multiple of `unit` that is not below this amount.
    @inlinable public func roundedUp(to unit: Money) -> Money { -(-self).roundedDown(to: unit) }
}

extension Money: ExpressibleByIntegerLiteral {
    @inlinable public init(integerLiteral value: Int) { self.init(dollars: value) }
}

extension Money: CustomStringConvertible {
    /// Dollars with two decimals, up to eight where needed: `-12.50`.
    public var description: String { FixedPoint.format(raw, decimals: 8, minimum: 2) }
    /// Dollars rounded half away from zero to cents, with a sign for people: `-$12.50`.
    public var display: String {
        let cents = (raw.magnitude + 500_000) / 1_000_000
        return (raw < 0 && cents > 0 ? "-$" : "$") + FixedPoint.format(Int64(cents), decimals: 2, minimum: 2)
    }
}

/// Price × contracts, exact in ``Money``.
@inlinable public func * (price: Price, quantity: Quantity) -> Money {
    Money(raw: Int64(price.micros) * quantity.hundredths)
}
