import Foundation
import Martlet
import MartletWire

/// `martlet compare A B`: where two runs of a strategy differ.
enum CompareCommand {
    static let window = ValueFlag(
        "window", .number("SECONDS", in: 0.001...86_400), "fills this far apart may be the same one (2)")
    private static let shown = 20

    static func command() -> Command {
        var command = Command(name: "compare", summary: "where two runs of a strategy differ, fill by fill")
        command.discussion = """
            Takes two folders, each a session's or a backtest's, and pairs their fills: same market, same side, near \
            in time. Shows what filled in both (and how prices, times and fees differ), what filled in one alone, and \
            what that did to the profit of each market. Backtest a session's own recording ('martlet tape import \
            SESSION -o TAPE') and compare it with the session to see how honest the backtest is.
            """
        command.operands = [.init("A", .one, "a folder with fills.csv"), .init("B", .one, "another")]
        command.flags = [window]
        command.examples = [
            ("martlet compare Sessions/maker-20261123T090000Z Backtests/out/maker", "live against backtest")
        ]
        command.run = { invocation, terminal in
            let a = try rows(invocation.operands[0])
            let b = try rows(invocation.operands[1])
            let seconds = invocation[window] ?? 2
            let comparison = RunComparison(a, b, window: Int64(seconds * 1e9))
            if invocation.isJSON {
                try terminal.line(comparison.object.text)
            } else {
                try terminal.write(comparison.text(shown: shown))
            }
            return .success
        }
        return command
    }

    private static func rows(_ path: String) throws -> [FillLog.Row] {
        let inside = path + "/" + FillLog.name
        let file = FileManager.default.fileExists(atPath: inside) ? inside : path
        guard FileManager.default.fileExists(atPath: file), file.hasSuffix(".csv") else {
            throw CommandError.usage(
                "'\(path)' holds no \(FillLog.name): name a session's or a backtest's folder")
        }
        return try FillLog.read(file)
    }
}

/// Two runs' fills, paired.
struct RunComparison {
    struct Pair {
        var a: FillLog.Row
        var b: FillLog.Row
        /// How much better A traded than B, in dollars a contract.
        var priceGain: Int64 { Int64(b.price.micros - a.price.micros) * (a.side == .bid ? 1 : -1) }
    }
    let a: [FillLog.Row]
    let b: [FillLog.Row]
    private(set) var pairs: [Pair] = []
    private(set) var onlyA: [FillLog.Row] = []
    private(set) var onlyB: [FillLog.Row] = []

    /// - Parameter window: nanoseconds.
    init(_ a: [FillLog.Row], _ b: [FillLog.Row], window: Int64) {
        self.a = a
        self.b = b
        struct Key: Hashable {
            var ticker: String
            var isBid: Bool
        }
        var waiting: [Key: [FillLog.Row]] = [:]
        for row in b { waiting[Key(ticker: row.ticker, isBid: row.side == .bid), default: []].append(row) }
        for row in a {
            let key = Key(ticker: row.ticker, isBid: row.side == .bid)
            let candidates = waiting[key] ?? []
            // The nearest in time, of the same price first.
            let best = candidates.indices.filter { abs(candidates[$0].time - row.time) <= window }.min {
                let (x, y) = (candidates[$0], candidates[$1])
                let (dx, dy) = (x.price == row.price ? 0 : 1, y.price == row.price ? 0 : 1)
                return dx != dy ? dx < dy : abs(x.time - row.time) < abs(y.time - row.time)
            }
            guard let best else {
                onlyA.append(row)
                continue
            }
            pairs.append(Pair(a: row, b: candidates[best]))
            waiting[key]?.remove(at: best)
        }
        let left = Set(waiting.keys.map { $0 })
        for row in b {
            let key = Key(ticker: row.ticker, isBid: row.side == .bid)
            guard left.contains(key), let index = waiting[key]?.firstIndex(of: row) else { continue }
            waiting[key]?.remove(at: index)
            onlyB.append(row)
        }
    }

    // MARK: Figures

