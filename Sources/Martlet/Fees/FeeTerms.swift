/// A series' fee structure (`fee_type`, API.md §12).
public enum FeeType: Hashable, Sendable {
    /// Takers pay 0.07·C·P·(1−P), makers nothing.
    case quadratic
    /// Makers pay a quarter of the taker rate.
    case quadraticWithMakerFees
    /// Makers pay half of the taker rate.
    case quadraticWithComboMakerFees
    /// No fee at all: for tests, promotions and questions of the kind "what if".
    case none
    /// A structure whose formula is not published (`flat`, a new one): counted as quadratic with combo maker
    /// fees, the dearest known, and named in the report.
    case unknown(String)

    public init(wire: String) {
        switch wire {
        case "quadratic": self = .quadratic
        case "quadratic_with_maker_fees": self = .quadraticWithMakerFees
        case "quadratic_with_combo_maker_fees": self = .quadraticWithComboMakerFees
        case "none": self = .none
        default: self = .unknown(wire)
        }
    }
    public var wire: String {
        switch self {
        case .quadratic: "quadratic"
        case .quadraticWithMakerFees: "quadratic_with_maker_fees"
        case .quadraticWithComboMakerFees: "quadratic_with_combo_maker_fees"
        case .none: "none"
        case .unknown(let text): text
        }
    }

    /// Rate in 10^-4 (700 is 0.07).
    public func rate(isTaker: Bool) -> Int64 {
        switch self {
        case .quadratic: isTaker ? 700 : 0
        case .quadraticWithMakerFees: isTaker ? 700 : 175
        case .quadraticWithComboMakerFees, .unknown: isTaker ? 700 : 350
        case .none: 0
        }
    }
}

/// What a market's fills cost: the event's override where it has one, else its series' terms.
public struct FeeTerms: Hashable, Sendable {
    public var type: FeeType
    /// `fee_multiplier` in millionths (1,000,000 is 1).
    public var multiplierMillionths: Int64
    /// No fee before this time (`fee_waiver_expiration_time`); `.unknown` for no waiver.
    public var waivedUntil: Timestamp

    public init(type: FeeType, multiplierMillionths: Int64 = 1_000_000, waivedUntil: Timestamp = .unknown) {
        self.type = type
        self.multiplierMillionths = multiplierMillionths
        self.waivedUntil = waivedUntil
    }

    /// `quadratic` × 1, what most series have.
    public static let standard = FeeTerms(type: .quadratic)

    /// rate × multiplier × C × P × (1 − P), rounded up to the micro-dollar (API.md §12, component 1).
    ///
    /// In 128 bits: 64 overflow above 368,934 contracts at 0.50.
    public func tradeFee(price: Price, quantity: Quantity, isTaker: Bool, at time: Timestamp) -> Money {
        if waivedUntil.isKnown, time < waivedUntil { return .zero }
        let rate = type.rate(isTaker: isTaker)
        guard rate != 0, multiplierMillionths != 0 else { return .zero }
        // 10^-4 (rate) · 10^-6 (multiplier) · 10^-2 (contracts) · 10^-6 · 10^-6 (prices) = 10^-24 dollars.
        let product =
            Int128(rate) * Int128(multiplierMillionths) * Int128(quantity.hundredths.magnitude)
            * Int128(price.micros) * Int128(price.complement.micros)
        let unit: Int128 = 1_000_000_000_000_000_000
        return Money(micros: Int64((product + unit - 1) / unit))
    }
}

/// The balance's precision, to which the exchange rounds each fill (API.md §12, component 2).
public enum BalancePrecision: String, Hashable, Sendable, Codable {
    /// $0.0001: direct members.
    case directMember
    /// $0.01: members through a futures commission merchant.
    case intermediated

    public var unit: Money {
        switch self {
        case .directMember: Money(micros: 100)
        case .intermediated: Money(cents: 1)
        }
    }
}

/// The rounding account of one order, kept over all its fills, taker and maker (API.md §12, components 3 and 4).
public struct OrderFees: Hashable, Sendable {
    /// What rounding took and has not yet been given back.
    public private(set) var accumulated: Money

    public init(accumulated: Money = .zero) { self.accumulated = accumulated }

    /// The net fee of one fill: trade fee + rounding fee − rebate, never below zero.
    ///
    /// `revenue` is the signed change of cash by the fill before fees (negative for a buyer). It takes a whole
    /// number of dollars either way without changing the result, so YES and NO views agree.
    public mutating func charge(tradeFee: Money, revenue: Money, precision: BalancePrecision) -> Money {
        let unit = precision.unit
        let net = revenue - tradeFee
        let rounding = net - net.roundedDown(to: unit)
        accumulated += rounding
        let gross = tradeFee + rounding
        let rebate = min(accumulated.roundedDown(to: unit), gross.roundedDown(to: unit))
        accumulated -= rebate
        return gross - rebate
    }
}
