/// `martlet record`: the live feed to tapes, for months on end.
enum RecordCommand {
    static let out = ValueFlag("out", short: "o", .folder, "where the tapes go (tapes)")
    static let series = ListFlag(
        "series", .text("SERIES"), "all open markets of a series, and those that it opens later")
    static let event = ListFlag("event", .text("EVENT"), "all open markets of an event")
    static let every = ValueFlag(
        "every", .choice("SPAN", ["hour", "day"]), "begin a new tape each hour or day, UTC (hour)")
    static let reserve = ValueFlag(
        "reserve", .whole("MB", in: 0...1_000_000_000), "wait while less than this is free on the disk (256)")
    static let ticker = Switch("ticker", "record the exchange's summaries too")
    static let duration = ValueFlag(
        "for", .whole("SECONDS", in: 1...1_000_000_000), "end after this (never)")

    static func command() -> Command {
        var command = Command(name: "record", summary: "record live markets to tapes")
        command.discussion = """
            Writes books, trades and market states to tapes in a folder, a new tape each hour or day. Each tape begins \
            with the markets' definitions and books and can be replayed alone: 'martlet backtest --tape'. A crash \
            loses at most a second; the next start mends the tape it broke. On a full disk recording waits for room. \
            Lost connections are made again, and what was missed shows on the tape as a gap. Markets that a series \
            opens later are taken in, and it may have none at the start. Ctrl-C ends the tape in good order. Two \
            recorders in one folder are refused.

            The exchange asks for an API key even for public prices. A status line shows what comes in; without a \
            terminal it is written once a minute, with --json as an object on standard output.
            """
        command.operands = [.init("TICKER", .any, "markets, such as KXHIGHNY-26NOV23-B54.5")]
        command.flags = [out, series, event, every, reserve, ticker, duration] + ExchangeFlags.all
        command.examples = [
            ("martlet record --series KXHIGHNY -o tapes", "New York's temperatures, every day anew"),
            ("martlet backtest --tape tapes/martlet-20261123T140000Z.tape", "what a strategy makes of it"),
        ]
        command.run = { try RecordRun($0, $1).run() }
        return command
    }
}
