import Martlet
import MartletReport
import MartletWire

/// `martlet bench sandbox`: the sandbox exchange under load.
extension BenchCommand {
    private static let loadSeconds = ValueFlag(
        "seconds", .number("SECONDS", in: 1...600), "measure each of the two loads for so long (10)")
    private static let plain = Switch("plain", "HTTP and ws without TLS")
    private static let accounts = ValueFlag(
        "accounts", .whole("N", in: 1...2000), "accounts with a feed each (500)")
    private static let changes = ValueFlag(
        "changes", .number("N", in: 1...1_000_000), "book changes a second at full load (20000)")
    private static let orders = ValueFlag(
        "orders", .number("N", in: 1...100_000), "orders a second at full load (2000)")

    static func sandbox() -> Command {
        var command = Command(name: "sandbox", summary: "the sandbox exchange under the load of 500 accounts")
        command.discussion = """
            Starts 'martlet sandbox' as a process of its own with 500 markets and 500 accounts, each with an \
            Ed25519 key and a feed of five books. Its books change 20,000 times a second, which makes about \
            100,000 frames, and the accounts place 2,000 orders a second over REST, nine of ten of which rest and \
            are cancelled in batches. One more client subscribes to everything and reads nothing. First half of \
            that load is measured, then all of it. An order's acknowledgement is timed from when the order was \
            due, so that a client kept waiting counts. The order of all frames is checked.
            """
        command.flags = [loadSeconds, plain, accounts, changes, orders]
        command.examples = [
            ("martlet bench sandbox", "over TLS, about half a minute"),
            ("martlet bench sandbox --plain --seconds 60 --json", "longer, without TLS, for scripts"),
        ]
        command.run = { invocation, terminal in
            var options = SandboxLoad.Options()
            if let value = invocation[loadSeconds] { options.seconds = value }
            if let value = invocation[accounts] { options.accounts = value }
            if let value = invocation[changes] { options.changes = value }
            if let value = invocation[orders] { options.orders = value }
            options.isPlain = invocation[plain]
            Interrupt.install()
            let load = try SandboxLoad(options)
            defer { load.close() }
            let progress = Progress(terminal)
            try load.connect { progress.update(done: $0, total: options.accounts, unit: "accounts") }
            let whole = Int(2 * (options.seconds + 1.5))
            let half = try load.run(share: 0.5) {
                progress.update(done: Int($0), total: whole, unit: "s", detail: "half load")
            }
            let full = try load.run(share: 1) {
                progress.update(done: Int($0) + whole / 2, total: whole, unit: "s", detail: "full load")
            }
            let ending = try load.ending()
            progress.finish()
            if let code = Interrupt.exitCode { return code }
            try printLoad(load, half, full, ending, invocation, terminal)
            guard half.gaps + full.gaps == 0, ending.otherClosures == 0 else {
                throw CommandError(
                    "\(half.gaps + full.gaps) frames were out of order and \(ending.otherClosures) clients that read "
                        + "were cut off")
            }
            return .success
        }
        return command
    }

    private static func printLoad(
        _ load: SandboxLoad, _ half: SandboxLoad.Stretch, _ full: SandboxLoad.Stretch,
        _ ending: SandboxLoad.Ending, _ invocation: Invocation, _ terminal: Terminal
    ) throws {
        if invocation.isJSON {
            return try terminal.line(
                JSONValue.fields([
                    ("accounts", .integer(load.options.accounts)), ("tls", .bool(!load.options.isPlain)),
                    ("connect_seconds", .real(load.connectSeconds)), ("half", json(half)),
                    ("full", json(full)),
                    ("slow_clients_dropped", .integer(ending.dropped)),
                    ("other_clients_cut_off", .integer(ending.otherClosures)),
                    ("machine", .string(Machine.summary)),
                ]).text)
        }
        var rows = [
            ("machine", Machine.summary),
            (
                "accounts",
                "\(load.options.accounts) connected in \(FormatNumber.decimals(load.connectSeconds, 1)) s, "
                    + (load.options.isPlain ? "without TLS" : "over TLS")
            ),
        ]
        for (name, stretch) in [("half load", half), ("full load", full)] {
            rows += [
                (name, ""), ("  frames", "\(rate(stretch.frames, stretch)), \(stretch.gaps) out of order"),
            ]
            rows += [
                ("  book changes", rate(stretch.changes, stretch)),
                (
                    "  orders accepted",
                    "\(rate(stretch.accepted, stretch)), \(stretch.refused) refused or lost"
                ),
                ("  acknowledged", "\(millis(stretch.latencies)) from when they were due"),
                ("  round trip", millis(stretch.roundTrips)),
                (
                    "  frames' age",
                    "median \(quantile(stretch.lags, 50)) ms, p99 \(quantile(stretch.lags, 99)) ms"
                ),
                (
                    "  processors",
                    "sandbox \(FormatNumber.decimals(stretch.serverCores, 2)) cores, load "
                        + "\(FormatNumber.decimals(stretch.clientCores, 2))"
                ),
                ("  memory", Progress.short(Double(stretch.serverBytes)) + "B of the sandbox"),
            ]
        }
        rows.append(
            ("slow client", ending.dropped == 1 ? "dropped and told" : "\(ending.dropped) dropped"))
        if let refusal = ending.firstRefusal { rows.append(("first refusal", refusal)) }
        try terminal.line(HelpText.table(rows, indent: 0))
    }

    private static func json(_ stretch: SandboxLoad.Stretch) -> JSONValue {
        func ms(_ sorted: [Int64], _ percent: Int) -> JSONValue {
            .real(Double(quantile(sorted, percent)) / 1e6)
        }
        return .fields([
            ("seconds", .real(stretch.seconds)),
            ("frames_per_second", .real((Double(stretch.frames) / stretch.seconds).rounded())),
            ("frames_out_of_order", .integer(stretch.gaps)),
            ("changes_per_second", .real((Double(stretch.changes) / stretch.seconds).rounded())),
            ("orders_per_second", .real((Double(stretch.accepted) / stretch.seconds).rounded())),
            ("orders_refused_or_lost", .integer(stretch.refused)),
            ("acknowledged_p50_ms", ms(stretch.latencies, 50)),
            ("acknowledged_p99_ms", ms(stretch.latencies, 99)),
            ("round_trip_p50_ms", ms(stretch.roundTrips, 50)),
            ("round_trip_p99_ms", ms(stretch.roundTrips, 99)),
            ("frame_age_p50_ms", .integer(quantile(stretch.lags, 50))),
            ("frame_age_p99_ms", .integer(quantile(stretch.lags, 99))),
            ("sandbox_cores", .real(stretch.serverCores)), ("load_cores", .real(stretch.clientCores)),
            ("sandbox_bytes", .integer(stretch.serverBytes)),
        ])
    }

    private static func rate(_ count: Int, _ stretch: SandboxLoad.Stretch) -> String {
        FormatNumber.grouped(Int((Double(count) / max(stretch.seconds, 0.001)).rounded())) + " a second"
    }
    private static func quantile(_ sorted: [Int64], _ percent: Int) -> Int64 {
        sorted.isEmpty ? 0 : sorted[min(sorted.count * percent / 100, sorted.count - 1)]
    }
    private static func millis(_ sorted: [Int64]) -> String {
        func text(_ percent: Int) -> String {
            FormatNumber.decimals(Double(quantile(sorted, percent)) / 1e6, 2) + " ms"
        }
        return "median \(text(50)), p99 \(text(99))"
    }
}
