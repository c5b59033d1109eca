import Martlet
import MartletEngine

/// What a session left behind, read from its journal without running its strategies again.
public struct JournalRecovery: Sendable {
    /// An order that left, or may have: its command was written before its first byte.
    public struct PlacedOrder: Hashable, Sendable {
        public var id: OrderID
        public var ticker: String
        public var request: OrderRequest
        public var sent: Timestamp
        /// The exchange's own id, where it was told.
        public var venueID: String?
        /// The strategy's index; nil where none was noted, which means the only one.
        public var strategy: Int?
        /// The exchange, or a look-up, said that it is over or never was.
        public var isOver = false
    }

    public let header: JournalHeader
    /// The run's random number in its client order ids; nil when it was killed before its first input.
    public private(set) var nonce: UInt64?
    public private(set) var orders: [PlacedOrder] = []
    /// The newest state of each strategy.
    public private(set) var states: [String: [UInt8]] = [:]
    public private(set) var groups: [(shard: Int, id: String)] = []
    /// Positions by strategy index (nil: nobody's) and ticker, by the fills that the journal holds.
    public private(set) var positions: [Int?: [String: Position]] = [:]
    public private(set) var trades: Set<String> = []
    public private(set) var last = Timestamp.unknown
    public private(set) var ending: JournalReader.Ending = .clean

    private var tickers: [String] = []
    private var indexOfTicker: [String: Int] = [:]
    private var slots: [OrderID: Int] = [:]

    /// Throws when there is no journal that can be read.
    public init(folder: String) throws(TapeError) {
        var reader = try JournalReader(folder: folder)
        header = reader.header
        while let record = reader.next() {
            switch record {
            case .event(let event): last = event.receiveTime
            case .input(let input, let time):
                last = time
                take(input)
            case .command(let command, let time): take(command, at: time)
            case .note(let note, _): take(note)
            case .hash: break
            }
        }
        ending = reader.ending ?? .clean
    }

    private func ticker(_ market: Market.ID) -> String {
        Int(market.index) < tickers.count ? tickers[Int(market.index)] : ""
    }

    private mutating func take(_ input: EngineInput) {
        switch input {
        case .started(let nonce): self.nonce = nonce
        case .defined(let market):
            if indexOfTicker[market.ticker] == nil {
                indexOfTicker[market.ticker] = tickers.count
                tickers.append(market.ticker)
            }
        case .report(let report): take(report)
        case .adoptedPosition(let market, let position, let strategy):
            positions[strategy, default: [:]][ticker(market), default: Position()].quantity +=
                position.quantity
            positions[strategy, default: [:]][ticker(market), default: Position()].cost += position.cost
        case .settled(let market, _):
            let name = ticker(market)
            for owner in Array(positions.keys) { positions[owner]?[name] = nil }
        case .market, .ticker, .reference, .status, .result, .unusable, .balance, .adoptedOrder, .limits,
            .clock,
            .command, .stopped:
            break
        }
    }

    private mutating func take(_ report: VenueReport) {
        let slot = slots[report.order]
        if let slot, let id = report.venueOrderID { orders[slot].venueID = id }
        switch report.body {
        case .filled(let fill):
            guard trades.insert(fill.tradeID).inserted else { return }
            let owner: Int? = slot.map { orders[$0].strategy ?? 0 }
            _ = positions[owner, default: [:]][ticker(fill.market), default: Position()].trade(
                fill.side, fill.quantity, at: fill.price)
        case .rejected, .provenAbsent, .ended: if let slot { orders[slot].isOver = true }
        case .accepted(_, let remaining, _), .amended(_, _, let remaining), .decreased(let remaining):
            if let slot, remaining.isZero { orders[slot].isOver = true }
        case .cancelled: if let slot { orders[slot].isOver = true }
        case .state(let state): if let slot, state.status != .resting { orders[slot].isOver = true }
        case .changeRejected, .unknown, .rateLimited: break
        }
    }

    private mutating func take(_ command: VenueCommand, at time: Timestamp) {
        func place(_ order: PlaceOrder) {
            guard slots[order.id] == nil else { return }
            slots[order.id] = orders.count
            orders.append(
                PlacedOrder(
                    id: order.id, ticker: ticker(order.request.market), request: order.request, sent: time))
        }
        switch command {
        case .place(let order): place(order)
        case .placeBatch(let batch): for order in batch { place(order) }
        case .amend, .decrease, .cancel, .cancelBatch, .cancelEverything: break
        }
    }

    private mutating func take(_ note: JournalNote) {
        switch note {
        case .venueID(let order, let id): if let slot = slots[order] { orders[slot].venueID = id }
        case .owner(let order, let strategy): if let slot = slots[order] { orders[slot].strategy = strategy }
        case .state(let strategy, let bytes, _): states[strategy] = bytes
        case .group(let shard, let id): groups.append((shard, id))
        case .text: break
        }
    }
}
