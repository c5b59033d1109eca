import Martlet

extension ExclusiveArbitrage {
    public struct Parameters: StrategyParameters {
        public var size: Quantity = 25
        public var minEdge: Price = 0.005
        public var minPrice: Price = 0.01
        public var maxBaskets: Quantity = 200
        public var maxSlippage: Price = 0.03
        public var pause: TimeSpan = .seconds(1)

        public init() {}

        public static let help = [
            "size": "contracts of each outcome sold at once, at most",
            "minEdge": "dollars a basket must earn after fees",
            "minPrice": "outcomes with a lower bid, in dollars, are left out of the basket",
            "maxBaskets": "baskets held in one event, at most; each ties up cash until settlement",
            "maxSlippage": "dollars above the ask that buying back an excess leg may cost",
            "pause": "seconds between two baskets of one event",
        ]

        public func validate() throws {
            guard size.isPositive else { throw ParameterError("size", "must be above 0") }
            guard minEdge >= .zero, minEdge < .one else {
                throw ParameterError("minEdge", "must be 0 or more and below 1 dollar")
            }
            guard minPrice > .zero, minPrice < .one else {
                throw ParameterError("minPrice", "must lie between 0 and 1 dollar")
            }
            guard maxBaskets.isPositive else { throw ParameterError("maxBaskets", "must be above 0") }
            guard maxSlippage >= .zero, maxSlippage < .one else {
                throw ParameterError("maxSlippage", "must be 0 or more and below 1 dollar")
            }
            guard pause >= .zero else { throw ParameterError("pause", "must be 0 or more") }
        }
    }
}
