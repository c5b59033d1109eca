import Martlet
import MartletEngine

/// CSV of trades (`ticker,created_time,price,count,taker_side,trade_id`; other names and orders of columns by its
/// header). REST gives trades newest first: such a file is held in memory, 64 bytes a trade, and turned round
/// keeping the order of equal times reversed too; an ascending one is not held.
struct TradesCSV {
    /// Where the columns stand.
    struct Columns {
        var ticker: Int?
        var time: Int?
        var price: Int?
        var isCents = false
        var count: Int?
        var side: Int?
        var id: Int?
        var isComplete: Bool {
            ticker != nil && time != nil && price != nil && count != nil && side != nil
        }

        init?(header: String) {
            let names = CSVLine.fields(Array(header.utf8)).map { $0.lowercased() }
            func find(_ candidates: String...) -> Int? {
                candidates.lazy.compactMap { names.firstIndex(of: $0) }.first
            }
            ticker = find("ticker", "market_ticker")
            time = find("created_time", "time", "ts")
            price = find("yes_price_dollars", "price", "price_dollars")
            if price == nil, let cents = find("yes_price") {
                price = cents
                isCents = true
            }
            count = find("count_fp", "count", "quantity")
            side = find("taker_book_side", "taker_outcome_side", "taker_side")
            id = find("trade_id", "id")
        }
    }

    private struct Row {
        var time: Timestamp
        var market: Int32
        var line: Int32
        var price: Price
        var side: Side
        var quantity: Quantity
        var high: UInt64 = 0
        var low: UInt64 = 0
        var hasID = false
    }
    private static let rowsMax = 50_000_000

    let assembler: TapeAssembler
    private let columns: Columns
    private var file = ""
    private var rows: [Row] = []
    /// Known from the first two times that differ.
    private var isAscending: Bool?
    /// Ids that are no UUID, by line: rare.
    private var oddIDs: [Int32: String] = [:]

    init?(_ assembler: TapeAssembler, header: String) {
        guard let columns = Columns(header: header), columns.isComplete else { return nil }
        self.assembler = assembler
        self.columns = columns
    }

    static func read(_ source: ByteSource, _ assembler: TapeAssembler) throws(ImportError) {
        guard let header = try source.nextLine() else { return }
        guard var trades = TradesCSV(assembler, header: String(decoding: header, as: UTF8.self)) else {
            throw ImportError(.badReference(line: 1, "not a header of trades"), file: source.name)
        }
        trades.file = source.name
        while let bytes = try source.nextLine() {
            guard !bytes.isEmpty else { continue }
            assembler.report.lines += 1
            let line = RecordedLine(file: source.name, number: source.lineNumber)
            do throws(TapeError) {
                if let row = trades.parse(bytes, line) { try trades.take(row) }
            } catch {
                throw ImportError(.tape(error), file: source.name)
            }
            guard trades.rows.count <= rowsMax else {
                throw ImportError(.unreadable("over \(rowsMax) trades, newest first"), file: source.name)
            }
        }
        do throws(TapeError) {
            try trades.releaseAll(reversed: trades.isAscending == false)
        } catch {
            throw ImportError(.tape(error), file: source.name)
        }
    }

    private mutating func parse(_ bytes: UnsafeRawBufferPointer, _ line: RecordedLine) -> Row? {
        guard bytes.isUTF8 else {
            assembler.skip(line, "not UTF-8")
            return nil
        }
        let fields = CSVLine.fields(bytes)
        func field(_ index: Int?) -> String? {
            guard let index, index < fields.count, !fields[index].isEmpty else { return nil }
            return fields[index]
        }
        guard let ticker = field(columns.ticker), let time = field(columns.time),
            let price = field(columns.price), let count = field(columns.count), let side = field(columns.side)
        else {
            assembler.skip(line, "a field is missing")
            return nil
        }
        guard let moment = CSVLine.time(time) else {
            assembler.skip(line, "not a time", "'\(time)' is not a time")
            return nil
        }
        guard let taker = CSVLine.side(side) else {
            assembler.skip(line, "taker side is neither yes nor no", "taker side '\(side)'")
            return nil
        }
        guard let (price, quantity) = numbers(price, count, line) else { return nil }
        var row = Row(
            time: moment, market: Int32(truncatingIfNeeded: assembler.decoder.tickers.intern(ticker)),
            line: Int32(truncatingIfNeeded: line.number), price: price, side: taker, quantity: quantity)
        if let id = field(columns.id) {
            if let words = UUIDText.parse(id.utf8) {
                (row.high, row.low, row.hasID) = (words.high, words.low, true)
            } else {
                oddIDs[row.line] = id
            }
        }
        return row
    }

    private func numbers(_ price: String, _ count: String, _ line: RecordedLine) -> (Price, Quantity)? {
        do throws(FixedPoint.ParseError) {
            let micros = try FixedPoint.parse(price.utf8, decimals: columns.isCents ? 4 : 6)
            guard micros > 0, micros < 1_000_000 else {
                assembler.skip(line, "price at or beyond 0 or 1", "price \(price)")
                return nil
            }
            let quantity = try Quantity(parsing: count)
            guard quantity.isPositive, TapeFormat.quantityRange.contains(quantity.hundredths) else {
                assembler.skip(line, "number of contracts out of range", "\(count) contracts")
                return nil
            }
            return (Price(micros: Int(micros)), quantity)
        } catch {
            assembler.skip(line, "not a number", "\(error)")
            return nil
        }
    }

    private mutating func take(_ row: Row) throws(TapeError) {
        if isAscending == true { return try release(row) }
        rows.append(row)
        if isAscending == nil, let first = rows.first, row.time != first.time {
            isAscending = row.time > first.time
            if row.time > first.time { try releaseAll(reversed: false) }
        }
    }

    private mutating func releaseAll(reversed: Bool) throws(TapeError) {
        if reversed {
            for row in rows.reversed() { try release(row) }
        } else {
            for row in rows { try release(row) }
        }
        rows.removeAll()
    }

    private func release(_ row: Row) throws(TapeError) {
        let id = row.hasID ? UUIDText.format(high: row.high, low: row.low) : oddIDs[row.line]
        try assembler.trade(
            try assembler.market(Int(row.market)), takerSide: row.side, row.price, row.quantity, id: id,
            exchangeTime: row.time, RecordedLine(file: file, number: Int(row.line)))
    }
}

/// One line of CSV (RFC 4180, without line breaks inside quotes).
enum CSVLine {
    static func fields(_ bytes: some Collection<UInt8>) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var afterQuote = false
        for byte in bytes {
            if isQuoted {
                if byte == UInt8(ascii: "\"") {
                    isQuoted = false
                    afterQuote = true
                } else {
                    field.append(byte)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                if afterQuote { field.append(byte) }
                isQuoted = true
            case UInt8(ascii: ","):
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            default: field.append(byte)
            }
            afterQuote = false
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return fields
    }

    static func quote(_ text: String) -> String {
        text.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: ",") || $0 < 0x20 }
            ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
                + "\""
            : text
    }

    /// RFC 3339, or unix seconds or milliseconds.
    static func time(_ text: String) -> Timestamp? {
        if let time = Timestamp(rfc3339: text) { return time }
        guard let number = Int64(text), number > 0, number < 1 << 43 else { return nil }
        return number < 100_000_000_000 ? Timestamp(seconds: number) : Timestamp(milliseconds: number)
    }

    /// What the taker did, in YES terms.
    static func side(_ text: String) -> Side? {
        switch text.lowercased() {
        case "yes", "bid": .bid
        case "no", "ask": .ask
        default: nil
        }
    }
}
