import Foundation
import MartletNetwork
import MartletWire

/// `martlet bench cold-start`: from the start of a process to its first order.
extension BenchCommand {
    private static let starts = ValueFlag("runs", .whole("N", in: 1...1000), "starts with each key (5)")
    private static let measured = ValueFlag(
        "measured", .text("TICKER,NANOSECONDS"), "what the benchmark starts the measured process with")

    static func coldStart() -> Command {
        var command = Command(name: "cold-start", summary: "time from a process's start to its first order")
        command.discussion = """
            A sandbox exchange on loopback, and a process for each start that goes through what 'martlet live' goes \
            through: program loaded, key and certificates read, TLS, exchange status, limits, balance, positions, \
            resting orders and fills asked for, order connections warmed, WebSocket, subscription, snapshot, \
            strategy, risk gate, signature, and the first order's last byte given to the kernel. The order must be \
            taken by the exchange. With an Ed25519 and with an RSA-2048 key.
            """
        command.flags = [starts, measured] + ExchangeFlags.all
        command.run = { invocation, terminal in
            if let text = invocation[measured] { return try measure(text, invocation, terminal) }
            var figures: [(String, [[Int64]])] = []
            for (name, algorithm) in [("ed25519", KeyAlgorithm.ed25519), ("rsa2048", .rsa)] {
                let exchange = try DemoExchange(seed: 1, tier: "prime", markets: 12, key: algorithm)
                defer { exchange.close() }
                guard let ticker = exchange.markets.first else {
                    throw CommandError("the sandbox has no market that is quoted")
                }
                var runs: [[Int64]] = []
                for _ in 0..<(invocation[starts] ?? 5) {
                    if let code = Interrupt.exitCode { return code }
                    runs.append(try start(exchange, ticker))
                }
                figures.append((name, runs))
            }
            try print(figures, invocation, terminal)
            return .success
        }
        return command
    }

    /// The measured process: prints its steps as one JSON object.
    private static func measure(
        _ text: String, _ invocation: Invocation, _ terminal: Terminal
    ) throws -> ExitCode {
        let parts = text.split(separator: ",")
        guard parts.count == 2, let started = Int64(parts[1]) else {
            throw CommandError.usage("--measured is for the benchmark itself")
        }
        let steps = try ColdStart(invocation, ticker: String(parts[0]), started: started).run()
        try terminal.line(
            JSONValue.fields(steps.map { ($0.0.rawValue, .integer(Int($0.1))) }).text)
        return .success
    }

    /// Nanoseconds of each step of one start.
    private static func start(_ exchange: DemoExchange, _ ticker: String) throws -> [Int64] {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var arguments = [
            "bench", "cold-start", "--environment", exchange.files.environment, "--key-id",
            DemoExchange.keyID, "--key", exchange.files.key,
        ]
        if let file = exchange.files.authority { arguments += ["--ca", file] }
        // As a shell would start it: the program starts itself over once, for repeatable hashing.
        var variables = ProcessInfo.processInfo.environment
        variables["SWIFT_DETERMINISTIC_HASHING"] = nil
        process.environment = variables
        process.standardOutput = pipe
        process.arguments = arguments + ["--measured", "\(ticker),\(Clocks.monotonic())"]
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let object = try? JSONParser.parse(Array(data))
        let steps = ColdStart.Step.allCases.compactMap { step in
            object?[step.rawValue]?.double.map { Int64($0) }
        }
        guard process.terminationStatus == 0, steps.count == ColdStart.Step.allCases.count else {
            throw CommandError("the measured process failed with exit code \(process.terminationStatus)")
        }
        return steps
    }

    private static func print(
        _ figures: [(String, [[Int64]])], _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        func milliseconds(_ value: Int64) -> String { FormatNumber.decimals(Double(value) / 1e6, 1) + " ms" }
        func median(_ values: [Int64]) -> Int64 { values.sorted()[values.count / 2] }
        let words: [ColdStart.Step: String] = [
            .process: "  process loaded", .key: "  key and certificates", .account: "  account, over REST",
            .connections: "  order connections", .order: "  feed, book, order sent",
        ]
        var rows = [("machine", Machine.summary)]
        var members: [(String, JSONValue)] = []
        for (key, runs) in figures {
            let totals = runs.map { $0.reduce(0, +) }
            let (middle, most) = (median(totals), totals.max() ?? 0)
            rows.append(
                ("\(key), \(runs.count) starts", "median \(milliseconds(middle)), most \(milliseconds(most))")
            )
            var fields: [(String, JSONValue)] = [
                ("runs", .integer(runs.count)), ("median_ns", .integer(Int(middle))),
                ("max_ns", .integer(Int(most))),
            ]
            for (index, step) in ColdStart.Step.allCases.enumerated() {
                let part = median(runs.map { $0[index] })
                rows.append((words[step] ?? step.rawValue, milliseconds(part)))
                fields.append(("\(step.rawValue)_median_ns", .integer(Int(part))))
            }
            members.append((key, JSONValue.fields(fields)))
        }
        members.append(("machine", .string(Machine.summary)))
        try terminal.line(
            invocation.isJSON ? JSONValue.fields(members).text : HelpText.table(rows, indent: 0))
    }
}
