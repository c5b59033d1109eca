import Martlet
import MartletEngine

/// Books of a feed for drivers without an engine: the recorder and the display commands. By market integer.
public final class FeedBooks {
    // Books are kept in boxes: they cannot be copied, and arrays of such are not to be had.
    private final class Held {
        var book: OrderBook
        var isUsable = false
        let unit: Price
        init(_ unit: Price) {
            self.unit = unit
            book = OrderBook(unit: unit)
        }
    }
    private var held: [Held] = []

    public init() {}

    public func add(_ market: Market) { held.append(Held(market.grid.unit)) }
    public var count: Int { held.count }

    /// Takes a book event. A fault says that the book contradicts itself: a new snapshot is wanted.
    public func take(_ event: MarketEvent) -> BookFault? {
        guard Int(event.market.index) < held.count else { return .unknownMarket }
        let entry = held[Int(event.market.index)]
        var fault: BookFault?
        switch event.kind {
        case .delta:
            guard entry.isUsable else { return nil }
            fault = entry.book.add(event.quantity, side: event.side, price: event.price)
        case .snapshotStart:
            entry.book.clear()
            entry.isUsable = false
        case .snapshotLevel: fault = entry.book.set(event.quantity, side: event.side, price: event.price)
        case .trade, .groupEnd: break
        }
        if event.flags.contains(.snapshotEnd) { entry.isUsable = true }
        if fault != nil { entry.isUsable = false }
        return fault
    }
    public func unusable(_ market: Market.ID) {
        guard Int(market.index) < held.count else { return }
        held[Int(market.index)].isUsable = false
    }
    /// Gives the book's memory back; a snapshot fills it again.
    public func forget(_ market: Market.ID) {
        guard Int(market.index) < held.count else { return }
        held[Int(market.index)] = Held(held[Int(market.index)].unit)
    }
    public func isUsable(_ market: Market.ID) -> Bool {
        Int(market.index) < held.count && held[Int(market.index)].isUsable
    }
    public func isCrossed(_ market: Market.ID) -> Bool {
        Int(market.index) < held.count && held[Int(market.index)].book.isCrossed
    }
    public var usableCount: Int { held.reduce(0) { $0 + ($1.isUsable ? 1 : 0) } }

    /// The best `depth` levels of a side, best first.
    public func levels(_ market: Market.ID, _ side: Side, _ depth: Int) -> [BookView.Level] {
        guard Int(market.index) < held.count else { return [] }
        let entry = held[Int(market.index)]
        var found: [BookView.Level] = []
        var price = entry.book.best(side)
        while let at = price, found.count < depth {
            found.append(BookView.Level(price: at, size: entry.book.size(side, at: at)))
            price = entry.book.next(side, behind: at)
        }
        return found
    }
}
