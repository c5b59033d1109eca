import Martlet

extension LongshotBias {
    public struct Parameters: StrategyParameters {
        public var size: Quantity = 20
        public var maxPosition: Quantity = 60
        public var minPrice: Price = 0.01
        public var maxPrice: Price = 0.12
        public var bias: Double = 0.3
        public var fadesAt: Price = 0.2
        public var minEdge: Price = 0.002
        public var stopBefore: TimeSpan = .minutes(10)

        public init() {}

        public static let help = [
            "size": "contracts offered at once in one market",
            "maxPosition": "contracts sold in one market, at most",
            "minPrice": "longshots cheaper than this, in dollars, are left alone",
            "maxPrice": "what costs more than this, in dollars, is no longshot",
            "bias": "share of its price by which a very cheap longshot is believed to be overpriced",
            "fadesAt": "price in dollars at which the believed bias has faded to nothing",
            "minEdge": "dollars a contract must earn by that belief after the maker's fee",
            "stopBefore": "seconds before the market's close at which it withdraws",
        ]

        public func validate() throws {
            guard size.isPositive else { throw ParameterError("size", "must be above 0") }
            guard maxPosition.isPositive else { throw ParameterError("maxPosition", "must be above 0") }
            guard minPrice > .zero, minPrice < maxPrice else {
                throw ParameterError("minPrice", "must be above 0 and below maxPrice (\(maxPrice))")
            }
            guard maxPrice < 0.5 else { throw ParameterError("maxPrice", "must be below 0.5 dollars") }
            guard bias >= 0, bias <= 1 else { throw ParameterError("bias", "must lie between 0 and 1") }
            guard fadesAt > .zero, fadesAt <= .one else {
                throw ParameterError("fadesAt", "must be above 0 and at most 1 dollar")
            }
            guard minEdge >= .zero else { throw ParameterError("minEdge", "must be 0 or more") }
            guard stopBefore >= .zero else { throw ParameterError("stopBefore", "must be 0 or more") }
        }
    }
}
