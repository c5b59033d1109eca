import Martlet
import MartletEngine
import MartletWire

/// The markets a driver knows: the engine's integer of each ticker, its definition, and what the feed's messages
/// change in it. Pure; one a driver, shared by all its connections.
///
/// Integers are given in the order of ``add(_:)``, as an engine gives them when it is told `.defined` in that order.
public struct MarketDirectory: Sendable {
    private var markets: [Market] = []
    private var results: [MarketResult?] = []
    /// Markets that were told as settled before anybody told how.
    private var unpaid: Set<Market.ID> = []
    private var idOfTicker: [String: Market.ID] = [:]
    private var marketsOfEvent: [String: [Market.ID]] = [:]
    /// Fees that count again when an event's override ends.
    private var seriesFees: [FeeTerms] = []

    public init() {}

    public var count: Int { markets.count }
    public func id(of ticker: String) -> Market.ID? { idOfTicker[ticker] }
    public func market(_ id: Market.ID) -> Market? {
        Int(id.index) < markets.count ? markets[Int(id.index)] : nil
    }
    public func ticker(_ id: Market.ID) -> String { market(id)?.ticker ?? "\(id)" }
    /// A settlement waits for its result, which was told before anybody listened: it is to be asked for.
    public var awaitsResults: Bool { !unpaid.isEmpty }

    /// Adds a market, or takes over a changed definition. What to tell the engine is `.defined`.
    @discardableResult
    public mutating func add(_ market: Market) -> Market.ID {
        if let known = idOfTicker[market.ticker] {
            markets[Int(known.index)] = market
            seriesFees[Int(known.index)] = market.fees
            return known
        }
        let id = Market.ID(markets.count)
        markets.append(market)
        results.append(nil)
        seriesFees.append(market.fees)
        idOfTicker[market.ticker] = id
        marketsOfEvent[market.event, default: []].append(id)
        return id
    }

    /// What a life-cycle message means to the engine. A market that nobody knows changes nothing here: a driver
    /// that wants new ones calls ``created(_:)``.
    public mutating func apply(_ message: MarketLifecycleMessage) -> [EngineInput] {
        guard let id = idOfTicker[message.ticker] else { return [] }
        switch message.event {
        case .created: return change(id) { _ in }
        case .activated: return [.status(id, .active)]
        case .deactivated: return [.status(id, .inactive)]
        case .closeDateUpdated:
            guard message.closeTime.isKnown else { return [] }
            return change(id) { $0.closeTime = message.closeTime }
        case .priceGridUpdated:
            guard let grid = message.grid else { return [] }
            return change(id) {
                $0.grid = grid
                $0.assumptions.removeAll { $0 == "grid" }
            }
        case .metadataUpdated:
            guard let subtitle = message.yesSubtitle else { return [] }
            return change(id) { $0.subtitle = subtitle }
        case .determined:
            guard let result = message.result else { return [.status(id, .determined)] }
            results[Int(id.index)] = result
            let isPaid = unpaid.remove(id) != nil
            return isPaid ? [.result(id, result), .settled(id, result)] : [.result(id, result)]
        case .settled:
            // The payout names no result of its own.
            guard let result = message.result ?? results[Int(id.index)] else {
                unpaid.insert(id)
                return [.status(id, .finalized)]
            }
            unpaid.remove(id)
            return [.settled(id, result)]
        case .unknown: return []
        }
    }

    /// The definition that a `created` message gives; nil for other messages. Fees are assumed, and the grid where
    /// the message has none.
    public func created(_ message: MarketLifecycleMessage) -> Market? {
        guard message.event == .created else { return nil }
        var market = Market(
            ticker: message.ticker, event: message.eventTicker, title: message.title ?? "",
            subtitle: message.yesSubtitle ?? "", grid: message.grid ?? .cent, openTime: message.openTime,
            closeTime: message.closeTime, shard: message.shard ?? 0)
        market.assumptions = message.grid == nil ? ["grid", "fees"] : ["fees"]
        return market
    }

    public mutating func apply(_ message: EventLifecycleMessage) -> [EngineInput] {
        (marketsOfEvent[message.eventTicker] ?? []).flatMap { id in
            change(id) { market in
                if let series = message.seriesTicker { market.series = series }
                if let collateral = message.collateralReturn { market.collateralReturn = collateral }
            }
        }
    }

    public mutating func apply(_ message: EventFeeMessage) -> [EngineInput] {
        (marketsOfEvent[message.eventTicker] ?? []).flatMap { id in
            let own = seriesFees[Int(id.index)]
            return change(id) { market in
                guard let type = message.type, let multiplier = message.multiplierMillionths else {
                    market.fees = own
                    return
                }
                market.fees.type = type
                market.fees.multiplierMillionths = multiplier
            }
        }
    }

    private mutating func change(_ id: Market.ID, _ body: (inout Market) -> Void) -> [EngineInput] {
        var market = markets[Int(id.index)]
        body(&market)
        guard market != markets[Int(id.index)] else { return [] }
        markets[Int(id.index)] = market
        return [.defined(market)]
    }
}
