import Martlet
import MartletEngine
import MartletWire

/// A tape's record in text: one JSON object a line, or one line of CSV. What is written reads back the same.
///
///     {"martlet":1,"record":"delta","ticker":"KX-1-A","receive_ns":…,"exchange_ns":…,"side":"bid",
///      "price":"0.5600","quantity":"-4.00","flags":"groupEnd"}
///
/// Fields that a record has no use for are left out (empty in CSV). `detail` holds the trade id of a trade, and an
/// object for what is no market event.
struct TextRecord: Hashable {
    var record: String
    var ticker: String?
    var receive: Timestamp
    var exchange: Timestamp = .unknown
    var side: Side?
    var price: Price?
    var quantity: Quantity?
    var flags: MarketEvent.Flags = []
    var detail: JSONValue?

    static let csvHeader = "record,ticker,receive_ns,exchange_ns,side,price,quantity,flags,detail"
    static let kinds: [(name: String, kind: MarketEvent.Kind)] = [
        ("delta", .delta), ("trade", .trade), ("snapshot_start", .snapshotStart),
        ("snapshot_level", .snapshotLevel), ("group_end", .groupEnd),
    ]
    static let flagNames: [(name: String, flag: MarketEvent.Flags)] = [
        ("groupEnd", .groupEnd), ("snapshotEnd", .snapshotEnd), ("inferred", .inferred), ("own", .own),
        ("block", .block), ("timedOut", .timedOut),
    ]

    // MARK: - Text

    var json: String {
        var members: [JSONValue.Member] = [
            .init("martlet", .number("1")), .init("record", .string(record)),
        ]
        if let ticker { members.append(.init("ticker", .string(ticker))) }
        members.append(.init("receive_ns", .number(String(receive.nanoseconds))))
        if exchange.isKnown { members.append(.init("exchange_ns", .number(String(exchange.nanoseconds)))) }
        if let side { members.append(.init("side", .string(side.description))) }
        if let price { members.append(.init("price", .string(price.description))) }
        if let quantity { members.append(.init("quantity", .string(quantity.description))) }
        if !flags.isEmpty { members.append(.init("flags", .string(flagText))) }
        if let detail { members.append(.init("detail", detail)) }
        return JSONWriter.text(.object(members))
    }

    var csv: String {
        let detail =
            switch self.detail {
            case nil: ""
            case .string(let text)?: text
            case let value?: JSONWriter.text(value)
            }
        let fields = [
            record, ticker ?? "", String(receive.nanoseconds),
            exchange.isKnown ? String(exchange.nanoseconds) : "", side?.description ?? "",
            price?.description ?? "", quantity?.description ?? "", flagText, detail,
        ]
        return fields.map(CSVLine.quote).joined(separator: ",")
    }

    private var flagText: String { flags.names.joined(separator: "|") }

    // MARK: - Reading

    /// Why a line is no record.
    struct Malformed: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    init(json value: JSONValue) throws(Malformed) {
        func text(_ name: String) -> String? { value[name]?.decimalText }
        try self.init(
            record: text("record"), ticker: text("ticker"), receive: text("receive_ns"),
            exchange: text("exchange_ns"), side: text("side"), price: text("price"),
            quantity: text("quantity"), flags: text("flags"))
        detail = value["detail"]
    }

    init(csv line: some Collection<UInt8>) throws(Malformed) {
        let fields = CSVLine.fields(line).map { $0.isEmpty ? nil : $0 }
        guard fields.count == 9 else { throw Malformed("\(fields.count) fields instead of 9") }
        try self.init(
            record: fields[0], ticker: fields[1], receive: fields[2], exchange: fields[3], side: fields[4],
            price: fields[5], quantity: fields[6], flags: fields[7])
        guard let text = fields[8] else { return }
        if record == "trade" {
            detail = .string(text)
        } else {
            guard let value = try? JSONParser.parse(text) else { throw Malformed("detail is not JSON") }
            detail = value
        }
    }

    private init(
        record: String?, ticker: String?, receive: String?, exchange: String?, side: String?, price: String?,
        quantity: String?, flags: String?
    ) throws(Malformed) {
        guard let record else { throw Malformed("without 'record'") }
        guard let receive, let time = Int64(receive) else { throw Malformed("without 'receive_ns'") }
        self.record = record
        self.ticker = ticker
        self.receive = Timestamp(nanoseconds: time)
        if let exchange {
            guard let time = Int64(exchange) else { throw Malformed("exchange_ns '\(exchange)'") }
            self.exchange = Timestamp(nanoseconds: time)
        }
        if let side {
            guard let known = Side.allCases.first(where: { $0.description == side }) else {
                throw Malformed("side '\(side)'")
            }
            self.side = known
        }
        do throws(FixedPoint.ParseError) {
            if let price { self.price = try Price(parsing: price) }
            if let quantity { self.quantity = try Quantity(parsing: quantity) }
        } catch {
            throw Malformed("\(error)")
        }
        for name in flags?.split(separator: "|") ?? [] {
            if let known = TextRecord.flagNames.first(where: { $0.name == name }) {
                self.flags.formUnion(known.flag)
            } else if let raw = UInt8(name) {
                self.flags.formUnion(MarketEvent.Flags(rawValue: raw))
            } else {
                throw Malformed("flag '\(name)'")
            }
        }
    }

    init(record: String, ticker: String?, receive: Timestamp) {
        self.record = record
        self.ticker = ticker
        self.receive = receive
    }
}

extension MarketEvent.Flags {
    /// The names of the marks that are set; what has no name as its number.
    var names: [String] {
        var names = TextRecord.flagNames.filter { contains($0.flag) }.map(\.name)
        let rest = subtracting(TextRecord.flagNames.reduce(MarketEvent.Flags()) { $0.union($1.flag) })
        if !rest.isEmpty { names.append(String(rest.rawValue)) }
        return names
    }
}
