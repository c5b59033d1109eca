/// A change to a market's book or a trade in it: the engine's hot input.
///
/// Flat, without references, so that millions a second cost nothing to pass about.
@frozen
public struct MarketEvent: Hashable, Sendable {
    @frozen
    public enum Kind: UInt8, Sendable {
        /// `quantity` is added to the level at `side`, `price`.
        case delta = 0
        /// A trade of `quantity` contracts at `price`; `side` is the taker's: a bid bought YES.
        case trade = 1
        /// A snapshot begins: the book is emptied. Levels follow until one event carries `.snapshotEnd`
        /// (this one itself when both sides are empty).
        case snapshotStart = 2
        /// A snapshot's level: `quantity` is its whole size.
        case snapshotLevel = 3
        /// Nothing changed but the end of a time-stamp group: the driver's answer to silence.
        case groupEnd = 4
    }

    /// Marks on an event.
    @frozen
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The last event of one exchange time stamp for this market: strategies are called here.
        @inlinable public static var groupEnd: Flags { Flags(rawValue: 1) }
        /// A snapshot is complete with this event.
        @inlinable public static var snapshotEnd: Flags { Flags(rawValue: 2) }
        /// The trade was not recorded but inferred from the book's changes.
        @inlinable public static var inferred: Flags { Flags(rawValue: 4) }
        /// The change came from an order of this account.
        @inlinable public static var own: Flags { Flags(rawValue: 8) }
        /// A block trade: agreed off the book, it says nothing of a queue.
        @inlinable public static var block: Flags { Flags(rawValue: 16) }
        /// The time-out, not a change of exchange time, ended the group: a crossed book may be judged.
        @inlinable public static var timedOut: Flags { Flags(rawValue: 32) }
    }

    /// `.unknown` where the message carried none.
    public var exchangeTime: Timestamp
    /// When it was received: the engine's clock.
    public var receiveTime: Timestamp
    /// Signed change, size or traded contracts, by `kind`.
    public var quantity: Quantity
    public var price: Price
    public var market: Market.ID
    public var kind: Kind
    public var side: Side
    public var flags: Flags

    @inlinable
    public init(
        _ kind: Kind, market: Market.ID, side: Side = .bid, price: Price = .zero, quantity: Quantity = .zero,
        flags: Flags = [], exchangeTime: Timestamp = .unknown, receiveTime: Timestamp
    ) {
        self.exchangeTime = exchangeTime
        self.receiveTime = receiveTime
        self.quantity = quantity
        self.price = price
        self.market = market
        self.kind = kind
        self.side = side
        self.flags = flags
    }
}

/// A trade as strategies see it.
@frozen
public struct Trade: Hashable, Sendable {
    public var market: Market.ID
    public var price: Price
    public var quantity: Quantity
    /// A bid bought YES.
    public var takerSide: Side
    public var exchangeTime: Timestamp
    public var receiveTime: Timestamp
    /// Inferred from the book's changes, not recorded.
    public var isInferred: Bool
    public var isBlock: Bool

    @inlinable
    public init(_ event: MarketEvent) {
        market = event.market
        price = event.price
        quantity = event.quantity
        takerSide = event.side
        exchangeTime = event.exchangeTime
        receiveTime = event.receiveTime
        isInferred = event.flags.contains(.inferred)
        isBlock = event.flags.contains(.block)
    }
}

/// The exchange's summary of a market (`ticker` channel). Conflated: it may lag the book.
public struct Ticker: Hashable, Sendable {
    public var market: Market.ID
    /// The last trade's price; nil before the first.
    public var lastPrice: Price?
    public var bestBid: Price?
    public var bestAsk: Price?
    public var bidSize: Quantity?
    public var askSize: Quantity?
    /// Contracts traded since the market opened.
    public var volume: Quantity?
    public var openInterest: Quantity?
    public var exchangeTime: Timestamp

    public init(
        market: Market.ID, lastPrice: Price? = nil, bestBid: Price? = nil, bestAsk: Price? = nil,
        bidSize: Quantity? = nil, askSize: Quantity? = nil, volume: Quantity? = nil,
        openInterest: Quantity? = nil, exchangeTime: Timestamp = .unknown
    ) {
        self.market = market
        self.lastPrice = lastPrice
        self.bestBid = bestBid
        self.bestAsk = bestAsk
        self.bidSize = bidSize
        self.askSize = askSize
        self.volume = volume
        self.openInterest = openInterest
        self.exchangeTime = exchangeTime
    }
}

/// A value of a reference index that crypto and commodity markets settle on (CF Benchmarks, Pyth).
public struct ReferenceValue: Hashable, Sendable {
    /// `index_id` or `underlying_ticker`, prefixed with its source: `cfbenchmarks:BRTI`, `pyth:…`.
    public var index: String
    /// In 10^-8 of the index's unit.
    public var value: Int64
    /// The settlement average over the last 60 seconds of a quarter hour, where the exchange sends it; 10^-8.
    public var settlementAverage: Int64?
    public var exchangeTime: Timestamp

    public init(
        index: String, value: Int64, settlementAverage: Int64? = nil, exchangeTime: Timestamp = .unknown
    ) {
        self.index = index
        self.value = value
        self.settlementAverage = settlementAverage
        self.exchangeTime = exchangeTime
    }
    /// For statistics and strategies.
    public var double: Double { Double(value) / 1e8 }
}

/// The end of a position: a market paid out.
public struct Settlement: Hashable, Sendable {
    public var market: Market.ID
    public var result: MarketResult
    /// The strategy's signed YES position that was settled.
    public var position: Quantity
    /// What the position paid.
    public var payout: Money
    /// Payout less cost basis, before fees.
    public var profit: Money
    public var time: Timestamp

    public init(
        market: Market.ID, result: MarketResult, position: Quantity, payout: Money, profit: Money,
        time: Timestamp
    ) {
        self.market = market
        self.result = result
        self.position = position
        self.payout = payout
        self.profit = profit
        self.time = time
    }
}
