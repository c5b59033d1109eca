import Martlet
import MartletEngine
import MartletWire

// The documents of the 2024 client: one JSON array a file, keys with a leading underscore, whole cents.
extension RestImport {
    func documents2024() throws(ImportError) {
        let bytes = try source.rest(limit: JSONText.documentBytesMax)
        let document = try JSONText.parse(bytes, 1, source.name)
        let line = RecordedLine(file: source.name, number: 1)
        var points: [Point] = []
        try wrap { () throws(TapeError) in
            for element in document.array ?? [document] {
                assembler.report.lines += 1
                if element["_event_ticker"] != nil {
                    try define(element, line)
                    continue
                }
                for member in element.object ?? [] {
                    try take(member, line, &points)
                }
            }
            try release(&points)
        }
    }

    /// One moment of a market's history.
    private struct Point {
        var time: Timestamp
        var ticker: Ticker
        var line: RecordedLine
    }

    private func take(
        _ member: JSONValue.Member, _ line: RecordedLine, _ points: inout [Point]
    ) throws(TapeError) {
        if member.value["_yes"] != nil || member.value["_no"] != nil {
            return try book(
                member.key, yes: member.value["_yes"], no: member.value["_no"], isCents: true, line)
        }
        guard let elements = member.value.array else {
            return assembler.skip(line, "neither a book nor a list", member.key)
        }
        for element in elements {
            if element["_ticker"] != nil {
                try define(element, line)
            } else if element["_ts"] != nil {
                if let point = try point(member.key, element, line) { points.append(point) }
            } else {
                assembler.skip(line, "neither a market nor its history", member.key)
            }
        }
    }

    private func point(_ ticker: String, _ value: JSONValue, _ line: RecordedLine) throws(TapeError) -> Point?
    {
        guard let seconds = value["_ts"]?.int64, seconds > 0, seconds < 1 << 33 else {
            assembler.skip(line, "history without a time", ticker)
            return nil
        }
        // 0 and 100 stand for an empty side.
        func price(_ name: String) -> Price? {
            guard let cents = value[name]?.int64, cents > 0, cents < 100 else { return nil }
            return Price(cents: Int(cents))
        }
        func contracts(_ name: String) -> Quantity? {
            value[name]?.int64.flatMap { $0 >= 0 && $0 < 1 << 50 ? Quantity(Int($0)) : nil }
        }
        let time = Timestamp(seconds: seconds)
        return Point(
            time: time,
            ticker: Ticker(
                market: try assembler.market(ticker).id, lastPrice: price("_yes_price"),
                bestBid: price("_yes_bid"), bestAsk: price("_yes_ask"), volume: contracts("_volume"),
                openInterest: contracts("_open_interest"), exchangeTime: time),
            line: line)
    }

    /// The histories stand one after another in the file; the tape has them by time.
    private func release(_ points: inout [Point]) throws(TapeError) {
        let order = points.indices.sorted { (points[$0].time, $0) < (points[$1].time, $1) }
        for index in order { try assembler.ticker(points[index].ticker, points[index].line) }
        points.removeAll()
    }
}
