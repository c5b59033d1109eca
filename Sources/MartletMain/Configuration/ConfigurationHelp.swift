import MartletEngine

/// What each key of a backtest's configuration means: the text of `martlet help configuration` and of the
/// README. A test holds it against the keys that exist.
package enum ConfigurationHelp {
    /// Ranges of numbers that are not simply 0 or more, by path.
    package static let ranges: [String: ClosedRange<Double>] = [
        "trading.strategyLimits.dayStartHour": 0...23,
        "trading.accountLimits.dayStartHour": 0...23,
        "trading.strategyLimits.priceCollar": 0...1,
        "trading.accountLimits.priceCollar": 0...1,
        "trading.router.cancelReserve": 0...0.9,
        "trading.router.batchLimit": 1...20,
        "latency.order": 0...3600,
        "latency.report": 0...3600,
        "latency.sigma": 0...5,
        "live.dashboardPort": 0...65_535,
        "live.alerts.summaryHour": 0...23,
        "live.connections": 1...64,
        "live.guardTimeout": 0.1...3600,
        "live.requestTimeout": 0.1...300,
        "live.busyPolling": 0...60,
        "live.rehearsal": 0...60,
        "live.silenceLimit": 1...86_400,
        "live.stopTimeout": 0.1...3600,
        "live.auditInterval": 1...86_400,
        "live.journalSegment": 65_536...1_073_741_824,
        "live.alerts.perHour": 1...3600,
    ]

    /// The help of a key by its full path, its section's prefix left out as the section's title says.
    package static func help(for path: String) -> String? {
        let rows = sections.flatMap(\.rows)
        let last = path.split(separator: ".").last.map(String.init) ?? path
        return (rows.first { $0.0 == path } ?? rows.first { $0.0 == last })?.1
    }

    package struct Section {
        package var title: String
        package var rows: [(String, String)]
    }

    package static let sections: [Section] = [run, strategy, exchange, money, limits, router, live, alerts]

    private static let run = Section(
        title: "The run",
        rows: [
            (
                "tapes",
                "files or folders of tapes, relative to this file; \"demo\" is the generated exchange day"
            ),
            (
                "markets",
                "only markets whose ticker fits one of these patterns, such as \"KXBTC15M-*\"; [] for all"
            ),
            ("strategies", "a list of strategies, see below"),
            ("seed", "where all chance comes from: latencies, the demonstration day, context.random"),
            ("out", "folder for the report; \"\" for Backtests/out/NAME in the current folder"),
            ("report", "whether report.html is written"),
            (
                "sampling",
                "seconds between two points of the report's curves, 0.1 or more; 0: the run's length decides"
            ),
        ])

    private static let strategy = Section(
        title: "Each of strategies",
        rows: [
            ("use", "the strategy's name, one of 'martlet strategies'"),
            ("name", "its name in this run; needed when one strategy runs twice"),
            ("parameters", "its parameters, see 'martlet strategies NAME'; the others keep their defaults"),
            ("markets", "only markets whose ticker fits one of these patterns; [] for all of the run's"),
        ])

    private static let exchange = Section(
        title: "The simulated exchange",
        rows: [
            (
                "tier",
                "the rate limit tier: " + RateLimits.tiers.map(\.tier).joined(separator: ", ")
                    + " or unlimited"
            ),
            ("latency.model", "constant, log-normal, or recorded: drawn from latency.file"),
            ("latency.order", "seconds from us to the exchange; the median if log-normal"),
            ("latency.report", "seconds from the exchange to us; the median if log-normal"),
            ("latency.sigma", "spread of the log-normal: standard deviation of the logarithm"),
            ("latency.file", "a text file with one latency in microseconds a line"),
            (
                "queue",
                "our place among recorded contracts: back (only trades bring us forward), proportional "
                    + "(so do cancels, in proportion) or power:N (cancels come mostly from the longer side)"
            ),
            ("exchange.fees", "recorded for each market's own terms, none, or a Kalshi fee type for all"),
            (
                "exchange.taken",
                "what our fills take from the recorded book stays taken: off, untilChange, untilRemoved, untilEmpty"
            ),
            (
                "exchange.crossing",
                "what of ours fills when the recording trades through its price: quantity, whole, none"
            ),
            (
                "exchange.rejectsPostOnlyCross",
                "a post-only order that would cross is refused, not taken and ended"
            ),
            (
                "exchange.rejectsEmptyImmediate",
                "an immediate order that meets nothing is refused, not taken and ended"
            ),
            ("exchange.confirmsLateCancels", "a cancel of a finished order is confirmed instead of a 404"),
        ])

    private static let money = Section(
        title: "trading: cash and orders",
        rows: [
            (
                "startingCash",
                "dollars on exchange shard 0 at the start; on paper, without the next key, in equal parts on all shards traded on"
            ),
            ("startingCashOnShards", "cash of further shards: [{ shard: 1, cash: 5000 }]"),
            (
                "balancePrecision",
                "what fees are rounded to: \"directMember\" ($0.0001) or \"intermediated\" ($0.01)"
            ),
            ("payoutRounding", "how payouts are rounded: \"cent\" or \"exact\""),
            ("returnsCollateral", "whether mutually exclusive positions free each other's collateral"),
            ("quotesOnUnusableBook", "desired quotes on a book that cannot be trusted: \"pull\" or \"hold\""),
            ("finishedOrdersKept", "finished orders that can still be looked up"),
            ("tradesRemembered", "trade ids kept to recognise a fill reported twice"),
            ("strategyLimits", "risk limits of each strategy, see below"),
            ("accountLimits", "risk limits of all strategies together, see below"),
            ("router", "how the write budget is spent, see below"),
        ])

    private static let limits = Section(
        title: "trading.strategyLimits and trading.accountLimits",
        rows: [
            ("maxOrderSize", "contracts in one order"),
            ("priceCollar", "dollars beyond the opposite best price that an order may go"),
            ("allowsEmptyBook", "whether an order may be the first in an empty book"),
            ("maxMarketPosition", "contracts long or short in one market, with all open orders filled"),
            ("maxEventPosition", "the same over the markets of one event"),
            ("maxTotalPosition", "the same over all markets"),
            ("maxOpenOrders", "orders that may still trade"),
            ("maxOrdersPerSecond", "new orders and amends within any one second"),
            ("maxMarketLoss", "dollars lost in the worst outcome of one market"),
            ("maxEventLoss", "dollars lost in the worst outcome of one event"),
            ("maxTotalLoss", "dollars lost when the worst happens in every event"),
            ("maxDailyLoss", "dollars lost since the day began; reaching it halts"),
            ("dayStartHour", "the UTC hour at which that day begins"),
            (
                "maxBookAge",
                "seconds after the book's last change beyond which no order goes out; 0: no limit"
            ),
            ("closeMargin", "no new orders this many seconds before a market's close"),
        ])

    private static let router = Section(
        title: "trading.router",
        rows: [
            ("cancelReserve", "the share of the write budget that only cancels may use, 0 to 0.9"),
            ("priceTolerance", "a quote whose price moved by no more than this keeps its order"),
            ("sizeTolerance", "a quote whose size differs by no more than this keeps its order"),
            ("batchesPlaces", "whether orders that leave together become one request"),
            ("batchesCancels", "the same for cancels"),
            ("batchLimit", "the most orders in one batch"),
            (
                "arrivalMargin",
                "seconds by which requests may differ in their time to the exchange: the budget is kept so much smaller"
            ),
            ("backOff", "seconds to wait after a first 429, doubled with each further one"),
            ("maxBackOff", "the longest wait after a 429, in seconds"),
            ("recovery", "seconds without a 429 after which a shrunken budget grows a step"),
            ("haltRetry", "seconds between two attempts to cancel what rests while halted"),
        ])

    private static let live = Section(
        title: "live: paper and live sessions",
        rows: [
            ("live.markets", "markets by ticker; 'martlet markets' lists those there are"),
            ("live.series", "all open markets of these series, and those that they open later"),
            ("live.events", "all open markets of these events"),
            ("live.indices", "settlement indices to follow, such as [\"BRTI\"], or [\"all\"]"),
            (
                "live.folder",
                "where sessions keep journal, log and report, each in a folder of its own; relative to the current folder"
            ),
            ("live.requestTimeout", "seconds after which an order without an answer counts as unknown"),
            ("live.connections", "connections kept open for orders"),
            (
                "live.busyPolling",
                "seconds that the loop polls before it sleeps; 0 sleeps at once, 1 keeps a core busy and reacts sooner"
            ),
            (
                "live.rehearsal",
                "while it polls: seconds after the last order until an order's way is practised, to keep it in the caches; 0: never"
            ),
            ("live.onStart", "orders that rest from earlier runs: \"cancel\" or \"adopt\""),
            ("live.onStop", "orders that rest at the end: \"cancel\" or \"leave\""),
            (
                "live.onDifference",
                "when our account and the exchange's differ: \"adopt\" its word, \"reduceOnly\" or \"halt\""
            ),
            ("live.auditInterval", "seconds between two comparisons of the accounts"),
            ("live.silenceLimit", "seconds without a sign of life from the feed after which trading halts"),
            (
                "live.groupLimit",
                "contracts within 15 seconds beyond which the exchange cancels a shard's orders; 0: no limit there"
            ),
            ("live.stopTimeout", "seconds that a stop waits for cancels to be answered"),
            (
                "live.sync",
                "when the journal is forced to the disk, against power cuts: \"never\", \"interval\", \"everyOrder\""
            ),
            ("live.journalSegment", "bytes of one journal file"),
            (
                "live.guardProcess",
                "a process of its own that cancels everything when the session dies or hangs"
            ),
            ("live.guardTimeout", "seconds without a heartbeat after which it does"),
            ("live.dashboard", "the page on 127.0.0.1, and the door of 'martlet halt'"),
            ("live.dashboardPort", "its port; 0 for any free one"),
        ])

    private static let alerts = Section(
        title: "live.alerts: a web hook",
        rows: [
            ("live.alerts.url", "an address that takes a JSON POST; \"\" for none"),
            ("live.alerts.shape", "\"json\", \"slack\" or \"discord\""),
            ("live.alerts.perHour", "alerts within an hour at most"),
            ("live.alerts.disconnected", "seconds after which a lost connection is told"),
            ("live.alerts.dailySummary", "a summary once a day"),
            ("live.alerts.summaryHour", "the UTC hour of it"),
        ])
}
