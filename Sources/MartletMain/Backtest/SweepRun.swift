import Foundation
import Martlet
import MartletReport
import MartletSimulation
import MartletWire
import Synchronization

/// One run for each combination of a sweep, several at once, and a table of what they came to.
struct SweepRun {
    let sweep: Sweep
    let plans: [BacktestPlan]

    func run(_ invocation: Invocation, _ terminal: Terminal, jobs: Int) throws -> ExitCode {
        let work = try Work(plans)
        let progress = Progress(terminal)
        defer { progress.finish() }
        let workers = (0..<min(jobs, plans.count)).map { number in
            let thread = Thread { work.labour() }
            thread.name = "martlet sweep \(number)"
            // Foundation's threads have half a megabyte; a strategy may want more.
            thread.stackSize = 8 << 20
            return thread
        }
        for thread in workers { thread.start() }
        while !work.wait(seconds: 0.1) {
            progress.update(done: work.finished, total: plans.count, unit: "runs")
        }
        progress.finish()
        let results = try work.results()
        try print(results, invocation, terminal)
        let isComplete = results.allSatisfy { $0?.facts.isComplete == true }
        return isComplete ? .success : Interrupt.exitCode ?? .failure
    }

    /// The plans handed out to threads one by one, and what came back.
    ///
    /// Unchecked: a plan holds a strategy, which need not be sendable. Sound because each plan is taken by exactly
    /// one thread (`next` counts up) before any other touches it, and all that changes stands behind the lock.
    private final class Work: @unchecked Sendable {
        private let plans: [BacktestPlan]
        private let inputs: [RunInput]
        private let condition = NSCondition()
        private var next = 0
        private var outcomes: [Result<RunResult, any Error>?]
        private var left: Int

        init(_ plans: [BacktestPlan]) throws(CommandError) {
            self.plans = plans
            var inputs: [RunInput] = []
            for plan in plans {
                // Runs on the same tapes share them.
                let same = inputs.indices.last {
                    plans[$0].configuration.tapes == plan.configuration.tapes
                        && plans[$0].configuration.seed == plan.configuration.seed
                }
                if let same { inputs.append(inputs[same]) } else { inputs.append(try RunInput(plan)) }
            }
            self.inputs = inputs
            outcomes = Array(repeating: nil, count: plans.count)
            left = plans.count
        }

        func labour() {
            while let index = take() {
                let outcome = Result {
                    try BacktestRun(plans[index]).execute(inputs[index]) { _ in !Interrupt.isRequested }
                }
                condition.lock()
                outcomes[index] = outcome
                left -= 1
                condition.broadcast()
                condition.unlock()
            }
        }

        private func take() -> Int? {
            condition.lock()
            defer { condition.unlock() }
            guard next < plans.count else { return nil }
            if Interrupt.isRequested {
                // What has not begun never will.
                left -= plans.count - next
                next = plans.count
                condition.broadcast()
                return nil
            }
            next += 1
            return next - 1
        }

        var finished: Int {
            condition.lock()
            defer { condition.unlock() }
            return plans.count - left
        }

        /// Whether all is done after waiting for at most `seconds`.
        func wait(seconds: Double) -> Bool {
            condition.lock()
            defer { condition.unlock() }
            if left > 0 { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
            return left == 0
        }

        /// In the order of the plans; nil for those that never began. Throws the first error.
        func results() throws -> [RunResult?] { try outcomes.map { try $0?.get() } }
    }

    // MARK: Output

    private func print(_ results: [RunResult?], _ invocation: Invocation, _ terminal: Terminal) throws {
        let rows = zip(sweep.combinations, results)
        if invocation.isJSON {
            let runs: [JSONValue] = rows.map { combination, result in
                let values = combination.map { ($0.path, JSONValue.string($0.value)) }
                guard let result else {
                    return .fields([("parameters", .fields(values)), ("complete", .bool(false))])
                }
                return .fields([
                    ("parameters", .fields(values)), ("complete", .bool(result.facts.isComplete)),
                    ("net", .number("\(result.total.money.net)")),
                    ("fees", .number("\(result.total.money.fees)")),
                    ("unsettled", .number("\(result.total.money.unsettled)")),
                    ("fills", .integer(result.total.fills.fills)),
                    ("contracts", .number("\(result.total.fills.contracts)")),
                    ("drawdown", result.total.drawdown.map { .number("\($0.amount)") } ?? .null),
                    ("orders", .integer(result.orders.asked)), ("refused", .integer(result.orders.refused)),
                ])
            }
            let isComplete = results.allSatisfy { $0?.facts.isComplete == true }
            return try terminal.line(
                JSONValue.fields([("runs", .array(runs)), ("complete", .bool(isComplete))]).text)
        }
        let show = Show.terminal
        var table = [
            sweep.axes.map(\.path) + [
                "net", "fees", "unsettled", "fills", "contracts", "drawdown", "refused",
            ]
        ]
        for (combination, result) in rows {
            guard let result else {
                table.append(combination.map(\.value) + ["not run", "", "", "", "", "", ""])
                continue
            }
            let mark = result.facts.isComplete ? "" : " (partial)"
            table.append(
                combination.map(\.value) + [
                    show.money(result.total.money.net) + mark, show.money(result.total.money.fees),
                    show.money(result.total.money.unsettled), show.count(result.total.fills.fills),
                    show.contracts(result.total.fills.contracts),
                    result.total.drawdown.map { show.money($0.amount) } ?? "none",
                    show.count(result.orders.refused),
                ])
        }
        try terminal.write(SweepRun.aligned(table))
    }

    /// Columns as wide as their widest entry, right-aligned.
    static func aligned(_ table: [[String]]) -> String {
        let columns = table.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
                .joined(separator: "  ") + "\n"
        }.joined()
    }
}
