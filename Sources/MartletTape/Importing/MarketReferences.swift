import Martlet
import MartletWire

/// Definitions and results that a recording does not hold itself (`--markets FILE`, `--results FILE`).
///
/// JSON lines, or one JSON document with an array, of REST market objects; or of the simple form
/// `{"ticker": …, "result": "yes"}` with an optional `settlement_ts`. A `market` object's event and series may stand
/// beside it as `event` and `series`.
public struct MarketReferences: Sendable {
    struct Result: Hashable, Sendable {
        var result: MarketResult
        var time: Timestamp
    }
    private var definitions: [String: Market] = [:]
    private var results: [String: Result] = [:]

    public init() {}

    public var definitionCount: Int { definitions.count }
    public var resultCount: Int { results.count }
    func definition(_ ticker: String) -> Market? { definitions[ticker] }
    func result(_ ticker: String) -> Result? { results[ticker] }

    /// Sets a definition by hand.
    public mutating func define(_ market: Market) { definitions[market.ticker] = market }
    /// Sets a result by hand; `time` is when the exchange decided, `.unknown` for the market's close.
    public mutating func decide(_ ticker: String, _ result: MarketResult, at time: Timestamp = .unknown) {
        results[ticker] = Result(result: result, time: time)
    }

    /// Reads a file of markets: their definitions, and their results where they have any.
    public mutating func read(markets path: String) throws(ImportError) {
        try MarketReferences.forEach(path) { (value, line) throws(ImportError) in
            do throws(WireError) {
                let read = try MarketDefinition(
                    market: value["market"] ?? value, event: value["event"], series: value["series"])
                definitions[read.market.ticker] = read.market
                if let result = read.result {
                    results[read.market.ticker] = Result(result: result, time: read.settlementTime)
                }
            } catch {
                throw ImportError(.badReference(line: line, "\(error)"), file: path)
            }
        }
    }

    /// Reads a file of results.
    public mutating func read(results path: String) throws(ImportError) {
        try MarketReferences.forEach(path) { (value, line) throws(ImportError) in
            do throws(WireError) {
                let market = value["market"] ?? value
                let read = try MarketDefinition(market: market)
                guard let result = read.result else {
                    throw .missing(field: "result", message: read.market.ticker)
                }
                results[read.market.ticker] = Result(result: result, time: read.settlementTime)
            } catch {
                throw ImportError(.badReference(line: line, "\(error)"), file: path)
            }
        }
    }

    /// Each object of a file: of its lines, or of the array that it is or holds under `markets`.
    static func forEach(
        _ path: String, _ body: (JSONValue, Int) throws(ImportError) -> Void
    ) throws(ImportError) {
        let source = try ByteSource.open(path)
        let start = try source.peek(64)
        let isDocument = start.first { !$0.isJSONSpace } == UInt8(ascii: "[")
        if isDocument {
            let values = try JSONText.parse(try source.rest(limit: JSONText.documentBytesMax), 1, path)
            for value in values.array ?? [values] { try body(value, 1) }
            return
        }
        while let line = try source.nextLine() {
            guard line.contains(where: { !$0.isJSONSpace }) else { continue }
            let value: JSONValue
            do throws(ImportError) {
                value = try JSONText.parse(line, source.lineNumber, path)
            } catch {
                // One object over many lines.
                guard source.lineNumber == 1 else { throw error }
                try document(path, body)
                return
            }
            if let markets = value["markets"]?.array {
                for market in markets { try body(market, source.lineNumber) }
            } else {
                try body(value, source.lineNumber)
            }
        }
    }

    private static func document(
        _ path: String, _ body: (JSONValue, Int) throws(ImportError) -> Void
    ) throws(ImportError) {
        let source = try ByteSource.open(path)
        let value = try JSONText.parse(try source.rest(limit: JSONText.documentBytesMax), 1, path)
        for market in value["markets"]?.array ?? [value] { try body(market, 1) }
    }
}

/// JSON out of a ``ByteSource``.
enum JSONText {
    /// Documents that are one value are read whole.
    static let documentBytesMax = 256 << 20

    static func parse(_ bytes: UnsafeRawBufferPointer, _ line: Int, _ file: String) throws(ImportError)
        -> JSONValue
    {
        do throws(JSONError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw ImportError(
                .badReference(line: line + error.line - 1, "not JSON: \(error.problem)"), file: file)
        }
    }
}

extension UInt8 {
    var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
