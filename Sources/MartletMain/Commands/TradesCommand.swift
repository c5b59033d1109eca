import Foundation
import Martlet
import MartletEngine
import MartletKalshi
import MartletNetwork
import MartletWire

/// `martlet trades TICKER...`: trades as they happen.
enum TradesCommand {
    static let once = Switch("once", "end after the first trade")
    static let count = ValueFlag("count", .whole("N", in: 1...1_000_000_000), "end after so many trades")
    static let timeout = ValueFlag(
        "timeout", .whole("SECONDS", in: 1...86_400),
        "give up when so long has passed; exit code 3 if none came")

    static func command() -> Command {
        var command = Command(name: "trades", summary: "watch markets' trades")
        command.discussion = """
            Prints a line for each trade: receive time, market, which side took, YES price and contracts. 'bought' is \
            a taker who bought YES or sold NO. The exchange asks for an API key even for public prices.
            """
        command.operands = [.init("TICKER", .many, "markets, such as KXHIGHNY-26NOV23-B54.5")]
        command.flags = [once, count, timeout] + ExchangeFlags.all
        command.examples = [
            ("martlet trades KXHIGHNY-26NOV23-B54.5 --json", "each trade as a JSON line")
        ]
        command.run = { try TradesCommand.run($0, $1) }
        return command
    }

    private static func run(_ invocation: Invocation, _ terminal: Terminal) throws -> ExitCode {
        let access = try ExchangeAccess(invocation)
        let signer = try access.signer("the exchange's feed asks for a key, for public prices too")
        let loop = try EventLoop()
        let desk = FeedDesk(loop)
        let lookup = try MarketLookup(access, signer)
        let markets = try lookup.markets(invocation.operands)
        desk.connect(access, signer, lookup.client)
        for market in markets { desk.follow(market, [.trades]) }
        let watch = FeedWatch(desk, terminal, isOnce: false)
        let limit = invocation[once] ? 1 : invocation[count]
        var shown = 0
        desk.onOutput = { output, _ in watch.take(output) }
        desk.onEvent = { event, id in
            guard event.kind == .trade, !watch.isDone else { return }
            shown += 1
            watch.attempt {
                try terminal.line(
                    TradesCommand.line(
                        event, id, desk.directory.ticker(event.market), isJSON: invocation.isJSON))
            }
            if shown == limit { watch.isDone = true }
        }
        desk.onDrained = { _ in watch.attempt { try terminal.flush() } }
        let seconds = invocation[timeout]
        try desk.run(seconds: seconds, until: { watch.isDone })
        if seconds != nil, !watch.isDone, !Interrupt.isRequested {
            return shown > 0 ? .success : .nothingUsable
        }
        return try watch.finish(invocation.operands.joined(separator: ", "))
    }

    static func line(_ event: MarketEvent, _ id: String?, _ ticker: String, isJSON: Bool) -> String {
        guard isJSON else {
            let side = event.side == .bid ? "bought" : "sold  "
            let block = event.flags.contains(.block) ? "  block" : ""
            return "\(event.receiveTime)  \(ticker)  \(side)  \(event.price)  \(event.quantity)\(block)"
        }
        return JSONValue.fields([
            ("market", .string(ticker)), ("time", .string("\(event.receiveTime)")),
            ("exchange_time", event.exchangeTime.isKnown ? .string("\(event.exchangeTime)") : .null),
            ("taker", .string(event.side == .bid ? "bid" : "ask")), ("price", .string("\(event.price)")),
            ("count", .string("\(event.quantity)")), ("trade_id", id.map { .string($0) } ?? .null),
            ("block", .bool(event.flags.contains(.block))),
        ]).text
    }
}
