/// What `martlet new` writes: a strategy small enough to read in a minute that trades from the first run.
enum StrategyTemplate {
    static func source(_ names: StrategyNames) -> String {
        """
        import Martlet

        /// Rests one bid at the best price of each market and holds what it gets.
        ///
        /// A start: say here what the strategy believes, then change `review`.
        public struct \(names.type): Strategy {
            public struct Parameters: StrategyParameters {
                public var size: Quantity = 5
                public var maxPosition: Quantity = 20
                public var maxPrice: Price = 0.50

                public init() {}

                public static let help = [
                    "size": "contracts bid for at once",
                    "maxPosition": "contracts held in one market, at most",
                    "maxPrice": "no bids above this, in dollars",
                ]

                public func validate() throws {
                    guard size.isPositive else { throw ParameterError("size", "must be above 0") }
                    guard maxPosition.isPositive else { throw ParameterError("maxPosition", "must be above 0") }
                    guard maxPrice > .zero, maxPrice < .one else {
                        throw ParameterError("maxPrice", "must lie between 0 and 1 dollar")
                    }
                }
            }

            public static let name = "\(names.kebab)"
            public static let summary = "bids at the best price and holds"

            private let parameters: Parameters
            public init(parameters: Parameters) { self.parameters = parameters }

            /// Before the first event. Markets that are known later come through `marketDefined`.
            public mutating func started(_ context: borrowing Context) {
                for market in context.markets { context.subscribe(to: market) }
            }
            public mutating func marketDefined(_ market: Market.ID, _ context: borrowing Context) {
                context.subscribe(to: market)
            }
            public mutating func bookChanged(_ market: Market.ID, _ context: borrowing Context) {
                review(market, context)
            }
            public mutating func filled(_ fill: Fill, _ context: borrowing Context) {
                context.log("bought \\(fill.quantity) at \\(fill.price)")
                review(fill.market, context)
            }

            /// Says what should rest in a market now; the router finds the commands that get there.
            private func review(_ market: Market.ID, _ context: borrowing Context) {
                let room = parameters.maxPosition - context.position(market).quantity
                let size = min(parameters.size, room)
                guard context.isUsable(market), size.isPositive, let bid = context.book(market).bestBid,
                    bid <= parameters.maxPrice
                else { return context.quote(market, bid: nil, ask: nil) }
                context.quote(market, bid: Quote(bid, size), ask: nil)
            }
        }

        """
    }

    static func configuration(_ names: StrategyNames) -> String {
        """
        // \(names.kebab) on the demonstration day. `martlet help configuration` explains every key.
        {
            tapes: ["demo"],
            strategies: [
                {
                    use: "\(names.kebab)",
                    parameters: { size: 5 },
                },
            ],
        }

        """
    }
}
