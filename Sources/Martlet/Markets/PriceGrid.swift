/// The prices at which a market can be quoted: a list of bands, each with its own step.
///
/// It is read from the exchange (`price_ranges`) and can change while the market is open. A price is valid if
/// it lies strictly between 0 and 1 dollar and on the step of its band; a price on the edge of two bands is
/// valid if it lies on the step of either.
public struct PriceGrid: Hashable, Sendable {
    /// Prices from `start` to `end`, both included, in steps of `step` counted from `start`.
    public struct Band: Hashable, Sendable {
        public var start: Price
        public var end: Price
        public var step: Price

        public init(start: Price, end: Price, step: Price) {
            self.start = start
            self.end = end
            self.step = step
        }
    }

    /// Why a list of bands is no grid.
    public enum DefinitionError: Error, Equatable, Sendable {
        case empty
        case badBand(Band)
        case gapOrOverlap(before: Band, after: Band)
    }

    /// In ascending order, contiguous.
    public let bands: [Band]
    /// The largest price of which every valid price is a multiple.
    public let unit: Price

    /// Bands in ascending order, each with a positive step that divides its width, none overlapping.
    public init(bands: [Band]) throws(DefinitionError) {
        guard let first = bands.first else { throw .empty }
        var unit = first.step.micros
        for (index, band) in bands.enumerated() {
            guard band.start >= .zero, band.start < band.end, band.end <= .one, band.step.micros > 0,
                (band.end.micros - band.start.micros) % band.step.micros == 0
            else { throw .badBand(band) }
            if index > 0, bands[index - 1].end != band.start {
                throw .gapOrOverlap(before: bands[index - 1], after: band)
            }
            unit = gcd(unit, gcd(band.step.micros, band.start.micros))
        }
        self.bands = bands
        self.unit = Price(micros: unit)
    }

    /// One band over the whole range. `step` in micro-dollars must divide one dollar.
    init(uniform step: Int32) {
        bands = [Band(start: .zero, end: .one, step: Price(micros: step))]
        unit = Price(micros: step)
    }
    init(edge: Int32, centre: Int32, width: Int32 = 100_000) {
        bands = [
            Band(start: .zero, end: Price(micros: width), step: Price(micros: edge)),
            Band(
                start: Price(micros: width), end: Price(micros: 1_000_000 - width),
                step: Price(micros: centre)),
            Band(start: Price(micros: 1_000_000 - width), end: .one, step: Price(micros: edge)),
        ]
        unit = Price(micros: gcd(edge, centre))
    }

    /// O(bands).
    public func contains(_ price: Price) -> Bool {
        price.isTradable
            && bands.contains { band in
                price >= band.start && price <= band.end
                    && (price.micros - band.start.micros) % band.step.micros == 0
            }
    }

    /// The highest valid price at or below `price`, or nil when there is none.
    public func roundedDown(_ price: Price) -> Price? {
        for band in bands.reversed() where price >= band.start {
            let top = min(price, band.end).micros
            let candidate = Price(micros: top - (top - band.start.micros) % band.step.micros)
            if candidate.isTradable { return candidate }
            if candidate >= .one { return roundedDown(.one - Price.finestStep) }
        }
        return nil
    }

    /// The lowest valid price at or above `price`, or nil when there is none.
    public func roundedUp(_ price: Price) -> Price? {
        for band in bands where price <= band.end {
            let bottom = max(price, band.start).micros
            let over = (bottom - band.start.micros) % band.step.micros
            let candidate = Price(micros: over == 0 ? bottom : bottom + band.step.micros - over)
            if candidate.isTradable { return candidate }
            if candidate <= .zero { return roundedUp(Price.finestStep) }
        }
        return nil
    }

    /// Away from the other side: bids down, asks up.
    public func roundedPassively(_ price: Price, _ side: Side) -> Price? {
        side == .bid ? roundedDown(price) : roundedUp(price)
    }

    /// The next valid price above `price`, or nil at the top.
    public func next(above price: Price) -> Price? { roundedUp(price + Price.finestStep) }
    /// The next valid price below `price`, or nil at the bottom.
    public func next(below price: Price) -> Price? { roundedDown(price - Price.finestStep) }
}

extension PriceGrid {
    /// Whole cents: the grid that every market's prices contain.
    public static let cent = PriceGrid(uniform: 10_000)
    public static let deciCent = PriceGrid(uniform: 1_000)

    /// The grid that a `price_level_structure` label stood for in October 2026 (API.md §5), for recordings that
    /// carry the label alone. Live, `price_ranges` is the only authority.
    public static func labelled(_ structure: String) -> PriceGrid? {
        switch structure {
        case "linear_cent": .cent
        case "deci_cent": .deciCent
        case "tapered_deci_cent": PriceGrid(edge: 1_000, centre: 10_000)
        case "center_whole_edge_half_cent": PriceGrid(edge: 5_000, centre: 10_000)
        case "center_whole_edge_quint_cent": PriceGrid(edge: 2_000, centre: 10_000)
        case "center_half_edge_half_cent": PriceGrid(uniform: 5_000)
        case "center_half_edge_quint_cent": PriceGrid(edge: 2_000, centre: 5_000)
        case "center_half_edge_deci_cent": PriceGrid(edge: 1_000, centre: 5_000)
        case "center_quint_edge_quint_cent": PriceGrid(uniform: 2_000)
        case "center_quint_edge_deci_cent": PriceGrid(edge: 1_000, centre: 2_000)
        case "center_centi_edge_centi_cent": PriceGrid(uniform: 100)
        case "center_deci_edge_centi_cent": PriceGrid(edge: 100, centre: 1_000, width: 10_000)
        default: nil
        }
    }
    /// The twelve labels that ``labelled(_:)`` knows.
    public static let knownStructures = [
        "linear_cent", "deci_cent", "tapered_deci_cent", "center_whole_edge_half_cent",
        "center_whole_edge_quint_cent", "center_half_edge_half_cent", "center_half_edge_quint_cent",
        "center_half_edge_deci_cent", "center_quint_edge_quint_cent", "center_quint_edge_deci_cent",
        "center_centi_edge_centi_cent", "center_deci_edge_centi_cent",
    ]
}

func gcd(_ a: Int32, _ b: Int32) -> Int32 {
    var (a, b) = (a.magnitude, b.magnitude)
    while b != 0 { (a, b) = (b, a % b) }
    return Int32(a)
}
