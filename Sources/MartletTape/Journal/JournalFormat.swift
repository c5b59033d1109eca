import Martlet
import MartletEngine

/// A session's journal on disk: everything its engine was told, each command before its first byte left, and the
/// running hash of all that it said.
///
/// A folder of segments `00000000.journal`, `00000001.journal`, …, each preallocated and mapped. A segment begins
/// with 16 bytes (`MARTLETJ`, version, its number) and holds records, little-endian:
///
///     length   UInt32   of the body; 0: nothing follows
///     kind     UInt32   JournalFormat.Kind
///     check    UInt64   XXH64 of kind and body, seeded with the check of the record before
///     body     padded to a multiple of 8
///
/// Checks are chained over segments too, so that neither a torn tail nor a page that a power cut left behind is
/// taken for a record.
enum JournalFormat {
    static let magic: [UInt8] = Array("MARTLETJ".utf8)
    static let version: UInt32 = 1
    static let headerSize = 16
    static let recordHeader = 16
    /// The first record's check is chained to this.
    static let seed: UInt64 = 0x4D41_5254_4C45_544A

    enum Kind: UInt32 {
        /// JSON of ``JournalHeader``: the first record of the first segment.
        case header = 1
        /// A ``JournalEvent``.
        case event = 2
        /// Time, then an input.
        case input = 3
        /// Time, then a command.
        case command = 4
        /// The running hash, after the outputs of the input before.
        case hash = 5
        /// Time, then a note of the driver.
        case note = 6
    }

    static func name(_ segment: Int) -> String {
        let digits = String(segment)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".journal"
    }
    static func padded(_ count: Int) -> Int { (count + 7) / 8 * 8 }
}

/// Who ran, with what: enough to build the same engine again.
public struct JournalHeader: Codable, Hashable, Sendable {
    public struct Seat: Codable, Hashable, Sendable {
        /// Unique in the run.
        public var name: String
        /// The strategy's own name, by which a program finds it.
        public var strategy: String
        /// Its parameters as a JSON object.
        public var parameters: String
        /// Ticker patterns; empty for all.
        public var markets: [String]
        public init(name: String, strategy: String, parameters: String, markets: [String]) {
            self.name = name
            self.strategy = strategy
            self.parameters = parameters
            self.markets = markets
        }
    }
    public var session: String
    /// `paper` or `live`.
    public var mode: String
    public var environment: String
    /// Nanoseconds since 1970.
    public var started: Int64
    /// What decides whether a replay may be the same to the bit (Ruling 5).
    public var program: String
    public var machine: String
    public var seats: [Seat]
    /// ``TradingSettings`` as JSON.
    public var trading: String

    public init(
        session: String, mode: String, environment: String, started: Int64, program: String, machine: String,
        seats: [Seat], trading: String
    ) {
        self.session = session
        self.mode = mode
        self.environment = environment
        self.started = started
        self.program = program
        self.machine = machine
        self.seats = seats
        self.trading = trading
    }
}

/// What a driver notes beside inputs and commands.
public enum JournalNote: Hashable, Sendable {
    /// The exchange's own id of an order of this run.
    case venueID(OrderID, String)
    /// A strategy's state: restored at the start (`isRestored`), or saved for the next run.
    case state(strategy: String, bytes: [UInt8], isRestored: Bool)
    /// The order group of a shard.
    case group(shard: Int, id: String)
    case text(String)

    func encode(into body: inout BodyWriter) {
        switch self {
        case .venueID(let order, let id):
            body.integer(UInt8(0))
            body.order(order)
            body.string(id)
        case .state(let strategy, let bytes, let isRestored):
            body.integer(UInt8(1))
            body.string(strategy)
            body.flag(isRestored)
            body.integer(UInt32(bytes.count))
            bytes.withUnsafeBytes { body.append($0) }
        case .group(let shard, let id):
            body.integer(UInt8(2))
            body.integer(Int64(shard))
            body.string(id)
        case .text(let text):
            body.integer(UInt8(3))
            body.string(text)
        }
    }
    init(from body: inout BodyReader) throws(BodyError) {
        switch try body.integer(as: UInt8.self) {
        case 0: self = .venueID(try body.order(), try body.string())
        case 1:
            let (name, isRestored) = (try body.string(), try body.flag())
            let count = Int(try body.integer(as: UInt32.self))
            self = .state(strategy: name, bytes: try body.bytes(count), isRestored: isRestored)
        case 2: self = .group(shard: Int(try body.integer(as: Int64.self)), id: try body.string())
        case 3: self = .text(try body.string())
        case let other: throw BodyError("note \(other)")
        }
    }
}

/// A market event as it lies in a record: 40 bytes, whatever the processor.
struct JournalEvent {
    static let size = 40
    var exchangeTime: Int64
    var receiveTime: Int64
    var quantity: Int64
    var price: Int32
    var market: UInt32
    var kind: UInt8
    var side: UInt8
    var flags: UInt8
    var spare: UInt8 = 0
    var padding: UInt32 = 0

    init(_ event: MarketEvent) {
        exchangeTime = event.exchangeTime.nanoseconds.littleEndian
        receiveTime = event.receiveTime.nanoseconds.littleEndian
        quantity = event.quantity.hundredths.littleEndian
        price = event.price.micros.littleEndian
        market = event.market.index.littleEndian
        kind = event.kind.rawValue
        side = event.side.rawValue
        flags = event.flags.rawValue
    }

    static func read(from body: inout BodyReader) throws(BodyError) -> MarketEvent {
        let (exchange, receive) = (try body.time(), try body.time())
        let (quantity, price) = (try body.quantity(), try body.price())
        let market = try body.market()
        let raw = try body.integer(as: UInt8.self)
        let side = try body.side()
        let flags = try body.integer(as: UInt8.self)
        _ = try body.integer(as: UInt8.self)
        _ = try body.integer(as: UInt32.self)
        guard let kind = MarketEvent.Kind(rawValue: raw) else { throw BodyError("event \(raw)") }
        return MarketEvent(
            kind, market: market, side: side, price: price, quantity: quantity, flags: .init(rawValue: flags),
            exchangeTime: exchange, receiveTime: receive)
    }
}
