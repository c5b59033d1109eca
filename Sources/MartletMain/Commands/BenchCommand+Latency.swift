import Foundation
import MartletNetwork
import MartletWire

/// `martlet bench wire-latency`: from a readable frame to the last byte of the order.
extension BenchCommand {
    private static let messages = ValueFlag(
        "messages", .whole("N", in: 1_000...10_000_000), "deltas to answer (20000)")
    private static let bare = ValueFlag(
        "bare", .text("PROGRAM"), "the comparison in C; Tests/Benchmarks/wire-latency builds and names it")

    private static let pause = ValueFlag(
        "pause", .whole("MICROSECONDS", in: 0...1_000_000), "the peer waits so long before each delta (0)")
    private static let sleeping = Switch("sleep", "both ends sleep between messages; otherwise they poll")

    static func latency() -> Command {
        var command = Command(
            name: "wire-latency", summary: "time from a readable frame to a sent order")
        command.discussion = """
            A peer on loopback sends order book deltas over a TLS WebSocket, one at a time; each goes through the \
            decoder, the engine with risk gate and router, and a strategy that answers every change with an order, \
            which is written to a warm TLS connection with a signature made ahead. Measured from the poller's \
            return to the kernel's taking of the order's last byte. The first tenth is left out. No figures are \
            printed unless the peer got every order whole and right. Both ends poll instead of sleeping: on one \
            machine, whoever writes to a thread that sleeps also pays for waking it. With --pause the \
            caches have time to go cold, as they do in a quiet market. With --bare, a C program that only reads and \
            writes the same records runs against the same peer, and ratios to it are printed: they mean something \
            on a busy machine, where microseconds do not.
            """
        command.flags = [messages, bare, pause, sleeping]
        command.run = { invocation, terminal in
            let count = invocation[messages] ?? 20_000
            let busyPolling = invocation[sleeping] ? 0 : Nanoseconds.seconds(1)
            let server = try LatencyServer(
                busyPolling: busyPolling, pause: Int64(invocation[pause] ?? 0) * 1000)
            let trader = try LatencyTrader(
                port: server.port, trusting: server.authorityPEM, busyPolling: busyPolling)
            try trader.run(count, isInterrupted: { Interrupt.isRequested })
            if let code = Interrupt.exitCode { return code }
            let tally = server.shared.tally.withLock { $0 }
            guard tally.orders == trader.samples.count, tally.badOrders == 0 else {
                throw CommandError(
                    "the peer got \(tally.orders) orders, \(tally.badOrders) of them wrong, for "
                        + "\(trader.samples.count) deltas: there is no result")
            }
            let figures = try invocation[bare].map {
                try BareComparison.run(
                    $0, server, request: trader.lastRequest, messages: count, isPolling: busyPolling > 0)
            }
            try printLatency(trader.samples, figures, invocation, terminal)
            return .success
        }
        return command
    }

    private static func printLatency(
        _ samples: [LatencyTrader.Sample], _ bare: BareComparison.Figures?, _ invocation: Invocation,
        _ terminal: Terminal
    ) throws {
        let steady = samples.dropFirst(samples.count / 10)
        let parts: [(name: String, key: String, part: KeyPath<LatencyTrader.Sample, Int64>)] = [
            ("read and decrypt", "read", \.read), ("decode", "decode", \.decode),
            ("engine", "engine", \.engine), ("encode", "encode", \.encode),
            ("encrypt and write", "write", \.write), ("whole", "whole", \.total),
        ]
        var rows = [("machine", Machine.summary), ("orders", "\(steady.count), each checked by the peer")]
        var members: [(String, JSONValue)] = [("orders", .integer(steady.count))]
        for (name, key, part) in parts {
            let sorted = steady.map { $0[keyPath: part] }.sorted()
            let median = Double(sorted[sorted.count / 2])
            let p99 = Double(sorted[sorted.count * 99 / 100])
            rows.append((name, "median \(micros(median)), p99 \(micros(p99))"))
            members += [("\(key)_median_ns", .real(median)), ("\(key)_p99_ns", .real(p99))]
            if let bare, key == "whole" {
                rows.append(("bare C", "median \(micros(bare.median)), p99 \(micros(bare.p99))"))
                rows.append(("  read and decrypt", "median \(micros(bare.read))"))
                rows.append(("  encrypt and write", "median \(micros(bare.write))"))
                let ratios = (median / bare.median, p99 / bare.p99)
                rows.append(
                    (
                        "ratio to bare C",
                        "median \(FormatNumber.decimals(ratios.0, 2)), p99 \(FormatNumber.decimals(ratios.1, 2))"
                    ))
                members += [
                    ("bare_median_ns", .real(bare.median)), ("bare_p99_ns", .real(bare.p99)),
                    ("bare_read_median_ns", .real(bare.read)), ("bare_write_median_ns", .real(bare.write)),
                    ("ratio_median", .real(ratios.0)), ("ratio_p99", .real(ratios.1)),
                ]
            }
        }
        members.append(("machine", .string(Machine.summary)))
        try terminal.line(
            invocation.isJSON ? JSONValue.fields(members).text : HelpText.table(rows, indent: 0))
    }

    private static func micros(_ nanoseconds: Double) -> String {
        FormatNumber.decimals(nanoseconds / 1000, 1) + " µs"
    }
}
