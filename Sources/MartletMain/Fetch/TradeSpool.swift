import Martlet
import MartletKalshi
import MartletWire

/// A trade on its way to the tape.
struct SpooledTrade: Hashable {
    var id: String
    var time: Timestamp
    var price: Price
    var quantity: Quantity
    var side: Side
    var isBlock: Bool
    /// In the order in which it was fetched.
    var number = 0

    /// Nil for a trade that does not tell its taker: it is not guessed.
    init?(_ trade: ListedTrade) {
        guard let side = trade.takerSide else { return nil }
        id = trade.tradeID
        time = trade.created
        price = trade.price
        quantity = trade.quantity
        self.side = side
        isBlock = trade.isBlock
    }

    var json: JSONValue {
        .array([
            .string(id), .integer(time.nanoseconds), .integer(price.micros), .integer(quantity.hundredths),
            .bool(side == .bid), .bool(isBlock),
        ])
    }

    init?(_ value: JSONValue, number: Int) {
        guard let fields = value.array, fields.count == 6, let id = fields[0].string,
            let time = fields[1].int64, let micros = fields[2].int64.flatMap({ Int32(exactly: $0) }),
            let hundredths = fields[3].int64, let isBid = fields[4].bool, let isBlock = fields[5].bool
        else { return nil }
        self.id = id
        self.time = Timestamp(nanoseconds: time)
        price = Price(micros: micros)
        quantity = Quantity(hundredths: hundredths)
        side = isBid ? .bid : .ask
        self.isBlock = isBlock
        self.number = number
    }
}

/// Pages of trades on disk, in the order in which they came: the newest first, as the exchange gives them, though it
/// does not promise that. Given back in the order of time, with as much in memory as pages overlap.
final class TradeSpool {
    private struct Page {
        var place: LineSpool.Place
        var first: Timestamp
        var firstNumber: Int
    }

    private let lines: LineSpool
    private var pages: [Page] = []
    private(set) var count = 0
    /// Trades left out for want of a taker's side.
    private(set) var leftOut = 0
    /// Which source is being read, and where its next page begins (nil: at its beginning).
    private(set) var source = 0
    private(set) var cursor: String?
    private(set) var isComplete = false

    init(path: String) throws {
        var found: [(JSONValue, LineSpool.Place)] = []
        lines = try LineSpool(path: path) { value, place in
            // Only heads are kept of what was read.
            let times = (value["trades"]?.array ?? []).compactMap { $0.array?[1] }
            found.append((Self.head(value, firstTime: times.compactMap(\.int64).min(), times.count), place))
        }
        for (head, place) in found { note(head, place) }
    }

    private static func head(_ page: JSONValue, firstTime: Int64?, _ count: Int) -> JSONValue {
        .fields([
            ("source", page["source"] ?? .null), ("next", page["next"] ?? .null),
            ("left_out", page["left_out"] ?? .null), ("done", page["done"] ?? .null),
            ("first", firstTime.map { .integer($0) } ?? .null), ("count", .integer(count)),
        ])
    }

    private func note(_ head: JSONValue, _ place: LineSpool.Place) {
        if let first = head["first"]?.int64 {
            pages.append(Page(place: place, first: Timestamp(nanoseconds: first), firstNumber: count))
        }
        count += Int(head["count"]?.int64 ?? 0)
        leftOut += Int(head["left_out"]?.int64 ?? 0)
        source = Int(head["source"]?.int64 ?? 0)
        cursor = head["next"]?.string
        isComplete = head["done"]?.bool == true
    }

    /// Adds a page. `next` is its source's next cursor; nil ends the source, `done` the last of them.
    func append(_ page: [ListedTrade], source: Int, next: String?, done: Bool) throws {
        let trades = page.compactMap { SpooledTrade($0) }
        let value = JSONValue.fields([
            ("source", .integer(next == nil ? source + 1 : source)),
            ("next", next.map { .string($0) } ?? .null),
            ("left_out", .integer(page.count - trades.count)), ("done", .bool(done)),
            ("trades", .array(trades.map(\.json))),
        ])
        let place = try lines.append(value)
        note(Self.head(value, firstTime: trades.map(\.time.nanoseconds).min(), trades.count), place)
    }

    /// The trades in the order of their times. At one time the one that was fetched last comes first, since lists
    /// begin with the newest; one that came twice, from both tiers, is given once.
    struct Reader {
        private let spool: TradeSpool
        private let pages: [Page]
        private var nextPage = 0
        /// The earliest last.
        private var waiting: [SpooledTrade] = []
        private var time = Timestamp.unknown
        private var idsAtTime: Set<String> = []

        fileprivate init(_ spool: TradeSpool) {
            self.spool = spool
            pages = spool.pages.sorted { ($0.first, $0.firstNumber) < ($1.first, $1.firstNumber) }
        }

        mutating func next() throws -> SpooledTrade? {
            while true {
                while nextPage < pages.count, waiting.last.map({ pages[nextPage].first <= $0.time }) ?? true {
                    try load(pages[nextPage])
                    nextPage += 1
                }
                guard let trade = waiting.popLast() else { return nil }
                if trade.time != time {
                    time = trade.time
                    idsAtTime.removeAll(keepingCapacity: true)
                }
                if idsAtTime.insert(trade.id).inserted { return trade }
            }
        }

        private mutating func load(_ page: Page) throws {
            let values = try spool.lines.read(page.place)["trades"]?.array ?? []
            for (index, value) in values.enumerated() {
                if let trade = SpooledTrade(value, number: page.firstNumber + index) { waiting.append(trade) }
            }
            waiting.sort { a, b in a.time == b.time ? a.number < b.number : a.time > b.time }
        }
    }

    func reader() -> Reader { Reader(self) }
}