    private static func contracts(_ rows: [FillLog.Row]) -> Quantity {
        rows.reduce(.zero) { $0 + $1.quantity }
    }
    private static func fees(_ rows: [FillLog.Row]) -> Money { rows.reduce(.zero) { $0 + $1.fee } }
    private static func makerShare(_ rows: [FillLog.Row]) -> Double? {
        let all = contracts(rows)
        guard all.isPositive else { return nil }
        return Double(contracts(rows.filter { !$0.isTaker }).hundredths) / Double(all.hundredths)
    }
    /// Cash that the fills of a market brought, fees taken off.
    private static func cash(_ rows: [FillLog.Row]) -> Money {
        rows.reduce(.zero) { sum, row in
            let value = row.price * row.quantity
            return sum + (row.side == .bid ? Money(raw: -value.raw) : value) - row.fee
        }
    }
    private var lateness: Int64? {
        let delays = pairs.map { $0.a.time - $0.b.time }.sorted()
        return delays.isEmpty ? nil : delays[delays.count / 2]
    }
    /// Dollars that A's prices were better by, over all pairs.
    private var priceGain: Money {
        Money(
            raw: pairs.reduce(0) {
                $0 + $1.priceGain * min($1.a.quantity.hundredths, $1.b.quantity.hundredths)
            })
    }
    private var tickers: [String] { Set(a.map(\.ticker)).union(b.map(\.ticker)).sorted() }

    var object: JSONValue {
        func side(_ rows: [FillLog.Row], _ only: [FillLog.Row]) -> JSONValue {
            .fields([
                ("fills", .integer(rows.count)), ("contracts", .string("\(RunComparison.contracts(rows))")),
                ("fees", .string("\(RunComparison.fees(rows))")),
                ("maker_share", RunComparison.makerShare(rows).map { .real($0) } ?? .null),
                ("alone", .integer(only.count)),
                ("contracts_alone", .string("\(RunComparison.contracts(only))")),
            ])
        }
        return .fields([
            ("a", side(a, onlyA)), ("b", side(b, onlyB)), ("both", .integer(pairs.count)),
            ("same_price", .integer(pairs.count { $0.priceGain == 0 })),
            ("price_gain_of_a", .string("\(priceGain)")),
            ("median_delay_of_a_ns", lateness.map { .integer($0) } ?? .null),
        ])
    }

    func text(shown: Int) -> String {
        func share(_ rows: [FillLog.Row]) -> String {
            RunComparison.makerShare(rows).map { "\(Int(($0 * 100).rounded())) %" } ?? "none"
        }
        var text = HelpText.table(
            [
                ("", "A / B"), ("fills", "\(a.count) / \(b.count)"),
                ("contracts", "\(RunComparison.contracts(a)) / \(RunComparison.contracts(b))"),
                ("maker share", "\(share(a)) / \(share(b))"),
                ("fees", "\(RunComparison.fees(a).display) / \(RunComparison.fees(b).display)"),
                ("in one alone", "\(onlyA.count) / \(onlyB.count)"),
                ("in both", "\(pairs.count), \(pairs.count { $0.priceGain == 0 }) at the same price"),
                ("A's prices better by", priceGain.display),
                ("A later by", lateness.map { "\($0 / 1_000_000) ms (median)" } ?? "nothing to compare"),
            ], indent: 0)
        text += "\n\nCash of each market's fills, fees taken off (what is still held is not counted)\n"
        let rows = tickers.map { ticker -> (String, Money, Money) in
            (
                ticker, RunComparison.cash(a.filter { $0.ticker == ticker }),
                RunComparison.cash(b.filter { $0.ticker == ticker })
            )
        }
        for row in rows.sorted(by: { abs($0.1.raw - $0.2.raw) > abs($1.1.raw - $1.2.raw) }).prefix(shown) {
            text += "  \(row.0): \(row.1.display) / \(row.2.display)\n"
        }
        let alone = onlyA.map { ("A", $0) } + onlyB.map { ("B", $0) }
        if !alone.isEmpty { text += "\nFilled in one alone\n" }
        for (name, row) in alone.sorted(by: { $0.1.time < $1.1.time }).prefix(shown) {
            text +=
                "  \(name)  \(Timestamp(nanoseconds: row.time))  \(row.ticker) \(row.side == .bid ? "bought" : "sold") "
                + "\(row.quantity) at \(row.price)\n"
        }
        if alone.count > shown { text += "  and \(alone.count - shown) more\n" }
        return text
    }
}
