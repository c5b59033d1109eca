import Foundation
import Martlet
import MartletKalshi
import MartletNetwork
import MartletWire
import Synchronization

/// `martlet markets`: what can be traded.
enum MarketsCommand {
    static let series = ValueFlag("series", .text("TICKER"), "only markets of this series, such as KXHIGHNY")
    static let event = ValueFlag(
        "event", .text("TICKER"), "only markets of this event, such as KXHIGHNY-26NOV23")
    static let status = ValueFlag(
        "status", .choice("STATUS", MarketFilter.statuses + ["any"]),
        "\(MarketFilter.statuses.joined(separator: ", ")) or any (open, unless markets are named)")
    static let text = ValueFlag(
        "text", .text("WORDS"), "only markets whose ticker or title has all these words")
    static let limit = ValueFlag(
        "limit", .whole("N", in: 0...1_000_000), "stop after so many markets, 0 for no limit (50)")

    static func command() -> Command {
        var command = Command(name: "markets", summary: "search the exchange's markets")
        command.discussion = """
            Lists markets with their best prices, in YES terms, in the exchange's order. Series, event and status are \
            searched by the exchange, words here, page by page. Without a key it works too.
            """
        command.operands = [.init("TICKER", .any, "markets by name")]
        command.flags = [series, event, status, text, limit] + ExchangeFlags.all
        command.examples = [
            ("martlet markets --series KXHIGHNY", "tomorrow's temperature in New York"),
            ("martlet markets --text \"bitcoin 15\" --limit 10", "by words of the title"),
            ("martlet markets --series KXBTC15M --status settled --json", "past markets with their results"),
        ]
        command.run = { invocation, terminal in
            let access = try ExchangeAccess(invocation)
            let client = try KalshiClient(
                access.environment, signer: access.credentials.map { RequestSigner($0) }, tls: access.tls)
            let search = Search(invocation)
            let seen = Mutex(0)
            let progress = Progress(terminal)
            defer { progress.finish() }
            let found = try AsyncWork.run(
                poll: { progress.update(done: seen.withLock { $0 }, total: nil, unit: "markets") }
            ) { try await search.run(client) { seen.withLock { $0 += 1 } } }
            progress.finish()
            if let code = Interrupt.exitCode { return code }
            try show(found, invocation, terminal)
            return found.markets.isEmpty ? .nothingUsable : .success
        }
        return command
    }

    /// What is looked for.
    struct Search: Sendable {
        var filter: MarketFilter
        var words: [String]
        var limit: Int

        struct Found: Sendable {
            var markets: [ListedMarket] = []
            /// The limit ended the search.
            var isCut = false
        }

        init(_ invocation: Invocation) {
            filter = MarketFilter(
                event: invocation[MarketsCommand.event], series: invocation[MarketsCommand.series],
                tickers: invocation.operands)
            let isNamed = filter.event != nil || !filter.tickers.isEmpty
            let status = invocation[MarketsCommand.status] ?? (isNamed ? "any" : "open")
            filter.status = status == "any" ? nil : status
            words = (invocation[MarketsCommand.text] ?? "").lowercased().split(separator: " ").map(
                String.init)
            limit = invocation[MarketsCommand.limit] ?? 50
        }

        func run(_ client: KalshiClient, seen: @Sendable () -> Void) async throws -> Found {
            var found = Found()
            var known: Set<String> = []
            for list in lists {
                for try await market in client.all(list) {
                    seen()
                    guard matches(market), known.insert(market.ticker).inserted else { continue }
                    if limit > 0, found.markets.count == limit {
                        found.isCut = true
                        return found
                    }
                    found.markets.append(market)
                }
            }
            return found
        }

        /// Settled markets move to the historical tier, which wants to know of which series, event or name.
        private var lists: [PagedCall<ListedMarket>] {
            let live = Endpoints.markets(filter)
            let isNamed = filter.series != nil || filter.event != nil || !filter.tickers.isEmpty
            guard isNamed, filter.status == nil || filter.status == "settled" else { return [live] }
            return [live, Endpoints.historicalMarkets(filter)]
        }

        func matches(_ market: ListedMarket) -> Bool {
            guard !words.isEmpty else { return true }
            let text = "\(market.ticker) \(market.market.title) \(market.market.subtitle)".lowercased()
            return words.allSatisfy { text.contains($0) }
        }
    }

    // MARK: - Output

    private static func show(
        _ found: Search.Found, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            return try terminal.line(
                JSONValue.fields([
                    ("markets", .array(found.markets.map(json))), ("more", .bool(found.isCut)),
                ]).text)
        }
        guard !found.markets.isEmpty else {
            return terminal.note("no market fits; --status any looks at closed and settled ones too")
        }
        for line in table(found.markets) { try terminal.line(line) }
        if found.isCut { terminal.note("there are more: --limit 0 shows all") }
    }

    static func table(_ markets: [ListedMarket]) -> [String] {
        let rows = markets.map { market in
            [
                market.ticker,
                market.status.wire + (market.resultText.isEmpty ? "" : " " + market.resultText),
                price(market.bid), price(market.ask), price(market.lastPrice),
                market.volume.map { FormatNumber.grouped(Int($0.hundredths / 100)) } ?? "",
                close(market.market),
                title(market.market),
            ]
        }
        let head = ["market", "status", "bid", "ask", "last", "volume", "closes (UTC)", "title"]
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let rightAligned = 2...5
        return ([head] + rows).map { row in
            let cells = row.enumerated().map { column, text in
                if column == row.count - 1 { return text }
                let space = String(repeating: " ", count: widths[column] - text.count)
                return rightAligned.contains(column) ? space + text : text + space
            }
            return cells.joined(separator: "  ")
        }
    }

    private static func price(_ price: Price?) -> String {
        price.map { FixedPoint.format(Int64($0.micros), decimals: 6, minimum: 2) } ?? "-"
    }
    private static func close(_ market: Market) -> String {
        market.closeTime.isKnown ? String("\(market.closeTime)".prefix(16)).replacing("T", with: " ") : ""
    }
    private static func title(_ market: Market) -> String {
        let subtitle =
            market.subtitle.isEmpty || market.title.contains(market.subtitle) ? "" : ": " + market.subtitle
        return market.title + subtitle
    }

    static func json(_ market: ListedMarket) -> JSONValue {
        func number(_ value: (some CustomStringConvertible)?) -> JSONValue {
            value.map { .string("\($0)") } ?? .null
        }
        func time(_ time: Timestamp) -> JSONValue { time.isKnown ? .string("\(time)") : .null }
        let definition = market.market
        return .fields([
            ("ticker", .string(market.ticker)), ("event", .string(definition.event)),
            ("series", .string(definition.series)), ("title", .string(definition.title)),
            ("subtitle", .string(definition.subtitle)), ("status", .string(market.status.wire)),
            ("result", market.resultText.isEmpty ? .null : .string(market.resultText)),
            ("bid", number(market.bid)), ("ask", number(market.ask)), ("last", number(market.lastPrice)),
            ("volume", number(market.volume)), ("open_interest", number(market.openInterest)),
            ("shard", .integer(definition.shard)), ("opens", time(definition.openTime)),
            ("closes", time(definition.closeTime)), ("tick", .string("\(definition.grid.unit)")),
        ])
    }
}
