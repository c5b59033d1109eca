import Foundation
import Martlet
import MartletEngine

/// The fills of a run in the order in which they were booked: `fills.csv`, which `martlet compare` reads.
final class FillLog {
    struct Row: Hashable {
        /// Nanoseconds since 1970: when we learnt of it.
        var time: Int64
        var strategy: String
        var ticker: String
        var side: Side
        var price: Price
        var quantity: Quantity
        var fee: Money
        var isTaker: Bool
    }

    private(set) var rows: [Row] = []
    /// Beyond what is kept.
    private(set) var dropped = 0
    private static let kept = 1_000_000
    static let name = "fills.csv"
    private static let head = "time_ns,strategy,ticker,side,price,count,fee,taker"

    func add(_ fill: Fill, strategy: String, ticker: String, at time: Timestamp) {
        guard rows.count < FillLog.kept else {
            dropped += 1
            return
        }
        rows.append(
            Row(
                time: time.nanoseconds, strategy: strategy, ticker: ticker, side: fill.side,
                price: fill.price,
                quantity: fill.quantity, fee: fill.fee, isTaker: fill.isTaker))
    }

    var text: String {
        var lines = [FillLog.head]
        for row in rows {
            lines.append(
                "\(row.time),\(row.strategy),\(row.ticker),\(row.side == .bid ? "bid" : "ask"),\(row.price),"
                    + "\(row.quantity),\(row.fee),\(row.isTaker ? 1 : 0)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads a file that `text` made. Throws a ``CommandError`` that names the line.
    static func read(_ path: String) throws -> [Row] {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandError(FileProblem.reading(path, error))
        }
        var rows: [Row] = []
        for (index, line) in text.split(separator: "\n").enumerated() {
            if index == 0 {
                guard line == head else { throw CommandError("\(path):1: no fills file of this program") }
                continue
            }
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 8, let time = Int64(cells[0]), let price = try? Price(parsing: cells[4]),
                let quantity = try? Quantity(parsing: cells[5]), let fee = try? Money(parsing: cells[6])
            else { throw CommandError("\(path):\(index + 1): '\(line)' is no fill") }
            rows.append(
                Row(
                    time: time, strategy: cells[1], ticker: cells[2], side: cells[3] == "bid" ? .bid : .ask,
                    price: price, quantity: quantity, fee: fee, isTaker: cells[7] == "1"))
        }
        return rows
    }
}
