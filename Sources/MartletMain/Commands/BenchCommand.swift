import CSystem
import Foundation
import Martlet
import MartletReport
import MartletSimulation
import MartletWire

/// `martlet bench …`: how fast this build is on this machine.
enum BenchCommand {
    static let runs = ValueFlag("runs", .whole("N", in: 1...1000), "the best of so many runs counts (5)")
    static let grid = ValueFlag(
        "grid", .choice("GRID", ["cent"] + PriceGrid.knownStructures), "the books' price grid (cent)")

    static func command() -> Command {
        var command = Command(name: "bench", summary: "measure this build on this machine")
        command.subcommands = [replay(), decode(), latency(), live(), coldStart(), sandbox()]
        return command
    }

    private static func replay() -> Command {
        var command = Command(name: "replay", summary: "records a second through the whole engine")
        command.discussion = """
            Replays a generated stream of book changes and trades through the same driver as a backtest, with risk \
            gate, router, portfolio, simulated exchange and a strategy that reads both best prices at each record \
            and places or cancels an order at every hundredth. A rate is printed only when the stream was replayed \
            to its end. Measure with a release build on a quiet machine.
            """
        command.operands = [.init("STREAM", .one, "a stream file (KL2STRM1)")]
        command.flags = [runs, grid]
        command.run = { invocation, terminal in
            csystem_keep_memory()
            let memory = ResidentMemory()
            defer { memory.stop() }
            var options = ReplayBenchmark.Options()
            if let runs = invocation[runs] { options.runs = runs }
            if let name = invocation[grid] { options.grid = PriceGrid.labelled(name) ?? .cent }
            let stream = invocation.operands[0]
            guard access(stream, R_OK) == 0 else {
                throw CommandError.usage(
                    "cannot read '\(stream)': \(String(cString: strerror(errno)).lowercased())")
            }
            let figures: ReplayBenchmark.Figures
            do {
                figures = try ReplayBenchmark.run(
                    stream: stream, options: options, clock: { Progress.monotonicSeconds() },
                    memory: { memory.peak() })
            } catch {
                throw CommandError("\(error)")
            }
            try print(figures, invocation, terminal)
            return figures.isComplete ? .success : .failure
        }
        return command
    }

    private static func print(
        _ figures: ReplayBenchmark.Figures, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            return try terminal.line(
                JSONValue.fields([
                    ("records", .integer(figures.records)),
                    ("records_per_second", figures.recordsPerSecond.map { .real($0.rounded()) } ?? .null),
                    ("checksum", .integer(figures.checksum)),
                    ("peak_rss_bytes", .integer(figures.peakResidentBytes)),
                    ("complete", .bool(figures.isComplete)),
                    ("places", .integer(figures.places)), ("cancels", .integer(figures.cancels)),
                    ("fills", .integer(figures.fills)), ("refused", .integer(figures.refused)),
                    ("seconds_before_first_record", .real(figures.secondsBeforeFirstRecord)),
                    (
                        "records_per_second_with_latency",
                        figures.recordsPerSecondWithLatency.map { .real($0.rounded()) } ?? .null
                    ),
                    ("markets", .integer(figures.markets)), ("machine", .string(Machine.summary)),
                ]).text)
        }
        func rate(_ value: Double?) -> String {
            value.map { Progress.short($0) + " records/s" } ?? "incomplete"
        }
        let rows = [
            ("machine", Machine.summary),
            ("records", "\(FormatNumber.grouped(figures.records)) in \(figures.markets) markets"),
            ("rate", rate(figures.recordsPerSecond)),
            ("rate with latency", rate(figures.recordsPerSecondWithLatency) + ", Prime tier"),
            ("checksum", String(figures.checksum)),
            (
                "orders",
                "\(figures.places) places, \(figures.cancels) cancels, \(figures.fills) fills, "
                    + "\(figures.refused) refused"
            ),
            ("before the first record", FormatNumber.decimals(figures.secondsBeforeFirstRecord, 3) + " s"),
            ("peak memory", Progress.short(Double(figures.peakResidentBytes)) + "B without mapped files"),
        ]
        try terminal.line(HelpText.table(rows, indent: 0))
    }
}

/// The machine's facts, for a benchmark's figures mean nothing without them.
enum Machine {
    static var summary: String {
        let cpu = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let model = cpu?.split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }.map { $0.drop { $0 == " " } }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #if DEBUG
            let build = "debug build"
        #else
            let build = "release build"
        #endif
        return "\(model ?? "unknown processor"), \(cores) cores, \(build)"
    }
}
