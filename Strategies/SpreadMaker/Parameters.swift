import Martlet

extension SpreadMaker {
    public struct Parameters: StrategyParameters {
        public var size: Quantity = 10
        public var halfSpread: Price = 0.015
        public var skew: Price = 0.02
        public var maxPosition: Quantity = 100
        public var maxSpread: Price = 0.10
        public var edgePrice: Price = 0.05
        public var requote: Price = 0.005
        public var volatilityWindow: TimeSpan = .seconds(30)
        public var volatilityFactor: Double = 0.5
        public var stopBefore: TimeSpan = .minutes(2)

        public init() {}

        public static let help = [
            "size": "contracts quoted on each side",
            "halfSpread": "dollars from the fair price to each quote in a calm market",
            "skew": "dollars by which the quotes are moved against a full position",
            "maxPosition": "contracts, long or short, that it will hold in one market",
            "maxSpread": "no quotes while the book is wider than this, in dollars",
            "edgePrice": "no quotes when the contract is worth less than this or more than 1 less this",
            "requote": "a quote stays where it is until it is wrong by this much, in dollars",
            "volatilityWindow": "seconds over which volatility is measured",
            "volatilityFactor": "dollars of extra half spread for each dollar of volatility",
            "stopBefore": "seconds before the market's close at which it withdraws",
        ]

        public func validate() throws {
            guard size.isPositive else { throw ParameterError("size", "must be above 0") }
            guard halfSpread > .zero, halfSpread < .one else {
                throw ParameterError("halfSpread", "must lie between 0 and 1 dollar")
            }
            guard skew >= .zero, skew < .one else {
                throw ParameterError("skew", "must be 0 or more and below 1 dollar")
            }
            guard maxPosition.isPositive else { throw ParameterError("maxPosition", "must be above 0") }
            guard maxSpread > .zero else { throw ParameterError("maxSpread", "must be above 0") }
            guard edgePrice >= .zero, edgePrice < 0.5 else {
                throw ParameterError("edgePrice", "must be 0 or more and below 0.5 dollars")
            }
            guard requote >= .zero else { throw ParameterError("requote", "must be 0 or more") }
            guard volatilityWindow > .zero else {
                throw ParameterError("volatilityWindow", "must be above 0 seconds")
            }
            guard volatilityFactor >= 0, volatilityFactor <= 100 else {
                throw ParameterError("volatilityFactor", "must lie between 0 and 100")
            }
            guard stopBefore >= .zero else { throw ParameterError("stopBefore", "must be 0 or more") }
        }
    }
}
