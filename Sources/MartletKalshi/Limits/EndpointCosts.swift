import MartletEngine

/// What each endpoint costs in tokens: the table of `GET /account/endpoint_costs`.
public struct EndpointCosts: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var method: String
        /// With the `/trade-api/v2` prefix; `:name` stands for one segment, `*name` for all that follow.
        public var pattern: String
        public var cost: Int

        public init(method: String, pattern: String, cost: Int) {
            self.method = method
            self.pattern = pattern
            self.cost = cost
        }
    }

    public var defaultCost: Int
    public var entries: [Entry]

    public init(defaultCost: Int = 10, entries: [Entry] = []) {
        self.defaultCost = defaultCost
        self.entries = entries
    }

    /// Until the exchange has told: ten for everything but the cancels, whose cost of 2 was recorded in 2026. A
    /// cancel counted too dear only waits a little longer.
    public static let conservative = EndpointCosts()

    /// The cost of a request. Where several patterns fit, the one with the most plain segments counts. O(entries).
    public func cost(method: String, path: String) -> Int {
        let segments = path.split(separator: "/")
        var best: (cost: Int, plain: Int)?
        for entry in entries where entry.method == method {
            guard let plain = EndpointCosts.fit(entry.pattern, segments) else { continue }
            if best.map({ plain > $0.plain }) ?? true { best = (entry.cost, plain) }
        }
        return best?.cost ?? defaultCost
    }

    /// How many segments of the pattern stand for themselves; nil when it does not fit.
    private static func fit(_ pattern: String, _ segments: [Substring]) -> Int? {
        var plain = 0
        var index = 0
        for part in pattern.split(separator: "/") {
            if part.hasPrefix("*") { return plain }
            guard index < segments.count else { return nil }
            if !part.hasPrefix(":") {
                guard part == segments[index] else { return nil }
                plain += 1
            }
            index += 1
        }
        return index == segments.count ? plain : nil
    }

    /// What the engine's requests cost.
    public var orderCosts: RateLimits.Costs {
        let orders = ExchangeEnvironment.apiPath + "/portfolio/events/orders"
        var costs = RateLimits.Costs()
        costs.place = cost(method: "POST", path: orders)
        costs.amend = cost(method: "POST", path: orders + "/x/amend")
        costs.decrease = cost(method: "POST", path: orders + "/x/decrease")
        costs.cancel = max(
            cost(method: "DELETE", path: orders + "/x"), cost(method: "DELETE", path: orders + "/batched"))
        costs.cancelEverything = cost(method: "DELETE", path: orders)
        return costs
    }
}
