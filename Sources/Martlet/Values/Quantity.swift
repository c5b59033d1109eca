/// A number of contracts as an integer of hundredths of a contract. Signed: a position, or a change.
@frozen
public struct Quantity: Hashable, Comparable, Sendable, AdditiveArithmetic {
    /// Hundredths of a contract.
    public var hundredths: Int64

    @inlinable public init(hundredths: Int64) { self.hundredths = hundredths }
    /// Whole contracts.
    @inlinable public init(_ contracts: Int) { hundredths = Int64(contracts) * 100 }

    @inlinable public static var zero: Quantity { Quantity(hundredths: 0) }
    /// 0.01 contract: the exchange's granularity.
    @inlinable public static var smallest: Quantity { Quantity(hundredths: 1) }

    @inlinable public static func < (a: Quantity, b: Quantity) -> Bool { a.hundredths < b.hundredths }
    @inlinable public static func + (a: Quantity, b: Quantity) -> Quantity {
        Quantity(hundredths: a.hundredths + b.hundredths)
    }
    @inlinable public static func - (a: Quantity, b: Quantity) -> Quantity {
        Quantity(hundredths: a.hundredths - b.hundredths)
    }
    @inlinable public static prefix func - (a: Quantity) -> Quantity { Quantity(hundredths: -a.hundredths) }
    @inlinable public static func += (a: inout Quantity, b: Quantity) { a.hundredths += b.hundredths }
    @inlinable public static func -= (a: inout Quantity, b: Quantity) { a.hundredths -= b.hundredths }

    @inlinable public var magnitude: Quantity { Quantity(hundredths: Int64(hundredths.magnitude)) }
    @inlinable public var isZero: Bool { hundredths == 0 }
    @inlinable public var isPositive: Bool { hundredths > 0 }
    /// Contracts, for statistics and strategies; never for accounting.
    @inlinable public var contracts: Double { Double(hundredths) / 100 }

    /// The nearest hundredth, or nil when it is not a number or out of range.
    @inlinable public init?(rounding contracts: Double) {
        let hundredths = (contracts * 100).rounded()
        guard hundredths.isFinite, abs(hundredths) < 9e17 else { return nil }
        self.hundredths = Int64(hundredths)
    }
    /// Exact from decimal text in contracts such as `-4.00`.
    @inlinable public init(parsing text: some Sequence<UInt8>) throws(FixedPoint.ParseError) {
        hundredths = try FixedPoint.parse(text, decimals: 2)
    }
    @inlinable public init(parsing text: String) throws(FixedPoint.ParseError) {
        try self.init(parsing: text.utf8)
    }
}

extension Quantity: ExpressibleByIntegerLiteral {
    @inlinable public init(integerLiteral value: Int) { self.init(value) }
}

extension Quantity: CustomStringConvertible {
    /// Contracts with two decimals, as the exchange writes them: `12.00`.
    public var description: String { FixedPoint.format(hundredths, decimals: 2, minimum: 2) }
}
