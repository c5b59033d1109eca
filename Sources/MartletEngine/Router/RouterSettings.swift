import Martlet

/// How the order router spends the exchange's write budget.
public struct RouterSettings: Codable, Hashable, Sendable {
    /// The share of a bucket's capacity that only cancels may use, 0…0.9.
    public var cancelReserve: Double = 0.1
    /// A desired quote whose price moved by no more than this keeps its order.
    public var priceTolerance: Price = 0.0
    /// A desired quote whose open size differs by no more than this keeps its order.
    public var sizeTolerance: Quantity = 0
    /// Sends orders that leave together as one request. Batches cost the same tokens, must fit the budget as a
    /// whole, and are billed to the unscoped bucket, so only markets of shard 0 are batched. Worth it where a
    /// request costs more time than an order.
    public var batchesPlaces: Bool = false
    /// The same for cancels.
    public var batchesCancels: Bool = false
    /// The most orders in one batch.
    public var batchLimit: Int = 20
    /// By how much requests may differ in the time that they take to the exchange. The budget is kept smaller by what
    /// refills within it, so that none is refused that arrives close upon others.
    public var arrivalMargin: TimeSpan = .milliseconds(50)
    /// The wait after a first 429; doubled with each further one, with up to half of it added by chance.
    public var backOff: TimeSpan = .milliseconds(100)
    /// The longest wait after a 429.
    public var maxBackOff: TimeSpan = .seconds(5)
    /// After a 429 the local budget shrinks by an eighth; it grows back by one step in each such span without one.
    public var recovery: TimeSpan = .seconds(30)
    /// While trading is halted, open orders are cancelled again at this interval until they are gone.
    public var haltRetry: TimeSpan = .seconds(1)

    public init() {}
}
