import Martlet
import MartletKalshi
import MartletNetwork
import MartletWire

/// Definitions of markets, asked of the exchange's public endpoints on the command's own event loop.
final class MarketLookup {
    private static let timeout = Nanoseconds.seconds(10)
    /// Tickers asked for at once: their list stands in the request's line.
    private static let tickersPerCall = 50
    /// Pages of a list at most; a thousand markets each.
    private static let pagesMax = 50

    private let loop: EventLoop
    private let client: HTTPClient
    private let environment: ExchangeEnvironment
    private let signer: RequestSigner?
    private var events: [String: JSONValue] = [:]
    private var series: [String: JSONValue] = [:]

    init(_ loop: EventLoop, _ access: ExchangeAccess) {
        self.loop = loop
        environment = access.environment
        signer = access.credentials.map { RequestSigner($0) }
        client = HTTPClient(loop, tls: access.tls)
    }

    /// The markets of these names, in that order. One that the exchange does not know is an error.
    func markets(_ tickers: [String]) throws -> [Market] {
        var found: [String: Market] = [:]
        for start in stride(from: 0, to: tickers.count, by: MarketLookup.tickersPerCall) {
            let part = tickers[start..<min(start + MarketLookup.tickersPerCall, tickers.count)]
            for market in try list("tickers=" + part.map(escaped).joined(separator: ",")) {
                found[market.ticker] = market
            }
        }
        return try tickers.map { ticker in
            guard let market = found[ticker] else {
                throw CommandError(
                    "the exchange knows no market \(ticker): 'martlet markets' lists those there are",
                    code: .usage)
            }
            return market
        }
    }
    /// All open markets of a series or an event.
    func open(series: String) throws -> [Market] {
        try list("status=open&series_ticker=" + escaped(series))
    }
    func open(event: String) throws -> [Market] {
        try list("status=open&event_ticker=" + escaped(event))
    }

    private func list(_ query: String) throws -> [Market] {
        var found: [Market] = []
        var cursor = ""
        for _ in 0..<MarketLookup.pagesMax {
            let page = try get(
                "/markets?limit=1000&\(query)" + (cursor.isEmpty ? "" : "&cursor=\(escaped(cursor))"))
            for value in page["markets"]?.array ?? [] { found.append(try market(value)) }
            cursor = page["cursor"]?.string ?? ""
            if cursor.isEmpty { break }
        }
        return found
    }

    /// Fees and exclusiveness stand in the event and the series; each is fetched once.
    private func market(_ value: JSONValue) throws -> Market {
        var event: JSONValue?
        if let ticker = value["event_ticker"]?.string, !ticker.isEmpty {
            event = try events[ticker] ?? get("/events/\(escaped(ticker))")["event"]
            events[ticker] = event
        }
        var owner: JSONValue?
        if let ticker = event?["series_ticker"]?.string, !ticker.isEmpty {
            owner = try series[ticker] ?? get("/series/\(escaped(ticker))")["series"]
            series[ticker] = owner
        }
        do {
            return try MarketDefinition(market: value, event: event, series: owner).market
        } catch {
            throw CommandError("the exchange's answer about a market cannot be read: \(error)")
        }
    }

    private func get(_ path: String) throws -> JSONValue {
        let target = environment.pathPrefix + ExchangeEnvironment.apiPath + path
        var request = HTTPRequest("GET", environment.endpoint, target)
        if let signer {
            let signature = try signer.signNext(
                method: "GET", path: ExchangeEnvironment.apiPath + path,
                notBefore: Clocks.wall() / 1_000_000)
            for field in signer.headers(signature).fields { request.headers.append(field.name, field.value) }
        }
        var answer: Result<HTTPResponse, HTTPClientError>?
        _ = try client.send(request, timeout: MarketLookup.timeout) { answer = $0 }
        while answer == nil {
            if let code = Interrupt.exitCode { throw CommandError("interrupted", code: code) }
            try loop.runOnce(timeout: Nanoseconds.milliseconds(100))
        }
        let response: HTTPResponse
        switch answer {
        case .success(let got): response = got
        case .failure(let error): throw CommandError("\(environment): \(error)")
        case nil: throw CommandError("\(environment): no answer")
        }
        guard response.status == 200 else {
            let text = String(decoding: response.body.prefix(200), as: UTF8.self)
            throw CommandError("\(environment) answered \(response.status) to \(path): \(text)")
        }
        do {
            return try JSONParser.parse(response.body)
        } catch {
            throw CommandError("\(environment): the answer to \(path) is not JSON: \(error)")
        }
    }

    private func escaped(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "-._~".utf8.contains(byte)
            if isPlain {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                out += "%" + (hex.count < 2 ? "0" : "") + hex
            }
        }
        return out
    }
}
